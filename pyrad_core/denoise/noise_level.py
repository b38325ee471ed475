"""Noise level of an image from its finest wavelet details."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .._kernels.select import edge_of
from ..errors import ShapeError

__all__ = ["estimate_sigma"]

_MAD_OF_NORMAL = 0.6744897501960817  # median of |x| for x ~ N(0, 1)
# low-pass of the wavelet db2 (Daubechies 1988); its high-pass ends on edges two voxels wide
_ROOT3 = math.sqrt(3.0)
_LOW = np.array([1 + _ROOT3, 3 + _ROOT3, 3 - _ROOT3, 1 - _ROOT3]) / (4 * math.sqrt(2.0))
_HIGH = _LOW[::-1] * np.array([1, -1, 1, -1])


def estimate_sigma(image: Any, *, mask: Any = None, robust: bool = True) -> float:
    """Standard deviation of white Gaussian noise in an image.

    The finest diagonal details of the db2 wavelet (high-pass along every axis) hold hardly any
    image but all of the noise; their median absolute value over 0.6745 is the estimate.

    Parameters
    ----------
    image : array, (x), (y, x) or (z, y, x)
        float32, float64 or integers; at least four voxels along every axis longer than one.
    mask : array of bool, optional
        Use only coefficients whose four voxels per axis all lie inside.
    robust : bool
        Median absolute deviation (True), which edges hardly move, or root mean square (False),
        which is tighter on pure noise. Coefficients that are exactly zero, as in a background that
        was set to zero, are left out of both.

    Returns
    -------
    float
        The noise level in units of the image; 0.0 for an image without any detail. For pure noise
        in 10000 voxels the relative spread is about 2.4 % (robust) or 1.4 %.

    Raises
    ------
    DataError
        NaN or Inf in the image.
    ShapeError
        Too few voxels along an axis, or inside the mask.

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
        inside = edge["mask"] != 0
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
