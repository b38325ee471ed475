"""Cost by size and by number of regions: six matrices, first order and histogram in one call.

White noise in a ball, 32 levels (the worst case for zones, which are then as many as voxels); the
quality tells nanoseconds per voxel of the region and the peak of memory per voxel of its box.
PYRAD_BENCH_HUGE=1 adds 10^8 voxels (6 GB, half a minute). Many regions: 512 labels of 9^3 voxels in
one mask, PyRadiomics' features but shape; its extractor takes 16 of them, in calls of their own.
"""

from __future__ import annotations

import os

import numpy as np
import pytest

from pyrad_core import features

from . import peers
from .bench_features import FUSED

_SIZES = (10**3, 10**4, 10**5, 10**6, 10**7) + (10**8,) * ("PYRAD_BENCH_HUGE" in os.environ)
_MATRICES = ("first_order", "glcm", "glrlm", "glszm", "ngldm", "ngtdm")


def _ball(count):
    """(image, mask) of a ball of about ``count`` voxels, made slice by slice."""
    n = int(np.ceil((count * 6 / np.pi) ** (1 / 3))) + 2
    rng = np.random.default_rng(0)
    image, mask = np.empty((n, n, n), np.float32), np.empty((n, n, n), np.uint8)
    square = (np.arange(n) - (n - 1) / 2) ** 2
    for z in range(n):
        image[z] = rng.integers(0, 400, (n, n))
        mask[z] = square[z] + square[:, None] + square < (count * 3 / (4 * np.pi)) ** (2 / 3)
    return image, mask


@pytest.mark.parametrize("count", _SIZES, ids=lambda count: f"{count:.0e}")
def bench_size(count, measure, benchmark, with_threads):
    benchmark.group = f"One call for all matrices, {count:.0e} voxels"
    image, mask = _ball(count)
    settings = features.Settings(discretisation=("fbn", 32), families=FUSED)
    measure(lambda: features.extract(image, mask, settings=settings), threads=with_threads(1))
    voxels, box, info = int(mask.sum()), mask.size, benchmark.extra_info
    quality = f"{benchmark.stats.stats.median * 1e9 / voxels:.0f} ns per voxel"
    if info["peak_mib"] and count >= 10**6:
        quality += f", {info['peak_mib'] * 2**20 / box:.0f} bytes per voxel of the box"
    info["quality"] = quality


@pytest.fixture(scope="module")
def tiles():
    """(image, mask): 512 labels of 9^3 voxels, a voxel apart."""
    at = np.arange(80) // 10
    number = (at[:, None, None] * 8 + at[:, None]) * 8 + at + 1
    inside = (np.indices((80, 80, 80)) % 10 > 0).all(axis=0)
    image = np.random.default_rng(4).normal(100, 50, (80, 80, 80)).astype(np.float32)
    return image, (number * inside).astype(np.int32)


class TestManyRegions:
    group = "512 regions of 729 voxels, 93 features each"
    settings = features.Settings.preset("pyradiomics", binWidth=10).replace(families=_MATRICES)

    @pytest.mark.parametrize("count", [1, None], ids=["one", "all"])
    def bench_ours(self, count, tiles, measure, benchmark, with_threads):
        benchmark.group = self.group
        measure(
            lambda: features.extract(*tiles, label="all", settings=self.settings, spacing=1.0),
            threads=with_threads(count),
            quality=lambda got: f"{len(got)} results of {len(got[1])}",
        )

    def bench_ours_one_by_one(self, tiles, measure, benchmark, with_threads):
        benchmark.group = self.group
        measure(
            lambda: [
                features.extract(*tiles, label=label, settings=self.settings, spacing=1.0)
                for label in range(1, 513)
            ],
            who="pyrad_core, a call per label",
            threads=with_threads(1),
        )

    def bench_pyradiomics(self, tiles, measure, benchmark):
        benchmark.group = self.group
        image, mask = tiles
        runs = [
            peers.pyradiomics_extractor(
                image,
                mask == label,
                spacing=(1.0, 1.0, 1.0),
                settings={"binWidth": 10, "additionalInfo": False},
            )
            for label in range(1, 513, 32)
        ]
        measure(
            lambda: [run() for run in runs],
            who="PyRadiomics extractor, 16 of the 512",
            quality="with shape; 32 times this for all",
        )
