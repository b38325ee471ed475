"""Helical scans: parallel rebinning, filtering, and weights that share each angle among the views
that see it (weighted filtered backprojection, Stierstorfer et al. 2004)."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._kernels.select import Edge
from ..errors import GeometryError, PyradWarning
from ..geometry import ConeBeam, Volume
from ._fdk_rows import RowsOnDemand, rebin_on_demand
from ._fdk_stage import FilterStage
from ._fdk_turn import turning_views
from ._results import result_array
from .ramp import ramp_response
from .redundancy import displaced_weights, is_displaced, mirrored_columns

__all__ = ["helix"]

_REBINNED_FLAT, _REBINNED_CURVED = 2, 3  # ConeRays of csrc/ct/backproject_cone_math.hpp
_FEATHER = 0.4  # outer part of the half detector over which the weight falls to zero
_TILE = 64  # slices that the kernel looks at together
_FAR_AWAY = 1e9  # mm, height of a view that does not exist


@dataclass
class _Rebinning:
    """Parallel rays of a helix: groups of ``partners`` views one ``period`` apart.

    The period is half a turn, after which the same rays return from the other side; a whole turn
    where the detector is displaced, so that most of them do not.
    """

    period: float
    angles: np.ndarray  # (groups, partners): of the rays
    exists: np.ndarray  # (groups, partners): lies within the scan
    distance: np.ndarray  # (C,): of the rays from the axis, evenly spaced
    fan: np.ndarray  # (C,): their fan angles
    order: np.ndarray  # views by rising angle
    sorted_angles: np.ndarray
    column_at: np.ndarray  # (C,)
    weights: np.ndarray  # (C,): add up to period / pi over the two sides of the axis
    pad: tuple[int, int]

    @property
    def pitch(self) -> float:
        return float(self.distance[1] - self.distance[0]) if self.distance.size > 1 else 1.0

    def fill(self, edge: Edge, rows: Any, part: slice, out: Any) -> None:
        """Some views (whole groups) of the parallel rays from the sorted fan rays."""
        wanted = self.angles.reshape(-1, 1)[part] + self.fan
        view_at = np.interp(wanted, self.sorted_angles, np.arange(self.sorted_angles.size))
        edge.kernels.rebin_rows(rows, view_at, self.column_at, out)


def helix(edge: Edge, rows: Any, geometry: ConeBeam, volume: Volume, window: dict[str, Any]) -> Any:
    """Volume of a helical scan on a flat or curved detector."""
    rays = _rebin(geometry, volume)
    _warn_of_gaps(geometry, volume, rays)
    partners, columns = rays.angles.shape[1], rays.distance.size
    near, far = geometry.source_origin, geometry.source_detector
    v, pixel_v = geometry.row_positions(), geometry.pixel[0]
    reach = np.full(columns, far) if geometry.curved else far / np.cos(rays.fan)

    def prepare(part: slice, out: Any) -> None:
        if isinstance(rows, RowsOnDemand):
            rebin_on_demand(edge, rows, rays, part, seen, out)
        else:
            rays.fill(edge, rows, part, out)

    seen = _seen(geometry, volume, rays)
    stage = FilterStage(
        (geometry.rows, columns),
        (reach / np.hypot(reach, v[:, None]))[None],
        rays.weights[None],
        np.full(rays.angles.size, rays.period / rays.angles.shape[0]),
        ramp_response(columns + sum(rays.pad), rays.pitch, **window),
        rays.pad,
        prepare=prepare,
        together=partners,
    )
    out = result_array(edge, rows, volume, stage.scratch(rows.itemsize))
    if (np.diff(rays.order) != 1).any() and not isinstance(rows, RowsOnDemand):
        rows = edge.xp.ascontiguousarray(rows[edge.xp.asarray(rays.order)])
    climb = geometry.pitch / (2 * np.pi)
    table = turning_views(rays.angles.ravel(), volume, 0.0, climb * rays.angles.ravel())
    table[~rays.exists.ravel(), 6] = _FAR_AWAY
    kind = _REBINNED_CURVED if geometry.curved else _REBINNED_FLAT
    column = (rays.pad[0] - rays.distance[0] / rays.pitch, 1 / rays.pitch)
    row = (-v[0] / pixel_v, far / pixel_v)
    for part, filtered in stage.chunks(edge, rows):
        edge.kernels.backproject_helix(
            *(filtered, geometry.rows, table[part], kind, column, row, near, climb),
            *(volume.spacing[0], partners, _FEATHER, part.start > 0, out),
        )
    return out


def _rebin(geometry: ConeBeam, volume: Volume) -> _Rebinning:
    order = np.argsort(geometry.angles, kind="stable")
    angles = geometry.angles[order]
    steps = np.diff(angles)
    if angles.size < 2 or not (steps > 0).all():
        raise GeometryError(
            "the views of a helix must have distinct angles that go on counting beyond one turn"
        )
    near, far, u = geometry.source_origin, geometry.source_detector, geometry.column_positions()
    edges = u[[0, -1]] / far if geometry.curved else np.arctan(u[[0, -1]] / far)
    first, last = near * np.sin(edges)
    pitch = geometry.pixel[1] * near / far
    columns = int((last - first) / pitch + 1e-9) + 1
    distance = 0.5 * (first + last) + (np.arange(columns) - 0.5 * (columns - 1)) * pitch
    displaced = is_displaced(distance, pitch, volume.radius)
    period = 2 * np.pi if displaced else np.pi
    weights = displaced_weights(distance, pitch) if displaced else np.ones(columns)
    pad = mirrored_columns(distance, pitch) if displaced else (0, 0)
    fan = np.arcsin(distance / near)
    at = far * (fan if geometry.curved else np.tan(fan))
    column_at = np.clip((at - u[0]) / geometry.pixel[1], 0.0, u.size - 1.0)
    low, high = angles[0] - fan[0], angles[-1] - fan[-1]
    groups = max(int(np.ceil(period / float(np.median(steps)) - 1e-6)), 1)
    count = int((high - low) / (period / groups) + 1e-9) + 1
    if high < low or count < groups:
        needed = period + float(fan[-1] - fan[0])
        raise GeometryError(
            f"the helix covers {np.degrees(angles[-1] - angles[0]):.1f} degrees; fdk needs "
            f"{np.degrees(needed):.1f} ({'a' if displaced else 'half a'} turn and the fan)"
        )
    partners = -(-count // groups)
    index = np.arange(groups)[:, None] + groups * np.arange(partners)
    return _Rebinning(
        period=period,
        angles=low + index * (period / groups),
        exists=index < count,
        distance=distance,
        fan=fan,
        order=order,
        sorted_angles=angles,
        column_at=column_at,
        weights=weights,
        pad=pad,
    )


def _seen(geometry: ConeBeam, volume: Volume, rays: _Rebinning) -> np.ndarray:
    """Which of the rebinned views may see a voxel: as many as fit between the outermost slices."""
    near, far = geometry.source_origin, geometry.source_detector
    v = geometry.row_positions()
    reach = (np.abs(v).max() + geometry.pixel[0]) * (near + volume.radius) / far
    reach += abs(geometry.pitch) / 4 + volume.spacing[0] * _TILE  # a ray's own height, whole tiles
    z, source = volume.axes()[0], geometry.pitch / (2 * np.pi) * rays.angles.ravel()
    return rays.exists.ravel() & (source > z[0] - reach) & (source < z[-1] + reach)


def _warn_of_gaps(geometry: ConeBeam, volume: Volume, rays: _Rebinning) -> None:
    """Parts of the volume's axis that some angles do not see."""
    scale = geometry.source_origin / geometry.source_detector
    height = geometry.rows * geometry.pixel[0] * scale
    travel = abs(geometry.pitch) * rays.period / (2 * np.pi)
    if travel > height:
        warnings.warn(
            f"the rays return after {travel:g} mm of travel, the detector's height at the axis is "
            f"{height:g} mm; slices between the turns are not seen from every angle",
            PyradWarning,
            stacklevel=4,
        )
        return
    source = geometry.pitch / (2 * np.pi) * rays.angles[rays.exists]
    middle = geometry.offset[0] * scale
    low = source.min() + travel - 0.5 * height + middle
    high = source.max() - travel + 0.5 * height + middle
    z = volume.axes()[0]
    if z[0] < low or z[-1] > high:
        warnings.warn(
            f"the helix sees z = {low:.1f} to {high:.1f} mm from every angle, the volume's slices "
            f"reach from {z[0]:.1f} to {z[-1]:.1f} mm; the rest is too dark",
            PyradWarning,
            stacklevel=4,
        )
