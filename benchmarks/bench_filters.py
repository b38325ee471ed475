"""IBSI 2 filters of a volume of 256^3, float32, against SciPy, SimpleITK and MIRP.

Quality is the largest difference to SciPy's double-precision answer, relative to its range. The
Laplacian of SimpleITK is recursive and another filter beyond 4 sigma: a speed anchor.
"""

from __future__ import annotations

import math
import os

import numpy as np
import pytest

from pyrad_core import filters

from . import peers

QUICK = bool(os.environ.get("PYRAD_BENCH_QUICK"))
SIZE = 64 if QUICK else 256
SIGMA = 3.0
HALF = SIZE // 2
SPOT, LEVEL, EDGE = (-1, 0, 2, 0, -1), (1, 4, 6, 4, 1), (-1, -2, 0, 2, 1)


@pytest.fixture(scope="module")
def volume():
    return np.random.default_rng(0).standard_normal((SIZE,) * 3, np.float32)


@pytest.fixture(scope="module")
def off():
    def quality_against(run):
        expected = run()
        spread = np.ptp(expected)
        return lambda answer: f"off by {np.abs(answer - expected).max() / spread:.0e}"

    return quality_against


class TestLog:
    @pytest.fixture(scope="class")
    def quality(self, volume, off):
        return off(peers.scipy_log(volume.astype(np.float64), sigma=SIGMA, truncate=4))

    def bench_ours(self, volume, quality, threads, measure, benchmark):
        benchmark.group = f"LoG {SIZE}^3, sigma 3, to 4 sigma"
        run = lambda: filters.laplacian_of_gaussian(volume, sigma=SIGMA)  # noqa: E731
        measure(run, threads=threads, quality=quality)

    def bench_scipy(self, volume, quality, measure, benchmark):
        benchmark.group = f"LoG {SIZE}^3, sigma 3, to 4 sigma"
        run = peers.scipy_log(volume, sigma=SIGMA, truncate=4)
        measure(run, who="SciPy gaussian_laplace", quality=quality)

    def bench_itk(self, volume, quality, threads, measure, benchmark):
        benchmark.group = f"LoG {SIZE}^3, sigma 3, to 4 sigma"
        run = peers.itk_log(volume, sigma=SIGMA, threads=threads)
        measure(run, who="SimpleITK recursive", threads=threads, quality=quality)

    def bench_mirp(self, volume, quality, measure, benchmark):
        benchmark.group = f"LoG {SIZE}^3, sigma 3, to 4 sigma"
        run = peers.mirp_filter(
            volume,
            "laplacian_of_gaussian",
            laplacian_of_gaussian_sigma=SIGMA,
            laplacian_of_gaussian_kernel_truncate=4.0,
            boundary_condition="reflect",
        )
        measure(run, who="MIRP", quality=quality, warm_up=False)


class TestLaws:
    @pytest.fixture(scope="class")
    def taps(self):
        return [np.array(k) / np.linalg.norm(k) for k in (SPOT, LEVEL, EDGE)]

    @pytest.fixture(scope="class")
    def quality(self, volume, taps, off):
        return off(peers.scipy_separable(volume.astype(np.float64), taps))

    def bench_ours(self, volume, quality, threads, measure, benchmark):
        benchmark.group = f"Laws E5L5S5 {SIZE}^3"
        measure(lambda: filters.laws(volume, "E5L5S5"), threads=threads, quality=quality)

    def bench_scipy(self, volume, taps, quality, measure, benchmark):
        benchmark.group = f"Laws E5L5S5 {SIZE}^3"
        run = peers.scipy_separable(volume, taps)
        measure(run, who="SciPy convolve1d", quality=quality)


def gabor_kernel(angle, aspect=1.0):
    reach = math.ceil(SIGMA * max(1, 1 / aspect) * math.sqrt(-2 * math.log(1e-6)))
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    along = x * math.cos(angle) + y * math.sin(angle)
    across = y * math.cos(angle) - x * math.sin(angle)
    envelope = np.exp(-(along**2 + (aspect * across) ** 2) / (2 * SIGMA**2))
    return (envelope * np.exp(2j * np.pi * along / 4)).astype(np.complex64)


class TestGabor:
    @pytest.fixture(scope="class")
    def kernel(self):
        return gabor_kernel(0)

    @pytest.fixture(scope="class")
    def quality(self, volume, kernel, threads, off):
        return off(peers.scipy_gabor(volume, kernel, threads=threads))

    def bench_ours(self, volume, quality, threads, measure, benchmark):
        benchmark.group = f"Gabor {SIZE}^3 by slice, sigma 3"
        run = lambda: filters.gabor(volume, sigma=SIGMA, wavelength=4)  # noqa: E731
        measure(run, threads=threads, quality=quality)

    def bench_scipy(self, volume, kernel, quality, threads, measure, benchmark):
        benchmark.group = f"Gabor {SIZE}^3 by slice, sigma 3"
        run = peers.scipy_gabor(volume, kernel, threads=threads)
        measure(run, who="SciPy fftconvolve", threads=threads, quality=quality)


@pytest.mark.parametrize("aspect", (1.0, 1.5))
class TestGaborRotations:
    """Three planes, eight angles; a turn by half makes the conjugate, which only MIRP works out."""

    GROUP = f"Gabor {HALF}^3, sigma 3, aspect {{}}, 3 planes, 8 angles"

    @pytest.fixture(scope="class")
    def image(self, volume):
        return np.ascontiguousarray(volume[:HALF, :HALF, :HALF])

    @pytest.fixture
    def run_scipy(self, image, aspect, threads):
        kernels = [gabor_kernel(k * math.pi / 4, aspect) for k in range(4)]
        return peers.scipy_gabor_planes(image, kernels, threads=threads)

    def bench_ours(self, image, aspect, run_scipy, off, threads, measure, benchmark):
        benchmark.group = self.GROUP.format(aspect)
        options = {"aspect": aspect, "angle_step": math.pi / 4, "planes": "orthogonal"}
        run = lambda: filters.gabor(image, sigma=SIGMA, wavelength=4, **options)  # noqa: E731
        measure(run, threads=threads, quality=off(run_scipy))

    def bench_scipy(self, aspect, run_scipy, threads, measure, benchmark):
        benchmark.group = self.GROUP.format(aspect)
        measure(run_scipy, who="SciPy fftconvolve", threads=threads, quality="the reference")

    def bench_mirp(self, image, aspect, run_scipy, off, measure, benchmark):
        benchmark.group = self.GROUP.format(aspect)
        run = peers.mirp_filter(
            image,
            "gabor",
            gabor_sigma=SIGMA,
            gabor_lambda=4.0,
            gabor_gamma=aspect,
            gabor_theta=0.0,
            gabor_theta_step=45.0,
            gabor_pooling_method="mean",
            gabor_rotation_invariance=True,
            boundary_condition="reflect",
        )
        measure(run, who="MIRP", quality=off(run_scipy), warm_up=False)


class TestRiesz:
    GROUP = f"Riesz (1, 0, 0) {SIZE}^3"

    @pytest.fixture(scope="class")
    def quality(self, volume, threads, off):
        return off(peers.scipy_riesz(volume.astype(np.float64), threads=threads))

    def bench_ours(self, volume, quality, threads, measure, benchmark):
        benchmark.group = self.GROUP
        measure(lambda: filters.riesz(volume, (1, 0, 0)), threads=threads, quality=quality)

    def bench_scipy(self, volume, quality, threads, measure, benchmark):
        benchmark.group = self.GROUP
        run = peers.scipy_riesz(volume, threads=threads)
        measure(run, who="SciPy rfftn", threads=threads, quality=quality)


class TestRieszSimoncelli:
    """MIRP's first axis is z."""

    GROUP = f"Riesz (0, 0, 1) of Simoncelli's wavelet {HALF}^3"

    @pytest.fixture(scope="class")
    def image(self, volume):
        return np.ascontiguousarray(volume[:HALF, :HALF, :HALF])

    def bench_ours(self, image, threads, measure, benchmark):
        benchmark.group = self.GROUP
        options = {"family": "simoncelli", "endpoints": True}
        measure(lambda: filters.riesz(image, (0, 0, 1), **options), threads=threads)

    def bench_mirp(self, image, off, measure, benchmark):
        benchmark.group = self.GROUP
        options = {"family": "simoncelli", "endpoints": True}
        quality = off(lambda: filters.riesz(image, (0, 0, 1), **options))
        run = peers.mirp_filter(
            image,
            "riesz_nonseparable_wavelet",
            nonseparable_wavelet_families="simoncelli",
            riesz_filter_order=[1, 0, 0],
            riesz_filter_tensor_sigma=1.0,
            boundary_condition="wrap",
        )
        measure(run, who="MIRP", quality=quality, warm_up=False)
