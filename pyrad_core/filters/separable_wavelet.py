"""Undecimated separable wavelets."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import _checks
from ..errors import DataError
from ..wavelet import Wavelet
from ._image import take
from ._rotation import filter_separable

__all__ = ["separable_wavelet"]


def separable_wavelet(
    image: Any,
    wavelet: str,
    bands: str,
    *,
    level: int = 1,
    pooling: str | None = None,
    boundary: str = "mirror",
    by_slice: bool = False,
) -> Any:
    """One sub-band of the undecimated wavelet transform, by any boundary, rotations pooled.

    Parameters
    ----------
    image : real array (z, y, x) or (y, x)
        float32 and float64 stay, integers become float32.
    wavelet : str
        A name of :func:`pyrad_core.wavelet.wavelist`.
    bands : str
        Low or high pass per axis, x first: ``"LLH"``; two letters in 2D or by slice.
    level : int
        Levels before the last are low passes along every axis; taps spread by 2 with each level.
    pooling : {None, "max", "mean", "min"}
        Pool the responses of all rotations by right angles (24 in 3D, 4 in 2D).
    boundary : {"mirror", "zero", "nearest", "periodic"}
    by_slice : bool
        Filter the slices of a volume one by one.

    Returns
    -------
    array of the image's shape

    Raises
    ------
    DataError
        Unknown wavelet, bands that are not one L or H per axis, NaN or Inf, unknown pooling or
        boundary.
    ShapeError
        An image that has neither 2 nor 3 axes.

    References
    ----------
    IBSI 2 reference manual, section 3.5 (separable wavelets), arXiv:2006.05470.

    Examples
    --------
    >>> import numpy as np
    >>> import pyrad_core as prc
    >>> flat = np.ones((4, 4, 4), np.float32)
    >>> float(abs(prc.filters.separable_wavelet(flat, "db2", "LLH")).max()) < 1e-6
    True
    """
    taken = take(image, boundary, by_slice=by_slice, spacing=None)
    if len(bands) != len(taken.axes) or set(bands) - set("LH"):
        raise DataError(f"bands is {bands!r}; expected L or H for each of {len(taken.axes)} axes")
    levels = _checks.whole("level", level, 1)
    low, high = Wavelet(wavelet).decomposition
    earlier = [_spread(low, step) for step in range(levels - 1)]
    last = {"L": _spread(low, levels - 1), "H": _spread(high, levels - 1)}
    filters = [[*earlier, last[letter]] for letter in bands]
    return taken.edge.answer(filter_separable(taken, filters, pooling))


def _spread(taps: np.ndarray, times: int) -> np.ndarray:
    """2^times - 1 zeros behind every tap."""
    wide = np.zeros(len(taps) << times)
    wide[:: 1 << times] = taps
    return wide
