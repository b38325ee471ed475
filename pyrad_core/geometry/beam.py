"""What the three beam geometries share: detector grid, frames, rays, fit to a volume."""

from __future__ import annotations

import abc
import copy
import dataclasses
import warnings
from typing import Any, NamedTuple, Self

import numpy as np

from ..errors import GeometryError, PyradWarning
from .volume import Volume

__all__ = ["Beam", "Frames"]


class Frames(NamedTuple):
    """Position of every view in world mm; each array has shape (views, 3)."""

    source: np.ndarray | None  # None for parallel rays
    direction: np.ndarray  # unit vector of the central ray
    centre: np.ndarray  # centre of the detector, offset included
    u: np.ndarray  # step from one column to the next
    v: np.ndarray  # step from one row to the next


class Beam(abc.ABC):
    """Base of ParallelBeam, FanBeam and ConeBeam."""

    angles: np.ndarray
    detector: tuple[int, ...]
    pixel: tuple[float, ...]
    offset: tuple[float, ...]

    @property
    def views(self) -> int:
        return int(self.angles.size)

    @property
    def columns(self) -> int:
        return self.detector[-1]

    @property
    def rows(self) -> int:
        """Detector rows; 1 where the detector is a line."""
        return self.detector[0] if len(self.detector) == 2 else 1

    @property
    def projection_shape(self) -> tuple[int, ...]:
        """Shape of the projections: (views, columns) or (views, rows, columns)."""
        return (self.views, *self.detector)

    def column_positions(self) -> np.ndarray:
        """Centres of the columns along u in mm (along the arc if curved), offset included."""
        return _centres(self.columns, self.pixel[-1], self.offset[-1])

    def row_positions(self) -> np.ndarray:
        """Centres of the rows along v in mm, offset included; [0.] for a line detector."""
        if len(self.detector) == 1:
            return np.zeros(1)
        return _centres(self.rows, self.pixel[0], self.offset[0])

    @abc.abstractmethod
    def frames(self) -> Frames:
        """Source, central ray, detector centre and pixel steps of every view."""

    @abc.abstractmethod
    def rays(self) -> tuple[np.ndarray, np.ndarray]:
        """A point on the ray of every detector pixel and the ray's unit direction, world mm.

        Both arrays have shape ``(*projection_shape, 3)``, the last axis being (x, y, z). The
        point is the source for divergent rays and the detector pixel for parallel ones.
        """

    @abc.abstractmethod
    def locate(self, points: Any) -> np.ndarray:
        """Where world points (n, 3) appear on the detector: (views, n, 2) as (u, v) in mm.

        u and v are measured from the foot of the central ray, so that ``column_positions`` and
        ``row_positions`` are their values at the pixels.
        """

    def replace(self, **changes: Any) -> Self:
        """The same scan with some constructor arguments changed; everything is checked anew."""
        if getattr(self, "vectors", None) is not None:
            raise GeometryError("a scan made by from_vectors has no such arguments; make it anew")
        return dataclasses.replace(self, **changes)  # type: ignore[type-var]

    def subset(self, views: Any) -> Self:
        """The same scan with some of its views: an index array, a boolean mask or a slice."""
        chosen = copy.copy(self)
        for name, value in vars(self).items():
            if isinstance(value, np.ndarray):
                part = np.array(value[views])
                if part.ndim != value.ndim or len(part) == 0:
                    raise GeometryError(f"views selects {part.shape} of {self.views} views")
                part.flags.writeable = False
                object.__setattr__(chosen, name, part)
        return chosen

    def perturbed(
        self, *, shift: Any = (0.0, 0.0), roll: Any = 0.0, tilt: Any = (0.0, 0.0)
    ) -> Beam:
        """The same scan with its flat detector moved, in the form of :meth:`from_vectors`.

        Every argument is one value for all views or one per view: jitter, calibrated
        misalignment, a detector that sags.

        Parameters
        ----------
        shift : (float, float) or array_like, shape (views, 2)
            Along the moved detector's (v, u) in mm, the order of ``offset``.
        roll : float or array_like, shape (views,)
            Rotation in the detector's plane in radians, from u towards v.
        tilt : (float, float) or array_like, shape (views, 2)
            Right-handed rotation about u and about v in radians.

        Returns
        -------
        ParallelBeam or ConeBeam
            Source, or direction of the rays, and angles as before. The detector turns about its
            centre: about v, then u, then its normal (all three of the unmoved detector), then it
            shifts.

        Raises
        ------
        GeometryError
            A detector that is curved or a single line; a value that is not finite.

        Examples
        --------
        >>> import pyrad_core as prc
        >>> scan = prc.ConeBeam([0.0, 0.1], (64, 64), 1.0, 500.0, 800.0)
        >>> scan.perturbed(shift=[(0.0, 0.2), (0.0, -0.1)], roll=0.01).views
        2
        """
        raise GeometryError(
            f"{type(self).__name__} with detector {self.detector} has no vector form; use a "
            "ParallelBeam or a ConeBeam with rows"
        )

    def check_volume(self, volume: Volume) -> None:
        """Raise if the source is inside the volume, warn if no view sees any of it."""
        if not isinstance(volume, Volume):
            raise GeometryError(f"volume is {type(volume).__name__}; expected a Volume")
        self._check_source(volume)
        seen = self.locate(volume.corners())
        columns, rows = self.column_positions(), self.row_positions()
        half_u = 0.5 * self.pixel[-1]
        hit = (seen[..., 0].min(axis=1) < columns[-1] + half_u) & (
            seen[..., 0].max(axis=1) > columns[0] - half_u
        )
        if len(self.detector) == 2 and volume.ndim == 3:
            half_v = 0.5 * self.pixel[0]
            hit &= (seen[..., 1].min(axis=1) < rows[-1] + half_v) & (
                seen[..., 1].max(axis=1) > rows[0] - half_v
            )
        if not hit.any():
            warnings.warn(
                f"the detector misses the volume in all {self.views} views; check offset "
                f"{self.offset} mm and the volume's origin {volume.origin} mm",
                PyradWarning,
                stacklevel=3,
            )

    @abc.abstractmethod
    def _check_source(self, volume: Volume) -> None:
        """Divergent beams refuse a source within the volume's circle."""

    def _key(self) -> tuple[Any, ...]:
        """What equality and hash compare: every field, arrays as bytes."""
        return (
            type(self),
            *(
                (value.shape, value.tobytes()) if isinstance(value, np.ndarray) else value
                for value in vars(self).values()
            ),
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Beam):
            return NotImplemented
        return self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())


def axes_at(angles: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """u, v and d of every view for a rotation about z."""
    cos, sin, zero = np.cos(angles), np.sin(angles), np.zeros_like(angles)
    u = np.stack([cos, sin, zero], axis=-1)
    v = np.broadcast_to([0.0, 0.0, 1.0], u.shape)
    d = np.stack([-sin, cos, zero], axis=-1)
    return u, v, d


def _centres(count: int, pixel: float, offset: float) -> np.ndarray:
    return (np.arange(count) - 0.5 * (count - 1)) * pixel + offset
