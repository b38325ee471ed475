"""Difference and update kernels: NumPy oracles, CPU against CUDA, same bits for any threads."""

from __future__ import annotations

import numpy as np
import pytest
from helpers import assert_adjoint, relative_error

import pyrad_core as prc
from pyrad_core._kernels import cpu
from pyrad_core.operators import FiniteDifference
from pyrad_core.prox import EdgePreserving

SHAPES = [(37,), (1,), (9, 21), (1, 17), (18, 1), (4, 5, 35), (3, 19, 16)]
SPACINGS = {1: (0.5,), 2: (2.0, 0.7), 3: (3.0, 1.0, 0.8)}


def grid(x):
    return x.reshape((1,) * (3 - x.ndim) + x.shape)


def gradient(x, spacing):
    """Forward differences, zero at the far edge, in double precision; axes first."""
    out = np.zeros((x.ndim, *x.shape))
    for axis, h in enumerate(spacing):
        near = [slice(None)] * x.ndim
        near[axis] = slice(0, -1)
        out[(axis, *near)] = np.diff(x.astype(np.float64), axis=axis) / h
    return out


def draw(shape, dtype, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", SHAPES)
def test_difference_numpy(shape, dtype):
    spacing = SPACINGS[len(shape)]
    x = draw(shape, dtype)
    operator = FiniteDifference(shape, spacing=spacing)
    got = operator.forward(x)
    assert got.dtype == dtype
    np.testing.assert_allclose(got, gradient(x, spacing), rtol=1e-5, atol=1e-6)
    assert_adjoint(operator, dtype=dtype)
    # through the sliced path of complex images
    twin = operator.adjoint((got + 0j).astype(np.result_type(dtype, np.complex64)))
    np.testing.assert_allclose(operator.adjoint(got), twin.real, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("shape", [(7,), (5, 6), (3, 4, 5), (1, 6)])
def test_difference_norm_closed_form(shape):
    spacing = SPACINGS[len(shape)]
    operator = FiniteDifference(shape, spacing=spacing)
    matrix = np.stack([gradient(e.reshape(shape), spacing).ravel() for e in np.eye(np.prod(shape))])
    assert operator.norm() == pytest.approx(np.linalg.norm(matrix, 2), rel=1e-12)


@pytest.mark.parametrize("isotropic", [True, False])
@pytest.mark.parametrize("shape", SHAPES)
def test_ascent_numpy(shape, isotropic):
    spacing, dtype = SPACINGS[len(shape)], np.float64
    x, field = draw(shape, dtype), draw((len(shape), *shape), dtype, 1)
    moved = field + 0.3 * gradient(x, spacing)
    if isotropic:
        expected = moved / np.maximum(1, np.linalg.norm(moved, axis=0) / 0.8)
    else:
        expected = np.clip(moved, -0.8, 0.8)
    former = field.copy()
    changed, size = FiniteDifference(shape, spacing=spacing).ascend(x, 0.3, 0.8, isotropic, field)
    np.testing.assert_allclose(field, expected, rtol=1e-12, atol=1e-14)
    assert changed == pytest.approx(np.linalg.norm(expected - former), rel=1e-12)
    assert size == pytest.approx(np.linalg.norm(expected), rel=1e-12)


@pytest.mark.parametrize("isotropic", [True, False])
@pytest.mark.parametrize("potential", ["hyperbola", "huber"])
@pytest.mark.parametrize("shape", SHAPES)
def test_edge_preserving_numpy(shape, potential, isotropic):
    """Value written out, and the gradient as its numerical derivative."""
    spacing = SPACINGS[len(shape)]
    penalty = EdgePreserving(1.7, 0.4, potential=potential, spacing=spacing, isotropic=isotropic)
    x, direction = draw(shape, np.float64), draw(shape, np.float64, 1)

    def value(x):
        squares = gradient(x, spacing) ** 2
        t = np.sqrt(squares.sum(axis=0) if isotropic else squares)
        if potential == "hyperbola":
            return 1.7 * (0.16 * (np.sqrt(1 + (t / 0.4) ** 2) - 1)).sum()
        return 1.7 * np.where(t <= 0.4, t**2 / 2, 0.4 * t - 0.08).sum()

    assert penalty.value(x) == pytest.approx(value(x), rel=1e-12)
    slope = (value(x + 1e-6 * direction) - value(x - 1e-6 * direction)) / 2e-6
    assert (penalty.gradient(x) * direction).sum() == pytest.approx(slope, rel=1e-6, abs=1e-8)
    # the surrogate's curvature lies above any second difference
    bend = (penalty.gradient(x + 1e-4 * direction) - penalty.gradient(x)) / 1e-4
    assert (bend * direction).sum() <= penalty.curvature(shape) * (direction**2).sum() * (1 + 1e-6)


def test_small_delta_is_total_variation():
    x = draw((12, 13), np.float64)
    penalty = EdgePreserving(1.0, 1e-7, isotropic=True)
    expected = prc.prox.TV(1.0).value(x)
    assert penalty.value(x) / penalty.delta == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(37,), (9, 40), (4, 5, 35)])
@pytest.mark.parametrize("isotropic", [True, False])
def test_differences_parity(device, shape, dtype, isotropic):
    inverse = [1 / h for h in SPACINGS[len(shape)]]
    x, field = draw(shape, dtype), draw((len(shape), *shape), dtype, 1)
    parts = [a.reshape((len(shape), *grid(x).shape)) for a in (field, field.copy())]
    tolerance = 1e-6 if dtype == np.float32 else 1e-14

    def run(kernels, place):
        out, back = place(np.zeros_like(parts[0])), place(np.zeros_like(grid(x)))
        rough, dual = place(np.ones_like(grid(x))), place(parts[0])
        image = place(grid(x))
        kernels.difference(image, inverse, out)
        kernels.difference_adjoint(place(parts[1]), inverse, back)
        kernels.roughness_gradient(image, inverse, 0.3, isotropic, isotropic, 0.7, rough)
        sums = kernels.difference_ascent(image, inverse, 0.2, 0.6, isotropic, dual)
        return (out, back, rough, dual), sums

    expected, host_sums = run(cpu, np.array)
    with device:
        got, sums = run(device.kernels, device.array)
    for a, b in zip(got, expected, strict=True):
        assert relative_error(device.numpy(a), b) <= tolerance
    np.testing.assert_allclose(sums, host_sums, rtol=1e-5 if dtype == np.float32 else 1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("low", [-np.inf, 0.0])
def test_steps_parity_numpy(device, dtype, low):
    gradient_, scale, start, total, z, x = draw((6, 301), dtype)
    host = [a.copy() for a in (total, z, x)]
    cpu.momentum_step(gradient_, scale, 0.9, 1.5, 0.3, low, start, *host)
    total2 = total + 1.5 * gradient_
    x2 = np.maximum(z - 0.9 * scale * gradient_, low)
    z2 = x2 + 0.3 * (np.maximum(start - 0.9 * scale * total2, low) - x2)
    for got, expected in zip(host, (total2, z2, x2), strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-6)
    moved = x.copy()
    cpu.scaled_step(0.5, scale, z, low, moved)
    np.testing.assert_allclose(moved, np.maximum(x + 0.5 * scale * z, low), rtol=1e-5, atol=1e-6)
    with device:
        arrays = [device.array(a) for a in (gradient_, scale, start, total, z, x, x)]
        device.kernels.momentum_step(*arrays[:2], 0.9, 1.5, 0.3, low, *arrays[2:6])
        device.kernels.scaled_step(0.5, arrays[1], device.array(z), low, arrays[6])
    for got, expected in zip(arrays[3:], (*host, moved), strict=True):
        assert relative_error(device.numpy(got), expected) < 1e-6


def test_same_bits_for_any_number_of_threads():
    x = draw((7, 90, 33), np.float32)
    penalty = EdgePreserving(1.0, 0.2, isotropic=True)
    operator = FiniteDifference(x.shape)
    results = []
    for threads in (1, 2, 3):
        with prc.set_num_threads(threads):
            dual = np.zeros(operator.range_shape, np.float32)
            sums = operator.ascend(x, 0.2, 0.1, True, dual)
            results.append((penalty.gradient(x), dual, operator.adjoint(dual), np.array(sums)))
    for other in results[1:]:
        for a, b in zip(results[0], other, strict=True):
            np.testing.assert_array_equal(a, b)


def test_bad_inputs():
    with pytest.raises(prc.DataError, match="delta is 0"):
        EdgePreserving(1.0, 0.0)
    with pytest.raises(prc.DataError, match="did you mean 'huber'"):
        EdgePreserving(1.0, 1.0, potential="hubert")
    with pytest.raises(prc.DataError, match="weight is -1"):
        EdgePreserving(-1.0, 1.0)
    with pytest.raises(prc.ShapeError, match="spacing has 2 values"):
        EdgePreserving(1.0, 1.0, spacing=(1, 1)).gradient(np.zeros((2, 2, 2)))
    with pytest.raises(prc.DataError, match="1D to 3D"):
        EdgePreserving(1.0, 1.0).gradient(np.zeros((2, 2, 2, 2)))
    with pytest.raises(prc.ShapeError, match="out has shape"):
        cpu.difference(np.zeros((1, 2, 3)), [1.0, 1.0], np.zeros((2, 1, 2, 2)))
    locked = np.zeros((1, 2, 3))
    locked.flags.writeable = False
    with pytest.raises(prc.DataError, match="out is read-only"):
        cpu.difference_adjoint(np.zeros((2, 1, 2, 3)), [1.0, 1.0], locked)
