"""Which transforms are our own, and those of SciPy and cuFFT."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from .cuda.runtime import fft_module
from .select import cpu_kernels

__all__ = ["fft_options", "filter_by_transforms", "largest_prime", "own_fft"]

_MAX_PRIME = 31  # factors beyond are slow in our FFT, not in SciPy's


def own_fft(sizes: Iterable[int]) -> bool:
    """Whether the FFT of csrc/mr/lane_line.cpp is fast for axes of these sizes."""
    return max(map(largest_prime, sizes)) <= _MAX_PRIME


def largest_prime(n: int) -> int:
    largest, p = 1, 2
    while n > 1:
        while n % p == 0:
            n, largest = n // p, p
        p += 1
    return largest


def fft_options(x: Any) -> dict[str, int]:
    return {"workers": cpu_kernels().num_threads()} if isinstance(x, np.ndarray) else {}


def filter_by_transforms(x: Any, multiply: Callable[[Any], None], out: Any) -> None:
    """Volumes (outer, z, y, x) through ``multiply``, which changes half their spectra in place.

    Neither transform scales.
    """
    fft, options = fft_module(x), {"axes": (1, 2, 3), **fft_options(x)}
    spectrum = fft.rfftn(x, **options)
    multiply(spectrum)
    out[...] = fft.irfftn(spectrum, s=x.shape[1:], norm="forward", overwrite_x=True, **options)
