"""CUDA launchers of the filters over windows: csrc/filters/pad_rows, csrc/denoise/{rank_filter,
bilateral}."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import runtime

__all__ = ["bilateral", "pad_rows", "rank_filter"]

_THREADS = 256
_MOST_BLOCKS = 1 << 20


def pad_rows(x: Any, source: Any, before: int, boundary: int, out: Any) -> None:
    """out[r, k] = x[source[r], k - before], continued by the boundary; source -1: zeros."""
    rows, wide = (np.int64(n) for n in out.shape)
    sizes = (rows, wide, np.int64(before), np.int32(boundary))
    _launch("filters/pad_rows.cu", "pad_rows", out, (x, np.int64(x.shape[1]), source, *sizes, out))


def rank_filter(padded: Any, starts: Any, offsets: Any, width: int, rank: int, out: Any) -> None:
    """out[r, i] = value of this rank among padded[starts[r] + i + offsets + (0 ... width - 1)]."""
    rows, n = (np.int64(n) for n in out.shape)
    window = (offsets, np.int64(len(offsets)), np.int64(width), np.int64(rank))
    arguments = (padded, starts, rows, n, *window, out)
    _launch("denoise/rank_filter.cu", "rank_filter", out, arguments)


def bilateral(
    guide: Any,
    values: Any,
    starts: Any,
    offsets: Any,
    exponents: Any,
    centre: int,
    scale: float,
    out: Any,
) -> None:
    """Mean of values around each voxel, weights exp(-exponents - (scale difference of guide)^2)."""
    rows, n = (np.int64(n) for n in out.shape)
    window = (offsets, exponents, np.int64(len(offsets)), np.int64(centre), out.dtype.type(scale))
    arguments = (guide, values, starts, rows, n, *window, out)
    _launch("denoise/bilateral.cu", "bilateral", out, arguments)


def _launch(source: str, kernel: str, out: Any, arguments: tuple[Any, ...]) -> None:
    if out.size == 0:
        return
    grid = (min(_MOST_BLOCKS, runtime.ceil_div(out.size, _THREADS)),)
    runtime.launch(source, f"{kernel}_{runtime.suffix(out)}", grid, (_THREADS,), arguments)
