"""Wavelet shrinkage of a noisy phantom, float32, sigma .05 given, against scikit-image.

The peer's cycle spinning runs the whole transform once per shift; 3 shifts are 16 runs.
"""

from __future__ import annotations

import os

import pytest

from pyrad_core.denoise import wavelet

from . import peers
from .denoise_problems import noisy, quality_to

QUICK = bool(os.environ.get("PYRAD_BENCH_QUICK"))


class TestWavelet2d:
    """Problem A: 512^2, db1, soft thresholds."""

    @pytest.mark.parametrize("method", ("bayes", "visu", "sure"))
    @pytest.mark.parametrize("form", ("decimated", "3 spins", "stationary"))
    def bench_wavelet(self, method, form, threads, measure, benchmark):
        benchmark.group = f"wavelet 512^2 db1 {method}, {form}"
        clean, image = noisy((512, 512), 0.05)
        how = {"3 spins": {"cycle_spins": 3}, "stationary": {"stationary": True}}.get(form, {})
        measure(
            lambda: wavelet(image, sigma=0.05, wavelet="db1", method=method, **how),
            threads=threads,
            quality=quality_to(clean),
        )

    @pytest.mark.parametrize("method", ("bayes", "visu"))
    @pytest.mark.parametrize("form", ("decimated", "3 spins"))
    def bench_wavelet_skimage(self, method, form, measure, benchmark):
        benchmark.group = f"wavelet 512^2 db1 {method}, {form}"
        clean, image = noisy((512, 512), 0.05)
        spins = 3 if form == "3 spins" else 0
        run = peers.skimage_wavelet(image, sigma=0.05, wavelet="db1", method=method, spins=spins)
        measure(run, who="scikit-image", quality=quality_to(clean))


@pytest.mark.parametrize("size", (64,) if QUICK else (128,))
class TestWavelet3d:
    """db2, Bayes."""

    @pytest.mark.parametrize("form", ("decimated", "1 spin", "stationary"))
    def bench_wavelet(self, size, form, threads, measure, benchmark):
        benchmark.group = f"wavelet {size}^3 db2 bayes, {form}"
        clean, volume = noisy((size,) * 3, 0.05)
        how = {"1 spin": {"cycle_spins": 1}, "stationary": {"stationary": True}}.get(form, {})
        measure(
            lambda: wavelet(volume, sigma=0.05, **how), threads=threads, quality=quality_to(clean)
        )

    @pytest.mark.parametrize("form", ("decimated", "1 spin"))
    def bench_wavelet_skimage(self, size, form, measure, benchmark):
        benchmark.group = f"wavelet {size}^3 db2 bayes, {form}"
        clean, volume = noisy((size,) * 3, 0.05)
        spins = 1 if form == "1 spin" else 0
        run = peers.skimage_wavelet(volume, sigma=0.05, wavelet="db2", method="bayes", spins=spins)
        measure(run, who="scikit-image", quality=quality_to(clean))
