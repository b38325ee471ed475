"""The analytic reconstruction that corrections look at before the real one."""

from __future__ import annotations

from typing import Any

from ..errors import GeometryError
from ..geometry import Beam, FanBeam, ParallelBeam, Volume
from .fbp import fbp

__all__ = ["reconstruct"]


def reconstruct(projections: Any, geometry: Beam, volume: Volume) -> Any:
    """FBP of parallel and fan beams."""
    if isinstance(geometry, ParallelBeam | FanBeam):
        return fbp(projections, geometry, volume)
    raise GeometryError(
        f"geometry is {type(geometry).__name__}; supported here are ParallelBeam and FanBeam"
    )
