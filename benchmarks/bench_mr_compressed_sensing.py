"""MR with priors: L1-wavelet, TV, locally low rank and subspaces beside BART and SigPy.

Problem E of the field's list: Shepp-Logan head, 8 coils, 256^2, complex noise of 0.003, Poisson
mask (24^2 calibration, 4.03 times), 50 iterations. BART is run as its command line (files in RAM)
with ``-S``, so that its image has the right amplitude; every weight was chosen for the smallest
error of that program. NRMSE is against the exact image, with no scale fitted.
"""

from __future__ import annotations

import numpy as np
import pytest

import pyrad_core as prc
from pyrad_core import mr, phantom, prox

from . import peers

_ITERATIONS = 50


class HeadProblem:
    def __init__(self, n: int = 256, coils: int = 8):
        self.image = phantom.shepp_logan(2, radius=0.9).raster(prc.Volume((n, n), 2 / n))
        self.maps = phantom.coil_maps(coils, (n, n)).astype(np.complex64)
        self.mask = mr.poisson_mask((n, n), 4.03, calibration=24)
        noise = np.random.default_rng(0).standard_normal((2, coils, n, n)) * 0.003
        full = mr.fft(self.maps * self.image) + noise[0] + 1j * noise[1]
        self.kspace = (self.mask * full).astype(np.complex64)

    def quality(self, image) -> str:
        error = np.linalg.norm(image - self.image) / np.linalg.norm(self.image)
        return f"nrmse {error:.4f}"


@pytest.fixture(scope="module")
def head():
    return HeadProblem()


_WAVELET = pytest.mark.benchmark(group="l1-wavelet 8 x 256^2, Poisson 4.03, 50 iterations")
_TV = pytest.mark.benchmark(group="tv 8 x 256^2, Poisson 4.03, 50 iterations")


def _ours(p, **options):
    return lambda: mr.compressed_sensing(
        p.kspace, p.maps, mask=p.mask, scale="absolute", iterations=_ITERATIONS, **options
    )


@_WAVELET
def test_wavelet_ours(measure, head, threads):
    # two transforms of 8 x 256^2 at 25 GFLOP/s, maps twice and the grid three times at 8 GB/s
    floor = 2 * 5 * 8 * 65536 * 16 / 25e6 + 5 * 8 * 65536 * 8 / 8e6
    run = _ours(head, prior="wavelet", weight=2e-3)
    measure(run, threads=threads, quality=head.quality, floor_ms=_ITERATIONS * floor)


@_WAVELET
@pytest.mark.parametrize("weight", [0.005, 0.002])
def test_wavelet_bart(measure, head, threads, weight):
    run = peers.bart_pics(
        f"-S -i{_ITERATIONS} -R W:3:0:{weight}", head.kspace, head.maps, threads=threads
    )
    measure(run, who=f"bart pics {weight}", threads=threads, quality=head.quality)


@_WAVELET
@pytest.mark.parametrize("weight", [0.005, 0.001])
def test_wavelet_sigpy(measure, head, weight):
    run = peers.sigpy_wavelet(head.kspace, head.maps, weight=weight, iterations=_ITERATIONS)
    measure(run, who=f"sigpy L1WaveletRecon {weight}", quality=head.quality)


@_TV
@pytest.mark.parametrize("solver", ["fista", "pdhg"])
def test_tv_ours(measure, head, threads, solver):
    run = _ours(head, prior="tv", weight=2e-3, solver=solver)
    measure(run, who=f"pyrad_core {solver}", threads=threads, quality=head.quality)


@_TV
def test_tv_bart(measure, head, threads):
    options = f"-S -i{_ITERATIONS} -R T:3:0:0.002"
    run = peers.bart_pics(options, head.kspace, head.maps, threads=threads)
    measure(run, who="bart pics (ADMM)", threads=threads, quality=head.quality)


@_TV
def test_tv_sigpy(measure, head):
    run = peers.sigpy_tv(head.kspace, head.maps, weight=0.002, iterations=_ITERATIONS)
    measure(run, who="sigpy TotalVariationRecon (PDHG)", quality=head.quality)


_SHRINK = pytest.mark.benchmark(group="singular values of 1024 blocks 8^2 x 16 frames, complex64")


@pytest.fixture(scope="module")
def frames():
    rng = np.random.default_rng(0)
    shape = (16, 256, 256)
    return (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)).astype(np.complex64)


@_SHRINK
def test_low_rank_ours(measure, frames, threads):
    operator = prox.LocallyLowRank(5.0, block=8)
    measure(lambda: operator.prox(frames), threads=threads)


@_SHRINK
def test_low_rank_numpy(measure, frames):
    def run():
        blocks = frames.reshape(16, 32, 8, 32, 8).transpose(1, 3, 2, 4, 0).reshape(-1, 64, 16)
        u, s, vh = np.linalg.svd(blocks, full_matrices=False)
        return (u * np.maximum(s - 5, 0)[:, None]) @ vh

    measure(run, who="numpy svd")


class EchoProblem:
    """16 echoes of a head with three T2, 8 coils, 192^2, a mask per echo (6 times)."""

    def __init__(self, n: int = 192, coils: int = 8):
        self.echoes = 8.0 * np.arange(1, 17)
        self.t2 = np.geomspace(15, 500, 300)
        self.decays = np.exp(-self.echoes / self.t2[:, None])
        self.basis = mr.subspace_basis(self.decays, 4)
        head = phantom.shepp_logan(2, radius=0.9).raster(prc.Volume((n, n), 2 / n))
        self.truth = np.where(head > 0.5, 160.0, np.where(head > 0.25, 80.0, 40.0))
        self.inside = head > 0.05
        images = head * np.exp(-self.echoes[:, None, None] / self.truth)
        self.maps = phantom.coil_maps(coils, (n, n)).astype(np.complex64)
        self.masks = np.stack(
            [mr.poisson_mask((n, n), 6, calibration=8, seed=i) for i in range(16)]
        )
        noise = np.random.default_rng(0).standard_normal((2, 16, coils, n, n)) * 1e-3
        full = mr.fft(self.maps * images[:, None]) + noise[0] + 1j * noise[1]
        self.kspace = (self.masks[:, None] * full).astype(np.complex64)

    def quality(self, coefficients) -> str:
        index, _ = mr.match_dictionary(coefficients, self.decays, self.basis)
        error = abs(self.t2[index][self.inside] / self.truth[self.inside] - 1)
        return f"T2 error {100 * np.median(error):.1f} %"


_ECHOES = pytest.mark.benchmark(group="subspace of 4, 16 echoes, 8 x 192^2, CG, 20 iterations")


@pytest.fixture(scope="module")
def train():
    return EchoProblem()


@_ECHOES
def test_subspace_ours(measure, train, threads):
    p = train

    def run():
        return mr.subspace(p.kspace, p.maps, p.basis, mask=p.masks, iterations=20, weight=1e-3)

    measure(run, threads=threads, quality=p.quality)


@_ECHOES
def test_subspace_bart(measure, train, threads):
    p = train
    run = peers.bart_subspace(
        "-S -i20 -l2 -r0.001", p.kspace, p.maps, p.basis, p.masks, threads=threads
    )
    measure(run, who="bart pics -B", threads=threads, quality=p.quality)
