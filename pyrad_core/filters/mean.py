"""Mean filter."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import _checks
from ..errors import DataError
from ._image import take

__all__ = ["mean"]


def mean(image: Any, *, support: int = 5, boundary: str = "mirror", by_slice: bool = False) -> Any:
    """Mean over a cube (a square by slice) of ``support`` voxels a side.

    Parameters
    ----------
    image : real array (z, y, x) or (y, x)
        float32 and float64 stay, integers become float32.
    support : int
        Voxels along each axis, odd.
    boundary : {"mirror", "zero", "nearest", "periodic"}
    by_slice : bool
        Filter the slices of a volume one by one.

    Returns
    -------
    array of the image's shape

    Raises
    ------
    DataError
        NaN or Inf, even support, unknown boundary.
    ShapeError
        An image that has neither 2 nor 3 axes.

    References
    ----------
    IBSI 2 reference manual, section 3.1 (mean filter), arXiv:2006.05470.

    Examples
    --------
    >>> import numpy as np
    >>> import pyrad_core as prc
    >>> float(prc.filters.mean(np.eye(5, dtype=np.float32), support=3, boundary="zero")[2, 2])
    0.3333333...
    """
    size = _checks.whole("support", support, 1)
    if size % 2 == 0:
        raise DataError(f"support is {support}; expected an odd number of voxels")
    taken = take(image, boundary, by_slice=by_slice, spacing=None)
    return taken.edge.answer(box_mean(taken, taken.data, size))


def box_mean(image: Any, x: Any, size: int) -> Any:
    taps = np.full(size, 1 / size)
    for axis in image.axes:
        x = image.convolve(x, taps, axis)
    return x
