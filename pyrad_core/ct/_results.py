"""The arrays that results are written to."""

from __future__ import annotations

from typing import Any

from .._kernels.select import Edge
from .._memory import require_memory
from ..errors import DataError, ShapeError
from ..geometry import Volume

__all__ = ["result_array", "result_like", "usable_out"]


def result_array(edge: Edge, like: Any, volume: Volume, scratch: int = 0) -> Any:
    """The caller's ``out`` if it is usable, else a new array of the volume's shape.

    ``scratch`` is what will be needed beside it, in bytes.
    """
    if "out" not in edge.arrays:
        if not edge.on_gpu:
            asked = volume.size * like.itemsize + scratch
            require_memory("the volume's values", asked, "reconstruct in parts")
        return edge.xp.empty(volume.shape, dtype=like.dtype)
    out = usable_out(edge["out"], volume.shape, like.dtype, "the volume")
    if scratch and not edge.on_gpu:
        require_memory("the filtered projections", scratch, "reconstruct in parts")
    return out


def result_like(edge: Edge, given: Any, dtype: Any) -> Any:
    """The caller's ``out`` if it is usable, else a new array of the shape of ``given``."""
    dtype = edge.xp.dtype(dtype)
    if "out" not in edge.arrays:
        if not edge.on_gpu:
            asked = given.size * dtype.itemsize
            require_memory("the line integrals", asked, "treat fewer views at a time")
        return edge.xp.empty(given.shape, dtype=dtype)
    return usable_out(edge["out"], tuple(given.shape), dtype, "the result")


def usable_out(
    out: Any, shape: tuple[int, ...], dtype: Any, what: str, *, contiguous: bool = True
) -> Any:
    """``out``, or the reason why it cannot take ``what``."""
    if tuple(out.shape) != shape:
        raise ShapeError(f"out has shape {tuple(out.shape)}, but {what} is {shape}")
    if out.dtype != dtype:
        raise DataError(f"out has dtype {out.dtype}, but the result is {dtype}")
    if contiguous and not out.flags.c_contiguous:
        raise DataError("out is not C-contiguous")
    if not getattr(out.flags, "writeable", True):
        raise DataError("out is read-only, but it is written to")
    return out
