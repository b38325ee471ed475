"""GRAPPA, SPIRiT and partial Fourier against pygrappa and BART.

Problem: Shepp-Logan head times synthetic coil maps, complex noise of 0.003, 256^2; sampling 2 x 2
with 24 x 24 calibration, kernel 5 x 5, regularization as each library has it by default. NRMSE is
of the root-sum-of-squares image against the noise-free one. Ours begins with the coils' k-space
and ends there: finding mask, calibration block and patterns, kernels, synthesis, NaN check.
"""

from __future__ import annotations

import numpy as np
import pytest

import pyrad_core as prc
from pyrad_core import mr, phantom

from . import peers


class Head:
    """Undersampled k-space of a head, its calibration block and its image."""

    def __init__(self, coils, shape, steps, *, acs=24, noise=0.003):
        dims, n = len(shape), shape[-1]
        volume = prc.Volume(shape, 2 / n)
        image = phantom.shepp_logan(dims, radius=0.9).raster(volume, supersample=1 + (dims == 2))
        maps = np.asarray(phantom.coil_maps(coils, shape))
        axes = tuple(range(1, dims + 1))
        rng = np.random.default_rng(0)
        noises = rng.standard_normal((2, coils, *shape))
        clean = (maps * image).astype(np.complex64)
        full = mr.fft(clean, axes=axes)
        full += (noise * (noises[0] + 1j * noises[1])).astype(np.complex64)
        mask = np.zeros(shape, bool)
        mask[tuple(slice(None, None, s) for s in steps)] = True
        self.block = tuple(slice(m // 2 - acs // 2, m // 2 + acs // 2) for m in shape)
        mask[self.block] = True
        self.axes, self.full, self.mask, self.kspace = axes, full, mask, full * mask
        self.calibration = full[(slice(None), *self.block)].copy()
        self.truth = mr.combine_coils(clean)

    def quality(self, kspace) -> str:
        return self.nrmse(mr.ifft(np.ascontiguousarray(kspace, np.complex64), axes=self.axes))

    def nrmse(self, images) -> str:
        error = mr.combine_coils(np.ascontiguousarray(images)) - self.truth
        return f"nrmse {np.linalg.norm(error) / np.linalg.norm(self.truth):.4f}"


@pytest.fixture(scope="module")
def heads():
    made = {}

    def head(*args, **options):
        key = (*args, *options.items())
        if key not in made:
            made[key] = Head(*args, **options)
        return made[key]

    return head


def _floor_ms(p) -> float:
    """Multiplications of the synthesis alone, at 16 fused multiply-adds per cycle and 2.5 GHz."""
    coils = p.kspace.shape[0]
    missing = p.mask.size - int(p.mask.sum())
    sources = 25 * p.mask.mean()
    return missing * sources * coils**2 * 4 / (16 * 2.5e6)


@pytest.mark.parametrize("coils", [8, 12, 32])
def test_grappa_ours(measure, benchmark, heads, threads, coils):
    benchmark.group = f"grappa {coils} x 256^2, 2 x 2"
    p = heads(coils, (256, 256), (2, 2))
    measure(
        lambda: mr.grappa(p.kspace),
        threads=threads,
        quality=p.quality,
        floor_ms=_floor_ms(p),
    )


@pytest.mark.parametrize("coils", [8, 12, 32])
@pytest.mark.parametrize("name", ["cgrappa", "mdgrappa"])
def test_grappa_pygrappa(measure, benchmark, heads, coils, name):
    benchmark.group = f"grappa {coils} x 256^2, 2 x 2"
    p = heads(coils, (256, 256), (2, 2))
    run = peers.pygrappa_fill(p.kspace, p.calibration, name=name, kernel=(5, 5))
    measure(run, who=f"pygrappa {name}", quality=p.quality)


_FRAMES = pytest.mark.benchmark(group="grappa synthesis alone, 8 x 256^2, 2 x 2")


@_FRAMES
def test_grappa_frames_ours(measure, heads, threads):
    p = heads(8, (256, 256), (2, 2))
    fill = mr.Grappa(p.calibration, p.mask)
    measure(lambda: fill(p.kspace), threads=threads, quality=p.quality, floor_ms=_floor_ms(p))


_VOLUME = pytest.mark.benchmark(group="grappa 8 x 48 x 96 x 96, 1 x 2 x 2, kernel 3 x 5 x 5")


@_VOLUME
def test_grappa_volume_ours(measure, heads, threads):
    p = heads(8, (48, 96, 96), (1, 2, 2), acs=20)
    measure(
        lambda: mr.grappa(p.kspace, kernel=(3, 5, 5)),
        threads=threads,
        quality=p.quality,
    )


@_VOLUME
def test_grappa_volume_pygrappa(measure, heads):
    p = heads(8, (48, 96, 96), (1, 2, 2), acs=20)
    run = peers.pygrappa_fill(p.kspace, p.calibration, name="mdgrappa", kernel=(3, 5, 5))
    measure(run, who="pygrappa mdgrappa", quality=p.quality, warm_up=False)


@pytest.mark.parametrize("coils", [8, 12])
def test_spirit_ours(measure, benchmark, heads, threads, coils):
    benchmark.group = f"spirit {coils} x 256^2, 2 x 2, 20 iterations"
    p = heads(coils, (256, 256), (2, 2))
    measure(
        lambda: mr.spirit(p.kspace, iterations=20),
        threads=threads,
        quality=p.quality,
    )


_PARTIAL = pytest.mark.benchmark(group="partial Fourier 8 x 256^2, 5/8")


@pytest.fixture(scope="module")
def one_sided(heads):
    p = heads(8, (256, 256), (1, 1))
    kspace = p.full.copy()
    kspace[:, 160:] = 0
    return p, kspace


@_PARTIAL
@pytest.mark.parametrize("method", ["homodyne", "pocs"])
def test_partial_fourier_ours(measure, one_sided, threads, method):
    p, kspace = one_sided
    measure(
        lambda: mr.partial_fourier(kspace, method=method),
        who=f"pyrad_core {method}",
        threads=threads,
        quality=p.quality,
    )


@_PARTIAL
def test_partial_fourier_bart(measure, one_sided):
    p, kspace = one_sided
    measure(peers.bart_homodyne(kspace, 5 / 8), who="BART homodyne (CLI)", quality=p.nrmse)


@_PARTIAL
def test_partial_fourier_zero_filled(measure, one_sided):
    p, kspace = one_sided
    measure(lambda: kspace, who="zero filling", quality=p.quality)
