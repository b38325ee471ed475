"""Trapezoidal footprints slice by slice: fans, and parallel beams whose rows are the slices."""

from __future__ import annotations

from typing import Any

from ...geometry import Beam, Volume
from ...threads import num_threads
from .base import Pair
from .footprint_tables import plane_views

__all__ = ["Footprint2D"]


class Footprint2D(Pair):
    """Strip integrals: the area of each pixel's shadow on each detector cell."""

    def __init__(self, geometry: Beam, volume: Volume):
        super().__init__(geometry, volume)
        views, arc = plane_views(geometry, volume)
        self._tables = (views, arc, *volume.spacing[-1:-3:-1])

    def forward(self, edge: Any, x: Any, y: Any) -> None:
        edge.kernels.project_footprint2d(x, *self._tables, y)

    def adjoint(self, edge: Any, y: Any, x: Any) -> None:
        edge.kernels.backproject_footprint2d(y, *self._tables, x)

    def memory_needed(self, itemsize: int) -> int:
        _, ny, nx = self.grid
        tiles = (ny + 16) * (nx + 16) + 16**3  # a slice in tiles of 16 x 16, sixteen to a group
        rows = self.projections[1] * (2 * self.projections[2] + 52)
        return itemsize * (tiles + num_threads() * rows)
