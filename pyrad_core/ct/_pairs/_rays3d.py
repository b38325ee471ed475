"""From a geometry and a volume to the numbers that the 3D kernels read."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ...geometry import Beam, FanBeam, ParallelBeam, Volume

__all__ = ["Rays3D", "rays3d"]

_NEGLIGIBLE = 1e-9  # of the detector's reach: a tilt of this size is rounding


class Rays3D(NamedTuple):
    """Arguments of the 3D kernels, in their order: see csrc/ct/joseph3d_math.hpp."""

    views: np.ndarray  # (V, 18)
    columns: np.ndarray  # (C, 2)
    scan: np.ndarray  # (5,)
    divergent: bool


def rays3d(geometry: Beam, volume: Volume) -> Rays3D:
    """Rays of every detector pixel in index coordinates of the volume (axes x, y, z)."""
    frames = geometry.frames()
    pitch, first = (np.array(given[::-1]) for given in (volume.spacing, volume.origin))
    free = getattr(geometry, "vectors", None) is not None
    curved = bool(getattr(geometry, "curved", False))
    if free:  # steps of whole pixels from the detector's centre
        u, v = frames.u, frames.v
        across, rows = (np.arange(n) - 0.5 * (n - 1) for n in (geometry.columns, geometry.rows))
        centre = frames.centre
    else:  # mm from the foot of the central ray
        u, v = (axis / np.linalg.norm(axis, axis=-1, keepdims=True) for axis in frames[3:])
        across, rows = geometry.column_positions(), geometry.row_positions()
        centre = np.zeros_like(u)
    columns = np.stack([np.ones_like(across), across], axis=-1)
    none = np.zeros_like(u)
    divergent = frames.source is not None
    if divergent:
        assert frames.source is not None and not isinstance(geometry, ParallelBeam | FanBeam)
        far = geometry.source_detector  # type: ignore[attr-defined]
        parts = [frames.source, none, none, centre - frames.source, u, v]
        if not free:
            parts[3] = far * frames.direction
        if curved:
            columns = np.stack([np.cos(across / far), np.sin(across / far)], axis=-1)
            parts[4] = far * u
    else:
        parts = [centre, u, v, frames.direction, none, none]
    views = np.stack(parts, axis=1)
    views[:, 0] -= first
    views /= pitch
    for axis in views[:, 2], views[:, 5]:  # a detector upright but for rounding counts as upright
        axis[np.abs(axis) < _NEGLIGIBLE * np.abs(axis).max(axis=1, keepdims=True)] = 0
    step = rows[1] - rows[0] if rows.size > 1 else 1.0
    scan = np.array([rows[0], step, *pitch])
    return Rays3D(views.reshape(-1, 18), np.ascontiguousarray(columns), scan, divergent)
