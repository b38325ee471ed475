"""Frequency responses of the row filter."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .._checks import choice, number
from ..errors import DataError

__all__ = ["FILTERS", "padded_length", "ramp_response"]

# Apodisation as a function of frequency / cutoff in [0, 1].
FILTERS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "ram-lak": np.ones_like,
    "shepp-logan": lambda f: np.sinc(0.5 * f),
    "cosine": lambda f: np.cos(0.5 * np.pi * f),
    "hamming": lambda f: 0.54 + 0.46 * np.cos(np.pi * f),
    "hann": lambda f: 0.5 + 0.5 * np.cos(np.pi * f),
}


def padded_length(columns: int) -> int:
    """Power of two >= 2 * columns: circular convolution then equals the linear one."""
    return max(4, 1 << (2 * columns - 1).bit_length())


def ramp_response(
    columns: int,
    pitch: float,
    filter: str = "ram-lak",
    *,
    cutoff: float = 1.0,
    angular: bool = False,
) -> np.ndarray:
    """Response at the N/2 + 1 frequencies of a padded row, times the integration step.

    The ramp is the transform of its band-limited samples, not ``abs(f)`` itself, which would
    shift the image by a constant::

        h(0) = 1 / (4 pitch^2),   h(n odd) = -1 / (pi n pitch)^2,   h(n even) = 0

    Parameters
    ----------
    columns : int
        Samples per row.
    pitch : float
        Their distance at the rotation axis in mm, or in radians if ``angular``.
    filter : str
        One of FILTERS.
    cutoff : float
        Fraction of the Nyquist frequency in (0, 1]: the window is stretched to end there, and
        nothing passes beyond.
    angular : bool
        For rays of equal angles: h is multiplied by ``(a / sin a)^2`` at angle a.

    References
    ----------
    A. C. Kak, M. Slaney, Principles of Computerized Tomographic Imaging, 1988, chapter 3,
    doi:10.1137/1.9780898719277.

    Raises
    ------
    DataError
        An unknown filter, a cutoff outside (0, 1].
    """
    window = FILTERS[choice("filter", filter, FILTERS)]
    cutoff = number("cutoff", cutoff)
    if not 0 < cutoff <= 1:
        raise DataError(f"cutoff is {cutoff:g}; expected a fraction of Nyquist in (0, 1]")
    size = padded_length(columns)
    n = np.minimum(np.arange(size), size - np.arange(size)).astype(np.float64)
    kernel = np.zeros(size)
    odd = n % 2 == 1
    kernel[odd] = -1.0 / (np.pi * n[odd] * pitch) ** 2
    kernel[0] = 0.25 / pitch**2
    if angular:
        reach = n < columns  # further samples never meet, and sin would come round again
        angle = n * pitch
        kernel[~reach] = 0.0
        kernel[reach] /= np.sinc(angle[reach] / np.pi) ** 2
    response = np.fft.rfft(kernel).real * pitch
    frequency = np.linspace(0.0, 1.0, size // 2 + 1) / cutoff
    return np.where(frequency <= 1.0, response * window(np.minimum(frequency, 1.0)), 0.0)
