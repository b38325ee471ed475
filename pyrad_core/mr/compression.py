"""Coil compression: fewer virtual coils with nearly all of the signal (SCC, GCC)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .._checks import choice, positive, whole
from .._kernels.select import Edge, edge_of
from ..errors import DataError, ShapeError
from .calibration import calibration_region
from .fourier import fft, ifft

__all__ = ["apply_compression", "compress_coils"]

_METHODS = ("scc", "gcc")


def compress_coils(
    kspace: Any,
    *,
    virtual_coils: int | None = None,
    energy: float | None = None,
    method: str = "scc",
    readout: int = -1,
    calibration: int | Sequence[int] | None = None,
    return_matrix: bool = False,
) -> Any:
    """Mix the coils into a few virtual ones that keep the signal's energy.

    Parameters
    ----------
    kspace : complex array (coil, ...)
        "scc": Cartesian or not. "gcc": Cartesian, (coil, y, x) or (coil, z, y, x), DC at
        ``n // 2``, fully sampled along the readout. Whiten it before (:func:`prewhiten`).
    virtual_coils : int, optional
        How many to keep.
    energy : float, optional
        Fraction of the energy to keep, in (0, 1]: as many virtual coils as that takes. 0.99 where
        neither is given.
    method : "scc" or "gcc"
        Single coil compression: the principal components of all samples. Geometric-decomposition
        coil compression: the same for every position along the fully sampled readout, where few
        coils are sensitive, and the components aligned from position to position, so that virtual
        sensitivities stay smooth.
    readout : int
        The fully sampled axis of "gcc".
    calibration : int or one per axis, optional
        Size of the central region the components are taken from ("gcc": along the other axes, and
        the whole readout); by default all samples count. An entry per axis of k-space.
    return_matrix : bool
        Also return the compression matrix.

    Returns
    -------
    kspace : complex array (virtual coil, ...)
    matrix : complex array (virtual coil, coil), "gcc": (readout, virtual coil, coil)
        Orthonormal rows, first the component of most energy; :func:`apply_compression` takes it.

    Raises
    ------
    DataError
        Unknown method, both or unusable sizes, all-zero samples.
    ShapeError
        "gcc" of data that are no 2D or 3D k-space.

    References
    ----------
    Buehrer et al., Magn. Reson. Med. 57 (2007), doi:10.1002/mrm.21237 (SCC); Zhang et al., Magn.
    Reson. Med. 69 (2013), doi:10.1002/mrm.24267 (GCC).

    Examples
    --------
    >>> small = prc.mr.compress_coils(kspace, virtual_coils=8)             # (32, ...) -> (8, ...)
    >>> small, matrix = prc.mr.compress_coils(kspace, energy=0.95, method="gcc", return_matrix=True)
    >>> maps = prc.mr.apply_compression(maps, matrix, domain="image")
    """
    edge = edge_of(kspace=kspace)
    y = edge.complex("kspace")
    if y.ndim < 2:
        raise ShapeError(f"kspace has shape {y.shape}; expected (coil, ...)")
    method = choice("method", method, _METHODS)
    if virtual_coils is not None and energy is not None:
        raise DataError(f"give virtual_coils ({virtual_coils}) or energy ({energy}), not both")
    count = None if virtual_coils is None else whole("virtual_coils", virtual_coils, 1)
    share = positive("energy", 0.99 if energy is None else energy)
    if count is not None and count > y.shape[0]:
        raise DataError(f"virtual_coils is {count}, but kspace has {y.shape[0]} coils")
    if share > 1:
        raise DataError(f"energy is {energy}; expected a fraction of at most 1")
    if method == "scc":
        taken = y if calibration is None else calibration_region(y, calibration)
        matrix = _components(edge, taken.reshape(1, y.shape[0], -1), count, share)[0]
    else:
        axis = _readout(y, readout)
        taken = _along_readout(edge, y, axis, calibration)
        matrix = _aligned(edge.xp, _components(edge, taken, count, share))
    small = edge.answer(_applied(edge, y, matrix, readout, "kspace"))
    return (small, edge.answer(matrix)) if return_matrix else small


def apply_compression(data: Any, matrix: Any, *, readout: int = -1, domain: str = "kspace") -> Any:
    """Compress further data of the same coils: maps, images, noise, more k-space.

    Parameters
    ----------
    data : complex array (coil, ...)
    matrix : complex array (virtual coil, coil) or (readout, virtual coil, coil)
        From :func:`compress_coils`.
    readout : int
        Axis that a (readout, virtual coil, coil) matrix goes along.
    domain : "kspace" or "image"
        Of the data along the readout; a (virtual coil, coil) matrix is the same in both.

    Returns
    -------
    complex array (virtual coil, ...)

    Raises
    ------
    ShapeError
        Coil counts or the readout's length differ.

    Examples
    --------
    >>> maps = prc.mr.apply_compression(maps, matrix, domain="image")
    """
    edge = edge_of(data=data, matrix=matrix)
    y = edge.complex("data")
    by = edge.complex("matrix", ndim=(2, 3), real_ok=True)
    if by.shape[-1] != y.shape[0]:
        raise ShapeError(f"data has {y.shape[0]} coils, but matrix {by.shape[-1]}")
    return edge.answer(
        _applied(edge, y, by, readout, choice("domain", domain, ("kspace", "image")))
    )


def _components(edge: Edge, samples: Any, count: int | None, share: float) -> Any:
    """Principal rows (position, virtual, coil) of samples (position, coil, samples)."""
    xp = edge.xp
    gram = samples @ xp.conj(xp.swapaxes(samples, -1, -2))
    values, vectors = xp.linalg.eigh(gram)
    total = values.clip(0).sum(axis=0)[::-1]
    if not float(total.sum()) > 0:
        raise DataError("kspace holds only zeros where the virtual coils are taken from")
    if count is None:
        kept = xp.cumsum(total) / total.sum()
        count = min(total.size, 1 + int((kept < share - 1e-6).sum()))
    rows = xp.swapaxes(vectors[..., ::-1][..., :count], -1, -2).conj()
    return xp.ascontiguousarray(rows)


def _readout(y: Any, readout: int) -> int:
    if y.ndim not in (3, 4):
        raise ShapeError(
            f"kspace has shape {y.shape}; method 'gcc' takes Cartesian (coil, y, x) or "
            "(coil, z, y, x), method 'scc' anything"
        )
    if not (1 - y.ndim <= readout <= -1 or 1 <= readout < y.ndim):
        raise DataError(f"readout is {readout}, but kspace has shape {y.shape}")
    return readout % y.ndim


def _along_readout(edge: Edge, y: Any, axis: int, calibration: int | Sequence[int] | None) -> Any:
    """Samples (readout position, coil, rest) of the calibration region."""
    if calibration is not None:
        sizes = list(calibration) if isinstance(calibration, Sequence) else None
        sizes = sizes or [calibration] * (y.ndim - 1)  # type: ignore[list-item]
        if len(sizes) == y.ndim - 1:
            sizes[axis - 1] = y.shape[axis]
        y = calibration_region(y, sizes)
    hybrid = edge.xp.moveaxis(ifft(y, axes=(axis,)), axis, 0)
    return hybrid.reshape(hybrid.shape[0], hybrid.shape[1], -1)


def _aligned(xp: Any, rows: Any) -> Any:
    """Rows (position, virtual, coil), each position turned towards its neighbour.

    The best unitary turn of A_n towards its aligned neighbour Q_(n-1) A_(n-1) is Q_(n-1) times the
    polar factor of A_(n-1) A_n^H. So all polar factors come from one batch, and the turns are their
    running products, outwards from the middle, by doubling.
    """
    middle = rows.shape[0] // 2
    aligned = rows.copy()
    for part in (slice(middle, None, 1), slice(middle, None, -1)):
        chain = rows[part]
        cross = chain[:-1] @ xp.conj(xp.swapaxes(chain[1:], -1, -2))
        if not cross.shape[0]:
            continue
        u, _, v = xp.linalg.svd(cross)
        turns = u @ v
        step = 1
        while step < turns.shape[0]:
            further = turns.copy()
            further[step:] = turns[:-step] @ turns[step:]
            turns, step = further, 2 * step
        aligned[part][1:] = turns @ chain[1:]
    return aligned


def _applied(edge: Edge, y: Any, matrix: Any, readout: int, domain: str) -> Any:
    xp = edge.xp
    if matrix.ndim == 2:
        by, shape, axis = matrix[:, :, None], (y.shape[0], 1, 1, -1), None
    else:
        axis = _readout(y, readout)
        if matrix.shape[0] != y.shape[axis]:
            raise ShapeError(
                f"data has {y.shape[axis]} positions along the readout (shape {y.shape}), but "
                f"matrix {matrix.shape[0]}"
            )
        by = xp.moveaxis(matrix, 0, -1)
        outer, inner = 1, 1
        for n in y.shape[1:axis]:
            outer *= n
        for n in y.shape[axis + 1 :]:
            inner *= n
        shape = (y.shape[0], outer, y.shape[axis], inner)
        y = ifft(y, axes=(axis,)) if domain == "kspace" else y
    out = xp.empty((matrix.shape[-2], *y.shape[1:]), y.dtype)
    data = y.reshape(shape)
    by = xp.ascontiguousarray(by.astype(y.dtype))
    edge.kernels.mix_coils(by, data, out.reshape(out.shape[0], *data.shape[1:]))
    return fft(out, axes=(axis,)) if axis is not None and domain == "kspace" else out
