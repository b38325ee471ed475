"""Laws' texture kernels and energy maps."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import _checks
from ..errors import DataError
from ._image import take
from ._rotation import filter_separable
from .mean import box_mean

__all__ = ["laws"]

_KERNELS = {
    "L3": (1, 2, 1),
    "E3": (-1, 0, 1),
    "S3": (-1, 2, -1),
    "L5": (1, 4, 6, 4, 1),
    "E5": (-1, -2, 0, 2, 1),
    "S5": (-1, 0, 2, 0, -1),
    "W5": (-1, 2, 0, -2, 1),
    "R5": (1, -4, 6, -4, 1),
}


def laws(
    image: Any,
    kernels: str,
    *,
    pooling: str | None = None,
    energy_distance: int | None = None,
    boundary: str = "mirror",
    by_slice: bool = False,
) -> Any:
    """Response to a product of Laws' kernels, or its energy.

    Parameters
    ----------
    image : real array (z, y, x) or (y, x)
        float32 and float64 stay, integers become float32.
    kernels : str
        One kernel per axis, x first: ``"E5L5S5"``; two in 2D or by slice. Level, edge, spot, wave
        and ripple (L, E, S, W, R) of 3 or 5 taps, each of norm 1.
    pooling : {None, "max", "mean", "min"}
        Pool the responses of all rotations by right angles (24 in 3D, 4 in 2D).
    energy_distance : int, optional
        Mean absolute response over all voxels up to this Chebyshev distance, after pooling.
    boundary : {"mirror", "zero", "nearest", "periodic"}
    by_slice : bool
        Filter the slices of a volume one by one.

    Returns
    -------
    array of the image's shape

    Raises
    ------
    DataError
        Unknown kernels or not one per axis, NaN or Inf, unknown pooling or boundary.
    ShapeError
        An image that has neither 2 nor 3 axes.

    References
    ----------
    IBSI 2 reference manual, section 3.3 (Laws kernels), arXiv:2006.05470. K. I. Laws, Rapid texture
    identification, Proc. SPIE 0238 (1980), doi:10.1117/12.959169.

    Examples
    --------
    >>> import numpy as np
    >>> import pyrad_core as prc
    >>> ramp = np.tile(np.arange(8, dtype=np.float32), (8, 1))
    >>> prc.filters.laws(ramp, "E3L3", energy_distance=1).shape
    (8, 8)
    """
    taken = take(image, boundary, by_slice=by_slice, spacing=None)
    names = [kernels[i : i + 2] for i in range(0, len(kernels), 2)]
    _checks.known_names("Laws kernel", names, _KERNELS)
    if len(names) != len(taken.axes):
        raise DataError(f"kernels is {kernels!r}; expected one for each of {len(taken.axes)} axes")
    taps = [np.array(_KERNELS[name]) / np.linalg.norm(_KERNELS[name]) for name in names]
    response = filter_separable(taken, [[line] for line in taps], pooling)
    if energy_distance is not None:
        reach = _checks.whole("energy_distance", energy_distance, 0)
        response = box_mean(taken, abs(response), 2 * reach + 1)
    return taken.edge.answer(response)
