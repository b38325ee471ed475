"""Resampling of images and masks onto a grid of other voxel size, axis by axis.

Two grids: IBSI's, with the centres of both volumes aligned (size = ceil of the fractional size),
and PyRadiomics', with the corners of the first voxels aligned and cropped around the region.
Interpolation is separable: linear, or the cubic spline through all samples (Unser, IEEE Signal
Processing Magazine 16 (1999) 22, doi:10.1109/79.799930), mirrored at the first and last sample.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import DataError

__all__ = ["Axis", "corner_axes", "centre_axes", "interpolate"]


@dataclass(frozen=True)
class Axis:
    """Sample positions along one axis, in voxels of the given image, and the new voxel size."""

    size: int
    positions: np.ndarray
    spacing: float

    @property
    def changed(self) -> bool:
        n = len(self.positions)
        return n != self.size or not np.array_equal(self.positions, np.arange(self.size))


def centre_axes(shape: Any, spacing: Any, target: Any) -> list[Axis]:
    """IBSI's grid: ceil(n * spacing / target) voxels, centred on the volume."""
    axes = []
    for n, old, new in zip(shape, spacing, target, strict=True):
        new = old if new == 0 else new
        ratio = new / old
        count = int(np.ceil(n / ratio - 1e-9))
        positions = (n - 1) / 2 + (np.arange(count) - (count - 1) / 2) * ratio
        axes.append(Axis(n, positions, new))
    return axes


def corner_axes(shape: Any, spacing: Any, target: Any, box: Any, margin: int) -> list[Axis]:
    """PyRadiomics' grid: first voxels share a corner; cropped to the box plus a margin.

    An axis along which the region is one voxel thick keeps its voxel size.
    """
    axes = []
    for n, old, new, (begin, end) in zip(shape, spacing, target, box, strict=True):
        new = old if new == 0 or end - begin == 1 else new
        ratio = old / new
        low = max(0.0, np.floor((begin - 0.5) * ratio - margin))
        high = min(np.ceil((end - 0.5) * ratio + margin), np.ceil(n * ratio) - 1)
        first = 0.5 * (new - old) / old + low / ratio
        axes.append(Axis(n, first + np.arange(int(high - low) + 1) / ratio, new))
    return axes


def interpolate(xp: Any, volume: Any, axes: list[Axis], method: str) -> Any:
    """The volume (float64) at the positions of the three axes; shrinking axes first."""
    order = sorted(range(3), key=lambda d: len(axes[d].positions) / axes[d].size)
    for d in order:
        if axes[d].changed:
            volume = _along(xp, volume, d, axes[d].positions, method)
    return volume


def _along(xp: Any, volume: Any, axis: int, positions: np.ndarray, method: str) -> Any:
    n = volume.shape[axis]
    if method == "nearest":
        at = np.floor(positions + 0.5).astype(np.int64)
        taps, weights = [np.clip(at, 0, n - 1)], [np.ones(len(at))]
    elif method == "linear":
        taps, weights = _linear_taps(positions, n)
    else:
        volume = _spline_coefficients(xp, volume, axis)
        inner = np.clip(positions, 0, n - 1) if method == "cubic" else positions
        taps, weights = _cubic_taps(inner, n)
    outside = (positions < -0.5) | (positions > n - 0.5)
    if method in ("bspline", "nearest"):
        weights = [np.where(outside, 0.0, w) for w in weights]
    shape = [1, 1, 1]
    shape[axis] = len(positions)
    result = 0.0
    for tap, weight in zip(taps, weights, strict=True):
        result = result + xp.take(volume, xp.asarray(tap), axis=axis) * xp.asarray(
            weight.reshape(shape)
        )
    return result


def _linear_taps(positions: np.ndarray, n: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
    inner = np.clip(positions, 0, n - 1)
    left = np.minimum(np.floor(inner).astype(np.int64), max(n - 2, 0))
    right = inner - left
    return [left, np.minimum(left + 1, n - 1)], [1 - right, right]


def _cubic_taps(positions: np.ndarray, n: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
    left = np.floor(positions).astype(np.int64)
    t = positions - left
    last = t**3 / 6
    first = 1 / 6 + 0.5 * t * (t - 1) - last
    third = t + first - 2 * last
    weights = [first, 1 - first - third - last, third, last]
    return [_mirror(left + k, n) for k in (-1, 0, 1, 2)], weights


def _mirror(index: np.ndarray, n: int) -> np.ndarray:
    if n == 1:
        return np.zeros_like(index)
    period = 2 * (n - 1)
    index = np.abs(index) % period
    return np.where(index >= n, period - index, index)


def _spline_coefficients(xp: Any, volume: Any, axis: int) -> Any:
    if volume.shape[axis] == 1:
        return volume
    if xp is np:
        from scipy.ndimage import spline_filter1d
    else:
        from cupyx.scipy.ndimage import spline_filter1d
    return spline_filter1d(volume, order=3, axis=axis, mode="mirror", output=np.float64)


def require_spacing(spacing: Any) -> tuple[float, float, float]:
    if spacing is None:
        raise DataError("resampling needs the voxel size; pass spacing=(z, y, x) in mm")
    return spacing
