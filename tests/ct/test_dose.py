"""Noise of a given dose: distribution, moments, reproducibility, modulation."""

import numpy as np
import pytest
from scipy import stats

import pyrad_core as prc
from pyrad_core.errors import DataError, ShapeError


def poisson_counts(mean, size, seed=0):
    """Counts the kernel drew: zero comes back as half a count."""
    lines = np.zeros(size)
    noisy = prc.ct.simulate_dose(lines, mean, seed=seed)
    counts = mean * np.exp(-noisy)
    return np.where(counts < 0.75, 0, np.rint(counts)).astype(int)


@pytest.mark.parametrize("mean", [0.05, 0.7, 3.2, 9.99, 10.0, 14.5, 60.0, 1000.0])
def test_dose_poisson_chi_square(mean):
    """Counts against the exact probabilities, in bins of at least 10 expected."""
    n = 100_000
    counts = poisson_counts(mean, n, seed=int(mean * 7))
    law = stats.poisson(mean)
    low, high = int(law.ppf(1e-3)), int(law.ppf(1 - 1e-3))
    edges = np.arange(low, high + 1)
    expected = n * np.r_[law.cdf(low), law.pmf(edges[1:]), law.sf(high)]
    observed = np.r_[
        np.sum(counts <= low), [np.sum(counts == k) for k in edges[1:]], np.sum(counts > high)
    ]
    keep = expected > 10
    chi2 = np.sum((observed - expected)[keep] ** 2 / expected[keep])
    assert stats.chi2.sf(chi2, keep.sum() - 1) > 1e-4


def test_dose_large_means():
    counts = poisson_counts(1e9, 50_000)
    assert counts.mean() == pytest.approx(1e9, abs=5 * np.sqrt(1e9 / 50_000))
    assert counts.var() == pytest.approx(1e9, rel=0.05)


def test_dose_statistics():
    lines = np.full(400_000, 1.5)
    noisy = prc.ct.simulate_dose(lines, 1e4, 20.0, seed=3)
    expected = np.sqrt(1e4 * np.exp(-1.5) + 400) / (1e4 * np.exp(-1.5))
    assert noisy.std() == pytest.approx(expected, rel=0.01)
    assert noisy.mean() == pytest.approx(1.5, abs=2e-3)
    np.testing.assert_array_equal(noisy, prc.ct.simulate_dose(lines, 1e4, 20.0, seed=3))
    assert (noisy != prc.ct.simulate_dose(lines, 1e4, 20.0, seed=4)).any()
    dark = prc.ct.simulate_dose(np.full(100, 50.0, np.float32), 100.0)
    assert dark.dtype == np.float32
    np.testing.assert_allclose(dark, np.log(200.0), rtol=1e-6)
    with pytest.raises(DataError, match="photons is 0"):
        prc.ct.simulate_dose(lines, 0)


def test_dose_electronic_noise_is_normal():
    noisy = prc.ct.simulate_dose(np.zeros(20_000), 1e12, 3e7, seed=5)
    z = (np.exp(-noisy) - 1) * 1e12 / np.hypot(3e7, 1e6)
    assert stats.kstest(z, "norm").pvalue > 1e-3
    neighbours = np.corrcoef(z[:-1], z[1:])[0, 1]
    assert abs(neighbours) < 0.03


def test_dose_same_bits_for_any_threads():
    lines = np.random.default_rng(0).uniform(0, 8, (30, 5, 117))
    with prc.set_num_threads(1):
        one = prc.ct.simulate_dose(lines, 2e3, 4.0, seed=9)
    with prc.set_num_threads(2):
        np.testing.assert_array_equal(prc.ct.simulate_dose(lines, 2e3, 4.0, seed=9), one)
    np.testing.assert_array_equal(
        prc.ct.simulate_dose(lines.reshape(-1), 2e3, 4.0, seed=9), one.reshape(-1)
    )


@pytest.mark.parametrize("fraction", [None, 0.25])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dose_on_device(device, dtype, fraction):
    lines = np.random.default_rng(0).uniform(0, 9, (4, 3, 23)).astype(dtype)
    settings = {"seed": 2**63 + 5, "bowtie": np.linspace(0.2, 1, 23), "modulation": "angular"}
    settings["dose_fraction"] = fraction
    expected = prc.ct.simulate_dose(lines, 3e3, 4.0, **settings)
    with device:
        got = prc.ct.simulate_dose(device.array(lines), 3e3, 4.0, **settings)
    np.testing.assert_allclose(
        device.numpy(got), expected, rtol=1e-6 if dtype == np.float32 else 1e-13
    )


def test_dose_bowtie_and_modulation():
    """Each pixel's standard deviation follows its own number of photons."""
    lines = np.full((60, 400, 3), 0.5)
    share = np.array([1.0, 0.25, 0.04])
    current = np.repeat([2.0, 0.5], 30)
    noisy = prc.ct.simulate_dose(lines, 1e5, seed=1, bowtie=share, modulation=current)
    for v, views in enumerate((slice(0, 30), slice(30, 60))):
        expected = np.sqrt(np.exp(0.5) / (1e5 * share * (2.0, 0.5)[v]))
        np.testing.assert_allclose(noisy[views].std(axis=(0, 1)), expected, rtol=0.03)


def test_dose_angular_modulation_evens_out_the_noise():
    """An ellipse: along its long axis the noise falls, at the same mean current."""
    turn = np.linspace(0, np.pi, 90, endpoint=False)
    scan = prc.ParallelBeam(turn, 101)
    body = prc.phantom.Ellipsoids([[0.06, 45, 18, 0, 0, 0]])
    lines = body.project(scan)

    def worst(modulation):
        noisy = prc.ct.simulate_dose(lines, 1e5, seed=0, modulation=modulation)
        return np.max(np.std((noisy - lines)[:, 40:61], axis=1))

    assert worst("angular") < 0.75 * worst(None)


def test_dose_fraction_of_a_measured_scan():
    """Noise added to a full-dose scan equals that of a scan with the fraction of photons."""
    ideal = np.full(300_000, 2.0)
    measured = prc.ct.simulate_dose(ideal, 4e4, 30.0, seed=1)
    lower = prc.ct.simulate_dose(measured, 4e4, 30.0, seed=2, dose_fraction=0.25)
    direct = prc.ct.simulate_dose(ideal, 1e4, 30.0, seed=3)
    assert lower.std() == pytest.approx(direct.std(), rel=0.02)
    same = prc.ct.simulate_dose(measured, 4e4, 30.0, dose_fraction=1.0)
    np.testing.assert_allclose(same, measured, atol=1e-12)


@pytest.mark.parametrize(
    ("settings", "error", "text"),
    [
        ({"electronic_noise": -1}, DataError, "electronic_noise is -1"),
        ({"seed": -1}, DataError, "seed is -1"),
        ({"seed": 1.5}, DataError, "seed is 1.5"),
        ({"dose_fraction": 1.5}, DataError, "dose_fraction is 1.5"),
        ({"bowtie": np.ones(4)}, ShapeError, r"bowtie has shape \(4,\)"),
        ({"modulation": np.ones(3)}, ShapeError, r"modulation has shape \(3,\)"),
        ({"modulation": np.array([1.0, 0.0])}, DataError, "modulation is 0.0 at index 1"),
        ({"modulation": "angle"}, DataError, "'angle'"),
    ],
)
def test_dose_bad_inputs(settings, error, text):
    with pytest.raises(error, match=text):
        prc.ct.simulate_dose(np.ones((2, 3)), 1e4, **settings)


def test_bad_input_39_nan_in_projections():
    lines = np.ones((2, 3))
    lines[1, 2] = np.nan
    with pytest.raises(DataError, match=r"projections holds 1 NaN.*\(1, 2\)"):
        prc.ct.simulate_dose(lines, 1e4)
