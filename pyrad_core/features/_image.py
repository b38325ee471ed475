"""Images and masks as the callers have them: arrays, or objects that carry a grid."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import _checks
from .._kernels.select import host_array
from ..errors import DataError, ShapeError

__all__ = ["Taken", "array_of", "take_pair"]

_TOLERANCE = 1e-4  # relative, of spacings and affines: what file formats lose


@dataclass
class Taken:
    """An array (z, y, x), its voxel size (z, y, x) in mm and its affine, where known."""

    data: Any
    spacing: tuple[float, float, float] | None
    affine: np.ndarray | None
    flat: bool  # was 2D


def take_pair(image: Any, mask: Any, spacing: Any, correct: bool = False) -> tuple[Taken, Taken]:
    """Image and mask on one grid; grids that disagree are an error, unless ``correct`` asks to
    bring the mask to the image's grid."""
    taken, roi = _take("image", image), _take("mask", mask)
    if correct and taken.affine is not None and roi.affine is not None:
        roi = _corrected(taken, roi)
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


def _corrected(taken: Taken, roi: Taken) -> Taken:
    """The mask's nearest voxels on the image's grid, on the host."""
    from scipy.ndimage import affine_transform

    assert taken.affine is not None and roi.affine is not None
    same = tuple(taken.data.shape) == tuple(roi.data.shape)
    if same and np.allclose(taken.affine, roi.affine, 0, 1e-6 * np.abs(taken.affine).max()):
        return roi
    data = host_array(roi.data)
    at = np.argwhere(data != 0)
    if len(at):
        low, high = at.min(axis=0) - 0.5, at.max(axis=0) + 0.5
        corners = np.array(list(itertools.product(*zip(low[::-1], high[::-1], strict=True))))
        to_image = np.linalg.inv(taken.affine) @ roi.affine
        found = corners @ to_image[:3, :3].T + to_image[:3, 3]
        limit = np.array(taken.data.shape[::-1]) - 0.5 + 1e-3
        if (found < -0.5 - 1e-3).any() or (found > limit).any():
            raise DataError("correct_mask: the region reaches beyond the image")
    to_mask = np.linalg.inv(roi.affine) @ taken.affine
    order = np.ix_([2, 1, 0], [2, 1, 0])
    moved = affine_transform(
        data,
        to_mask[:3, :3][order],
        to_mask[2::-1, 3],
        taken.data.shape,
        order=0,
        mode="grid-constant",
    )
    if hasattr(taken.data, "get"):
        import cupy

        moved = cupy.asarray(moved)
    return Taken(moved, taken.spacing, taken.affine, roi.flat)


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


def array_of(source: Any) -> Any:
    """The array of an image as callers have them."""
    return _parts(source)[0]


def _parts(source: Any) -> tuple[Any, Any, np.ndarray | None]:
    """(array in (z, y, x), spacing, affine) of an array, an image of ours, nibabel's or ITK's."""
    if hasattr(source, "dataobj") and hasattr(source, "header"):  # nibabel: (x, y, z)
        spacing = tuple(float(s) for s in source.header.get_zooms()[:3])[::-1]
        return np.asanyarray(source.dataobj).T, spacing, np.asarray(source.affine)
    if hasattr(source, "GetSpacing") and hasattr(source, "GetDirection"):  # SimpleITK
        import SimpleITK

        data = SimpleITK.GetArrayFromImage(source)
        return data, source.GetSpacing()[::-1], _itk_affine(source)
    if hasattr(source, "data") and hasattr(source, "spacing"):
        affine = getattr(source, "affine", None)
        return _array(source.data), source.spacing, None if affine is None else np.asarray(affine)
    return _array(source), None, None


def _itk_affine(source: Any) -> np.ndarray | None:
    """(x, y, z) indices to RAS mm; ITK keeps LPS."""
    if source.GetDimension() != 3:
        return None
    affine = np.eye(4)
    affine[:3, :3] = np.reshape(source.GetDirection(), (3, 3)) * np.array(source.GetSpacing())
    affine[:3, 3] = source.GetOrigin()
    return np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine


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
