"""Images and masks as the callers have them: arrays, or objects that carry a grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import _checks
from ..errors import DataError, ShapeError

__all__ = ["Taken", "take_pair"]

_TOLERANCE = 1e-4  # relative, of spacings and affines: what file formats lose


@dataclass
class Taken:
    """An array (z, y, x), its voxel size (z, y, x) in mm and its affine, where known."""

    data: Any
    spacing: tuple[float, float, float] | None
    affine: np.ndarray | None
    flat: bool  # was 2D


def take_pair(image: Any, mask: Any, spacing: Any) -> tuple[Taken, Taken]:
    """Image and mask on one grid; grids that disagree are an error (nothing is resampled)."""
    taken, roi = _take("image", image), _take("mask", mask)
    if tuple(taken.data.shape) != tuple(roi.data.shape):
        raise ShapeError(
            f"image has shape {tuple(taken.data.shape)}, but mask has {tuple(roi.data.shape)}; "
            "resample the mask to the image's grid"
        )
    if taken.spacing and roi.spacing and not np.allclose(taken.spacing, roi.spacing, _TOLERANCE):
        raise DataError(f"image has spacing {taken.spacing}, but mask has {roi.spacing} (mm)")
    if taken.affine is not None and roi.affine is not None:
        scale = float(np.abs(taken.affine[:3, :3]).max())
        if not np.allclose(taken.affine, roi.affine, 0, 1e-2 * scale):
            raise DataError(
                f"image and mask lie elsewhere: affine {taken.affine.tolist()} of the image, "
                f"{roi.affine.tolist()} of the mask"
            )
    if spacing is not None:
        taken.spacing = _spacing(spacing, taken.flat)
    elif taken.spacing is None:
        taken.spacing = roi.spacing
    return taken, roi


def _take(name: str, source: Any) -> Taken:
    data, spacing, affine = _parts(source)
    flat = data.ndim == 2
    if data.ndim not in (2, 3):
        raise ShapeError(f"{name} has shape {tuple(data.shape)}; expected 2 or 3 dimensions")
    if 0 in data.shape:
        raise ShapeError(f"{name} has shape {tuple(data.shape)}: it is empty")
    if flat:
        data = data[None]
    return Taken(data, None if spacing is None else _spacing(spacing, flat), affine, flat)


def _parts(source: Any) -> tuple[Any, Any, np.ndarray | None]:
    """(array in (z, y, x), spacing, affine) of an array, an image of ours, nibabel's or ITK's."""
    if hasattr(source, "dataobj") and hasattr(source, "header"):  # nibabel: (x, y, z)
        spacing = tuple(float(s) for s in source.header.get_zooms()[:3])[::-1]
        return np.asanyarray(source.dataobj).T, spacing, np.asarray(source.affine)
    if hasattr(source, "GetSpacing") and hasattr(source, "GetDirection"):  # SimpleITK
        import SimpleITK

        return SimpleITK.GetArrayFromImage(source), source.GetSpacing()[::-1], None
    if hasattr(source, "data") and hasattr(source, "spacing"):
        affine = getattr(source, "affine", None)
        return _array(source.data), source.spacing, None if affine is None else np.asarray(affine)
    return _array(source), None, None


def _array(source: Any) -> Any:
    return source if hasattr(source, "ndim") and hasattr(source, "shape") else np.asarray(source)


def _spacing(value: Any, flat: bool) -> tuple[float, float, float]:
    sizes = [float(v) for v in np.ravel(np.asarray(value, dtype=np.float64))]
    if len(sizes) == 1:
        sizes = sizes * 3
    if len(sizes) == 2 and flat:
        sizes = [1.0, *sizes]
    if len(sizes) != 3:
        raise DataError(f"spacing is {value!r}; expected one voxel size per axis (z, y, x) in mm")
    z, y, x = (_checks.positive("spacing", size) for size in sizes)
    return z, y, x
