"""Spiral trajectories: uniform and variable density, and their timing within gradient limits."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .._checks import number, positive, whole
from ..errors import DataError

__all__ = ["GradientLimits", "readout_times", "spiral"]

_GAMMA = 42.577478518e6  # Hz / T, proton
_PATH_POINTS = 20_000


class GradientLimits(NamedTuple):
    """What the gradients can do, and what turns it into cycles per field of view.

    Attributes
    ----------
    amplitude : float
        T / m, for example 0.04.
    slew : float
        T / m / s, for example 150.
    field_of_view : float
        m, for example 0.256.
    """

    amplitude: float
    slew: float
    field_of_view: float


def spiral(
    interleaves: int,
    samples: int,
    size: int,
    *,
    density: float = 1.0,
    acceleration: float = 1.0,
    turns: float | None = None,
    first_angle: float = 0.0,
    inward: bool = False,
    limits: GradientLimits | None = None,
) -> np.ndarray:
    """Archimedean and variable-density spirals, ``k = N / 2 s^density exp(2 pi i turns s)``.

    Parameters
    ----------
    interleaves, samples : int
        Number of spirals, each turned by ``2 pi / interleaves``; samples along each.
    size : int
        Image size N: spirals run from the centre to ``N / 2``.
    density : float
        1 is uniform; larger values sample the centre more densely [1]_.
    acceleration : float
        Radial distance between turns, all interleaves together, at the edge in cycles per field of
        view (1 meets Nyquist everywhere).
    turns : float, optional
        Turns of one interleave; overrides ``acceleration``.
    first_angle : float
        Angle of the first interleave, radians.
    inward : bool
        From the edge to the centre.
    limits : GradientLimits, optional
        With it samples lie at even times of the fastest run along the spiral that keeps gradient
        amplitude and slew rate [2]_; without it at even distances along the curve.
        :func:`readout_times` tells how long that takes.

    Returns
    -------
    float64 array (interleaves, samples, 2), cycles per field of view, (y, x).

    References
    ----------
    .. [1] Kim et al., Magn. Reson. Med. 50 (2003), doi:10.1002/mrm.10493 (variable density).
    .. [2] Lustig et al., IEEE Trans. Med. Imaging 27 (2008), doi:10.1109/TMI.2008.922699 (timing).

    Examples
    --------
    >>> coordinates = prc.mr.spiral(16, 2048, 256)
    >>> limits = prc.mr.GradientLimits(amplitude=0.04, slew=150, field_of_view=0.256)
    >>> coordinates = prc.mr.spiral(16, 2048, 256, density=2, limits=limits)
    """
    shots, samples = whole("interleaves", interleaves, 1), whole("samples", samples, 2)
    path = _path(shots, size, density, acceleration, turns)
    if limits is None:
        clock = _arc_length(path)
    else:
        clock = _fastest(path, limits)
    at = np.interp(np.linspace(0, clock[-1], samples), clock, np.arange(clock.size))
    curve = np.interp(at, np.arange(clock.size), np.abs(path)) * np.exp(
        1j * np.interp(at, np.arange(clock.size), np.unwrap(np.angle(path)))
    )
    start = number("first_angle", first_angle) + 2 * np.pi * np.arange(shots) / shots
    k = np.exp(1j * start)[:, None] * (curve[::-1] if inward else curve)
    return np.stack([k.imag, k.real], axis=-1)


def readout_times(
    interleaves: int,
    samples: int,
    size: int,
    limits: GradientLimits,
    *,
    density: float = 1.0,
    acceleration: float = 1.0,
    turns: float | None = None,
) -> np.ndarray:
    """Times of the samples of :func:`spiral` with these limits.

    Parameters
    ----------
    interleaves, samples, size, limits, density, acceleration, turns
        As of :func:`spiral`.

    Returns
    -------
    float64 array (samples,)
        Seconds from the first sample.

    Examples
    --------
    >>> limits = prc.mr.GradientLimits(amplitude=0.04, slew=150, field_of_view=0.256)
    >>> seconds = prc.mr.readout_times(16, 2048, 256, limits)
    """
    path = _path(whole("interleaves", interleaves, 1), size, density, acceleration, turns)
    return np.linspace(0, _fastest(path, limits)[-1], whole("samples", samples, 2))


def _path(
    shots: int, size: int, density: float, acceleration: float, turns: float | None
) -> np.ndarray:
    """The curve, complex (x + i y), finely sampled."""
    size = whole("size", size, 1)
    power = number("density", density)
    if power < 1:
        raise DataError(f"density is {density}; expected at least 1 (uniform)")
    if turns is None:
        # Turns are farthest apart at the edge: N / 2 * density / turns for one interleave.
        turns = size / 2 * power / shots / positive("acceleration", acceleration)
    s = np.linspace(0, 1, _PATH_POINTS)
    return size / 2 * s**power * np.exp(2j * np.pi * positive("turns", turns) * s)


def _arc_length(path: np.ndarray) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(np.abs(np.diff(path)))])


def _fastest(path: np.ndarray, limits: GradientLimits) -> np.ndarray:
    """Time at every point of the path: as fast as amplitude and slew rate allow, from rest.

    The speed v along the curve is bounded by the amplitude and, through its curvature c, by the
    slew rate: (v^2 c)^2 + (v dv/ds)^2 <= S^2. One pass forwards and one backwards.
    """
    fov = positive("limits.field_of_view", limits.field_of_view)
    top = _GAMMA * fov * positive("limits.amplitude", limits.amplitude)
    push = _GAMMA * fov * positive("limits.slew", limits.slew)
    s = _arc_length(path)
    step = np.diff(s)
    tangent = np.gradient(path, s)
    bend = np.abs(np.gradient(tangent / np.abs(tangent), s))
    ceiling = np.minimum(top, np.sqrt(push / np.maximum(bend, 1e-30)))
    v = np.empty_like(s)
    v[0] = 0.0
    for i in range(s.size - 1):
        v[i + 1] = _faster(v[i], bend[i], step[i], push, ceiling[i + 1])
    for i in range(s.size - 1, 0, -1):
        v[i - 1] = min(v[i - 1], _faster(v[i], bend[i], step[i - 1], push, v[i - 1]))
    return np.concatenate([[0], np.cumsum(2 * step / np.maximum(v[1:] + v[:-1], 1e-30))])


def _faster(v: float, bend: float, step: float, push: float, ceiling: float) -> float:
    """Speed after `step`, at full use of the slew rate."""
    left = max(push**2 - (v**2 * bend) ** 2, 0.0) ** 0.5
    return min((v**2 + 2 * left * step) ** 0.5, ceiling)
