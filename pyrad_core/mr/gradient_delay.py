"""Gradient delays of radial scans: estimation from the intersections of spokes, and correction."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .._checks import whole
from .._kernels.select import edge_of, host_array
from ..errors import DataError, ShapeError

__all__ = ["GradientDelay", "correct_gradient_delay", "estimate_gradient_delay"]

_PAIRS = 800
_UPSAMPLING = 16


class GradientDelay(NamedTuple):
    """Result of :func:`correct_gradient_delay`.

    Attributes
    ----------
    coordinates : array
        Corrected positions.
    delays : float64 array (dims, dims), symmetric
        Shift of the trajectory per unit of the spoke's direction, in samples along the spoke:
        ``k_true = k + spacing * delays @ direction``.
    """

    coordinates: Any
    delays: np.ndarray


def correct_gradient_delay(
    coordinates: Any, *, kspace: Any = None, delays: Any = None, region: int = 16
) -> GradientDelay:
    """Move the samples of radial spokes to where delayed gradients really took them.

    Parameters
    ----------
    coordinates : array (spokes, samples, dims)
        Nominal positions in two or three dimensions, cycles per field of view; spokes through the
        centre with even spacing.
    kspace : complex array (coil, spokes, samples), optional
        Measured samples: the delays are estimated by :func:`estimate_gradient_delay`.
    delays : array (dims, dims) or (dims,), optional
        Known delays in samples (a vector is the diagonal: one delay per axis), instead of kspace.
    region : int
        Samples around the centre that are searched, as of :func:`estimate_gradient_delay`.

    Returns
    -------
    GradientDelay
        Corrected coordinates, clipped to the nominal range, and the delays.

    References
    ----------
    Rosenzweig, Holme and Uecker, Magn. Reson. Med. 81 (2019), doi:10.1002/mrm.27506.

    Examples
    --------
    >>> fixed = prc.mr.correct_gradient_delay(coordinates, kspace=kspace)
    >>> A = prc.mr.NUFFT(fixed.coordinates, (256, 256))
    """
    edge = edge_of(coordinates=coordinates, kspace=kspace)
    k = edge.real("coordinates", dtype=np.float64)
    direction, spacing = _spokes(host_array(k))
    dims = k.shape[-1]
    if (kspace is None) == (delays is None):
        raise DataError("give either kspace, to estimate the delays, or delays")
    if delays is None:
        matrix = estimate_gradient_delay(coordinates, kspace, region=region)
    else:
        matrix = np.asarray(delays, np.float64)
        matrix = np.diag(matrix) if matrix.ndim == 1 else matrix
        if matrix.shape != (dims, dims) or not np.isfinite(matrix).all():
            raise ShapeError(f"delays has shape {np.shape(delays)}; expected ({dims}, {dims})")
    shift = spacing[:, None] * (direction @ matrix.T)
    limit = float(np.abs(k).max())
    moved = edge.xp.clip(k + edge.xp.asarray(shift)[:, None], -limit, limit)
    return GradientDelay(edge.answer(moved), matrix)


def estimate_gradient_delay(coordinates: Any, kspace: Any, *, region: int = 16) -> np.ndarray:
    """Delays of a radial scan from the points where its spokes cross (RING).

    Parameters
    ----------
    coordinates : array (spokes, samples, dims)
        Nominal positions, cycles per field of view; dims 2 or 3.
    kspace : complex array (coil, spokes, samples)
    region : int
        Samples around the nominal centre within which spokes are compared.

    Returns
    -------
    float64 array (dims, dims), symmetric
        Delay in samples: along an axis alone on the diagonal, cross terms beside it.

    Raises
    ------
    DataError
        Spokes that do not pass the centre, fewer than ``dims`` directions.

    Notes
    -----
    With delays every spoke of direction n is shifted by S n, S symmetric. Two spokes meet (in three
    dimensions: all but meet) at one point, where they measured the same value. The positions along
    both, ``(S n_a + p_a n_a) = (S n_b + p_b n_b)``, are found as the most similar samples (over all
    coils, on finely interpolated spokes), and S follows by least squares, repeated without the
    outlying pairs. Spokes within 15 degrees of each other are not compared.

    References
    ----------
    Rosenzweig, Holme and Uecker, Magn. Reson. Med. 81 (2019), doi:10.1002/mrm.27506.

    Examples
    --------
    >>> delays = prc.mr.estimate_gradient_delay(coordinates, kspace)
    """
    edge = edge_of(coordinates=coordinates, kspace=kspace)
    k = host_array(edge.real("coordinates", dtype=np.float64))
    y = host_array(edge.complex("kspace"))
    direction, spacing = _spokes(k)
    if y.ndim != 3 or y.shape[1:] != k.shape[:2]:
        raise ShapeError(f"kspace has shape {y.shape}; expected (coil, {k.shape[0]}, {k.shape[1]})")
    fine, positions = _fine_centre(y, k, direction, spacing, whole("region", region, 4))
    pairs = _pairs(direction)
    if len(pairs) < k.shape[-1]:
        raise DataError(f"coordinates have too few different directions ({len(k)} spokes)")
    crossing = [_crossing(fine[:, a], fine[:, b], positions[a], positions[b]) for a, b in pairs]
    return _solve(direction, pairs, np.array(crossing))


def _spokes(k: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Unit direction and sample spacing of every spoke; an error where they are none."""
    if k.ndim != 3 or k.shape[-1] not in (2, 3) or k.shape[1] < 4:
        raise ShapeError(f"coordinates have shape {k.shape}; expected (spokes, samples, 2 or 3)")
    along = k[:, -1] - k[:, 0]
    length = np.linalg.norm(along, axis=-1)
    if not (length > 0).all():
        raise DataError("coordinates hold a spoke of length 0")
    direction = along / length[:, None]
    steps = np.diff(k, axis=1)
    spacing = length / (k.shape[1] - 1)
    uneven = np.abs(steps - (spacing[:, None] * direction)[:, None]).max()
    if uneven > 0.01 * spacing.max():
        raise DataError("coordinates are not straight spokes with even spacing")
    return direction, spacing


def _fine_centre(
    y: np.ndarray, k: np.ndarray, direction: np.ndarray, spacing: np.ndarray, region: int
) -> tuple[np.ndarray, np.ndarray]:
    """Spokes around their centre, interpolated; and the nominal position of each fine sample, in
    samples from the nominal centre."""
    samples = y.shape[2]
    start = np.sum(k[:, 0] * direction, axis=-1) / spacing
    if (np.abs(start + samples / 2) > samples / 4).any():
        raise DataError("coordinates hold spokes whose middle is far from the centre")
    spectrum = np.fft.fft(y, axis=2)
    half = samples // 2
    padded = np.zeros((*y.shape[:2], samples * _UPSAMPLING), spectrum.dtype)
    padded[..., : samples - half] = spectrum[..., : samples - half]
    padded[..., padded.shape[2] - half :] = spectrum[..., samples - half :]
    fine = np.fft.ifft(padded, axis=2) * _UPSAMPLING
    first = max(0, (samples - region) // 2)
    keep = slice(first * _UPSAMPLING, min(samples, first + region) * _UPSAMPLING)
    at = np.arange(keep.start, keep.stop) / _UPSAMPLING
    return fine[..., keep], start[:, None] + at


def _pairs(direction: np.ndarray) -> np.ndarray:
    """Pairs of spokes that are not close to parallel; a fixed choice where there are many."""
    a, b = np.triu_indices(len(direction), 1)
    cosine = np.abs(np.sum(direction[a] * direction[b], axis=-1))
    pairs = np.stack([a, b], axis=1)[cosine < np.cos(np.deg2rad(15))]
    if len(pairs) > _PAIRS:
        pairs = pairs[np.random.default_rng(0).choice(len(pairs), _PAIRS, replace=False)]
    return pairs


def _crossing(
    one: np.ndarray, other: np.ndarray, at_one: np.ndarray, at_other: np.ndarray
) -> tuple[float, float]:
    """Positions along both spokes where their samples (coil, positions) differ least."""
    coarse = _UPSAMPLING // 4
    a, b = one[:, ::coarse], other[:, ::coarse]
    strength = np.minimum.outer(_square(a), _square(b))
    # Relative to the signal, or the weak ends of the region would win.
    cost = _difference(a, b) / np.maximum(strength, 1e-30)
    cost[strength <= 0.01 * strength.max()] = np.inf
    i, j = divmod(int(np.argmin(cost)), cost.shape[1])
    low_i, low_j = max(0, (i - 1) * coarse), max(0, (j - 1) * coarse)
    a, b = one[:, low_i : (i + 1) * coarse + 1], other[:, low_j : (j + 1) * coarse + 1]
    p, q = divmod(int(np.argmin(_difference(a, b))), b.shape[1])
    return float(at_one[low_i + p]), float(at_other[low_j + q])


def _square(x: np.ndarray) -> np.ndarray:
    return np.sum(x.real**2 + x.imag**2, axis=0)


def _difference(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Squared differences over coils of all samples (coil, i) and (coil, j)."""
    return np.add.outer(_square(a), _square(b)) - 2 * (a.conj().T @ b).real


def _solve(direction: np.ndarray, pairs: np.ndarray, crossing: np.ndarray) -> np.ndarray:
    """Symmetric S with S (n_a - n_b) = p_b n_b - p_a n_a, outliers left out."""
    dims = direction.shape[1]
    a, b = direction[pairs[:, 0]], direction[pairs[:, 1]]
    # Spokes in space miss each other by a little: only their plane tells where they are closest.
    plane = np.stack([a + b, a - b], axis=1)
    plane /= np.linalg.norm(plane, axis=-1, keepdims=True)
    right = np.einsum("pij,pj->pi", plane, crossing[:, 1:2] * b - crossing[:, :1] * a)
    rows, columns = np.triu_indices(dims)
    matrix = np.zeros((len(pairs), dims, rows.size))
    difference = a - b
    for u, (i, j) in enumerate(zip(rows, columns, strict=True)):
        matrix[:, i, u] += difference[:, j]
        if i != j:
            matrix[:, j, u] += difference[:, i]
    matrix = plane @ matrix
    weight = np.ones(len(pairs))
    for _ in range(10):
        root = np.sqrt(weight)[:, None]
        left = (root[..., None] * matrix).reshape(-1, rows.size)
        solution = np.linalg.lstsq(left, (root * right).reshape(-1), rcond=None)[0]
        off = np.linalg.norm(matrix @ solution - right, axis=1)
        spread = max(1.5 * float(np.median(off)), 0.5 / _UPSAMPLING)
        weight = 1 / (1 + (off / spread) ** 2) ** 2
    result = np.zeros((dims, dims))
    result[rows, columns] = result[columns, rows] = solution
    return result
