"""What a matched pair of projection kernels offers."""

from __future__ import annotations

import abc
from typing import Any, Self

from ...geometry import Beam, Volume

__all__ = ["Pair"]


class Pair(abc.ABC):
    """Forward and adjoint kernels of one model on one scan.

    The constructor makes the small tables that the kernels read; geometry and volume are checked
    before. Arrays are C-contiguous, float32 or float64, of the shapes ``grid`` and
    ``projections``; the results come as zeros.
    """

    divisible = False  # whether a slab of slices takes less scratch than the volume

    def __init__(self, geometry: Beam, volume: Volume):
        self.geometry, self.volume = geometry, volume
        self.grid = (1, *volume.shape)[-3:]  # (slices, ny, nx)
        self.projections = (geometry.views, geometry.rows, geometry.columns)

    def part(self, begin: int, end: int, views: slice = slice(None)) -> Self:
        """The pair of slices [begin, end) alone, and of some of the views."""
        first = self.volume.origin[0] + begin * self.volume.spacing[0]
        shape = (end - begin, *self.volume.shape[1:])
        slab = Volume(shape, self.volume.spacing, (first, *self.volume.origin[1:]))
        return type(self)(self.geometry.subset(views), slab)

    @abc.abstractmethod
    def forward(self, edge: Any, x: Any, y: Any) -> None:
        """y = A x by the kernels of ``edge``."""

    @abc.abstractmethod
    def adjoint(self, edge: Any, y: Any, x: Any) -> None:
        """x = A^T y with the same weights."""

    @abc.abstractmethod
    def memory_needed(self, itemsize: int) -> int:
        """Bytes of scratch that either direction takes beyond x and y."""
