"""From a geometry and a volume to the tables that the footprint kernels read."""

from __future__ import annotations

import numpy as np

from ...geometry import Beam, Volume
from ...geometry.beam import Frames

__all__ = ["axial", "plane_views", "rows_along_z", "tilted_views"]

_STRAIGHT = 1e-9  # largest sine of an angle that counts as zero


def plane_views(geometry: Beam, volume: Volume) -> tuple[np.ndarray, float]:
    """(V, 10) and arc of csrc/ct/footprint_math.hpp."""
    frames = geometry.frames()
    pitch, first = _plane_grid(volume)
    views = np.zeros((geometry.views, 10))
    direction = frames.direction[:, :2]
    if frames.source is None:
        u, start = frames.u[:, :2], _first_pixel(geometry, frames)[:, :2]
        turn = _cross(u, direction)
        views[:, 0:3] = _affine(direction[:, 1] / turn, -direction[:, 0] / turn, start, volume)
        views[:, 5] = 1
        views[:, 7:9] = -direction / pitch
        return views, 0.0
    source = frames.source[:, :2]
    views[:, 7:9] = (source - first) / pitch
    views[:, 9] = 1
    if _curved(geometry):
        unit = frames.u[:, :2] / geometry.pixel[-1]
        views[:, 0:3] = _affine(unit[:, 0], unit[:, 1], source, volume)
        views[:, 3:6] = _affine(direction[:, 0], direction[:, 1], source, volume)
        views[:, 6] = -geometry.column_positions()[0] / geometry.pixel[-1]
        return views, geometry.source_detector / geometry.pixel[-1]  # type: ignore[attr-defined]
    u, to_first = frames.u[:, :2], _first_pixel(geometry, frames)[:, :2] - source
    scale = np.sign(_cross(u, to_first)) / np.linalg.norm(u, axis=1)
    views[:, 0:3] = _affine(scale * to_first[:, 1], -scale * to_first[:, 0], source, volume)
    views[:, 3:6] = _affine(-scale * u[:, 1], scale * u[:, 0], source, volume)
    return views, 0.0


def axial(geometry: Beam, volume: Volume) -> tuple[np.ndarray, np.ndarray]:
    """(V, 4), what footprint3d.hpp adds to the views, and reach."""
    frames = geometry.frames()
    thick, base = volume.spacing[0], volume.origin[0]
    first = _first_pixel(geometry, frames)
    step = frames.v[:, 2]
    views = np.zeros((geometry.views, 4))
    if frames.source is None:
        height, far = np.zeros(geometry.views), np.ones(geometry.views)
        reach = np.zeros((1, geometry.columns))
    else:
        height = frames.source[:, 2]
        far, distance = _distances(geometry, frames, first)
        reach = np.abs(step)[: len(distance), None] / distance
    views[:, 0] = (height - first[:, 2]) / step
    views[:, 1] = (height - base) / thick
    views[:, 2] = thick * far / step
    down = step < 0
    views[down, 0] = geometry.rows - 1 - views[down, 0]
    views[down, 2] *= -1
    views[:, 3] = down
    return views, np.ascontiguousarray(reach)


def rows_along_z(geometry: Beam) -> bool:
    """Whether columns and slices separate: rows along z, columns (and parallel rays) across."""
    frames = geometry.frames()
    u, v = (part / np.linalg.norm(part, axis=1, keepdims=True) for part in (frames.u, frames.v))
    flat = [u[:, 2], v[:, 0], v[:, 1]]
    if frames.source is None:
        flat.append(frames.direction[:, 2])
    return bool(np.abs(flat).max() < _STRAIGHT)


def tilted_views(geometry: Beam, volume: Volume) -> np.ndarray:
    """(V, 20) of csrc/ct/footprint_tilted_math.hpp."""
    frames = geometry.frames()
    u, v, first = frames.u, frames.v, _first_pixel(geometry, frames)
    pitch, origin = np.array(volume.spacing[::-1]), np.array(volume.origin[::-1])
    cell = np.linalg.norm(u, axis=1) * np.linalg.norm(v, axis=1)
    views = np.zeros((geometry.views, 20))
    views[:, 12:15] = pitch
    voxel = np.prod(pitch)
    if frames.source is None:
        # X = first + column u + row v + any amount of the direction
        start, d = first, frames.direction
        turn = np.einsum("vi,vi->v", u, np.cross(v, d))
        forms = [np.cross(v, d) / turn[:, None], np.cross(d, u) / turn[:, None], np.zeros_like(u)]
        views[:, 19] = voxel / np.abs(turn)
    else:
        # X - source = depth (to_first + column u + row v), and depth = 1 on the detector
        start, to_first = frames.source, first - frames.source
        normal = np.cross(u, v)
        facing = np.sign(np.einsum("vi,vi->v", normal, to_first))
        scale = (facing / np.linalg.norm(normal, axis=1))[:, None]
        forms = [np.cross(v, to_first) * scale, np.cross(to_first, u) * scale, normal * scale]
        far = np.einsum("vi,vi->v", forms[2], to_first)
        views[:, 15:18] = frames.source - origin
        views[:, 18] = 1
        views[:, 19] = voxel * far**2 / cell
    for n, form in enumerate(forms):
        views[:, 4 * n : 4 * n + 3] = form * pitch
        views[:, 4 * n + 3] = np.einsum("vi,vi->v", form, origin - start)
    if frames.source is None:
        views[:, 11] = 1
    return views


def _distances(geometry: Beam, frames: Frames, first: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of the detector plane from the source (V,), and of its columns within z = const (V, C)."""
    assert frames.source is not None
    if _curved(geometry):
        far = geometry.source_detector  # type: ignore[attr-defined]
        return np.full(geometry.views, far), np.full((1, geometry.columns), far)
    u, to_first = frames.u[:, :2], (first - frames.source)[:, :2]
    depth = np.abs(_cross(u, to_first)) / np.linalg.norm(u, axis=1)
    columns = to_first[:, None] + np.arange(geometry.columns)[:, None] * u[:, None]
    distance = np.linalg.norm(columns, axis=-1)
    if np.ptp(distance, axis=0).max() < _STRAIGHT * distance.max():
        distance = distance[:1]
    return depth, distance


def _first_pixel(geometry: Beam, frames: Frames) -> np.ndarray:
    """Centre of the pixel (0, 0) of a flat detector (and its height on a curved one)."""
    across = 0.5 * (geometry.columns - 1) * frames.u
    return frames.centre - across - 0.5 * (geometry.rows - 1) * frames.v


def _affine(x: np.ndarray, y: np.ndarray, origin: np.ndarray, volume: Volume) -> np.ndarray:
    """(V, 3): x * (X - origin_x) + y * (Y - origin_y) as a function of the pixel's indices."""
    pitch, first = _plane_grid(volume)
    constant = x * (first[0] - origin[:, 0]) + y * (first[1] - origin[:, 1])
    return np.stack([x * pitch[0], y * pitch[1], constant], axis=-1)


def _plane_grid(volume: Volume) -> tuple[np.ndarray, np.ndarray]:
    """Pitch and centre of the first pixel as (x, y)."""
    return np.array(volume.spacing[-1:-3:-1]), np.array(volume.origin[-1:-3:-1])


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]


def _curved(geometry: Beam) -> bool:
    return bool(getattr(geometry, "curved", False))
