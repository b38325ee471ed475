"""Collaborative filtering against the authors' packages, with non-local means beside.

Shepp-Logan phantoms of 256^2 and 64^3 pixels with sigma 0.1, and a T1 slice with sigma 0.05 (the
scan over its 99.8th percentile counts as clean). PSNR with peak 1, SSIM with range 1.
"""

from __future__ import annotations

import functools
import os
from pathlib import Path

import numpy as np
import pytest

from pyrad_core.denoise import bm4d, nlm

from . import peers
from .bench_denoise import noisy

QUICK = bool(os.environ.get("PYRAD_BENCH_QUICK"))
ROOT = Path(__file__).resolve().parents[1]


@functools.lru_cache(maxsize=3)
def problem(name):
    """(clean, noisy, sigma)."""
    if name != "t1 slice":
        shape = (256, 256) if name == "256^2" else (32 if QUICK else 64,) * 3
        return *noisy(shape, 0.1), 0.1
    data = Path(os.environ.get("PYRAD_CORE_DATA") or ROOT.parent / "shared" / "data")
    path = data / "denoise" / "dipy" / "t1_coronal_slice.npy"
    if not path.exists():
        pytest.skip("reference data not found; set PYRAD_CORE_DATA")
    scan = np.load(path)
    clean = (scan / np.percentile(scan, 99.8)).astype(np.float32)
    noise = np.random.default_rng(0).normal(0, 0.05, clean.shape).astype(np.float32)
    return clean, clean + noise, 0.05


def quality_to(clean, text):
    def quality(image):
        from skimage.metrics import structural_similarity

        psnr = -10 * np.log10(np.mean((image - clean).astype(float) ** 2))
        ssim = structural_similarity(clean, np.asarray(image, np.float32), data_range=1)
        return f"{text}: {psnr:.2f} dB, {ssim:.3f}"

    return quality


@pytest.mark.parametrize("name", ("256^2", "t1 slice", "64^3"))
class TestCollaborativeFiltering:
    @pytest.mark.parametrize(
        ("profile", "stages"), [("np", "both"), ("np", "hard"), ("lc", "both")]
    )
    def bench_bm4d(self, name, profile, stages, threads, measure, benchmark):
        benchmark.group = f"collaborative filtering, {name}"
        clean, image, sigma = problem(name)
        measure(
            lambda: bm4d(image, sigma=sigma, profile=profile, stages=stages),
            threads=threads,
            quality=quality_to(clean, f"{profile}, {stages}"),
        )

    @pytest.mark.parametrize("hard", (False, True))
    def bench_reference(self, name, hard, threads, measure, benchmark):
        benchmark.group = f"collaborative filtering, {name}"
        clean, image, sigma = problem(name)
        make = peers.reference_bm4d if image.ndim == 3 else peers.reference_bm3d
        measure(
            make(image, sigma=sigma, hard=hard),
            who="bm4d" if image.ndim == 3 else "bm3d",
            threads=threads,
            quality=quality_to(clean, "hard" if hard else "both"),
            warm_up=False,
        )

    def bench_nlm(self, name, threads, measure, benchmark):
        benchmark.group = f"collaborative filtering, {name}"
        clean, image, sigma = problem(name)
        measure(
            lambda: nlm(image, sigma=sigma, patch=3, search=11),
            who="pyrad_core nlm",
            threads=threads,
            quality=quality_to(clean, "nlm"),
        )

    def bench_nlm_skimage(self, name, measure, benchmark):
        benchmark.group = f"collaborative filtering, {name}"
        clean, image, sigma = problem(name)
        run = peers.skimage_nlm(image, sigma=sigma, patch=5, distance=5, h=0.8 * sigma)
        measure(run, who="scikit-image nlm", quality=quality_to(clean, "nlm"))
