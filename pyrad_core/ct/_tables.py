"""From a geometry and a volume to the small tables of numbers that the 2D kernels read."""

from __future__ import annotations

import numpy as np

from ..errors import GeometryError
from ..geometry import Beam, FanBeam, ParallelBeam, Volume

__all__ = ["check_scan", "falls_into_slices", "fan_pixels", "joseph_rays", "parallel_columns"]


def check_scan(geometry: Beam, volume: Volume) -> None:
    """Accept what the 2D kernels handle: one slice, or a stack of parallel-beam slices."""
    if not isinstance(geometry, ParallelBeam | FanBeam):
        raise GeometryError(
            f"geometry is {type(geometry).__name__}; supported here are ParallelBeam and FanBeam"
        )
    if not falls_into_slices(geometry, volume):
        if getattr(geometry, "vectors", None) is not None:
            raise GeometryError("a scan made by from_vectors does not fall into slices")
        rows, z = geometry.row_positions(), volume.axes()[0]
        raise GeometryError(
            "detector rows and volume slices must coincide: rows are "
            f"{_grid(rows)}, slices are {_grid(z)}; Projector and the iterative methods take any "
            "grid"
        )


def falls_into_slices(geometry: Beam, volume: Volume) -> bool:
    """Whether every detector row sees one slice; checks on the way that the two fit together."""
    if not isinstance(geometry, Beam):
        raise GeometryError(f"geometry is {type(geometry).__name__}; expected a beam geometry")
    geometry.check_volume(volume)
    if len(geometry.detector) == 1:
        if volume.ndim == 2:
            return True
        raise GeometryError(
            f"volume has shape {volume.shape}, but the detector {geometry.detector} is a single "
            "line; use a volume (ny, nx)" + _or_rows(geometry)
        )
    if volume.ndim == 2:
        raise GeometryError(
            f"volume has shape {volume.shape}, but the detector {geometry.detector} has rows; use "
            f"a volume (nz, ny, nx), for example ({geometry.rows}, ny, nx)"
        )
    if not isinstance(geometry, ParallelBeam) or getattr(geometry, "vectors", None) is not None:
        return False
    rows, z = geometry.row_positions(), volume.axes()[0]
    return rows.size == z.size and bool(np.abs(rows - z).max() <= 1e-3 * geometry.pixel[0])


def _or_rows(geometry: Beam) -> str:
    return " or a detector (rows, columns)" if isinstance(geometry, ParallelBeam) else ""


def _grid(positions: np.ndarray) -> str:
    return f"{positions.size} from {positions[0]:g} to {positions[-1]:g} mm"


def joseph_rays(geometry: Beam, volume: Volume) -> tuple[np.ndarray, np.ndarray, float, float]:
    """views (V, 8), pixels (C, 2), pitch_x, pitch_y: see csrc/ct/joseph2d_math.hpp."""
    frames = geometry.frames()
    pitch = np.array(volume.spacing[-1:-3:-1])  # x, y
    first = np.array(volume.origin[-1:-3:-1])
    unit_u = np.stack([np.cos(geometry.angles), np.sin(geometry.angles)], axis=-1)
    direction = frames.direction[:, :2]
    positions = geometry.column_positions()
    ones = np.ones_like(positions)
    views = np.zeros((geometry.views, 8))
    if isinstance(geometry, FanBeam):
        assert frames.source is not None
        views[:, 0:2] = (frames.source[:, :2] - first) / pitch
        views[:, 6:8] = unit_u / pitch
        far = geometry.source_detector
        if geometry.curved:
            pixels = np.stack([np.cos(positions / far), np.sin(positions / far)], axis=-1)
            views[:, 4:6] = direction / pitch
        else:
            pixels = np.stack([ones, positions], axis=-1)
            views[:, 4:6] = far * direction / pitch
    else:
        views[:, 0:2] = -first / pitch
        views[:, 2:4] = unit_u / pitch
        views[:, 4:6] = direction / pitch
        pixels = np.stack([ones, positions], axis=-1)
    return views, np.ascontiguousarray(pixels), float(pitch[0]), float(pitch[1])


def parallel_columns(geometry: ParallelBeam, volume: Volume) -> np.ndarray:
    """(V, 3): detector column of the pixel (x, y) as a x + b y + c in index coordinates."""
    cos, sin = np.cos(geometry.angles), np.sin(geometry.angles)
    step_y, step_x = volume.spacing[-2:]
    first_y, first_x = volume.origin[-2:]
    pitch = geometry.pixel[-1]
    first = geometry.column_positions()[0]
    start = (first_x * cos + first_y * sin - first) / pitch
    return np.stack([step_x * cos / pitch, step_y * sin / pitch, start], axis=-1)


def fan_pixels(geometry: FanBeam, volume: Volume) -> tuple[np.ndarray, float, float]:
    """(V, 6) coefficients, centre and magnification: see csrc/ct/backproject_fan.hpp."""
    cos, sin = np.cos(geometry.angles), np.sin(geometry.angles)
    step_y, step_x = volume.spacing
    first_y, first_x = volume.origin
    across = [step_x * cos, step_y * sin, first_x * cos + first_y * sin]
    along = [
        -step_x * sin,
        step_y * cos,
        geometry.source_origin - first_x * sin + first_y * cos,
    ]
    centre = -geometry.column_positions()[0] / geometry.pixel[0]
    magnify = geometry.source_detector / geometry.pixel[0]
    return np.stack(across + along, axis=-1), float(centre), float(magnify)
