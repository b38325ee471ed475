"""Segments of a DICOM SEG (highdicom), on their own grid or on that of an image."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..errors import PyradError
from ._regions import LPS_TO_RAS, chosen, join
from .containers import Image
from .files import check_dims, check_size, needed, refused

__all__ = ["NAME", "names", "read"]

NAME = "DICOM SEG"
_OFF = 0.02  # voxels that the two grids may differ by


def names(segmentation: Any) -> dict[int, str]:
    """Number -> label of the segments."""
    return {
        int(item.SegmentNumber): str(item.get("SegmentLabel", ""))
        for item in segmentation.get("SegmentSequence", [])
    }


def read(
    path: Path, image: Image | None, region: str | int | None, max_bytes: int | None
) -> tuple[np.ndarray, np.ndarray, dict[int, str]]:
    """(labels, affine, number -> name of the regions in them)."""
    highdicom = needed("highdicom")
    try:
        segmentation = highdicom.seg.segread(str(path))
        known = names(segmentation)
        frames = int(segmentation.get("NumberOfFrames", 1) or 1)
        shape = (frames, int(segmentation.Rows), int(segmentation.Columns))
        asked = check_dims(path, shape, 8)
        check_size(path, asked, max_bytes, f"shape {shape}", stored=path.stat().st_size)
        wanted = chosen(path, known, region)
        volumes = {
            n: segmentation.get_volume(segment_numbers=[n], combine_segments=False) for n in wanted
        }
    except PyradError:
        raise
    except Exception as error:  # highdicom and pydicom raise many classes on damaged files
        raise refused(path, f"cannot be read as a volume of segments ({error})") from None
    parts, affine = {}, np.eye(4)
    for number, volume in volumes.items():
        inside = np.asarray(volume.array)[..., 0] >= 0.5
        affine = _affine(volume)
        if image is not None:
            parts[number] = _placed(path, inside, affine, image)
        elif np.linalg.det(affine[:3, :3]) < 0:  # slices along row x column, as images have them
            parts[number] = inside[::-1]
            affine[:3, 3] += affine[:3, 2] * (len(inside) - 1)
            affine[:3, 2] *= -1
        else:
            parts[number] = inside
    if image is not None:
        affine = image.affine
    shape = next(iter(parts.values())).shape
    return join(path, parts, shape, region is not None), affine, {n: known[n] for n in wanted}


def _affine(volume: Any) -> np.ndarray:
    """highdicom's affine maps array indices (slice, row, column) to LPS; ours (x, y, z) to RAS."""
    affine = np.asarray(volume.affine, np.float64)
    return LPS_TO_RAS @ affine[:, [2, 1, 0, 3]]


def _placed(path: Path, inside: np.ndarray, affine: np.ndarray, image: Image) -> np.ndarray:
    """The voxels where they lie in the image; grids must agree up to flips and an offset."""
    to_image = np.linalg.inv(image.affine) @ affine
    turn = np.rint(to_image[:3, :3])
    reach = max(max(inside.shape), *image.data.shape)
    at = np.argwhere(inside)[:, ::-1] @ turn.T + np.rint(to_image[:3, 3])
    off = (
        np.abs(to_image[:3, :3] - turn).max() * reach,
        np.abs(to_image[:3, 3] - np.rint(to_image[:3, 3])).max(),
    )
    if max(off) > max(_OFF, 1e-4 * reach) or abs(abs(np.linalg.det(turn)) - 1) > 1e-6:
        raise refused(
            path,
            f"its grid is not the image's: affine {affine.tolist()}, the image has "
            f"{np.asarray(image.affine).tolist()}; resample one of them",
        )
    size = np.array(image.data.shape[::-1])
    if len(at) and ((at < 0).any() or (at >= size).any()):
        raise refused(path, "segments reach beyond the image")
    result = np.zeros(image.data.shape, bool)
    result[tuple(at.astype(np.int64)[:, ::-1].T)] = True
    return result
