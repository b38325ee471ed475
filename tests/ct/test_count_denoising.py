"""Denoising by counts, noise maps, and the chain from a quarter of the dose to the full one."""

import numpy as np
import pytest

import pyrad_core as prc
from pyrad_core import ct, denoise
from pyrad_core.errors import DataError, ShapeError
from pyrad_core.phantom import shepp_logan


def _scan(size=64, views=120):
    """(geometry, grid, exact line integrals, truth) of a head with line integrals up to 3."""
    beam = prc.ParallelBeam(np.arange(views) * np.pi / views, 3 * size // 2)
    grid = prc.Volume((size, size))
    head = shepp_logan(2, radius=0.45 * size)
    lines = head.project(beam)
    scale = 3 / lines.max()
    return beam, grid, (lines * scale).astype(np.float32), head.raster(grid) * scale


def test_denoiser_sees_unit_noise():
    beam, grid, lines, _ = _scan()
    noisy = ct.simulate_dose(lines, 500.0, 3.0, seed=1)
    seen = []

    def denoiser(x):
        seen.append(x)
        return x

    same = ct.denoise_counts(noisy, denoiser, photons=500.0, electronic_noise=3.0)
    exact = denoise.stabilise_poisson(500 * np.exp(-lines), electronic_noise=3.0)
    assert abs((seen[0] - exact).std() - 1) < 0.03
    assert same.dtype == np.float32 and same.shape == lines.shape
    few = 500 * np.exp(-noisy) < 20
    assert abs(same - noisy)[~few].max() < 0.02  # the unbiased inverse adds a quarter of a count


def test_smoothed_counts_are_not_biased():
    lines = np.full((64, 256), 5.0)
    noisy = ct.simulate_dose(lines, 800.0, seed=2)  # five counts behind the object

    def average(x):
        return np.full_like(x, x.mean())

    assert abs(ct.denoise_counts(noisy, average, photons=800.0).mean() - 5) < 0.01
    assert abs(noisy.mean() - 5) > 0.08  # what smoothing of line integrals would leave


def test_default_denoiser_helps():
    beam, grid, lines, _ = _scan()
    noisy = ct.simulate_dose(lines, 2e3, seed=3)
    calm = ct.denoise_counts(noisy, photons=2e3)
    assert np.linalg.norm(calm - lines) < 0.7 * np.linalg.norm(noisy - lines)


def test_bad_input():
    lines = np.ones((4, 8))
    with pytest.raises(DataError, match="photons"):
        ct.denoise_counts(lines, photons=0)
    with pytest.raises(DataError, match="electronic_noise"):
        ct.denoise_counts(lines, photons=10, electronic_noise=-1)
    with pytest.raises(ShapeError, match="denoiser"):
        ct.denoise_counts(lines, lambda x: x[1:], photons=10)
    with pytest.raises(DataError, match="overflow"):
        ct.denoise_counts(np.full((4, 8), -90, np.float32), photons=1e3)
    with pytest.raises(DataError, match="projections holds 1 NaN"):
        ct.denoise_counts(np.where(np.eye(4, 8) * np.arange(8) == 3, np.nan, 1), photons=10)
    for bad in ({"draws": 0}, {"support": 4}, {"photons": -1}):
        with pytest.raises(DataError, match=next(iter(bad))):
            ct.noise_map(lambda p: p, lines, **{"photons": 10, **bad})


@pytest.mark.parametrize("electronic_noise", [0.0, 5.0])
def test_noise_map_meets_repeated_scans(electronic_noise):
    beam, grid, lines, _ = _scan()

    def reconstruct(p):
        return ct.fbp(p, beam, grid)

    scans = [ct.simulate_dose(lines, 1e3, electronic_noise, seed) for seed in range(100, 140)]
    measured = np.std([reconstruct(scan) for scan in scans], axis=0, ddof=1)
    model = {"photons": 1e3, "electronic_noise": electronic_noise}
    found = ct.noise_map(reconstruct, scans[0], draws=8, **model)
    inside = np.s_[12:-12, 12:-12]
    ratio = found[inside] / measured[inside]
    assert abs(np.median(ratio) - 1) < 0.06
    assert ratio.std() < 0.25  # of which 0.11 is the spread of the 40 scans
    again = ct.noise_map(reconstruct, scans[0], draws=8, **model)
    np.testing.assert_array_equal(found, again)


def test_quarter_dose_to_full_dose():
    beam, grid, lines, truth = _scan(96, 180)
    photons = 8e3

    def reconstruct(p):
        return ct.fbp(p, beam, grid)

    full = ct.simulate_dose(lines, photons, seed=1)
    quarter = ct.simulate_dose(full, photons, seed=2, dose_fraction=0.25)
    drawn = ct.simulate_dose(lines, photons / 4, seed=3)  # a scan of a quarter of the photons
    inside = np.s_[30:-30, 36:-36]

    clean = reconstruct(lines)

    def error(image):
        return float(np.sqrt(np.mean((image - clean)[inside] ** 2)))

    noisy = reconstruct(quarter)
    assert abs(error(noisy) / error(reconstruct(drawn)) - 1) < 0.08
    assert 1.8 < error(noisy) / error(reconstruct(full)) < 2.2
    model = {"photons": photons / 4}
    sigma = ct.noise_map(reconstruct, quarter, **model)
    weight = float(np.median(sigma[inside]))
    results = {
        "counts": reconstruct(ct.denoise_counts(quarter, **model)),
        "projections": reconstruct(ct.denoise_projections(quarter, strength=60.0, **model)),
        "nlm": denoise.nlm(noisy, sigma=sigma),
        "tv": denoise.tv(noisy, weight=weight),
    }
    for name, image in results.items():
        assert error(image) < 0.9 * error(noisy), name
        assert abs((image - truth)[inside].mean()) < 0.01 * truth[inside].mean(), name
    assert min(map(error, results.values())) < error(reconstruct(full))


def test_parity(device):
    lines = np.random.default_rng(0).uniform(0, 3, (6, 20)).astype(np.float32)
    expected = ct.denoise_counts(lines, photons=50.0)
    calm = ct.noise_map(lambda p: 2 * p, lines, photons=50.0, draws=1, support=3)
    with device:
        got = ct.denoise_counts(device.array(lines), photons=50.0)
        found = ct.noise_map(lambda p: 2 * p, device.array(lines), photons=50.0, draws=1, support=3)
    np.testing.assert_allclose(device.numpy(got), expected, atol=1e-4)
    np.testing.assert_allclose(device.numpy(found), calm, rtol=1e-4)
