"""Time segments: exp(-2 pi i f t - R t) as a short sum of products of time and place."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from .._checks import positive, whole
from .._memory import require_memory
from ..errors import DataError

__all__ = ["Segments", "difference_segments", "time_segments"]

_BINS = 256  # of the field map's histogram
_MOST = 64  # turns of the phase during a readout
_CHUNK = 1 << 14


class Segments(NamedTuple):
    """``exp(-(R + 2 pi i f) t)`` is about ``sum_l temporal[l, t] spatial[l, place]``.

    Attributes
    ----------
    temporal : complex128 array ``(segments, *times)``
    spatial : complex128 array ``(segments, *map)``
    error : float
        Relative L2 error over all pixels and the readout.
    """

    temporal: np.ndarray
    spatial: np.ndarray
    error: float


def time_segments(
    b0: Any, times: Any, *, r2: Any = None, eps: float = 1e-3, segments: int | None = None
) -> Segments:
    """Optimal time segmentation of a field map and, optionally, a map of relaxation rates.

    Parameters
    ----------
    b0 : real array
        Off-resonance in Hz.
    times : real array
        Time of each sample after excitation (or the echo), seconds.
    r2 : real array of b0's shape, optional
        Relaxation rate R2* in 1 / s.
    eps : float
        Relative L2 error that the fewest segments keep.
    segments : int, optional
        Take this many instead.

    Returns
    -------
    Segments

    Notes
    -----
    The singular value decomposition of the phases of the map's histogram at Gaussian nodes in time
    gives, for a number of segments, the least error that any pair of temporal and spatial factors
    can have [1]_; both are then evaluated at the exact times and field values.

    References
    ----------
    .. [1] Fessler et al., IEEE Trans. Signal Process. 53 (2005), doi:10.1109/TSP.2005.853152.

    Examples
    --------
    >>> parts = prc.mr.time_segments(field_hz, np.linspace(0, 0.02, 4096))
    """
    rate = _rates(b0, r2)
    t = np.asarray(times, np.float64)
    nodes, root = _nodes(t, rate)
    centres, share = _histogram(rate)
    phases = np.exp(-nodes[:, None] * centres) * root[:, None] * share
    u, s, vh = np.linalg.svd(phases, full_matrices=False)
    count = _count(s, positive("eps", eps), segments)
    require_memory(
        f"{count} time segments",
        16 * count * (t.size + rate.size),
        "take fewer segments or one slice at a time",
    )
    unique, back = np.unique(t.reshape(-1), return_inverse=True)
    temporal = (vh[:count].conj() * share) @ np.exp(-centres[:, None] * unique)
    flat, spatial = rate.reshape(-1), np.empty((count, rate.size), np.complex128)
    left = (u[:, :count].conj() * root[:, None] / s[:count]).T
    for i in range(0, flat.size, _CHUNK):
        spatial[:, i : i + _CHUNK] = left @ np.exp(-nodes[:, None] * flat[i : i + _CHUNK])
    error = math.sqrt(float(np.sum(s[count:] ** 2) / np.sum(s**2)))
    return Segments(
        temporal[:, back.reshape(-1)].reshape(count, *t.shape),
        spatial.reshape(count, *rate.shape),
        error,
    )


def difference_segments(b0: Any, times: Any, eps: float) -> tuple[np.ndarray, np.ndarray]:
    """``exp(-2 pi i (f' - f) t)`` as ``sum_k temporal[k, t] conj(spatial[k, f]) spatial[k, f']``.

    ``spatial`` are phases at even times, ``temporal`` real least-squares coefficients over the
    distribution of differences, which is even: each term is a Hermitian operator.
    """
    f = np.asarray(b0, np.float64)
    t = np.asarray(times, np.float64)
    edges = np.linspace(f.min(), f.max() + 1e-9, _BINS + 1)
    share = np.histogram(f, edges)[0] / f.size
    pairs = np.convolve(share, share[::-1])
    differences = (np.arange(pairs.size) - pairs.size // 2) * (edges[1] - edges[0])
    root = np.sqrt(pairs)
    nodes, _ = _nodes(t, 2j * np.pi * differences)
    wanted = (np.exp(-2j * np.pi * nodes[:, None] * differences) * root).T
    wanted = np.concatenate([wanted.real, wanted.imag])
    for count in range(1, 4 * _MOST):
        at = np.linspace(t.min(), t.max(), count + 2)[1:-1]
        if count > 2:
            at = np.linspace(t.min(), t.max(), count)
        basis = (np.exp(-2j * np.pi * at[:, None] * differences) * root).T
        basis = np.concatenate([basis.real, basis.imag])
        inverse = np.linalg.pinv(basis, rcond=1e-7)
        error = np.linalg.norm(basis @ (inverse @ wanted) - wanted) / np.linalg.norm(wanted)
        if error <= eps:
            break
    unique, back = np.unique(t.reshape(-1), return_inverse=True)
    exact = (np.exp(-2j * np.pi * unique[:, None] * differences) * root).T
    temporal = inverse @ np.concatenate([exact.real, exact.imag])
    spatial = np.exp(-2j * np.pi * at.reshape(-1, *[1] * f.ndim) * f)
    return temporal[:, back.reshape(-1)].reshape(count, *t.shape), spatial


def _rates(b0: Any, r2: Any) -> np.ndarray:
    """R + 2 pi i f."""
    rate = 2j * np.pi * np.asarray(b0, np.float64)
    if r2 is None:
        return rate
    decay = np.asarray(r2, np.float64)
    if decay.shape != rate.shape:
        raise DataError(f"r2 has shape {decay.shape}, but b0 {rate.shape}")
    if (decay < 0).any():
        raise DataError(f"r2 has negative values, the smallest is {decay.min():.3g}")
    return rate + decay


def _nodes(t: np.ndarray, rate: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Gauss-Legendre nodes over the readout and the roots of their weights."""
    turns = np.ptp(t) * (np.ptp(rate.imag) + np.ptp(rate.real)) / (2 * np.pi)
    if turns > _MOST:
        raise DataError(
            f"b0 turns the phase {turns:.0f} times within readout_times; the most are {_MOST}: "
            "check their units (Hz, seconds)"
        )
    x, w = np.polynomial.legendre.leggauss(24 + math.ceil(2.5 * turns))
    return t.min() + (x + 1) / 2 * np.ptp(t), np.sqrt(w / 2)


def _histogram(rate: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean rate of every bin that holds pixels and the root of its share."""
    index = np.zeros(rate.size, np.int64)
    for part in (rate.imag.reshape(-1), rate.real.reshape(-1)):
        span = np.ptp(part) or 1.0
        bins = _BINS if index.max() == 0 else 32
        index = index * bins + np.minimum((part - part.min()) / span * bins, bins - 1).astype(int)
    _, inverse, counts = np.unique(index, return_inverse=True, return_counts=True)
    flat = rate.reshape(-1)
    mean = np.bincount(inverse, flat.real) + 1j * np.bincount(inverse, flat.imag)
    return mean / counts, np.sqrt(counts / rate.size)


def _count(s: np.ndarray, eps: float, segments: int | None) -> int:
    usable = int(np.sum(s > 1e-13 * s[0]))
    if segments is not None:
        return min(whole("segments", segments, 1), usable)
    rest = np.sqrt(np.cumsum(s[::-1] ** 2)[::-1] / np.sum(s**2))
    return min(max(int(np.sum(rest > eps)), 1), usable)
