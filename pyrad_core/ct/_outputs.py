"""The array that projections are written to."""

from __future__ import annotations

from typing import Any

from .._kernels.select import Edge
from .._memory import require_memory
from ..errors import DataError, ShapeError

__all__ = ["output_like"]


def output_like(edge: Edge, given: Any, dtype: Any) -> Any:
    """The caller's ``out`` if it is usable, else a new array of the shape of ``given``."""
    shape = tuple(given.shape)
    if "out" not in edge.arrays:
        if not edge.on_gpu:
            asked = given.size * edge.xp.dtype(dtype).itemsize
            require_memory("the line integrals", asked, "treat fewer views at a time")
        return edge.xp.empty(shape, dtype=dtype)
    out = edge["out"]
    if tuple(out.shape) != shape:
        raise ShapeError(f"out has shape {tuple(out.shape)}, but the result is {shape}")
    if out.dtype != dtype:
        raise DataError(f"out has dtype {out.dtype}, but the result is {edge.xp.dtype(dtype)}")
    if not out.flags.c_contiguous:
        raise DataError("out is not C-contiguous")
    if not getattr(out.flags, "writeable", True):
        raise DataError("out is read-only, but it is written to")
    return out
