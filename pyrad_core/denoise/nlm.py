"""Non-local means for Gaussian and Rician noise."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._checks import choice, positive, same_shape
from .._kernels.select import Edge, edge_of
from ..errors import DataError, ShapeError
from ._common import nonnegative, per_axis, result_like

__all__ = ["nlm"]

_FACTOR = {2: 1.2, 3: 1.0}  # h / sigma


def nlm(
    image: Any,
    *,
    sigma: Any,
    patch: int | tuple[int, ...] = 3,
    search: int | tuple[int, ...] = 11,
    h: float | None = None,
    noise: str = "gaussian",
    mask: Any = None,
    out: Any = None,
) -> Any:
    """Non-local means: each voxel becomes a mean of the voxels whose surroundings look alike.

    ``out(i) = sum_j w(i, j) image(j) / sum_j w(i, j)`` over the search window around i, with
    ``w(i, j) = exp(-max(d2 - 2 sigma^2, 0) / h^2)``, d2 the mean squared difference of the patches
    around i and j; ``w(i, i) = 1``, and weights below ``exp(-5)`` are 0. Patches are mirrored at
    the image's faces, search windows end there. With ``noise="rician"`` the squares are averaged
    and ``2 sigma^2`` is taken off before the root, which removes the bias of magnitude images.

    Parameters
    ----------
    image : array, (y, x), (z, y, x) or (volume, z, y, x)
        float32 or float64; integers are converted to float32. Four dimensions are filtered volume
        by volume.
    sigma : float, one per volume, or array of the volume's shape
        Standard deviation of the noise: one number, one per volume, or a map.
    patch : int or one per axis
        Width of the patch, odd.
    search : int or one per axis
        Width of the search window, odd. Time grows with its number of voxels, not the patch's.
    h : float, optional
        Filter strength, in units of the image. Default: 1.2 sigma in 2D and 1.0 sigma in 3D,
        following the map where sigma is one.
    noise : {"gaussian", "rician"}
        Noise model; Rician for magnitude MR images.
    mask : array of bool, shape of a volume, optional
        Where to filter. Voxels outside are returned unchanged; they still serve as partners.
    out : array, optional
        Where to put the result: shape of the image, dtype of the result, C order.

    Returns
    -------
    array
        Same shape and, but for integers, same dtype as the image. A constant image is returned as
        it is; an axis of length 1 has no neighbours, whatever the widths. The same bits come out
        for any number of threads.

    Raises
    ------
    DataError
        NaN or Inf, even widths, negative sigma, h <= 0, or sigma 0 without h.
    ShapeError
        A patch larger than the image, or a mask or sigma map of another shape.

    References
    ----------
    Buades, Coll, Morel, Multiscale Model. Simul. 4 (2005) 490, doi:10.1137/040616024.
    Wiest-Daessle et al., MICCAI 2008, 171, doi:10.1007/978-3-540-85990-1_21 (Rician noise).

    Examples
    --------
    >>> import numpy as np
    >>> import pyrad_core as prc
    >>> disc = (np.hypot(*np.ogrid[-1:1:64j, -1:1:64j]) < 0.7).astype(np.float32)
    >>> noisy = disc + np.random.default_rng(0).normal(0, 0.1, disc.shape).astype(np.float32)
    >>> clean = prc.denoise.nlm(noisy, sigma=0.1, patch=5)
    >>> bool(abs(clean - disc).mean() < abs(noisy - disc).mean() / 3)
    True
    """
    is_map = not np.isscalar(sigma) and getattr(sigma, "ndim", 1) >= 2
    edge = edge_of(image=image, mask=mask, sigma=sigma if is_map else None)
    x = edge.real("image", ndim=(2, 3, 4))
    spatial = x.shape[-3:] if x.ndim == 4 else x.shape
    if x.size == 0:
        raise DataError(f"image has shape {x.shape}; expected at least one voxel")
    patch_radius = _radius("patch", patch, spatial)
    for width, n in zip(patch_radius, spatial, strict=True):
        if 2 * width + 1 > n:
            raise ShapeError(f"patch is {patch}, larger than the image of shape {spatial}")
    search_radius = _radius("search", search, spatial)
    choice("noise", noise, ("gaussian", "rician"))
    if h is not None:
        h = positive("h", h)
    levels = _levels(edge, x, spatial, sigma, is_map)
    if h is None and any(isinstance(level, float) and level == 0 for level in levels):
        raise DataError("sigma is 0, so that h = factor * sigma is 0 too; pass h or sigma > 0")
    mask = _mask(edge, spatial, mask)
    result = result_like(edge, x, out)
    volumes = x.reshape(-1, *spatial)
    filtered = result.reshape(-1, *spatial)
    for k, level in enumerate(levels):
        _volume(edge, volumes[k], level, patch_radius, search_radius, h, noise, mask, filtered[k])
    return edge.answer(result) if out is None else out


def _radius(name: str, width: Any, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Half widths; 0 along an axis of one voxel."""
    widths = per_axis(name, width, len(shape), odd=True)
    return tuple(w // 2 if n > 1 else 0 for w, n in zip(widths, shape, strict=True))


def _levels(edge: Edge, x: Any, spatial: tuple[int, ...], sigma: Any, is_map: bool) -> list[Any]:
    """Noise level of each volume: a float or an array of the volume's shape."""
    count = x.shape[0] if x.ndim == 4 else 1
    if is_map:
        level = edge.real("sigma", dtype=x.dtype)
        if level.shape not in (spatial, x.shape):
            raise ShapeError(
                f"sigma has shape {level.shape}, but image has shape {x.shape}; "
                f"expected a number, one per volume, or a map of shape {spatial}"
            )
        if bool((level < 0).any()):
            raise DataError(f"sigma holds {int((level < 0).sum())} negative values; expected >= 0")
        return list(level) if level.ndim > len(spatial) else [level] * count
    if np.ndim(sigma) == 0:
        return [nonnegative("sigma", sigma)] * count
    if x.ndim != 4 or len(sigma) != count:
        raise ShapeError(
            f"sigma has {len(sigma)} entries, but image has {count} volumes (shape {x.shape})"
        )
    return [nonnegative("sigma", s) for s in sigma]


def _mask(edge: Edge, spatial: tuple[int, ...], mask: Any) -> Any:
    if mask is None:
        return None
    mask = edge["mask"]
    same_shape("mask", mask.shape, "image", spatial)
    if mask.dtype.kind not in "biu":
        raise DataError(f"mask has dtype {mask.dtype}; expected bool or integers")
    return mask != 0


def _volume(
    edge: Edge,
    x: Any,
    level: Any,
    patch: tuple[int, ...],
    search: tuple[int, ...],
    h: float | None,
    noise: str,
    mask: Any,
    out: Any,
) -> None:
    """Filter one volume, or the box around the mask, into ``out``."""
    box: tuple[slice, ...] = (slice(None),) * x.ndim
    if mask is not None:
        box = _box(edge, mask, [p + s for p, s in zip(patch, search, strict=True)])
        out[...] = x
    if any(s.stop == 0 for s in box):
        return
    part = edge.xp.ascontiguousarray(x[box])
    variance, sigma = None, 0.0
    if isinstance(level, float):
        sigma = level
    else:
        variance = edge.xp.ascontiguousarray(level[box])
        variance = variance * variance
    values = part * part if noise == "rician" else part
    result = edge.xp.empty_like(part) if mask is not None or noise == "rician" else out
    lead = (1,) * (3 - x.ndim)
    edge.kernels.nlm(
        *(a.reshape(lead + part.shape) for a in (part, values)),
        list(lead and (0,)) + list(patch),
        list(lead and (0,)) + list(search),
        None if variance is None else variance.reshape(lead + part.shape),
        sigma,
        h or 0.0,
        0.0 if h else _FACTOR[x.ndim],
        result.reshape(lead + part.shape),
    )
    if noise == "rician":
        bias = 2 * (sigma**2 if variance is None else variance)
        result = edge.xp.sqrt(edge.xp.maximum(result - bias, 0))
    if mask is not None:
        out[box] = edge.xp.where(mask[box], result, part)
    elif result is not out:
        out[...] = result


def _box(edge: Edge, mask: Any, margin: list[int]) -> tuple[slice, ...]:
    """Bounding box of the mask, grown by the margin: all that the result inside depends on."""
    box = []
    for axis, extra in enumerate(margin):
        others = tuple(a for a in range(mask.ndim) if a != axis)
        where = edge.xp.flatnonzero(mask.any(axis=others))
        if where.size == 0:
            return (slice(0, 0),) * mask.ndim
        box.append(slice(max(int(where[0]) - extra, 0), int(where[-1]) + 1 + extra))
    return tuple(box)
