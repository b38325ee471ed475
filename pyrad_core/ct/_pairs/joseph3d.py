"""Joseph's method for rays in any direction through a volume."""

from __future__ import annotations

from typing import Any

from ...geometry import Beam, Volume
from ._rays3d import rays3d
from .base import Pair

__all__ = ["Joseph3D"]

# Scratch of csrc/ct/joseph3d*: chunks of rays or transposed projections, padded lines.
_CHUNK, _CUDA_CHUNK, _ROW_PAD, _ROWS = 24 << 20, 256 << 20, 176, 32


class Joseph3D(Pair):
    """Bilinear interpolation in the planes across each ray's dominant axis."""

    divisible = True

    def __init__(self, geometry: Beam, volume: Volume):
        super().__init__(geometry, volume)
        self._rays = rays3d(geometry, volume)

    def forward(self, edge: Any, x: Any, y: Any) -> None:
        edge.kernels.project3d(x, *self._rays, y)

    def adjoint(self, edge: Any, y: Any, x: Any) -> None:
        edge.kernels.backproject3d(y, *self._rays, x)

    def memory_needed(self, itemsize: int) -> int:
        nz, ny, nx = self.grid
        views, rows, columns = self.projections
        copies = (
            (planes + 1) * (lines + 2) * (-(-(length + 2) // 16) * 16)
            for planes, lines, length in ((nx, ny, nz), (ny, nx, nz), (nz, ny, nx))
        )
        weighted = min(_CUDA_CHUNK, views * rows * columns * itemsize)
        chunk = max(_CHUNK, columns * (rows + _ROW_PAD) * itemsize, weighted)
        return max(copies) * itemsize + chunk + views * columns * -(-rows // _ROWS)
