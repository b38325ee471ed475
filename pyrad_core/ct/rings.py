"""Removal of ring artefacts: stripes along the views of a sinogram."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._checks import whole
from .._kernels.select import edge_of
from ..errors import DataError

__all__ = ["remove_rings"]


def remove_rings(projections: Any, *, size: int = 21) -> Any:
    """Projections without the stripes that miscalibrated detector pixels leave.

    In each column the values are sorted along the views; a stripe shifts a whole sorted column,
    which a median across neighbouring columns takes out, while the object's structure, scattered
    over many views, is hardly touched. The values then go back to their views.

    Parameters
    ----------
    projections : array, shape (views, columns) or (views, rows, columns)
        Line integrals; float32 or float64, integers become float32.
    size : int
        Columns in the median, odd, wider than the widest stripe.

    Returns
    -------
    array, shape and precision of ``projections``

    Raises
    ------
    DataError
        NaN or Inf; ``size`` even, < 3 or wider than the detector.

    References
    ----------
    N. T. Vo, R. C. Atwood, M. Drakopoulos, Optics Express 26, 28396, 2018 (algorithm 3),
    doi:10.1364/OE.26.028396.

    Examples
    --------
    >>> import numpy as np
    >>> striped = np.zeros((40, 64))
    >>> striped[:, 30] = 1.0
    >>> float(np.abs(remove_rings(striped)).max())
    0.0
    """
    edge = edge_of(projections=projections)
    lines = edge.real("projections", ndim=(2, 3))
    width = whole("size", size, 3)
    if width % 2 == 0 or width > lines.shape[-1]:
        raise DataError(
            f"size is {size}; expected an odd number up to the {lines.shape[-1]} columns"
        )
    order = edge.xp.argsort(lines, axis=0)
    ranked = edge.xp.take_along_axis(lines, order, axis=0)
    window = (1,) * (lines.ndim - 1) + (width,)
    smooth = _ndimage(edge.xp).median_filter(ranked, size=window, mode="nearest")
    result = edge.xp.empty_like(lines)
    edge.xp.put_along_axis(result, order, smooth, axis=0)
    return edge.answer(result)


def _ndimage(xp: Any) -> Any:
    if xp is np:
        import scipy.ndimage

        return scipy.ndimage
    import cupyx.scipy.ndimage

    return cupyx.scipy.ndimage
