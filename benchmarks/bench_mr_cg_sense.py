"""CG-SENSE and its normal operator against BART, SigPy and conjugate gradients over ducc0.

Problem C of the field's list: Shepp-Logan head, 256^2, 12 coils, 96 and 402 radial spokes of 512
samples, noise of 1e-4 of the maximum, |k| weights, lambda 1e-3, 20 iterations from zero; the error
is after a fit of one scale, because the peers scale differently. Our times contain everything from
the bare arrays on: checks, plan, Toeplitz spectrum where it is used, and the iterations. ducc0's
plans are made before. BART's contain its process and files in memory.
"""

from __future__ import annotations

import numpy as np
import pytest

import pyrad_core as prc
from pyrad_core import mr, phantom

from . import peers

_OPTIONS = {"iterations": 20, "regularization": 1e-3}
_GB_PER_S = 8.0  # what one core of a shared server moves


class SenseProblem:
    """Exact samples of the phantom's raster under smooth coils, with noise."""

    def __init__(self, spokes: int):
        n = 256
        self.spokes = spokes
        self.truth = phantom.shepp_logan(2, radius=0.9).raster(prc.Volume((n, n), 2 / n))
        self.maps = phantom.coil_maps(12, (n, n)).astype(np.complex64)
        self.coordinates = mr.radial(spokes, 512, n)
        exact = mr.NUFFT(self.coordinates, (n, n), eps=1e-6).forward(self.maps * self.truth)
        noise = np.random.default_rng(0).standard_normal(exact.shape)
        self.kspace = (exact + 1e-4 * np.abs(exact).max() * noise).astype(np.complex64)
        # |k| as an area per sample: weights add up to the pixels of the image
        radius = np.linalg.norm(self.coordinates, axis=-1) / 256 + 0.5 / 512
        self.weights = (radius * n * n / radius.sum()).astype(np.float32)

    @property
    def data(self) -> tuple:
        return self.kspace, self.maps

    @property
    def sampling(self) -> dict:
        return {"coordinates": self.coordinates, "weights": self.weights}

    def quality(self, image) -> str:
        scale = np.vdot(image, self.truth) / np.vdot(image, image)
        error = np.linalg.norm(scale * image - self.truth) / np.linalg.norm(self.truth)
        return f"nrmse {error:.4f}"

    @property
    def floor_ms(self) -> float:
        """Per iteration six passes over a grid of 320^2."""
        return 20 * 6 * 12 * 320 * 320 * 8 / (_GB_PER_S * 1e6)


@pytest.fixture(scope="module", params=[96, 402])
def problem(request):
    return SenseProblem(request.param)


@pytest.fixture
def sense_group(benchmark, problem):
    benchmark.group = f"cg-sense 12 x 256^2, {problem.spokes} x 512, 20 iterations"


@pytest.mark.parametrize("normal", ["auto", "nufft", "toeplitz"])
def test_cg_sense_ours(measure, sense_group, problem, threads, normal):
    p = problem
    who = "pyrad_core" if normal == "auto" else f"pyrad_core, {normal}"
    measure(
        lambda: mr.cg_sense(*p.data, **p.sampling, normal=normal, **_OPTIONS),
        who=who,
        threads=threads,
        quality=p.quality,
        floor_ms=p.floor_ms,
    )


def test_cg_sense_over_ducc(measure, sense_group, problem, threads):
    p = problem
    run = peers.ducc_cg_sense(*p.data, p.coordinates, p.weights, threads=threads, **_OPTIONS)
    measure(run, who="CG over ducc0", threads=threads, quality=p.quality)


def test_cg_sense_bart(measure, sense_group, problem, threads):
    p = problem
    run = peers.bart_sense(*p.data, p.coordinates, p.weights, threads=threads, **_OPTIONS)
    measure(run, who="bart pics", threads=threads, quality=p.quality)


def test_cg_sense_sigpy(measure, sense_group, problem):
    p = problem
    k = p.coordinates.astype(np.float32)
    run = peers.sigpy_sense(*p.data, k, weights=p.weights, **_OPTIONS)
    measure(run, who="sigpy SenseRecon", quality=p.quality)


@pytest.mark.parametrize("normal", ["nufft", "toeplitz"])
def test_normal_operator(measure, benchmark, problem, threads, normal):
    """A^H A with coils: what "auto" chooses between."""
    benchmark.group = f"normal operator 12 x 256^2, {problem.spokes} x 512"
    operator = mr.Sense(problem.maps, normal=normal, **problem.sampling)
    image = problem.truth.astype(np.complex64)
    out = np.empty_like(image)
    measure(lambda: operator.normal_into(image, out), who=f"pyrad_core, {normal}", threads=threads)


@pytest.mark.benchmark(group="normal operator Cartesian 12 x 256^2, 4 x undersampled")
def test_cartesian_normal_operator(measure, threads):
    maps = phantom.coil_maps(12, (256, 256)).astype(np.complex64)
    operator = mr.Sense(maps, mask=mr.regular_mask((256, 256), (2, 2)))
    image, out = np.ones((256, 256), np.complex64), np.empty((256, 256), np.complex64)
    measure(lambda: operator.normal_into(image, out), threads=threads)


@pytest.mark.parametrize("method", ["pipe-menon", "voronoi", "ramp"])
@pytest.mark.benchmark(group="density compensation 402 x 512")
def test_density_compensation(measure, threads, method):
    k = mr.radial(402, 512, 256)
    measure(
        lambda: mr.density_compensation(k, (256, 256), method=method),
        who=f"pyrad_core, {method}",
        threads=threads,
        quality=lambda w: f"area {w.sum() / (np.pi * 128**2):.4f}",
    )


@pytest.mark.benchmark(group="density compensation 402 x 512")
def test_density_compensation_sigpy(measure):
    mri = peers.need("sigpy.mri")
    k = mr.radial(402, 512, 256).astype(np.float32)
    measure(
        lambda: mri.pipe_menon_dcf(k, (256, 256), max_iter=30, show_pbar=False),
        who="sigpy pipe_menon_dcf",
    )


@pytest.mark.benchmark(group="cg-sense spiral with off-resonance, 4 coils 128^2, 10 iterations")
def test_cg_sense_off_resonance(measure, threads):
    n = 128
    maps = phantom.coil_maps(4, (n, n)).astype(np.complex64)
    k, times = mr.spiral(16, 1500, n), np.linspace(0, 0.015, 1500)
    axis = np.linspace(-1, 1, n)
    field = {"b0": 100 * axis[:, None] ** 2 - 60 * axis, "readout_times": times}
    image = phantom.shepp_logan(2, radius=0.9).raster(prc.Volume((n, n), 2 / n))
    kspace = mr.Sense(maps, coordinates=k, eps=1e-5, **field).forward(image.astype(np.complex64))
    weights = mr.density_compensation(k, (n, n), method="spiral")
    measure(
        lambda: mr.cg_sense(kspace, maps, coordinates=k, weights=weights, iterations=10, **field),
        threads=threads,
        quality=lambda x: f"nrmse {np.linalg.norm(x - image) / np.linalg.norm(image):.4f}",
    )
