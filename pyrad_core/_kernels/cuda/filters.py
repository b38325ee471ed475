"""CUDA launchers of csrc/filters."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import runtime

__all__ = ["convolve_axis"]

_THREADS = 256
_MOST_BLOCKS = 1 << 16


def convolve_axis(x: Any, taps: Any, centre: int, boundary: int, out: Any) -> None:
    """out[:, i] = sum_j taps[j] x[:, i + centre - j]; x (outer, n, inner)."""
    if x.size == 0:
        return
    sizes = [np.int64(n) for n in x.shape]
    numbers = [np.int32(n) for n in (len(taps), centre, boundary)]
    grid = (min(_MOST_BLOCKS, runtime.ceil_div(x.size, _THREADS)),)
    kernel = f"convolve_axis_{runtime.suffix(x)}"
    runtime.launch(
        "filters/convolve_axis.cu", kernel, grid, (_THREADS,), (x, *sizes, taps, *numbers, out)
    )
