"""The arrays that results are written to."""

from __future__ import annotations

from typing import Any

from .._checks import usable_out
from .._kernels.select import Edge
from .._memory import require_memory
from ..geometry import Volume

__all__ = ["result_array", "result_like"]


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
