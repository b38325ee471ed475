"""Rician (and noncentral chi) noise of magnitude images: bias, moments, variance stabilisation."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._checks import choice, entries
from .._kernels.select import edge_of
from ..errors import DataError, ShapeError
from ._common import coil_count, nonnegative

__all__ = ["from_rician_moments", "stabilise_rician", "unbias_rician", "unstabilise_rician"]

_FAR = 24.0  # signal over sigma from which asymptotic formulas are good to 1e-6
_LEAST = 1e-30  # stands for a noise level of zero


def unbias_rician(image: Any, *, sigma: Any, coils: int = 1, method: str = "mean") -> Any:
    """Signal under a magnitude image whose noise was averaged away.

    The magnitude m of a signal A has E[m] = sigma mu(A / sigma), E[m^2] = A^2 + 2 N sigma^2, ::

        mu(t) = sqrt(2) Gamma(N + 1/2) / Gamma(N) 1F1(-1/2; N; -t^2 / 2)

    so that denoising, which comes close to a mean, leaves a floor of 1.25 sigma (one coil).

    Parameters
    ----------
    image : array of any shape
        Non-negative, float32, float64 or integers: a denoised magnitude image ("mean"), or the root
        of a mean of squares ("second_moment").
    sigma : float or array that broadcasts to the image
        Standard deviation of the noise in each of the real and imaginary parts.
    coils : int
        Number N of coils combined by the sum of squares; 1 for Rician noise.
    method : {"mean", "second_moment"}
        Which of the two expectations to invert.

    Returns
    -------
    array like image
        A >= 0; 0 where the image lies below the floor.

    Raises
    ------
    DataError
        NaN, Inf or negative values, more than 64 coils.

    References
    ----------
    Koay, Basser, J. Magn. Reson. 179 (2006) 317, doi:10.1016/j.jmr.2006.01.016.
    Gudbjartsson, Patz, Magn. Reson. Med. 34 (1995) 910, doi:10.1002/mrm.1910340618.

    Examples
    --------
    >>> import numpy as np
    >>> import pyrad_core as prc
    >>> floor = np.sqrt(np.pi / 2)
    >>> signal = prc.denoise.unbias_rician(np.array([floor, 2.2724, 10.05]), sigma=1.0)
    >>> [round(float(a), 2) for a in signal]
    [0.0, 2.0, 10.0]
    """
    edge, x, level = _arguments(image, sigma)
    choice("method", method, ("mean", "second_moment"))
    table = _table(coil_count(coils))
    if method == "second_moment":
        squares = x * x - 2 * table.coils * level * level
        return edge.answer(edge.xp.sqrt(edge.xp.maximum(squares, 0)).astype(x.dtype))
    ratio = x.astype(np.float64) / level
    signal = _interpolate(edge.xp, ratio, table.mean, table.signal2)
    far = ratio * ratio - (2 * table.coils - 1)
    signal2 = edge.xp.where(ratio > table.mean[-1], far, signal)
    return edge.answer((level * edge.xp.sqrt(edge.xp.maximum(signal2, 0))).astype(x.dtype))


def from_rician_moments(mean: Any, std: Any, *, coils: int = 1) -> tuple[Any, Any]:
    """Signal and noise level from the mean and the standard deviation of magnitudes.

    Inverts the ratio mean / std, which depends on the signal-to-noise ratio alone (Koay and
    Basser). A ratio below that of pure noise (1.913 for one coil) gives signal 0.

    Parameters
    ----------
    mean, std : arrays of one shape
        Of repeated or neighbouring magnitudes; std > 0.
    coils : int
        Coils combined by the sum of squares.

    Returns
    -------
    signal, sigma : arrays like mean

    Raises
    ------
    DataError
        NaN, Inf, a negative mean, std <= 0.
    ShapeError
        Different shapes.

    References
    ----------
    Koay, Basser, J. Magn. Reson. 179 (2006) 317, doi:10.1016/j.jmr.2006.01.016.

    Examples
    --------
    >>> import numpy as np
    >>> import pyrad_core as prc
    >>> draws = prc.phantom.rician_noise(np.full(100000, 2.0), sigma=1.0, seed=0)
    >>> signal, sigma = prc.denoise.from_rician_moments(draws.mean(), draws.std())
    >>> round(float(signal), 1), round(float(sigma), 1)
    (2.0, 1.0)
    """
    edge = edge_of(mean=mean, std=std)
    xp, m, s = edge.xp, edge.real("mean"), edge.real("std")
    if m.shape != s.shape:
        raise ShapeError(f"std has shape {s.shape}, but mean has {m.shape}")
    if bool((m < 0).any()) or bool((s <= 0).any()):
        raise DataError("mean must be >= 0 and std > 0 everywhere")
    table = _table(coil_count(coils))
    ratio = m.astype(np.float64) / s
    spread = np.sqrt(table.signal2 + 2 * table.coils - table.mean**2)
    signal2 = _interpolate(xp, ratio, table.mean / spread, table.signal2)
    far = ratio > table.mean[-1] / spread[-1]
    signal2 = xp.where(far, ratio * ratio - (2 * table.coils - 1), signal2)
    sigma = s / xp.where(far, 1.0, _interpolate(xp, signal2, table.signal2, spread))
    signal = sigma * xp.sqrt(signal2)
    return edge.answer(signal.astype(m.dtype)), edge.answer(sigma.astype(m.dtype))


def stabilise_rician(image: Any, *, sigma: Any, coils: int = 1) -> Any:
    """Magnitudes turned into values whose noise is Gaussian in spread: standard deviation 1.

    The transformation f is the integral of 1 / std(z) along the mean of z, corrected until the
    variance of f(z) is 1 for any signal (for pure noise too). Denoise with sigma = 1, then go
    back with :func:`unstabilise_rician`, which also removes the Rician bias.

    Parameters
    ----------
    image : array of any shape
        Magnitudes >= 0.
    sigma : float or array that broadcasts to the image
        Standard deviation of the noise in each of the real and imaginary parts.
    coils : int
        Coils combined by the sum of squares; 1 for Rician noise.

    Returns
    -------
    array like image

    Raises
    ------
    DataError
        NaN, Inf or negative values.

    References
    ----------
    Foi, Proc. IEEE ISBI (2011) 1809, doi:10.1109/ISBI.2011.5872758. The tables are our own.

    Examples
    --------
    >>> import numpy as np
    >>> import pyrad_core as prc
    >>> magnitudes = prc.phantom.rician_noise(np.full(20000, 30.0), sigma=20.0, seed=0)
    >>> stable = prc.denoise.stabilise_rician(magnitudes, sigma=20.0)
    >>> round(float(stable.std()), 1)
    1.0
    >>> mean = np.full(1, stable.mean())
    >>> bool(abs(prc.denoise.unstabilise_rician(mean, sigma=20.0)[0] - 30) < 0.5)
    True
    """
    edge, x, level = _arguments(image, sigma)
    table = _stabiliser(coil_count(coils))
    ratio = x.astype(np.float64) / level
    near = _interpolate(edge.xp, ratio, table.place, table.value)
    far = edge.xp.sqrt(edge.xp.maximum(ratio * ratio - table.shift, 0)) + table.offset
    return edge.answer(edge.xp.where(ratio > table.place[-1], far, near).astype(x.dtype))


def unstabilise_rician(image: Any, *, sigma: Any, coils: int = 1) -> Any:
    """Signal A whose magnitudes have this mean after :func:`stabilise_rician`.

    The exact unbiased inverse: it answers E[f(z) | A] with A, not with a magnitude.

    Parameters
    ----------
    image : array of any shape
        Denoised values of the stabilised domain.
    sigma : float or array that broadcasts to the image
        As given to :func:`stabilise_rician`.
    coils : int
        As given there.

    Returns
    -------
    array like image
        The signal, >= 0, without Rician bias.

    Raises
    ------
    DataError
        NaN or Inf.

    References
    ----------
    Foi, Proc. IEEE ISBI (2011) 1809, doi:10.1109/ISBI.2011.5872758.

    Examples
    --------
    >>> import numpy as np
    >>> import pyrad_core as prc
    >>> stable = prc.denoise.stabilise_rician(np.array([100.0]), sigma=1.0)
    >>> round(float(prc.denoise.unstabilise_rician(stable, sigma=1.0)[0]), 1)
    100.0
    """
    edge, x, level = _arguments(image, sigma, signed=True)
    table = _stabiliser(coil_count(coils))
    value = x.astype(np.float64)
    signal2 = _interpolate(edge.xp, value, table.mean, table.signal2)
    far = edge.xp.maximum(value - table.offset, 1.0)
    signal = edge.xp.where(value > table.mean[-1], far - table.tail / far, edge.xp.sqrt(signal2))
    return edge.answer((level * signal).astype(x.dtype))


# --- arguments ----------------------------------------------------------------------------------


def _arguments(image: Any, sigma: Any, signed: bool = False) -> tuple[Any, Any, Any]:
    """(edge, image, sigma in double precision)."""
    scalar = entries(sigma) is None
    edge = edge_of(image=image, sigma=None if scalar else sigma)
    x = edge.real("image")
    if not signed and bool((x < 0).any()):
        raise DataError(f"image holds {int((x < 0).sum())} negative values; magnitudes are >= 0")
    if scalar:
        return edge, x, max(nonnegative("sigma", sigma), _LEAST)
    levels = edge.real("sigma")
    if bool((levels < 0).any()):
        raise DataError(f"sigma holds {int((levels < 0).sum())} negative values")
    try:
        wide = edge.xp.maximum(levels.astype(np.float64), _LEAST)
        return edge, x, edge.xp.broadcast_to(wide, x.shape)
    except ValueError:
        raise ShapeError(
            f"sigma has shape {levels.shape}, which does not broadcast to the image {x.shape}"
        ) from None


def _interpolate(xp: Any, at: Any, places: np.ndarray, values: np.ndarray) -> Any:
    flat = xp.interp(at.reshape(-1), xp.asarray(places), xp.asarray(values))
    return flat.reshape(at.shape)


# --- tables, for sigma = 1 ----------------------------------------------------------------------


@dataclass(frozen=True)
class _Moments:
    coils: int
    signal2: np.ndarray  # squares of the signal
    mean: np.ndarray  # of the magnitude


@functools.lru_cache(maxsize=8)
def _table(coils: int) -> _Moments:
    from scipy.special import gammaln, hyp1f1

    far = 3 * _FAR + 4 * np.sqrt(coils)
    signal2 = np.concatenate(
        [np.linspace(0, 1, 256, endpoint=False) ** 2, np.linspace(1, far, 8192) ** 2]
    )
    half = signal2 / 2
    scale = np.sqrt(2) * np.exp(gammaln(coils + 0.5) - gammaln(coils))
    low = np.minimum(half, 50.0 + 2 * coils)
    mean = scale * np.exp(-low) * hyp1f1(coils + 0.5, coils, low)
    term = total = np.sqrt(signal2)  # its expansion for large arguments
    for k in range(1, 31):
        term = term * (k - 1.5) * (k - 0.5 - coils) / (k * np.maximum(half, 50.0))
        total = total + term
    return _Moments(coils, signal2, np.where(half > 50.0 + 2 * coils, total, mean))


@dataclass(frozen=True)
class _Stabiliser:
    place: np.ndarray  # magnitudes
    value: np.ndarray  # and what becomes of them
    shift: float  # beyond: sqrt(z^2 - shift) + offset
    offset: float
    signal2: np.ndarray
    mean: np.ndarray  # expectation of the value under this signal
    tail: float  # beyond: signal + offset + tail / signal


@functools.lru_cache(maxsize=8)
def _stabiliser(coils: int) -> _Stabiliser:
    signal = np.concatenate([np.linspace(0, 4, 121), np.linspace(4, _FAR, 101)[1:]])
    signal = np.concatenate([signal, signal[-1] + np.linspace(0, 2 * np.sqrt(coils), 20)[1:]])
    place = np.linspace(0, signal[-1] + 8 + np.sqrt(2 * coils), 2000)
    weights = _densities(coils, signal, place)
    mean = weights @ place
    # the value's derivative, first at the signal where the magnitude's mean is, then corrected
    spread = np.sqrt(weights @ place**2 - mean**2)
    slope = 1 / np.interp(place, mean, spread)
    step = place[1] - place[0]
    for _ in range(40):
        value = np.concatenate([[0], np.cumsum((slope[1:] + slope[:-1]) * (step / 2))])
        first = weights @ value
        spread = np.sqrt(weights @ (value - value[-1] / 2) ** 2 - (first - value[-1] / 2) ** 2)
        slope /= np.interp(place, mean, spread) ** 0.7
    shift = coils - 0.5  # f'(z) = 1 + (2 N - 1) / (4 z^2) = 1 / std far from the floor
    cut = int(np.searchsorted(place, mean[-1] - 6))
    offset = float(value[cut] - np.sqrt(place[cut] ** 2 - shift))
    value[cut:] = np.sqrt(place[cut:] ** 2 - shift) + offset
    first = weights @ value
    tail = float((first[-1] - offset - signal[-1]) * signal[-1])
    return _Stabiliser(place, value, shift, offset, signal**2, first, tail)


def _densities(coils: int, signal: np.ndarray, place: np.ndarray) -> np.ndarray:
    """(signal, place): noncentral chi densities, 2 N degrees of freedom; rows add up to 1."""
    from scipy.special import ive

    t, z = np.maximum(signal, 1e-2)[:, None], place[None, :]
    power = z * (z / t) ** (coils - 1)
    density = power * np.exp(-0.5 * (z - t) ** 2) * ive(coils - 1, z * t)
    return density / density.sum(axis=1, keepdims=True)
