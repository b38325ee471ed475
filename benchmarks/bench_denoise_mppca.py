"""MPPCA of a diffusion series, against MRtrix3's dwidenoise and DIPY.

32 volumes of 40 slices of 96 x 96: the 3D Shepp-Logan times exp(-(0.4 + 1.2 cos^2)) of the angle
between smoothly turning directions and 32 gradients, noise 0.03, float32. Beside a time stand the
PSNR with peak 1, the median of the noise map, and the greatest difference to dwidenoise in units of
the maximum. dwidenoise reads and writes a RAM disk. DIPY takes the middle of half of the slices; it
is another method by definition (it removes the mean and leaves out the border).
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pytest

import pyrad_core as prc
from pyrad_core import phantom
from pyrad_core.denoise import mppca

QUICK = bool(os.environ.get("PYRAD_BENCH_QUICK"))
SIZE = (16, 24, 24) if QUICK else (40, 96, 96)
GROUP = f"mppca 32 x {SIZE[0]} x {SIZE[1]}^2, window 5^3"
CROP = f"mppca 32 x {SIZE[0] // 2} x {SIZE[1] // 2}^2, window 5^3"
_measured: list = []
"""What dwidenoise answered when it was timed."""


@functools.lru_cache(maxsize=1)
def diffusion():
    """(clean, noisy), (volume, z, y, x)."""
    rng = np.random.default_rng(0)
    spacing = tuple(2 / (n - 1) for n in SIZE)
    s0 = phantom.shepp_logan(3, radius=1.0).raster(prc.Volume(SIZE, spacing), supersample=1)
    z, y, x = np.meshgrid(*(np.linspace(-1, 1, n) for n in SIZE), indexing="ij")
    turn, lift = 1.5 * x + y, 1.2 * z + 0.5 * y
    along = np.stack([np.cos(turn) * np.cos(lift), np.sin(turn) * np.cos(lift), np.sin(lift)])
    gradients = rng.standard_normal((32, 3))
    gradients /= np.linalg.norm(gradients, axis=1, keepdims=True)
    cosine = np.tensordot(gradients, along, 1)
    clean = (s0 * np.exp(-(0.4 + 1.2 * cosine**2))).astype(np.float32)
    return clean, clean + rng.normal(0, 0.03, clean.shape).astype(np.float32)


def dwidenoise(dwi, threads):
    """A function that runs it on files in memory and returns (denoised, noise)."""
    nibabel = pytest.importorskip("nibabel")
    if not shutil.which("dwidenoise"):
        pytest.skip("dwidenoise is not installed")
    disk = "/dev/shm" if Path("/dev/shm").is_dir() else None

    def run():
        return tuple(np.asarray(nibabel.load(p).dataobj).T for p in files[1:])

    folder = tempfile.TemporaryDirectory(dir=disk)
    files = [Path(folder.name) / f"{name}.nii" for name in ("in", "out", "noise")]
    nibabel.save(nibabel.Nifti1Image(dwi.T, np.eye(4)), files[0])
    command = ["dwidenoise", "-quiet", "-force", "-extent", "5,5,5", "-nthreads", str(threads)]
    command += [str(files[0]), str(files[1]), "-noise", str(files[2])]

    def timed():
        subprocess.run(command, check=True, capture_output=True)
        return folder, run

    return timed


@functools.lru_cache(maxsize=1)
def reference():
    """Denoised and noise map of dwidenoise, or None."""
    if _measured:
        return _measured[-1]
    try:
        return dwidenoise(diffusion()[1], 2)()[1]()
    except (subprocess.CalledProcessError, pytest.skip.Exception):
        return None


def quality(answer):
    clean, _ = diffusion()
    image, sigma = answer[:2]
    psnr = -10 * np.log10(np.mean((image - clean).astype(float) ** 2))
    text = f"{psnr:.2f} dB, sigma {np.median(sigma):.4f}"
    anchor = reference()
    if anchor is None:
        return text
    if image is anchor[0]:
        return f"{text}; the reference"
    off = np.abs(image - anchor[0]).max() / np.abs(anchor[0]).max()
    noise = np.abs(sigma - anchor[1])
    return f"{text}; to dwidenoise: {off:.1e}, noise {noise.max():.1e} (mean {noise.mean():.1e})"


class TestSeries:
    def bench_mppca_mrtrix(self, threads, measure, benchmark):
        benchmark.group = GROUP
        run = dwidenoise(diffusion()[1], threads)

        def text(answer):
            _measured.append(answer[1]())
            return quality(_measured[-1])

        measure(run, who="MRtrix3 dwidenoise", threads=threads, quality=text, warm_up=False)

    @pytest.mark.parametrize("count", (1, None), ids=("one", "all"))
    def bench_mppca(self, count, with_threads, measure, benchmark):
        benchmark.group = GROUP
        dwi = diffusion()[1]
        measure(lambda: mppca(dwi), threads=with_threads(count), quality=quality)

    @pytest.mark.parametrize("options", ({"method": "average"}, {"stride": 2}), ids=str)
    def bench_variants(self, options, threads, measure, benchmark):
        benchmark.group = GROUP
        dwi = diffusion()[1]
        who = "pyrad_core, " + ("stride 2" if "stride" in options else "average")
        measure(lambda: mppca(dwi, **options), who=who, threads=threads, quality=quality)


class TestCrop:
    """The middle quarter of every second slice: what DIPY does in reasonable time."""

    def crop(self):
        clean, dwi = diffusion()
        cut = (
            slice(None),
            slice(None, None, 2),
            *(slice(n // 4, n // 2 + n // 4) for n in SIZE[1:]),
        )
        return clean[cut], np.ascontiguousarray(dwi[cut])

    def bench_mppca(self, threads, measure, benchmark):
        benchmark.group = CROP
        dwi = self.crop()[1]
        measure(lambda: mppca(dwi, method="average"), threads=threads, quality=self.text("average"))

    def bench_mppca_dipy(self, measure, benchmark):
        localpca = pytest.importorskip("dipy.denoise.localpca")
        benchmark.group = CROP
        dwi = np.ascontiguousarray(self.crop()[1].transpose(1, 2, 3, 0))

        def run():
            image, sigma = localpca.mppca(dwi, patch_radius=2, return_sigma=True)
            return image.transpose(3, 0, 1, 2), sigma

        measure(run, who="DIPY", quality=self.text("border left out"), warm_up=False)

    def text(self, what):
        clean = self.crop()[0]
        inner = (slice(None), *(slice(2, -2),) * 3)

        def say(answer):
            psnr = -10 * np.log10(np.mean((answer[0] - clean)[inner].astype(float) ** 2))
            return f"{what}, {psnr:.2f} dB inside, sigma {np.median(answer[1][inner[1:]]):.4f}"

        return say
