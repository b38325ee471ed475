"""Local operations: slabs read with a halo, treated as volumes, cut to what they stand for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import DataError
from ._source import Part, Source, alone, needed, slabs

__all__ = ["COPIES", "map_slabs", "read_range"]

COPIES = 8  # of a slab with its halo, for the default size of a chunk


def read_range(
    begin: int, end: int, slices: int, halo: int, periodic: bool, step: int = 1
) -> tuple[int, int]:
    """Slices that slab [begin, end) needs: true faces stay faces, unless the image is periodic.

    The first one is a multiple of ``step``; of a periodic image their number is one, too.
    """
    low, high = begin - halo, end + halo
    low -= low % step
    if periodic:
        high += -high % step
        return (low, high) if high - low < slices else (0, slices)
    return max(low, 0), min(high, slices)


def map_slabs(
    function: Callable[..., Any],
    sources: dict[str, Source],
    options: dict[str, Any],
    *,
    chunk: int,
    halo: int,
    periodic: bool = False,
    step: int = 1,
    outputs: int | None = None,
) -> Any:
    """A Dask array of ``function(**parts, **options)``, a chunk for each slab of the first source.

    With ``outputs`` the function returns that many arrays, and so does this one.
    """
    dask, da = needed("dask"), needed("dask.array")
    image = next(iter(sources.values()))
    slices, plane = image.shape[0], image.shape[1:]
    run = dask.delayed(_slab, pure=False)
    blocks: list[list[Any]] = []
    for begin, end in slabs(slices, chunk):
        low, high = read_range(begin, end, slices, halo, periodic, step)
        parts = [source.part(low, high) for source in sources.values()]
        core = slice(begin - low, end - low)
        done = run(Call(function, list(sources), options, core), (low, high), *parts)
        several = [done] if outputs is None else [done[k] for k in range(outputs)]
        shape = (end - begin, *plane)
        blocks.append([da.from_delayed(one, shape, image.dtype) for one in several])
    arrays = [da.concatenate(column) for column in zip(*blocks, strict=True)]
    return arrays[0] if outputs is None else arrays


class Call:
    """A function and what is the same for all slabs; opaque to Dask."""

    def __init__(self, function: Any, names: list[str], options: dict[str, Any], core: slice):
        self.function, self.names, self.options, self.core = function, names, options, core


def _slab(call: Call, where: tuple[int, int], *parts: Any) -> Any:
    with alone:
        loaded = [part.load() if isinstance(part, Part) else part for part in parts]
        named = dict(zip(call.names, loaded, strict=True))
        try:
            result = call.function(**named, **call.options)
        except DataError as error:
            raise type(error)(f"in slices {where[0]} to {where[1] - 1}: {error}") from error
        if isinstance(result, list):
            return [np.ascontiguousarray(one[call.core]) for one in result]
        return result if len(result) == _length(call.core) else result[call.core].copy()


def _length(part: slice) -> int:
    return part.stop - part.start
