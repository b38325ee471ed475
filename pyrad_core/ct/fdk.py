"""Filtered backprojection for cone beams: circles, helices and free orbits."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._checks import same_shape
from .._kernels.select import Edge, edge_of
from ..errors import GeometryError
from ..geometry import Beam, ConeBeam, Volume
from ._fdk_stage import FilterStage, flat_or_curved_cosine
from ._results import result_array
from .ramp import ramp_response
from .redundancy import fan_weights

__all__ = ["fdk"]

_FLAT, _CURVED = 0, 1  # ConeRays of csrc/ct/backproject_cone_math.hpp


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
    result = _circle(edge, rows, geometry, volume, window)
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


def _circle(
    edge: Edge, rows: Any, geometry: ConeBeam, volume: Volume, window: dict[str, Any]
) -> Any:
    near, far = geometry.source_origin, geometry.source_detector
    pixel_v, pixel_u = geometry.pixel
    weights = fan_weights(geometry, volume)
    width = geometry.columns + sum(weights.pad)
    if geometry.curved:
        response = ramp_response(width, pixel_u / far, angular=True, **window) / near
    else:
        response = ramp_response(width, pixel_u * near / far, **window)
    stage = FilterStage(
        flat_or_curved_cosine(geometry),
        np.atleast_2d(weights.rays),
        weights.views,
        response,
        weights.pad,
    )
    out = result_array(edge, rows, volume, stage.scratch(rows.itemsize))
    column = (weights.pad[0] - geometry.column_positions()[0] / pixel_u, far / pixel_u)
    row = (-geometry.row_positions()[0] / pixel_v, far / pixel_v)
    kind = _CURVED if geometry.curved else _FLAT
    table = turning_views(geometry.angles, volume, near, 0.0)
    for part, filtered in stage.chunks(edge, rows):
        edge.kernels.backproject_cone(
            *(filtered, geometry.rows, table[part], kind, column, row, near, 0.0),
            *(volume.spacing[0], part.start > 0, out),
        )
    return out


def turning_views(
    angles: np.ndarray, volume: Volume, along: float, source_z: np.ndarray | float
) -> np.ndarray:
    """(V, 7): across, along and height of voxels, see csrc/ct/backproject_cone.hpp.

    ``along`` is where the axis stands along the central ray.
    """
    cos, sin = np.cos(angles), np.sin(angles)
    first_z, first_y, first_x = volume.origin
    step_y, step_x = volume.spacing[1:]
    columns = [
        *(step_x * cos, step_y * sin, first_x * cos + first_y * sin),
        *(-step_x * sin, step_y * cos, along - first_x * sin + first_y * cos),
        first_z - source_z + np.zeros_like(cos),
    ]
    return np.stack(columns, axis=-1)
