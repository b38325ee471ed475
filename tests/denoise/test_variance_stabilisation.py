"""Variance stabilisation against sums over the distributions and the published closed form."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from pyrad_core.denoise import stabilise_poisson, unstabilise_poisson
from pyrad_core.errors import DataError


def expected_root(y, sigma):
    """E[f | y] by brute force over photons and a fine grid of additive noise."""
    k = np.arange(int(y + 15 * np.sqrt(y + 1) + 20))
    t = np.linspace(-8, 8, 20001) if sigma else np.zeros(1)
    share = stats.norm.pdf(t) / stats.norm.pdf(t).sum()
    f = stabilise_poisson(k[:, None] + sigma * t, electronic_noise=sigma)
    return stats.poisson.pmf(k, y) @ (f @ share)


@pytest.mark.parametrize("sigma", [0.0, 0.3, 2.0, 10.0])
@pytest.mark.parametrize("y", [0.01, 0.5, 3.0, 20.0, 190.0, 260.0])
def test_inverse_is_unbiased(y, sigma):
    mean = np.array([expected_root(y, sigma)])
    got = unstabilise_poisson(mean, electronic_noise=sigma)
    assert abs(got[0] - y) < 2e-4 + 2e-5 * y


def test_inverse_closed_form_2011():
    d = np.linspace(2.5, 40, 500)
    closed = d**2 / 4 + np.sqrt(1.5) / 4 / d - 11 / 8 / d**2 + 5 / 8 * np.sqrt(1.5) / d**3 - 1 / 8
    assert abs(unstabilise_poisson(d) - closed).max() < 0.04  # the paper's approximation


def test_anscombe_by_hand():
    counts = np.array([0.0, 1.0, 10.0, 5000.0])
    np.testing.assert_allclose(stabilise_poisson(counts), 2 * np.sqrt(counts + 3 / 8))
    g, s, m = 2.5, 4.0, 10.0
    by_hand = 2 / g * np.sqrt(np.maximum(g * counts + 3 / 8 * g**2 + s**2 - g * m, 0))
    got = stabilise_poisson(counts, gain=g, electronic_noise=s, offset=m)
    np.testing.assert_allclose(got, by_hand)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_algebraic_inverse_returns(dtype):
    counts = np.linspace(0, 1000, 57).astype(dtype)
    model = {"gain": 3.0, "electronic_noise": 5.0, "offset": 2.0}
    there = stabilise_poisson(counts, **model)
    back = unstabilise_poisson(there, method="algebraic", **model)
    assert there.dtype == back.dtype == dtype
    np.testing.assert_allclose(back, counts, atol=3e-6 * 1000 if dtype == np.float32 else 1e-9)


@pytest.mark.parametrize("sigma", [0.0, 3.0])
def test_noise_becomes_one_and_mean_returns(sigma):
    rng = np.random.default_rng(0)
    for y in (8.0, 40.0, 1000.0):
        counts = 2.0 * rng.poisson(y, 200_000) + rng.normal(7, 2 * sigma, 200_000)
        model = {"gain": 2.0, "electronic_noise": 2 * sigma, "offset": 7.0}
        f = stabilise_poisson(counts, **model)
        assert abs(f.std() - 1) < 0.02
        mean = unstabilise_poisson(f.mean(keepdims=True), **model)
        assert abs(mean[0] - (2 * y + 7)) < 8 * np.sqrt(4 * (y + sigma**2) / 200_000)


def test_inverse_rises_and_begins_at_zero():
    d = np.linspace(0, 60, 4001)
    for sigma in (0.0, 1.0):
        y = unstabilise_poisson(d, electronic_noise=sigma)
        assert (np.diff(y) >= 0).all() and y[0] == 0
        assert abs(np.diff(y)).max() < 0.6  # no jump where the table ends


def test_bad_input_62_65_68():
    assert stabilise_poisson(np.arange(5)).dtype == np.float32
    with pytest.raises(DataError, match="counts holds 1 NaN"):
        stabilise_poisson(np.array([1.0, np.nan]))
    with pytest.raises(DataError, match="gain"):
        stabilise_poisson(np.ones(3), gain=0)
    with pytest.raises(DataError, match="electronic_noise"):
        unstabilise_poisson(np.ones(3), electronic_noise=-1)
    with pytest.raises(DataError, match="method"):
        unstabilise_poisson(np.ones(3), method="exact")


def test_parity(device):
    counts = np.random.default_rng(0).poisson(5.0, (4, 9)).astype(np.float32)
    there = stabilise_poisson(counts, electronic_noise=0.5)
    back = unstabilise_poisson(there, electronic_noise=0.5)
    with device:
        moved = stabilise_poisson(device.array(counts), electronic_noise=0.5)
        returned = unstabilise_poisson(moved, electronic_noise=0.5)
    np.testing.assert_allclose(device.numpy(moved), there, rtol=1e-6)
    np.testing.assert_allclose(device.numpy(returned), back, rtol=1e-5, atol=1e-6)
