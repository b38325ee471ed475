"""CUDA kernels of collaborative filtering against the CPU's; hand-written loops against plain."""

from __future__ import annotations

import numpy as np
import pytest

from pyrad_core._kernels.select import cpu_kernels
from pyrad_core.denoise import bm4d


def _image(shape, dtype):
    x = np.random.default_rng(0).normal(1, 0.1, shape)
    x[: shape[0] // 2] += 0.7
    return x.astype(dtype)


# a coefficient next to the threshold may fall on either side of it
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(13, 17), (6, 7, 9)])
@pytest.mark.parametrize("uneven", [None, "map", "psd"])
def test_bm4d(device, dtype, shape, uneven):
    x = _image(shape, dtype)
    rng = np.random.default_rng(1)
    options = {"sigma": 0.1}
    if uneven == "map":
        options = {"sigma": rng.uniform(0.05, 0.15, shape).astype(dtype)}
        options["mask"] = np.arange(shape[-1]) > 3 * np.ones(shape)
    elif uneven == "psd":
        options = {"psd": rng.uniform(0.5, 1.5, shape) * 0.01}
    expected = bm4d(x, profile="lc", **options)
    with device:
        moved = {k: device.array(v) if np.ndim(v) else v for k, v in options.items()}
        got = device.numpy(bm4d(device.array(x), profile="lc", **moved))
    tolerance = 1e-4 if dtype == np.float32 else 1e-10
    assert np.median(abs(got - expected)) < 1e-6
    assert abs(got - expected).max() < 100 * tolerance


@pytest.mark.sanitize
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("profile", ["np", "lc"])
@pytest.mark.parametrize("shape", [(23, 71), (46, 17), (11, 9, 15), (5, 16, 8)])
def test_instruction_sets_give_the_same_bits(shape, profile, dtype):
    x = _image(shape, dtype)
    results = []
    for width in (0, 8, 16):
        before = cpu_kernels().limit_vector_width(width)
        try:
            results.append(bm4d(x, sigma=0.1, profile=profile))
        finally:
            cpu_kernels().limit_vector_width(before)
    np.testing.assert_array_equal(results[1], results[0])
    np.testing.assert_array_equal(results[2], results[0])
