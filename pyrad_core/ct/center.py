"""Finds where the rotation axis projects onto the detector."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .._checks import same_shape
from .._kernels.select import edge_of
from ..errors import DataError, GeometryError
from ..geometry import Beam, ConeBeam, ParallelBeam
from ..geometry._values import angle_array

__all__ = ["find_center", "find_offset"]

_STEPS = ((0.2, 0.8), (0.05, 0.2))  # columns between candidates, and their span; after the first


def find_center(projections: Any, angles: Any) -> float:
    """Column of the rotation axis of a parallel-beam scan over at least half a turn.

    Parameters
    ----------
    projections : array, shape (views, columns) or (views, rows, columns)
        Line integrals; rows are averaged.
    angles : array_like, shape (views,)
        Radians, evenly spaced, in order.

    Returns
    -------
    float
        Column ``c``, counted from 0; the geometry's offset is
        ``((columns - 1) / 2 - c) * pixel``.

    Raises
    ------
    ShapeError
        As many projections as angles are needed.
    DataError
        NaN or Inf, less than half a turn, fewer than 16 views or columns.

    Notes
    -----
    A view and its mirror image half a turn later, matched by correlation, give a first estimate.
    It is refined by the criterion of Vo: half a turn and its mirror image make a full turn only
    about the right axis; about any other one its Fourier transform spills out of the double wedge
    that sinograms are confined to.

    References
    ----------
    N. T. Vo et al., Optics Express 22, 19078, 2014, doi:10.1364/OE.22.019078.

    Examples
    --------
    >>> import numpy as np, pyrad_core as prc
    >>> turn = np.linspace(0, np.pi, 90, endpoint=False)
    >>> scan = prc.ParallelBeam(turn, 128, offset=-3.0)
    >>> disc = prc.phantom.Ellipsoids([[1.0, 20, 12, 9.0, 5.0, 30.0]])
    >>> round(find_center(disc.project(scan), turn))
    66
    """
    edge = edge_of(projections=projections)
    lines = edge.real("projections", ndim=(2, 3))
    views = angle_array(angles)
    same_shape("projections", (lines.shape[0],), "angles", views.shape)
    sinogram = lines if lines.ndim == 2 else lines.mean(axis=1)
    half = _half_turn(views)
    if half < 16 or sinogram.shape[1] < 16:
        raise DataError(
            f"projections hold {half} views of half a turn and {sinogram.shape[1]} columns; "
            "expected at least 16 of each"
        )
    last = min(half, views.size - 1)
    guess = _mirror_match(edge.xp, sinogram[0], sinogram[last])
    search = _DoubleWedge(edge.xp, sinogram[:half])
    reach = max(4.0, sinogram.shape[1] / 40)
    guess = _best(search.periodic_spill, guess, 0.5, reach)
    for step, span in _STEPS:
        guess = _best(search.spill, guess, step, span)
    return guess


def _best(cost: Callable[[float], float], guess: float, step: float, span: float) -> float:
    """The candidate of least cost among guess - span, ..., guess + span."""
    candidates = np.arange(guess - span, guess + 0.5 * step + span, step)
    return float(candidates[np.argmin([cost(float(c)) for c in candidates])])


def _half_turn(angles: np.ndarray) -> int:
    """Number of leading views that make half a turn."""
    travelled = np.abs(angles - angles[0])
    step = float(np.median(np.abs(np.diff(angles)))) if angles.size > 1 else 0.0
    if travelled.max() + 1.5 * step < np.pi:
        raise GeometryError(
            f"angles cover {np.degrees(travelled.max()):.1f} degrees; the centre needs half a turn"
        )
    return int(np.count_nonzero(travelled < np.pi - 0.5 * step))


def _mirror_match(xp: Any, first: Any, opposite: Any) -> float:
    """Centre from the shift that best lays the mirrored opposite view over the first one."""
    columns = first.size
    size = 1 << (2 * columns - 1).bit_length()
    a = xp.fft.rfft(first - first.mean(), size)
    b = xp.fft.rfft(opposite[::-1] - opposite.mean(), size)
    shift = int(xp.argmax(xp.fft.irfft(a * xp.conj(b), size)))
    shift -= size if shift >= size // 2 else 0
    return 0.5 * (columns - 1 + shift)


class _DoubleWedge:
    """Energy outside the double wedge of the full turn made from half a turn and its mirror."""

    def __init__(self, xp: Any, half: Any):
        self._xp, self._half = xp, half
        views, columns = half.shape
        frequency = xp.fft.rfftfreq(columns)
        self._mirror = xp.conj(xp.fft.rfft(half, axis=1))
        self._frequency = frequency
        order = xp.abs(xp.fft.fftfreq(2 * views, 1 / (2 * views)))[:, None]
        wedge = xp.pi * columns * frequency  # 2 pi k R with R = columns / 2
        self._outside = (order > wedge + 2) & (frequency > 2.0 / columns)

        order = xp.fft.fftfreq(2 * views, 1 / (2 * views))
        first = xp.fft.fft(xp.conj(self._mirror), n=2 * views, axis=0)
        second = xp.fft.fft(self._mirror, n=2 * views, axis=0)
        second *= xp.where(order % 2 == 0, 1, -1)[:, None]  # half a turn later
        self._first = first[self._outside].astype("complex64")
        self._second = second[self._outside].astype("complex64")
        self._where = xp.broadcast_to(xp.arange(frequency.size), first.shape)[self._outside]

    def periodic_spill(self, centre: float) -> float:
        """As spill(), as if the detector went on periodically: the transforms are done before."""
        xp = self._xp
        phase = xp.exp(-4j * xp.pi * centre * self._frequency).astype("complex64")
        return float(xp.abs(self._first + phase[self._where] * self._second).mean())

    def spill(self, centre: float) -> float:
        xp = self._xp
        full = xp.concatenate([self._half, self._mirrored(centre)])
        spectrum = xp.fft.fft(xp.fft.rfft(full, axis=1), axis=0)
        return float(xp.abs(spectrum[self._outside]).mean())

    def _mirrored(self, centre: float) -> Any:
        """Half turn mirrored about the centre, shifted by its spectrum: interpolation would
        smooth, and favour some fractions. Where that leaves the detector: the plain mirror."""
        xp = self._xp
        columns = self._half.shape[1]
        phase = xp.exp(-4j * xp.pi * centre * self._frequency)
        mirrored = xp.fft.irfft(self._mirror * phase, columns, axis=1)
        at = 2 * centre - xp.arange(columns)
        return xp.where((at >= 0) & (at <= columns - 1), mirrored, self._half[:, ::-1])


def find_offset(projections: Any, geometry: Beam) -> float:
    """Detector offset in mm of a scan: ``geometry.replace(offset=...)`` makes it right.

    Parameters
    ----------
    projections : array, shape ``geometry.projection_shape``
        Line integrals; float32 or float64.
    geometry : ParallelBeam, FanBeam or ConeBeam
        The scan with a nominal offset: a parallel one over at least half a turn, the others over
        one full turn of evenly spaced views, flat or curved. Of a cone the row nearest to the
        plane of the orbit is used.

    Returns
    -------
    float
        Offset along the columns, as in ``geometry.offset[-1]``; within a twentieth of the
        detector's width of the nominal one.

    Raises
    ------
    ShapeError
        The projections do not match the geometry.
    GeometryError
        Not a full turn of evenly spaced views; a helix or free poses.
    DataError
        NaN or Inf, fewer than 16 views or columns.

    Notes
    -----
    In a full turn of a fan every ray is measured twice, in opposite directions: at view angle t and
    fan angle g, and at ``t + pi - 2 g`` and -g. The offset is where the two agree best (least
    squares); both are brought together by shifts of their spectra along views and columns.

    References
    ----------
    J. Hsieh, Computed Tomography, 3rd ed., 2015, section 3.6, doi:10.1117/3.2197756.

    Examples
    --------
    >>> import numpy as np, pyrad_core as prc
    >>> turn = np.linspace(0, 2 * np.pi, 180, endpoint=False)
    >>> scan = prc.FanBeam(turn, 128, 1.5, 300.0, 450.0, offset=2.5)
    >>> disc = prc.phantom.Ellipsoids([[1.0, 20, 12, 9.0, 5.0, 30.0]])
    >>> round(prc.ct.find_offset(disc.project(scan), scan.replace(offset=0.0, pixel=1.5)), 1)
    2.5
    """
    edge = edge_of(projections=projections)
    same_shape("projections", edge["projections"].shape, "geometry", geometry.projection_shape)
    if isinstance(geometry, ParallelBeam):
        centre = find_center(projections, geometry.angles)
        return (0.5 * (geometry.columns - 1) - centre) * geometry.pixel[-1]
    lines = edge.real("projections")
    if lines.ndim == 3:
        lines = lines[:, int(np.argmin(np.abs(geometry.row_positions())))]
    turn = _full_turn(geometry)
    search = _OppositeRays(edge.xp, lines, geometry, turn)
    guess, reach = geometry.offset[-1] / geometry.pixel[-1], max(4.0, geometry.columns / 20)
    for step, span in ((0.5, reach), *_STEPS):
        guess = _best(search.disagreement, guess, step, span)
    return guess * geometry.pixel[-1]


def _full_turn(geometry: Beam) -> float:
    """+1 or -1, the sense of rotation, of a full turn of evenly spaced views."""
    if isinstance(geometry, ConeBeam) and (geometry.vectors is not None or geometry.pitch):
        raise GeometryError("geometry is no circle; opposite rays are not measured twice")
    if geometry.views < 16 or geometry.columns < 16:
        raise DataError(
            f"projections hold {geometry.views} views and {geometry.columns} columns; expected at "
            "least 16 of each"
        )
    steps = np.diff(geometry.angles)
    even = 2 * np.pi / geometry.views
    if np.abs(np.abs(steps) - even).max() > 0.02 * even or np.ptp(np.sign(steps)) > 0:
        raise GeometryError(
            f"{geometry.views} angles run from {geometry.angles[0]:g} to "
            f"{geometry.angles[-1]:g}; opposite rays need one full turn of evenly spaced views"
        )
    return float(np.sign(steps[0]))


class _OppositeRays:
    """Difference between the readings of opposite rays of a full fan turn."""

    def __init__(self, xp: Any, lines: Any, geometry: Any, sense: float):
        self._xp, self._geometry = xp, geometry
        views, columns = lines.shape
        self._angular = xp.fft.rfft(lines, axis=0)
        self._order = sense * xp.arange(self._angular.shape[0])[:, None]
        size = 1 << (2 * columns - 1).bit_length()
        self._size = size
        self._flipped = xp.fft.fft(self._angular[:, ::-1], n=size, axis=1)
        self._frequency = xp.fft.fftfreq(size)

    def disagreement(self, offset: float) -> float:
        """Mean square difference for an offset in columns, over the columns that both see."""
        xp, beam = self._xp, self._geometry
        columns, pitch = beam.columns, beam.pixel[-1]
        # column i stands at (i - (columns - 1) / 2 + offset); the mirrored one at its negative
        shift = xp.exp(4j * xp.pi * offset * self._frequency)
        mirrored = xp.fft.ifft(self._flipped * shift, axis=1)[:, :columns]
        position = (np.arange(columns) - 0.5 * (columns - 1) + offset) * pitch
        angle = position / beam.source_detector
        fan = angle if beam.curved else np.arctan(angle)
        turned = mirrored * xp.exp(1j * self._order * xp.asarray(np.pi - 2 * fan)[None])
        edge = (0.5 * (columns - 1) - abs(offset)) * pitch
        seen = xp.asarray(np.abs(position) <= edge)
        apart = xp.abs(self._angular - turned) ** 2
        return float(apart[:, seen].mean())
