"""csrc/base through both kernel tables."""

from __future__ import annotations

import numpy as np
import pytest

from pyrad_core._kernels import cpu


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [0, 1, 255, 70_001])
def test_count_nonfinite_parity(device, dtype, size):
    x = np.random.default_rng(size).standard_normal(size).astype(dtype)
    if size > 10:
        x[[size // 2, size - 1]] = np.nan, -np.inf
        x[3] = np.finfo(dtype).max
    with device:
        found = device.kernels.count_nonfinite(device.array(x))
    bad = np.flatnonzero(~np.isfinite(x))
    assert found == cpu.count_nonfinite(x) == (bad.size, bad[0] if bad.size else -1)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [0, 1, 31, 257, 200_003])
def test_vector_parity(device, dtype, size):
    a, b = np.random.default_rng(size).standard_normal((2, size)).astype(dtype)
    exact = float(np.dot(a.astype(np.longdouble), b.astype(np.longdouble)))
    scale = float(abs(a * b).sum())
    host, on_device = b.copy(), device.array(b)
    with device:
        got = device.kernels.inner_product(device.array(a), device.array(b))
        device.kernels.axpby(0.3, device.array(a), -1.7, on_device)
    cpu.axpby(0.3, a, -1.7, host)
    assert abs(got - exact) <= 1e-14 * scale
    assert abs(cpu.inner_product(a, b) - exact) <= 1e-14 * scale
    np.testing.assert_allclose(device.numpy(on_device), host, rtol=4 * np.finfo(dtype).eps)
    np.testing.assert_allclose(host, dtype(0.3) * a - dtype(1.7) * b, rtol=1e-6, atol=1e-7)


def test_vector_special_factors_and_threads():
    from pyrad_core import ShapeError, set_num_threads

    a, b = np.random.default_rng(0).standard_normal((2, 300_001)).astype(np.float32)
    for alpha, beta in ((1.0, 0.5), (0.5, 1.0), (1.0, 1.0), (0.0, 0.0)):
        out = b.copy()
        cpu.axpby(alpha, a, beta, out)
        np.testing.assert_allclose(out, alpha * a + beta * b, atol=1e-6)
    sums = []
    for threads in (1, 2, 3):
        with set_num_threads(threads):
            sums.append(cpu.inner_product(a, b))
    assert len(set(sums)) == 1
    with pytest.raises(ShapeError, match="out"):
        cpu.axpby(1.0, a, 1.0, b[:-1])
    with pytest.raises(ShapeError, match="b has shape"):
        cpu.inner_product(a, b[:-1])
