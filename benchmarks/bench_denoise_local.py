"""Median, Gaussian, bilateral filter and anisotropic diffusion on noisy phantoms, float32.

Beside SimpleITK, SciPy, OpenCV and scikit-image (the last two only in 2D). Medians are compared
with SciPy's voxel by voxel, diffusion with ITK's; the rest by PSNR and SSIM to the clean phantom.
"""

from __future__ import annotations

import os

import numpy as np
import pytest
import scipy.ndimage as ndi

from pyrad_core.denoise import anisotropic_diffusion, bilateral, gaussian, median

from .denoise_problems import noisy, quality_to
from .peers import denoise_local as peers

QUICK = bool(os.environ.get("PYRAD_BENCH_QUICK"))
SIZE = 64 if QUICK else 128
SIGMA = 0.05


@pytest.fixture(scope="module")
def volume():
    return noisy((SIZE,) * 3, SIGMA)


@pytest.fixture(scope="module")
def square():
    return noisy((512, 512), SIGMA)


@pytest.mark.parametrize("width", (3, 5))
class TestMedian:
    def bench_median(self, width, volume, threads, measure, benchmark):
        benchmark.group = f"median {width}^3, {SIZE}^3"
        clean, image = volume
        expected = ndi.median_filter(image, width)
        measure(
            lambda: median(image, size=width),
            threads=threads,
            quality=lambda u: f"{(u != expected).sum()} differ from SciPy, {quality_to(clean)(u)}",
        )

    def bench_median_itk(self, width, volume, threads, measure, benchmark):
        benchmark.group = f"median {width}^3, {SIZE}^3"
        clean, image = volume
        run = peers.sitk_filter("Median", image, threads, [width // 2] * 3)
        measure(run, who="SimpleITK", threads=threads, quality=quality_to(clean))

    def bench_median_scipy(self, width, volume, measure, benchmark):
        benchmark.group = f"median {width}^3, {SIZE}^3"
        clean, image = volume
        run = peers.scipy_filter("median_filter", image, size=width)
        measure(run, who="SciPy", quality=quality_to(clean))


class TestGaussian:
    def bench_gaussian(self, volume, threads, measure, benchmark):
        benchmark.group = f"gaussian sigma 1, {SIZE}^3"
        clean, image = volume
        measure(lambda: gaussian(image, sigma=1.0), threads=threads, quality=quality_to(clean))

    def bench_gaussian_scipy(self, volume, measure, benchmark):
        benchmark.group = f"gaussian sigma 1, {SIZE}^3"
        clean, image = volume
        run = peers.scipy_filter("gaussian_filter", image, sigma=1.0)
        measure(run, who="SciPy", quality=quality_to(clean))

    def bench_gaussian_itk(self, volume, threads, measure, benchmark):
        benchmark.group = f"gaussian sigma 1, {SIZE}^3"
        clean, image = volume
        run = peers.sitk_filter("DiscreteGaussian", image, threads, 1.0)
        measure(run, who="SimpleITK", threads=threads, quality=quality_to(clean))


class TestBilateral3d:
    """Window 7^3, which ITK takes for sigma 1."""

    def bench_bilateral(self, volume, threads, measure, benchmark):
        benchmark.group = f"bilateral 7^3 (1, .15), {SIZE}^3"
        clean, image = volume
        measure(
            lambda: bilateral(image, sigma_space=1.0, sigma_range=0.15, radius=3),
            threads=threads,
            quality=quality_to(clean),
        )

    def bench_bilateral_itk(self, volume, threads, measure, benchmark):
        benchmark.group = f"bilateral 7^3 (1, .15), {SIZE}^3"
        clean, image = volume
        run = peers.sitk_filter("Bilateral", image, threads, 1.0, 0.15)
        measure(run, who="SimpleITK", threads=threads, quality=quality_to(clean))


@pytest.mark.parametrize(("width", "sigma"), [(5, 1.5), (11, 3.0)])
class TestBilateral2d:
    """OpenCV's window is a disc, scikit-image's a square."""

    def bench_bilateral(self, width, sigma, square, threads, measure, benchmark):
        benchmark.group = f"bilateral d{width} (.15, {sigma}), 512^2"
        clean, image = square
        measure(
            lambda: bilateral(
                image, sigma_space=sigma, sigma_range=0.15, radius=width // 2, ball=True
            ),
            threads=threads,
            quality=quality_to(clean),
        )

    def bench_bilateral_opencv(self, width, sigma, square, threads, measure, benchmark):
        benchmark.group = f"bilateral d{width} (.15, {sigma}), 512^2"
        clean, image = square
        run = peers.opencv_bilateral(image, threads, width, 0.15, sigma)
        measure(run, who="OpenCV", threads=threads, quality=quality_to(clean))

    def bench_bilateral_skimage(self, width, sigma, square, measure, benchmark):
        benchmark.group = f"bilateral d{width} (.15, {sigma}), 512^2"
        clean, image = square
        run = peers.skimage_bilateral(image, width=width, sigma_range=0.15, sigma_space=sigma)
        measure(run, who="scikit-image", quality=quality_to(clean))


@pytest.mark.parametrize("method", ("gradient", "curvature", "edge", "coherence"))
class TestDiffusion:
    """Five iterations, conductance 1, time step 1/16."""

    def bench_diffusion(self, method, volume, threads, measure, benchmark):
        benchmark.group = f"diffusion ({method}), 5 iterations, {SIZE}^3"
        clean, image = volume
        measure(
            lambda: anisotropic_diffusion(image, method=method),
            threads=threads,
            quality=quality_to(clean),
        )

    def bench_diffusion_itk(self, method, volume, threads, measure, benchmark):
        if method not in ("gradient", "curvature"):
            pytest.skip("SimpleITK has no diffusion by tensors")
        benchmark.group = f"diffusion ({method}), 5 iterations, {SIZE}^3"
        clean, image = volume
        name = f"{method.capitalize()}AnisotropicDiffusion"
        run = peers.sitk_filter(name, image, threads, 1 / 16, 1.0, 1, 5)
        ours = anisotropic_diffusion(image, method=method)

        def quality(u):
            return f"{np.abs(u - ours).max():.1e} from ours, {quality_to(clean)(u)}"

        measure(run, who="SimpleITK", threads=threads, quality=quality)
