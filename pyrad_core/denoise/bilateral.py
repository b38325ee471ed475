"""Bilateral and joint bilateral filter."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from .._checks import choice, positive, same_shape, whole
from .._kernels.select import edge_of
from .._memory import require_memory
from ..errors import DataError
from ._common import nonnegative, result_like
from ._windows import BOUNDARIES, PaddedImage, expand, outside_of

__all__ = ["bilateral"]

_REACH = 2.5  # standard deviations


def bilateral(
    image: Any,
    *,
    sigma_space: float | tuple[float, ...] | None = None,
    sigma_range: float,
    radius: int | tuple[int, ...] | None = None,
    ball: bool = False,
    guide: Any = None,
    spacing: float | tuple[float, ...] = 1.0,
    boundary: str = "mirror",
    mask: Any = None,
    out: Any = None,
) -> Any:
    """Mean of the voxels that are close in space and in value.

    ``out(i) = sum_j w(i, j) image(j) / sum_j w(i, j)`` with ``w(i, j) = exp(-|x_i - x_j|^2 /
    (2 sigma_space^2) - (g(i) - g(j))^2 / (2 sigma_range^2))``, where g is the guide, by default the
    image itself. All weights of the window are worked out; nothing is approximated by a grid.

    Parameters
    ----------
    image : array, any dimensions
        float32 or float64; integers are converted to float32.
    sigma_space : float or one per axis
        Standard deviation of the distance, in units of ``spacing``; by default 1.5 times the
        smallest one. One number belongs to the last three axes: series of volumes are filtered
        volume by volume. 0: not along this axis.
    sigma_range : float
        Standard deviation of the difference in value, in units of the guide. Twice or three times
        the noise is usual.
    radius : int or one per axis, optional
        Half width of the window in voxels; by default 2.5 ``sigma_space``, rounded up.
    ball : bool
        Only those voxels of the window that lie in the ellipsoid with the radii as half axes.
    guide : array, optional
        Image that the differences in value come from (joint bilateral filter), of the same shape.
    spacing : float or one per axis
        Voxel size.
    boundary : {"mirror", "nearest", "periodic", "zero"}
        What lies beyond the faces; mirrors lie on the outer faces of the border voxels.
    mask : array of bool, shape of the image or of its last axes, optional
        Where to filter. Voxels outside are returned unchanged; they still belong to windows.
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
        NaN or Inf in the image or guide, a sigma that is not positive, an unknown boundary.
    ShapeError
        Arguments that do not fit the image.

    References
    ----------
    Tomasi, Manduchi, ICCV 1998, 839, doi:10.1109/ICCV.1998.710815.
    Petschnigg et al., ACM Trans. Graph. 23 (2004) 664, doi:10.1145/1015706.1015777 (guide).

    Examples
    --------
    >>> import numpy as np
    >>> import pyrad_core as prc
    >>> step = np.repeat([0.0, 1.0], 32)[:, None] * np.ones(64)
    >>> noisy = step + np.random.default_rng(0).normal(0, 0.05, step.shape)
    >>> clean = prc.denoise.bilateral(noisy, sigma_space=2.0, sigma_range=0.2)
    >>> bool(abs(clean - step).mean() < abs(noisy - step).mean() / 3)
    True
    """
    edge = edge_of(image=image, guide=guide, mask=mask)
    x = edge.real("image")
    if x.ndim < 1 or x.size == 0:
        raise DataError(f"image has shape {x.shape}; expected at least one voxel")
    g = x if guide is None else edge.real("guide", dtype=x.dtype)
    same_shape("guide", g.shape, "image", x.shape)
    choice("boundary", boundary, BOUNDARIES)
    steps = [positive("spacing", h) for h in expand("spacing", spacing, x.ndim, 1.0)]
    if sigma_space is None:
        sigma_space = 1.5 * min(steps[-3:])
    sigmas = [nonnegative("sigma_space", s) for s in expand("sigma_space", sigma_space, x.ndim, 0)]
    if not any(sigmas):
        raise DataError(f"sigma_space is {sigma_space}; expected a number > 0")
    scale = math.sqrt(0.5) / positive("sigma_range", sigma_range)
    radii = _radii(radius, sigmas, steps, x.ndim)
    outside = outside_of(edge, x, mask)
    result = result_like(edge, x, out)
    filtered = result if outside is None else edge.xp.empty_like(x)  # out may be the image
    places, exponents = _neighbours(radii, sigmas, steps, ball)
    padded = PaddedImage(edge, x.shape, radii, radii)
    values = padded.pad(x, boundary)
    edge.kernels.bilateral(
        values if guide is None else padded.pad(g, boundary),
        values,
        padded.starts,
        edge.xp.asarray(padded.offsets(places)),
        edge.xp.asarray(exponents.astype(x.dtype)),
        int(padded.offsets(np.array(radii))),
        scale,
        padded.rows(filtered),
    )
    if outside is not None:
        result[...] = edge.xp.where(outside, x, filtered)
    return edge.answer(result) if out is None else out


def _radii(radius: Any, sigmas: list[float], steps: list[float], ndim: int) -> list[int]:
    if radius is None:
        return [math.ceil(_REACH * s / h - 1e-9) for s, h in zip(sigmas, steps, strict=True)]
    radii = [whole("radius", r) for r in expand("radius", radius, ndim, 0)]
    return [r if s > 0 else 0 for r, s in zip(radii, sigmas, strict=True)]


def _neighbours(
    radii: list[int], sigmas: list[float], steps: list[float], ball: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Places in the window, counted from its first one, and the spatial exponents there."""
    widths = [2 * r + 1 for r in radii]
    asked = 200 * math.prod(widths)  # bytes of a place, as a tuple and in arrays
    require_memory(f"windows of {widths} voxels", asked, "take a smaller radius or sigma_space")
    places = np.array(list(itertools.product(*map(range, widths))))
    away = places - np.array(radii)
    if ball:
        inside = ((away / np.maximum(radii, 1)) ** 2).sum(axis=1) <= 1 + 1e-9
        places, away = places[inside], away[inside]
    scaled = [h / s if s > 0 else 0.0 for h, s in zip(steps, sigmas, strict=True)]
    return places, 0.5 * ((away * np.array(scaled)) ** 2).sum(axis=1)
