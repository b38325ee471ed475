"""Non-separable wavelets: isotropic band passes."""

from __future__ import annotations

from typing import Any

from .. import _checks
from ._image import take
from ._spectrum import apply_spectrum

__all__ = ["FAMILIES", "band_pass", "nonseparable_wavelet"]

FAMILIES = ("simoncelli", "shannon")  # numbered as in transfer_math.hpp, after "all"


def nonseparable_wavelet(
    image: Any,
    *,
    family: str = "simoncelli",
    level: int = 1,
    boundary: str = "periodic",
    by_slice: bool = False,
    endpoints: bool = True,
) -> Any:
    """Band-pass response of an isotropic wavelet pyramid without decimation.

    ``B(v) = cos(pi / 2 log2(2 v))`` for 1/4 < v <= 1 (Simoncelli) or 1 for 1/2 < v <= 1 (Shannon),
    ``v = 2^(level - 1) |frequency| / Nyquist``; 0 elsewhere.

    Parameters
    ----------
    image : real array (z, y, x) or (y, x)
        float32 and float64 stay, integers become float32.
    family : {"simoncelli", "shannon"}
    level : int
        Each level halves the frequencies of the band.
    boundary : {"periodic"}
        The filters are defined by their spectrum, which makes images periodic.
    by_slice : bool
        Filter the slices of a volume one by one.
    endpoints : bool
        Where an axis of n samples is sampled in frequency: n values from -1 to 1 with both ends, as
        in the reference maps of IBSI 2 (8.a.2 and 8.a.3 are met to rounding so, and missed by 2.5 %
        and 8 % otherwise), or the frequencies of the discrete Fourier transform (False).

    Returns
    -------
    array of the image's shape

    Raises
    ------
    DataError
        Unknown family, another boundary, NaN or Inf.
    ShapeError
        An image that has neither 2 nor 3 axes.

    References
    ----------
    IBSI 2 reference manual, section 3.6 (non-separable wavelets), arXiv:2006.05470. J. Portilla,
    E. P. Simoncelli, Int. J. Comput. Vis. 40 (2000), doi:10.1023/A:1026553619983.

    Examples
    --------
    >>> import numpy as np
    >>> import pyrad_core as prc
    >>> prc.filters.nonseparable_wavelet(np.eye(16, dtype=np.float32), level=2).shape
    (16, 16)
    """
    _checks.choice("boundary", boundary, ("periodic",))
    taken = take(image, boundary, by_slice=by_slice, spacing=None)
    band = band_pass(family, level)
    powers = (0,) * len(taken.axes)
    response = apply_spectrum(taken, taken.data, powers, factor=1.0, **band, endpoints=endpoints)
    return taken.edge.answer(response)


def band_pass(family: str, level: int) -> dict[str, Any]:
    """The filter as :func:`apply_spectrum` takes it."""
    _checks.choice("family", family, FAMILIES)
    scale = 2.0 ** (_checks.whole("level", level, 1) - 1)
    return {"band": 1 + FAMILIES.index(family), "scale": scale}
