"""Circular cone beam with closed-form projections, voxelised truth and the error against it."""

from __future__ import annotations

import numpy as np

import pyrad_core as prc
from pyrad_core import phantom

__all__ = ["ConeProblem"]


class ConeProblem:
    """Circular cone beam, 360 views: 128^3 (detector 256^2) or 256^3 (detector 384^2).

    ``quality`` gives the error in the middle slice within 0.95 of the grid's half side, and in the
    cylinder of that radius and 0.75 of the half height.
    """

    def __init__(self, size: int):
        voxel, pixels, pixel = {128: (2.0, 256, 1.8), 256: (1.0, 384, 1.2)}[size]
        # source at (cos b, sin b) * distance, detector axis u = (-sin b, cos b): t = b + pi / 2
        angles = np.arange(360) * 2 * np.pi / 360 + np.pi / 2
        self.geometry = prc.ConeBeam(angles, (pixels, pixels), pixel, 1000.0, 1536.0)
        self.volume = prc.Volume((size,) * 3, voxel)
        half = 128.0  # mm, of the grid's side
        head = phantom.shepp_logan(3, radius=0.95 * half)
        self.projections = head.project(self.geometry)
        self.truth = head.raster(self.volume, supersample=3)
        z, y, x = np.meshgrid(*self.volume.axes(), indexing="ij", sparse=True)
        disc = np.hypot(x, y) < 0.95 * half
        self.cylinder = disc & (abs(z) < 0.75 * half)
        self.disc = disc[0]

    def quality(self, image) -> str:
        middle = len(image) // 2
        mid = _rmse(image[middle][self.disc], self.truth[middle][self.disc])
        vol = _rmse(image[self.cylinder], self.truth[self.cylinder])
        return f"rmse mid {mid:.4f}, vol {vol:.4f}"


def _rmse(a, b) -> float:
    return float(np.sqrt(np.mean((np.asarray(a, np.float64) - b) ** 2)))
