"""Parallel rays, one or many detector rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..errors import GeometryError
from ._values import angle_array, per_axis, positive_per_axis, sizes, warn_of_angles
from .beam import Beam, Frames, axes_at
from .poses import check_poses, locate_on_detector, moved_detector, pixel_centres, unit
from .volume import Volume

__all__ = ["ParallelBeam"]


@dataclass(frozen=True, eq=False, init=False)
class ParallelBeam(Beam):
    """Parallel-beam scan about the z axis, or any set of poses through :meth:`from_vectors`.

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
    vectors: np.ndarray | None = field(default=None, init=False)

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
        put(self, "vectors", None)

    @classmethod
    def from_vectors(
        cls,
        direction: Any,
        detector_centre: Any,
        u: Any,
        v: Any,
        *,
        detector: Sequence[int],
        pixel: float | Sequence[float] | None = None,
    ) -> ParallelBeam:
        """Rays and flat detector in a free pose per view: laminography, tilts, jitter.

        Parameters
        ----------
        direction : array_like, shape (views, 3)
            Direction (x, y, z) of the rays, of any length; need not be the detector's normal.
        detector_centre : array_like, shape (views, 3)
            World positions (x, y, z) in mm.
        u, v : array_like, shape (views, 3)
            Steps from one column, one row, to the next. Their lengths are the pixel pitch, unless
            ``pixel`` is given: then only their directions count. They must be perpendicular.
        detector : (int, int)
            (rows, columns).
        pixel : float or (float, float), optional
            Pitch in mm, one number or (row, column).

        Raises
        ------
        GeometryError
            Arrays that disagree, NaN or Inf, a vector of length 0, rays within the detector's
            plane.

        Examples
        --------
        Laminography: rays 30 degrees off the plane of rotation.

        >>> import numpy as np
        >>> t = np.linspace(0, 2 * np.pi, 90, endpoint=False)
        >>> u = np.stack([np.cos(t), np.sin(t), 0 * t], axis=-1)
        >>> ray = np.stack([-np.sin(t), np.cos(t), 0 * t + np.tan(np.pi / 6)], axis=-1)
        >>> v = np.cross(u, ray)
        >>> scan = ParallelBeam.from_vectors(ray, 0 * u, u, v, detector=(64, 64), pixel=0.5)

        Notes
        -----
        ``angles`` is read off the directions; :meth:`frames` and :meth:`rays` use the vectors.
        """
        given = {"direction": direction, "detector_centre": detector_centre, "u": u, "v": v}
        checked, pitches = check_poses(given, pixel)
        ray, centre = checked["direction"], checked["detector_centre"]
        length = np.linalg.norm(ray, axis=1)
        if not (length > 0).all():
            raise GeometryError(f"direction has length 0 at view {int(np.argmin(length))}")
        ray = unit(ray)
        across = np.abs(np.einsum("vi,vi->v", ray, unit(np.cross(checked["u"], checked["v"]))))
        if not (across > 1e-6).all():
            raise GeometryError(
                f"the rays of view {int(np.argmin(across))} lie in the plane of its detector"
            )
        self = object.__new__(cls)
        put = object.__setattr__
        put(self, "angles", angle_array(np.unwrap(np.arctan2(-ray[:, 0], ray[:, 1]))))
        put(self, "detector", sizes("detector", detector, (2,)))
        put(self, "pixel", pitches)
        put(self, "offset", (0.0, 0.0))
        poses = np.stack([ray, centre, checked["u"], checked["v"]], axis=1)
        poses.flags.writeable = False
        put(self, "vectors", poses)
        return self

    def frames(self) -> Frames:
        if self.vectors is not None:
            ray, centre, *steps = (self.vectors[:, i] for i in range(4))
            return Frames(None, ray, centre, *steps)
        u, v, d = axes_at(self.angles)
        centre = self.offset[-1] * u
        if len(self.detector) == 2:
            centre = centre + self.offset[0] * v
        return Frames(None, d, centre, self.pixel[-1] * u, self.pixel[0] * v)

    def rays(self) -> tuple[np.ndarray, np.ndarray]:
        if self.vectors is not None:
            origin = pixel_centres(self, self.frames())
            ray = self.vectors[:, None, None, 0]
            return origin, np.broadcast_to(ray, origin.shape).copy()
        u, v, d = axes_at(self.angles)
        along_u = self.column_positions()[:, None] * u[:, None, None, :]
        along_v = self.row_positions()[:, None, None] * v[:, None, None, :]
        shape = (*self.projection_shape, 3)
        origin = (along_u + along_v).reshape(shape)
        direction = np.broadcast_to(d[:, None, None, :], (self.views, self.rows, self.columns, 3))
        return origin, direction.reshape(shape).copy()

    def locate(self, points: Any) -> np.ndarray:
        points = np.asarray(points, dtype=np.float64)
        if self.vectors is not None:
            ray = self.vectors[:, None, 0]
            starts = np.broadcast_to(points[None], (self.views, *points.shape))
            return locate_on_detector(self.frames(), starts, np.broadcast_to(ray, starts.shape))
        u, v, _ = axes_at(self.angles)
        return np.stack([u @ points.T, v @ points.T], axis=-1)

    def perturbed(
        self, *, shift: Any = (0.0, 0.0), roll: Any = 0.0, tilt: Any = (0.0, 0.0)
    ) -> ParallelBeam:
        if len(self.detector) == 1:
            super().perturbed()
        frames = self.frames()
        poses = moved_detector(frames, shift, roll, tilt)
        made = self.from_vectors(frames.direction, *poses, detector=self.detector, pixel=self.pixel)
        object.__setattr__(made, "angles", self.angles)
        return made

    def _check_source(self, volume: Volume) -> None:
        """The source is infinitely far away."""


def column_offset(offset: float | Sequence[float], axes: int) -> tuple[float, ...]:
    """A single number shifts along the columns only."""
    if np.ndim(offset) == 0 and axes == 2:
        offset = (0.0, offset)  # type: ignore[assignment]
    return per_axis("offset", offset, axes)
