"""Flat detectors in a free pose per view: what from_vectors of parallel and cone beams share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import GeometryError
from ._values import finite_vectors, positive_per_axis, refuse_nonfinite
from .beam import Frames

__all__ = ["check_poses", "locate_on_detector", "moved_detector", "pixel_centres", "unit"]


def check_poses(
    given: dict[str, Any], pixel: float | Sequence[float] | None
) -> tuple[dict[str, np.ndarray], tuple[float, float]]:
    """Arrays (views, 3) of one length, u and v scaled to the pixel pitch (row, column)."""
    poses = {name: finite_vectors(name, value) for name, value in given.items()}
    first = next(iter(poses))
    views = len(poses[first])
    for name, value in poses.items():
        if len(value) != views:
            raise GeometryError(f"{name} has {len(value)} views, but {first} has {views}")
    return poses, _unit_steps(poses, pixel)


def _unit_steps(
    poses: dict[str, np.ndarray], pixel: float | Sequence[float] | None
) -> tuple[float, float]:
    """Scale u and v to the pixel pitch in place, check them, return the pitch (row, column)."""
    lengths = {name: np.linalg.norm(poses[name], axis=1) for name in ("u", "v")}
    for name, length in lengths.items():
        if not (length > 0).all():
            raise GeometryError(f"{name} has length 0 at view {int(np.argmin(length))}")
    cosine = np.einsum("vi,vi->v", poses["u"], poses["v"]) / (lengths["u"] * lengths["v"])
    if (np.abs(cosine) > 1e-4).any():
        view = int(np.argmax(np.abs(cosine)))
        raise GeometryError(
            f"u and v are not perpendicular at view {view}: their cosine is {cosine[view]:g}"
        )
    if pixel is None:
        return float(lengths["v"][0]), float(lengths["u"][0])
    row, column = positive_per_axis("pixel", pixel, 2)
    poses["u"] *= (column / lengths["u"])[:, None]
    poses["v"] *= (row / lengths["v"])[:, None]
    return row, column


def unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def pixel_centres(beam: Any, frames: Frames) -> np.ndarray:
    """World position of every pixel, (views, rows, columns, 3)."""
    columns = (np.arange(beam.columns) - 0.5 * (beam.columns - 1))[None, None, :, None]
    rows = (np.arange(beam.rows) - 0.5 * (beam.rows - 1))[None, :, None, None]
    across = columns * frames.u[:, None, None] + rows * frames.v[:, None, None]
    return frames.centre[:, None, None] + across


def locate_on_detector(frames: Frames, starts: Any, rays: np.ndarray) -> np.ndarray:
    """Where rays from ``starts`` along ``rays`` (views, n, 3) hit the detectors: (u, v) in mm."""
    normal = unit(np.cross(frames.v, frames.u))
    along = np.einsum("vpi,vi->vp", rays, normal)
    reach = np.einsum("vpi,vi->vp", frames.centre[:, None] - starts, normal)
    hits = starts + rays * (reach / along)[..., None] - frames.centre[:, None]
    return np.stack([np.einsum("vpi,vi->vp", hits, unit(axis)) for axis in frames[3:]], axis=-1)


def moved_detector(
    frames: Frames, shift: Any, roll: Any, tilt: Any
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Detector centre, u and v after tilt, roll and shift: see Beam.perturbed."""
    views = len(frames.direction)
    move = _per_view("shift", shift, views, 2)
    angles = np.concatenate(
        [_per_view("roll", roll, views, 1), _per_view("tilt", tilt, views, 2)], axis=1
    )
    across, up = unit(frames.u), unit(frames.v)
    normal = np.cross(across, up)
    u, v = frames.u, frames.v
    for axis, angle in ((up, angles[:, 2]), (across, angles[:, 1]), (normal, angles[:, 0])):
        u, v = _turn(u, axis, angle), _turn(v, axis, angle)
    centre = frames.centre + move[:, :1] * unit(v) + move[:, 1:] * unit(u)
    return centre, u, v


def _turn(vectors: np.ndarray, axis: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """Rodrigues' rotation, right-handed."""
    cos, sin = np.cos(angle)[:, None], np.sin(angle)[:, None]
    along = np.einsum("vi,vi->v", axis, vectors)[:, None]
    return vectors * cos + np.cross(axis, vectors) * sin + axis * along * (1 - cos)


def _per_view(name: str, value: Any, views: int, numbers: int) -> np.ndarray:
    """(views, numbers): one set for all views, or one per view."""
    try:
        given = np.array(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise GeometryError(f"{name} is {type(value).__name__}; expected numbers") from None
    refuse_nonfinite(name, given)
    if numbers == 1 and given.shape in ((), (views,)):
        return np.broadcast_to(given.reshape(-1, 1), (views, 1))
    if numbers > 1 and given.shape in ((numbers,), (views, numbers)):
        return np.broadcast_to(given, (views, numbers))
    one = "a number" if numbers == 1 else f"{numbers} numbers"
    raise GeometryError(
        f"{name} has shape {given.shape}; expected {one} for all views or for each of {views}"
    )
