"""Separable footprints of voxels: cones, helices, and parallel beams of any rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import GeometryError
from ...geometry import Beam, Volume
from ...threads import num_threads
from .base import Pair
from .footprint_tables import axial, plane_views, rows_along_z

__all__ = ["Footprint3D"]

# Scratch of csrc/ct/footprint3d.cpp: transposed views and tiles of the volume.
_ROW_PAD, _MARGIN, _TILE_VALUES = 16, 40, 1 << 18
_BLOCK_VIEWS, _BLOCK_BYTES, _CHUNK_BYTES = 8, 32 << 20, 256 << 20


class Footprint3D(Pair):
    """Trapezoids across, rectangles along z (SF-TR), for detectors whose rows run along z."""

    def __init__(self, geometry: Beam, volume: Volume):
        super().__init__(geometry, volume)
        if not rows_along_z(geometry):
            raise GeometryError(
                "separable footprints need detector rows along z; use model 'joseph' for tilted "
                "detectors"
            )
        views, arc = plane_views(geometry, volume)
        heights, reach = axial(geometry, volume)
        table = np.ascontiguousarray(np.hstack([views, heights]))
        self._tables = (table, reach, arc, *volume.spacing[-1:-3:-1])

    def forward(self, edge: Any, x: Any, y: Any) -> None:
        edge.kernels.project_footprint3d(x, *self._tables, y)

    def adjoint(self, edge: Any, y: Any, x: Any) -> None:
        edge.kernels.backproject_footprint3d(y, *self._tables, x)

    def memory_needed(self, itemsize: int) -> int:
        _, rows, columns = self.projections
        view = (rows + _ROW_PAD) * (columns + 1)
        tile = max(_TILE_VALUES, 32 * (self.grid[0] + _MARGIN))
        block = max(1, min(_BLOCK_VIEWS, _BLOCK_BYTES // (view * itemsize)))
        forward = num_threads() * (block * view + tile)
        chunk = min(self.projections[0], max(1, _CHUNK_BYTES // (view * itemsize)))
        return itemsize * max(forward, chunk * view + num_threads() * tile)
