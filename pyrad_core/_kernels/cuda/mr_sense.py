"""CUDA launchers of iterative SENSE: csrc/mr/{toeplitz,segments,conjugate_gradients}."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import runtime

__all__ = [
    "cg_curvature",
    "cg_step",
    "cg_turn",
    "scale_lanes",
    "toeplitz_images",
    "toeplitz_maps",
]

_BLOCK = 256
_PARTIAL_SUMS = 1024


def toeplitz_maps(images: Any, maps: Any, spectrum: Any, work: Any, out: Any) -> None:
    """Convolution of images (sets, z, y, x) times maps (sets, z, y, x, lanes), combined by them."""
    lanes, cells = work.shape[3], spectrum.shape
    sets, z, y, nx = images.shape
    counts = (np.int32(sets), np.int64(z * y), np.int64(nx), np.int64(cells[2]), np.int32(lanes))
    grid = runtime.empty(work, (z, y, cells[2], lanes), work.dtype)
    _launch("load_maps", work, grid.size, (images, maps, *counts, grid))
    grid = _convolve(grid, (z, y, nx), spectrum)
    _launch("store_maps", work, images.size, (grid, maps, *counts, out))


def toeplitz_images(images: Any, spectrum: Any, work: Any, out: Any) -> None:
    """Convolution of images (coils, z, y, x) with the lags of a real spectrum."""
    lanes, cells = work.shape[3], spectrum.shape
    coils, z, y, nx = images.shape
    counts = (np.int64(z * y), np.int64(nx), np.int64(cells[2]), np.int32(coils), np.int32(lanes))
    grid = runtime.empty(work, (z, y, cells[2], lanes), work.dtype)
    _launch("load_images", work, grid.size, (images, *counts, grid))
    grid = _convolve(grid, images.shape[1:], spectrum)
    _launch("store_images", work, images.size, (grid, *counts, out))


def _convolve(grid: Any, size: tuple, spectrum: Any) -> Any:
    """Rows (z, y, cells, lanes) convolved, axis by axis: rows without pixels are skipped."""
    fft, xp = runtime.fft_module(grid), runtime.array_module(grid)
    axes = [axis for axis in (2, 1, 0) if spectrum.shape[axis] > 1]
    for axis in axes:
        grid = fft.fft(grid, n=spectrum.shape[axis], axis=axis)
    grid = xp.ascontiguousarray(grid)
    args = (grid, spectrum, np.int64(spectrum.size), np.int32(grid.shape[3]))
    _launch("times_spectrum", grid, grid.size, args)
    for axis in reversed(axes):
        grid = fft.ifft(grid, axis=axis, norm="forward")
        if axis < 2:
            grid = grid[tuple([slice(None)] * axis + [slice(size[axis])])]
    return xp.ascontiguousarray(grid)


def scale_lanes(values: Any, factors: Any, conjugate: bool, accumulate: bool, out: Any) -> None:
    """out (+)= values (count, lanes) times one complex factor (or its conjugate) each."""
    count, lanes = values.shape
    flags = (np.int32(conjugate), np.int32(accumulate))
    args = (values, factors, np.int64(count), np.int32(lanes), *flags, out)
    kernel = f"scale_lanes_{runtime.suffix(values)}"
    blocks = (runtime.ceil_div(values.size, _BLOCK),)
    runtime.launch("mr/segments.cu", kernel, blocks, (_BLOCK,), args)


def cg_curvature(p: Any, regularization: float, q: Any, state: Any) -> None:
    """q += regularization p; state[:, 1] = <p, q> of every system."""
    partial = _partial(p, state)
    args = (p, np.float64(regularization), np.int64(p.shape[1]), q, partial)
    _cg("curvature", p, partial.shape, args)
    _total(partial, 1, state)


def cg_step(p: Any, q: Any, x: Any, r: Any, state: Any) -> None:
    """x and r move along p by state[:, 0] / state[:, 1]; state[:, 2] = <r, r>."""
    partial = _partial(p, state)
    _cg("step", p, partial.shape, (p, q, state, np.int64(p.shape[1]), x, r, partial))
    _total(partial, 2, state)


def cg_turn(r: Any, p: Any, state: Any) -> None:
    """p = r + state[:, 2] / state[:, 0] p; then state[:, 0] = state[:, 2]."""
    batch, n = p.shape
    _cg("turn", p, (batch, _parts(n)), (r, state, np.int64(n), p))
    blocks = (runtime.ceil_div(batch, _BLOCK),)
    args = (np.int32(batch), state)
    runtime.launch("mr/conjugate_gradients.cu", "carry", blocks, (_BLOCK,), args)


def _parts(n: int) -> int:
    return min(_PARTIAL_SUMS, runtime.ceil_div(n, _BLOCK))


def _partial(p: Any, state: Any) -> Any:
    return runtime.empty(state, (p.shape[0], _parts(p.shape[1])), np.float64)


def _cg(kernel: str, p: Any, parts: tuple[int, int], args: tuple) -> None:
    name = f"{kernel}_{runtime.suffix(p)}"
    grid = (parts[1], parts[0])
    runtime.launch("mr/conjugate_gradients.cu", name, grid, (_BLOCK,), args)


def _total(partial: Any, slot: int, state: Any) -> None:
    batch, parts = partial.shape
    args = (partial, np.int32(parts), np.int32(slot), state)
    runtime.launch("mr/conjugate_gradients.cu", "total", (batch,), (_BLOCK,), args)


def _launch(kernel: str, like: Any, threads: int, args: tuple) -> None:
    name = f"{kernel}_{runtime.suffix(like)}"
    blocks = (runtime.ceil_div(threads, _BLOCK),)
    runtime.launch("mr/toeplitz.cu", name, blocks, (_BLOCK,), args)
