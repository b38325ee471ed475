"""The CuPy stand-in refuses what CuPy refuses, and takes the launch layer's GPU path."""

from __future__ import annotations

import numpy as np
import pytest
import standin_cupy

from pyrad_core import BackendMismatchError, denoise
from pyrad_core._kernels import cuda


@pytest.fixture
def cupy(emulator):
    with standin_cupy.installed() as cupy:
        yield cupy


def test_refuses_to_be_mixed_with_numpy(cupy):
    host, x = np.ones(3), cupy.ones(3)
    for mixed in (
        lambda: x + host,
        lambda: host * x,
        lambda: cupy.add(x, host),
        lambda: x.__setitem__(slice(None), host),
        lambda: x.__iadd__(host),
        lambda: cupy.stack([x, host]),
        lambda: np.asarray(x),
        lambda: np.asarray([x, x]),
    ):
        with pytest.raises(TypeError):
            mixed()


def test_computes_on_the_device(cupy):
    x = cupy.arange(6, dtype=np.float32).reshape(2, 3)
    x[0] += 1
    x *= np.float32(2)
    total = np.add(x, x).sum()
    assert isinstance(total, cupy.ndarray) and float(total) == 2 * 2 * 18
    assert isinstance(cupy.asnumpy(x), np.ndarray) and x.T.shape == (3, 2)


def test_launches_reach_the_emulator(cupy):
    x = cupy.asarray(np.array([1, np.nan, 2], np.float32))
    assert cuda.count_nonfinite(x) == (1, 1)


def test_bad_input_86_numpy_mixed_with_cupy(cupy):
    x = np.zeros((8, 8), np.float32)
    with pytest.raises(BackendMismatchError, match="image is on .*sigma is on"):
        denoise.nlm(x, sigma=cupy.asarray(x))


def test_bad_input_87_arrays_on_two_devices(cupy):
    here, there = cupy.asarray(np.zeros((8, 8), np.float32)), cupy.asarray(np.ones((8, 8)))
    there.device = type(here.device)()
    there.device.id = here.device.id + 1
    with pytest.raises(BackendMismatchError, match="image is on GPU 0, sigma is on GPU 1"):
        denoise.nlm(here, sigma=there)
