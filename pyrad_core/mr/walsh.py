"""Coil sensitivities from coil images by local principal components (Walsh)."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._checks import whole
from .._kernels.select import edge_of
from ..errors import DataError
from .espirit import align_phase

__all__ = ["walsh"]


def walsh(images: Any, *, window: int = 7, iterations: int = 60) -> Any:
    """Coil sensitivity maps from coil images, without calibration data.

    Parameters
    ----------
    images : complex array (coil, y, x) or (coil, z, y, x)
        Coil images, also of low resolution or with mild artefacts.
    window : int
        Side of the neighbourhood whose coil covariance is analysed, pixels.
    iterations : int
        At most so many steps of the power iteration; a pixel stops when it has converged.

    Returns
    -------
    complex array (coil, ...)
        Unit norm over the coils; the phase is that of the first principal component of all
        pixels.

    Raises
    ------
    DataError
        Real, non-finite or all-zero images.

    References
    ----------
    Walsh, Gmitro and Marcellin, Magn. Reson. Med. 43 (2000),
    doi:10.1002/(SICI)1522-2594(200005)43:5<682::AID-MRM10>3.0.CO;2-G.

    Examples
    --------
    >>> maps = prc.mr.walsh(prc.mr.ifft(kspace))
    """
    edge = edge_of(images=images)
    m = edge.complex("images", ndim=(3, 4))
    window, iterations = whole("window", window, 1), whole("iterations", iterations, 1)
    if not m.any():
        raise DataError("images holds only zeros")
    xp, coils, shape = edge.xp, m.shape[0], m.shape[1:]
    m = m / xp.abs(m).max()
    rows, columns = np.tril_indices(coils)
    matrices = xp.empty((rows.size, *shape), m.dtype)
    for pair, (i, j) in enumerate(zip(rows, columns, strict=True)):
        product = m[i] * m[j].conj()
        matrices[pair].real = _local_mean(product.real, window)
        matrices[pair].imag = _local_mean(product.imag, window)
    vectors = xp.empty((1, coils, *shape), m.dtype)
    values = xp.empty((1, int(np.prod(shape))), m.real.dtype)
    flat = vectors.reshape(1, coils, -1)
    edge.kernels.coil_eigenvectors(matrices.reshape(rows.size, -1), iterations, flat, values)
    every = m.reshape(coils, -1)
    body = xp.linalg.eigh(every @ every.conj().T)[1][:, -1]
    align_phase(xp, vectors, body)
    return edge.answer(vectors[0])


def _local_mean(x: Any, window: int) -> Any:
    if isinstance(x, np.ndarray):
        from scipy.ndimage import uniform_filter
    else:
        from cupyx.scipy.ndimage import uniform_filter
    return uniform_filter(x, window, mode="nearest")
