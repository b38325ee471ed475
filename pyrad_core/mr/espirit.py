"""Coil sensitivities by ESPIRiT, from the calibration region of k-space."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .._checks import at_least, whole
from .._kernels.select import Edge, edge_of
from .._memory import require_memory
from ..errors import DataError, ShapeError
from ._blas import one_blas_thread
from .calibration import calibration_region

__all__ = ["espirit", "principal_coil"]


def espirit(
    kspace: Any,
    *,
    calibration: int | Sequence[int] = 24,
    kernel: int = 6,
    maps: int = 1,
    threshold: float | str = 0.02,
    crop: float = 0.9,
    iterations: int = 60,
    shape: Sequence[int] | None = None,
    phase: int | str = "principal",
    return_eigenvalues: bool = False,
) -> Any:
    """Coil sensitivity maps from the fully sampled centre of k-space.

    Parameters
    ----------
    kspace : complex array (coil, y, x) or (coil, z, y, x)
        DC at ``n // 2``; only the central calibration region is read. A separate calibration scan
        goes here as well, with ``shape`` for the size of the maps.
    calibration : int or one per axis
        Size of the calibration region, at most k-space's and at least the kernel's.
    kernel : int
        Kernel size k per axis.
    maps : int
        Sets of maps; more than one where the object is larger than the field of view (soft SENSE).
    threshold : float or "auto"
        Singular values of the calibration matrix below ``threshold`` times the largest count as
        noise. "auto" takes those that exceed the largest one of noise alone, whose variance is
        read off the smallest singular values.
    crop : float
        Maps are 0 where their eigenvalue stays below; eigenvalues are 1 where k-space is
        consistent with the calibration, that is inside the object. 0 keeps all.
    iterations : int
        At most so many steps of the power iteration; a pixel stops when it has converged.
    shape : sequence of int, optional
        Image shape of the maps; k-space's by default.
    phase : "principal" or int
        What the maps are real and positive against: the virtual body coil that is the first
        principal component of the calibration data (as BART does), or the coil of this index.
    return_eigenvalues : bool
        Also return the eigenvalues.

    Returns
    -------
    maps : complex array (coil, ...), or (maps, coil, ...) for ``maps > 1``
        Unit norm over the coils, several sets orthogonal to each other.
    eigenvalues : real array (...), or (maps, ...)
        Largest first, only with ``return_eigenvalues``.

    Raises
    ------
    DataError
        Real or non-finite k-space, or an all-zero calibration region.
    ShapeError
        Calibration region larger than k-space or smaller than the kernel.
    DeviceMemoryError
        The calibration matrix does not fit into memory.

    Notes
    -----
    The patches of consistent k-space span the space of the calibration matrix's large singular
    vectors. Projecting every patch on it and averaging is a convolution with (2k - 1)^d lags per
    pair of coils; its transform is one Hermitian coil x coil matrix per pixel, and the map is its
    eigenvector for the eigenvalue 1. These matrices live in registers only. Beside k-space and the
    result a call needs no more than :func:`espirit_memory` bytes.

    References
    ----------
    Uecker et al., Magn. Reson. Med. 71 (2014), doi:10.1002/mrm.24751.

    Examples
    --------
    >>> maps = prc.mr.espirit(kspace)           # (8, 230, 180) -> (8, 230, 180)
    >>> image = prc.mr.cg_sense(kspace, maps)
    >>> maps, values = prc.mr.espirit(kspace, maps=2, crop=0, return_eigenvalues=True)
    """
    edge = edge_of(kspace=kspace)
    y = edge.complex("kspace", ndim=(3, 4))
    kernel, maps = whole("kernel", kernel, 1), whole("maps", maps, 1)
    iterations = whole("iterations", iterations, 1)
    crop = at_least("crop", crop, 0)
    if isinstance(threshold, str) and threshold != "auto":
        raise DataError(f"threshold is {threshold!r}; expected a number or 'auto'")
    coils, target = y.shape[0], _image_shape(shape, y)
    if maps > coils:
        raise DataError(f"maps is {maps}, but kspace has {coils} coils")
    centre = calibration_region(y, calibration, kernel)
    require_memory(
        "the matrices of this calibration",
        espirit_memory(y.shape, centre.shape[1:], kernel, maps, y.dtype, target),
        "use a smaller kernel or calibration region, or compress the coils",
    )
    lags = _projection_lags(edge.xp, centre, kernel, threshold)
    reference = _reference(edge.xp, centre, phase)
    vectors, values = _eigenmaps(
        edge, lags, target, maps, iterations, reference, 0.0 if return_eigenvalues else crop
    )
    if return_eigenvalues and crop:
        for one, value in zip(vectors, values, strict=True):
            one *= value >= crop
    found = vectors[0] if maps == 1 else vectors
    if return_eigenvalues:
        return edge.answer(found), edge.answer(values[0] if maps == 1 else values)
    return edge.answer(found)


def espirit_memory(
    shape: Sequence[int],
    calibration: Sequence[int],
    kernel: int = 6,
    maps: int = 1,
    dtype: Any = np.complex64,
    image: Sequence[int] | None = None,
) -> int:
    """Bytes that :func:`espirit` takes beside k-space and the maps.

    With C coils, patches of P = C k^d points at Q positions, an image of N pixels whose last axis
    has n_x, and b bytes per complex number: b (2 C^2 + P Q + 6 P^2 + C (C + 1) / 2
    (2 (2k - 1)^d + 2 (2k - 1) n_x)) for the calibration and b / 2 per pixel and map for the
    eigenvalues.

    Parameters
    ----------
    shape : (coil, ...) of k-space
    calibration : calibration region, one size per axis
    kernel, maps, dtype : as in :func:`espirit`
    image : image shape where it is not k-space's

    Examples
    --------
    >>> prc.mr.espirit_memory((8, 256, 256), (24, 24)) >> 20
    6
    """
    coils, dims = shape[0], len(shape) - 1
    pixels = tuple(image or shape[1:])
    patch = coils * kernel**dims
    positions = math.prod(n - kernel + 1 for n in calibration)
    pairs, lags = coils * (coils + 1) // 2, 2 * kernel - 1
    numbers = 2 * coils**2 + patch * positions + 6 * patch**2
    numbers += pairs * (2 * lags**dims + 2 * lags * pixels[-1])
    size = np.dtype(dtype).itemsize
    return numbers * size + maps * math.prod(pixels) * size // 2


def principal_coil(xp: Any, data: Any) -> Any:
    """The first principal component of data (coil, ...): the virtual body coil."""
    flat = data.reshape(data.shape[0], -1)
    return xp.ascontiguousarray(xp.linalg.eigh(flat @ flat.conj().T)[1][:, -1])


def _image_shape(shape: Sequence[int] | None, y: Any) -> tuple[int, ...]:
    if shape is None:
        return tuple(y.shape[1:])
    target = tuple(whole("shape", n, 1) for n in shape)
    if len(target) != y.ndim - 1:
        raise ShapeError(f"shape is {target}, but kspace has {y.ndim - 1} axes")
    return target


def _reference(xp: Any, centre: Any, phase: int | str) -> Any:
    if phase == "principal":
        return principal_coil(xp, centre)
    if isinstance(phase, str):
        raise DataError(f"phase is {phase!r}; expected 'principal' or the index of a coil")
    index = whole("phase", phase, 0)
    if index >= centre.shape[0]:
        raise DataError(f"phase is {phase}, but kspace has {centre.shape[0]} coils")
    reference = xp.zeros(centre.shape[0], centre.dtype)
    reference[index] = 1
    return reference


def _projection_lags(xp: Any, centre: Any, kernel: int, threshold: float | str) -> Any:
    """R[pair, lags...]: the averaged projection onto consistent patches, as a convolution.

    R_ij(d) = sum_{b - a = d} Q[(i, a), (j, b)] / k^dims, Q the projection on the span of patches.
    """
    coils, dims = centre.shape[0], centre.ndim - 1
    shape = (kernel,) * dims
    basis = _patch_basis(xp, centre, kernel, threshold)
    with one_blas_thread(basis.size):
        q = (basis @ basis.conj().T).reshape((coils, kernel**dims, coils, kernel**dims))
    lags = xp.zeros((coils, coils, *((2 * kernel - 1,) * dims)), centre.dtype)
    for flat, a in enumerate(np.ndindex(shape)):
        # b - a runs from -a to k - 1 - a: lag index k - 1 - a onwards
        at = tuple(slice(kernel - 1 - i, 2 * kernel - 1 - i) for i in a)
        lags[(slice(None), slice(None), *at)] += q[:, flat].reshape((coils, coils, *shape))
    lower = np.tril_indices(coils)
    return lags[lower] / kernel**dims


def _patch_basis(xp: Any, centre: Any, kernel: int, threshold: float | str) -> Any:
    """Orthonormal basis (patch, rank) of the patches' span."""
    gram = _patch_gram(xp, centre, kernel)
    limit = None if threshold == "auto" else at_least("threshold", threshold, 0) ** 2
    if not isinstance(centre, np.ndarray):
        values, basis = xp.linalg.eigh(gram)
        if limit is None:
            limit = _noise_limit(xp, centre, kernel, values)
        return basis[:, values > limit * values[-1]].conj()
    import scipy.linalg

    with one_blas_thread(gram.size):
        if limit is None:
            values = scipy.linalg.eigvalsh(gram, check_finite=False)
            limit, largest = _noise_limit(xp, centre, kernel, values), float(values[-1])
        else:
            largest = _largest_value(gram)
        return scipy.linalg.eigh(
            gram,
            driver="evr",
            subset_by_value=(limit * largest, np.inf),
            overwrite_a=True,
            check_finite=False,
        )[1].conj()


def _largest_value(gram: Any) -> float:
    """The largest eigenvalue, by power iteration: only a threshold hangs on it."""
    from scipy.linalg import blas

    times = blas.chemv if gram.dtype == np.complex64 else blas.zhemv
    v = np.where(np.arange(len(gram)) == np.argmax(gram.diagonal().real), 1, 0).astype(gram.dtype)
    value = 0.0
    for _ in range(100):
        w = times(1.0, gram, v, lower=1)
        former, value = value, float(np.linalg.norm(w))
        if abs(value - former) <= 1e-6 * value:
            break
        v = w / value
    return value


def _patch_gram(xp: Any, centre: Any, kernel: int) -> Any:
    """Conjugate of patches times patches^H, (coils k^d) squared; by BLAS its lower triangle."""
    coils, dims = centre.shape[0], centre.ndim - 1
    positions = [n - kernel + 1 for n in centre.shape[1:]]
    patches = xp.empty((coils, kernel**dims, *positions), centre.dtype)
    for i, a in enumerate(np.ndindex((kernel,) * dims)):
        cut = tuple(slice(s, s + p) for s, p in zip(a, positions, strict=True))
        patches[:, i] = centre[(slice(None), *cut)]
    flat = patches.reshape(coils * kernel**dims, -1)
    if not isinstance(flat, np.ndarray):
        return flat.conj() @ flat.T
    from scipy.linalg import blas

    rank_update = blas.cherk if flat.dtype == np.complex64 else blas.zherk
    with one_blas_thread(flat.size):
        return rank_update(1.0, flat.T, trans=2, lower=1)


def _noise_limit(xp: Any, centre: Any, kernel: int, values: Any) -> float:
    """Eigenvalue of the Gram that noise alone reaches, relative to the largest one."""
    rng = np.random.default_rng(0)
    noise = rng.standard_normal((2, *centre.shape)).astype(centre.real.dtype)
    alone = _patch_gram(xp, xp.asarray((noise[0] + 1j * noise[1]).astype(centre.dtype)), kernel)
    noise_values = xp.linalg.eigvalsh(alone, UPLO="L")
    rank = min(values.size, math.prod(n - kernel + 1 for n in centre.shape[1:]))
    first = values.size - rank  # eigenvalues before are 0: fewer positions than points of a patch
    some = slice(first, first + max(1, rank // 10))
    variance = float(values[some].mean() / noise_values[some].mean())
    limit = variance * float(noise_values[-1] / values[-1])
    return min(max(limit, float(np.finfo(centre.real.dtype).eps)), 0.5)


def _eigenmaps(
    edge: Edge,
    lags: Any,
    shape: tuple[int, ...],
    maps: int,
    iterations: int,
    reference: Any,
    crop: float,
) -> tuple[Any, Any]:
    """Eigenvectors (maps, coil, *shape) and eigenvalues (maps, *shape)."""
    xp = edge.xp
    coils, reach = reference.size, lags.shape[1] // 2
    waves = [_waves(xp, n, reach, lags.dtype) for n in shape]
    planes = (1, *shape)[-3]
    vectors = xp.empty((maps, coils, planes, *shape[-2:]), lags.dtype)
    values = xp.empty((maps, planes, *shape[-2:]), lags.real.dtype)
    for z in range(planes):
        plane = lags if len(shape) == 2 else xp.tensordot(lags, waves[0][z], axes=(1, 0))
        with one_blas_thread(plane.size):
            along_x = xp.ascontiguousarray(plane @ waves[-1].T)
        edge.kernels.espirit_maps(
            along_x, waves[-2], reference, crop, iterations, z, vectors, values
        )
    return vectors.reshape(maps, coils, *shape), values.reshape(maps, *shape)


def _waves(xp: Any, size: int, reach: int, dtype: Any) -> Any:
    """exp(-2 pi i d (n - N // 2) / N), [pixels, lags]."""
    pixel, lag = np.arange(size) - size // 2, np.arange(-reach, reach + 1)
    return xp.asarray(np.exp(-2j * np.pi * np.outer(pixel, lag) / size), dtype)
