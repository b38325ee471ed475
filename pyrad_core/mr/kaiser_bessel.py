"""The Kaiser-Bessel gridding kernel: its shape, its transform, its polynomials, its accuracy."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.polynomial import chebyshev
from scipy.special import i0, i0e

__all__ = ["aliasing_error", "beta_for", "kernel_gain", "kernel_polynomials", "kernel_transform"]


def beta_for(width: int, oversampling: float) -> float:
    """Shape parameter that balances the aliasing of a kernel `width` cells wide.

    Reference: P. J. Beatty et al., IEEE Trans. Med. Imaging 24 (2005), doi:10.1109/TMI.2005.848376.
    """
    return float(np.pi * np.sqrt((width / oversampling * (oversampling - 0.5)) ** 2 - 0.8))


def kernel_transform(frequency: np.ndarray, width: int, beta: float) -> np.ndarray:
    """Fourier transform of the kernel at `frequency` (cycles per grid cell)."""
    inside = beta**2 - (np.pi * width * np.asarray(frequency, np.float64)) ** 2
    root = np.sqrt(np.abs(inside))
    # sinh(root) / root / i0(beta) with the exponentials taken out, or sin(root) / root beyond
    growing = np.exp(root - beta) * -np.expm1(-2 * root) / 2
    over = np.where(inside > 0, growing, np.sin(root) * np.exp(-beta))
    tiny = root < 1e-8
    ratio = np.where(tiny, np.exp(-beta), over / np.where(tiny, 1.0, root))
    return width * ratio / i0e(beta)


@lru_cache(maxsize=256)
def aliasing_error(width: int, oversampling: float) -> float:
    """Relative root-mean-square error of one axis, averaged over the image."""
    beta = beta_for(width, oversampling)
    frequency = np.linspace(0, 0.5 / oversampling, 65)
    shifts = np.concatenate([np.arange(-12, 0), np.arange(1, 13)])
    aliases = kernel_transform(frequency[:, None] + shifts, width, beta)
    ratio = np.sum(aliases**2, axis=1) / kernel_transform(frequency, width, beta) ** 2
    return float(np.sqrt(np.mean(ratio)))


@lru_cache(maxsize=256)
def kernel_gain(width: int, oversampling: float) -> float:
    """Root-mean-square factor of one axis by which apodisation raises rounding errors."""
    beta = beta_for(width, oversampling)
    frequency = np.linspace(0, 0.5 / oversampling, 65)
    top = kernel_transform(np.zeros(1), width, beta)
    return float(np.sqrt(np.mean((top / kernel_transform(frequency, width, beta)) ** 2)))


@lru_cache(maxsize=64)
def kernel_polynomials(width: int, beta: float, error: float) -> np.ndarray:
    """Coefficients [degree + 1, width], highest power first, of the kernel on each unit cell.

    Piece j is the kernel at j + x - width / 2 for x in [0, 1), as a polynomial in t = 2 x - 1; the
    degree grows until the fit is better than `error` relative to the kernel's maximum.
    """
    test = np.linspace(-1, 1, 101)
    wanted = _kernel((test + 1) / 2, width, beta)
    for degree in range(width, 2 * width + 8):
        nodes = -np.cos(np.pi * (np.arange(degree + 1) + 0.5) / (degree + 1))
        series = chebyshev.chebfit(nodes, _kernel((nodes + 1) / 2, width, beta), degree)
        if np.max(np.abs(chebyshev.chebval(test, series).T - wanted)) < error:
            break
    pieces = [chebyshev.cheb2poly(c)[::-1] for c in series.T]
    return np.stack([np.pad(p, (degree + 1 - len(p), 0)) for p in pieces], axis=1)


def _kernel(x: np.ndarray, width: int, beta: float) -> np.ndarray:
    """Kernel values [len(x), width] at j + x - width / 2."""
    at = (np.arange(width) + x[:, None] - width / 2) * (2 / width)
    return i0(beta * np.sqrt(np.clip(1 - at**2, 0, None))) / i0(beta)
