"""The CUDA twins against the CPU kernels, through the public functions."""

import numpy as np
import pytest

from pyrad_core import wavelet as prw

RNG = np.random.default_rng(0)


def assert_same(got, expected):
    eps = np.finfo(expected.dtype).eps
    assert got.dtype == expected.dtype and got.shape == expected.shape
    assert np.abs(got - expected).max() <= 32 * eps * max(1.0, np.abs(expected).max())


@pytest.mark.parametrize("mode", prw.modes)
def test_dwtn_parity(device, mode):
    for shape, name, dtype in (
        ((37,), "db4", np.float64),
        ((600,), "sym2", np.float32),
        ((7, 40), "bior2.2", np.complex64),
        ((6, 9, 33), "coif1", np.float32),
        ((3, 5), "db7", np.float64),
    ):
        x = RNG.standard_normal(shape).astype(dtype)
        expected = prw.dwtn(x, name, mode)
        with device:
            bands = prw.dwtn(device.array(x), name, mode)
            back = prw.idwtn(bands, name, mode)
        for key, band in expected.items():
            assert_same(device.numpy(bands[key]), band)
        assert_same(device.numpy(back), prw.idwtn(expected, name, mode))


@pytest.mark.parametrize("dtype", (np.float32, np.float64, np.complex128))
def test_swtn_parity(device, dtype):
    for shape, name, level in (((8, 4, 36), "coif1", 2), ((48,), "db4", 3), ((2, 80), "haar", 1)):
        x = RNG.standard_normal(shape).astype(dtype)
        expected = prw.swtn(x, name, level)
        with device:
            levels = prw.swtn(device.array(x), name, level)
            back = prw.iswtn(levels, name)
        for ours, theirs in zip(levels, expected, strict=True):
            for key in theirs:
                assert_same(device.numpy(ours[key]), theirs[key])
        assert_same(device.numpy(back), prw.iswtn(expected, name))
