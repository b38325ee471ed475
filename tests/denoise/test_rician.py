"""Rician noise: bias, moments and stabilisation against the densities; PIESNO; simulator."""

from __future__ import annotations

import numpy as np
import pytest
from helpers import data_path

import pyrad_core as prc
from pyrad_core.denoise import (
    estimate_sigma,
    from_rician_moments,
    piesno,
    stabilise_rician,
    unbias_rician,
    unstabilise_rician,
)
from pyrad_core.phantom import rician_noise

SIGNALS = np.array([0, 0.4, 1, 1.5, 2, 3, 5, 9, 20, 26, 33, 45.0])


def densities(coils):
    """(magnitudes, weights): noncentral chi laws of SIGNALS at sigma 1, by SciPy."""
    from scipy.stats import chi, ncx2

    z = np.linspace(1e-3, 60 + 2 * np.sqrt(coils), 12000)
    rows = [
        chi.pdf(z, 2 * coils) if a == 0 else 2 * z * ncx2.pdf(z * z, 2 * coils, a * a)
        for a in SIGNALS
    ]
    weights = np.array(rows)
    return z, weights / weights.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("coils", [1, 4, 32])
def test_expectations_are_inverted(coils):
    z, weights = densities(coils)
    mean, squares = weights @ z, weights @ z**2
    got = unbias_rician(3 * mean, sigma=3.0, coils=coils)
    np.testing.assert_allclose(got[1:], 3 * SIGNALS[1:], atol=3e-3)
    assert got[0] < 0.1
    roots = unbias_rician(np.sqrt(squares), sigma=1.0, coils=coils, method="second_moment")
    np.testing.assert_allclose(roots[1:], SIGNALS[1:], atol=1e-3)
    signal, sigma = from_rician_moments(3 * mean, 3 * np.sqrt(squares - mean**2), coils=coils)
    np.testing.assert_allclose(signal[1:], 3 * SIGNALS[1:], rtol=1e-3, atol=0.01)
    np.testing.assert_allclose(sigma, 3, rtol=2e-3)


@pytest.mark.parametrize("coils", [1, 4, 32])
def test_stabilised_noise_has_unit_spread_and_an_unbiased_inverse(coils):
    z, weights = densities(coils)
    value = stabilise_rician(5 * z, sigma=5.0, coils=coils)
    assert (np.diff(value) > 0).all()
    mean = weights @ value
    spread = np.sqrt(weights @ value**2 - mean**2)
    np.testing.assert_allclose(spread, 1, atol=0.025 if coils == 1 else 0.01)
    np.testing.assert_allclose(spread[SIGNALS > 4], 1, atol=0.003)
    back = unstabilise_rician(mean, sigma=5.0, coils=coils)
    np.testing.assert_allclose(back[1:], 5 * SIGNALS[1:], atol=0.02)


def test_floor_is_zero_and_the_map_equals_the_scalar():
    image = np.random.default_rng(0).uniform(0, 1.2, (4, 5)).astype(np.float32)
    assert (unbias_rician(image, sigma=1.0) == 0).all()
    image *= 10
    sigma = np.full(image.shape, 0.7, np.float32)
    for call in (unbias_rician, stabilise_rician, unstabilise_rician):
        scalar = call(image, sigma=np.float32(0.7))
        assert scalar.dtype == np.float32
        np.testing.assert_allclose(call(image, sigma=sigma), scalar, rtol=1e-6)
    np.testing.assert_allclose(unbias_rician(image, sigma=0.0), image, rtol=1e-6)


def test_denoising_in_the_stabilised_domain_removes_the_bias():
    signal = np.zeros((96, 96))
    signal[24:72, 24:72] = 2.0
    image = rician_noise(signal, sigma=1.0, seed=0)
    stable = prc.denoise.tv(stabilise_rician(image, sigma=1.0), weight=1.0)
    got = unstabilise_rician(stable, sigma=1.0)
    assert got[34:62, 34:62].mean() == pytest.approx(2.0, abs=0.15)
    assert got[:12].mean() < 0.4 < 1.2 < image[:12].mean()


def test_simulator_moments_and_seed():
    for coils in (1, 4):
        draws = rician_noise(np.full((400, 400), 3.0), sigma=2.0, coils=coils, seed=1)
        assert np.mean(draws**2) == pytest.approx(9 + 2 * coils * 4, rel=0.01)
    image = np.ones((3, 4), np.float32)
    a, b = (rician_noise(image, sigma=1.0, seed=5) for _ in range(2))
    np.testing.assert_array_equal(a, b)
    assert a.dtype == np.float32
    np.testing.assert_array_equal(rician_noise(-1j * image, sigma=0.0), image)
    with pytest.raises(prc.DataError, match="sigma"):
        rician_noise(image, sigma=-1.0)


def test_piesno_published_value():
    nibabel = pytest.importorskip("nibabel")
    data = np.asarray(nibabel.load(data_path("denoise", "dipy", "test_piesno.nii.gz")).dataobj)
    sigma, background = piesno(np.moveaxis(data, -1, 0), coils=8)
    assert sigma == pytest.approx(0.010749458025559, abs=1e-9)  # Koay's own program
    assert background.shape == data.shape[:2] and 0.3 < background.mean() < 0.4


@pytest.mark.parametrize("coils", [1, 4])
def test_piesno_finds_level_and_background(coils):
    signal = np.zeros((20, 2, 50, 50))
    signal[..., 10:40, 10:40] = 200.0
    dwi = rician_noise(signal, sigma=50.0, coils=coils, seed=0)
    sigma, background = piesno(dwi, coils=coils)
    np.testing.assert_allclose(sigma, 50, rtol=0.02)
    outside = signal[0] == 0
    assert background[outside].mean() > 0.97 and background[~outside].mean() < 0.01
    assert estimate_sigma(dwi, method="piesno", coils=coils) == pytest.approx(50, rel=0.02)


def test_piesno_of_zeros():
    sigma, background = piesno(np.zeros((5, 2, 8, 8)))
    assert (sigma == 0).all() and not background.any()


def test_estimates_of_a_series_and_of_a_background():
    rng = np.random.default_rng(0)
    dwi = 100 * rng.uniform(1, 2, (16, 1, 1, 1)) + rng.normal(0, 3.0, (16, 9, 9, 9))
    assert estimate_sigma(dwi, method="mppca") == pytest.approx(3, rel=0.05)
    everywhere = np.ones((9, 9, 9), bool)
    assert estimate_sigma(dwi, method="mppca", mask=everywhere) == pytest.approx(3, rel=0.05)
    for coils in (1, 8):
        noise = rician_noise(np.zeros((100, 100)), sigma=3.0, coils=coils, seed=0)
        noise[:20] += 50
        mask = np.ones(noise.shape, bool)
        mask[:20] = False
        got = estimate_sigma(noise, mask=mask, method="background", coils=coils)
        assert got == pytest.approx(3, rel=0.02)


def test_bad_inputs():
    image = np.ones((4, 4))
    with pytest.raises(prc.DataError, match="1 negative values"):
        unbias_rician(np.array([1.0, -1.0]), sigma=1.0)
    with pytest.raises(prc.DataError, match="sigma is -1"):
        stabilise_rician(image, sigma=-1.0)
    with pytest.raises(prc.ShapeError, match="does not broadcast"):
        unstabilise_rician(image, sigma=np.ones(3))
    with pytest.raises(prc.DataError, match="coils is 100; expected at most"):
        unbias_rician(image, sigma=1.0, coils=100)
    with pytest.raises(prc.DataError, match="method"):
        unbias_rician(image, sigma=1.0, method="median")
    with pytest.raises(prc.DataError, match="std > 0"):
        from_rician_moments(image, 0 * image)
    with pytest.raises(prc.ShapeError, match="std has shape"):
        from_rician_moments(image, image[0])
    with pytest.raises(prc.ShapeError, match="two volumes"):
        piesno(np.ones((1, 4, 4)))
    with pytest.raises(prc.DataError, match="alpha"):
        piesno(np.ones((3, 4, 4)), alpha=1.0)
    with pytest.raises(prc.DataError, match="NaN"):
        piesno(np.full((3, 4, 4), np.nan))
    with pytest.raises(prc.ShapeError, match="needs a mask of voxels without signal"):
        estimate_sigma(image, method="background")


def test_on_the_device(device):
    image = np.random.default_rng(0).uniform(0, 40, (6, 7)).astype(np.float32)
    for call in (unbias_rician, stabilise_rician, unstabilise_rician):
        with device:
            got = call(device.array(image), sigma=0.9, coils=2)
        np.testing.assert_allclose(device.numpy(got), call(image, sigma=0.9, coils=2), rtol=1e-6)
