"""IBSI 2 filters of a volume of 256^3, float32, against SciPy and SimpleITK.

Quality is the largest difference to SciPy's double-precision answer, relative to its range. The
Laplacian of SimpleITK is recursive and another filter beyond 4 sigma: a speed anchor.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from pyrad_core import filters

from . import peers

SIGMA = 3.0
SPOT, LEVEL, EDGE = (-1, 0, 2, 0, -1), (1, 4, 6, 4, 1), (-1, -2, 0, 2, 1)


@pytest.fixture(scope="module")
def volume():
    return np.random.default_rng(0).standard_normal((256, 256, 256), np.float32)


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
        benchmark.group = "LoG 256^3, sigma 3, to 4 sigma"
        run = lambda: filters.laplacian_of_gaussian(volume, sigma=SIGMA)  # noqa: E731
        measure(run, threads=threads, quality=quality)

    def bench_scipy(self, volume, quality, measure, benchmark):
        benchmark.group = "LoG 256^3, sigma 3, to 4 sigma"
        run = peers.scipy_log(volume, sigma=SIGMA, truncate=4)
        measure(run, who="SciPy gaussian_laplace", quality=quality)

    def bench_itk(self, volume, quality, threads, measure, benchmark):
        benchmark.group = "LoG 256^3, sigma 3, to 4 sigma"
        run = peers.itk_log(volume, sigma=SIGMA, threads=threads)
        measure(run, who="SimpleITK recursive", threads=threads, quality=quality)


class TestLaws:
    @pytest.fixture(scope="class")
    def taps(self):
        return [np.array(k) / np.linalg.norm(k) for k in (SPOT, LEVEL, EDGE)]

    @pytest.fixture(scope="class")
    def quality(self, volume, taps, off):
        return off(peers.scipy_separable(volume.astype(np.float64), taps))

    def bench_ours(self, volume, quality, threads, measure, benchmark):
        benchmark.group = "Laws E5L5S5 256^3"
        measure(lambda: filters.laws(volume, "E5L5S5"), threads=threads, quality=quality)

    def bench_scipy(self, volume, taps, quality, measure, benchmark):
        benchmark.group = "Laws E5L5S5 256^3"
        run = peers.scipy_separable(volume, taps)
        measure(run, who="SciPy convolve1d", quality=quality)


class TestGabor:
    @pytest.fixture(scope="class")
    def kernel(self):
        reach = math.ceil(SIGMA * math.sqrt(-2 * math.log(1e-6)))
        y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
        envelope = np.exp(-(x**2 + y**2) / (2 * SIGMA**2))
        return (envelope * np.exp(2j * np.pi * x / 4)).astype(np.complex64)

    @pytest.fixture(scope="class")
    def quality(self, volume, kernel, threads, off):
        return off(peers.scipy_gabor(volume, kernel, threads=threads))

    def bench_ours(self, volume, quality, threads, measure, benchmark):
        benchmark.group = "Gabor 256^3 by slice, sigma 3"
        run = lambda: filters.gabor(volume, sigma=SIGMA, wavelength=4)  # noqa: E731
        measure(run, threads=threads, quality=quality)

    def bench_scipy(self, volume, kernel, quality, threads, measure, benchmark):
        benchmark.group = "Gabor 256^3 by slice, sigma 3"
        run = peers.scipy_gabor(volume, kernel, threads=threads)
        measure(run, who="SciPy fftconvolve", threads=threads, quality=quality)
