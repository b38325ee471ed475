"""Collaborative filtering against the authors' packages, with our non-local means beside.

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
from .denoise_problems import noisy, quality_to

QUICK = bool(os.environ.get("PYRAD_BENCH_QUICK"))
SQUARE, CUBE = (128, 24) if QUICK else (256, 64)
PROBLEMS = (f"{SQUARE}^2", "t1 slice", f"{CUBE}^3")
ROOT = Path(__file__).resolve().parents[1]


@functools.lru_cache(maxsize=3)
def problem(name):
    """(clean, noisy, sigma)."""
    if name != "t1 slice":
        shape = (SQUARE, SQUARE) if name.endswith("^2") else (CUBE,) * 3
        return *noisy(shape, 0.1), 0.1
    data = Path(os.environ.get("PYRAD_CORE_DATA") or ROOT.parent / "shared" / "data")
    path = data / "denoise" / "dipy" / "t1_coronal_slice.npy"
    if not path.exists():
        pytest.skip("reference data not found; set PYRAD_CORE_DATA")
    scan = np.load(path)
    clean = (scan / np.percentile(scan, 99.8)).astype(np.float32)
    clean = np.ascontiguousarray(clean[:SQUARE, :SQUARE])
    noise = np.random.default_rng(0).normal(0, 0.05, clean.shape).astype(np.float32)
    return clean, clean + noise, 0.05


def group_of(name, stages="both"):
    return f"BM4D {name}" if stages == "both" else f"BM4D {name}, first stage alone"


@pytest.mark.parametrize("name", PROBLEMS)
class TestBothStages:
    @pytest.mark.parametrize("profile", ("np", "lc"))
    def bench_bm4d(self, name, profile, threads, measure, benchmark):
        benchmark.group = group_of(name)
        clean, image, sigma = problem(name)
        measure(
            lambda: bm4d(image, sigma=sigma, profile=profile),
            who="pyrad_core" if profile == "np" else "pyrad_core, profile lc",
            threads=threads,
            quality=quality_to(clean),
        )

    def bench_reference(self, name, threads, measure, benchmark):
        benchmark.group = group_of(name)
        clean, image, sigma = problem(name)
        make, who = reference(image)
        run = make(image, sigma=sigma)
        measure(run, who=who, threads=threads, quality=quality_to(clean), warm_up=False)

    def bench_nlm(self, name, threads, measure, benchmark):
        benchmark.group = group_of(name)
        clean, image, sigma = problem(name)
        run = lambda: nlm(image, sigma=sigma, patch=3, search=11)  # noqa: E731
        measure(run, who="pyrad_core, nlm", threads=threads, quality=quality_to(clean))


@pytest.mark.parametrize("name", PROBLEMS[2:])
class TestFirstStage:
    def bench_bm4d(self, name, threads, measure, benchmark):
        benchmark.group = group_of(name, "hard")
        clean, image, sigma = problem(name)
        run = lambda: bm4d(image, sigma=sigma, stages="hard")  # noqa: E731
        measure(run, threads=threads, quality=quality_to(clean))

    def bench_reference(self, name, threads, measure, benchmark):
        benchmark.group = group_of(name, "hard")
        clean, image, sigma = problem(name)
        make, who = reference(image)
        run = make(image, sigma=sigma, hard=True)
        measure(run, who=who, threads=threads, quality=quality_to(clean), warm_up=False)


def reference(image):
    """The authors' package for images or for volumes, and its name."""
    if image.ndim == 3:
        return peers.reference_bm4d, "bm4d"
    return peers.reference_bm3d, "bm3d"
