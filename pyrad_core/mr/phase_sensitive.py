"""Phase-sensitive combination: real images with the sign of the magnetisation."""

from __future__ import annotations

import math
from typing import Any

from .._checks import at_least, same_shape
from .._kernels.select import edge_of
from ..errors import DataError
from .fourier import fft, ifft
from .window import window

__all__ = ["phase_sensitive"]


def phase_sensitive(
    images: Any, reference: Any, *, smoothing: float = 0.0, normalize: bool = False
) -> Any:
    """Combine coils by a reference of known sign, keeping the sign of the signal (PSIR).

    Parameters
    ----------
    images : complex array (coil, ..., y, x)
        For example of an inversion recovery; noise whitened. One combined image has one coil:
        ``image[None]``.
    reference : complex array of the same shape
        The same coils without sign change, such as a proton-density image with the same phase.
    smoothing : float
        Standard deviation in pixels of a Gaussian over the reference, whose noise then counts
        less; 0 takes it as it is.
    normalize : bool
        Divide by the reference's magnitude, which removes the coils' shading.

    Returns
    -------
    real array (..., y, x)
        ``Re(sum_c conj(r_c) m_c) / sqrt(sum_c |r_c|^2)``, or over ``sum_c |r_c|^2`` with
        ``normalize``; 0 where the reference is 0.

    Raises
    ------
    ShapeError
        Shapes differ.
    DataError
        NaN, real images, a reference of zeros only.

    References
    ----------
    Kellman et al., Magn. Reson. Med. 47 (2002), doi:10.1002/mrm.10051.

    Examples
    --------
    >>> import numpy as np, pyrad_core as prc
    >>> phase = np.exp(1j * np.linspace(0, 3, 16)).reshape(1, 4, 4)
    >>> signs = np.where(np.arange(16).reshape(4, 4) % 2, 1.0, -1.0)
    >>> bool(np.allclose(prc.mr.phase_sensitive(signs * phase, 2 * phase), signs))
    True
    """
    edge = edge_of(images=images, reference=reference)
    m = edge.complex("images")
    r = edge.complex("reference", dtype=m.dtype)
    same_shape("reference", r.shape, "images", m.shape)
    if m.ndim < 2:
        raise DataError(f"images has shape {m.shape}; expected (coil, ..., y, x)")
    sigma = at_least("smoothing", smoothing, 0)
    if not r.any():
        raise DataError("reference holds only zeros")
    xp = edge.xp
    if sigma > 0:
        r = _smoothed(r, sigma)
    power = xp.sum(r.real**2 + r.imag**2, axis=0)
    mixed = xp.sum(r.real * m.real + r.imag * m.imag, axis=0)
    weight = power if normalize else xp.sqrt(power)
    return edge.answer(xp.where(weight > 0, mixed / xp.where(weight > 0, weight, 1), 0))


def _smoothed(r: Any, sigma: float) -> Any:
    """A Gaussian of sigma pixels is one of n / (2 pi sigma) samples in k-space."""
    axes = (-1,) if r.ndim == 2 else (-2, -1)
    k = fft(r, axes=axes)
    for axis in axes:
        k = window(k, kind="gauss", axes=(axis,), parameter=1 / (math.pi * sigma))
    return ifft(k, axes=axes)
