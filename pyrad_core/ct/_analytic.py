"""The analytic reconstruction that corrections look at before the real one."""

from __future__ import annotations

from typing import Any

from ..geometry import Beam, ConeBeam, FanBeam, ParallelBeam, Volume
from .fbp import fbp
from .fdk import fdk

__all__ = ["reconstruct"]


def reconstruct(projections: Any, geometry: Beam, volume: Volume) -> Any:
    """FBP of parallel and fan beams, FDK of cones."""
    if isinstance(geometry, ConeBeam):
        return fdk(projections, geometry, volume)
    assert isinstance(geometry, ParallelBeam | FanBeam)
    return fbp(projections, geometry, volume)
