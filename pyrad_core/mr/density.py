"""Density compensation: Pipe-Menon, Voronoi cells, and closed forms for spokes and spirals.

Every method returns areas: what each sample stands for, in (cycles per field of view)^dims.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .._checks import choice, whole
from .._kernels.select import host_array
from ..errors import DataError
from .coordinates import check_coordinates
from .gridding import Gridding
from .kaiser_bessel import kernel_transform
from .voronoi import spherical_areas, voronoi_areas

__all__ = ["density_compensation"]


def density_compensation(
    coordinates: Any, shape: Sequence[int], *, method: str = "pipe-menon", iterations: int = 30
) -> Any:
    """Weights that make up for uneven sampling density.

    Parameters
    ----------
    coordinates : array (..., samples, dims)
        Cycles per field of view.
    shape : sequence of int
        Image shape.
    method : {"pipe-menon", "voronoi", "ramp", "spiral"}
        "pipe-menon": any trajectory, by iterated gridding [1]_. "voronoi" [2]_: any trajectory, by
        the area of Voronoi cells, cut half a sample beyond the convex hull; samples at one place
        share their cell. "ramp": spokes through the centre, (..., spokes, samples, dims), by the
        area of their rings' sectors, golden-angle gaps included. "spiral": turned copies of one
        curve whose radius grows (or falls) along it: each sample has its share of a ring.
    iterations : int
        Fixed-point steps of "pipe-menon"; 10 to 30 are usual.

    Returns
    -------
    float32 array (..., samples)
        Area (volume) of k-space that each sample stands for, in (cycles per field of view)^dims.
        With it ``A.adjoint(weights * y)`` of the unitary NUFFT is the image, of the right
        amplitude where k-space is covered; the weights add up to the area covered.

    Raises
    ------
    DataError
        "ramp" or "spiral" for a trajectory that is none; NaN or out-of-range coordinates.

    Notes
    -----
    "pipe-menon" is the fixed point of ``w <- w / (S S^H w)`` with the spreading S of the gridding
    plan, that is of a convolution with its kernel, scaled to unit integral; no FFT is needed. It
    runs where the coordinates are; the others run on the host.

    References
    ----------
    .. [1] Pipe and Menon, Magn. Reson. Med. 41 (1999),
       doi:10.1002/(SICI)1522-2594(199901)41:1<179::AID-MRM25>3.0.CO;2-V.
    .. [2] Rasche et al., IEEE Trans. Med. Imaging 18 (1999), doi:10.1109/42.774166 (Voronoi).

    Examples
    --------
    >>> w = prc.mr.density_compensation(coordinates, (256, 256))
    >>> image = prc.mr.NUFFT(coordinates, (256, 256)).adjoint(w * kspace)
    """
    sizes = tuple(whole("shape", n, 1) for n in shape)
    choice("method", method, ("pipe-menon", *_CLOSED))
    steps = whole("iterations", iterations, 1)
    edge, k = check_coordinates(coordinates, sizes)
    if method == "pipe-menon":
        return edge.answer(_pipe_menon(edge, k, sizes, steps))
    on_host = host_array(k)
    return edge.answer(edge.xp.asarray(_CLOSED[method](on_host), np.float32))


def _pipe_menon(edge: Any, k: Any, sizes: tuple[int, ...], steps: int) -> Any:
    plan = Gridding(edge, k.reshape(-1, len(sizes)), sizes, 1e-3, np.float32)
    xp, kernels = edge.xp, edge.kernels
    integral = float(kernel_transform(np.zeros(1), plan.width, plan.beta)[0]) ** (2 * plan.dims)
    scale = np.float32(math.prod(plan.ratio) / integral)
    w = xp.ones((plan.samples, 1), np.complex64)
    mean = xp.empty_like(w)
    unit = xp.ones(plan.samples, np.float32)
    grid = plan.borrow(1)
    for _ in range(steps):
        kernels.grid_spread_sorted(w, unit, *plan.plan, grid)
        kernels.grid_interpolate_sorted(grid, *plan.plan, mean)
        w /= scale * mean.real
    plan.give_back(grid)
    if not bool(xp.isfinite(w).all()):
        raise DataError("the density of coordinates could not be estimated")
    out = xp.empty(plan.samples, np.float32)
    out[plan.plan.order] = w.real[:, 0]
    return out.reshape(k.shape[:-1])


def _voronoi(k: np.ndarray) -> np.ndarray:
    return voronoi_areas(k.reshape(-1, k.shape[-1])).reshape(k.shape[:-1])


def _ramp(k: np.ndarray) -> np.ndarray:
    """Sectors of rings: with s the signed radius, angle / dims * |s|^(dims - 1) s between the
    middles of neighbouring samples."""
    dims, samples = k.shape[-1], k.shape[-2]
    if k.ndim < 3 or samples < 2:
        raise DataError(
            f"coordinates have shape {k.shape}; the ramp needs (spokes, samples, dims) with at "
            "least two samples"
        )
    spokes = k.reshape(-1, samples, dims)
    radius = np.linalg.norm(spokes, axis=-1)
    outer = np.argmax(radius, axis=1)
    direction = np.take_along_axis(spokes, outer[:, None, None], axis=1)
    direction = direction / np.maximum(np.linalg.norm(direction, axis=-1, keepdims=True), 1e-30)
    s = np.sum(spokes * direction, axis=-1)
    off = np.abs(spokes - s[..., None] * direction).max()
    if off > 1e-3 * max(radius.max(), 1e-30):
        raise DataError(
            f"coordinates leave their spoke by up to {off:.3g} cycles: they are not spokes through "
            "the centre; use method='voronoi' or 'pipe-menon'"
        )
    middles = (s[:, 1:] + s[:, :-1]) / 2
    first, last = s[:, :1] - (middles[:, :1] - s[:, :1]), 2 * s[:, -1:] - middles[:, -1:]
    edges = np.concatenate([first, middles, last], axis=1)
    crossing = s.min(axis=1) < -1e-3 * np.abs(s).max(axis=1)
    # A half spoke's first cell ends at the centre.
    edges[~crossing] = np.maximum(edges[~crossing], 0)
    solid = _solid_angles(direction[:, 0], crossing) / dims
    powers = np.sign(edges) * np.abs(edges) ** dims
    return (solid[:, None] * np.abs(np.diff(powers, axis=1))).reshape(k.shape[:-1])


def _solid_angles(directions: np.ndarray, crossing: np.ndarray) -> np.ndarray:
    """Angle that every end of every spoke stands for; both ends of a crossing spoke count."""
    ends = np.concatenate([directions, -directions[crossing]])
    if directions.shape[1] == 1:
        total = np.ones(len(ends))
    elif directions.shape[1] == 2:
        total = _arcs(np.arctan2(ends[:, 0], ends[:, 1]))
    else:
        total = spherical_areas(ends)
    share = total[: len(directions)].copy()
    # Opposite ends have the same neighbours, except for rounding.
    share[crossing] = (share[crossing] + total[len(directions) :]) / 2
    return share


def _arcs(angles: np.ndarray) -> np.ndarray:
    """Half the gaps to both neighbours on the circle; equal angles share theirs."""
    turn = 2 * np.pi
    unique, inverse, counts = np.unique(
        np.round(angles % turn, 9) % np.round(turn, 9), return_inverse=True, return_counts=True
    )
    before = np.diff(unique, prepend=unique[-1] - turn)
    arcs = (before + np.roll(before, -1)) / 2
    return (arcs / counts)[inverse]


def _spiral(k: np.ndarray) -> np.ndarray:
    radius = np.linalg.norm(k, axis=-1)
    samples, copies = radius.shape[-1], radius.size // radius.shape[-1]
    one = radius.reshape(copies, samples)
    r = one.mean(axis=0)
    steps = np.diff(r)
    alike = np.abs(one - r).max() <= 1e-3 * max(r.max(), 1e-30)
    rising = np.all(steps > 0) or np.all(steps < 0)
    if k.shape[-1] != 2 or samples < 2 or not alike or not rising:
        raise DataError(
            "coordinates are not turned copies of one spiral whose radius grows along it; use "
            "method='voronoi' or 'pipe-menon'"
        )
    middles = (r[1:] + r[:-1]) / 2
    edges = np.concatenate([[1.5 * r[0] - r[1] / 2], middles, [1.5 * r[-1] - r[-2] / 2]])
    rings = np.abs(np.diff(np.maximum(edges, 0) ** 2)) * np.pi / copies
    return np.broadcast_to(rings, one.shape).reshape(radius.shape)


_CLOSED: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "voronoi": _voronoi,
    "ramp": _ramp,
    "spiral": _spiral,
}
