"""Non-local means and ROF-TV on noisy phantoms, float32, against scikit-image.

Phantoms are point sampled on ``linspace(-1, 1, n)``, ends included; the noise is
``default_rng(0).normal(0, sigma)``. PSNR is with peak 1. Quality of TV is the relative distance of
the objective to the minimum, which a run of ours to a gap of 1e-7 in double precision gives.
"""

from __future__ import annotations

import functools
import os
import time

import numpy as np
import pytest

import pyrad_core as prc
from pyrad_core import phantom
from pyrad_core.denoise import nlm, tv

from . import peers

QUICK = bool(os.environ.get("PYRAD_BENCH_QUICK"))
SIZES = (64,) if QUICK else (64, 128)


@functools.lru_cache(maxsize=2)
def noisy(shape, sigma):
    """(clean, noisy) Shepp-Logan in float32, faces of the grid at -1 and 1."""
    n = shape[0]
    volume = prc.Volume(shape, 2 / (n - 1))
    clean = phantom.shepp_logan(len(shape), radius=1.0).raster(volume, supersample=1)
    noise = np.random.default_rng(0).normal(0, sigma, shape).astype(np.float32)
    clean = clean.astype(np.float32)
    return clean, clean + noise


def psnr_to(clean):
    return lambda image: f"{-10 * np.log10(np.mean((image - clean).astype(float) ** 2)):.2f} dB"


def objective(u, f, weight):
    u = u.astype(np.float64)
    squares = np.zeros(u.shape)
    for axis in range(u.ndim):
        ahead = np.diff(u, axis=axis, append=u.take([-1], axis=axis))
        squares += ahead * ahead
    return 0.5 * ((u - f) ** 2).sum() + weight * np.sqrt(squares).sum()


@pytest.fixture(scope="module")
def copy_gbs():
    """Bandwidth of a copy on one thread, bytes read and written."""
    source, target = np.ones(1 << 24, np.float32), np.zeros(1 << 24, np.float32)
    times = []
    for _ in range(5):
        start = time.perf_counter()
        np.copyto(target, source)
        times.append(time.perf_counter() - start)
    return 2 * source.nbytes / min(times) / 1e9


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
            quality=lambda u: f"patch {patch}, h {h or 1.2} sigma: {psnr_to(clean)(u)}",
        )

    def bench_nlm_skimage(self, square, measure, benchmark):
        benchmark.group = "nlm 512^2, search 11"
        clean, image = square
        run = peers.skimage_nlm(image, sigma=0.05, patch=5, distance=5, h=0.8 * 0.05)
        quality = lambda u: f"patch 5 (4 wide inside), h 0.8 sigma: {psnr_to(clean)(u)}"  # noqa: E731
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
            quality=lambda u: f"h 1 sigma: {psnr_to(clean)(u)}",
        )

    @pytest.mark.parametrize("patch", (3, 5))
    def bench_nlm_skimage(self, size, patch, measure, benchmark):
        benchmark.group = f"nlm {size}^3, search 11, patch {patch}"
        clean, image = noisy((size,) * 3, 0.05)
        run = peers.skimage_nlm(image, sigma=0.05, patch=patch, distance=5, h=0.6 * 0.05)
        quality = lambda u: f"h 0.6 sigma: {psnr_to(clean)(u)}"  # noqa: E731
        measure(run, who="scikit-image fast", quality=quality)


@pytest.fixture(scope="module")
def tv_problem():
    """(image, text of an answer's distance to the minimum)."""
    _, image = noisy((512, 512), 0.1)
    _, info = tv(image.astype(float), weight=0.1, tol=1e-7, max_iterations=5000, return_info=True)
    return image, lambda u: f"rel {objective(u, image, 0.1) / info.primal - 1:.1e}"


class TestTv2d:
    """Problem B: sigma .1, weight .1, to a relative distance of 2.3e-4."""

    @pytest.mark.parametrize("method", ("pdhg", "fgp"))
    def bench_tv(self, method, tv_problem, threads, measure, benchmark, copy_gbs):
        benchmark.group = "tv 512^2, weight .1, to rel 2.3e-4"
        image, relative = tv_problem
        solve = lambda: tv(image, weight=0.1, method=method, tol=2.3e-4, return_info=True)  # noqa: E731
        iterations = solve()[1].iterations
        floor = iterations * 7 * image.nbytes * 1e-6 / copy_gbs
        quality = lambda answer: f"{method}, {iterations} iterations, {relative(answer[0])}"  # noqa: E731
        measure(solve, threads=threads, quality=quality, floor_ms=floor)

    def bench_tv_skimage(self, tv_problem, measure, benchmark):
        benchmark.group = "tv 512^2, weight .1, to rel 2.3e-4"
        image, relative = tv_problem
        run = peers.skimage_tv_chambolle(image, weight=0.1, iterations=1000)
        quality = lambda u: f"chambolle, 1000 iterations, {relative(u)}"  # noqa: E731
        measure(run, who="scikit-image", quality=quality)


@pytest.mark.parametrize("size", (128,) if QUICK else (128, 256))
class TestTv3d:
    """Twelve iterations with weight .07; both sides include what they do once."""

    @pytest.mark.parametrize("method", ("pdhg", "fgp"))
    def bench_tv(self, size, method, threads, measure, benchmark, copy_gbs):
        benchmark.group = f"tv {size}^3, 12 iterations"
        _, volume = noisy((size,) * 3, 0.1)
        run = lambda: tv(  # noqa: E731
            volume, weight=0.07, method=method, tol=0, max_iterations=12, return_info=True
        )
        floor = 12 * 10 * volume.nbytes * 1e-6 / copy_gbs
        quality = lambda answer: f"{method}, gap {answer[1].relative_gap:.1e}"  # noqa: E731
        measure(run, threads=threads, quality=quality, floor_ms=floor)

    def bench_tv_skimage(self, size, measure, benchmark):
        benchmark.group = f"tv {size}^3, 12 iterations"
        _, volume = noisy((size,) * 3, 0.1)
        run = peers.skimage_tv_chambolle(volume, weight=0.07, iterations=12)
        value = lambda u: f"chambolle, P {objective(u, volume, 0.07):.0f}"  # noqa: E731
        measure(run, who="scikit-image", quality=value)
