"""Laplacian of Gaussian, truncated."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import _checks
from ._image import Image, take

__all__ = ["laplacian_of_gaussian", "log_response"]


def laplacian_of_gaussian(
    image: Any,
    *,
    sigma: float,
    truncate: float = 4.0,
    boundary: str = "mirror",
    spacing: float | Sequence[float] | None = None,
    by_slice: bool = False,
) -> Any:
    """Laplacian of the image smoothed by a Gaussian.

    ``sum_d d^2/dx_d^2 G(sigma) * image`` with x in voxels: bright blobs of about sigma are minima.

    Parameters
    ----------
    image : real array (z, y, x) or (y, x)
        float32 and float64 stay, integers become float32.
    sigma : float
        Standard deviation in mm (voxels without ``spacing``).
    truncate : float
        Taps end after this many sigma, rounded to voxels.
    boundary : {"mirror", "zero", "nearest", "periodic"}
    spacing : float or one per axis, optional
        Voxel size in mm, in the order of the image's axes.
    by_slice : bool
        Filter the slices of a volume one by one, by the 2D filter.

    Returns
    -------
    array of the image's shape, per voxel squared

    Raises
    ------
    DataError
        NaN or Inf, sigma or truncate not positive, unknown boundary.
    ShapeError
        An image that has neither 2 nor 3 axes.

    Notes
    -----
    The taps sample the continuous filter, as IBSI 2 has it: they do not sum to zero exactly. The
    sum over axes of products of second derivative and Gaussians shares its passes: 2 + 3 + 2
    instead of 9.

    References
    ----------
    IBSI 2 reference manual, section 3.2 (Laplacian of Gaussian), arXiv:2006.05470.

    Examples
    --------
    >>> import numpy as np
    >>> import pyrad_core as prc
    >>> blob = np.zeros((15, 15, 15), np.float32)
    >>> blob[7, 7, 7] = 1
    >>> response = prc.filters.laplacian_of_gaussian(blob, sigma=1.5)
    >>> bool(response[7, 7, 7] == response.min())
    True
    """
    taken = take(image, boundary, by_slice=by_slice, spacing=spacing)
    sigmas = taken.in_voxels("sigma", sigma)
    return taken.edge.answer(log_response(taken, sigmas, _checks.positive("truncate", truncate)))


def log_response(image: Image, sigmas: Sequence[float], truncate: float) -> Any:
    """Sum over axes; (smooth, bent) of the axes so far are carried along together."""
    smooth, bent = image.data, None
    for axis, sigma in zip(image.axes, sigmas, strict=True):
        gaussian, second = _taps(sigma, truncate)
        curved = image.convolve(smooth, second, axis)
        if bent is not None:
            curved += image.convolve(bent, gaussian, axis)
        if axis != image.axes[-1]:
            smooth = image.convolve(smooth, gaussian, axis)
        bent = curved
    return bent


def _taps(sigma: float, truncate: float) -> tuple[np.ndarray, np.ndarray]:
    """The Gaussian and its second derivative at whole voxels."""
    reach = int(math.floor(truncate * sigma + 0.5))
    x = np.arange(-reach, reach + 1) / sigma
    gaussian = np.exp(-0.5 * x**2) / (math.sqrt(2 * math.pi) * sigma)
    return gaussian, (x**2 - 1) / sigma**2 * gaussian
