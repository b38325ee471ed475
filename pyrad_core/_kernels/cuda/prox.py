"""CUDA launchers of csrc/prox, and what the CPU's kernel for user functions says about a GPU."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import DataError
from . import runtime

__all__ = ["apply_pointwise", "shrink_blocks"]

_THREADS = 128
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
