"""NUFFT: spreading and interpolation without FFT, oversampling, eps range, out, stacks."""

import numpy as np
import pytest
from helpers import relative_error
from scipy.special import i0

import pyrad_core as prc
from pyrad_core import mr

from .oracles import complex_normal, direct_nudft, random_coordinates


def kernel_matrix(nufft, k, shape):
    """Kaiser-Bessel weights [samples, cells], every axis by its definition."""
    plan = nufft.gridding(np.float64)
    total = np.ones((len(k), 1))
    for d, n in enumerate(shape):
        cells = nufft.grid_shape(np.complex128)[d]
        u = k[:, d] * cells / n + cells // 2
        away = (np.arange(cells) - u[:, None] + cells / 2) % cells - cells / 2
        inside = np.clip(1 - (2 * away / plan.width) ** 2, 0, None)
        one = np.where(inside > 0, i0(plan.beta * np.sqrt(inside)) / i0(plan.beta), 0)
        total = (total[:, :, None] * one[:, None, :]).reshape(len(k), -1)
    return total


@pytest.mark.parametrize("shape", [(14,), (12, 15), (6, 7, 8)])
def test_spread_and_interpolate_by_definition(shape):
    rng = np.random.default_rng(0)
    k = random_coordinates(rng, 60, shape)
    nufft = mr.NUFFT(k, shape, eps=1e-6, coils=3)
    matrix = kernel_matrix(nufft, k, shape)
    samples = complex_normal(rng, (3, 60), np.complex128)
    cells = nufft.grid_shape(np.complex128)
    spread = nufft.spread(samples)
    assert spread.shape == (3, *cells)
    assert relative_error(spread.reshape(3, -1), samples @ matrix) < 1e-7
    grid = complex_normal(rng, (3, *cells), np.complex128)
    assert relative_error(nufft.interpolate(grid), grid.reshape(3, -1) @ matrix.T) < 1e-7


def test_spread_and_interpolate_shapes():
    k = np.zeros((4, 5, 2))
    nufft = mr.NUFFT(k, (16, 16))
    ones = np.ones((4, 5), np.float32)
    assert nufft.interpolate(nufft.spread(ones)).shape == (4, 5)
    with pytest.raises(prc.ShapeError, match=r"samples has shape \(4, 6\)"):
        nufft.spread(np.ones((4, 6)))
    with pytest.raises(prc.ShapeError, match="grid has shape"):
        nufft.interpolate(np.ones((3, 3)))


@pytest.mark.parametrize("oversampling", [1.125, 1.25, 1.4, 1.75, 2.0, 3.0])
@pytest.mark.parametrize("shape", [(33,), (24, 31)])
def test_oversampling_direct_sum(oversampling, shape):
    rng = np.random.default_rng(1)
    k = random_coordinates(rng, 200, shape)
    image = complex_normal(rng, (2, *shape))
    nufft = mr.NUFFT(k, shape, eps=3e-4, oversampling=oversampling)
    assert nufft.grid_shape()[0] >= oversampling * shape[0] - 1e-9
    assert relative_error(nufft.forward(image), direct_nudft(image, k, shape)) < 4e-4


def test_bad_oversampling():
    with pytest.raises(prc.DataError, match="oversampling is 1.0; usable are"):
        mr.NUFFT(np.zeros((3, 2)), (16, 16), oversampling=1.0)
    with pytest.raises(prc.DataError, match="oversampling 1.125 is .*e-0"):
        mr.NUFFT(np.zeros((3, 3)), (64, 64, 64), eps=1e-6, oversampling=1.125).forward(
            np.ones((64, 64, 64), np.complex64)
        )


def test_out():
    rng = np.random.default_rng(2)
    nufft = mr.NUFFT(random_coordinates(rng, 50, (16, 18)), (16, 18))
    x, y = complex_normal(rng, (2, 16, 18)), complex_normal(rng, (2, 50))
    out = np.empty_like(y)
    assert nufft.forward(x, out=out) is out
    assert np.array_equal(out, nufft.forward(x))
    back = np.empty_like(x)
    assert nufft.adjoint(y, out=back) is back
    assert np.array_equal(back, nufft.adjoint(y))
    with pytest.raises(prc.ShapeError, match=r"out has shape \(50,\)"):
        nufft.forward(x, out=out[0])
    with pytest.raises(prc.DataError, match="dtype"):
        nufft.forward(x, out=out.astype(np.complex128))
    with pytest.raises(prc.DataError, match="contiguous"):
        nufft.forward(x, out=np.empty((2, 100), np.complex64)[:, ::2])
    out.flags.writeable = False
    with pytest.raises(prc.DataError, match="read-only"):
        nufft.forward(x, out=out)


def test_stack_of_slices_direct_sum():
    rng = np.random.default_rng(3)
    k = random_coordinates(rng, 60, (14, 16)).reshape(6, 10, 2)
    stack = complex_normal(rng, (3, 7, 14, 16))
    nufft = mr.NUFFT(k, (14, 16))
    expected = direct_nudft(stack.reshape(21, 14, 16), k.reshape(-1, 2), (14, 16))
    assert relative_error(nufft.forward(stack), expected.reshape(3, 7, 6, 10)) < 1e-3


@pytest.mark.parametrize("samples", [1, 2])
def test_few_samples(samples):
    rng = np.random.default_rng(4)
    k = np.array([[3.3, -4.4], [8.0, -8.0]])[:samples]
    image = complex_normal(rng, (12, 16, 16))
    nufft = mr.NUFFT(k, (16, 16), eps=1e-5)
    assert relative_error(nufft.forward(image), direct_nudft(image, k, (16, 16))) < 1e-4


def test_no_samples():
    with pytest.raises(prc.ShapeError, match="at least one sample"):
        mr.NUFFT(np.zeros((0, 2)), (16, 16))
