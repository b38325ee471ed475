"""Noise level at every voxel, for non-local means."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from .._kernels.select import Edge
from .gaussian import smooth
from .rician import from_rician_moments

# mean root of the least distance for noise of variance 1, by the axes longer than one voxel
_LEAST = {1: 1.1496, 2: 1.0279, 3: 1.1036}
_SMOOTH = 3.0  # voxels


def local_sigma(edge: Edge, x: Any, noise: str) -> Any:
    """Map of one volume's noise level, dtype of x (Manjon et al. 2010).

    The least mean squared difference between the patch of three voxels per axis around a voxel
    and those of its direct neighbours, taken of the residual of a mean over three voxels: there
    the image is gone but at edges, along which some neighbour is alike. The root over its
    expectation in pure noise is smoothed by a Gaussian of three voxels. For Rician noise it is the
    standard deviation of magnitudes, from which Koay's relation gives sigma.
    """
    xp = edge.xp
    axes = [a for a, n in enumerate(x.shape) if n > 1]
    if not axes:
        return xp.zeros(x.shape, x.dtype)
    residual = x - _mean_of_three(xp, x, axes)
    least = xp.full(x.shape, np.inf, x.dtype)
    for offset in itertools.product(*((-1, 0, 1) if n > 1 else (0,) for n in x.shape)):
        if offset <= (0,) * x.ndim:
            continue
        here = tuple(slice(max(0, -d), n - max(0, d)) for d, n in zip(offset, x.shape, strict=True))
        there = tuple(
            slice(max(0, d), n - max(0, -d)) for d, n in zip(offset, x.shape, strict=True)
        )
        squares = (residual[there] - residual[here]) ** 2
        distance = _mean_of_three(xp, squares, axes)
        for end in (here, there):
            least[end] = xp.minimum(least[end], distance)
    spread = xp.sqrt(least) / _LEAST[len(axes)]
    sigma = _smoothed(edge, spread.astype(x.dtype))
    if noise != "rician":
        return sigma
    signal = xp.maximum(_smoothed(edge, x), 0)
    floor = float(xp.finfo(x.dtype).eps) * float(signal.max())
    if floor == 0:
        return sigma
    return xp.where(
        sigma > floor, from_rician_moments(signal, xp.maximum(sigma, floor))[1], sigma
    ).astype(x.dtype)


def _mean_of_three(xp: Any, x: Any, axes: list[int]) -> Any:
    """Mean over three voxels along the axes, mirrored about the outermost ones."""
    for axis in axes:
        n = x.shape[axis]
        if n == 1:
            continue
        moved = xp.moveaxis(x, axis, 0)
        total = moved.copy()
        total[1:] += moved[:-1]
        total[:-1] += moved[1:]
        total[0] += moved[1]
        total[-1] += moved[-2]
        x = xp.moveaxis(total, 0, axis) / 3
    return x


def _smoothed(edge: Edge, x: Any) -> Any:
    out = edge.xp.empty_like(x, order="C")
    sigmas = [_SMOOTH if n > 1 else 0.0 for n in x.shape]
    smooth(edge, edge.xp.ascontiguousarray(x), sigmas, 3.0, "mirror", out)
    return out
