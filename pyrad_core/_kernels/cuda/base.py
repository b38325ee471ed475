"""CUDA launchers of csrc/base."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import runtime

__all__ = ["axpby", "count_nonfinite", "inner_product"]

_BLOCK = 256
_MAX_GRID = 4096
_PARTIAL_SUMS = 1024


def count_nonfinite(x: Any) -> tuple[int, int]:
    """(count, first flat index or -1) of the NaN and Inf values of x."""
    size = x.size
    if size == 0:
        return 0, -1
    out = runtime.empty(x, (2,), np.uint64)
    out[0], out[1] = 0, size
    grid = (min(_MAX_GRID, -(-size // _BLOCK)),)
    kernel = f"count_nonfinite_{runtime.suffix(x)}"
    runtime.launch("base/finite.cu", kernel, grid, (_BLOCK,), (x, np.int64(size), out))
    count, first = (int(n) for n in out)
    return count, first if count else -1


def inner_product(a: Any, b: Any) -> float:
    """sum of a[i] * b[i] in double precision."""
    size = a.size
    if size == 0:
        return 0.0
    blocks = min(_PARTIAL_SUMS, -(-size // _BLOCK))
    partial = runtime.empty(a, (blocks,), np.float64)
    kernel = f"inner_product_{runtime.suffix(a)}"
    arguments = (a, b, np.int64(size), partial)
    runtime.launch("base/vector.cu", kernel, (blocks,), (_BLOCK,), arguments)
    return float(partial.sum())


def axpby(alpha: float, x: Any, beta: float, out: Any) -> None:
    """out = alpha * x + beta * out."""
    if x.size == 0:
        return
    grid = (min(_MAX_GRID, -(-x.size // _BLOCK)),)
    kernel = f"axpby_{runtime.suffix(x)}"
    arguments = (np.float64(alpha), x, np.float64(beta), out, np.int64(x.size))
    runtime.launch("base/vector.cu", kernel, grid, (_BLOCK,), arguments)
