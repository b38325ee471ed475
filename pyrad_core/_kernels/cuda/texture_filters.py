"""CUDA launchers of the image filters of csrc/texture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from . import runtime

__all__ = ["recursive_filter"]

_BLOCK = 128


def recursive_filter(x: Any, coefficients: Sequence[float], out: Any) -> None:
    """Recursive filter along the middle axis; coefficients: 4 forward, 4 backward, 4 feedback."""
    xp = runtime.array_module(x)
    outer, n, inner = x.shape
    if inner < 8 <= outer:  # neighbouring threads should read neighbouring values
        turned = runtime.empty(x, (inner, n, outer), np.float32)
        recursive_filter(xp.ascontiguousarray(x.transpose(2, 1, 0)), coefficients, turned)
        out[...] = turned.transpose(2, 1, 0)
        return
    table = xp.asarray(np.array(coefficients, np.float64))
    forward = runtime.empty(x, x.shape, np.float64)
    runtime.launch(
        "texture/recursive_filter.cu",
        f"recursive_filter_{runtime.suffix(x)}",
        (min(-(-outer * inner // _BLOCK), 65535),),
        (_BLOCK,),
        (x, table, np.int64(outer), np.int64(n), np.int64(inner), forward, out),
    )
