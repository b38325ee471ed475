"""CUDA launcher of Gibbs unringing."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from . import runtime

__all__ = ["gibbs_lines"]

_GROUP = 10  # as in csrc/denoise/gibbs.cu
_THREADS = 256


def gibbs_lines(lines: Any, shifts: int, near: int, far: int, single: bool) -> None:
    """Unrings lines along the middle axis in place; in double precision also if ``single``."""
    outer, length, inner = lines.shape
    if length < 2 or lines.size == 0:
        return
    joint = lines.dtype.kind == "c"
    real = lines.view(lines.real.dtype) if joint else lines
    row = inner * (2 if joint else 1)
    margin, threads = 0, length
    if length > _THREADS:
        margin = far + 1
        threads = _THREADS if 4 * margin <= _THREADS else 2 * margin + _THREADS
    wide = 32 * runtime.ceil_div(threads, 32)
    abreast = max(1, _THREADS // wide)
    tiles = runtime.ceil_div(length, threads - 2 * margin)
    pairs = runtime.ceil_div(outer * row, 2)
    out = runtime.empty(real, real.shape, real.dtype)
    runtime.launch(
        "denoise/gibbs.cu",
        "gibbs_lines_f64",
        (runtime.ceil_div(pairs, abreast), tiles),
        (wide, abreast),
        (
            real,
            *(np.int64(n) for n in (outer * row, length, row)),
            np.int32(threads),
            np.int32(margin),
            runtime.beside(real, _taps(length, shifts)),
            *(np.int32(n) for n in (shifts, near, far, joint)),
            out,
        ),
        shared=abreast * (length + 4 * threads) * 2 * real.dtype.itemsize,
    )
    real[...] = out


@functools.lru_cache(maxsize=16)
def _taps(length: int, shifts: int) -> np.ndarray:
    """Even and odd parts of the periodic sinc of every shift: (group, distance, shift, part)."""
    groups = -(-shifts // _GROUP)
    distance, k = np.arange(length // 2 + 1), np.arange((length + 1) // 2)
    share = np.where(k == 0, 1.0, 2.0) / length
    moved = np.pi * np.outer(np.arange(1, groups * _GROUP + 1), k) / (length * shifts)
    turn = 2 * np.pi * (np.outer(distance, k) % length) / length
    even = (share * np.cos(moved)) @ np.cos(turn).T
    odd = -(share * np.sin(moved)) @ np.sin(turn).T
    even[:, 0] /= 2  # where l - d and l + d are one sample
    if length % 2 == 0:
        even[:, -1] /= 2
        odd[:, -1] = 0
    taps = np.stack([even, odd], axis=-1).reshape(groups, _GROUP, len(distance), 2)
    return np.ascontiguousarray(taps.transpose(0, 2, 1, 3))
