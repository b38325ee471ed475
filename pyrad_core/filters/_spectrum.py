"""Filters that are defined by their values in the Fourier domain."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .._kernels.cuda.runtime import fft_module
from .._kernels.select import host_array
from .._memory import require_memory
from ..threads import num_threads
from ._image import Image

__all__ = ["apply_spectrum", "around", "fft_options", "index_within", "slab_samples"]

_SLAB, _DEVICE_SLAB = 1 << 18, 1 << 24  # samples: of a cache, or enough for a launch


def fft_options(x: Any) -> dict[str, int]:
    return {"workers": num_threads()} if isinstance(x, np.ndarray) else {}


def slab_samples(x: Any) -> int:
    """Samples of the pieces in which spectra are worked on."""
    return _SLAB if isinstance(x, np.ndarray) else _DEVICE_SLAB


def apply_spectrum(image: Image, x: Any, spectrum: Callable[..., Any], endpoints: bool) -> Any:
    """The real part of x, periodic, times ``spectrum(frequencies)``; a frequency of 1 is Nyquist's.

    frequencies: one array per axis of image.axes, broadcastable against each other. A spectrum's
    value at -f is the complex conjugate of that at f. With ``endpoints`` the n frequencies of an
    axis run from -1 to 1, both included, as those of the IBSI reference maps do; else they are
    those of the discrete transform.
    """
    xp, fft, axes = image.edge.xp, fft_module(x), sorted(image.axes)
    if xp is np:
        bytes_asked = (
            3 * x.nbytes
        )  # half of the transform's numbers are complex; pieces; the result
        require_memory("the transform and the response", bytes_asked, "crop the image")
    transformed = fft.rfftn(x, axes=axes, **fft_options(x))
    at, mirrored = (
        [_along(xp, f, axis, transformed.shape) for f, axis in zip(both, image.axes, strict=True)]
        for both in zip(*(_frequencies(x.shape[d], endpoints) for d in image.axes), strict=True)
    )
    samples = transformed.size if 0 not in axes else slab_samples(x)
    for slab in _slabs(transformed.shape, samples):
        here = spectrum(*_pieces(at, slab))
        if endpoints:
            here = (here + spectrum(*_pieces(mirrored, slab))) / 2
        else:
            _mean_at_nyquist(spectrum, _pieces(at, slab), _pieces(mirrored, slab), here)
        transformed[slab] *= here.astype(transformed.dtype)
    shape = [x.shape[axis] for axis in axes]
    result = fft.irfftn(transformed, s=shape, axes=axes, overwrite_x=True, **fft_options(x))
    return xp.ascontiguousarray(result)


def _frequencies(n: int, endpoints: bool) -> tuple[np.ndarray, np.ndarray]:
    """f(k), and -f(-k): a real result takes the mean of the spectrum at both.

    Without ``endpoints`` they differ at Nyquist's frequency only.
    """
    at = 2 * np.fft.fftfreq(n)
    if endpoints and n > 1:
        at = np.fft.ifftshift(np.linspace(-1, 1, n))
    return at, -np.roll(at[::-1], 1)


def _along(xp: Any, f: np.ndarray, axis: int, shape: tuple[int, ...]) -> Any:
    """f along an axis of the transform, of whose last axis there is one half."""
    layout = [1] * len(shape)
    layout[axis] = shape[axis]
    return xp.asarray(f[: shape[axis]]).reshape(layout)


def _pieces(frequencies: list[Any], slab: slice) -> list[Any]:
    return [f[slab] if f.shape[0] > 1 else f for f in frequencies]


def _mean_at_nyquist(
    spectrum: Callable[..., Any], at: list[Any], mirrored: list[Any], here: Any
) -> None:
    """Planes of ``here`` on which a frequency is Nyquist's."""
    for f, g in zip(at, mirrored, strict=True):
        axis = max(range(f.ndim), key=lambda d: f.shape[d])
        for index in np.flatnonzero(host_array(f != g).reshape(-1)):
            plane = [slice(None)] * f.ndim
            plane[axis] = slice(index, index + 1)
            there = [
                [h[tuple(plane)] if h.shape[axis] == f.shape[axis] > 1 else h for h in both]
                for both in (at, mirrored)
            ]
            here[tuple(plane)] = (spectrum(*there[0]) + spectrum(*there[1])) / 2


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
