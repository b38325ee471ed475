"""What is read slab by slab, and how many slices a slab has."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np

from .. import _checks
from .._memory import _free_bytes
from ..errors import DataError, MissingDependencyError

__all__ = ["Source", "alone", "budget", "chunk_size", "needed", "slabs"]

_MOST = 1 << 30  # bytes that a slab and its working copies take by default
_SHARE = 8  # or this part of the free memory, where that is less

alone = threading.RLock()  # kernels take all threads: one slab at a time


def needed(module: str) -> Any:
    """Import an optional package, or say what to install."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        name = module.partition(".")[0]
        remedy = "zarr" if name == "zarr" else "'pyrad_core[cohort]'"
        raise MissingDependencyError(
            f"{name} is needed for chunked volumes; pip install {remedy} ({error})"
        ) from error


class Source:
    """Anything with shape, dtype and basic slices: NumPy, memory map, HDF5, Zarr or Dask.

    Integers are read as float32.
    """

    def __init__(self, name: str, array: Any, ndim: int = 3):
        if not all(hasattr(array, needed) for needed in ("shape", "dtype", "__getitem__")):
            array = np.asarray(array)
        self.name, self.array = name, array
        self.shape = tuple(int(n) for n in array.shape)
        given = np.dtype(array.dtype)
        if len(self.shape) != ndim:
            raise _checks.ShapeError(f"{name} has shape {self.shape}; expected {ndim} dimensions")
        if 0 in self.shape:
            raise DataError(f"{name} has shape {self.shape}; expected at least one voxel")
        if given.kind not in "fiubc" or given in (np.float16, np.longdouble, np.clongdouble):
            raise DataError(f"{name} has dtype {given}; accepted are float32, float64 and integers")
        self.dtype = given if given.kind in "fc" else np.dtype(np.float32)

    @property
    def is_dask(self) -> bool:
        return hasattr(self.array, "__dask_graph__")

    def read(self, *index: slice) -> np.ndarray:
        """A part of it, in memory."""
        part = self.array[index]
        if self.is_dask:
            part = part.compute(scheduler="synchronous")
        return np.asarray(part)

    def part(self, begin: int, end: int) -> Any:
        """Slices [begin, end), periodic beyond both ends, as an argument of a delayed function.

        A part of a Dask array is one more task, which slabs that overlap share.
        """
        n = self.shape[0]
        runs = [(begin % n, min(end - begin + begin % n, n))]
        if runs[0][1] - runs[0][0] < end - begin:
            runs.append((0, end - begin - runs[0][1] + runs[0][0]))
        if not self.is_dask:
            return Part(self, runs)
        pieces = [self.array[first:last] for first, last in runs]
        joined = needed("dask.array").concatenate(pieces).rechunk(-1)
        return joined.to_delayed(optimize_graph=False).ravel()[0]

    def is_constant(self) -> bool:
        """Whether all of it has one value; reads up to the first slab that has two."""
        first = None
        for begin, end in slabs(self.shape[0], 16):
            slab = self.read(slice(begin, end))
            first = slab.flat[0] if first is None else first
            if not (slab == first).all():
                return False
        return True


class Part:
    """Slices of a source that are read where they are needed."""

    def __init__(self, source: Source, runs: list[tuple[int, int]]):
        self.source, self.runs = source, runs

    def load(self) -> np.ndarray:
        pieces = [self.source.read(slice(*run)) for run in self.runs]
        return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)


def budget() -> int:
    """Bytes that one slab with its working copies may take."""
    free = _free_bytes()
    return _MOST if free is None else min(_MOST, free // _SHARE)


def chunk_size(chunk: Any, shape: tuple[int, ...], bytes_per_slice: int, multiple: int = 1) -> int:
    """Slices of a slab: as given, or what the budget allows, in whole multiples if it can."""
    if chunk is not None:
        return min(_checks.whole("chunk", chunk, 1), shape[0])
    fitting = max(1, budget() // max(bytes_per_slice, 1))
    if fitting > multiple:
        fitting -= fitting % multiple
    return min(fitting, shape[0])


def slabs(slices: int, chunk: int) -> Iterator[tuple[int, int]]:
    for begin in range(0, slices, chunk):
        yield begin, min(begin + chunk, slices)
