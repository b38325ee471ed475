"""Direct sums and trajectories that the MR tests compare with."""

from __future__ import annotations

import numpy as np


def direct_nudft(images, coordinates, shape):
    """sum_n x[n] exp(-2 pi i k.(n - N//2) / N) / sqrt(prod N) of images (coils, *shape)."""
    waves = [
        np.exp(-2j * np.pi * np.outer(coordinates[:, d], np.arange(n) - n // 2) / n)
        for d, n in enumerate(shape)
    ]
    letters = "zyx"[3 - len(shape) :]
    spec = f"c{letters}," + ",".join(f"m{a}" for a in letters) + "->cm"
    total = np.einsum(spec, images.astype(np.complex128), *waves, optimize=True)
    return total / np.sqrt(np.prod(shape))


def complex_normal(rng, shape, dtype=np.complex64):
    return (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)).astype(dtype)


def random_coordinates(rng, samples, shape):
    """Uniform over the field of view, with both edges, duplicates and the centre among them."""
    n = np.array(shape)
    k = (rng.random((samples, len(shape))) - 0.5) * n
    k[0], k[1], k[2], k[3] = -n / 2, 0, k[4], n / 2
    k[5, 0] = n[0] / 2
    return k
