"""Gridding plan: oversampled grid, kernel, tile-sorted samples, and the transform between them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from .._kernels.fft import largest_prime, own_fft
from .._kernels.select import Edge
from .._memory import require_memory
from ..errors import DataError
from .fourier import fft_of_axes
from .kaiser_bessel import (
    aliasing_error,
    beta_for,
    kernel_gain,
    kernel_polynomials,
    kernel_transform,
)

__all__ = ["FLOAT32_FLOOR", "FLOAT64_FLOOR", "Gridding", "LaneGrid", "fast_size"]

FLOAT32_FLOOR = 5e-7  # rounding of single precision, whatever the kernel
FLOAT64_FLOOR = 1e-13
_OVERSAMPLINGS = (1.25, 1.375, 1.5, 1.75, 2.0)
_LANES = {np.dtype(np.float32): (1, 2, 4, 8, 12, 16), np.dtype(np.float64): (1, 2, 4, 8)}
_MAX_WIDTH = 16
_VECTOR_WIDTH = 8  # cells for which single precision has hand-written loops
_TILE = 16  # cells; at least the kernel's width, see csrc/mr/gridding.cpp


class Samples(NamedTuple):
    """Arrays of a plan, in the order the kernels take them."""

    start: Any
    offset: Any
    order: Any  # position of each sample in the caller's order
    bins: Any
    tiles: tuple[int, int, int]
    coefficients: Any


class LaneGrid:
    """Grids (z, y, x, lanes) of one size on one device, coils interleaved, kept for reuse."""

    def __init__(self, xp: Any, real: Any, shape: Sequence[int], cells: Sequence[int]):
        self.xp, self.real = xp, np.dtype(real)
        self.complex = np.dtype(np.complex64 if self.real == np.float32 else np.complex128)
        self.dims = len(shape)
        self.size, self.cells = _three(shape), _three(cells)
        self._idle: list[Any] = []

    def lanes_for(self, coils: int) -> int:
        """Coils that one grid holds, when `coils` are cut into equal blocks."""
        allowed = _LANES[self.real]
        blocks = -(-coils // allowed[-1])
        return next(n for n in allowed if n >= -(-coils // blocks))

    def borrow(self, lanes: int) -> Any:
        """A grid for scratch; give it back with :meth:`give_back`."""
        for i, grid in enumerate(self._idle):
            if grid.shape[3] == lanes:
                return self._idle.pop(i)
        if self.xp is np:
            bytes_asked = math.prod(self.cells) * lanes * self.complex.itemsize
            remedy = "ask for a smaller image or less oversampling"
            require_memory(f"a grid of {lanes} coils and {self.cells} cells", bytes_asked, remedy)
        return self._aligned((*self.cells, lanes))

    def _aligned(self, shape: tuple[int, ...]) -> Any:
        """An empty complex array that begins at a cache line, so that cells do not straddle two."""
        xp, count = self.xp, math.prod(shape)
        if xp is not np:
            return xp.empty(shape, self.complex)
        spare = 64 // self.complex.itemsize
        memory = np.empty(count + spare, self.complex)
        skip = -memory.ctypes.data % 64 // self.complex.itemsize
        return memory[skip : skip + count].reshape(shape)

    def give_back(self, grid: Any) -> None:
        if len(self._idle) < 2:
            self._idle.append(grid)

    def fft(self, kernels: Any, grid: Any, sign: int) -> None:
        """Unscaled FFT in place; only the image's cells hold input (-1) or output (+1)."""
        if self._left_to_scipy(grid):
            axes = tuple(axis for axis in range(3) if self.cells[axis] > 1)
            norm = "backward" if sign < 0 else "forward"
            grid[...] = fft_of_axes(grid, axes, sign > 0, norm)
        else:
            kernels.lane_fft(grid, sign, self.size)

    def filter(self, kernels: Any, grid: Any, factor: Any) -> None:
        """:meth:`fft` with -1, product with one real factor per cell, :meth:`fft` with +1."""
        if self._left_to_scipy(grid):
            self.fft(kernels, grid, -1)
            grid *= factor[..., None]
            self.fft(kernels, grid, 1)
        else:
            kernels.lane_fft_filter(grid, factor, self.size)

    def _left_to_scipy(self, grid: Any) -> bool:
        return isinstance(grid, np.ndarray) and not own_fft(self.cells)


class Gridding(LaneGrid):
    """Samples of one trajectory placed on the oversampled grid of one image shape.

    Works on `edge`'s device in `real` precision. Images are (coils, z, y, x) with missing axes of
    length 1, grids (z, y, x, lanes), samples (coils, samples). Cell g of a k-space grid lies at
    k = (g - G // 2) N / G; images in a grid are wrapped around its cell 0.
    """

    def __init__(
        self,
        edge: Edge,
        coordinates: Any,
        shape: Sequence[int],
        eps: float,
        real: Any,
        oversampling: float | None = None,
    ):
        self.samples = coordinates.shape[0]
        cells, self.width = _choose_kernel(
            eps, tuple(shape), self.samples, np.dtype(real), oversampling
        )
        super().__init__(edge.xp, real, shape, cells)
        tile = _TILE // 2 if self.dims == 3 and self.width < _TILE // 2 else _TILE
        self.tiles = _three([max(1, n // tile) for n in cells])
        self.ratio = [g / n for g, n in zip(cells, shape, strict=True)]
        self.beta = beta_for(self.width, min(self.ratio))
        self.apodisation = self._apodisation()
        self._place(edge, coordinates)

    def _apodisation(self) -> Any:
        """1 / kernel transform per axis, z then y then x; the unitary scale on the last axis.

        Changing signs move k = 0 to the middle of the grid.
        """
        factors = [np.ones(n) for n in self.size[: 3 - self.dims]]
        for n, cells in zip(self.size[3 - self.dims :], self.cells[3 - self.dims :], strict=True):
            at = np.arange(n) - n // 2
            factors.append((1 - 2 * (at % 2)) / kernel_transform(at / cells, self.width, self.beta))
        factors[-1] = factors[-1] / math.sqrt(math.prod(self.size))
        return self.xp.asarray(np.concatenate(factors), self.real)

    def _place(self, edge: Edge, coordinates: Any) -> None:
        xp, m = self.xp, self.samples
        require_memory(
            f"the plan of {m} samples",
            m * (self.dims * (4 + self.real.itemsize) + 4),
            "split them, for example by frames",
            edge,
        )
        fit = max(1e-14, 0.02 * aliasing_error(self.width, min(self.ratio)))
        table = kernel_polynomials(self.width, self.beta, fit)
        self.plan = Samples(
            xp.empty((m, self.dims), np.int32),
            xp.empty((m, self.dims), self.real),
            xp.empty(m, np.int32),
            xp.empty(math.prod(self.tiles) + 1, np.int64),
            self.tiles,
            xp.asarray(table, self.real),
        )
        edge.kernels.plan_gridding(coordinates, self.ratio, self.cells, *self.plan)

    def forward(self, kernels: Any, images: Any, samples: Any) -> None:
        """samples[c] = unitary transform of images[c] at every coordinate."""
        coils = images.shape[0]
        lanes = self.lanes_for(coils)
        grid = self.borrow(lanes)
        for c in range(0, coils, lanes):
            kernels.grid_pad(images[c : c + lanes], self.apodisation, grid)
            self.fft(kernels, grid, -1)
            kernels.grid_interpolate(grid, *self.plan, samples[c : c + lanes])
        self.give_back(grid)

    def adjoint(self, kernels: Any, samples: Any, images: Any) -> None:
        """images[c] = adjoint transform of samples[c]."""
        coils = images.shape[0]
        lanes = self.lanes_for(coils)
        grid = self.borrow(lanes)
        for c in range(0, coils, lanes):
            kernels.grid_spread(samples[c : c + lanes], *self.plan, grid)
            self.fft(kernels, grid, 1)
            kernels.grid_crop(grid, self.apodisation, images[c : c + lanes])
        self.give_back(grid)

    def spread(self, kernels: Any, samples: Any, planes: Any) -> None:
        """planes[c] (z, y, x) = convolution of samples[c] with the kernel, at the cells."""
        coils = samples.shape[0]
        lanes = self.lanes_for(coils)
        grid = self.borrow(lanes)
        for c in range(0, coils, lanes):
            some = planes[c : c + lanes]
            kernels.grid_spread(samples[c : c + lanes], *self.plan, grid)
            some[...] = self.xp.moveaxis(grid[..., : some.shape[0]], -1, 0)
        self.give_back(grid)

    def interpolate(self, kernels: Any, planes: Any, samples: Any) -> None:
        """Adjoint of :meth:`spread`."""
        coils = samples.shape[0]
        lanes = self.lanes_for(coils)
        grid = self.borrow(lanes)
        for c in range(0, coils, lanes):
            some = planes[c : c + lanes]
            grid[..., : some.shape[0]] = self.xp.moveaxis(some, 0, -1)
            grid[..., some.shape[0] :] = 0
            kernels.grid_interpolate(grid, *self.plan, samples[c : c + lanes])
        self.give_back(grid)


def fast_size(size: int, oversampling: float, width: int) -> int:
    """Smallest even number without prime factors beyond 5 that oversamples `size`."""
    n = max(math.ceil(size * oversampling - 1e-9), 2 * width, _TILE)
    n += n % 2
    while largest_prime(n) > 5:
        n += 2
    return n


def _three(numbers: Any) -> tuple[int, int, int]:
    """Padded with leading ones to z, y, x."""
    values = [int(n) for n in numbers]
    first, second, third = [1] * (3 - len(values)) + values
    return first, second, third


@lru_cache(maxsize=256)
def _choose_kernel(
    eps: float, shape: tuple[int, ...], samples: int, real: np.dtype, oversampling: float | None
) -> tuple[tuple[int, ...], int]:
    """The cheapest (cells, width) whose error stays below eps.

    Error: aliasing, and rounding that apodisation amplifies. Cost, in units of a cell touched by
    gridding: a row counts its cells and 1.5 more, padding and FFT some 60 per cell of the grid
    (measured, 12 coils in 2D and 4 in 3D), wide kernels three times where loops are plain ones.
    """
    dims, rounding = len(shape), np.finfo(real).eps / 5
    found, smallest = [], math.inf
    for wanted in _OVERSAMPLINGS if oversampling is None else (oversampling,):
        for width in range(4, _MAX_WIDTH + 1):
            cells = tuple(fast_size(n, wanted, width) for n in shape)
            ratio = round(min(g / n for g, n in zip(cells, shape, strict=True)), 6)
            aliasing = math.sqrt(dims) * aliasing_error(width, ratio)
            error = math.hypot(aliasing, rounding * kernel_gain(width, ratio) ** dims)
            smallest = min(smallest, error / 0.85)
            if error <= 0.85 * eps:
                plain = 3 if real == np.float32 and width > _VECTOR_WIDTH else 1
                touched = samples * width ** (dims - 1) * (width + 1.5) * plain
                found.append((touched + 60 * math.prod(cells), cells, width))
                break
    if not found:
        floor = max(smallest, FLOAT32_FLOOR if real == np.float32 else FLOAT64_FLOOR)
        with_ratio = "" if oversampling is None else f" and oversampling {oversampling}"
        raise DataError(
            f"eps is {eps}; the smallest usable value with {real}{with_ratio} is {floor:.1e}"
        )
    return min(found)[1:]
