"""Joseph's method slice by slice: fans, and parallel beams whose rows are the slices."""

from __future__ import annotations

from typing import Any

from ...geometry import Beam, Volume
from .._tables import joseph_rays
from .base import Pair

__all__ = ["Joseph2D"]


class Joseph2D(Pair):
    """Linear interpolation where the ray crosses each row (or column) of voxels."""

    def __init__(self, geometry: Beam, volume: Volume):
        super().__init__(geometry, volume)
        self._rays = joseph_rays(geometry, volume)

    def forward(self, edge: Any, x: Any, y: Any) -> None:
        edge.kernels.project2d(x, *self._rays, y)

    def adjoint(self, edge: Any, y: Any, x: Any) -> None:
        edge.kernels.backproject2d(y, *self._rays, x)

    def memory_needed(self, itemsize: int) -> int:
        """The table of rays, the adjoint's padded copies of it, two padded slices."""
        rays = self.projections[0] * (self.projections[2] + 96)
        return itemsize * (9 * rays + 2 * (self.grid[1] + 96) * (self.grid[2] + 96))
