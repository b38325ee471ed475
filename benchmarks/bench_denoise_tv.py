"""ROF-TV and TGV on noisy phantoms, float32, against scikit-image's Chambolle.

Quality of TV is the relative distance of the objective to the minimum, which a run of ours to a gap
of 1e-7 in double precision gives.
"""

from __future__ import annotations

import os

import numpy as np
import pytest

from pyrad_core.denoise import tgv, tv

from . import peers
from .denoise_problems import copy_gbs, noisy, quality_to, tv_objective
from .quality import psnr

QUICK = bool(os.environ.get("PYRAD_BENCH_QUICK"))


@pytest.fixture(scope="module")
def tv_problem():
    """(image, text of an answer's distance to the minimum and of its quality)."""
    clean, image = noisy((512, 512), 0.1)
    _, info = tv(image.astype(float), weight=0.1, tol=1e-7, max_iterations=5000, return_info=True)

    def text(u):
        return f"rel {tv_objective(u, image, 0.1) / info.primal - 1:.1e}, {quality_to(clean)(u)}"

    return image, text


class TestTv2d:
    """Problem B: sigma .1, weight .1, to a relative distance of 2.3e-4."""

    @pytest.mark.parametrize("method", ("pdhg", "fgp"))
    def bench_tv(self, method, tv_problem, threads, measure, benchmark):
        benchmark.group = "tv 512^2, weight .1, to rel 2.3e-4"
        image, relative = tv_problem
        solve = lambda: tv(image, weight=0.1, method=method, tol=2.3e-4, return_info=True)  # noqa: E731
        iterations = solve()[1].iterations
        floor = iterations * 7 * image.nbytes * 1e-6 / copy_gbs()
        quality = lambda answer: f"{method}, {iterations} iterations, {relative(answer[0])}"  # noqa: E731
        measure(solve, threads=threads, quality=quality, floor_ms=floor)

    def bench_tv_skimage(self, tv_problem, measure, benchmark):
        benchmark.group = "tv 512^2, weight .1, to rel 2.3e-4"
        image, relative = tv_problem
        run = peers.skimage_tv_chambolle(image, weight=0.1, iterations=1000)
        quality = lambda u: f"chambolle, 1000 iterations, {relative(u)}"  # noqa: E731
        measure(run, who="scikit-image", quality=quality)


@pytest.mark.parametrize("size", (64,) if QUICK else (128, 256))
class TestTv3d:
    """Twelve iterations with weight .07; both sides include what they do once."""

    @pytest.mark.parametrize("method", ("pdhg", "fgp"))
    def bench_tv(self, size, method, threads, measure, benchmark):
        benchmark.group = f"tv {size}^3, 12 iterations"
        clean, volume = noisy((size,) * 3, 0.1)
        run = lambda: tv(  # noqa: E731
            volume, weight=0.07, method=method, tol=0, max_iterations=12, return_info=True
        )
        floor = 12 * 10 * volume.nbytes * 1e-6 / copy_gbs()
        value = lambda a: f"{method}, P {a[1].primal:.0f}, gap {a[1].relative_gap:.1e}, "  # noqa: E731
        quality = lambda a: f"{value(a)}{psnr(a[0], clean):.2f} dB"  # noqa: E731
        measure(run, threads=threads, quality=quality, floor_ms=floor)

    def bench_tv_skimage(self, size, measure, benchmark):
        benchmark.group = f"tv {size}^3, 12 iterations"
        clean, volume = noisy((size,) * 3, 0.1)
        run = peers.skimage_tv_chambolle(volume, weight=0.07, iterations=12)
        value = lambda u: f"chambolle, P {tv_objective(u, volume, 0.07):.0f}, "  # noqa: E731
        quality = lambda u: f"{value(u)}{psnr(u, clean):.2f} dB"  # noqa: E731
        measure(run, who="scikit-image", quality=quality, warm_up=size < 200)


class TestFields:
    """Three channels of a step each, 50 iterations: what weights, bounds and coupling cost."""

    @pytest.mark.parametrize("coupling", ("one by one", "frobenius", "nuclear"))
    def bench_channels(self, coupling, threads, measure, benchmark):
        benchmark.group = "tv 3 x 256^2, 50 iterations"
        clean, image = noisy((256, 256), 0.1)
        factors = np.array([1.0, 0.5, -0.7], np.float32)[:, None, None]
        rng = np.random.default_rng(1)
        channels = factors * clean + rng.normal(0, 0.1, (3, 256, 256)).astype(np.float32)
        options = {"weight": 0.1, "tol": 0, "max_iterations": 50}
        if coupling == "one by one":
            run = lambda: np.stack([tv(c, **options) for c in channels])  # noqa: E731
        else:
            run = lambda: tv(channels, channel_axis=0, coupling=coupling, **options)  # noqa: E731
        quality = lambda u: quality_to(clean, f"{coupling}, first channel: ")(u[0])  # noqa: E731
        measure(run, threads=threads, quality=quality)


class TestTgv:
    """To a gap of 1e-3 of the objective; no peer on the desk has it converged."""

    def bench_tgv(self, threads, measure, benchmark):
        benchmark.group = "tgv 256^2, weight .07, gap 1e-3"
        clean, image = noisy((256, 256), 0.1)
        run = lambda: tgv(image, weight=0.07, return_info=True)  # noqa: E731
        value = lambda a: f"{a[1].iterations} iterations, gap {a[1].relative_gap:.1e}, "  # noqa: E731
        measure(run, threads=threads, quality=lambda a: quality_to(clean, value(a))(a[0]))
