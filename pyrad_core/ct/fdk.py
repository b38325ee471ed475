"""Filtered backprojection for cone beams: circles, helices and free orbits."""

from __future__ import annotations

from typing import Any

from .._checks import same_shape
from .._kernels.select import Edge, edge_of
from ..errors import GeometryError
from ..geometry import Beam, ConeBeam, Volume
from ._fdk_free import free
from ._fdk_helix import helix
from ._fdk_turn import as_turn, circle

__all__ = ["fdk"]


def fdk(
    projections: Any,
    geometry: ConeBeam,
    volume: Volume,
    *,
    filter: str = "ram-lak",
    cutoff: float = 1.0,
    out: Any = None,
) -> Any:
    """Feldkamp, Davis and Kress's filtered backprojection of a cone beam."""
    check_cone(geometry, volume)
    edge = edge_of(projections=projections, out=out)
    same_shape("projections", edge["projections"].shape, "geometry", geometry.projection_shape)
    rows = edge.real("projections")
    window = {"filter": filter, "cutoff": cutoff}
    result = _reconstruct(edge, rows, geometry, volume, window)
    return out if out is not None else edge.answer(result)


def check_cone(geometry: Beam, volume: Volume) -> None:
    if not isinstance(geometry, ConeBeam):
        raise GeometryError(
            f"geometry is {type(geometry).__name__}; fdk takes a ConeBeam, use fbp for parallel "
            "and fan beams"
        )
    geometry.check_volume(volume)
    if volume.ndim != 3:
        raise GeometryError(
            f"volume has shape {volume.shape}; fdk reconstructs (nz, ny, nx), use nz = 1 for one "
            "slice"
        )


def _reconstruct(
    edge: Edge, rows: Any, geometry: ConeBeam, volume: Volume, window: dict[str, Any]
) -> Any:
    if geometry.vectors is not None:
        turn = as_turn(geometry)
        if turn is None:
            return free(edge, rows, geometry, volume, window)
        geometry, height = turn
        origin = (volume.origin[0] - height, *volume.origin[1:])
        volume = Volume(volume.shape, volume.spacing, origin)
    method = helix if geometry.pitch else circle
    return method(edge, rows, geometry, volume, window)
