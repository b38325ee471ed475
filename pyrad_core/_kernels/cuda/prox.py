"""CUDA launchers of csrc/prox, and what the CPU's kernel for user functions says about a GPU."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...errors import DataError
from . import runtime
from .wavelet import dwt_analysis, dwt_synthesis

__all__ = ["apply_pointwise", "shrink_blocks", "soften", "wavelet_shrink"]

_THREADS = 128
_PERIODIZATION = 6  # number of the extension mode
_MOST_SHARED = 96 * 1024  # beyond, too few blocks of threads fit on a multiprocessor
_MOST_SCRATCH = 256  # blocks of threads that work in global memory at a time


def apply_pointwise(function: int, x: Any, step: float, out: Any) -> None:
    raise DataError(
        "a compiled pointwise function (numba.cfunc, ctypes) runs on the CPU only; for GPU arrays "
        "give the solver an object of your own with prox(x, step), built from CuPy operations"
    )


def shrink_blocks(x: Any, block: Any, shift: Any, threshold: float, out: Any) -> float:
    """Singular values of blocks of a series (frames, batch, z, y, x) less a threshold; returns the
    sum of x's singular values."""
    if x.size == 0:
        return 0.0
    frames, batch, *size = x.shape
    cut = [-(-(n + s) // b) for n, s, b in zip(size, shift, block, strict=True)]
    matrices = batch * cut[0] * cut[1] * cut[2]
    pixels = block[0] * block[1] * block[2]
    n, length = min(frames, pixels), max(frames, pixels)
    # g and v, rotations, factors, samples: see the kernel
    room = 32 * n * n + 40 * ((n + 1) // 2) + 8 * (n + n % 2) + x.dtype.itemsize * n * length
    room = -(-room // 16) * 16
    shared = 8 * _THREADS + room
    fits = shared <= _MOST_SHARED
    blocks = matrices if fits else min(matrices, _MOST_SCRATCH)
    scratch = runtime.empty(x, (1 if fits else blocks * room,), np.uint8)
    totals = runtime.empty(x, (matrices,), np.float64)
    sizes = [np.int64(k) for k in (frames, batch, *size, *block, *shift)]
    args = (x, *sizes, np.float64(threshold), scratch, np.int64(0 if fits else room), totals, out)
    kernel = f"shrink_blocks_{runtime.suffix(x)}"
    runtime.launch(
        "prox/locally_low_rank.cu",
        kernel,
        (blocks,),
        (_THREADS,),
        args,
        shared=shared if fits else 8 * _THREADS,
    )
    return float(totals.sum())


def soften(x: Any, threshold: float, out: Any) -> None:
    """out = max(1 - threshold / |x|, 0) x; out may be x."""
    if x.size == 0:
        return
    grid = (min(4096, -(-x.size // _THREADS)),)
    limit = x.real.dtype.type(threshold)
    args = (x, np.int64(x.size), limit, out)
    runtime.launch("prox/soften.cu", f"soften_{runtime.suffix(x)}", grid, (_THREADS,), args)


def wavelet_shrink(
    x: Any,
    analysis: Any,
    synthesis: Any,
    levels: int,
    shift: Any,
    threshold: float,
    out: Any,
) -> None:
    """Detail coefficients of images (batch, z, y, x) soft-thresholded after a circular shift."""
    xp = runtime.array_module(x)
    axes = [axis for axis in (1, 2, 3) if x.shape[axis] > 1]
    current, kept = xp.roll(x, tuple(shift), (1, 2, 3)), []
    for _ in range(levels):
        bands = [current]
        for axis in axes:
            bands = [half for band in bands for half in _split(band, axis, analysis)]
        current, *details = bands
        for band in details:
            soften(band.reshape(-1), threshold, band.reshape(-1))
        kept.append(details)
    for details in reversed(kept):
        bands = [current, *details]
        for axis in reversed(axes):
            pairs = zip(bands[::2], bands[1::2], strict=True)
            bands = [_join(low, high, axis, synthesis) for low, high in pairs]
        current = bands[0]
    out[...] = xp.roll(current, tuple(-s for s in shift), (1, 2, 3))


def _split(x: Any, axis: int, filters: Any) -> tuple[Any, Any]:
    """One analysis along one axis; contiguous halves."""
    shape = list(x.shape)
    shape[axis] //= 2
    low, high = (runtime.empty(x, shape, x.dtype) for _ in range(2))
    to = (_about(low, axis), _about(high, axis))
    dwt_analysis(_about(x, axis), filters, _PERIODIZATION, *to)
    return low, high


def _join(low: Any, high: Any, axis: int, filters: Any) -> Any:
    shape = list(low.shape)
    shape[axis] *= 2
    out = runtime.empty(low, shape, low.dtype)
    dwt_synthesis(_about(low, axis), _about(high, axis), filters, True, _about(out, axis))
    return out


def _about(x: Any, axis: int) -> Any:
    """x as real (outer, n, inner) about an axis."""
    outer, n = math.prod(x.shape[:axis]), x.shape[axis]
    flat = x.reshape(-1)
    reals = flat.view(x.real.dtype) if x.dtype.kind == "c" else flat
    return reals.reshape(outer, n, -1)
