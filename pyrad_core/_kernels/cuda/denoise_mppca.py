"""CUDA launcher of csrc/denoise/mppca.cu; name and signature are those of the CPU extension."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from . import runtime

__all__ = ["mppca"]

_MOST_SHARED = 96 * 1024  # beyond, too few blocks of threads fit on a multiprocessor
_MOST_SCRATCH = 1024  # blocks of threads that work in global memory at a time


def mppca(
    dwi: Any,
    window: Sequence[int],
    origins: Sequence[Sequence[int]],
    owned: Sequence[Sequence[int]],
    mask: Any,
    exp2: bool,
    shrinkage: bool,
    average: bool,
    out: Any,
    sigma: Any,
    rank: Any,
) -> None:
    """MPPCA of a series (volumes, z, y, x); windows by their origins and the voxels they own."""
    xp = runtime.array_module(dwi)
    volumes, *size = dwi.shape
    n = min(volumes, window[0] * window[1] * window[2])
    parts = 2 if dwi.dtype.kind == "c" else 1
    numbers = parts * n * (n | 1) + (parts + 1) * n * n + n * n % 2 + (3 * parts + 6) * n
    numbers += parts * volumes * window[2]  # the room of one block: struct Room
    numbers += numbers % 2
    fits = 8 * numbers <= _MOST_SHARED
    sums = xp.zeros(size if average else (1,), np.float64)
    if average:
        for target in (out, sigma, rank):
            target[...] = 0
    lists = np.concatenate([x for pair in zip(origins, owned, strict=True) for x in pair])
    counts = [len(o) for o in origins]
    for first, step in _launches(window, origins, average):
        launched = [-(-(c - f) // s) for c, f, s in zip(counts, first, step, strict=True)]
        blocks = int(np.prod(launched))
        if blocks == 0:
            continue
        blocks = min(blocks, 1 << 30 if fits else _MOST_SCRATCH)
        table = np.concatenate([size, window, counts, first, step, lists]).astype(np.int64)
        scratch = runtime.empty(dwi, (1 if fits else blocks * numbers,), np.float64)
        args = (
            dwi,
            np.int32(volumes),
            np.int32(n),
            runtime.beside(dwi, table),
            sums.view(np.uint8) if mask is None else mask,
            *(np.int32(flag) for flag in (mask is not None, exp2, shrinkage, average)),
            scratch,
            np.int64(0 if fits else numbers),
            out,
            sigma,
            rank,
            sums,
        )
        runtime.launch(
            "denoise/mppca.cu",
            f"mppca_{runtime.suffix(dwi)}",
            (blocks,),
            (32 if n <= 32 else 64 if n <= 64 else 128,),
            args,
            shared=8 * numbers if fits else 0,
        )
    if average:
        _divide(xp, dwi, mask, sums, out, sigma, rank)


def _launches(
    window: Sequence[int], origins: Sequence[Sequence[int]], average: bool
) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """(first window, step) of each launch: all at once, or so that none of them overlap."""
    if not average:
        return [((0, 0, 0), (1, 1, 1))]
    # the last window may stand closer to the one before than the stride
    strides = [o[1] - o[0] if len(o) > 2 else 1 for o in origins]
    step = tuple(-(-w // s) + (s > 1) for w, s in zip(window, strides, strict=True))
    return [(first, step) for first in itertools.product(*map(range, step))]


def _divide(xp: Any, dwi: Any, mask: Any, sums: Any, out: Any, sigma: Any, rank: Any) -> None:
    inside = sums > 0 if mask is None else mask != 0
    weight = xp.where(inside, sums, 1.0)
    out[...] = xp.where(inside, out / weight, dwi)
    sigma[...] = xp.where(inside, xp.sqrt(sigma / weight), 0)
    rank[...] = xp.where(inside, rank / weight, 0)
