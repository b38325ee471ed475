"""Density compensation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .._checks import whole
from ..errors import DataError
from .coordinates import check_coordinates
from .gridding import Gridding
from .kaiser_bessel import kernel_transform

__all__ = ["density_compensation"]


def density_compensation(coordinates: Any, shape: Sequence[int], *, iterations: int = 30) -> Any:
    """Weights that make up for uneven sampling density.

    Parameters
    ----------
    coordinates : array (..., samples, dims)
        Cycles per field of view.
    shape : sequence of int
        Image shape.
    iterations : int
        Fixed-point steps; 10 to 30 are usual.

    Returns
    -------
    float32 array (..., samples)
        Area (volume) of k-space that each sample stands for, in (cycles per field of view)^dims.
        With it ``A.adjoint(weights * y)`` of the unitary NUFFT is the image, of the right
        amplitude where k-space is covered; the weights add up to the area covered.

    Notes
    -----
    Fixed point of ``w <- w / (S S^H w)`` with the spreading S of the gridding plan, that is of a
    convolution with its kernel, scaled to unit integral; no FFT is needed.

    References
    ----------
    Pipe and Menon, Magn. Reson. Med. 41 (1999),
    doi:10.1002/(SICI)1522-2594(199901)41:1<179::AID-MRM25>3.0.CO;2-V.

    Examples
    --------
    >>> w = prc.mr.density_compensation(coordinates, (256, 256))
    >>> image = prc.mr.NUFFT(coordinates, (256, 256)).adjoint(w * kspace)
    """
    sizes = tuple(whole("shape", n, 1) for n in shape)
    steps = whole("iterations", iterations, 1)
    edge, k = check_coordinates(coordinates, sizes)
    plan = Gridding(edge, k.reshape(-1, len(sizes)), sizes, 1e-3, np.float32)
    xp, kernels = edge.xp, edge.kernels
    integral = float(kernel_transform(np.zeros(1), plan.width, plan.beta)[0]) ** (2 * plan.dims)
    scale = np.float32(math.prod(plan.ratio) / integral)
    w = xp.ones((plan.samples, 1), np.complex64)
    mean = xp.empty_like(w)
    unit = xp.ones(plan.samples, np.float32)
    grid = plan.borrow(1)
    for _ in range(steps):
        kernels.grid_spread_sorted(w, unit, *plan.plan, grid)
        kernels.grid_interpolate_sorted(grid, *plan.plan, mean)
        w /= scale * mean.real
    plan.give_back(grid)
    if not bool(xp.isfinite(w).all()):
        raise DataError("the density of coordinates could not be estimated")
    out = xp.empty(plan.samples, np.float32)
    out[plan.plan.order] = w.real[:, 0]
    return edge.answer(out.reshape(k.shape[:-1]))
