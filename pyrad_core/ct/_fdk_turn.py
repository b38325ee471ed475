"""Circular scans with an upright detector."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from .._kernels.select import Edge
from ..errors import PyradWarning
from ..geometry import ConeBeam, Volume
from ._fdk_stage import FilterStage
from ._results import result_array
from .ramp import ramp_response
from .redundancy import fan_weights

__all__ = ["as_turn", "circle", "turning_views"]

_FLAT, _CURVED = 0, 1  # ConeRays of csrc/ct/backproject_cone_math.hpp


def circle(
    edge: Edge, rows: Any, geometry: ConeBeam, volume: Volume, window: dict[str, Any]
) -> Any:
    """Volume of a full turn, a short scan, or a full turn with a displaced detector."""
    near, far = geometry.source_origin, geometry.source_detector
    pixel_v, pixel_u = geometry.pixel
    weights = fan_weights(geometry, volume)
    width = geometry.columns + sum(weights.pad)
    if geometry.curved:
        response = ramp_response(width, pixel_u / far, angular=True, **window) / near
    else:
        response = ramp_response(width, pixel_u * near / far, **window)
    rays = np.atleast_2d(weights.rays)
    detector = geometry.rows, geometry.columns
    stage = FilterStage(detector, _cosine(geometry), rays, weights.views, response, weights.pad)
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


def as_turn(geometry: ConeBeam) -> tuple[ConeBeam, float] | None:
    """The circle or helix that the poses of ``from_vectors`` form, and its height at angle 0.

    None where they form neither to a millionth of the source's distance.
    """
    frames = geometry.frames()
    source, angles = frames.source, geometry.angles
    assert source is not None
    turn = angles - angles[0]
    pitch = 0.0
    if np.ptp(turn) > 0:
        pitch = 2 * np.pi * float(np.polyfit(turn, source[:, 2], 1)[0])
    near = float(np.hypot(source[0, 0], source[0, 1]))
    close = 1e-6 * near
    pitch = 0.0 if abs(pitch) < close else pitch
    arm = frames.centre[0] - source[0]
    far = float(arm @ frames.direction[0])
    if far <= near:
        return None
    unit_u = np.array([np.cos(angles[0]), np.sin(angles[0]), 0.0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PyradWarning)
        ideal = ConeBeam(
            angles,
            geometry.detector,
            geometry.pixel,
            near,
            far,
            offset=(float(arm[2]), float(arm @ unit_u)),
            pitch=pitch,
        )
    height = float(source[0, 2] - pitch * angles[0] / (2 * np.pi))
    lift = np.array([0.0, 0.0, height])
    expected = ideal.frames()
    assert expected.source is not None
    errors = (
        source - expected.source - lift,
        frames.centre - expected.centre - lift,
        (frames.u - expected.u) * geometry.columns,
        (frames.v - expected.v) * geometry.rows,
    )
    return (ideal, height) if max(np.abs(e).max() for e in errors) < close else None


def _cosine(geometry: ConeBeam) -> np.ndarray:
    """(1, R, C): cosine of the angle between every ray and the central one."""
    u, v, far = geometry.column_positions(), geometry.row_positions(), geometry.source_detector
    if geometry.curved:
        return (np.cos(u / far) * (far / np.hypot(far, v))[:, None])[None]
    return (far / np.sqrt(far**2 + u**2 + v[:, None] ** 2))[None]
