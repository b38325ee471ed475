"""Regions of the feature benchmarks (names of the field's list), and how values compare."""

from __future__ import annotations

import numpy as np

F1_PAIRS = 12.3e6


def smooth(rng, shape, sigma):
    from scipy.ndimage import gaussian_filter

    x = gaussian_filter(rng.standard_normal(shape, np.float32), sigma)
    return x / x.std()


def large():
    """F1: (levels 1 .. 32 as int16, mask), 944 213 voxels, 34 % of the box 149 x 134 x 139."""
    rng = np.random.default_rng(0)
    shape = (149, 134, 139)
    z, y, x = np.ogrid[tuple(slice(-1, 1, n * 1j) for n in shape)]
    radius = np.sqrt(z * z + y * y + x * x) + 0.35 * smooth(rng, shape, 9)
    inside = radius <= np.partition(radius.ravel(), 944_212)[944_212]
    texture = smooth(rng, shape, 1.5)
    levels = np.clip(np.floor(16 + 5 * texture), 1, 32).astype(np.int16)
    return levels, inside.astype(np.uint8)


def cube(n=16):
    """F2: (levels, mask), n^3 voxels and a margin, as PyRadiomics wants some outside."""
    rng = np.random.default_rng(1)
    levels = np.clip(np.floor(16 + 6 * smooth(rng, (n,) * 3, 0.7)), 1, 32).astype(np.int16)
    return np.pad(levels, 1), np.pad(np.ones((n,) * 3, np.uint8), 1)


def lung():
    """F3: (image, mask, spacing), 837 voxels in a CT-like volume of 48 x 512 x 512."""
    rng = np.random.default_rng(3)
    image = np.rint(-600 + 250 * smooth(rng, (48, 512, 512), 1.0)).astype(np.int16)
    return image, _blob(image.shape, (38, 360, 220), (3, 8, 9), 837), (3.0, 0.98, 0.98)


def brain():
    """F4: (image, mask, spacing), 4137 voxels with an MR-like texture in 25 x 256 x 256."""
    rng = np.random.default_rng(2)
    image = np.rint(800 + 150 * smooth(rng, (25, 256, 256), 1.0)).astype(np.int16)
    return image, _blob(image.shape, (14, 119, 185), (4, 30, 20), 4137), (6.5, 0.78, 0.78)


def _blob(shape, centre, radii, count):
    """Mask of the voxels nearest to an ellipsoid's centre."""
    axes = np.ogrid[tuple(slice(0, n) for n in shape)]
    distance = sum(((a - c) / r) ** 2 for a, c, r in zip(axes, centre, radii, strict=True))
    near = distance <= np.partition(distance.ravel(), count)[count]
    at = np.flatnonzero(near)
    at = at[np.argsort(distance.ravel()[at], kind="stable")[:count]]
    mask = np.zeros(shape, np.uint8)
    mask.ravel()[at] = 1
    return mask


def difference(got, expected) -> str:
    """Largest relative difference over the features that both have."""
    common = [name for name in expected if name in got]
    pairs = [(float(got[name]), float(expected[name])) for name in common]
    worst = max(abs(a - b) / max(abs(b), 1e-9) for a, b in pairs)
    return f"{len(common)} features, off by {worst:.0e}"
