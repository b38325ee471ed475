"""Filters that are defined by their values in the Fourier domain."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .._kernels.fft import filter_by_transforms, own_fft
from .._memory import require_memory
from ._image import Image

__all__ = ["apply_spectrum", "around", "index_within", "slab_samples"]

_SLAB, _DEVICE_SLAB = 1 << 18, 1 << 24  # samples: of a cache, or enough for a launch


def slab_samples(x: Any) -> int:
    """Samples of the pieces in which spectra are worked on."""
    return _SLAB if isinstance(x, np.ndarray) else _DEVICE_SLAB


def apply_spectrum(
    image: Image,
    x: Any,
    powers: Sequence[int],
    *,
    factor: float,
    band: int,
    scale: float,
    endpoints: bool,
) -> Any:
    """x, periodic, times ``(-i)^L factor prod f_d^l_d / |f|^L B(scale |f|)`` (transfer_math.hpp).

    A frequency f of 1 is Nyquist's; l: ``powers``, in the order of image.axes. With ``endpoints``
    the n frequencies of an axis run from -1 to 1, both included, as those of the IBSI reference
    maps do; else they are those of the discrete transform.
    """
    edge = image.edge
    by_slice = len(image.axes) == 2
    volumes = x.reshape((-1, 1, *x.shape[-2:]) if by_slice else (1, *x.shape))
    along = [_frequencies(n, endpoints) for n in volumes.shape[1:]]
    table = np.ascontiguousarray(np.concatenate(along, axis=1))
    zyx = ((0,) if by_slice else ()) + tuple(powers)[::-1]
    transfer = (edge.xp.asarray(table), zyx, factor, band, scale)
    if edge.xp is np:
        # half of the transform's numbers are complex
        require_memory("the transform and the response", 3 * x.nbytes, "crop the image")
    out = edge.xp.empty_like(volumes)
    if isinstance(x, np.ndarray) and not own_fft(volumes.shape[1:]):
        filter_by_transforms(
            volumes,
            lambda spectra: edge.kernels.multiply_transfer(spectra, x.shape[-1], *transfer),
            out,
        )
    else:
        edge.kernels.spectral_filter(volumes, *transfer, out)
    return out.reshape(x.shape)


def _frequencies(n: int, endpoints: bool) -> np.ndarray:
    """f(k), and -f(-k): a real result takes the mean of the spectrum at both.

    Without ``endpoints`` they differ at Nyquist's frequency only.
    """
    at = 2 * np.fft.fftfreq(n)
    if endpoints and n > 1:
        at = np.fft.ifftshift(np.linspace(-1, 1, n))
    return np.stack([at, -np.roll(at[::-1], 1)])


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
