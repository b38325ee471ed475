"""Noise level of an image from its finest wavelet details."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .._checks import choice, whole
from .._kernels.select import edge_of, host_array
from ..errors import ShapeError
from ._common import as_bool
from .mppca import mppca
from .piesno import piesno

__all__ = ["estimate_sigma"]

_MAD_OF_NORMAL = 0.6744897501960817  # median of |x| for x ~ N(0, 1)
# low-pass of the wavelet db2 (Daubechies 1988); its high-pass ends on edges two voxels wide
_ROOT3 = math.sqrt(3.0)
_LOW = np.array([1 + _ROOT3, 3 + _ROOT3, 3 - _ROOT3, 1 - _ROOT3]) / (4 * math.sqrt(2.0))
_HIGH = _LOW[::-1] * np.array([1, -1, 1, -1])


def estimate_sigma(
    image: Any, *, mask: Any = None, robust: bool = True, method: str = "mad", coils: int = 1
) -> float:
    """Standard deviation of white noise in an image or a series.

    "mad": the finest diagonal details of the db2 wavelet (high-pass along every axis) hold hardly
    any image but all of the noise; their median absolute value over 0.6745 is the estimate.
    "background": the mean of squares of a magnitude image without signal is 2 N sigma^2 for N
    coils (Rayleigh law for one). "mppca" and "piesno": the median over the voxels of :func:`mppca`
    or the slices of :func:`piesno`, which also give maps. "mad" and "mppca" measure the spread of
    the values as they are, the other two that of the real and imaginary part behind magnitudes.

    Parameters
    ----------
    image : array, (x), (y, x) or (z, y, x); for "mppca" and "piesno" (volumes, z, y, x)
        float32, float64 or integers; for "mad" at least four voxels along every axis longer than
        one; for "mppca" also complex.
    mask : array of bool, optional
        "mad": use only coefficients whose four voxels per axis all lie inside. "background": the
        voxels without signal. "mppca": voxels that count.
    robust : bool
        Median absolute deviation (True), which edges hardly move, or root mean square (False),
        which is tighter on pure noise. Coefficients that are exactly zero, as in a background that
        was set to zero, are left out of both.
    method : {"mad", "background", "mppca", "piesno"}
        Where the noise is looked for.
    coils : int
        Coils combined by the sum of squares ("background", "piesno").

    Returns
    -------
    float
        The noise level in units of the image; 0.0 for an image without any detail. For pure noise
        in 10000 voxels the relative spread is about 2.4 % (robust) or 1.4 %.

    Raises
    ------
    DataError
        NaN or Inf in the image, an unknown method.
    ShapeError
        Too few voxels along an axis, or inside the mask; a method that asks for a mask or a series.

    References
    ----------
    Donoho, Johnstone, Biometrika 81 (1994) 425, doi:10.1093/biomet/81.3.425.

    Examples
    --------
    >>> import numpy as np
    >>> import pyrad_core as prc
    >>> noise = np.random.default_rng(0).normal(0, 2.0, (256, 256))
    >>> round(prc.denoise.estimate_sigma(noise), 1)
    2.0
    """
    choice("method", method, ("mad", "background", "mppca", "piesno"))
    coils = whole("coils", coils, 1)
    if method == "mppca":
        return _of_series(image, mask)
    if method == "piesno":
        levels = piesno(image, coils=coils)[0]
        return float(np.median(levels[levels > 0])) if (levels > 0).any() else 0.0
    if method == "background":
        return _of_background(image, mask, coils)
    edge = edge_of(image=image, mask=mask)
    xp = edge.xp
    x = edge.real("image", ndim=(1, 2, 3))
    axes = [a for a, n in enumerate(x.shape) if n > 1]
    if not axes or min(x.shape[a] for a in axes) < len(_HIGH):
        raise ShapeError(
            f"image has shape {x.shape}; expected at least {len(_HIGH)} voxels along every axis "
            "longer than one"
        )
    inside = None
    if mask is not None:
        inside = as_bool(edge)
        if inside.shape != x.shape:
            raise ShapeError(f"mask has shape {inside.shape}, but image has shape {x.shape}")
    details = x.astype(np.float64)
    for axis in axes:
        details = _high_pass(xp, details, axis)
        inside = None if inside is None else _all_taps(xp, inside, axis)
    values = xp.abs(details if inside is None else details[inside]).ravel()
    if values.size == 0:
        raise ShapeError("mask leaves no voxel whose neighbourhood of 4 per axis is inside")
    # where all is constant the taps cancel up to rounding
    floor = 8 * float(xp.finfo(x.dtype).eps) * float(xp.abs(x).max())
    values = values[values > floor]
    if values.size == 0:
        return 0.0
    if robust:
        return float(xp.median(values)) / _MAD_OF_NORMAL
    return float(xp.sqrt(xp.mean(values * values)))


def _of_series(dwi: Any, mask: Any) -> float:
    """Median of MPPCA's map where noise was found."""
    levels = host_array(mppca(dwi, mask=mask)[1])
    found = levels[levels > 0]
    return float(np.median(found)) if found.size else 0.0


def _of_background(image: Any, mask: Any, coils: int) -> float:
    """From the second moment of magnitudes without signal."""
    if mask is None:
        raise ShapeError('method="background" needs a mask of voxels without signal')
    edge = edge_of(image=image, mask=mask)
    x, inside = edge.real("image"), as_bool(edge)
    if inside.shape != x.shape:
        raise ShapeError(f"mask has shape {inside.shape}, but image has shape {x.shape}")
    values = x[inside].astype(np.float64)
    if values.size == 0:
        raise ShapeError("mask is empty; expected the voxels without signal")
    return float(edge.xp.sqrt(edge.xp.mean(values * values) / (2 * coils)))


def _taps(xp: Any, x: Any, axis: int) -> list[Any]:
    moved = xp.moveaxis(x, axis, -1)
    count = moved.shape[-1] - len(_HIGH) + 1
    return [xp.moveaxis(moved[..., k : k + count], -1, axis) for k in range(len(_HIGH))]


def _high_pass(xp: Any, x: Any, axis: int) -> Any:
    """All shifts of the high-pass, without the borders."""
    return sum(float(h) * tap for h, tap in zip(_HIGH, _taps(xp, x, axis), strict=True))


def _all_taps(xp: Any, inside: Any, axis: int) -> Any:
    result = None
    for tap in _taps(xp, inside, axis):
        result = tap if result is None else result & tap
    return result
