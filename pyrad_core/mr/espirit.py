"""Coil sensitivities by ESPIRiT, from the calibration region of k-space."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .._checks import at_least, whole
from .._kernels.select import Edge, edge_of
from ..errors import DataError, ShapeError

__all__ = ["align_phase", "espirit"]

_SLAB_BYTES = 4 << 20


def espirit(
    kspace: Any,
    *,
    calibration: int | Sequence[int] = 24,
    kernel: int = 6,
    maps: int = 1,
    threshold: float = 0.02,
    crop: float = 0.9,
    iterations: int = 60,
) -> Any:
    """Coil sensitivity maps from the fully sampled centre of k-space.

    Parameters
    ----------
    kspace : complex array (coil, y, x) or (coil, z, y, x)
        DC at ``n // 2``; only the central calibration region is read.
    calibration : int or one per axis
        Size of the calibration region (clipped to axes that are shorter, none of which may be
        shorter than the kernel).
    kernel : int
        Kernel size k per axis.
    maps : int
        Sets of maps; more than one where the object is larger than the field of view.
    threshold : float
        Singular values of the calibration matrix below ``threshold`` times the largest count as
        noise.
    crop : float
        Maps are 0 where their eigenvalue stays below; eigenvalues are 1 where k-space is
        consistent with the calibration, that is inside the object.
    iterations : int
        At most so many steps of the power iteration; a pixel stops when it has converged.

    Returns
    -------
    complex array (coil, ...), or (maps, coil, ...) for ``maps > 1``
        Unit norm over the coils; the phase is that of the calibration data's first principal
        component, the virtual body coil.

    Raises
    ------
    DataError
        Real or non-finite k-space, or an all-zero calibration region.
    ShapeError
        Calibration region larger than k-space or smaller than the kernel.

    Notes
    -----
    The patches of consistent k-space span the space of the calibration matrix's large singular
    vectors. Projecting every patch on it and averaging is a convolution with (2k - 1)^d lags per
    pair of coils; its transform is one Hermitian coil x coil matrix per pixel, and the map is its
    eigenvector for the eigenvalue 1. Matrices are made slab by slab, never for the whole image.

    References
    ----------
    Uecker et al., Magn. Reson. Med. 71 (2014), doi:10.1002/mrm.24751.

    Examples
    --------
    >>> maps = prc.mr.espirit(kspace)           # (8, 230, 180) -> (8, 230, 180)
    >>> image = prc.mr.cg_sense(kspace, maps)
    """
    edge = edge_of(kspace=kspace)
    y = edge.complex("kspace", ndim=(3, 4))
    kernel, maps = whole("kernel", kernel, 1), whole("maps", maps, 1)
    iterations = whole("iterations", iterations, 1)
    threshold, crop = at_least("threshold", threshold, 0), at_least("crop", crop, 0)
    if maps > y.shape[0]:
        raise DataError(f"maps is {maps}, but kspace has {y.shape[0]} coils")
    centre = _calibration_region(y, calibration, kernel)
    lags = _projection_lags(edge.xp, centre, kernel, threshold)
    vectors, values = _eigenmaps(edge, lags, y.shape[1:], maps, iterations)
    flat = centre.reshape(y.shape[0], -1)
    body = edge.xp.linalg.eigh(flat @ flat.conj().T)[1][:, -1]
    align_phase(edge.xp, vectors, body)
    vectors *= (values >= crop)[:, None]
    return edge.answer(vectors[0] if maps == 1 else vectors)


def align_phase(xp: Any, vectors: Any, reference: Any) -> None:
    """Turn maps (..., coil, pixels...) so that <reference, map> is real and positive, in place."""
    spatial = vectors.ndim - 2
    body = reference.conj().reshape((1, -1) + (1,) * spatial)
    overlap = xp.sum(body * vectors, axis=1, keepdims=True)
    size = xp.abs(overlap)
    vectors *= xp.where(size > 0, overlap.conj() / xp.where(size > 0, size, 1), 1)


def _calibration_region(y: Any, calibration: int | Sequence[int], kernel: int) -> Any:
    """The centre of k-space that the maps are estimated from."""
    sizes = y.shape[1:]
    asked: list[Any] = list(calibration) if isinstance(calibration, Sequence) else []
    asked = asked or [calibration] * len(sizes)
    if len(asked) != len(sizes):
        raise ShapeError(f"calibration is {calibration}, but k-space has {len(sizes)} axes")
    wanted = [whole("calibration", n, 1) for n in asked]
    if any(n > size for n, size in zip(wanted, sizes, strict=True)):
        raise ShapeError(
            f"calibration {tuple(wanted)} is larger than k-space {tuple(sizes)}; give a size per "
            "axis that fits"
        )
    if min(wanted) < kernel:
        raise ShapeError(f"calibration {tuple(wanted)} is smaller than the kernel of {kernel}")
    first = [size // 2 - n // 2 for n, size in zip(wanted, sizes, strict=True)]
    cut = tuple(slice(f, f + n) for f, n in zip(first, wanted, strict=True))
    centre = y[(slice(None), *cut)]
    if not centre.any():
        raise DataError(
            f"kspace holds only zeros in the calibration region {tuple(wanted)} around index "
            f"{tuple(size // 2 for size in sizes)}"
        )
    return centre


def _projection_lags(xp: Any, centre: Any, kernel: int, threshold: float) -> Any:
    """R[pair, lags...]: the averaged projection onto consistent patches, as a convolution.

    R_ij(d) = sum_{b - a = d} Q[(i, a), (j, b)] / k^dims, Q the projection on the span of patches.
    """
    coils, dims = centre.shape[0], centre.ndim - 1
    positions = [n - kernel + 1 for n in centre.shape[1:]]
    shape = (kernel,) * dims
    shifted = [
        centre[(slice(None), *(slice(i, i + p) for i, p in zip(a, positions, strict=True)))]
        for a in np.ndindex(shape)
    ]
    patches = xp.stack(shifted, axis=1).reshape(coils * kernel**dims, -1)
    gram = patches @ patches.conj().T
    values, basis = xp.linalg.eigh(gram)
    basis = basis[:, values > threshold**2 * values[-1]]
    q = (basis @ basis.conj().T).reshape((coils, kernel**dims, coils, kernel**dims))
    lags = xp.zeros((coils, coils, *((2 * kernel - 1,) * dims)), centre.dtype)
    for flat, a in enumerate(np.ndindex(shape)):
        # b - a runs from -a to k - 1 - a: lag index k - 1 - a onwards
        at = tuple(slice(kernel - 1 - i, 2 * kernel - 1 - i) for i in a)
        lags[(slice(None), slice(None), *at)] += q[:, flat].reshape((coils, coils, *shape))
    lower = np.tril_indices(coils)
    return lags[lower] / kernel**dims


def _eigenmaps(
    edge: Edge, lags: Any, shape: tuple[int, ...], maps: int, iterations: int
) -> tuple[Any, Any]:
    """Eigenvectors (maps, coil, *shape) and eigenvalues (maps, *shape)."""
    xp = edge.xp
    pairs = lags.shape[0]
    coils = (math.isqrt(8 * pairs + 1) - 1) // 2
    reach = lags.shape[1] // 2
    waves = [_waves(xp, n, reach, lags.dtype) for n in shape]
    columns = shape[-1]
    slab = shape[-2] if edge.on_gpu else max(1, _SLAB_BYTES // (pairs * columns * lags.itemsize))
    vectors = xp.empty((maps, coils, *shape), lags.dtype)
    values = xp.empty((maps, *shape), lags.real.dtype)
    for z in range(shape[0]) if len(shape) == 3 else [None]:
        plane = lags if z is None else xp.tensordot(lags, waves[0][z], axes=(1, 0))
        along_x = plane @ waves[-1].T
        for first in range(0, shape[-2], slab):
            rows = slice(first, min(first + slab, shape[-2]))
            matrices = (waves[-2][rows] @ along_x).reshape(pairs, -1)
            pixels = matrices.shape[1]
            v = xp.empty((maps, coils, pixels), lags.dtype)
            s = xp.empty((maps, pixels), lags.real.dtype)
            edge.kernels.coil_eigenvectors(xp.ascontiguousarray(matrices), iterations, v, s)
            at = (rows,) if z is None else (z, rows)
            vectors[(slice(None), slice(None), *at)] = v.reshape(maps, coils, -1, columns)
            values[(slice(None), *at)] = s.reshape(maps, -1, columns)
    return vectors, values


def _waves(xp: Any, size: int, reach: int, dtype: Any) -> Any:
    """exp(-2 pi i d (n - N // 2) / N), [pixels, lags]."""
    pixel, lag = np.arange(size) - size // 2, np.arange(-reach, reach + 1)
    return xp.asarray(np.exp(-2j * np.pi * np.outer(pixel, lag) / size), dtype)
