"""Temporal subspaces from dictionaries of signals, and matching of images with them."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._checks import number, whole
from .._kernels.select import Edge, edge_of, host_array
from ..errors import DataError, ShapeError

__all__ = ["match_dictionary", "subspace_basis", "take_basis"]


def subspace_basis(dictionary: Any, rank: float) -> Any:
    """Orthonormal time courses that span a dictionary of signals best.

    Parameters
    ----------
    dictionary : array (atoms, frames)
        Simulated signals, real or complex; their scale weighs them.
    rank : int, or float in (0, 1)
        Number of time courses, or the share of the dictionary's energy that they have to hold.

    Returns
    -------
    array (rank, frames) of the dictionary's dtype, rows orthonormal, the strongest first: the
    signal of an atom is about ``coefficients @ basis``.

    Raises
    ------
    DataError
        NaN, an all-zero dictionary, a rank beyond the smaller side of the dictionary.

    References
    ----------
    Huang et al., Magn. Reson. Med. 67 (2012) 1355, doi:10.1002/mrm.23128; McGivney et al., IEEE
    Trans. Med. Imaging 33 (2014) 2311, doi:10.1109/TMI.2014.2337321.

    Examples
    --------
    >>> t2 = np.geomspace(20, 400, 200)                       # ms
    >>> decays = np.exp(-np.arange(10, 170, 10) / t2[:, None])
    >>> basis = prc.mr.subspace_basis(decays, 4)
    """
    edge = edge_of(dictionary=dictionary)
    d = _signals(edge, "dictionary")
    _, values, rows = edge.xp.linalg.svd(d, full_matrices=False)
    energy = host_array(values).astype(np.float64) ** 2
    if energy[0] == 0:
        raise DataError("dictionary holds only zeros")
    if 0 < number("rank", rank) < 1:
        share = np.cumsum(energy) / energy.sum()
        count = int(np.searchsorted(share, float(rank))) + 1
    else:
        count = whole("rank", rank, 1)
    if count > len(energy):
        raise DataError(
            f"rank is {rank}, but a dictionary of shape {tuple(d.shape)} spans at most "
            f"{len(energy)} time courses"
        )
    return edge.answer(edge.xp.ascontiguousarray(rows[:count]))


def match_dictionary(coefficients: Any, dictionary: Any, basis: Any = None) -> tuple[Any, Any]:
    """The dictionary's signal that is closest in direction to each pixel's.

    Parameters
    ----------
    coefficients : array (rank, ...) or (frames, ...)
        Coefficient images of :func:`subspace`, or images of all frames where there is no basis.
    dictionary : array (atoms, frames)
        Simulated signals of any scale.
    basis : array (rank, frames), optional
        The one that the coefficients belong to.

    Returns
    -------
    index : int array (...)
        Row of the dictionary; parameters are ``t2[index]``.
    amplitude : complex array (...)
        Factor of that signal (proton density).

    Raises
    ------
    ShapeError
        Numbers of frames or coefficients differ.
    DataError
        NaN, a signal that is zero.

    References
    ----------
    Ma et al., Nature 495 (2013) 187, doi:10.1038/nature11971.

    Examples
    --------
    >>> index, density = prc.mr.match_dictionary(coefficients, decays, basis)
    """
    edge = edge_of(coefficients=coefficients, dictionary=dictionary, basis=basis)
    xp = edge.xp
    c = edge.complex("coefficients", real_ok=True)
    signals = _signals(edge, "dictionary").astype(c.dtype)
    if basis is not None:
        b = take_basis(edge, c.dtype)
        if b.shape[1] != signals.shape[1]:
            raise ShapeError(f"basis has {b.shape[1]} frames, but dictionary {signals.shape[1]}")
        signals = signals @ b.conj().T
    if c.ndim < 1 or c.shape[0] != signals.shape[1]:
        raise ShapeError(
            f"coefficients have shape {tuple(c.shape)}, but signals {signals.shape[1]} values"
        )
    length = xp.linalg.norm(signals, axis=1)
    if bool((length == 0).any()):
        raise DataError(f"dictionary holds {int((length == 0).sum())} signals that are zero")
    directions = (signals / length[:, None]).conj()
    pixels = c.reshape(c.shape[0], -1)
    index = xp.empty(pixels.shape[1], np.int64)
    amplitude = xp.empty(pixels.shape[1], c.dtype)
    chunk = max(1, (1 << 22) // len(signals))  # of the product, 32 MiB
    for at in range(0, pixels.shape[1], chunk):
        product = directions @ pixels[:, at : at + chunk]
        best = xp.argmax(product.real**2 + product.imag**2, axis=0)
        index[at : at + chunk] = best
        amplitude[at : at + chunk] = product[best, xp.arange(len(best))] / length[best]
    shape = c.shape[1:]
    return edge.answer(index.reshape(shape)), edge.answer(amplitude.reshape(shape))


def _signals(edge: Edge, name: str) -> Any:
    """A matrix of signals, one per row."""
    if edge[name].dtype.kind == "c":
        return edge.complex(name, ndim=2)
    return edge.real(name, ndim=2)


def take_basis(edge: Edge, dtype: Any) -> Any:
    b = edge.complex("basis", ndim=2, real_ok=True).astype(dtype)
    if not bool(abs(b).any(axis=1).all()):
        raise DataError("basis holds a time course that is zero")
    return b
