"""Receive coil sensitivities in closed form."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .._checks import positive, whole
from ..errors import ShapeError

__all__ = ["coil_maps"]

_COILS_PER_RING = 8


def coil_maps(
    coils: int, shape: Sequence[int], *, radius: float = 1.5, dtype: Any = np.complex64
) -> Any:
    """Smooth birdcage-like sensitivities whose squared magnitudes add up to 1 everywhere.

    Loop ``c`` stands at ``r_c`` on a ring about the z axis. Its sensitivity has the magnitude
    ``1 / |r - r_c|`` and the phase of the in-plane direction from the loop, as seen in a frame that
    turns with the loop. In 3D there are ``ceil(coils / 8)`` rings, spread over the z range.

    Parameters
    ----------
    coils : int
    shape : (ny, nx) or (nz, ny, nx)
    radius : float
        Radius of the ring in units of half the field of view; > 1 keeps the loops outside.
    dtype : dtype
        complex64 or complex128.

    Returns
    -------
    ndarray, shape ``(coils, *shape)``
    """
    count = whole("coils", coils, 1)
    if len(shape) not in (2, 3):
        raise ShapeError(f"shape is {tuple(shape)}; expected (ny, nx) or (nz, ny, nx)")
    sizes = [whole("shape", n, 1) for n in shape]
    grid = np.meshgrid(*[(np.arange(n) - n // 2) / (n / 2) for n in sizes], indexing="ij")
    rings = math.ceil(count / _COILS_PER_RING) if len(sizes) == 3 else 1
    per_ring = math.ceil(count / rings)
    ring_radius = positive("radius", radius)
    maps = np.empty((count, *sizes), np.complex128)
    for c in range(count):
        ring, place = divmod(c, per_ring)
        angle = 2 * np.pi * (place + 0.5 * ring) / per_ring
        dx = grid[-1] - ring_radius * math.cos(angle)
        dy = grid[-2] - ring_radius * math.sin(angle)
        dz = grid[0] - ((2 * ring + 1) / rings - 1) if len(sizes) == 3 else 0.0
        planar = np.hypot(dx, dy)
        phase = (dx + 1j * dy) * np.exp(-1j * angle) / np.maximum(planar, 1e-12)
        maps[c] = phase / np.maximum(np.sqrt(planar**2 + dz**2), 1e-12)
    maps /= np.sqrt((np.abs(maps) ** 2).sum(axis=0))
    return maps.astype(dtype)
