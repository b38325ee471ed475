"""Filters that are defined by their values in the Fourier domain."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .._kernels.cuda.runtime import fft_module
from .._memory import require_memory
from ..threads import num_threads
from ._image import Image

__all__ = ["apply_spectrum", "around", "fft_options", "index_within"]

_SLAB, _DEVICE_SLAB = 1 << 18, 1 << 24  # samples: of a cache, or enough for a launch


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
    on_host = image.edge.xp is np
    if on_host:
        bytes_asked = 4 * x.nbytes  # the transform, its real part, pieces of the spectrum
        require_memory("the transform and the response", bytes_asked, "crop the image")
    transformed = fft.fftn(x, axes=axes, **fft_options(x))
    # The spectrum's values are several times the image, so they come in pieces; of slices they are
    # one slice's.
    samples = x.size if 0 not in axes else _SLAB if on_host else _DEVICE_SLAB
    for slab in _slabs(x.shape, samples):
        part = [f[slab] if f.shape[0] > 1 else f for f in frequencies]
        transformed[slab] *= spectrum(*part).astype(transformed.dtype)
    result = fft.ifftn(transformed, axes=axes, overwrite_x=True, **fft_options(x))
    return image.edge.xp.ascontiguousarray(result.real)


def _slabs(shape: tuple[int, ...], samples: int) -> Iterator[slice]:
    """Pieces along the first axis of about so many samples."""
    step = max(1, samples // math.prod(shape[1:]))
    return (slice(begin, begin + step) for begin in range(0, shape[0], step))


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
