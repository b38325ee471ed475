"""Separable footprints of voxels: cones, helices, parallel beams of any rows, any poses."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...geometry import Beam, Volume
from ...threads import num_threads
from .base import Pair
from .footprint_tables import axial, plane_views, rows_along_z, tilted_views

__all__ = ["Footprint3D"]

# Scratch of csrc/ct/footprint3d.cpp: transposed views and tiles of the volume.
_ROW_PAD, _MARGIN, _TILE_VALUES = 16, 40, 1 << 18
_BLOCK_VIEWS, _BLOCK_BYTES, _CHUNK_BYTES = 8, 32 << 20, 256 << 20


class Footprint3D(Pair):
    """Trapezoids across and rectangles along z (SF-TR) where the detector's rows run along z.

    Other poses take trapezoids along both detector axes, voxel by voxel: a slower path.
    """

    def __init__(self, geometry: Beam, volume: Volume):
        super().__init__(geometry, volume)
        self._tables: tuple[Any, ...]
        self._tilted = not rows_along_z(geometry)
        if self._tilted:
            self._tables = (tilted_views(geometry, volume),)
            return
        views, arc = plane_views(geometry, volume)
        heights, reach = axial(geometry, volume)
        table = np.ascontiguousarray(np.hstack([views, heights]))
        self._tables = (table, reach, arc, *volume.spacing[-1:-3:-1])

    def forward(self, edge: Any, x: Any, y: Any) -> None:
        if self._tilted:
            edge.kernels.project_footprint_tilted(x, *self._tables, y)
        else:
            edge.kernels.project_footprint3d(x, *self._tables, y)

    def adjoint(self, edge: Any, y: Any, x: Any) -> None:
        if self._tilted:
            edge.kernels.backproject_footprint_tilted(y, *self._tables, x)
        else:
            edge.kernels.backproject_footprint3d(y, *self._tables, x)

    def memory_needed(self, itemsize: int) -> int:
        _, rows, columns = self.projections
        view = (rows + _ROW_PAD) * (columns + 1)
        if self._tilted:
            return itemsize * num_threads() * (rows + _ROW_PAD) * (columns + _ROW_PAD)
        tile = max(_TILE_VALUES, 32 * (self.grid[0] + _MARGIN))
        block = max(1, min(_BLOCK_VIEWS, _BLOCK_BYTES // (view * itemsize)))
        forward = num_threads() * (block * view + tile)
        chunk = min(self.projections[0], max(1, _CHUNK_BYTES // (view * itemsize)))
        return itemsize * max(forward, chunk * view + num_threads() * tile)
