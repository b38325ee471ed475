"""Fan of rays from a point source onto one detector row, flat or curved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .._checks import number, positive
from ..errors import GeometryError
from ._values import angle_array, sizes, warn_of_angles
from .beam import Beam, Frames, axes_at
from .volume import Volume

__all__ = ["FanBeam"]


@dataclass(frozen=True, eq=False, init=False)
class FanBeam(Beam):
    """Fan-beam scan in the plane z = 0.

    Parameters
    ----------
    angles : array_like
        Radians, one per view.
    detector : int
        Columns.
    pixel : float
        Pixel pitch on the detector in mm; along the arc if ``curved``.
    source_origin, source_detector : float
        Distances in mm from the source to the rotation axis and to the detector.
    curved : bool
        The detector is an arc about the source instead of a line.
    offset : float
        Shift of the detector along its columns in mm.

    Raises
    ------
    GeometryError
        As ParallelBeam; also ``source_detector <= source_origin``, a distance <= 0, or a curved
        detector that spans half a turn or more.

    Examples
    --------
    >>> FanBeam([0.0, 0.1], 560, 0.2, 410.66, 553.74).projection_shape
    (2, 560)
    """

    angles: np.ndarray
    detector: tuple[int, ...]
    pixel: tuple[float, ...]
    source_origin: float
    source_detector: float
    curved: bool = False
    offset: tuple[float, ...] = (0.0,)

    def __init__(
        self,
        angles: Any,
        detector: int,
        pixel: float,
        source_origin: float,
        source_detector: float,
        curved: bool = False,
        offset: float = 0.0,
    ):
        put = object.__setattr__
        put(self, "angles", angle_array(angles))
        warn_of_angles(self.angles)
        put(self, "detector", sizes("detector", detector, (1,)))
        put(self, "pixel", (positive("pixel", _single(pixel), GeometryError),))
        near, far = distances(source_origin, source_detector)
        put(self, "source_origin", near)
        put(self, "source_detector", far)
        put(self, "curved", bool(curved))
        put(self, "offset", (number("offset", _single(offset), GeometryError),))
        check_arc(self)

    def frames(self) -> Frames:
        u, v, d = axes_at(self.angles)
        source = -self.source_origin * d
        centre = (self.source_detector - self.source_origin) * d + self.offset[-1] * u
        return Frames(source, d, centre, self.pixel[-1] * u, np.zeros_like(u) + v)

    def rays(self) -> tuple[np.ndarray, np.ndarray]:
        return divergent_rays(self, self.frames())

    def locate(self, points: Any) -> np.ndarray:
        return locate_from_source(self, self.frames(), points)

    def _check_source(self, volume: Volume) -> None:
        source_outside(self.source_origin, volume)


def distances(source_origin: Any, source_detector: Any) -> tuple[float, float]:
    near = positive("source_origin", source_origin, GeometryError)
    far = positive("source_detector", source_detector, GeometryError)
    if far <= near:
        raise GeometryError(
            f"source_detector is {far:g} mm, but source_origin is {near:g} mm; the detector must "
            "stand behind the rotation axis"
        )
    return near, far


def check_arc(beam: Any) -> None:
    half_turn = 0.5 * np.pi * beam.source_detector
    edge = float(np.abs(beam.column_positions()).max())
    if beam.curved and edge >= half_turn:
        raise GeometryError(
            f"the curved detector reaches {edge:g} mm along its arc, half a turn about the source "
            f"is {half_turn:g} mm; reduce pixel, detector or offset"
        )


def source_outside(source_origin: float, volume: Volume) -> None:
    if source_origin <= volume.radius:
        raise GeometryError(
            f"the source runs inside the volume: source_origin is {source_origin:g} mm, but the "
            f"volume reaches {volume.radius:g} mm from the rotation axis"
        )


def divergent_rays(beam: Any, frames: Frames) -> tuple[np.ndarray, np.ndarray]:
    """Rays from the source to every pixel of a flat or curved detector."""
    columns = beam.column_positions()[None, None, :, None]
    rows = beam.row_positions()[None, :, None, None]
    unit_u = (frames.u / np.linalg.norm(frames.u, axis=-1, keepdims=True))[:, None, None, :]
    unit_v = (frames.v / np.linalg.norm(frames.v, axis=-1, keepdims=True))[:, None, None, :]
    far = beam.source_detector
    d = frames.direction[:, None, None, :]
    if beam.curved:
        across = far * (np.cos(columns / far) * d + np.sin(columns / far) * unit_u)
    else:
        across = far * d + columns * unit_u
    direction = across + rows * unit_v
    direction /= np.linalg.norm(direction, axis=-1, keepdims=True)
    shape = (*beam.projection_shape, 3)
    assert frames.source is not None
    origin = np.broadcast_to(frames.source[:, None, None, :], direction.shape)
    return origin.reshape(shape).copy(), direction.reshape(shape)


def locate_from_source(beam: Any, frames: Frames, points: Any) -> np.ndarray:
    assert frames.source is not None
    rays = np.asarray(points, dtype=np.float64)[None] - frames.source[:, None, :]
    along = np.einsum("vpi,vi->vp", rays, frames.direction)
    across = np.einsum("vpi,vi->vp", rays, frames.u)
    across = across / np.linalg.norm(frames.u, axis=-1)[:, None]
    up = np.einsum("vpi,vi->vp", rays, frames.v)
    up = up / np.linalg.norm(frames.v, axis=-1)[:, None]
    far = beam.source_detector
    if beam.curved:
        return np.stack(
            [far * np.arctan2(across, along), far * up / np.hypot(across, along)], axis=-1
        )
    return np.stack([far * across / along, far * up / along], axis=-1)


def _single(value: Any) -> Any:
    """A one-element sequence counts as its element."""
    return value[0] if np.ndim(value) == 1 and len(value) == 1 else value
