"""The methods of :func:`remove_rings`, each on contiguous lines (views, rows, columns)."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._kernels.cuda.runtime import fft_module
from .._kernels.select import Edge
from .._memory import require_memory
from ..wavelet import wavedecn, waverecn
from ._bad_pixels import host

__all__ = [
    "remove_by_regularisation",
    "remove_by_sorting",
    "remove_by_wavelets",
    "remove_large",
    "remove_unresponsive",
]

_SLAB_BYTES = 256 << 20
_TAIL = 0.05  # share of the views left out at each end of a sorted column
_MIDDLE = 0.25  # share of the columns left out at each end of the line fit
_SMOOTH = 10  # views in the moving mean that a live column follows
_DEPTH = 3


def remove_by_sorting(edge: Edge, lines: Any, size: int) -> Any:
    out = edge.xp.empty_like(lines)
    for row, ranked, order in _ranked_slabs(edge, lines):
        smooth = edge.xp.empty_like(ranked)
        edge.kernels.median_columns(ranked, size, smooth)
        edge.kernels.unrank_views(smooth, order, row, out)
    return out


def remove_large(edge: Edge, lines: Any, size: int, snr: float) -> Any:
    """Levels the columns that stand out, and mends them by the medians of their ranks."""
    out = edge.xp.empty_like(lines)
    for row, ranked, order in _ranked_slabs(edge, lines):
        smooth = edge.xp.empty_like(ranked)
        edge.kernels.median_columns(ranked, size, smooth)
        cut = int(_TAIL * ranked.shape[-1])
        middle = slice(cut, ranked.shape[-1] - cut)
        excess = (ranked[..., middle] - smooth[..., middle]).mean(axis=-1, dtype="float64")
        marked = edge.xp.asarray(_widened(_stand_out(host(excess), snr)))
        ranked -= edge.xp.where(marked, excess, 0)[..., None].astype(ranked.dtype)
        edge.kernels.median_columns(ranked, size, smooth)
        ranked[marked] = smooth[marked]
        edge.kernels.unrank_views(ranked, order, row, out)
    return out


def remove_unresponsive(edge: Edge, lines: Any, size: int, snr: float) -> Any:
    """Columns that fluctuate too little or too much along the views: from their neighbours."""
    views, rows, columns = lines.shape
    if views <= _SMOOTH:
        return lines
    motion = host(_motion(edge.xp, lines))
    around = _median_of_rows(motion, size)
    ratio = motion / np.where(around > 0, around, 1)
    marked = _widened(_stand_out(ratio, snr) & ((ratio < 0.5) | (ratio > 2)))
    marked[:, :2] = marked[:, -2:] = False
    if not marked.any():
        return lines
    mask = edge.xp.empty(lines.shape, dtype="uint8")
    mask[...] = edge.xp.asarray(marked.astype(np.uint8))
    out = edge.xp.empty_like(lines)
    flat = (views * rows, columns)
    edge.kernels.fill_rows(lines.reshape(flat), mask.reshape(flat), out.reshape(flat))
    return out


def remove_by_wavelets(
    edge: Edge, lines: Any, wavelet: str, level: int | None, sigma: float
) -> Any:
    if not edge.on_gpu:
        require_memory("wavelet bands", 4 * lines.nbytes, "treat fewer rows at a time")
    depth = _deepest(lines, wavelet) if level is None else level
    bands = wavedecn(lines, wavelet, level=depth, axes=(0, 2))
    fft = fft_module(lines)
    for details in bands[1:]:
        band = details["ad"]  # long along the views, narrow across the columns
        spectrum = fft.rfft(band, axis=0)
        order = edge.xp.arange(spectrum.shape[0], dtype=band.dtype)
        spectrum *= (1 - edge.xp.exp(-(order**2) / (2 * sigma**2)))[:, None, None]
        details["ad"] = edge.xp.ascontiguousarray(fft.irfft(spectrum, n=band.shape[0], axis=0))
    views, _, columns = lines.shape
    mended = waverecn(bands, wavelet, axes=(0, 2))[:views, :, :columns]
    return edge.xp.ascontiguousarray(mended, dtype=lines.dtype)


def remove_by_regularisation(edge: Edge, lines: Any, alpha: float) -> Any:
    """Stripes q that minimise ``sum |D (mean - q)|^2 + alpha |q|^2``, D the difference."""
    import scipy.linalg

    mean = host(lines.mean(axis=0, dtype="float64"))
    columns = mean.shape[-1]
    steps = np.diff(mean, axis=-1)
    rough = np.zeros_like(mean)
    rough[:, :-1] -= steps
    rough[:, 1:] += steps
    matrix = np.zeros((2, columns))
    matrix[0, 1:] = -1
    matrix[1] = 2 + alpha
    matrix[1, [0, -1]] = 1 + alpha
    stripes = scipy.linalg.solveh_banded(matrix, rough.T).T
    return lines - edge.xp.asarray(np.ascontiguousarray(stripes).astype(lines.dtype))


def _ranked_slabs(edge: Edge, lines: Any) -> Any:
    """(first row, ranked, order) for as many detector rows at a time as the scratch may take."""
    views, rows, columns = lines.shape
    per_row = views * columns * (3 * lines.itemsize + 4)
    step = max(1, min(rows, _SLAB_BYTES // per_row))
    if not edge.on_gpu:
        require_memory("sorted columns", step * per_row, "treat fewer views or columns at a time")
    for row in range(0, rows, step):
        shape = (min(step, rows - row), columns, views)
        ranked = edge.xp.empty(shape, dtype=lines.dtype)
        order = edge.xp.empty(shape, dtype="int32")
        edge.kernels.rank_views(lines, row, ranked, order)
        yield row, ranked, order


def _motion(xp: Any, lines: Any) -> Any:
    """Mean distance of every pixel from its moving mean along the views."""
    total = xp.cumsum(lines, axis=0, dtype="float64")
    mean = (total[_SMOOTH:] - total[:-_SMOOTH]) / _SMOOTH
    first = _SMOOTH // 2 + 1
    return xp.abs(lines[first : first + mean.shape[0]] - mean).mean(axis=0)


def _median_of_rows(x: np.ndarray, size: int) -> np.ndarray:
    import scipy.ndimage

    return scipy.ndimage.median_filter(x, size=(1, size), mode="nearest")


def _stand_out(values: np.ndarray, snr: float) -> np.ndarray:
    """Columns of each row beyond the scatter of all.

    The middle half of the sorted values is fitted by a line; what its ends span is the scatter.
    Where the largest (smallest) value is more than snr times that away, the columns beyond half as
    much are marked.
    """
    columns = values.shape[-1]
    ranked = np.sort(values, axis=-1)
    cut = int(_MIDDLE * columns)
    at = np.arange(cut, columns - cut) - 0.5 * (columns - 1)
    middle = ranked[:, cut : columns - cut]
    slope = (middle @ at) / (at @ at)
    centre = middle.mean(axis=1)
    half = 0.5 * np.abs(slope) * (columns - 1)
    low, high, scatter = centre - half, centre + half, np.maximum(2 * half, 1e-12)
    above = (ranked[:, -1] - high) / scatter >= snr
    below = (low - ranked[:, 0]) / scatter >= snr
    reach = 0.5 * snr * scatter
    marked = above[:, None] & (values > (high + reach)[:, None])
    return marked | (below[:, None] & (values < (low - reach)[:, None]))


def _widened(marked: np.ndarray) -> np.ndarray:
    wide = marked.copy()
    wide[:, 1:] |= marked[:, :-1]
    wide[:, :-1] |= marked[:, 1:]
    return wide


def _deepest(lines: Any, wavelet: str) -> int:
    from ..wavelet import Wavelet

    taps = np.asarray(Wavelet(wavelet).decomposition).shape[-1]
    shortest = min(lines.shape[0], lines.shape[2])
    return max(1, min(_DEPTH, int(np.log2(max(2.0, shortest / (taps - 1))))))
