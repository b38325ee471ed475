"""MR: CG-SENSE and Toeplitz against ducc0 and SigPy.

Problem C of the field's list: a Shepp-Logan head, 12 coils, 96 spokes, 20 iterations, lambda 1e-3.
"""

from __future__ import annotations

import numpy as np
import pytest

import pyrad_core as prc
from pyrad_core import mr, phantom, solvers

from . import peers

_GB_PER_S = 8.0  # what one core of a shared server moves


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
