"""MR: NUFFT, CG-SENSE and Toeplitz against finufft, ducc0 and SigPy.

Problems (field's list): A, 12 coils, 256^2, 402 radial spokes of 512 samples, at eps 1e-3 and 1e-5;
C, CG-SENSE of a Shepp-Logan head, 12 coils, 96 spokes, 20 iterations, lambda 1e-3. finufft is shown
as it comes and with planned FFTs (``fftw=0``). Ours takes and returns fresh arrays and checks its
input for NaN within the time.
"""

from __future__ import annotations

import numpy as np
import pytest

import pyrad_core as prc
from pyrad_core import mr, phantom, solvers

from . import peers

_GB_PER_S = 8.0  # what one core of a shared server moves
_FORWARD = "nufft forward 12 x 256^2, 402 x 512"
_ADJOINT = "nufft adjoint 12 x 256^2, 402 x 512"


def _floor_ms(problem) -> float:
    """Images, samples, weights and one write and three reads of the oversampled grid."""
    grid = 12 * 384 * 384 * 8
    samples = problem.samples.nbytes + problem.coordinates.size // 2 * 56
    return (problem.images.nbytes + samples + 4 * grid) / (_GB_PER_S * 1e6)


def _adjoint_error(problem, images) -> str:
    """Relative error on 200 pixels against the direct sum in double precision."""
    k = problem.coordinates.reshape(-1, 2).astype(np.float64)
    samples = problem.samples.reshape(12, -1).astype(np.complex128)
    pixels = np.random.default_rng(1).integers(0, 256, (200, 2))
    waves = np.exp(2j * np.pi / 256 * ((pixels - 128) @ k.T))
    expected = samples @ waves.T / 256
    got = np.asarray(images)[:, pixels[:, 0], pixels[:, 1]]
    return f"error {np.linalg.norm(got - expected) / np.linalg.norm(expected):.1e}"


@pytest.mark.parametrize("eps", [1e-3, 1e-5])
def test_forward_ours(measure, benchmark, radial_problem, threads, eps):
    benchmark.group = f"{_FORWARD}, eps {eps:.0e}"
    p = radial_problem
    nufft = mr.NUFFT(p.coordinates, p.shape, eps=eps)
    measure(
        lambda: nufft.forward(p.images),
        threads=threads,
        quality=p.quality,
        floor_ms=_floor_ms(p),
    )


@pytest.mark.parametrize("eps", [1e-3, 1e-5])
@pytest.mark.parametrize("options", [{}, {"fftw": 0}, {"fftw": 0, "upsampfac": 2.0}], ids=str)
def test_forward_finufft(measure, benchmark, radial_problem, threads, eps, options):
    benchmark.group = f"{_FORWARD}, eps {eps:.0e}"
    p = radial_problem
    run = peers.finufft_forward(p.images, p.coordinates, eps=eps, threads=threads, **options)
    measure(run, who=f"finufft {options or 'default'}", threads=threads, quality=p.quality)


@pytest.mark.parametrize("eps", [1e-3, 1e-5])
def test_forward_ducc(measure, benchmark, radial_problem, threads, eps):
    benchmark.group = f"{_FORWARD}, eps {eps:.0e}"
    p = radial_problem
    run = peers.ducc_forward(p.images, p.coordinates, eps=eps, threads=threads)
    measure(run, who="ducc0 plan", threads=threads, quality=p.quality)


def test_forward_sigpy(measure, benchmark, radial_problem):
    benchmark.group = f"{_FORWARD}, eps 1e-03"
    p = radial_problem
    measure(peers.sigpy_forward(p.images, p.coordinates), who="sigpy default", quality=p.quality)


@pytest.mark.parametrize("eps", [1e-3, 1e-5])
def test_adjoint_ours(measure, benchmark, radial_problem, threads, eps):
    benchmark.group = f"{_ADJOINT}, eps {eps:.0e}"
    p = radial_problem
    nufft = mr.NUFFT(p.coordinates, p.shape, eps=eps)
    measure(
        lambda: nufft.adjoint(p.samples),
        threads=threads,
        quality=lambda images: _adjoint_error(p, images),
        floor_ms=_floor_ms(p),
    )


@pytest.mark.parametrize("eps", [1e-3, 1e-5])
@pytest.mark.parametrize("options", [{}, {"fftw": 0}], ids=str)
def test_adjoint_finufft(measure, benchmark, radial_problem, threads, eps, options):
    benchmark.group = f"{_ADJOINT}, eps {eps:.0e}"
    p = radial_problem
    run = peers.finufft_adjoint(
        p.samples, p.coordinates, p.shape, eps=eps, threads=threads, **options
    )
    who = f"finufft {options or 'default'}"
    measure(run, who=who, threads=threads, quality=lambda images: _adjoint_error(p, images))


@pytest.mark.parametrize("eps", [1e-3, 1e-5])
def test_adjoint_ducc(measure, benchmark, radial_problem, threads, eps):
    benchmark.group = f"{_ADJOINT}, eps {eps:.0e}"
    p = radial_problem
    run = peers.ducc_adjoint(p.samples, p.coordinates, p.shape, eps=eps, threads=threads)
    quality = lambda images: _adjoint_error(p, images)  # noqa: E731
    measure(run, who="ducc0 plan", threads=threads, quality=quality)


def test_adjoint_sigpy(measure, benchmark, radial_problem):
    benchmark.group = f"{_ADJOINT}, eps 1e-03"
    p = radial_problem
    run = peers.sigpy_adjoint(p.samples, p.coordinates, p.shape)
    measure(run, who="sigpy default", quality=lambda images: _adjoint_error(p, images))


@pytest.mark.benchmark(group="nufft plan 402 x 512")
def test_plan_ours(measure, radial_problem, threads):
    p = radial_problem
    measure(lambda: mr.NUFFT(p.coordinates, p.shape), threads=threads, quality="eps 1e-3")


class SenseProblem:
    """Shepp-Logan head, 256^2, 12 coils, 96 spokes of 512 samples, noise of 1e-4 of the maximum."""

    def __init__(self):
        n = 256
        self.truth = phantom.shepp_logan(2, radius=0.9).raster(prc.Volume((n, n), 2 / n))
        self.maps = phantom.coil_maps(12, (n, n)).astype(np.complex64)
        self.coordinates = mr.radial(96, 512, n)
        exact = mr.NUFFT(self.coordinates, (n, n), eps=1e-6).forward(self.maps * self.truth)
        noise = np.random.default_rng(0).standard_normal(exact.shape)
        self.kspace = (exact + 1e-4 * np.abs(exact).max() * noise).astype(np.complex64)
        # |k| as an area per sample: weights add up to the pixels of the image
        radius = np.linalg.norm(self.coordinates, axis=-1) / 256 + 0.5 / 512
        self.weights = (radius * n * n / radius.sum()).astype(np.float32)

    def quality(self, image) -> str:
        scale = np.vdot(image, self.truth) / np.vdot(image, image)
        error = np.linalg.norm(scale * image - self.truth) / np.linalg.norm(self.truth)
        return f"nrmse {error:.4f}"


@pytest.fixture(scope="module")
def sense_problem():
    return SenseProblem()


_SENSE = pytest.mark.benchmark(group="cg-sense 12 x 256^2, 96 x 512, 20 iterations")


@_SENSE
def test_cg_sense_ours(measure, sense_problem, threads):
    p = sense_problem
    measure(
        lambda: mr.cg_sense(
            p.kspace,
            p.maps,
            coordinates=p.coordinates,
            weights=p.weights,
            iterations=20,
            regularization=1e-3,
        ),
        threads=threads,
        quality=p.quality,
        floor_ms=20 * 6 * 12 * 320 * 320 * 8 / (_GB_PER_S * 1e6),
    )


@_SENSE
def test_cg_sense_toeplitz(measure, sense_problem, threads):
    p = sense_problem
    normal = mr.NUFFT(p.coordinates, (256, 256)).toeplitz(p.weights)

    def run():
        def gram(x):
            return np.sum(p.maps.conj() * normal.forward(p.maps * x), axis=0)

        shape = p.truth.shape
        operator = prc.operators.FromFunctions(gram, gram, shape, shape, kind="complex")
        back = mr.NUFFT(p.coordinates, shape).adjoint(p.weights * p.kspace)
        rhs = np.sum(p.maps.conj() * back, axis=0)
        return solvers.cg(operator, rhs, iterations=20, regularization=1e-3, hermitian=True).x

    measure(run, who="pyrad_core, Toeplitz", threads=threads, quality=p.quality)


@_SENSE
def test_cg_sense_over_ducc(measure, sense_problem, threads):
    p = sense_problem
    measure(
        peers.ducc_cg_sense(
            p.kspace,
            p.maps,
            p.coordinates,
            p.weights,
            regularization=1e-3,
            iterations=20,
            threads=threads,
        ),
        who="CG over ducc0",
        threads=threads,
        quality=p.quality,
    )


@_SENSE
def test_cg_sense_sigpy(measure, sense_problem):
    p = sense_problem
    run = peers.sigpy_sense(
        p.kspace,
        p.maps,
        p.coordinates.astype(np.float32),
        weights=p.weights,
        regularization=1e-3,
        iterations=20,
    )
    measure(run, who="sigpy SenseRecon", quality=p.quality)
