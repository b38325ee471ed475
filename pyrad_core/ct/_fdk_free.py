"""Scans with a free pose per view: any orbit, tilts, jitter."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._kernels.select import Edge
from ..errors import GeometryError
from ..geometry import ConeBeam, Volume
from ._fdk_stage import FilterStage
from ._results import result_array
from .ramp import ramp_response
from .redundancy import free_weights

__all__ = ["free"]


def free(edge: Edge, rows: Any, geometry: ConeBeam, volume: Volume, window: dict[str, Any]) -> Any:
    """Volume from projection matrices, FDK's weights taken from every view's own pose."""
    poses = _Poses(geometry)
    weights = free_weights(geometry.angles, poses.fan(), volume.radius, float(poses.near.min()))
    width = geometry.columns + sum(weights.pad)
    pitch = poses.pixel[:, 0] * poses.near / poses.far  # the ramp goes with 1 / pitch
    stage = FilterStage(
        (geometry.rows, geometry.columns),
        poses.cosine,
        np.atleast_2d(weights.rays),
        weights.views * pitch[0] / pitch,
        ramp_response(width, float(pitch[0]), **window),
        weights.pad,
    )
    out = result_array(edge, rows, volume, stage.scratch(rows.itemsize))
    matrices = poses.matrices(volume)
    matrices[:, :4] += weights.pad[0] * matrices[:, 8:]
    for part, filtered in stage.chunks(edge, rows):
        edge.kernels.backproject_free(filtered, geometry.rows, matrices[part], part.start > 0, out)
    return out


class _Poses:
    """Every view's source and detector, resolved along the detector's own axes."""

    def __init__(self, geometry: ConeBeam):
        self.frames = geometry.frames()
        assert self.frames.source is not None
        self.source = self.frames.source
        axes = self.frames.u, self.frames.v
        self.pixel = np.stack([np.linalg.norm(axis, axis=1) for axis in axes], axis=-1)
        arm = self.frames.centre - self.source
        self.arm = arm
        self.far = _dot(arm, self.frames.direction)
        self.to_axis = self.source * [-1.0, -1.0, 0.0]
        self.near = _dot(self.to_axis, self.frames.direction)
        if not (self.near > 0).all():
            view = int(np.argmin(self.near))
            raise GeometryError(f"view {view} looks away from the rotation axis")
        self.columns, self.rows = (
            np.arange(n) - 0.5 * (n - 1) for n in (geometry.columns, geometry.rows)
        )
        # where the foot of the source's normal lies, in pixels from the detector's middle
        self.foot = np.stack(
            [-_dot(arm, axis) / _dot(axis, axis) for axis in axes],
            axis=-1,
        )

    def fan(self) -> np.ndarray:
        """(V, C): angle of the middle row's rays with the line to the axis, in the plane."""
        rays = self.arm[:, None] + self.columns[:, None] * self.frames.u[:, None]
        x, y = self.to_axis[:, None, 0], self.to_axis[:, None, 1]
        across = y * rays[..., 0] - x * rays[..., 1]
        return np.arctan2(across, x * rays[..., 0] + y * rays[..., 1])

    def cosine(self, part: slice) -> np.ndarray:
        """(views, R, C): component of the ray towards the axis, over the source's distance.

        On an upright circle this is FDK's cosine of the ray's angle with the central one. The
        distance is the one along the detector's normal, as in the matrices.
        """
        to_axis, near = self.to_axis[part], self.near[part, None, None]
        middle = _dot(to_axis, self.arm[part])[:, None, None]
        per_column = _dot(to_axis, self.frames.u[part])[:, None, None]
        per_row = _dot(to_axis, self.frames.v[part])[:, None, None]
        columns, rows = self.columns[None, None, :], self.rows[None, :, None]
        u = (columns - self.foot[part, 0, None, None]) * self.pixel[part, 0, None, None]
        v = (rows - self.foot[part, 1, None, None]) * self.pixel[part, 1, None, None]
        length = np.sqrt(self.far[part, None, None] ** 2 + u**2 + v**2)
        return (middle + per_column * columns + per_row * rows) / (near * length)

    def matrices(self, volume: Volume) -> np.ndarray:
        """(V, 12): see csrc/ct/backproject_free_math.hpp."""
        step, first = np.array(volume.spacing[::-1]), np.array(volume.origin[::-1])
        start = first - self.source

        def linear(axis: np.ndarray) -> np.ndarray:
            return np.concatenate([axis * step, _dot(start, axis)[:, None]], axis=1)

        depth = linear(self.frames.direction) / self.near[:, None]
        parts = []
        for side, (axis, count) in enumerate(
            zip((self.frames.u, self.frames.v), (self.columns.size, self.rows.size), strict=True)
        ):
            scale = self.far / (self.near * self.pixel[:, side] ** 2)
            middle = self.foot[:, side] + 0.5 * (count - 1)
            parts.append(linear(axis) * scale[:, None] + depth * middle[:, None])
        return np.concatenate([*parts, depth], axis=1)


def _dot(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.einsum("vi,vi->v", a, b)
