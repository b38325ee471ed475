"""Coil combination, noise whitening."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._kernels.select import edge_of
from ..errors import DataError, ShapeError

__all__ = ["combine_coils", "prewhiten", "require_coils"]


def combine_coils(images: Any, maps: Any = None) -> Any:
    """One image from coil images.

    Parameters
    ----------
    images : complex array (coil, ...)
    maps : complex array (coil, ...), optional
        Sensitivities. With them the answer is the least-squares image
        ``sum_c conj(s_c) m_c / sum_c |s_c|^2`` (complex, 0 where all maps are 0); without, the
        root of the sum of squares (real).

    Returns
    -------
    array (...) : float of the same precision without maps, complex with them.

    Raises
    ------
    ShapeError
        Coil counts or image shapes differ.

    References
    ----------
    Roemer et al., Magn. Reson. Med. 16 (1990), doi:10.1002/mrm.1910160203.

    Examples
    --------
    >>> image = prc.mr.combine_coils(prc.mr.ifft(kspace))
    """
    edge = edge_of(images=images, maps=maps)
    m = edge.complex("images", real_ok=True)
    xp = edge.xp
    if maps is None:
        return edge.answer(xp.sqrt(xp.sum(m.real**2 + m.imag**2, axis=0)))
    s = edge.complex("maps", dtype=m.dtype)
    require_coils("images", m, s)
    if s.shape != m.shape:
        raise ShapeError(f"images has shape {m.shape}, but maps {s.shape}")
    weight = xp.sum(s.real**2 + s.imag**2, axis=0)
    total = xp.sum(s.conj() * m, axis=0)
    return edge.answer(xp.where(weight > 0, total / xp.where(weight > 0, weight, 1), 0))


def prewhiten(kspace: Any, noise: Any) -> Any:
    """Mix the coils so that their noise is uncorrelated and of unit variance.

    Parameters
    ----------
    kspace : complex array (coil, ...)
    noise : complex array (coil, samples...) of pure noise, or its covariance (coil, coil)
        A square (coil, coil) array is taken as the covariance ``E[n n^H]``.

    Returns
    -------
    array of k-space's shape and dtype: ``L^-1 y`` with ``covariance = L L^H``.

    Raises
    ------
    DataError
        Covariance not Hermitian positive definite (too few noise samples, a dead coil).
    ShapeError
        Coil counts differ.

    References
    ----------
    Pruessmann et al., Magn. Reson. Med. 46 (2001), doi:10.1002/mrm.1241.

    Examples
    --------
    >>> kspace = prc.mr.prewhiten(kspace, noise_scan)
    """
    edge = edge_of(kspace=kspace, noise=noise)
    y, n = edge.complex("kspace"), edge.complex("noise", real_ok=True)
    if n.ndim < 2 or n.shape[0] != y.shape[0]:
        raise ShapeError(f"kspace has {y.shape[0]} coils, but noise has shape {n.shape}")
    xp, coils = edge.xp, y.shape[0]
    wide = n.reshape(coils, -1).astype(np.complex128)
    covariance = wide if n.shape == (coils, coils) else wide @ wide.conj().T / wide.shape[1]
    if not xp.allclose(covariance, covariance.conj().T, rtol=1e-5, atol=0):
        raise DataError("noise: the covariance (coil, coil) is not Hermitian")
    values = xp.linalg.eigvalsh(covariance)
    if float(values[0]) <= 1e-12 * float(values[-1]):
        raise DataError(
            f"noise: the covariance is not positive definite, its eigenvalues run from "
            f"{float(values[0]):.3g} to {float(values[-1]):.3g}; give more noise samples than "
            f"coils ({coils}) and leave out dead coils"
        )
    inverse = xp.linalg.inv(xp.linalg.cholesky(covariance)).astype(y.dtype)
    return edge.answer((inverse @ y.reshape(coils, -1)).reshape(y.shape))


def require_coils(name: str, data: Any, maps: Any) -> None:
    """The same number of coils in data and maps."""
    if data.shape[0] != maps.shape[0]:
        raise ShapeError(
            f"{name} has {data.shape[0]} coils, but maps has {maps.shape[0]} "
            f"(shapes {data.shape} and {maps.shape})"
        )
