"""What GRAPPA and SPIRiT share: the calibration region, its Gram matrix, sampling patterns."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from .._checks import at_least, whole
from .._kernels.select import Edge, host_array
from .._memory import require_memory
from ..errors import DataError, ShapeError

__all__ = [
    "Gram",
    "Patterns",
    "calibration_of",
    "kernel_shape",
    "lanes_for",
    "sampled_block",
    "three",
]


def kernel_shape(kernel: int | Sequence[int], dims: int) -> tuple[int, ...]:
    """One size per axis; a shorter sequence goes on with its last size."""
    given = list(kernel) if isinstance(kernel, Sequence) else [kernel]
    if not 1 <= len(given) <= dims:
        raise ShapeError(f"kernel is {kernel}, but kspace has {dims} axes")
    given += [given[-1]] * (dims - len(given))
    return tuple(whole("kernel", k, 1) for k in given)


def three(sizes: Sequence[int]) -> tuple[int, int, int]:
    """Padded with leading ones to z, y, x."""
    z, y, x = [1] * (3 - len(sizes)) + [int(n) for n in sizes]
    return z, y, x


def lanes_for(coils: int, itemsize: int) -> int:
    """Coils of an interleaved cell: whole registers of 64 bytes, half of one for few coils."""
    unit = 64 // itemsize
    return unit // 2 if coils <= unit // 2 else -(-coils // unit) * unit


def sampled_block(mask: np.ndarray) -> tuple[slice, ...]:
    """The fully sampled block around the centre of a mask, as large as it gets.

    The largest centred cube is grown axis by axis, in every order of the axes; the block of most
    cells wins.
    """
    mask = mask != 0
    centre = [n // 2 for n in mask.shape]

    def cut(low: Sequence[int], high: Sequence[int]) -> tuple[slice, ...]:
        return tuple(slice(a, b) for a, b in zip(low, high, strict=True))

    def cube(side: int) -> tuple[list[int], list[int]]:
        low = [max(0, c - side // 2) for c in centre]
        high = [min(n, c - side // 2 + side) for c, n in zip(centre, mask.shape, strict=True)]
        return low, high

    best, most = cut(centre, centre), 0
    if not mask[tuple(centre)]:
        return best
    low_side, high_side = 1, _widest_cube(mask, centre) + 1  # sampled, not sampled
    side = high_side - 1
    while high_side - low_side > 1:
        if mask[cut(*cube(side))].all():
            low_side = side
        else:
            high_side = side
        side = (low_side + high_side) // 2
    first_order = range(mask.ndim)
    for order in {tuple(np.roll(first_order, r)[::way]) for r in first_order for way in (1, -1)}:
        low, high = cube(low_side)
        for axis in order:
            others = tuple(a for a in range(mask.ndim) if a != axis)
            wide_low, wide_high = list(low), list(high)
            wide_low[axis], wide_high[axis] = 0, mask.shape[axis]
            line = np.asarray(mask[cut(wide_low, wide_high)].all(axis=others))
            before = np.flatnonzero(~line[: low[axis]])
            after = np.flatnonzero(~line[high[axis] :])
            low[axis] = int(before[-1]) + 1 if before.size else 0
            high[axis] += int(after[0]) if after.size else line.size - high[axis]
        cells = math.prod(b - a for a, b in zip(low, high, strict=True))
        if cells > most:
            best, most = cut(low, high), cells
    return best


def _widest_cube(mask: np.ndarray, centre: Sequence[int]) -> int:
    """Side beyond which a centred cube meets a hole on one of the lines through the centre."""
    widest = max(mask.shape)
    for axis, c in enumerate(centre):
        line = mask[tuple(slice(None) if a == axis else i for a, i in enumerate(centre))]
        holes = np.flatnonzero(~line)
        before, after = holes[holes < c], holes[holes > c]
        if before.size:
            widest = min(widest, 2 * (c - int(before[-1]) - 1) + 1)
        if after.size:
            widest = min(widest, 2 * (int(after[0]) - c))
    return widest


def calibration_of(
    edge: Edge, y: Any, mask: np.ndarray, kernel: tuple[int, ...]
) -> tuple[Any, tuple[slice, ...] | None]:
    """Calibration data (coil, ...) in double precision, given or cut out of k-space y.

    The second answer is where they were cut out.
    """
    block = None
    if "calibration" in edge.arrays:
        data = edge.complex("calibration")
        if data.ndim != y.ndim or data.shape[0] != y.shape[0]:
            raise ShapeError(
                f"calibration has shape {data.shape}, kspace {tuple(y.shape)}: coils and number of "
                "axes must be the same"
            )
        what = "calibration"
    else:
        block = sampled_block(mask)
        data = y[(slice(None), *block)]
        what = "the fully sampled block around the centre of kspace"
    size = tuple(data.shape[1:])
    if any(n < k for n, k in zip(size, kernel, strict=True)):
        raise ShapeError(
            f"{what} has size {size}; a kernel of {kernel} needs at least {kernel}. Measure more "
            "calibration lines, give them as calibration, or take a smaller kernel"
        )
    data = edge.xp.ascontiguousarray(data, dtype=np.complex128)
    if not data.any():
        raise DataError(f"{what} of size {size} holds only zeros")
    return data, block


class Gram:
    """Normal equations of every kernel within a window: inner products of shifted calibration."""

    def __init__(self, edge: Edge, data: Any, kernel: tuple[int, ...], regularization: float):
        regularization = at_least("regularization", regularization, 0)
        self.coils, self.kernel = data.shape[0], three(kernel)
        self.window = math.prod(kernel)
        side = self.window * self.coils
        require_memory(
            f"calibration with a kernel of {kernel} and {self.coils} coils: {side} x {side} sums",
            16 * side**2,
            "take a smaller kernel or compress the coils",
        )
        self.matrix = edge.xp.empty((side, side), np.complex128)
        cube = data.reshape(self.coils, *three(data.shape[1:]))
        edge.kernels.grappa_gram(cube, self.kernel, self.matrix)
        self.power = float(edge.xp.trace(self.matrix).real) / side
        self.ridge = regularization * self.power
        kz, ky, kx = self.kernel
        self.centre = (kz // 2 * ky + ky // 2) * kx + kx // 2

    def weights(self, edge: Edge, sources: Any, begin: Any, lanes: int, dtype: Any) -> Any:
        """(sources, coils, lanes): from every coil of every source to every coil."""
        out = edge.xp.empty((sources.size, self.coils, lanes), dtype)
        edge.kernels.grappa_weights(
            self.matrix, self.coils, sources, begin, self.centre, self.ridge, out
        )
        return out


class Chunk(NamedTuple):
    """Some patterns: where their cells start, and their sources as cells of the window and as
    offsets between flat indices."""

    starts: Any
    begin: Any
    sources: Any
    offsets: Any


class Patterns:
    """Missing cells of a mask, sorted by the measured cells around them."""

    def __init__(self, edge: Edge, mask: Any, kernel: tuple[int, ...]):
        """mask: uint8 (z, y, x) on the device of the call."""
        xp = edge.xp
        self.missing = mask.size - int(xp.count_nonzero(mask))
        self.cells = xp.empty(self.missing, np.int64)
        starts = xp.empty(self.missing + 1, np.int64)
        self.count = int(edge.kernels.grappa_patterns(mask, three(kernel), self.cells, starts))
        self.starts = starts[: self.count + 1].copy()
        self._flags = self._measured(xp, mask, three(kernel))
        sources = self._flags.sum(axis=1)
        self.begin = xp.zeros(self.count + 1, np.int64)
        self.begin[1:] = xp.cumsum(sources)
        self.blind = int(((self.starts[1:] - self.starts[:-1]) * (sources == 0)).sum())
        self.sources = int(self.begin[-1]) if self.count else 0

    def _measured(self, xp: Any, mask: Any, kernel: tuple[int, int, int]) -> Any:
        """[pattern, cell of the window], from the first cell of every pattern."""
        before = [k // 2 for k in kernel]
        padded = xp.pad(mask, [(b, k - 1 - b) for b, k in zip(before, kernel, strict=True)])
        steps = np.indices(kernel).reshape(3, -1)
        self._offsets = xp.asarray(
            _flat([s - b for s, b in zip(steps, before, strict=True)], mask.shape)
        )
        first = self.cells[self.starts[:-1]]
        ny, nx = mask.shape[1:]
        corner = _flat([first // (ny * nx), first // nx % ny, first % nx], padded.shape)
        window = xp.asarray(_flat([*steps], padded.shape))
        return padded.reshape(-1)[corner[:, None] + window[None, :]] != 0

    def chunks(self, edge: Edge, bytes_per_source: int, most_bytes: int) -> Iterator[Chunk]:
        """Patterns in runs whose weights take at most so many bytes."""
        begin = host_array(self.begin)
        first = 0
        while first < self.count:
            room = begin[first] + max(1, most_bytes // bytes_per_source)
            last = max(first + 1, int(np.searchsorted(begin, room, side="right")) - 1)
            sources = edge.xp.nonzero(self._flags[first:last])[1]
            yield Chunk(
                self.starts[first : last + 1].copy(),
                self.begin[first : last + 1] - self.begin[first],
                sources.astype(np.int32),
                self._offsets[sources],
            )
            first = last


def _flat(index: Sequence[Any], shape: Sequence[int]) -> Any:
    z, y, x = index
    return (z * shape[1] + y) * shape[2] + x
