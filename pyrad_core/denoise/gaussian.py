"""Gaussian smoothing."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .._checks import choice, positive
from .._kernels.select import Edge, edge_of
from ..errors import DataError
from ._common import nonnegative, result_like
from ._windows import BOUNDARIES, expand, is_constant

__all__ = ["gaussian", "smooth"]


def gaussian(
    image: Any,
    *,
    sigma: float | tuple[float, ...],
    spacing: float | tuple[float, ...] = 1.0,
    truncate: float = 4.0,
    boundary: str = "mirror",
    out: Any = None,
) -> Any:
    """Smooth by a Gaussian, axis by axis.

    Parameters
    ----------
    image : array, any dimensions
        float32 or float64; integers are converted to float32.
    sigma : float or one per axis
        Standard deviation in units of ``spacing``. One number belongs to the last three axes:
        series of volumes are filtered volume by volume. 0: not along this axis.
    spacing : float or one per axis
        Voxel size.
    truncate : float
        The kernel ends after this many sigma, rounded to voxels; its sum is 1.
    boundary : {"mirror", "nearest", "periodic", "zero"}
        What lies beyond the faces; mirrors lie on the outer faces of the border voxels.
    out : array, optional
        Where to put the result: shape of the image, dtype of the result, C order.

    Returns
    -------
    array
        Same shape and, but for integers, same dtype as the image. A constant image comes back as
        it is (unless the boundary is "zero").

    Raises
    ------
    DataError
        NaN or Inf, a negative sigma, a truncate or spacing that is not positive.
    ShapeError
        ``sigma``, ``spacing`` or ``out`` that do not fit the image.

    Examples
    --------
    >>> import numpy as np
    >>> import pyrad_core as prc
    >>> point = np.zeros((9, 9, 9), np.float32)
    >>> point[4, 4, 4] = 1
    >>> blurred = prc.denoise.gaussian(point, sigma=1.0, spacing=(2.0, 1.0, 1.0))
    >>> blurred.dtype, bool(blurred[3, 4, 4] < blurred[4, 3, 4])
    (dtype('float32'), True)
    """
    edge = edge_of(image=image)
    x = edge.real("image")
    if x.ndim < 1 or x.size == 0:
        raise DataError(f"image has shape {x.shape}; expected at least one voxel")
    choice("boundary", boundary, BOUNDARIES)
    truncate = positive("truncate", truncate)
    sigmas = [nonnegative("sigma", s) for s in expand("sigma", sigma, x.ndim, 0)]
    steps = [positive("spacing", h) for h in expand("spacing", spacing, x.ndim, 1.0)]
    result = result_like(edge, x, out)
    if out is not None and edge.xp.may_share_memory(x, result):
        x = x.copy()
    in_voxels = [s / h for s, h in zip(sigmas, steps, strict=True)]
    if boundary != "zero" and is_constant(x):  # sums would change it in the last bit
        result[...] = x
    else:
        smooth(edge, x, in_voxels, truncate, boundary, result)
    return edge.answer(result) if out is None else out


def smooth(
    edge: Edge, x: Any, sigmas: list[float], truncate: float, boundary: str, out: Any
) -> None:
    """``out`` = x smoothed by ``sigmas`` in voxels; x stays as it is."""
    passes = []
    for axis, sigma in enumerate(sigmas):
        taps = _taps(sigma, truncate)
        if len(taps) > 1:
            passes.append((axis, taps))
    if not passes:
        out[...] = x
        return
    free: Any = edge.xp.empty_like(x) if len(passes) > 1 else None
    targets = [out if (len(passes) - 1 - k) % 2 == 0 else free for k in range(len(passes))]
    for (axis, taps), target in zip(passes, targets, strict=True):
        shape = (math.prod(x.shape[:axis]), x.shape[axis], math.prod(x.shape[axis + 1 :]))
        edge.kernels.convolve_axis(
            x.reshape(shape),
            edge.xp.asarray(taps.astype(x.dtype)),
            len(taps) // 2,
            BOUNDARIES.index(boundary),
            target.reshape(shape),
        )
        x = target


def _taps(sigma: float, truncate: float) -> np.ndarray:
    reach = int(truncate * sigma + 0.5)
    if reach == 0:
        return np.ones(1)
    taps = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    return taps / taps.sum()
