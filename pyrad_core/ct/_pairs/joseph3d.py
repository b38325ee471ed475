"""Joseph's method for rays in any direction through a volume."""

from __future__ import annotations

from typing import Any

from ...geometry import Beam, Volume
from ._rays3d import rays3d
from .base import Pair

__all__ = ["Joseph3D"]

_CHUNK = 16 << 20  # what the kernels keep of rays or transposed projections at a time
_MARGIN = 1.35  # a copy of the volume with zeros around, in short lines


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
        return int(_MARGIN * self.volume.size * itemsize) + _CHUNK
