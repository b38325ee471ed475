"""The array that a reconstruction is written to."""

from __future__ import annotations

from typing import Any

from .._kernels.select import Edge
from .._memory import require_memory
from ..errors import DataError, ShapeError
from ..geometry import Volume

__all__ = ["result_array"]


def result_array(edge: Edge, like: Any, volume: Volume, scratch: int = 0) -> Any:
    """The caller's ``out`` if it is usable, else a new array of the volume's shape.

    ``scratch`` is what will be needed beside it, in bytes.
    """
    if "out" not in edge.arrays:
        if not edge.on_gpu:
            asked = volume.size * like.itemsize + scratch
            require_memory("the volume's values", asked, "reconstruct in parts")
        return edge.xp.empty(volume.shape, dtype=like.dtype)
    out = edge["out"]
    if tuple(out.shape) != volume.shape:
        raise ShapeError(f"out has shape {tuple(out.shape)}, but the volume is {volume.shape}")
    if out.dtype != like.dtype:
        raise DataError(f"out has dtype {out.dtype}, but the result is {like.dtype}")
    if not out.flags.c_contiguous:
        raise DataError("out is not C-contiguous")
    if not getattr(out.flags, "writeable", True):
        raise DataError("out is read-only, but it is written to")
    if scratch and not edge.on_gpu:
        require_memory("the filtered projections", scratch, "reconstruct in parts")
    return out
