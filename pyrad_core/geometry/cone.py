"""Cone of rays from a point source onto a flat or cylindrical detector; circular, helical, free."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .._checks import number
from ..errors import GeometryError
from ._values import angle_array, per_axis, positive_per_axis, sizes, warn_of_angles
from .beam import Beam, Frames, axes_at
from .fan import check_arc, distances, divergent_rays, locate_from_source, source_outside
from .poses import check_poses, locate_on_detector, moved_detector, pixel_centres, unit
from .volume import Volume

__all__ = ["ConeBeam"]


@dataclass(frozen=True, eq=False, init=False)
class ConeBeam(Beam):
    """Cone-beam scan: a circle, a helix, or any set of poses through :meth:`from_vectors`.

    Parameters
    ----------
    angles : array_like
        Radians, one per view; a helix goes on counting beyond one turn.
    detector : (int, int)
        (rows, columns).
    pixel : float or (float, float)
        Pixel pitch on the detector in mm, one number or (row, column); columns along the arc if
        ``curved``.
    source_origin, source_detector : float
        Distances in mm from the source to the rotation axis and to the detector.
    curved : bool
        The detector is a cylinder about the source, its axis along v.
    offset : (float, float)
        Shift of the detector in mm, (row, column); one number shifts the columns.
    pitch : float
        Travel of source and detector along z per turn in mm; 0 for a circle.

    Raises
    ------
    GeometryError
        As FanBeam.

    Examples
    --------
    >>> import numpy as np
    >>> turn = np.linspace(0, 2 * np.pi, 360, endpoint=False)
    >>> ConeBeam(turn, (256, 256), 1.8, 1000, 1536).projection_shape
    (360, 256, 256)
    """

    angles: np.ndarray
    detector: tuple[int, ...]
    pixel: tuple[float, ...]
    source_origin: float
    source_detector: float
    curved: bool = False
    offset: tuple[float, ...] = (0.0, 0.0)
    pitch: float = 0.0
    vectors: np.ndarray | None = field(default=None, init=False)

    def __init__(
        self,
        angles: Any,
        detector: Sequence[int],
        pixel: float | Sequence[float],
        source_origin: float,
        source_detector: float,
        curved: bool = False,
        offset: float | Sequence[float] = (0.0, 0.0),
        pitch: float = 0.0,
    ):
        put = object.__setattr__
        put(self, "angles", angle_array(angles))
        put(self, "pitch", number("pitch", pitch, GeometryError))
        warn_of_angles(self.angles, turns=self.pitch != 0)
        put(self, "detector", sizes("detector", detector, (2,)))
        put(self, "pixel", positive_per_axis("pixel", pixel, 2))
        near, far = distances(source_origin, source_detector)
        put(self, "source_origin", near)
        put(self, "source_detector", far)
        put(self, "curved", bool(curved))
        shift = (0.0, offset) if np.ndim(offset) == 0 else offset
        put(self, "offset", per_axis("offset", shift, 2))
        put(self, "vectors", None)
        check_arc(self)

    @classmethod
    def from_vectors(
        cls,
        source: Any,
        detector_centre: Any,
        u: Any,
        v: Any,
        *,
        detector: Sequence[int],
        pixel: float | Sequence[float] | None = None,
    ) -> ConeBeam:
        """Flat detector in a free pose per view.

        Parameters
        ----------
        source, detector_centre : array_like, shape (views, 3)
            World positions (x, y, z) in mm.
        u, v : array_like, shape (views, 3)
            Steps from one column, one row, to the next. Their lengths are the pixel pitch, unless
            ``pixel`` is given: then only their directions count. They must be perpendicular.
        detector : (int, int)
            (rows, columns).
        pixel : float or (float, float), optional
            Pitch in mm, one number or (row, column).

        Notes
        -----
        ``angles`` is read off the sources; ``source_origin`` and ``source_detector`` are those of
        the first view, for information: :meth:`frames` and :meth:`rays` use the vectors.
        """
        given = {"source": source, "detector_centre": detector_centre, "u": u, "v": v}
        checked, pitches = check_poses(given, pixel)
        self = object.__new__(cls)
        put = object.__setattr__
        at, centre = checked["source"], checked["detector_centre"]
        angles = np.unwrap(np.arctan2(at[:, 0], -at[:, 1]))
        put(self, "angles", angle_array(angles))
        put(self, "detector", sizes("detector", detector, (2,)))
        put(self, "pixel", pitches)
        put(self, "source_origin", float(np.hypot(at[0, 0], at[0, 1])))
        put(self, "source_detector", float(_distance_to_detector(checked)[0]))
        put(self, "curved", False)
        put(self, "offset", (0.0, 0.0))
        put(self, "pitch", 0.0)
        poses = np.stack([at, centre, checked["u"], checked["v"]], axis=1)
        poses.flags.writeable = False
        put(self, "vectors", poses)
        return self

    def frames(self) -> Frames:
        if self.vectors is not None:
            source, centre, u, v = (self.vectors[:, i] for i in range(4))
            normal = unit(np.cross(v, u))
            facing = np.sign(np.einsum("vi,vi->v", centre - source, normal))
            return Frames(source, normal * facing[:, None], centre, u, v)
        u, v, d = axes_at(self.angles)
        lift = (self.pitch * self.angles / (2 * np.pi))[:, None] * v
        source = -self.source_origin * d + lift
        centre = (self.source_detector - self.source_origin) * d + lift
        centre = centre + self.offset[-1] * u + self.offset[0] * v
        return Frames(source, d, centre, self.pixel[-1] * u, self.pixel[0] * v)

    def rays(self) -> tuple[np.ndarray, np.ndarray]:
        frames = self.frames()
        if self.vectors is None:
            return divergent_rays(self, frames)
        assert frames.source is not None
        direction = unit(pixel_centres(self, frames) - frames.source[:, None, None])
        return np.broadcast_to(frames.source[:, None, None], direction.shape).copy(), direction

    def locate(self, points: Any) -> np.ndarray:
        frames = self.frames()
        if self.vectors is None:
            return locate_from_source(self, frames, points)
        assert frames.source is not None
        starts = frames.source[:, None]
        return locate_on_detector(frames, starts, np.asarray(points, np.float64)[None] - starts)

    def perturbed(
        self, *, shift: Any = (0.0, 0.0), roll: Any = 0.0, tilt: Any = (0.0, 0.0)
    ) -> ConeBeam:
        if self.curved:
            raise GeometryError("a curved detector has no vector form; it cannot be perturbed")
        frames = self.frames()
        poses = moved_detector(frames, shift, roll, tilt)
        made = self.from_vectors(frames.source, *poses, detector=self.detector, pixel=self.pixel)
        object.__setattr__(made, "angles", self.angles)
        return made

    def _check_source(self, volume: Volume) -> None:
        if self.vectors is None:
            source_outside(self.source_origin, volume)
            return
        corners = volume.corners()
        low, high = corners.min(axis=0), corners.max(axis=0)
        source = self.vectors[:, 0]
        inside = ((source >= low) & (source <= high)).all(axis=1)
        if inside.any():
            first = int(np.argmax(inside))
            at = tuple(float(x) for x in source[first])
            raise GeometryError(
                f"source {first} at {at} mm is inside the volume, which spans "
                f"{tuple(low)} to {tuple(high)} mm"
            )


def _distance_to_detector(poses: dict[str, np.ndarray]) -> np.ndarray:
    normal = unit(np.cross(poses["v"], poses["u"]))
    reach = np.abs(np.einsum("vi,vi->v", poses["detector_centre"] - poses["source"], normal))
    if not (reach > 0).all():
        raise GeometryError(
            f"the source of view {int(np.argmin(reach))} lies in the plane of its detector"
        )
    return reach
