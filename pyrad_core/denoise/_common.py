"""Argument handling that the denoisers share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .._checks import number, positive, same_shape, whole
from ..errors import BackendMismatchError, DataError, ShapeError


def per_axis(name: str, value: Any, ndim: int, *, odd: bool = False) -> tuple[Any, ...]:
    """One value per axis from a number or a sequence: positive reals, or odd whole numbers."""
    is_sequence = isinstance(value, Sequence | np.ndarray) and np.ndim(value) > 0
    values = tuple(value) if is_sequence else (value,) * ndim
    if len(values) != ndim:
        raise ShapeError(f"{name} has {len(values)} entries, but image has {ndim} dimensions")
    if not odd:
        return tuple(positive(name, v) for v in values)
    widths = tuple(whole(name, v, 1) for v in values)
    for width in widths:
        if width % 2 == 0:
            raise DataError(f"{name} is {value}; expected an odd width, such as {width + 1}")
    return widths


def result_like(edge: Any, x: Any, out: Any) -> Any:
    """``out`` if it can hold a result like x, or a new array."""
    if out is None:
        return edge.xp.empty_like(x)
    if not isinstance(out, edge.xp.ndarray):
        raise BackendMismatchError(
            f"out is {type(out).__name__}, but image asks for {edge.xp.ndarray.__name__}"
        )
    same_shape("out", out.shape, "image", x.shape)
    if out.dtype != x.dtype:
        raise DataError(f"out has dtype {out.dtype}; expected {x.dtype}")
    if not out.flags.c_contiguous or not getattr(out.flags, "writeable", True):
        raise DataError("out must be C-contiguous and writable")
    return out


def nonnegative(name: str, value: Any) -> float:
    result = number(name, value)
    if result < 0:
        raise DataError(f"{name} is {value}; expected a number >= 0")
    return result
