"""Gibbs unringing of slices, against MRtrix3's mrdegibbs and DIPY.

A phantom with a square and ellipses is cut off in k-space, so that it rings, and gets noise of
0.3 % of its brightest part: 32 volumes of 40 slices of 96 x 96, and one volume of 10 slices of
128 x 128 for all three. Beside a time stands the greatest difference to mrdegibbs in units of the
maximum.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess

import numpy as np
import pytest

from pyrad_core.denoise import gibbs

from . import peers

QUICK = bool(os.environ.get("PYRAD_BENCH_QUICK"))
SHAPES = {"10 slices 128^2": (1, 10, 128, 128), "32 x 40 slices 96^2": (32, 40, 96, 96)}


@functools.lru_cache(maxsize=2)
def ringing(shape):
    """(volume, z, y, x) in float32, k-space cut off at a third of a finer grid."""
    volumes, slices, _, n = shape
    fine = 3 * n
    y, x = np.meshgrid(*2 * (np.linspace(-1, 1, fine),), indexing="ij")
    rng = np.random.default_rng(0)
    planes = []
    for z in np.linspace(-0.7, 0.7, slices):
        head = (x / (0.7 * (1 - 0.4 * z**2))) ** 2 + (y / 0.9) ** 2 < 1
        core = (abs(x - 0.1 * z) < 0.3) & (abs(y + 0.2) < 0.25)
        k = np.fft.fftshift(np.fft.fft2(0.8 * head + 0.2 * core))[n : 2 * n, n : 2 * n]
        planes.append(np.fft.ifft2(np.fft.ifftshift(k)).real / 9)
    decay = np.exp(-rng.uniform(0, 1.6, volumes))[:, None, None, None]
    return (decay * planes + rng.normal(0, 0.003, shape)).astype(np.float32)


@functools.lru_cache(maxsize=2)
def reference(shape):
    """What mrdegibbs makes of it, or None."""
    if not shutil.which("mrdegibbs"):
        return None
    try:
        return peers.mrdegibbs(ringing(shape), threads=2)()
    except (subprocess.CalledProcessError, pytest.skip.Exception):
        return None


def agreement(shape):
    def text(calm):
        anchor = reference(shape)
        if anchor is None:
            return ""
        scale = abs(anchor).max()
        off = abs(calm - anchor) / scale
        if not off.any():
            return "the reference"
        return f"to mrdegibbs: max {off.max():.1e}, mean {off.mean():.1e}"

    return text


def bounded(size, count):
    if count == 1 and size != "10 slices 128^2":
        pytest.skip("half a minute and more")


@pytest.mark.parametrize("size", list(SHAPES)[: 1 if QUICK else 2])
class TestSlices:
    @pytest.mark.parametrize("count", (1, None), ids=("one", "all"))
    def bench_gibbs(self, size, count, with_threads, measure, benchmark):
        benchmark.group = f"gibbs {size}"
        bounded(size, count)
        image = ringing(SHAPES[size])
        used = with_threads(count)
        measure(lambda: gibbs(image), threads=used, quality=agreement(SHAPES[size]))

    @pytest.mark.parametrize("count", (1, None), ids=("one", "all"))
    def bench_gibbs_mrtrix(self, size, count, with_threads, measure, benchmark):
        benchmark.group = f"gibbs {size}"
        bounded(size, count)
        used = with_threads(count)
        run = peers.mrdegibbs(ringing(SHAPES[size]), threads=used)
        quality = agreement(SHAPES[size])
        measure(run, who="MRtrix3 mrdegibbs", threads=used, quality=quality, warm_up=False)

    def bench_gibbs_dipy(self, size, threads, measure, benchmark):
        bounded(size, 1)
        benchmark.group = f"gibbs {size}"
        run = peers.dipy_gibbs(ringing(SHAPES[size]), threads=threads)
        quality = agreement(SHAPES[size])
        measure(run, who="DIPY", threads=threads, quality=quality, warm_up=False)


@pytest.mark.parametrize("side", (64,) if QUICK else (64, 128))
def bench_gibbs_volume(side, threads, measure, benchmark):
    benchmark.group = f"gibbs {side}^3, three axes"
    image = np.repeat(ringing(SHAPES["10 slices 128^2"])[0, 5:6, :side, :side], side, axis=0)
    measure(lambda: gibbs(image, axes=(0, 1, 2)), threads=threads)
