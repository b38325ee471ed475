"""Hounsfield units."""

import numpy as np
import pytest

import pyrad_core as prc
from pyrad_core.errors import DataError


def test_hu_of_air_water_and_bone():
    mu = np.array([[0.0002, 0.02], [0.0398, -0.001]], np.float32)
    hu = prc.ct.to_hu(mu, 0.02, 0.0002)
    assert hu.dtype == np.float32
    np.testing.assert_allclose(hu, [[-1000, 0], [1000, -1060.606]], atol=1e-2)
    np.testing.assert_allclose(prc.ct.from_hu(hu, 0.02, 0.0002), mu, atol=1e-8)
    clipped = prc.ct.to_hu(mu, 0.02, 0.0002, clip=(-1024, 500))
    assert clipped.min() == -1024 and clipped.max() == 500


def test_hu_on_device(device):
    mu = np.random.default_rng(0).uniform(0, 0.1, (3, 4, 5))
    with device:
        got = prc.ct.to_hu(device.array(mu), 0.019, clip=(-1024, 3071))
        back = prc.ct.from_hu(got, 0.019)
    np.testing.assert_allclose(device.numpy(got), prc.ct.to_hu(mu, 0.019, clip=(-1024, 3071)))
    np.testing.assert_allclose(device.numpy(back), np.minimum(mu, 0.019 * 4.071), rtol=1e-12)


def test_hu_bad_inputs():
    with pytest.raises(DataError, match="mu_water is 0.01, mu_air is 0.02"):
        prc.ct.to_hu(np.ones(3), 0.01, 0.02)
    with pytest.raises(DataError, match="mu_water is 0"):
        prc.ct.from_hu(np.ones(3), 0)
    with pytest.raises(DataError, match="low < high"):
        prc.ct.to_hu(np.ones(3), 0.02, clip=(10, 5))
    with pytest.raises(DataError, match="1 NaN"):
        prc.ct.to_hu(np.array([np.nan]), 0.02)
