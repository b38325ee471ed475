"""Non-local means for Gaussian and Rician noise."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from .._checks import choice, entries, positive
from .._kernels.select import Edge, edge_of
from ..errors import DataError, ShapeError
from ._common import is_map, noise_levels, per_axis, result_like, take_mask
from ._local_noise import local_sigma
from ._nlm_blocks import STEP, blockwise

__all__ = ["NLMInfo", "nlm"]

# h / sigma, by dimensions
_FACTORS = {
    "patchwise": {2: 1.2, 3: 0.8},
    "voxelwise": {2: 1.2, 3: 1.0},
    "blockwise": {2: 1.2, 3: 0.8},
}


@dataclasses.dataclass(frozen=True)
class NLMInfo:
    """What :func:`nlm` worked with.

    ``sigma``: the noise level, one number per volume or a map (one per volume where each had its
    own); ``h``: the filter strength, of the same kind unless it was given.
    """

    sigma: Any
    h: Any


def nlm(
    image: Any,
    *,
    sigma: Any,
    patch: int | tuple[int, ...] = 3,
    search: int | tuple[int, ...] = 11,
    h: float | None = None,
    noise: str = "gaussian",
    variant: str = "patchwise",
    preselection: tuple[float, float] | None = (0.95, 0.5),
    spacing: tuple[float, ...] | None = None,
    mask: Any = None,
    out: Any = None,
    return_info: bool = False,
) -> Any:
    """Non-local means: each voxel becomes a mean of the voxels whose surroundings look alike.

    ``out(i) = sum_j W(i, j) image(j) / sum_j W(i, j)`` over the search window around i. Pairs are
    weighed by ``w(i, j) = exp(-max(d2 - 2 sigma^2, 0) / h^2)``, d2 the mean squared difference of
    the patches around i and j; ``w(i, i) = 1``, and weights below ``exp(-5)`` are 0. The voxelwise
    variant has W = w. The patchwise one also takes in what the neighbours' patches say of the same
    shift, ``W(i, j) = sum_k g(k) w(i + k, j + k)`` with g = (1/4, 1, 1/4) along every axis, which
    keeps voxels beside edges from staying noisy: a voxel there has few patches like its own, but
    lies in patches that have many. Patches are mirrored at the image's faces; i, j, i + k and
    j + k stay inside. With ``noise="rician"`` the squares are averaged and ``2 sigma^2`` is taken
    off before the root, which removes the bias of magnitude images.

    Parameters
    ----------
    image : array, (y, x), (z, y, x) or (volume, z, y, x)
        float32 or float64; integers are converted to float32. Four dimensions are filtered volume
        by volume.
    sigma : float, one per volume, array of the volume's shape, or "local"
        Standard deviation of the noise: one number, one per volume, or a map. "local" estimates a
        map for every volume: the least distance of a voxel's patch to those of its neighbours,
        both without their local mean, smoothed by a Gaussian of three voxels. For noise that
        varies slowly; white, since correlated noise looks weaker. On phantoms with edges the map
        was off by 14 % (3D) and 21 % (2D, RMS), its median 7 % high in 2D; a Rician background
        without signal reads 23 % low.
    patch : int or one per axis
        Width of the patch, odd.
    search : int or one per axis
        Width of the search window, odd. Time grows with its number of voxels, not the patch's.
    h : float, optional
        Filter strength, in units of the image. Default: 1.2 sigma in 2D and 0.8 sigma in 3D
        (voxelwise: 1.0 sigma), following the map where sigma is one.
    noise : {"gaussian", "rician"}
        Noise model; Rician for magnitude MR images.
    variant : {"patchwise", "voxelwise", "blockwise"}
        How weights are made, see above. Blockwise: weights are worked out at every second voxel
        along an axis and average whole patches; a voxel becomes the mean of the patches that cover
        it. For comparison with the literature: patchwise is faster.
    preselection : (mean, variance) or None
        For blockwise: partners count only where the ratios of the patches' means and of their
        variances lie between this limit and its inverse; for images of positive values. None lets
        all count.
    spacing : one number per axis, optional
        Voxel size. A ``patch`` or ``search`` given as one number then counts voxels of the finest
        axis, and coarser axes get the nearest odd width of the same length.
    mask : array of bool, shape of a volume, optional
        Where to filter. Voxels outside are returned unchanged; they still serve as partners.
    out : array, optional
        Where to put the result: shape of the image, dtype of the result, C order.
    return_info : bool
        Also return the noise level and h that were used.

    Returns
    -------
    array, or (array, NLMInfo)
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
    Buades, Coll, Morel, Image Process. On Line 1 (2011) 208, doi:10.5201/ipol.2011.bcm_nlm
    (patchwise means).
    Coupe et al., IEEE Trans. Med. Imaging 27 (2008) 425, doi:10.1109/TMI.2007.906087 (blockwise).
    Manjon et al., J. Magn. Reson. Imaging 31 (2010) 192, doi:10.1002/jmri.22003 (local noise).
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
    is_local = isinstance(sigma, str)
    if is_local:
        choice("sigma", sigma, ("local",))
    edge = edge_of(image=image, mask=mask, sigma=sigma if is_map(sigma) else None)
    x = edge.real("image", ndim=(2, 3, 4))
    spatial = x.shape[-3:] if x.ndim == 4 else x.shape
    if x.size == 0:
        raise DataError(f"image has shape {x.shape}; expected at least one voxel")
    choice("variant", variant, tuple(_FACTORS))
    patch_radius = _radius("patch", patch, spatial, spacing)
    for width, n in zip(patch_radius, spatial, strict=True):
        if 2 * width + 1 > n:
            raise ShapeError(f"patch is {patch}, larger than the image of shape {spatial}")
    search_radius = _radius("search", search, spatial, spacing)
    choice("noise", noise, ("gaussian", "rician"))
    if h is not None:
        h = positive("h", h)
    if is_local:
        volumes = x.reshape(-1, *spatial)
        levels = edge.xp.stack([local_sigma(edge, volume, noise) for volume in volumes])
    else:
        levels = noise_levels(edge, x, spatial, sigma)
    if h is None and isinstance(levels, list) and 0.0 in levels:
        raise DataError("sigma is 0, so that h = factor * sigma is 0 too; pass h or sigma > 0")
    limits = _limits(preselection)
    mask = take_mask(edge, spatial)
    result = result_like(edge, x, out)
    plan = _Plan(
        patch_radius, search_radius, variant, noise, h, _FACTORS[variant][len(spatial)], limits
    )
    _apply(edge, x.reshape(-1, *spatial), levels, plan, mask, result.reshape(-1, *spatial))
    answer = edge.answer(result) if out is None else out
    return (answer, _info(edge, x, levels, plan)) if return_info else answer


def _info(edge: Edge, x: Any, levels: Any, plan: _Plan) -> NLMInfo:
    if isinstance(levels, list):
        sigma: Any = list(levels) if x.ndim == 4 else levels[0]
        return NLMInfo(sigma, plan.h or (plan.factor * np.asarray(sigma)).tolist())
    shaped = levels if x.ndim == 4 and len(levels) > 1 else levels[0]
    return NLMInfo(edge.answer(shaped), plan.h or edge.answer(plan.factor * shaped))


@dataclasses.dataclass(frozen=True)
class _Plan:
    """What the kernel is told; ``patch`` and ``search`` are radii."""

    patch: tuple[int, ...]
    search: tuple[int, ...]
    variant: str
    noise: str
    h: float | None
    factor: float  # h / sigma where h is None
    limits: tuple[float, float]  # of the blockwise preselection

    @property
    def reach(self) -> list[int]:
        """How far from a voxel its result may depend on the image."""
        both = zip(self.patch, self.search, strict=True)
        if self.variant == "blockwise":
            return [2 * p + s for p, s in both]
        spread = self.variant == "patchwise"
        return [p + s + (spread and p > 0) for p, s in both]


def _limits(preselection: Any) -> tuple[float, float]:
    """Limits of the ratios of means and variances; 0 lets all pass."""
    if preselection is None:
        return 0.0, 0.0
    mean, spread = per_axis("preselection", preselection, 2)
    if max(mean, spread) > 1:
        raise DataError(f"preselection is {preselection}; expected two limits in (0, 1]")
    return mean, spread


def _radius(name: str, width: Any, shape: tuple[int, ...], spacing: Any) -> tuple[int, ...]:
    """Half widths; 0 along an axis of one voxel."""
    widths = per_axis(name, width, len(shape), odd=True)
    radii = [w // 2 for w in widths]
    if spacing is not None and entries(width) is None:
        sizes = per_axis("spacing", spacing, len(shape))
        radii = [round(r * (min(sizes) / s)) for r, s in zip(radii, sizes, strict=True)]
    return tuple(r if n > 1 else 0 for r, n in zip(radii, shape, strict=True))


def _apply(edge: Edge, x: Any, levels: Any, plan: _Plan, mask: Any, out: Any) -> None:
    """Filter volumes, or the box around the mask in each, into ``out``."""
    xp = edge.xp
    box: tuple[slice, ...] = (slice(None),) * (x.ndim - 1)
    if mask is not None:
        box = _box(edge, mask, plan.reach)
        if plan.variant == "blockwise":  # the grid of the whole image
            box = tuple(slice(s.start - s.start % STEP, s.stop) for s in box)
        out[...] = x
    if any(s.stop == 0 for s in box):
        return
    part = xp.ascontiguousarray(x[(slice(None), *box)])
    variance, sigma = None, levels
    if not isinstance(levels, list):
        variance = xp.ascontiguousarray(levels[(slice(None), *box)])
        variance, sigma = variance * variance, []
    rician = plan.noise == "rician"
    values = part * part if rician else part
    result = xp.empty_like(part) if mask is not None or rician else out
    lead = (1,) * (4 - x.ndim)
    shape = (len(part), *lead, *part.shape[1:])
    patch, search = ([0] * len(lead) + list(r) for r in (plan.patch, plan.search))
    strength = (plan.h or 0.0, 0.0 if plan.h else plan.factor)
    x4, values4, result4 = (a.reshape(shape) for a in (part, values, result))
    noise4 = None if variance is None else variance.reshape(len(variance), *shape[1:])
    if plan.variant == "blockwise":
        for k, volume in enumerate(x4):
            noise = None if noise4 is None else noise4[k % len(noise4)]
            own = volume if values is part else values4[k]
            level = sigma[k] if sigma else 0.0
            blockwise(
                edge, volume, own, (patch, search), noise, level, strength, plan.limits, result4[k]
            )
    else:
        edge.kernels.nlm(
            x4,
            values4,
            patch,
            search,
            noise4,
            sigma,
            *strength,
            plan.variant == "patchwise",
            result4,
        )
    if rician:
        if variance is None:
            squares = np.array([s * s for s in levels], part.dtype)
            variance = xp.asarray(squares).reshape(-1, *(1,) * (part.ndim - 1))
        result = xp.sqrt(xp.maximum(result - 2 * variance, 0))
    if mask is not None:
        out[(slice(None), *box)] = xp.where(mask[box], result, part)
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
