"""Non-local means on noisy phantoms, float32, against scikit-image, DIPY and OpenCV.

scikit-image's fast mode sums patches one voxel narrower than asked for but divides by the full
size, so that its h acts like 1.25 h (2D, patch 5) and 1.84 h (3D, patch 3); each entry stands at
the h that it is best known for, and ours also at scikit-image's.
"""

from __future__ import annotations

import os

import numpy as np
import pytest

from pyrad_core.denoise import nlm

from . import peers
from .denoise_problems import noisy, quality_to

QUICK = bool(os.environ.get("PYRAD_BENCH_QUICK"))
SIZES = (48,) if QUICK else (128,)
SIGMA = 0.05


@pytest.fixture(scope="module")
def square():
    return noisy((512, 512), SIGMA)


def _who(peers_settings: bool, variant: str) -> str:
    return "pyrad_core" if peers_settings else f"pyrad_core, {variant}"


def _said(options: str, clean):
    return lambda u: f"{options}: {quality_to(clean)(u)}"


class TestNlm2d:
    """Problem A: search 11 x 11."""

    @pytest.mark.parametrize("variant", ["patchwise", "voxelwise"])
    @pytest.mark.parametrize(("patch", "h"), [(5, 0.8), (5, 1.2), (3, 1.2)])
    def bench_nlm(self, patch, h, variant, square, threads, measure, benchmark):
        benchmark.group = "nlm 512^2, search 11"
        clean, image = square
        options = dict(sigma=SIGMA, patch=patch, search=11, h=h * SIGMA, variant=variant)
        who = _who((variant, patch, h) == ("patchwise", 5, 0.8), variant)
        said = _said(f"patch {patch}, h {h} sigma", clean)
        measure(lambda: nlm(image, **options), who=who, threads=threads, quality=said)

    def bench_nlm_skimage(self, square, measure, benchmark):
        benchmark.group = "nlm 512^2, search 11"
        clean, image = square
        run = peers.skimage_nlm(image, sigma=SIGMA, patch=5, distance=5, h=0.8 * SIGMA)
        said = _said("patch 5 (4 wide inside), h 0.8 sigma", clean)
        measure(run, who="scikit-image fast", quality=said)

    def bench_nlm_opencv(self, square, threads, measure, benchmark):
        benchmark.group = "nlm 512^2, search 11"
        clean, image = square
        run = peers.opencv_nlm(image, patch=5, search=11, h=13, threads=threads)
        measure(
            run, who="OpenCV, 8 bits", threads=threads, quality=_said("patch 5, h 13 of 255", clean)
        )


@pytest.mark.parametrize("size", SIZES)
class TestNlm3d:
    """Problem D: search 11^3, patch 3; DIPY's classic mode takes a quarter of the slices."""

    @pytest.mark.parametrize(
        ("variant", "h"),
        [("patchwise", 0.6), ("patchwise", 0.8), ("voxelwise", 1.0), ("blockwise", 0.8)],
    )
    def bench_nlm(self, size, h, variant, threads, measure, benchmark):
        benchmark.group = f"nlm {size}^3, search 11, patch 3"
        clean, image = noisy((size,) * 3, SIGMA)
        options = dict(sigma=SIGMA, patch=3, search=11, h=h * SIGMA, variant=variant)
        who = _who(h == 0.6, variant)
        said = _said(f"h {h} sigma", clean)
        measure(lambda: nlm(image, **options), who=who, threads=threads, quality=said)

    def bench_nlm_skimage(self, size, measure, benchmark):
        benchmark.group = f"nlm {size}^3, search 11, patch 3"
        clean, image = noisy((size,) * 3, SIGMA)
        run = peers.skimage_nlm(image, sigma=SIGMA, patch=3, distance=5, h=0.6 * SIGMA)
        said = _said("h 0.6 sigma", clean)
        measure(run, who="scikit-image fast", quality=said, warm_up=False)

    def bench_nlm_dipy(self, size, threads, measure, benchmark):
        benchmark.group = f"nlm {size}^3, search 11, patch 3"
        clean, image = noisy((size,) * 3, SIGMA)
        run = _dipy(image, "blockwise", threads)
        said = _said("h by sigma", clean)
        measure(run, who="DIPY blockwise", threads=threads, quality=said, warm_up=False)

    def bench_nlm_crop(self, size, threads, measure, benchmark):
        benchmark.group = f"nlm {size // 4} x {size}^2, search 11, patch 3"
        clean, image = _slab(size)
        run = lambda: nlm(image, sigma=SIGMA, patch=3, search=11, h=0.6 * SIGMA)  # noqa: E731
        measure(run, threads=threads, quality=_said("h 0.6 sigma", clean))

    def bench_nlm_crop_dipy(self, size, threads, measure, benchmark):
        benchmark.group = f"nlm {size // 4} x {size}^2, search 11, patch 3"
        clean, image = _slab(size)
        run = _dipy(image, "classic", threads)
        said = _said("h by sigma", clean)
        measure(run, who="DIPY classic", threads=threads, quality=said, warm_up=False)


@pytest.mark.parametrize("size", [size // 2 for size in SIZES])
class TestNlm3dPatch5:
    def bench_nlm(self, size, threads, measure, benchmark):
        benchmark.group = f"nlm {size}^3, search 11, patch 5"
        clean, image = noisy((size,) * 3, SIGMA)
        run = lambda: nlm(image, sigma=SIGMA, patch=5, search=11, h=0.6 * SIGMA)  # noqa: E731
        measure(run, threads=threads, quality=_said("h 0.6 sigma", clean))

    def bench_nlm_skimage(self, size, measure, benchmark):
        benchmark.group = f"nlm {size}^3, search 11, patch 5"
        clean, image = noisy((size,) * 3, SIGMA)
        run = peers.skimage_nlm(image, sigma=SIGMA, patch=5, distance=5, h=0.6 * SIGMA)
        said = _said("h 0.6 sigma", clean)
        measure(run, who="scikit-image fast", quality=said, warm_up=False)


def _slab(size):
    """The middle quarter of the slices."""
    middle = slice(3 * size // 8, 5 * size // 8)
    return tuple(np.ascontiguousarray(x[middle]) for x in noisy((size,) * 3, SIGMA))


def _dipy(image, method, threads):
    options = dict(sigma=SIGMA, patch=3, search=11, method=method, threads=threads)
    return peers.dipy_nlm(image.astype(np.float64), **options)
