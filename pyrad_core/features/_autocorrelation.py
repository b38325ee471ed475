"""Moran's I and Geary's C over all pairs of voxels."""

from __future__ import annotations

import numpy as np

from .._kernels.fft import fft_options

__all__ = ["moran_geary"]


def moran_geary(values: np.ndarray, inside: np.ndarray, spacing: np.ndarray) -> tuple[float, float]:
    """(Moran's I, Geary's C) with weights 1 / distance; NaN for constant or single values.

    The weight depends on the lag alone, so sums over pairs are sums over lags of autocorrelations:
    by Parseval, spectra of values and mask times the spectrum of the weights.
    """
    from scipy import fft

    n = int(inside.sum())
    mean = values[inside].mean()
    deviation = np.where(inside, values - mean, 0.0)
    square = float((deviation**2).sum())
    if n < 2 or not square > 0:
        return np.nan, np.nan
    sizes = [fft.next_fast_len(2 * m - 1, real=True) for m in values.shape]
    spectrum = _weight_spectrum(sizes, values.shape, spacing)
    mask = _spectrum(inside.astype(np.float64), sizes)
    x = _spectrum(deviation, sizes)
    squares = _spectrum(deviation**2, sizes)
    weights = _pair_sum(spectrum, mask, mask, sizes)
    products = _pair_sum(spectrum, x, x, sizes)
    twice = 2 * (_pair_sum(spectrum, squares, mask, sizes) - products)
    return n / weights * products / square, (n - 1) / (2 * weights) * twice / square


def _spectrum(volume: np.ndarray, sizes: list[int]) -> np.ndarray:
    from scipy import fft

    return fft.rfftn(volume, sizes, **fft_options(volume))


def _weight_spectrum(sizes: list[int], shape: tuple[int, ...], spacing: np.ndarray) -> np.ndarray:
    """Of 1 / distance per lag, 0 at no lag."""
    square = np.zeros((1, 1, 1))
    for axis, (size, m, step) in enumerate(zip(sizes, shape, spacing, strict=True)):
        lag = np.minimum(np.arange(size), size - np.arange(size)).astype(np.float64)
        lag[lag > m - 1] = m  # never meets a pair
        square = square + ((lag * step) ** 2).reshape([-1 if d == axis else 1 for d in range(3)])
    square[0, 0, 0] = np.inf
    return _spectrum(1 / np.sqrt(square), sizes).real


def _pair_sum(weight: np.ndarray, a: np.ndarray, b: np.ndarray, sizes: list[int]) -> float:
    """Sum over pairs of w a b; the last axis of the spectra holds one half."""
    terms = (weight * (a.real * b.real + a.imag * b.imag)).sum(axis=(0, 1))
    share = np.full(len(terms), 2.0)
    share[0] = 1.0
    if sizes[-1] % 2 == 0:
        share[-1] = 1.0
    return float((terms * share).sum() / np.prod(sizes))
