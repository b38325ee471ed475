"""CUDA launchers of csrc/base."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import runtime

__all__ = ["count_nonfinite"]

_BLOCK = 256
_MAX_GRID = 4096


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
