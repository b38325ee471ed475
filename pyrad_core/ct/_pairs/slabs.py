"""Projection within the memory there is: slabs of slices, one after the other.

Projections are linear in the volume: those of a slab alone, zeros around it, add up to those of the
whole, and the adjoint of a slab is the slab of the adjoint.
"""

from __future__ import annotations

import math
from typing import Any

from ..._memory import free_bytes, is_small
from ...errors import DeviceMemoryError
from .base import Pair

__all__ = ["adjoint", "forward"]

_CHUNK = 64 << 20  # of a slab's projections that are kept beside the sum


def forward(pair: Pair, edge: Any, x: Any) -> Any:
    """A x, in as many slabs as the scratch memory asks for."""
    itemsize = x.dtype.itemsize
    step = _slices_per_slab(pair, edge, itemsize, math.prod(pair.projections), "projections")
    y = edge.xp.zeros(pair.projections, dtype=x.dtype)
    if step == pair.grid[0]:
        pair.forward(edge, x, y)
        return y
    views, rows, columns = pair.projections
    together = max(1, _CHUNK // (rows * columns * itemsize))
    for begin in range(0, pair.grid[0], step):
        end = min(pair.grid[0], begin + step)
        for first in range(0, views, together):
            chunk = slice(first, min(views, first + together))
            part = pair.part(begin, end, chunk)
            added = edge.xp.zeros(part.projections, dtype=x.dtype)
            part.forward(edge, x[begin:end], added)
            y[chunk] += added
    return y


def adjoint(pair: Pair, edge: Any, y: Any) -> Any:
    """A^T y, likewise."""
    step = _slices_per_slab(pair, edge, y.dtype.itemsize, math.prod(pair.grid), "volume")
    x = edge.xp.zeros(pair.grid, dtype=y.dtype)
    for begin in range(0, pair.grid[0], step):
        end = min(pair.grid[0], begin + step)
        part = pair if step == pair.grid[0] else pair.part(begin, end)
        part.adjoint(edge, y, x[begin:end])
    return x


def _slices_per_slab(pair: Pair, edge: Any, itemsize: int, result: int, what: str) -> int:
    """Slices that fit at a time: all of them if possible; an error before anything is allocated."""
    slices = pair.grid[0]
    needed, scratch = result * itemsize, pair.memory_needed(itemsize)
    if is_small(needed + scratch):
        return slices
    free = free_bytes(edge)
    if free is None or needed + scratch <= free:
        return slices
    step = slices
    while pair.divisible and step > 1:
        step = (step + 1) // 2
        least = pair.part(0, step).memory_needed(itemsize) + min(_CHUNK, needed)
        if needed + least <= free:
            return step
    raise DeviceMemoryError(
        f"the {what} need {needed / 2**30:.2f} GiB and the computation "
        f"{scratch / 2**30:.2f} GiB beside them (less in slabs), free are "
        f"{free / 2**30:.2f} GiB; use a coarser grid or fewer views at a time (subset)"
    )
