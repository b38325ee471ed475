"""Coil sensitivities from coil images by local principal components (Walsh)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .._checks import whole
from .._kernels.select import Edge, edge_of
from ..errors import DataError, ShapeError
from .coils import mix, whitening_matrix
from .espirit import principal_coil

__all__ = ["box_of", "volumes_of", "walsh"]

_SLAB_BYTES = 32 << 20


def walsh(
    images: Any, *, window: int | Sequence[int] = 7, iterations: int = 60, noise: Any = None
) -> Any:
    """Coil sensitivity maps from coil images, without calibration data.

    Parameters
    ----------
    images : complex array (coil, y, x) or (coil, z, y, x)
        Coil images, also of low resolution or with mild artefacts.
    window : int or one per axis
        Size of the neighbourhood whose coil covariance is analysed, pixels; cut at the faces.
    iterations : int
        At most so many steps of the power iteration; a pixel stops when it has converged.
    noise : complex array (coil, coil), optional
        Noise covariance; the maps then maximise the ratio of signal to noise (white noise without).

    Returns
    -------
    complex array (coil, ...)
        Unit norm over the coils; the phase is that of the first principal component of all
        pixels.

    Raises
    ------
    DataError
        Real, non-finite or all-zero images; a noise covariance that is not positive definite.

    Notes
    -----
    Covariances are made slab by slab: beside images and maps a call takes at most 32 MiB, or one
    row of pixels x coils (coils + 1) / 2 where that is more.

    References
    ----------
    Walsh, Gmitro and Marcellin, Magn. Reson. Med. 43 (2000),
    doi:10.1002/(SICI)1522-2594(200005)43:5<682::AID-MRM10>3.0.CO;2-G.

    Examples
    --------
    >>> maps = prc.mr.walsh(prc.mr.ifft(kspace))
    """
    edge = edge_of(images=images, noise=noise)
    m = volumes_of(edge)
    box = box_of(window, edge["images"].ndim - 1)
    iterations = whole("iterations", iterations, 1)
    whitening = None
    if noise is not None:
        # v maximises v^H R v / v^H N v; the sensitivities are N v = L u for L^-1 R L^-H u = s u
        whitening = whitening_matrix(edge, "noise", m.shape[0], m.dtype)
        m = mix(edge, whitening, m)
    reference = principal_coil(edge.xp, m)
    maps = _local_components(edge, m, box, iterations, reference)
    if whitening is not None:
        back = edge.xp.linalg.inv(whitening)
        maps = mix(edge, back, maps)
        combined = edge.xp.empty(maps[0].size, maps.dtype)
        flat = maps.reshape(maps.shape[0], -1)
        edge.kernels.normalize_maps(flat, flat, combined)
        reference = edge.xp.ascontiguousarray(back @ reference)
        edge.kernels.turn_maps(reference, flat, combined)
    return edge.answer(maps.reshape(edge["images"].shape))


def volumes_of(edge: Edge) -> Any:
    """The argument ``images`` as checked complex volumes (coil, z, y, x)."""
    m = edge.complex("images", ndim=(3, 4))
    if not m.any():
        raise DataError("images holds only zeros")
    return m if m.ndim == 4 else m[:, None]


def box_of(window: int | Sequence[int], dims: int) -> tuple[int, int, int]:
    """Window of local_products: z, y, x."""
    sizes = list(window) if isinstance(window, Sequence) else [window] * dims
    if len(sizes) != dims:
        raise ShapeError(f"window is {window}, but images has {dims} axes")
    z, y, x = [1] * (3 - dims) + [whole("window", n, 1) for n in sizes]
    return z, y, x


def _local_components(
    edge: Edge, m: Any, box: tuple[int, int, int], iterations: int, reference: Any
) -> Any:
    xp, coils = edge.xp, m.shape[0]
    planes, rows, columns = m.shape[1:]
    chosen = np.stack(np.tril_indices(coils), axis=-1).astype(np.int64)
    pairs = xp.asarray(chosen)
    per_row = len(chosen) * columns * m.itemsize
    slab = max(1, min(rows, _SLAB_BYTES // per_row))
    maps = xp.empty(m.shape, m.dtype)
    for z in range(planes):
        for first in range(0, rows, slab):
            count = min(slab, rows - first)
            products = xp.empty((len(chosen), 1, count, columns), m.dtype)
            edge.kernels.local_products(m, m, pairs, box, (z, first, 0), products)
            vectors = xp.empty((1, coils, count * columns), m.dtype)
            values = xp.empty((1, count * columns), m.real.dtype)
            flat = products.reshape(len(chosen), -1)
            edge.kernels.coil_eigenvectors(flat, iterations, reference, vectors, values)
            maps[:, z, first : first + count] = vectors.reshape(coils, count, columns)
    return maps
