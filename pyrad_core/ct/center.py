"""Finds the detector column onto which the rotation axis projects."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._checks import same_shape
from .._kernels.select import edge_of
from ..errors import DataError, GeometryError
from ..geometry._values import angle_array

__all__ = ["find_center"]

_FINE = 0.05  # columns between the last candidates


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
    for step, span in ((0.5, reach), (_FINE, 1.0)):
        candidates = np.arange(guess - span, guess + 0.5 * step + span, step)
        guess = float(candidates[np.argmin([search.spill(c) for c in candidates])])
    return guess


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
