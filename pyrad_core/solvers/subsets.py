"""Ordered subsets of the views of a scan."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .._checks import whole
from ..errors import DataError
from .result import Problem

__all__ = ["subset_problems"]


def subset_problems(problem: Problem, subsets: int | Sequence[Any]) -> list[tuple[Any, Any]]:
    """(operator, y) of every subset, in an order that takes far-apart views in succession."""
    operator: Any = problem.operator
    if not callable(getattr(operator, "subset", None)):
        raise DataError(
            f"{operator!r} has no subset(views); use a projector, or a solver without subsets"
        )
    views = operator.range_shape[0]
    if isinstance(subsets, int | np.integer):
        count = whole("subsets", subsets, 1)
        if count > views:
            raise DataError(f"subsets is {count}, but there are {views} views")
        chosen = [np.arange(first, views, count) for first in _bit_reversed(count)]
    else:
        chosen = [_indices(i, part, views) for i, part in enumerate(subsets)]
    if not chosen:
        raise DataError("subsets is empty; expected at least one")
    return [
        (operator.subset(part), problem.xp.ascontiguousarray(problem.y[part])) for part in chosen
    ]


def _bit_reversed(count: int) -> list[int]:
    """0..count-1 in bit-reversed order, as for an FFT of the next power of two."""
    bits = (count - 1).bit_length()
    order = (int(format(i, f"0{bits}b")[::-1], 2) if bits else 0 for i in range(1 << bits))
    return [i for i in order if i < count]


def _indices(which: int, part: Any, views: int) -> np.ndarray:
    index = np.asarray(part)
    if index.ndim != 1 or index.dtype.kind not in "iu" or not index.size:
        raise DataError(f"subsets[{which}] is no list of view numbers")
    if index.min() < 0 or index.max() >= views:
        raise DataError(f"subsets[{which}] reaches outside the {views} views")
    return index
