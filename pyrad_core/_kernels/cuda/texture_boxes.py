"""Boxes and ellipsoids around the corners of a convex hull: on the host, as the hull is."""

from __future__ import annotations

from typing import Any

from ..select import cpu_kernels

__all__ = ["enclosing_ellipsoid_steps", "oriented_boxes", "turn_boxes"]


def oriented_boxes(points: Any, normals: Any, out: Any) -> None:
    """Smallest box around points with a face across each normal: 3 extents, direction of a side."""
    cpu_kernels().oriented_boxes(points, normals, out)


def enclosing_ellipsoid_steps(
    points: Any, tolerance: float, steps: int, weights: Any, inverse: Any, distance: Any
) -> bool:
    """Steps towards the ellipsoid of least volume; true when it is reached."""
    return cpu_kernels().enclosing_ellipsoid_steps(
        points, tolerance, steps, weights, inverse, distance
    )


def turn_boxes(points: Any, axes: Any, out: Any) -> None:
    """Extents of the smallest box near each of these, turned about all axes at once."""
    cpu_kernels().turn_boxes(points, axes, out)
