"""Median, rank and percentile filters."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from .._checks import choice, number, whole
from .._kernels.select import edge_of, host_array
from .._memory import require_memory
from ..errors import DataError, ShapeError
from ._common import result_like
from ._windows import BOUNDARIES, PaddedImage, expand, outside_of

__all__ = ["median", "percentile", "rank"]


def median(
    image: Any,
    *,
    size: int | tuple[int, ...] = 3,
    footprint: Any = None,
    boundary: str = "mirror",
    mask: Any = None,
    out: Any = None,
) -> Any:
    """Median of the values in a window around each voxel.

    Removes outliers and keeps edges. Of an even number of values it is the upper middle one.

    Parameters
    ----------
    image : array, any dimensions
        float32 or float64; integers are converted to float32.
    size : int or one per axis
        Width of the window in voxels. One number is the width along the last three axes: series of
        volumes are filtered volume by volume. An even window reaches one voxel less far upwards.
    footprint : array of bool, optional
        The window's voxels, instead of ``size``: as many axes as the image, or fewer, which are
        then the last ones.
    boundary : {"mirror", "nearest", "periodic", "zero"}
        What lies beyond the faces; mirrors lie on the outer faces of the border voxels.
    mask : array of bool, shape of the image or of its last axes, optional
        Where to filter. Voxels outside are returned unchanged; they still belong to windows.
    out : array, optional
        Where to put the result: shape of the image, dtype of the result, C order.

    Returns
    -------
    array
        Same shape and, but for integers, same dtype as the image: values of the image, exactly.

    Raises
    ------
    DataError
        NaN or Inf, a width below 1, an empty footprint, an unknown boundary.
    ShapeError
        ``size``, ``footprint``, ``mask`` or ``out`` that do not fit the image.

    References
    ----------
    Batcher, AFIPS 32 (1968) 307, doi:10.1145/1468075.1468121 (networks of comparators).

    Examples
    --------
    >>> import numpy as np
    >>> import pyrad_core as prc
    >>> spikes = np.zeros((8, 8, 8), np.float32)
    >>> spikes[::3, ::3, ::3] = 100
    >>> float(prc.denoise.median(spikes, size=3).max())
    0.0
    """
    return _filter(image, size, footprint, boundary, mask, out, lambda count: count // 2)


def rank(
    image: Any,
    *,
    rank: int,
    size: int | tuple[int, ...] = 3,
    footprint: Any = None,
    boundary: str = "mirror",
    mask: Any = None,
    out: Any = None,
) -> Any:
    """The value of a given rank in a window around each voxel.

    Parameters
    ----------
    rank : int
        Number of smaller values: 0 is the minimum, -1 the maximum (counted from above).
    image, size, footprint, boundary, mask, out
        As in :func:`median`.

    Returns
    -------
    array
        Same shape and, but for integers, same dtype as the image.

    Raises
    ------
    DataError
        A rank that the window does not have; else as :func:`median`.
    ShapeError
        As :func:`median`.

    Examples
    --------
    >>> import numpy as np
    >>> import pyrad_core as prc
    >>> ramp = np.arange(5, dtype=np.float32)
    >>> prc.denoise.rank(ramp, rank=-1, size=3).tolist()
    [1.0, 2.0, 3.0, 4.0, 4.0]
    """

    def place(count: int) -> int:
        wanted = number("rank", rank)
        if wanted != int(wanted) or not -count <= wanted < count:
            raise DataError(
                f"rank is {rank}; the window holds {count} values: -{count} to {count - 1}"
            )
        return int(wanted) % count

    return _filter(image, size, footprint, boundary, mask, out, place)


def percentile(
    image: Any,
    *,
    percentile: float,
    size: int | tuple[int, ...] = 3,
    footprint: Any = None,
    boundary: str = "mirror",
    mask: Any = None,
    out: Any = None,
) -> Any:
    """The value below which a percentage of the values in a window around each voxel lies.

    Parameters
    ----------
    percentile : float
        0 to 100, without interpolation: rank ``floor(count * percentile / 100)``, the last one for
        100. Negative ones count from above.
    image, size, footprint, boundary, mask, out
        As in :func:`median`.

    Returns
    -------
    array
        Same shape and, but for integers, same dtype as the image.

    Raises
    ------
    DataError
        A percentile outside -100 to 100; else as :func:`median`.
    ShapeError
        As :func:`median`.

    Examples
    --------
    >>> import numpy as np
    >>> import pyrad_core as prc
    >>> ramp = np.arange(5, dtype=np.float32)
    >>> prc.denoise.percentile(ramp, percentile=25, size=5).tolist()
    [0.0, 0.0, 1.0, 2.0, 3.0]
    """

    def place(count: int) -> int:
        share = number("percentile", percentile)
        if not -100 <= share <= 100:
            raise DataError(f"percentile is {percentile}; expected a number from -100 to 100")
        share = share + 100 if share < 0 else share
        return count - 1 if share == 100 else int(count * share / 100)

    return _filter(image, size, footprint, boundary, mask, out, place)


def _filter(
    image: Any, size: Any, footprint: Any, boundary: str, mask: Any, out: Any, place: Any
) -> Any:
    edge = edge_of(image=image, mask=mask)
    x = edge.real("image")
    choice("boundary", boundary, BOUNDARIES)
    if x.ndim < 1 or x.size == 0:
        raise DataError(f"image has shape {x.shape}; expected at least one voxel")
    window = _window(size, footprint, x.ndim)
    rank_of_window = place(int(window.sum()))
    outside = outside_of(edge, x, mask)
    result = result_like(edge, x, out)
    filtered = result if outside is None else edge.xp.empty_like(x)  # out may be the image
    before = [w // 2 for w in window.shape]
    after = [w - 1 - low for w, low in zip(window.shape, before, strict=True)]
    padded = PaddedImage(edge, x.shape, before, after)
    if window.all():  # pieces of rows
        leading = itertools.product(*(range(w) for w in window.shape[:-1]))
        places, width = np.array([(*place, 0) for place in leading]), window.shape[-1]
    else:
        places, width = np.argwhere(window), 1
    edge.kernels.rank_filter(
        padded.pad(x, boundary),
        padded.starts,
        edge.xp.asarray(padded.offsets(places)),
        width,
        rank_of_window,
        padded.rows(filtered),
    )
    if outside is not None:
        result[...] = edge.xp.where(outside, x, filtered)
    return edge.answer(result) if out is None else out


def _window(size: Any, footprint: Any, ndim: int) -> np.ndarray:
    """The window as an array of bool with as many axes as the image."""
    if footprint is None:
        widths = [whole("size", width, 1) for width in expand("size", size, ndim, 1)]
        require_memory(f"windows of {widths} voxels", math.prod(widths), "take a smaller size")
        return np.ones(widths, bool)
    window = host_array(edge_of(footprint=footprint)["footprint"]) != 0
    if not 1 <= window.ndim <= ndim:
        raise ShapeError(f"footprint has shape {window.shape}, but image has {ndim} dimensions")
    if not window.any():
        raise DataError(f"footprint of shape {window.shape} holds no voxel")
    return window.reshape((1,) * (ndim - window.ndim) + window.shape)
