"""CUDA launchers of csrc/ct/rings."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import runtime

__all__ = ["median_columns", "rank_views", "unrank_views"]

_SHARED = 96 * 1024  # what every GPU since 2017 grants a block that asks for it
_STRETCH = 64  # columns per thread of median_lines
_MAX_GRID = 1 << 15
_SOURCE = "ct/rings.cu"


def rank_views(x: Any, first_row: int, ranked: Any, order: Any) -> None:
    """Each detector pixel's values in ascending order, and the views they come from."""
    rows, columns, views = ranked.shape
    lines = runtime.empty(x, ranked.shape, x.dtype)
    lines[...] = x[:, first_row : first_row + rows].transpose(1, 2, 0)
    padded = 1 << max(1, views - 1).bit_length()
    shared = padded * (x.dtype.itemsize + 4)
    if shared > _SHARED:
        xp = runtime.array_module(x)
        by_rank = xp.argsort(lines, axis=-1, kind="stable")
        order[...] = by_rank
        ranked[...] = xp.take_along_axis(lines, by_rank, axis=-1)
        return
    high = x.dtype.type(np.inf)
    runtime.launch(
        _SOURCE,
        f"rank_lines_{runtime.suffix(x)}",
        (rows * columns,),
        (min(512, max(32, padded // 2)),),
        (lines, np.int64(views), np.int32(padded), high, ranked, order),
        shared=shared,
    )


def median_columns(x: Any, size: int, out: Any) -> None:
    """Median of neighbouring columns at every rank."""
    rows, columns, ranks = x.shape
    threads = 128
    while threads > 8 and size * threads * x.dtype.itemsize > _SHARED:
        threads //= 2
    runtime.launch(
        _SOURCE,
        f"median_lines_{runtime.suffix(x)}",
        (runtime.ceil_div(ranks, threads), runtime.ceil_div(columns, _STRETCH), rows),
        (threads,),
        (x, np.int64(columns), np.int64(ranks), np.int32(size), np.int64(_STRETCH), out),
        shared=size * threads * x.dtype.itemsize,
    )


def unrank_views(ranked: Any, order: Any, first_row: int, out: Any) -> None:
    """Inverse of rank_views."""
    rows, _, views = ranked.shape
    lines = runtime.empty(ranked, ranked.shape, ranked.dtype)
    runtime.launch(
        _SOURCE,
        f"unrank_lines_{runtime.suffix(ranked)}",
        (min(_MAX_GRID, runtime.ceil_div(ranked.size, 256)),),
        (256,),
        (ranked, order, np.int64(views), np.int64(ranked.size), lines),
    )
    out[:, first_row : first_row + rows] = lines.transpose(2, 0, 1)
