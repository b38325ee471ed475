"""Riesz transforms of band-passed images."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from .. import _checks
from ..errors import DataError
from ._image import take
from ._spectrum import apply_spectrum
from .laplacian_of_gaussian import log_response
from .nonseparable_wavelet import band_pass

__all__ = ["riesz"]


def riesz(
    image: Any,
    order: Sequence[int],
    *,
    sigma: float | None = None,
    truncate: float = 4.0,
    family: str | None = None,
    level: int = 1,
    boundary: str = "periodic",
    spacing: float | Sequence[float] | None = None,
    by_slice: bool = False,
    endpoints: bool = False,
) -> Any:
    """Component of the Riesz transform, after a Laplacian of Gaussian or a wavelet's band pass.

    ``R(f) = (-i)^L sqrt(L! / prod l_d!) prod f_d^l_d / |f|^L`` with L the sum of the order l: the
    derivatives of that order, all frequencies alike.

    Parameters
    ----------
    image : real array (z, y, x) or (y, x)
        float32 and float64 stay, integers become float32.
    order : sequence of int
        l per axis, x first, as letters of filters: (1, 0, 0) is the derivative along x.
    sigma, truncate : float, optional
        Laplacian of Gaussian before the transform: :func:`laplacian_of_gaussian`, by ``boundary``.
    family, level : optional
        Wavelet instead: :func:`nonseparable_wavelet`. With neither, the transform alone.
    boundary : {"periodic", "zero", "nearest", "mirror"}
        Of the Laplacian of Gaussian. The transform itself is periodic.
    spacing : float or one per axis, optional
        Voxel size in mm, in the order of the image's axes.
    by_slice : bool
        Filter the slices of a volume one by one.
    endpoints : bool
        Sampling of frequencies, see :func:`nonseparable_wavelet`.

    Returns
    -------
    array of the image's shape

    Raises
    ------
    DataError
        Order that is no list of whole numbers, one per axis, with a sum > 0; both a sigma and a
        family; NaN or Inf.
    ShapeError
        An image that has neither 2 nor 3 axes.

    References
    ----------
    IBSI 2 reference manual, section 3.7 (Riesz transformation), arXiv:2006.05470. M. Unser, D. Van
    De Ville, IEEE Trans. Image Process. 19 (2010), doi:10.1109/TIP.2009.2038832.

    Examples
    --------
    >>> import numpy as np
    >>> import pyrad_core as prc
    >>> prc.filters.riesz(np.eye(16, dtype=np.float32), (0, 1), sigma=1.5).shape
    (16, 16)
    """
    if sigma is not None and family is not None:
        raise DataError(f"sigma is {sigma} and family {family!r}; pass one of them")
    taken = take(image, boundary, by_slice=by_slice, spacing=spacing)
    powers = [_checks.whole("order", power, 0) for power in order]
    if len(powers) != len(taken.axes) or sum(powers) == 0:
        raise DataError(
            f"order is {tuple(order)}; expected {len(taken.axes)} whole numbers, not all zero"
        )
    x = taken.data
    if sigma is not None:
        x = log_response(
            taken, taken.in_voxels("sigma", sigma), _checks.positive("truncate", truncate)
        )
    band = {"band": 0, "scale": 1.0} if family is None else band_pass(family, level)
    factor = math.sqrt(math.factorial(sum(powers)) / math.prod(map(math.factorial, powers)))
    response = apply_spectrum(taken, x, powers, factor=factor, **band, endpoints=endpoints)
    return taken.edge.answer(response)
