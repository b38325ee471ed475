"""CUDA kernels of the denoisers against the CPU's."""

from __future__ import annotations

import numpy as np
import pytest

from pyrad_core._kernels import cpu
from pyrad_core.denoise import nlm, tv

TOLERANCE = {np.float32: 3e-6, np.float64: 1e-13}


def _image(shape, dtype, seed=0):
    return np.random.default_rng(seed).normal(1, 0.3, shape).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("isotropic", [True, False])
@pytest.mark.parametrize(
    ("shape", "dims"),
    [
        ((1, 1, 1, 45), 1),
        ((1, 1, 11, 37), 2),
        ((2, 1, 9, 33), 2),
        ((1, 5, 9, 34), 3),
        ((2, 3, 4, 5), 3),
    ],
)
def test_tv_steps(device, dtype, isotropic, shape, dims):
    f = _image(shape, dtype)
    inverse = [1.0, 0.5, 0.8][-dims:]
    dual = _image((shape[0], dims, *shape[1:]), dtype, 1) * dtype(0.1)
    for axis in range(dims):  # a dual has no component beyond the far edge
        np.moveaxis(dual[:, axis], axis - dims, 0)[-1] = 0
    steps = [(1.0, 0.5, 0.0), (0.7, 0.8, 0.6), (0.5, 1.0, 0.7), (0.4, 1.2, 0.8)]
    results = []
    for kernels, move in ((cpu, np.array), (device.kernels, device.array)):
        x = move(f)
        p, old, out = move(dual), move(dual * dtype(0.5)), move(f)
        kernels.tv_fgp(x, 0.3, inverse, isotropic, 0.4, [0.0, 0.3, 0.5, 0.6], p, old)
        kernels.tv_primal(x, 0.3, inverse, p, out)
        u, former, q = move(f), move(f), move(dual)
        kernels.tv_pdhg(x, 0.3, inverse, isotropic, steps, q, u, former)
        values = kernels.tv_objectives(x, u, 0.3, inverse, isotropic, q)
        arrays = (p, old, out, u, former, q)
        results.append([*(a if kernels is cpu else device.numpy(a) for a in arrays), values])
    for ours, theirs in zip(*results, strict=True):
        np.testing.assert_allclose(theirs, ours, rtol=0, atol=20 * TOLERANCE[dtype])


def test_tv_public(device):
    f = _image((14, 40), np.float32)
    expected, info = tv(f, weight=0.2, tol=1e-3, return_info=True)
    with device:
        u, info_device = tv(device.array(f), weight=0.2, tol=1e-3, return_info=True)
    assert abs(info_device.iterations - info.iterations) <= 12
    np.testing.assert_allclose(device.numpy(u), expected, atol=2e-2)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("noise", ["gaussian", "rician"])
@pytest.mark.parametrize("by_map", [False, True])
@pytest.mark.parametrize("variant", ["patchwise", "voxelwise"])
@pytest.mark.parametrize(
    ("shape", "patch", "search"),
    [((11, 37), 3, 5), ((9, 34), 5, 7), ((9, 9, 33), 3, 3), ((2, 3, 4, 5), 3, 3)],
)
def test_nlm(device, dtype, noise, by_map, shape, patch, search, variant):
    x = _image(shape, dtype)
    sigma = np.random.default_rng(1).uniform(0.2, 0.4, shape).astype(dtype) if by_map else 0.3
    options = dict(patch=patch, search=search, noise=noise, variant=variant)
    expected = nlm(x, sigma=sigma, **options)
    with device:
        got = nlm(device.array(x), sigma=device.array(sigma) if by_map else sigma, **options)
    # weights jump to zero at the cutoff, where rounding decides
    np.testing.assert_allclose(device.numpy(got), expected, rtol=2e3 * TOLERANCE[dtype])
    assert np.median(abs(device.numpy(got) - expected)) < TOLERANCE[dtype]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("shape", "search", "by_map"), [((9, 11), 7, False), ((4, 5, 6), 3, True)])
def test_nlm_blockwise(device, dtype, shape, search, by_map):
    x = 2 + _image(shape, dtype)
    sigma = np.full(shape, 0.3, dtype) if by_map else 0.3
    options = dict(search=search, variant="blockwise", noise="rician", h=2.0)
    expected = nlm(x, sigma=sigma, **options)
    with device:
        got = nlm(device.array(x), sigma=device.array(sigma) if by_map else sigma, **options)
    np.testing.assert_allclose(device.numpy(got), expected, rtol=20 * TOLERANCE[dtype])
