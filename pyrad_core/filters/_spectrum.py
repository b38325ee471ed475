"""Filters that are defined by their values in the Fourier domain."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .._kernels.cuda.runtime import fft_module
from ..threads import num_threads
from ._image import Image

__all__ = ["apply_spectrum", "around", "fft_options", "index_within"]


def fft_options(x: Any) -> dict[str, int]:
    return {"workers": num_threads()} if isinstance(x, np.ndarray) else {}


def apply_spectrum(image: Image, x: Any, spectrum: Callable[..., Any], endpoints: bool) -> Any:
    """x, periodic, times ``spectrum(frequencies)``; a frequency of 1 is Nyquist's.

    frequencies: one array per axis of image.axes, broadcastable against each other. With
    ``endpoints`` the n frequencies of an axis run from -1 to 1, both included, as those of the IBSI
    reference maps do; else they are those of the discrete transform.
    """
    fft, axes = fft_module(x), sorted(image.axes)
    frequencies = []
    for axis in image.axes:
        n, shape = x.shape[axis], [1] * x.ndim
        shape[axis] = n
        whole: Any = np.linspace(-1, 1, n) if endpoints and n > 1 else None
        at = 2 * np.fft.fftfreq(n) if whole is None else np.fft.ifftshift(whole)
        frequencies.append(image.edge.xp.asarray(at).reshape(shape))
    complex_type = np.complex64 if x.dtype == np.float32 else np.complex128
    transfer = spectrum(*frequencies).astype(complex_type)
    transformed = fft.fftn(x, axes=axes, **fft_options(x))
    transformed *= transfer
    result = fft.ifftn(transformed, axes=axes, overwrite_x=True, **fft_options(x))
    return image.edge.xp.ascontiguousarray(result.real)


def around(image: Image, x: Any, axis: int, window: slice, margin: int) -> Any:
    """A window of x along an axis with margins on both sides, filled as the boundary says."""
    xp, n = image.edge.xp, x.shape[axis]
    index, inside = index_within(
        np.arange(window.start - margin, window.stop + margin), n, image.boundary
    )
    x = xp.take(x, xp.asarray(index), axis=axis)
    if not inside.all():
        shape = [1] * x.ndim
        shape[axis] = len(inside)
        x *= xp.asarray(inside.astype(x.dtype)).reshape(shape)
    return x


def index_within(at: np.ndarray, n: int, boundary: str) -> tuple[np.ndarray, np.ndarray]:
    """Index of the sample that stands at `at`, and False where a zero does (boundary_math.hpp)."""
    inside = (at >= 0) & (at < n)
    if boundary in ("zero", "nearest"):
        return np.clip(at, 0, n - 1), inside if boundary == "zero" else np.full(len(at), True)
    period = n if boundary == "periodic" else 2 * n
    folded = at % period
    return np.where(folded < n, folded, period - 1 - folded), np.full(len(at), True)
