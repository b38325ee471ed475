"""NUFFT against the direct sum (absolute scale), as an exact adjoint pair, and on bad input."""

import numpy as np
import pytest
from helpers import assert_adjoint, relative_error
from hypothesis import given, settings
from hypothesis import strategies as st

import pyrad_core as prc
from pyrad_core import mr

from .oracles import complex_normal, direct_nudft, random_coordinates

SHAPES = [(37,), (64,), (31, 42), (64, 64), (1, 33), (12, 13, 17)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("eps", [1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6])
def test_forward_direct_sum(shape, eps):
    rng = np.random.default_rng(0)
    k = random_coordinates(rng, 300, shape)
    image = complex_normal(rng, (3, *shape))
    assert (
        relative_error(mr.NUFFT(k, shape, eps=eps).forward(image), direct_nudft(image, k, shape))
        < eps
    )


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("eps", [1e-6, 1e-9, 1e-12])
def test_forward_direct_sum_double(shape, eps):
    rng = np.random.default_rng(1)
    k = random_coordinates(rng, 200, shape)
    image = complex_normal(rng, (1, *shape), np.complex128)
    assert (
        relative_error(mr.NUFFT(k, shape, eps=eps).forward(image), direct_nudft(image, k, shape))
        < eps
    )


@pytest.mark.parametrize("size", [61, 62, 63, 64])
def test_cubes_direct_sum(size):
    rng = np.random.default_rng(2)
    shape = (size,) * 3
    k = random_coordinates(rng, 40, shape)
    image = complex_normal(rng, (1, *shape))
    assert relative_error(mr.NUFFT(k, shape).forward(image), direct_nudft(image, k, shape)) < 1e-3


@settings(max_examples=20, deadline=None)
@given(
    shape=st.lists(st.integers(1, 40), min_size=1, max_size=3),
    samples=st.integers(100, 300),  # fewer do not average the rounding of float32
    coils=st.integers(1, 21),
    double=st.booleans(),
)
def test_any_shape_direct_sum_and_adjoint(shape, samples, coils, double):
    rng = np.random.default_rng(3)
    dtype = np.complex128 if double else np.complex64
    k = random_coordinates(rng, samples, shape)
    image = complex_normal(rng, (coils, *shape), dtype)
    nufft = mr.NUFFT(k, shape, eps=1e-4, coils=coils)
    got = nufft.forward(image)
    assert got.dtype == dtype
    # The bound holds on average over samples and pixels; few of either may exceed it slightly.
    assert relative_error(got, direct_nudft(image, k, shape)) < 3e-4
    assert_adjoint(nufft, complex_domain=True, dtype=np.float64 if double else np.float32)


def test_leading_axes_and_sample_axes():
    rng = np.random.default_rng(4)
    k = random_coordinates(rng, 24, (20, 22)).reshape(4, 6, 2)
    nufft = mr.NUFFT(k, (20, 22))
    image = complex_normal(rng, (2, 3, 20, 22))
    kspace = nufft.forward(image)
    assert kspace.shape == (2, 3, 4, 6)
    # A block of coils is rounded like one coil: the same arithmetic per lane.
    assert relative_error(kspace[1, 2], nufft.forward(image[1, 2])) < 1e-6
    assert nufft.adjoint(kspace).shape == image.shape
    assert nufft.forward(image.real).shape == kspace.shape


def test_same_bits_for_any_number_of_threads():
    rng = np.random.default_rng(5)
    k = random_coordinates(rng, 20000, (96, 80))
    image, kspace = complex_normal(rng, (5, 96, 80)), complex_normal(rng, (5, 20000))
    results = []
    for threads in (1, 2, 3):
        with prc.set_num_threads(threads):
            nufft = mr.NUFFT(k, (96, 80))
            results.append((nufft.forward(image), nufft.adjoint(kspace)))
    for forward, adjoint in results[1:]:
        assert np.array_equal(forward, results[0][0]) and np.array_equal(adjoint, results[0][1])


def test_clustered_samples_leave_tiles_empty():
    rng = np.random.default_rng(6)
    k = np.concatenate([rng.normal(0, 0.5, (500, 2)), np.full((50, 2), 30.0)])
    image = complex_normal(rng, (2, 128, 128))
    nufft = mr.NUFFT(k, (128, 128), coils=2)
    assert relative_error(nufft.forward(image), direct_nudft(image, k, (128, 128))) < 2e-3
    assert_adjoint(nufft, complex_domain=True)


@pytest.mark.parametrize("shape", [(40, 36), (14, 15), (20, 12, 16)])
def test_crowded_tile_is_shared_out(shape):
    rng = np.random.default_rng(9)
    k = rng.normal(0, 0.4, (40_000, len(shape)))
    k[:500] = random_coordinates(rng, 500, shape)
    samples, image = complex_normal(rng, (3, 40_000)), complex_normal(rng, (3, *shape))
    results = []
    for threads in (1, 3):
        with prc.set_num_threads(threads):
            nufft = mr.NUFFT(k, shape, coils=3)
            results.append(nufft.adjoint(samples))
    assert np.array_equal(*results)
    assert_adjoint(nufft, complex_domain=True)
    some = rng.integers(0, 40_000, 100)
    expected = direct_nudft(image, k[some], shape)
    assert relative_error(nufft.forward(image)[:, some], expected) < 1e-3


@pytest.mark.sanitize
@pytest.mark.parametrize("coils", [1, 2, 4, 7, 12, 16])
@pytest.mark.parametrize("shape, eps", [((40, 37), 1e-5), ((40, 37), 1e-2), ((9, 12, 14), 1e-3)])
def test_every_vector_width(coils, shape, eps):
    """Hand-written loops against the plain ones."""
    from pyrad_core._kernels import cpu

    rng = np.random.default_rng(10)
    k = np.concatenate([random_coordinates(rng, 300, shape), rng.normal(0, 1, (300, len(shape)))])
    image, samples = complex_normal(rng, (coils, *shape)), complex_normal(rng, (coils, 600))
    results = []
    for floats in (0, 8, 16):
        former = cpu.limit_vector_width(floats)
        try:
            nufft = mr.NUFFT(k, shape, eps=eps)
            results.append((nufft.forward(image), nufft.adjoint(samples)))
        finally:
            cpu.limit_vector_width(former)
    for forward, adjoint in results[1:]:
        assert relative_error(forward, results[0][0]) < 1e-6
        assert relative_error(adjoint, results[0][1]) < 1e-6


def test_closed_edge_is_periodic():
    image = complex_normal(np.random.default_rng(7), (32, 32))
    nufft = mr.NUFFT([[-16.0, 3.0], [16.0, 3.0]], (32, 32))
    low, high = nufft.forward(image)
    assert abs(low - high) < 1e-5 * abs(low)


def test_strided_and_read_only_input():
    rng = np.random.default_rng(8)
    nufft = mr.NUFFT(random_coordinates(rng, 30, (16, 16)), (16, 16))
    image = complex_normal(rng, (4, 16, 16))
    frozen = image.copy()
    frozen.flags.writeable = False
    assert np.array_equal(nufft.forward(image[::2]), nufft.forward(frozen[::2].copy()))


def test_bad_input_48_nan_coordinate():
    k = np.zeros((10, 2))
    k[7, 1] = np.nan
    with pytest.raises(prc.DataError, match=r"coordinates holds 1 NaN.*\(7, 1\)"):
        mr.NUFFT(k, (16, 16))


@pytest.mark.parametrize("value", [8.1, -9.0, 1e9, 1e300])
def test_bad_input_49_coordinate_outside(value):
    k = np.zeros((3, 4, 2))
    k[2, 1, 0] = value
    with pytest.raises(prc.DataError, match=r"1 samples outside.*\(2, 1\)"):
        mr.NUFFT(k, (16, 16))


def test_bad_input_50_lengths_differ():
    nufft = mr.NUFFT(np.zeros((10, 2)), (16, 16))
    with pytest.raises(prc.ShapeError, match=r"\(3, 11\).*10"):
        nufft.adjoint(np.zeros((3, 11), np.complex64))
    with pytest.raises(prc.ShapeError, match=r"\(10, 3\).*\(16, 16\)"):
        mr.NUFFT(np.zeros((10, 3)), (16, 16))


@pytest.mark.parametrize("eps", [0.0, -1.0, 1e-20, 2.0, np.nan])
def test_bad_input_59_eps(eps):
    with pytest.raises(prc.DataError, match=r"eps is|finite"):
        mr.NUFFT(np.zeros((10, 2)), (16, 16), eps=eps)


def test_bad_input_59_eps_beyond_single_precision():
    nufft = mr.NUFFT(np.zeros((10, 2)), (16, 16), eps=1e-9)
    nufft.forward(np.ones((16, 16), np.complex128))
    with pytest.raises(prc.DataError, match="smallest usable eps is 5e-07"):
        nufft.forward(np.ones((16, 16), np.complex64))


def test_bad_input_61_half_precision():
    with pytest.raises(prc.DataError, match="float16"):
        mr.NUFFT(np.zeros((10, 2), np.float16), (16, 16))
    with pytest.raises(prc.DataError, match="float16"):
        mr.NUFFT(np.zeros((10, 2)), (16, 16)).forward(np.zeros((16, 16), np.float16))
