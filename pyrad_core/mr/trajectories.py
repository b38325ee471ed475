"""Non-Cartesian trajectories: radial in two and three dimensions, rosette, EPI, stacks.

Coordinates are float64, cycles per field of view, (shots, samples, dims) in the order of the image
axes, within [-N / 2, N / 2]. An angle of 0 lies along the last image axis.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .._checks import choice, number, positive, whole
from ..errors import DataError, ShapeError

__all__ = ["epi", "golden_angle", "golden_radial", "kooshball", "radial", "rosette", "stack"]

_GOLDEN_RATIO = (1 + np.sqrt(5)) / 2
_ROOT = 0.68232780382801932737  # of x^3 + x = 1
_GOLDEN_MEANS = (_ROOT**2, _ROOT)


def radial(
    spokes: int, samples: int, size: int, *, first_angle: float = 0.0, turn: float = np.pi
) -> np.ndarray:
    """Equally spaced diametral spokes.

    Parameters
    ----------
    spokes, samples : int
        Number of spokes, samples along each.
    size : int
        Image size N: the spokes run from ``-N / 2`` to just below ``N / 2``, with a sample at the
        centre for an even number of samples.
    first_angle, turn : float
        Angle of the first spoke and the range that the spokes share, radians; an angle of 0 lies
        along the last image axis.

    Returns
    -------
    float64 array (spokes, samples, 2)
        Cycles per field of view, in the order of the image axes (y, x).

    Examples
    --------
    >>> A = prc.mr.NUFFT(prc.mr.radial(96, 512, 256), (256, 256))
    """
    spokes = whole("spokes", spokes, 1)
    angles = number("first_angle", first_angle) + number("turn", turn) * np.arange(spokes) / spokes
    return _radius(samples, size)[:, None] * _directions(angles)[:, None]


def golden_angle(tiny: int = 1) -> float:
    """Angle ``pi / (tau + tiny - 1)`` in radians, tau the golden ratio: 111.25 degrees for 1,
    68.75 for 2, 23.63 for 7.

    References
    ----------
    Wundrak et al., IEEE Trans. Med. Imaging 34 (2015), doi:10.1109/TMI.2014.2382572.

    Examples
    --------
    >>> step = prc.mr.golden_angle(7)
    """
    return float(np.pi / (_GOLDEN_RATIO + whole("tiny", tiny, 1) - 1))


def golden_radial(
    spokes: int, samples: int, size: int, *, first_angle: float = 0.0, tiny: int = 1
) -> np.ndarray:
    """Spokes turned by the golden angle (111.25 degrees) each: any run of them covers k-space.

    Parameters
    ----------
    spokes, samples, size, first_angle
        As of :func:`radial`.
    tiny : int
        Number of the tiny golden angle; larger ones make smaller steps (7: 23.63 degrees), which
        keep eddy currents low.

    Returns
    -------
    float64 array (spokes, samples, 2), cycles per field of view.

    References
    ----------
    Winkelmann et al., IEEE Trans. Med. Imaging 26 (2007), doi:10.1109/TMI.2006.885337.

    Examples
    --------
    >>> coordinates = prc.mr.golden_radial(34, 512, 256)
    """
    spokes = whole("spokes", spokes, 1)
    angles = number("first_angle", first_angle) + golden_angle(tiny) * np.arange(spokes)
    return _radius(samples, size)[:, None] * _directions(angles)[:, None]


def kooshball(
    spokes: int,
    samples: int,
    size: int,
    *,
    order: str = "golden",
    interleaves: int = 1,
    centre_out: bool = False,
) -> np.ndarray:
    """Three-dimensional radial sampling.

    Parameters
    ----------
    spokes, samples : int
        Number of spokes, samples along each.
    size : int
        Image size N along each axis; spokes run from ``-N / 2`` to just below ``N / 2``.
    order : {"golden", "spiral"}
        "golden": successive spokes by the two-dimensional golden means [1]_, so that any run of
        them covers the sphere. "spiral": spiral phyllotaxis [2]_ from the pole to the equator.
    interleaves : int
        Spiral only: every interleave is a spiral of ``spokes / interleaves`` spokes from the pole
        outwards, turned against the others by golden angles; Fibonacci numbers keep successive
        spokes close.
    centre_out : bool
        Half spokes from the centre to just below ``N / 2`` over the whole sphere, as for
        ultra-short echo times.

    Returns
    -------
    float64 array (spokes, samples, 3)
        Cycles per field of view, (z, y, x).

    References
    ----------
    .. [1] Chan et al., Magn. Reson. Med. 61 (2009), doi:10.1002/mrm.21837.
    .. [2] Piccini et al., Magn. Reson. Med. 66 (2011), doi:10.1002/mrm.22898.

    Examples
    --------
    >>> coordinates = prc.mr.kooshball(2000, 256, 128)
    """
    spokes = whole("spokes", spokes, 1)
    choice("order", order, ("golden", "spiral"))
    n = np.arange(spokes)
    if order == "golden":
        height = (n * _GOLDEN_MEANS[0]) % 1.0
        height = 2 * height - 1 if centre_out else height
        azimuth = 2 * np.pi * ((n * _GOLDEN_MEANS[1]) % 1.0)
    else:
        shots = whole("interleaves", interleaves, 1)
        if spokes % shots:
            raise DataError(f"spokes is {spokes}, not a multiple of {shots} interleaves")
        n = n.reshape(-1, shots).T.reshape(-1)
        whole_sphere = np.pi if centre_out else np.pi / 2
        # Even in area; close to the pole this is the published square root of n.
        height = 1 - (1 - np.cos(whole_sphere)) * (n + 0.5) / spokes
        azimuth = 2 * np.pi * (1 - 1 / _GOLDEN_RATIO) * n
    flat = np.sqrt(1 - height**2)
    directions = np.stack([height, flat * np.sin(azimuth), flat * np.cos(azimuth)], axis=-1)
    return _radius(samples, size, centre_out)[:, None] * directions[:, None]


def rosette(
    shots: int, samples: int, size: int, *, petals: int = 8, turns: float | None = None
) -> np.ndarray:
    """Rosettes: an oscillation through the centre whose direction turns,
    ``k(t) = N / 2 sin(pi petals t) exp(i pi turns t)`` for t in [0, 1).

    Parameters
    ----------
    shots : int
        Copies, each turned by ``2 pi / (shots petals)``.
    samples : int
        Samples of each shot, at even times.
    size : int
        Image size N.
    petals : int
        Half oscillations per shot, each from the centre to the edge and back.
    turns : float, optional
        Half turns of the direction during a shot; by default 1, 2 or 4, the fewest with which
        the petals lie evenly around the centre.

    Returns
    -------
    float64 array (shots, samples, 2), cycles per field of view.

    References
    ----------
    Noll, IEEE Trans. Med. Imaging 16 (1997) 372.

    Examples
    --------
    >>> coordinates = prc.mr.rosette(32, 2048, 128, petals=10)
    """
    shots, samples, size = whole("shots", shots, 1), whole("samples", samples, 1), _size(size)
    petals = whole("petals", petals, 1)
    even = 1 if petals % 2 else 2 if petals % 4 == 0 else 4
    speed = number("turns", even if turns is None else turns)
    t = np.arange(samples) / samples
    radius = size / 2 * np.sin(np.pi * petals * t)
    first = 2 * np.pi * np.arange(shots) / (shots * petals)
    return radius[:, None] * _directions(first[:, None] + np.pi * speed * t)


def epi(
    lines: int,
    samples: int,
    size: int | tuple[int, int],
    *,
    shots: int = 1,
    acceleration: int = 1,
    ramp: float = 0.0,
    flyback: bool = False,
) -> np.ndarray:
    """Echo-planar lines, every second one reversed.

    Parameters
    ----------
    lines, samples : int
        Lines in all, samples along each.
    size : int or (ny, nx)
        Image size N. Lines are ``acceleration`` cycles apart, centred on DC as ``i - lines // 2``.
    shots : int
        Interleaved shots; shot s takes lines s, s + shots, ...; the result lists the lines in the
        order of acquisition, shot by shot.
    acceleration : int
        Distance of neighbouring lines in cycles per field of view.
    ramp : float
        Share of the readout, at either end, during which the gradient ramps while samples are
        taken at even times; 0 to 0.5.
    flyback : bool
        All lines in the same direction.

    Returns
    -------
    float64 array (lines, samples, 2), cycles per field of view, (y, x).

    References
    ----------
    Mansfield, J. Phys. C 10 (1977) L55, doi:10.1088/0022-3719/10/3/004.

    Examples
    --------
    >>> coordinates = prc.mr.epi(64, 128, 64, ramp=0.15)
    """
    lines, samples = whole("lines", lines, 1), whole("samples", samples, 1)
    ny, nx = (_size(n) for n in ((size, size) if isinstance(size, int) else size))
    shots, step = whole("shots", shots, 1), whole("acceleration", acceleration, 1)
    rising = number("ramp", ramp)
    if not 0 <= rising <= 0.5:
        raise DataError(f"ramp is {ramp}; expected 0 to 0.5 of the readout at either end")
    if lines % shots:
        raise DataError(f"lines is {lines}, not a multiple of {shots} shots")
    if step * (lines // 2) > ny / 2:
        raise DataError(
            f"{lines} lines, {step} apart, go beyond the image size of {ny}; take fewer lines"
        )
    order = np.arange(lines).reshape(-1, shots).T.reshape(-1)
    x = nx * (_trapezoid((np.arange(samples) - samples // 2) / samples, rising))
    k = np.empty((lines, samples, 2))
    k[..., 0] = ((order - lines // 2) * step)[:, None]
    k[..., 1] = x
    if not flyback:
        odd = np.arange(lines) % (lines // shots) % 2 == 1
        k[odd, :, 1] = k[odd, ::-1, 1]
    return k


def _trapezoid(t: np.ndarray, ramp: float) -> np.ndarray:
    """Integral of a trapezoid of unit area on [-1/2, 1/2] from its middle."""
    plateau = 1 / (1 - ramp)
    late = np.maximum(np.abs(t) - (0.5 - ramp), 0)
    return np.sign(t) * plateau * (np.abs(t) - (late**2 / (2 * ramp) if ramp else 0))


def stack(plane: Any, partitions: int, *, turn: float = 0.0) -> np.ndarray:
    """Stack of stars, spirals or any plane trajectory along the first axis.

    Parameters
    ----------
    plane : array (..., samples, 2)
        Trajectory of one partition, cycles per field of view.
    partitions : int
        Partitions, at ``kz = p - partitions // 2``.
    turn : float
        Angle by which each partition is turned against the one before, radians; for example
        ``golden_angle()``, or ``pi / (spokes * partitions)`` for aligned gaps.

    Returns
    -------
    float64 array (partitions, ..., samples, 3), cycles per field of view, (z, y, x).

    Examples
    --------
    >>> stars = prc.mr.stack(prc.mr.radial(64, 256, 128), 32, turn=prc.mr.golden_angle())
    >>> spirals = prc.mr.stack(prc.mr.spiral(16, 1024, 128), 32)
    """
    k = np.asarray(plane, np.float64)
    if k.ndim < 2 or k.shape[-1] != 2:
        raise ShapeError(f"plane has shape {k.shape}; expected (..., samples, 2)")
    count = whole("partitions", partitions, 1)
    angles = number("turn", turn) * np.arange(count)
    c, s = (f(angles).reshape((count,) + (1,) * (k.ndim - 1)) for f in (np.cos, np.sin))
    out = np.empty((count, *k.shape[:-1], 3))
    out[..., 0] = (np.arange(count) - count // 2).reshape(c.shape)
    out[..., 1] = c * k[..., 0] + s * k[..., 1]
    out[..., 2] = c * k[..., 1] - s * k[..., 0]
    return out


def _directions(angles: np.ndarray) -> np.ndarray:
    """Unit vectors (y, x) of angles counted from the last axis."""
    return np.stack([np.sin(angles), np.cos(angles)], axis=-1)


def _radius(samples: int, size: int, centre_out: bool = False) -> np.ndarray:
    samples, size = whole("samples", samples, 1), _size(size)
    if centre_out:
        return np.arange(samples) * (size / 2 / samples)
    return (np.arange(samples) - samples // 2) * (size / samples)


def _size(size: Any) -> int:
    return whole("size", positive("size", size), 1)
