"""Views of a flying focal spot on a curved detector, as the focal centre would have seen them.

In the plane of rotation a ray from the focal spot to a detector element lies on a line that meets
the circle of the focal centre: there, turned by a small angle delta, stands the view whose ray runs
along the same line. Rays keep this line and the height at which they pass the axis; what remains
is their slope, off by the axial shift over the radius (1 mrad for 0.6 mm). Each position of the
spot gives the whole scan by linear interpolation in views, columns and rows, and the mean of them
is returned.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..errors import GeometryError
from .files import shown

_POSITIONS = 8  # more than any mode of a flying focal spot has
_BLOCK = 256  # views made at a time
_SAME = 1e-3  # mm: shifts nearer than this are one position


def centred(
    folder: Path, data: np.ndarray, beam: Any, shifts: np.ndarray
) -> tuple[np.ndarray, int]:
    """Projections (views, rows, columns) of ``beam``, a circle or helix on a curved detector, and
    the number of positions of the spot.

    ``shifts`` (views, 3) are the spot's radial (mm), angular (rad, from x towards y) and axial
    (mm) distance from the focal centre.
    """
    scale = np.array([1.0, beam.source_origin, 1.0])
    spots, member = np.unique(
        np.round(shifts * scale / _SAME).astype(np.int64), axis=0, return_inverse=True
    )
    if len(spots) > _POSITIONS:
        raise GeometryError(
            f"{shown(folder)}: the focal spot takes {len(spots)} positions; expected at most "
            f"{_POSITIONS}"
        )
    out = np.zeros_like(data)
    for k in range(len(spots)):
        views = np.flatnonzero(member.reshape(-1) == k)
        if views.size < 2:
            raise GeometryError(
                f"{shown(folder)}: a position of the focal spot holds for a single view"
            )
        _add(out, data, beam, views, shifts[views].mean(axis=0), 1.0 / len(spots))
    return out, len(spots)


def _add(
    out: np.ndarray, data: np.ndarray, beam: Any, views: np.ndarray, shift: np.ndarray, part: float
) -> None:
    """The scan as the views of one position give it, times ``part``."""
    turned, across = _detector_map(beam, shift)
    views = views[np.argsort(beam.angles[views], kind="stable")]
    place = np.arange(views.size)
    for first in range(0, beam.views, _BLOCK):
        block = slice(first, min(first + _BLOCK, beam.views))
        wanted = beam.angles[block] - turned[:, None]
        low, over = _taps(np.interp(wanted, beam.angles[views], place), place.size)
        start, stop = int(low.min()), min(int(low.max()) + 2, place.size)
        measured = data[views[start:stop]].reshape(stop - start, -1)
        moved = (across @ measured.T).reshape(beam.rows, beam.columns, -1)
        next_view = np.minimum(low + 1, place.size - 1) - start
        for column in range(beam.columns):
            lines, share = moved[:, column], over[column]
            value = (
                lines[:, low[column] - start] * (1 - share) + lines[:, next_view[column]] * share
            )
            out[block, :, column] += part * value.T


def _detector_map(beam: Any, shift: np.ndarray) -> tuple[np.ndarray, Any]:
    """For every centred column the angle from the measured view to it, and the sparse matrix that
    interpolates a measured view in columns and rows."""
    from scipy.sparse import csr_matrix

    turned, column, slope, rise = _along_lines(beam, shift)
    v, rows, columns = beam.row_positions(), beam.rows, beam.columns
    row, over_row = _taps(((v[:, None] - rise) / slope - v[0]) / beam.pixel[0], rows)
    c, over_column = _taps(column, columns)
    source, share = [], []
    for r, by_row in ((row, 1 - over_row), (np.minimum(row + 1, rows - 1), over_row)):
        for k, by_column in ((c, 1 - over_column), (np.minimum(c + 1, columns - 1), over_column)):
            source.append((r * columns + k).ravel())
            share.append((by_row * by_column).ravel())
    target = np.tile(np.arange(rows * columns), 4)
    entries = (np.concatenate(share).astype(np.float32), (target, np.concatenate(source)))
    return turned, csr_matrix(entries, shape=(rows * columns,) * 2)


def _taps(position: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Lower neighbour and distance from it; positions beyond the ends are moved there."""
    inside = np.clip(position, 0.0, count - 1.0)
    low = np.minimum(inside.astype(np.int64), max(count - 2, 0))
    return low, (inside - low).astype(np.float32)


def _along_lines(beam: Any, shift: np.ndarray) -> tuple[np.ndarray, ...]:
    """For every column of the centred scan: angle from the measured view to it, measured column,
    and the centred row position as ``slope * w + rise`` of the measured one."""
    near, far = beam.source_origin, beam.source_detector
    radial, angular, axial = shift
    spot = (near + radial) * np.array([np.sin(angular), -np.cos(angular)])
    gamma = beam.column_positions() / far
    pixel = np.stack([far * np.sin(gamma), far * np.cos(gamma) - near], axis=-1)
    ray = pixel - spot
    length = np.linalg.norm(ray, axis=1)
    ray /= length[:, None]
    middle = -(ray @ spot)  # from the spot to where the line passes the axis
    half = np.sqrt(near**2 - (spot @ spot - middle**2))
    source = spot + (middle - half)[:, None] * ray
    turned = np.arctan2(source[:, 0], -source[:, 1])
    cos, sin = np.cos(turned), np.sin(turned)
    fan = np.arctan2(ray[:, 0] * cos + ray[:, 1] * sin, ray[:, 1] * cos - ray[:, 0] * sin)
    # heights at the axis: axial + (w - axial) * middle / length, and climb + v * half / far
    climb = beam.pitch * turned / (2 * np.pi)
    slope = (middle / length) * (far / half)
    rise = (axial * (1 - middle / length) - climb) * (far / half)
    measured = np.arange(gamma.size, dtype=np.float64)
    column = np.interp(gamma, fan, measured)
    at = [np.interp(column, measured, values) for values in (turned, slope, rise)]
    return at[0], column, at[1], at[2]
