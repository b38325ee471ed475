"""CUDA gridding kernels against the CPU kernels."""

import numpy as np
import pytest
from helpers import relative_error

from pyrad_core import mr
from pyrad_core._kernels import cpu

from .oracles import complex_normal, random_coordinates

CASES = [
    ((40,), np.complex64, 3, 1e-3),
    ((31, 42), np.complex64, 12, 1e-3),
    ((40, 36), np.complex128, 5, 1e-8),
    ((11, 12, 14), np.complex64, 2, 1e-3),
    ((9, 10, 8), np.complex128, 1, 1e-11),
]


@pytest.mark.parametrize("shape, dtype, coils, eps", CASES)
def test_nufft_parity(device, shape, dtype, coils, eps):
    rng = np.random.default_rng(0)
    k = random_coordinates(rng, 250, shape)
    image = complex_normal(rng, (coils, *shape), dtype)
    kspace = complex_normal(rng, (coils, 250), dtype)
    expected = mr.NUFFT(k, shape, eps=eps)
    tolerance = 2e-6 if dtype == np.complex64 else 2e-12
    with device:
        nufft = mr.NUFFT(device.array(k), shape, eps=eps)
        forward = device.numpy(nufft.forward(device.array(image)))
        adjoint = device.numpy(nufft.adjoint(device.array(kspace)))
    assert relative_error(forward, expected.forward(image)) < tolerance
    assert relative_error(adjoint, expected.adjoint(kspace)) < tolerance


@pytest.mark.parametrize("lanes", [2, 8])
def test_sorted_and_map_kernels_parity(device, lanes):
    rng = np.random.default_rng(1)
    plan = mr.NUFFT(random_coordinates(rng, 300, (24, 20)), (24, 20)).gridding(np.float32)
    grid = complex_normal(rng, (*plan.cells, lanes))
    samples, density = complex_normal(rng, (300, lanes)), rng.random(300).astype(np.float32)
    image, maps = complex_normal(rng, plan.size), complex_normal(rng, (*plan.size, lanes))

    def run(kernels, array, numpy):
        arrays = [array(a) for a in plan.plan[:4]]
        moved = (*arrays, plan.tiles, array(plan.plan.coefficients))
        out = array(np.empty_like(samples)), array(np.empty_like(grid)), array(np.empty_like(image))
        padded = array(np.empty_like(grid))
        kernels.grid_interpolate_sorted(array(grid), *moved, out[0])
        kernels.grid_spread_sorted(array(samples), array(density), *moved, out[1])
        kernels.grid_pad_maps(array(image), array(maps), padded)
        kernels.grid_crop_maps(array(grid), array(maps), out[2])
        return [numpy(x) for x in (*out, padded)]

    expected = run(cpu, np.array, np.asarray)
    with device:
        got = run(device.kernels, device.array, device.numpy)
    for ours, theirs in zip(got, expected, strict=True):
        assert relative_error(ours, theirs) < 2e-6
