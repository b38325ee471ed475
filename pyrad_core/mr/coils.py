"""Coil combination and noise whitening."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .._checks import choice, positive
from .._kernels.select import Edge, edge_of
from ..errors import DataError, ShapeError

__all__ = [
    "combine_coils",
    "mix",
    "noise_covariance",
    "prewhiten",
    "require_coils",
    "whitening_matrix",
]

_METHODS = ("sos", "sense", "adaptive")


def combine_coils(
    images: Any,
    maps: Any = None,
    *,
    method: str | None = None,
    noise: Any = None,
    window: int = 7,
) -> Any:
    """One image from coil images.

    Parameters
    ----------
    images : complex array (coil, ...)
    maps : complex array (coil, ...), optional
        Sensitivities.
    method : "sos", "sense" or "adaptive", optional
        - "sos" (the default without maps): the root of the sum of squares, real.
        - "sense" (the default with maps): the least-squares image
          ``sum_c conj(s_c) m_c / sum_c |s_c|^2``, complex, 0 where all maps are 0.
        - "adaptive": the same with the maps that :func:`~pyrad_core.mr.walsh` finds in the images.
    noise : complex array (coil, coil), optional
        Noise covariance. Images and maps are whitened by it, so that "sense" becomes Roemer's image
        of the best signal-to-noise ratio and "sos" counts every coil by its noise, which has unit
        variance then.
    window : int
        Of "adaptive", pixels.

    Returns
    -------
    array (...) : float of the same precision for "sos", complex otherwise.

    Raises
    ------
    ShapeError
        Coil counts or image shapes differ.
    DataError
        Unknown method, maps with a method that takes none or the other way round; a covariance
        that is not positive definite.

    References
    ----------
    Roemer et al., Magn. Reson. Med. 16 (1990), doi:10.1002/mrm.1910160203; Walsh et al., Magn.
    Reson. Med. 43 (2000).

    Examples
    --------
    >>> image = prc.mr.combine_coils(prc.mr.ifft(kspace))
    >>> image = prc.mr.combine_coils(coil_images, maps, noise=covariance)
    >>> image = prc.mr.combine_coils(coil_images, method="adaptive")
    """
    edge = edge_of(images=images, maps=maps, noise=noise)
    method = choice("method", method or ("sos" if maps is None else "sense"), _METHODS)
    if (maps is not None) != (method == "sense"):
        raise DataError(
            f"method is {method!r}, which takes {'' if method == 'sense' else 'no '}maps"
        )
    m = edge.complex("images", real_ok=True)
    xp, coils, shape = edge.xp, m.shape[0], m.shape[1:]
    s = None
    if method == "adaptive":
        from .walsh import walsh

        s = walsh(m, window=window, noise=noise)
    elif method == "sense":
        s = edge.complex("maps", dtype=m.dtype, real_ok=True)
        require_coils("images", m, s)
        if s.shape != m.shape:
            raise ShapeError(f"images has shape {m.shape}, but maps {s.shape}")
    if noise is not None:
        whitening = whitening_matrix(edge, "noise", coils, m.dtype)
        m = mix(edge, whitening, m)
        s = s if s is None else mix(edge, whitening, s)
    flat = m.reshape(coils, -1)
    if s is None:
        root = xp.empty(flat.shape[1], m.real.dtype)
        edge.kernels.combine_squares(flat, root)
        return edge.answer(root.reshape(shape))
    out = xp.empty(flat.shape[1], m.dtype)
    edge.kernels.combine_maps_of(flat, s.reshape(coils, -1), out)
    return edge.answer(out.reshape(shape))


def noise_covariance(noise: Any) -> Any:
    """Covariance ``E[n n^H]`` of the coils' noise.

    Parameters
    ----------
    noise : complex array (coil, samples...)
        A scan without signal; at least as many samples as coils.

    Returns
    -------
    complex128 array (coil, coil)

    Raises
    ------
    DataError
        Real or non-finite noise, fewer samples than coils.

    Examples
    --------
    >>> covariance = prc.mr.noise_covariance(noise_scan)
    """
    edge = edge_of(noise=noise)
    n = edge.complex("noise")
    if n.ndim < 2:
        raise ShapeError(f"noise has shape {n.shape}; expected (coil, samples...)")
    flat = n.reshape(n.shape[0], -1).astype(np.complex128)
    if flat.shape[1] < flat.shape[0]:
        raise DataError(
            f"noise has {flat.shape[1]} samples of {flat.shape[0]} coils; the covariance is not "
            "positive definite without at least as many samples as coils"
        )
    return edge.answer(flat @ flat.conj().T / flat.shape[1])


def prewhiten(
    kspace: Any, noise: Any, *, bandwidth: float = 1.0, return_matrix: bool = False
) -> Any:
    """Mix the coils so that their noise is uncorrelated and of unit variance.

    Parameters
    ----------
    kspace : complex array (coil, ...)
        Cartesian or not; images and maps are whitened alike.
    noise : complex array (coil, samples...) of pure noise, or its covariance (coil, coil)
        A square (coil, coil) array is taken as the covariance ``E[n n^H]``.
    bandwidth : float
        Noise bandwidth of the noise scan over k-space's: dwell time of ``kspace`` over that of the
        noise scan, times the receiver's noise-equivalent bandwidth ratio (ISMRMRD:
        relativeReceiverNoiseBandwidth, 0.79 on many scanners). Noise power is proportional to it,
        so k-space's covariance is that of the noise scan divided by ``bandwidth``.
    return_matrix : bool
        Also return the whitening matrix (coil, coil), for maps and further data.

    Returns
    -------
    array of k-space's shape and dtype: ``sqrt(bandwidth) L^-1 y`` with ``covariance = L L^H``.
        Complex noise has unit variance, half of it in the real part.

    Raises
    ------
    DataError
        Covariance not Hermitian positive definite (too few noise samples, a dead coil).
    ShapeError
        Coil counts differ.

    References
    ----------
    Pruessmann et al., Magn. Reson. Med. 46 (2001), doi:10.1002/mrm.1241; Kellman and McVeigh,
    Magn. Reson. Med. 54 (2005), doi:10.1002/mrm.20713.

    Examples
    --------
    >>> kspace = prc.mr.prewhiten(kspace, noise_scan)
    >>> kspace = prc.mr.prewhiten(kspace, noise_scan, bandwidth=0.79 * dwell / noise_dwell)
    """
    edge = edge_of(kspace=kspace, noise=noise)
    y = edge.complex("kspace")
    scale = math.sqrt(positive("bandwidth", bandwidth))
    matrix = scale * whitening_matrix(edge, "noise", y.shape[0], np.complex128)
    white = edge.answer(mix(edge, matrix, y))
    return (white, edge.answer(matrix.astype(y.dtype))) if return_matrix else white


def whitening_matrix(edge: Edge, name: str, coils: int, dtype: Any) -> Any:
    """``L^-1`` of the covariance L L^H that an argument holds or that its noise samples have."""
    n = edge.complex(name, real_ok=True)
    if n.ndim < 2 or n.shape[0] != coils:
        raise ShapeError(f"the data have {coils} coils, but {name} has shape {n.shape}")
    xp = edge.xp
    wide = n.reshape(coils, -1).astype(np.complex128)
    covariance = wide if n.shape == (coils, coils) else wide @ wide.conj().T / wide.shape[1]
    size = float(xp.abs(covariance).max())
    if float(xp.abs(covariance - covariance.conj().T).max()) > 1e-5 * size:
        raise DataError(f"{name}: the covariance (coil, coil) is not Hermitian")
    values = xp.linalg.eigvalsh(covariance)
    if float(values[0]) <= 1e-12 * float(values[-1]):
        raise DataError(
            f"{name}: the covariance is not positive definite, its eigenvalues run from "
            f"{float(values[0]):.3g} to {float(values[-1]):.3g}; give more noise samples than "
            f"coils ({coils}) and leave out dead coils"
        )
    return xp.linalg.inv(xp.linalg.cholesky(covariance)).astype(dtype)


def mix(edge: Edge, matrix: Any, data: Any) -> Any:
    """matrix (v, c) times data (c, ...)."""
    out = edge.xp.empty((matrix.shape[0], *data.shape[1:]), data.dtype)
    by = edge.xp.ascontiguousarray(matrix.astype(data.dtype)[:, :, None])
    edge.kernels.mix_coils(
        by, data.reshape(data.shape[0], 1, 1, -1), out.reshape(out.shape[0], 1, 1, -1)
    )
    return out


def require_coils(name: str, data: Any, maps: Any) -> None:
    """The same number of coils in data and maps."""
    if data.shape[0] != maps.shape[0]:
        raise ShapeError(
            f"{name} has {data.shape[0]} coils, but maps has {maps.shape[0]} "
            f"(shapes {data.shape} and {maps.shape})"
        )
