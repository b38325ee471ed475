"""Smallest boxes and ellipsoids around a set of points."""

from __future__ import annotations

import numpy as np

from .._kernels.select import cpu_kernels

__all__ = ["oriented_box", "smallest_ellipsoid"]

_STARTS = 100  # directions beside those of the faces
_FREE = 6  # boxes that are turned about all axes at once
_REFINED = 32  # boxes that are improved further
_ROUNDS = 20
_ITERATIONS = 200_000
_STEPS = 200


def oriented_box(corners: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """Extents (descending) of the smallest box of any orientation around the corners of a hull.

    Each face of the hull is tried as a face of the box, with the smallest rectangle in that plane,
    and so are directions spread over the sphere (the smallest box need not share a face with the
    hull: O'Rourke, Int. J. Comput. Inf. Sci. 14 (1985) 183, doi:10.1007/BF00991005). The best of
    these are turned about their other axes in the same way until nothing improves, and then about
    all three at once by a simplex.
    """
    boxes, axes = _boxes(corners, np.concatenate([_distinct(normals), _spread(_STARTS)]))
    volume = boxes.prod(axis=1)
    order = np.argsort(volume, kind="stable")[:_REFINED]
    boxes, axes, volume = boxes[order], axes[order], volume[order]
    for _ in range(_ROUNDS):
        turned, turned_axes = _boxes(corners, axes[:, 1:].reshape(-1, 3))
        new = turned.prod(axis=1).reshape(-1, 2)
        which = np.arange(len(boxes)) * 2 + new.argmin(axis=1)
        better = new.min(axis=1) < volume * (1 - 1e-7)
        if not better.any():
            break
        kept = which[better]
        boxes[better], axes[better] = turned[kept], turned_axes[kept]
        volume[better] = new.min(axis=1)[better]
    _, distinct = np.unique(np.round(volume / volume.min(), 6), return_index=True)
    kept = np.ascontiguousarray(axes[distinct[:_FREE]])
    turned = np.empty((len(kept), 3))
    cpu_kernels().turn_boxes(np.ascontiguousarray(corners, np.float64), kept, turned)
    found = np.concatenate([boxes, turned])
    return np.sort(found[found.prod(axis=1).argmin()])[::-1]


def _distinct(normals: np.ndarray) -> np.ndarray:
    """One of each pair of parallel normals, to 1e-9."""
    signs = np.sign(normals[np.arange(len(normals)), np.abs(normals).argmax(axis=1)])
    return np.unique(np.round(normals * signs[:, None], 9), axis=0)


def _spread(count: int) -> np.ndarray:
    """Directions spread evenly over half a sphere (a Fibonacci lattice)."""
    k = np.arange(count) + 0.5
    height, turn = k / count, k * np.pi * (1 + np.sqrt(5))
    ring = np.sqrt(1 - height**2)
    return np.column_stack([height, ring * np.cos(turn), ring * np.sin(turn)])


def _boxes(corners: np.ndarray, normals: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(extents (m, 3), their axes (m, 3, 3)) of the smallest box with a face across each normal."""
    normals = np.ascontiguousarray(normals, np.float64)
    out = np.empty((len(normals), 6))
    cpu_kernels().oriented_boxes(np.ascontiguousarray(corners, np.float64), normals, out)
    first = normals / np.linalg.norm(normals, axis=1, keepdims=True)
    side = out[:, 3:]
    return out[:, :3].copy(), np.stack([first, side, np.cross(first, side)], axis=1)


def smallest_ellipsoid(points: np.ndarray, tolerance: float = 1e-7) -> np.ndarray:
    """Semi-axes (descending) of the ellipsoid of least volume around points (n, 3).

    csrc/texture/enclosing_ellipsoid.hpp, started from the points that span the set. The volume
    exceeds the least one by a factor of at most (1 + tolerance)^(3 / 2).
    """
    lifted = np.column_stack([points - points.mean(axis=0), np.ones(len(points))])
    weights = np.zeros(len(points))
    for axis in np.linalg.svd(lifted[:, :3], full_matrices=False)[2]:
        along = lifted[:, :3] @ axis
        weights[[along.argmin(), along.argmax()]] += 1
    if np.linalg.matrix_rank(lifted[weights > 0]) < 4:
        weights[:] = 1
    weights /= weights.sum()
    for _ in range(_ITERATIONS // _STEPS):
        inverse = np.linalg.inv((lifted * weights[:, None]).T @ lifted)  # anew: rounding adds up
        distance = np.einsum("ki,ij,kj->k", lifted, inverse, lifted)
        if cpu_kernels().enclosing_ellipsoid_steps(
            lifted, tolerance, _STEPS, weights, inverse, distance
        ):
            break
    middle = weights @ lifted[:, :3]
    spread = (lifted[:, :3] * weights[:, None]).T @ lifted[:, :3] - np.outer(middle, middle)
    scale = max(distance.max(), 4.0) - 1  # 3 at the optimum; all points inside
    return np.sqrt(np.linalg.eigvalsh(spread)[::-1] * scale)
