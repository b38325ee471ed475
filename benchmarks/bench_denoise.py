"""Non-local means on noisy phantoms, float32, against scikit-image."""

from __future__ import annotations

import os

import pytest

from pyrad_core.denoise import nlm

from . import peers
from .denoise_problems import noisy, quality_to

QUICK = bool(os.environ.get("PYRAD_BENCH_QUICK"))
SIZES = (64,) if QUICK else (64, 128)


@pytest.fixture(scope="module")
def square():
    return noisy((512, 512), 0.05)


class TestNlm2d:
    """Problem A: sigma .05, search 11 x 11."""

    @pytest.mark.parametrize(
        ("patch", "h"), [(5, None), (5, 0.8), (3, None)], ids=["5", "5 h=.8", "3"]
    )
    def bench_nlm(self, patch, h, square, threads, measure, benchmark):
        benchmark.group = "nlm 512^2, search 11"
        clean, image = square
        strength = None if h is None else h * 0.05
        measure(
            lambda: nlm(image, sigma=0.05, patch=patch, search=11, h=strength),
            who="pyrad_core",
            threads=threads,
            quality=lambda u: f"patch {patch}, h {h or 1.2} sigma: {quality_to(clean)(u)}",
        )

    def bench_nlm_skimage(self, square, measure, benchmark):
        benchmark.group = "nlm 512^2, search 11"
        clean, image = square
        run = peers.skimage_nlm(image, sigma=0.05, patch=5, distance=5, h=0.8 * 0.05)
        quality = lambda u: f"patch 5 (4 wide inside), h 0.8 sigma: {quality_to(clean)(u)}"  # noqa: E731
        measure(run, who="scikit-image fast", quality=quality)


@pytest.mark.parametrize("size", SIZES)
class TestNlm3d:
    """Problem D: sigma .05, search 11^3."""

    @pytest.mark.parametrize("patch", (3, 5))
    def bench_nlm(self, size, patch, threads, measure, benchmark):
        benchmark.group = f"nlm {size}^3, search 11, patch {patch}"
        clean, image = noisy((size,) * 3, 0.05)
        measure(
            lambda: nlm(image, sigma=0.05, patch=patch, search=11),
            threads=threads,
            quality=lambda u: f"h 1 sigma: {quality_to(clean)(u)}",
        )

    @pytest.mark.parametrize("patch", (3, 5))
    def bench_nlm_skimage(self, size, patch, measure, benchmark):
        benchmark.group = f"nlm {size}^3, search 11, patch {patch}"
        clean, image = noisy((size,) * 3, 0.05)
        run = peers.skimage_nlm(image, sigma=0.05, patch=patch, distance=5, h=0.6 * 0.05)
        quality = lambda u: f"h 0.6 sigma: {quality_to(clean)(u)}"  # noqa: E731
        measure(run, who="scikit-image fast", quality=quality)
