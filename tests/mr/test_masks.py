"""Sampling masks: acceleration, centre, minimum distance, reproducibility."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

import pyrad_core as prc
from pyrad_core import mr


@settings(max_examples=15, deadline=None)
@given(
    shape=st.tuples(st.integers(30, 70), st.integers(30, 70)),
    rate=st.floats(1.2, 8),
    density=st.floats(0, 4),
    elliptical=st.booleans(),
    seed=st.integers(0, 5),
)
def test_poisson_mask_hits_its_acceleration(shape, rate, density, elliptical, seed):
    if elliptical and rate < 1.4:
        return
    options = dict(calibration=8, density=density, elliptical=elliptical, seed=seed)
    mask = mr.poisson_mask(shape, rate, **options)
    assert abs(mask.sum() - mask.size / rate) <= 0.5 + 1e-9
    y, x = (n // 2 for n in shape)
    assert mask[y - 4 : y + 4, x - 4 : x + 4].all()
    assert np.array_equal(mask, mr.poisson_mask(shape, rate, **options))
    if elliptical:
        assert not mask[0, 0] and not mask[-1, -1]


def test_poisson_mask_keeps_a_distance_that_grows():
    uniform = np.argwhere(mr.poisson_mask((96, 96), 6, calibration=0, density=0))
    away = cdist(uniform, uniform) + 1e9 * np.eye(len(uniform))
    assert away.min() >= 2
    assert away.min(axis=0).mean() < 1.5 * away.min()
    variable = np.argwhere(mr.poisson_mask((96, 96), 6, calibration=0, density=3))
    away = (cdist(variable, variable) + 1e9 * np.eye(len(variable))).min(axis=0)
    radius = np.linalg.norm(variable - 48, axis=1)
    assert away[radius > 40].mean() > 1.7 * away[radius < 12].mean()
    assert not np.array_equal(
        mr.poisson_mask((96, 96), 6, seed=1), mr.poisson_mask((96, 96), 6, seed=2)
    )


def test_poisson_mask_refuses_what_it_cannot_hold():
    with pytest.raises(prc.DataError, match="calibration region"):
        mr.poisson_mask((32, 32), 8, calibration=24)
    with pytest.raises(prc.DataError, match="ellipse"):
        mr.poisson_mask((32, 32), 1.1, calibration=4, elliptical=True)
    with pytest.raises(prc.ShapeError, match="two axes"):
        mr.poisson_mask((32,), 2)


def test_regular_mask():
    mask = mr.regular_mask((31, 20), 3, calibration=6)
    assert mask[15].all() and mask[12:18].all() and not mask[19].any()
    assert np.array_equal(mask.all(axis=1), mask.any(axis=1))
    both = mr.regular_mask((32, 30), (2, 3), calibration=0)
    assert both.sum() == 16 * 10 and both[16, 15]
    centre = mr.regular_mask((32, 30), (2, 3), calibration=(4, 6))
    assert centre[14:18, 12:18].all() and centre.sum() < both.sum() + 24


def test_caipi_mask_shifts_lines():
    mask = mr.caipi_mask((32, 32), (2, 2), shift=1, calibration=0)
    assert mask.sum() == mask.size // 4 and mask[16, 16]
    assert np.array_equal(mask[18], np.roll(mask[16], 1))
    assert np.array_equal(
        mr.caipi_mask((32, 32), (2, 2), shift=0), mr.regular_mask((32, 32), (2, 2))
    )
    with pytest.raises(prc.DataError, match="shift is 2"):
        mr.caipi_mask((32, 32), (2, 2), shift=2)


@pytest.mark.parametrize("n", [16, 17])
def test_partial_fourier_mask(n):
    mask = mr.partial_fourier_mask((n, 8), 0.75)
    assert mask.shape == (n, 8) and mask.all(axis=1).sum() == -(-3 * n // 4)
    assert mask[-1].all() and mask[n // 2].all() and not mask[0].any()
    assert mr.partial_fourier_mask((n, 8), 0.6, axis=1, first=True)[0, 0]
    assert mr.partial_fourier_mask((n, 8), 0.5)[n // 2].all()
    with pytest.raises(prc.DataError, match="fraction is 0.3"):
        mr.partial_fourier_mask((n, 8), 0.3)
