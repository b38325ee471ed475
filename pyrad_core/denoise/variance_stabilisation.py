"""Transforms that give noise of a known law the same standard deviation everywhere."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from .._checks import at_least, choice, number, positive
from .._kernels.select import edge_of

__all__ = ["stabilise_poisson", "unstabilise_poisson"]


def stabilise_poisson(
    counts: Any, *, gain: float = 1.0, electronic_noise: float = 0.0, offset: float = 0.0
) -> Any:
    """Counts to values whose noise has a standard deviation of one: (generalised) Anscombe.

    For ``counts = gain * Poisson(y) + Normal(offset, electronic_noise)``

        ``f = 2 / gain * sqrt(max(gain * counts + 3/8 gain^2 + electronic_noise^2 - gain * offset,
        0))``.

    Any denoiser for Gaussian noise may follow, with ``sigma=1``, and then
    :func:`unstabilise_poisson` with the same arguments. The deviation is within 2 % of one from
    about 4 photons on, and falls to zero with fewer than one.

    Parameters
    ----------
    counts : array
        Measured numbers, any shape; float32 or float64, integers become float32.
    gain : float
        Counts per photon.
    electronic_noise, offset : float
        Standard deviation and mean of the detector's additive noise, in counts.

    Returns
    -------
    array, shape and precision of ``counts``

    Raises
    ------
    DataError
        NaN or Inf, ``gain <= 0``, ``electronic_noise < 0``.

    References
    ----------
    F. J. Anscombe, Biometrika 35, 246, 1948, doi:10.1093/biomet/35.3-4.246.
    J.-L. Starck, F. Murtagh, A. Bijaoui, Image Processing and Data Analysis, 1998,
    doi:10.1017/CBO9780511564352 (with additive noise).

    Examples
    --------
    >>> import numpy as np
    >>> counts = np.random.default_rng(0).poisson(12.0, 100_000)
    >>> round(float(stabilise_poisson(counts).std()), 1)
    1.0
    """
    edge = edge_of(counts=counts)
    x = edge.real("counts")
    scale, sigma, level = _model(gain, electronic_noise, offset)
    constant = x.dtype.type(0.375 + sigma**2 - level)
    root = edge.xp.sqrt(edge.xp.maximum(x * x.dtype.type(1 / scale) + constant, 0))
    return edge.answer(2 * root)


def unstabilise_poisson(
    stabilised: Any,
    *,
    gain: float = 1.0,
    electronic_noise: float = 0.0,
    offset: float = 0.0,
    method: str = "unbiased",
) -> Any:
    """Denoised stabilised values back to noise-free counts ``gain * y + offset``.

    A denoised value stands for the mean of ``f`` (:func:`stabilise_poisson`), which is not ``f`` of
    the mean; the unbiased inverse maps ``E[f | y]`` to y. What lies below ``E[f | 0]`` becomes 0
    photons.

    Parameters
    ----------
    stabilised : array
        Denoised values of :func:`stabilise_poisson`.
    gain, electronic_noise, offset : float
        As given there.
    method : {"unbiased", "algebraic"}
        The exact unbiased inverse, or the inverse function of ``f``, for values that were not
        denoised.

    Returns
    -------
    array, shape and precision of ``stabilised``

    Raises
    ------
    DataError
        NaN or Inf, ``gain <= 0``, ``electronic_noise < 0``, an unknown method.

    References
    ----------
    M. Makitalo, A. Foi, IEEE Trans. Image Process. 20, 99, 2011, doi:10.1109/TIP.2010.2056693;
    20, 2697, 2011, doi:10.1109/TIP.2011.2121085; 22, 91, 2013, doi:10.1109/TIP.2012.2202675.

    Examples
    --------
    >>> import numpy as np
    >>> counts = np.random.default_rng(0).poisson(1.5, 100_000)
    >>> mean = stabilise_poisson(counts).mean(keepdims=True)
    >>> bool(abs(unstabilise_poisson(mean) - 1.5) < 0.02)
    True
    """
    edge = edge_of(stabilised=stabilised)
    x = edge.real("stabilised")
    scale, sigma, level = _model(gain, electronic_noise, offset)
    if choice("method", method, ("unbiased", "algebraic")) == "algebraic":
        photons = 0.25 * x * x - x.dtype.type(0.375 + sigma**2)
    else:
        photons = _unbiased(edge.xp, x, sigma)
    counts = x.dtype.type(scale) * (photons + x.dtype.type(level))
    return edge.answer(counts.astype(x.dtype, copy=False))


def _model(gain: float, electronic_noise: float, offset: float) -> tuple[float, float, float]:
    """(gain, deviation and mean of the additive noise in photons)."""
    scale = positive("gain", gain)
    noise = at_least("electronic_noise", electronic_noise, 0)
    return scale, noise / scale, number("offset", offset) / scale


_LAST = 200.0  # photons up to which the inverse is a table


def _unbiased(xp: Any, x: Any, sigma: float) -> Any:
    """Photons y with E[f | y] = x: a table, beyond it x^2 / 4 - 1/8 - sigma^2 + O(1 / y^2)."""
    means, photons = _table(sigma)
    low = xp.interp(x, xp.asarray(means), xp.asarray(photons))
    wide = x.astype(np.float64)
    return xp.where(x < means[-1], low, 0.25 * wide * wide - (0.125 + sigma**2))


@functools.lru_cache(maxsize=16)
def _table(sigma: float) -> tuple[np.ndarray, np.ndarray]:
    """E[f | y] for y from 0 to _LAST, dense where f is steep."""
    from scipy.special import gammaln, xlogy

    photons = np.linspace(0, np.sqrt(_LAST), 3000) ** 2
    k = np.arange(int(_LAST + 12 * np.sqrt(_LAST)))
    given_k = _mean_of_root(k, sigma)
    means = np.empty(len(photons))
    for part in np.array_split(np.arange(len(photons)), 10):
        y = photons[part, None]
        means[part] = np.exp(xlogy(k, y) - y - gammaln(k + 1.0)) @ given_k
    return means, photons


def _mean_of_root(k: np.ndarray, sigma: float) -> np.ndarray:
    """E[f] of k photons: the integral over the additive noise, in u = f / 2, where it is smooth."""
    above = k + 0.375 + sigma**2
    if sigma == 0:
        return 2 * np.sqrt(above)
    nodes, weights = np.polynomial.legendre.leggauss(256)
    low = np.sqrt(np.maximum(above - 9 * sigma, 0))[:, None]
    high = np.sqrt(above + 9 * sigma)[:, None]
    u = low + 0.5 * (high - low) * (1 + nodes)
    t = (u * u - above[:, None]) / sigma
    density = np.exp(-0.5 * t * t) / (sigma * np.sqrt(2 * np.pi))
    return (2 * u * density * 2 * u * weights * 0.5 * (high - low)).sum(axis=1)
