"""Bad detector pixels: which they are, and what stands in for them."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from .._kernels.select import Edge
from .._kernels.select import host_array as host
from ..errors import DataError, PyradWarning, ShapeError

__all__ = ["bad_pixel_mask", "replace_pixels"]

_DEVIATIONS = 8.0
_GAIN_SHARE = 0.1
_DARK_SHARE = 0.02
_FLATS_FOR_STUCK = 5


def bad_pixel_mask(
    edge: Edge, bad_pixels: Any, flat: Any, dark: Any, flat_frames: Any
) -> np.ndarray | None:
    """Boolean frame on the host, or None; warns with the number of pixels."""
    if bad_pixels is None:
        return None
    shape = tuple(flat.shape)
    if isinstance(bad_pixels, str):
        if bad_pixels != "auto":
            raise DataError(f"bad_pixels is {bad_pixels!r}; expected a mask, 'auto' or None")
        bad = _detect(host(flat), host(dark))
        if "flat" in edge.arrays and edge["flat"].ndim == flat.ndim + 1:
            bad |= _stuck(edge["flat"])
    else:
        bad = host(bad_pixels)
        if bad.shape != shape:
            raise ShapeError(f"bad_pixels has shape {bad.shape}, but a view has shape {shape}")
        if bad.dtype.kind not in "biu":
            raise DataError(f"bad_pixels has dtype {bad.dtype}; expected bool or integers")
        bad = bad != 0
    count = int(bad.sum())
    if count == bad.size:
        raise DataError(f"bad_pixels marks all {count} pixels; nothing to interpolate from")
    if count:
        warnings.warn(
            f"{count} of {bad.size} detector pixels are bad and were interpolated in every view",
            PyradWarning,
            stacklevel=3,
        )
    return bad


def replace_pixels(edge: Edge, lines: Any, bad: np.ndarray) -> None:
    """Bad pixels of every view from the nearest good ones of their row and column, in place."""
    columns = bad.shape[-1]
    source, weight = _neighbours(bad.reshape(-1, columns))
    flat = lines.reshape(lines.shape[0], -1)
    targets = edge.xp.asarray(np.flatnonzero(bad))
    values = edge.xp.zeros((flat.shape[0], targets.size), lines.dtype)
    for k in range(source.shape[1]):
        share = edge.xp.asarray(weight[:, k].astype(lines.dtype))
        values += share * flat[:, edge.xp.asarray(source[:, k])]
    flat[:, targets] = values


def _detect(flat: np.ndarray, dark: np.ndarray) -> np.ndarray:
    gain = flat.astype(np.float64) - dark
    alive = gain > 0
    if not alive.any():
        raise DataError("flat is above dark in no pixel; the detector saw no beam")
    around = _local_median(np.where(alive, gain, np.median(gain[alive])))
    bad = ~alive | _outliers(gain / around, _GAIN_SHARE)
    scale = float(np.median(gain[alive]))
    return bad | _outliers((dark - _local_median(dark)) / scale + 1, _DARK_SHARE)


def _outliers(ratio: np.ndarray, share: float) -> np.ndarray:
    away = np.abs(ratio - 1)
    return away > max(_DEVIATIONS * 1.4826 * float(np.median(away)), share)


def _local_median(frame: np.ndarray) -> np.ndarray:
    import scipy.ndimage

    size = (5, 5) if frame.ndim == 2 and frame.shape[0] >= 5 else (1,) * (frame.ndim - 1) + (11,)
    return scipy.ndimage.median_filter(frame.astype(np.float64), size=size, mode="reflect")


def _stuck(frames: Any) -> np.ndarray:
    """Pixels that never change although the others do."""
    if frames.shape[0] < _FLATS_FOR_STUCK:
        return np.zeros(frames.shape[1:], dtype=bool)
    span = host(frames.max(axis=0)).astype(np.float64) - host(frames.min(axis=0))
    return (span == 0) & (np.median(span) > 0)


def _neighbours(bad: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Flat index and weight of up to four good pixels for every bad one; unused weights are 0.

    Along each axis the two nearest good pixels interpolate linearly; row and column share by the
    inverse of the gap they bridge. A bad pixel at the end of its axis takes the one neighbour.
    """
    rows, columns = bad.shape
    at = np.argwhere(bad)
    source = np.zeros((len(at), 4), dtype=np.int64)
    weight = np.zeros((len(at), 4))
    for axis in (1, 0):
        before, after = _nearest_good(bad, axis)
        first, last = before[bad], after[bad]
        here = at[:, axis]
        has_first, has_last = first >= 0, last < bad.shape[axis]
        low = np.where(has_first, here - first, 0)
        high = np.where(has_last, last - here, 0)
        gap = np.where(has_first & has_last, low + high, 2.0 * np.maximum(low, high))
        importance = np.where(gap > 0, 1 / np.maximum(gap, 1), 0)
        share = np.where(has_first & has_last, high / np.maximum(gap, 1), has_first)
        for slot, good, ok, part in ((0, first, has_first, share), (1, last, has_last, 1 - share)):
            k = 2 * (1 - axis) + slot
            place = at.copy()
            place[:, axis] = np.where(ok, good, here)
            source[:, k] = place[:, 0] * columns + place[:, 1]
            weight[:, k] = np.where(ok, part * importance, 0)
    total = weight.sum(axis=1)
    lost = total == 0
    if lost.any():  # its whole row and column are bad
        import scipy.ndimage

        nearest = scipy.ndimage.distance_transform_edt(
            bad, return_distances=False, return_indices=True
        )
        source[lost, 0] = (nearest[0] * columns + nearest[1])[bad][lost]
        weight[lost, 0] = total[lost] = 1
    return source, weight / total[:, None]


def _nearest_good(bad: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """Index along the axis of the last good pixel before and the first one after, or -1 and n."""
    n = bad.shape[axis]
    index = np.expand_dims(np.arange(n), 1 - axis) + np.zeros_like(bad, dtype=np.int64)
    before = np.maximum.accumulate(np.where(bad, -1, index), axis=axis)
    flipped = np.flip(np.where(bad, n, index), axis=axis)
    return before, np.flip(np.minimum.accumulate(flipped, axis=axis), axis=axis)
