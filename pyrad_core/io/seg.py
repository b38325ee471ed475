"""Segments of a DICOM SEG (highdicom), on their own grid or on that of an image."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import PyradError
from ._regions import LPS_TO_RAS, chosen, join, named
from .containers import Image
from .dicom_elements import open_dicom
from .files import check_dims, check_size, needed, refused

__all__ = ["NAME", "names", "read"]

NAME = "DICOM SEG"
_OFF = 0.02  # voxels that the two grids may differ by


def names(path: Path, segmentation: Any) -> dict[int, str]:
    """Number -> label of the segments."""
    return named(path, segmentation.get("SegmentSequence", []), "SegmentNumber", "SegmentLabel")


def read(
    path: Path, image: Image | None, region: str | int | None, max_bytes: int | None
) -> tuple[np.ndarray, np.ndarray, dict[int, str]]:
    """(labels, affine, number -> name of the regions in them)."""
    highdicom = needed("highdicom")
    _check_frames(path, max_bytes)
    try:
        segmentation = highdicom.seg.segread(str(path), lazy_frame_retrieval=True)
        known = names(path, segmentation)
        shape = _shape(path, segmentation, max_bytes)
        wanted = chosen(path, known, region)
        volumes = ((n, _volume(segmentation, n)) for n in wanted)
        return _joined(path, volumes, shape, image, wanted, region is not None, known)
    except PyradError:
        raise
    except Exception as error:  # highdicom and pydicom raise many classes on damaged files
        raise refused(path, f"cannot be read as a volume of segments ({error})") from None


def _check_frames(path: Path, max_bytes: int | None) -> None:
    """highdicom lists the frames that the header declares; each takes bytes of the header alone."""
    head = open_dicom(path, max_bytes, stop_before_pixels=True, specific_tags=["NumberOfFrames"])
    try:
        frames = int(head.get("NumberOfFrames", 1) or 1)
    except (TypeError, ValueError, OverflowError):
        raise refused(path, "declares no whole number of frames") from None
    if not 0 < frames <= path.stat().st_size:
        raise refused(path, f"declares {frames} frames in {path.stat().st_size} bytes")


def _shape(path: Path, segmentation: Any, max_bytes: int | None) -> tuple[int, ...]:
    """(slices, rows, columns) of the grid of its frames; slices without a segment count."""
    frames = int(segmentation.get("NumberOfFrames", 1) or 1)
    rows, columns = int(segmentation.Rows), int(segmentation.Columns)
    stored = path.stat().st_size
    for shape in ((frames, rows, columns), _grid(path, segmentation)):
        asked = check_dims(path, shape, 8)
        check_size(path, asked, max_bytes, f"shape {shape}", stored=stored)
    return shape


def _grid(path: Path, segmentation: Any) -> tuple[int, ...]:
    geometry = segmentation.get_volume_geometry(allow_missing_positions=True)
    if geometry is None:
        raise refused(path, "its frames are no parallel, evenly spaced slices")
    return tuple(int(n) for n in geometry.spatial_shape)


def _volume(segmentation: Any, number: int) -> Any:
    return segmentation.get_volume(segment_numbers=[number], combine_segments=False)


def _joined(
    path: Path, volumes: Iterator[tuple[int, Any]], shape: tuple[int, ...], image: Image | None,
    wanted: list[int], one: bool, known: dict[int, str],
) -> tuple[np.ndarray, np.ndarray, dict[int, str]]:  # fmt: skip
    """Labels on the image's grid, or on their own with slices along row x column."""
    affine = np.eye(4)

    def parts() -> Iterator[tuple[int, np.ndarray]]:
        nonlocal affine
        for number, volume in volumes:
            inside = np.asarray(volume.array)[..., 0] >= 0.5
            affine = _affine(volume)
            if image is not None:
                inside = _placed(path, inside, affine, image)
            elif np.linalg.det(affine[:3, :3]) < 0:
                inside = inside[::-1]
                affine[:3, 3] += affine[:3, 2] * (len(inside) - 1)
                affine[:3, 2] *= -1
            yield number, inside

    grid = shape if image is None else image.data.shape
    labels = join(path, parts(), grid, one, max(wanted, default=0))
    placed = affine if image is None else image.affine
    return labels, placed, {n: known[n] for n in wanted}


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
