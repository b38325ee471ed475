"""Noise level from the background of a series: PIESNO."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from .._checks import number, whole
from .._kernels.select import edge_of, host_array
from ..errors import DataError, ShapeError
from ._common import coil_count

__all__ = ["piesno"]

_MOST_STEPS = 100


def piesno(
    dwi: Any, *, coils: int = 1, alpha: float = 0.01, starts: int = 50, tol: float = 1e-10
) -> tuple[np.ndarray, np.ndarray]:
    """Noise level and noise-only voxels of magnitude images, slice by slice.

    In a voxel without signal s = sum_k m_k^2 / (2 K sigma^2) over the K volumes follows a Gamma law
    of shape N K and scale 1 / K. From a guess of sigma the voxels with s between that law's
    quantiles alpha / 2 and 1 - alpha / 2 are taken for noise; a quantile of their magnitudes over
    that of unit noise is the next guess, until it stays. The quantile is the one that spreads
    least (0.797 for one coil). Of ``starts`` first guesses, up to the one that takes all voxels for
    noise, the one that ends with the most voxels wins.

    Parameters
    ----------
    dwi : array, (volumes, z, y, x) or (volumes, y, x)
        Magnitudes >= 0; at least two volumes, better ten, which share one noise level. Where the
        background was set to zero nothing is found.
    coils : int
        Number N of coils combined by the sum of squares, at most 64; 1 for Rician noise.
    alpha : float
        Share of noise voxels that the interval misses, 0 < alpha < 1.
    starts : int
        First guesses.
    tol : float
        A guess stays when it changes by less than this part of itself.

    Returns
    -------
    sigma : array, (z,)
        Of each slice (in the real and imaginary parts); 0 where no noise was found.
    background : array of bool, (z, y, x)
        Voxels taken for noise.

    Both are host arrays; images without z lose it here too.

    Raises
    ------
    DataError
        NaN, Inf or negative values, alpha outside (0, 1).
    ShapeError
        Fewer than two volumes, an empty axis.

    References
    ----------
    Koay, Ozarslan, Pierpaoli, J. Magn. Reson. 199 (2009) 94, doi:10.1016/j.jmr.2009.03.005.

    Examples
    --------
    >>> import numpy as np
    >>> import pyrad_core as prc
    >>> signal = np.zeros((12, 1, 40, 40))
    >>> signal[..., 10:30, 10:30] = 90.0
    >>> dwi = prc.phantom.rician_noise(signal, sigma=20.0, seed=0)
    >>> sigma, background = prc.denoise.piesno(dwi)
    >>> round(float(sigma[0])), bool(background[0, 12:28, 12:28].any())
    (20, False)
    """
    edge = edge_of(dwi=dwi)
    x = host_array(edge.real("dwi", ndim=(3, 4)))
    flat = x.ndim == 3
    x = x[:, None] if flat else x
    if x.shape[0] < 2 or 0 in x.shape:
        raise ShapeError(f"dwi has shape {x.shape}; expected two volumes or more, no empty axis")
    if (x < 0).any():
        raise DataError(f"dwi holds {int((x < 0).sum())} negative values; magnitudes are >= 0")
    alpha = number("alpha", alpha)
    if not 0 < alpha < 1:
        raise DataError(f"alpha is {alpha}; expected a number between 0 and 1")
    n, count = coil_count(coils), whole("starts", starts, 1)
    sigma, background = np.zeros(x.shape[1]), np.zeros(x.shape[1:], bool)
    for z in range(x.shape[1]):
        sigma[z], inside = _slice(x[:, z].reshape(len(x), -1), n, alpha, count, number("tol", tol))
        background[z] = inside.reshape(x.shape[2:])
    return (sigma[0], background[0]) if flat else (sigma, background)


def _slice(m: np.ndarray, n: int, alpha: float, starts: int, tol: float) -> tuple[float, Any]:
    """(sigma, voxels of noise) of one slice (volumes, voxels)."""
    from scipy.special import gammaincinv

    volumes = len(m)
    share, unit = _quantile(n)
    low, high = gammaincinv(n * volumes, [alpha / 2, 1 - alpha / 2]) / volumes
    energy = (m.astype(np.float64) ** 2).sum(axis=0) / (2 * volumes)
    order = np.argsort(energy, kind="stable")
    energy, sorted_m = energy[order], np.ascontiguousarray(m.T[order])
    guesses: dict[tuple[int, int], float] = {}

    def bounds(sigma: float) -> tuple[int, int]:
        square = sigma * sigma
        first = int(np.searchsorted(energy, low * square, "left"))
        return first, int(np.searchsorted(energy, high * square, "right"))

    best, found = 0.0, (0, 0)
    top = float(np.quantile(m, share)) / unit
    for start in range(1, starts + 1):
        sigma = top * start / starts
        for _ in range(_MOST_STEPS):
            at = bounds(sigma)
            if sigma <= 0 or at[0] >= at[1]:
                break
            if at not in guesses:
                guesses[at] = float(np.quantile(sorted_m[at[0] : at[1]], share)) / unit
            former, sigma = sigma, guesses[at]
            if abs(sigma - former) <= tol * sigma:
                break
        at = bounds(sigma)
        if sigma > 0 and at[1] - at[0] > found[1] - found[0]:
            best, found = sigma, at
    inside = np.zeros(len(energy), bool)
    inside[order[found[0] : found[1]]] = True
    return best, inside


@functools.lru_cache(maxsize=8)
def _quantile(n: int) -> tuple[float, float]:
    """Share q and quantile of unit noise whose estimate of sigma spreads least.

    With y = m^2 / 2, of the Gamma law g of shape n, its variance goes as q (1 - q) / (y g(y))^2.
    """
    from scipy.optimize import minimize_scalar
    from scipy.special import gammainc, gammaincc, gammaln

    def spread(y: float) -> float:
        density = n * np.log(y) - y - gammaln(n)
        return float(np.log(gammainc(n, y)) + np.log(gammaincc(n, y)) - 2 * density)

    found = minimize_scalar(
        spread, bounds=(0.5 * n, 3.0 * n), method="bounded", options={"xatol": 1e-12}
    )
    return float(gammainc(n, found.x)), float(np.sqrt(2 * found.x))
