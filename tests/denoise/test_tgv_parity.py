"""CUDA kernels of total generalised variation against the CPU's."""

from __future__ import annotations

import numpy as np
import pytest

from pyrad_core._kernels import cpu
from pyrad_core.denoise import tgv

STEPS = [0.03, 0.2, 0.01, 0.02, 0.5, 0.4, 1.7]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("shape", "dims"),
    [
        ((1, 1, 1, 45), 1),
        ((2, 1, 1, 7), 1),
        ((1, 1, 11, 37), 2),
        ((2, 1, 9, 33), 2),
        ((1, 5, 9, 34), 3),
        ((2, 3, 4, 5), 3),
    ],
)
def test_kernels(device, dtype, shape, dims):
    rng = np.random.default_rng(0)
    f = rng.normal(1, 0.3, shape).astype(dtype)
    inverse = [1.0, 0.5, 0.8][-dims:]
    counts = (dims, dims, dims * (dims + 1) // 2)
    fields = [np.zeros((shape[0], n, *shape[1:]), dtype) for n in counts]
    results = []
    for kernels, move in ((cpu, np.array), (device.kernels, device.array)):
        x, u = move(f), move(f * dtype(0.9))
        w, p, q, v = (move(part) for part in (*fields, fields[0]))
        kernels.tgv_pdhg(x, inverse, STEPS, 7, u, w, p, q)
        kernels.tgv_back(x, inverse, q, 2.0, v)
        values = kernels.tgv_objectives(x, inverse, u, w, q, v)
        arrays = (u, w, p, q, v)
        results.append([*(a if kernels is cpu else device.numpy(a) for a in arrays), values])
    assert abs(results[0][3]).max() > 0 or max(shape) < 3
    eps = float(np.finfo(dtype).eps)
    for ours, theirs in zip(*results, strict=True):
        np.testing.assert_allclose(theirs, ours, rtol=100 * eps, atol=40 * eps)


@pytest.mark.parametrize("dtype", [np.float32, np.complex64])
def test_public(device, dtype):
    f = np.random.default_rng(0).normal(1, 0.3, (14, 40)).astype(dtype)
    if f.dtype.kind == "c":
        f *= dtype(1 + 0.5j)
    options = dict(weight=0.2, tol=1e-2, return_info=True)
    expected, info = tgv(f, **options)
    with device:
        u, info_device = tgv(device.array(f), **options)
    assert abs(info_device.iterations - info.iterations) <= 25
    np.testing.assert_allclose(device.numpy(u), expected, atol=2e-2)
