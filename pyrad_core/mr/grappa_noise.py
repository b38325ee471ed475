"""Noise amplification of GRAPPA on a regular lattice."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._kernels.select import Edge, host_array
from ..errors import DataError, ShapeError

__all__ = ["combined_kernel", "noise_gain"]


def combined_kernel(
    xp: Any, counts: np.ndarray, begin: np.ndarray, sources: Any, weights: Any, window: int
) -> tuple[Any, int]:
    """[cell of the window, source coil, target coil] of the lattice's kernels, and its rate.

    A lattice of rate R has R - 1 patterns of about as many cells each, those at its borders far
    fewer. They reach different neighbours, so that together they are one convolution.
    """
    frequent = np.flatnonzero(counts > 0.5 * counts.max(initial=0))
    coils = weights.shape[1]
    kernel = xp.zeros((window, coils, coils), np.complex128)
    taken = np.zeros(window, bool)
    host = host_array(sources)
    for p in frequent:
        part = slice(int(begin[p]), int(begin[p + 1]))
        cells = host[part]
        if taken[cells].any():
            raise DataError(
                "mask is no regular lattice: the noise amplification of irregular sampling differs "
                "from sample to sample; estimate it from repeated noise"
            )
        taken[cells] = True
        kernel[cells] = weights[part, :, :coils]
    return kernel, len(frequent) + 1


def noise_gain(
    edge: Edge, kernel: Any, size: tuple[int, ...], shape: tuple[int, ...], covariance: Any
) -> Any:
    """Standard deviation of each coil's image over that of the lattice's samples, (coil, *shape).

    ``kernel`` [cells of ``size``, source, target], its centre included.
    """
    xp, coils = edge.xp, kernel.shape[1]
    if covariance is None:
        covariance = xp.eye(coils, dtype=np.complex128)
    elif covariance.shape != (coils, coils):
        raise ShapeError(f"covariance has shape {covariance.shape}, but there are {coils} coils")
    root = xp.linalg.cholesky(covariance.astype(np.complex128))
    # rows of the image-space matrix times the root of the covariance
    mixed = xp.tensordot(kernel, root, axes=(1, 0))  # [cell, target, independent noise]
    out = xp.empty((coils, *shape), np.float64)
    for target in range(coils):
        field = mixed[:, target].reshape(*size, coils)
        for k, n in zip(size, shape, strict=True):
            lag, pixel = np.arange(k) - k // 2, np.arange(n) - n // 2
            waves = xp.asarray(np.exp(-2j * np.pi * np.outer(lag, pixel) / n))
            field = xp.tensordot(field, waves, axes=(0, 0))
        variance = xp.sum(field.real**2 + field.imag**2, axis=0)
        out[target] = xp.sqrt(variance / covariance[target, target].real)
    return out
