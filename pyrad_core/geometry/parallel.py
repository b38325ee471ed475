"""Parallel rays, one or many detector rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ._values import angle_array, per_axis, positive_per_axis, sizes, warn_of_angles
from .beam import Beam, Frames, axes_at
from .volume import Volume

__all__ = ["ParallelBeam"]


@dataclass(frozen=True, eq=False, init=False)
class ParallelBeam(Beam):
    """Parallel-beam scan about the z axis.

    Parameters
    ----------
    angles : array_like
        Radians, one per view; any order, any range. Repeated angles warn and are used as given.
    detector : int or (int, int)
        Columns, or (rows, columns).
    pixel : float or (float, float)
        Pixel pitch in mm, one number or (row, column).
    offset : float or (float, float)
        Shift of the detector in mm: along the columns, or (row, column).

    Raises
    ------
    GeometryError
        No angle, a NaN or Inf angle (with count and first index), a size < 1, a pixel <= 0.

    Examples
    --------
    >>> import numpy as np
    >>> ParallelBeam(np.linspace(0, np.pi, 180, endpoint=False), 256).projection_shape
    (180, 256)
    """

    angles: np.ndarray
    detector: tuple[int, ...]
    pixel: tuple[float, ...] = (1.0,)
    offset: tuple[float, ...] = (0.0,)

    def __init__(
        self,
        angles: Any,
        detector: int | Sequence[int],
        pixel: float | Sequence[float] = 1.0,
        offset: float | Sequence[float] = 0.0,
    ):
        put = object.__setattr__
        put(self, "angles", angle_array(angles))
        warn_of_angles(self.angles)
        put(self, "detector", sizes("detector", detector, (1, 2)))
        axes = len(self.detector)
        put(self, "pixel", positive_per_axis("pixel", pixel, axes))
        put(self, "offset", column_offset(offset, axes))

    def frames(self) -> Frames:
        u, v, d = axes_at(self.angles)
        centre = self.offset[-1] * u
        if len(self.detector) == 2:
            centre = centre + self.offset[0] * v
        return Frames(None, d, centre, self.pixel[-1] * u, self.pixel[0] * v)

    def rays(self) -> tuple[np.ndarray, np.ndarray]:
        u, v, d = axes_at(self.angles)
        along_u = self.column_positions()[:, None] * u[:, None, None, :]
        along_v = self.row_positions()[:, None, None] * v[:, None, None, :]
        shape = (*self.projection_shape, 3)
        origin = (along_u + along_v).reshape(shape)
        direction = np.broadcast_to(d[:, None, None, :], (self.views, self.rows, self.columns, 3))
        return origin, direction.reshape(shape).copy()

    def locate(self, points: Any) -> np.ndarray:
        points = np.asarray(points, dtype=np.float64)
        u, v, _ = axes_at(self.angles)
        return np.stack([u @ points.T, v @ points.T], axis=-1)

    def _check_source(self, volume: Volume) -> None:
        """The source is infinitely far away."""


def column_offset(offset: float | Sequence[float], axes: int) -> tuple[float, ...]:
    """A single number shifts along the columns only."""
    if np.ndim(offset) == 0 and axes == 2:
        offset = (0.0, offset)  # type: ignore[assignment]
    return per_axis("offset", offset, axes)
