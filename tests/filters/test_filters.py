"""Filters against SciPy, their own definitions, and their CUDA twins."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

import pyrad_core as prc
from pyrad_core import filters
from pyrad_core._kernels import cpu

SCIPY = {"zero": "constant", "nearest": "nearest", "periodic": "wrap", "mirror": "reflect"}
NUMBERS = {name: i for i, name in enumerate(SCIPY)}


@settings(max_examples=40, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 5), st.integers(1, 40), st.sampled_from([1, 2, 63, 130, 700])),
    count=st.integers(1, 21),
    boundary=st.sampled_from(sorted(SCIPY)),
    dtype=st.sampled_from([np.float32, np.float64]),
    data=st.data(),
)
def test_convolve_axis_scipy(shape, count, boundary, dtype, data):
    centre = data.draw(st.integers(0, count - 1))
    rng = np.random.default_rng(0)
    x, taps = rng.normal(size=shape).astype(dtype), rng.normal(size=count).astype(dtype)
    out = np.empty_like(x)
    cpu.convolve_axis(x, taps, centre, NUMBERS[boundary], out)
    expected = ndimage.convolve1d(
        x.astype(np.float64),
        taps.astype(np.float64),
        axis=1,
        mode=SCIPY[boundary],
        origin=centre - count // 2,
    )
    np.testing.assert_allclose(out, expected, atol=(1e-5 if dtype == np.float32 else 1e-12) * count)


@pytest.mark.parametrize("boundary", sorted(SCIPY))
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(3, 17, 5), (1, 9, 70), (40, 33, 1), (2, 1, 3)])
def test_convolve_axis_parity(device, shape, dtype, boundary):
    rng = np.random.default_rng(1)
    x, taps = rng.normal(size=shape).astype(dtype), rng.normal(size=6).astype(dtype)
    expected = np.empty_like(x)
    cpu.convolve_axis(x, taps, 3, NUMBERS[boundary], expected)
    with device:
        out = device.array(np.zeros_like(x))
        device.kernels.convolve_axis(device.array(x), device.array(taps), 3, NUMBERS[boundary], out)
        found = device.numpy(out)
    np.testing.assert_allclose(found, expected, atol=1e-5 if dtype == np.float32 else 1e-13)


CALLS = {
    "mean": lambda x: filters.mean(x, support=3),
    "laplacian_of_gaussian": lambda x: filters.laplacian_of_gaussian(x, sigma=1.2),
    "laws": lambda x: filters.laws(x, "L5E5S3", pooling="max", energy_distance=2),
    "gabor": lambda x: filters.gabor(
        x, sigma=2, wavelength=3, angle_step=np.pi / 2, planes="orthogonal"
    ),
    "separable_wavelet": lambda x: filters.separable_wavelet(
        x, "db2", "LLH", level=2, pooling="mean"
    ),
    "nonseparable_wavelet": lambda x: filters.nonseparable_wavelet(x, family="shannon"),
    "riesz": lambda x: filters.riesz(x, (1, 0, 1), sigma=1.0),
}


@pytest.mark.parametrize("name", CALLS)
def test_filters_on_a_device(device, name):
    x = np.random.default_rng(2).normal(size=(9, 11, 8)).astype(np.float32)
    expected = CALLS[name](x)
    with device:
        found = device.numpy(CALLS[name](device.array(x)))
    assert expected.dtype == found.dtype == np.float32
    assert expected.shape == x.shape
    np.testing.assert_allclose(found, expected, atol=2e-5 * np.abs(expected).max())


@pytest.mark.parametrize("name", CALLS)
def test_dtype_strides_and_threads(name):
    x = np.random.default_rng(3).normal(size=(9, 20, 8))
    double = CALLS[name](x)
    assert double.dtype == np.float64
    single = CALLS[name](x.astype(np.float32))
    np.testing.assert_allclose(single, double, atol=1e-4 * np.abs(double).max())
    view = np.repeat(x, 2, axis=1)[:, ::2]
    view.flags.writeable = False
    np.testing.assert_array_equal(CALLS[name](view), double)
    before = prc.num_threads()
    try:
        prc.set_num_threads(1)
        np.testing.assert_array_equal(CALLS[name](x), double)
    finally:
        prc.set_num_threads(before)


def test_laplacian_of_gaussian_scipy():
    x = np.random.default_rng(4).normal(size=(20, 24, 22))
    found = filters.laplacian_of_gaussian(x, sigma=3.0, spacing=(1.0, 2.0, 1.5), truncate=6)
    sigmas = (3.0, 1.5, 2.0)
    expected = sum(
        ndimage.gaussian_filter(x, sigmas, order=order, mode="reflect", truncate=6)
        for order in np.diag([2, 2, 2])
    )
    np.testing.assert_allclose(found, expected, atol=2e-3 * np.abs(expected).max())


def test_pooling_is_invariant_to_rotation():
    x = np.random.default_rng(5).normal(size=(8, 8, 8))
    for name in ("laws", "separable_wavelet"):
        turned = np.rot90(CALLS[name](x), axes=(0, 2))
        np.testing.assert_allclose(CALLS[name](np.rot90(x, axes=(0, 2))), turned, atol=1e-12)


def test_first_letter_acts_on_x():
    ramp = np.broadcast_to(np.arange(9.0), (7, 8, 9))
    edge = filters.laws(ramp, "E3L3L3", boundary="nearest")
    assert abs(edge[3, 4, 4]) > 1
    assert abs(filters.laws(ramp, "L3E3L3", boundary="nearest")[3, 4, 4]) < 1e-12
    assert abs(filters.riesz(ramp, (0, 1, 0))[3, 4, 4]) < 1e-12


def test_by_slice_equals_slices():
    x = np.random.default_rng(6).normal(size=(4, 12, 10))
    found = filters.laplacian_of_gaussian(x, sigma=1.0, by_slice=True)
    for volume_slice, image in zip(found, x, strict=True):
        expected = filters.laplacian_of_gaussian(image, sigma=1.0)
        np.testing.assert_array_equal(volume_slice, expected)


def test_gabor_prefers_its_wave():
    x = np.cos(2 * np.pi / 4 * np.arange(32)) * np.ones((32, 1))
    along = filters.gabor(x, sigma=3, wavelength=4)[16, 16]
    across = filters.gabor(x, sigma=3, wavelength=4, angle=np.pi / 2)[16, 16]
    assert along > 100 * across


X = np.ones((6, 6, 6))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: filters.mean(X, support=4), "support is 4"),
        (lambda: filters.mean(X, boundary="wrap"), "boundary is 'wrap'"),
        (lambda: filters.mean(X * np.nan), "NaN"),
        (lambda: filters.mean(X.astype(np.float16)), "float16"),
        (lambda: filters.mean(np.ones(5)), "dimensions"),
        (lambda: filters.laplacian_of_gaussian(X, sigma=-1), "sigma is -1"),
        (lambda: filters.laplacian_of_gaussian(X, sigma=1, spacing=(1, 2)), "spacing is"),
        (lambda: filters.laws(X, "E5L5"), "kernels is 'E5L5'"),
        (lambda: filters.laws(X, "E5L5Q5"), "unknown Laws kernel 'Q5'"),
        (lambda: filters.laws(X, "E5L5S5", pooling="median"), "pooling is 'median'"),
        (lambda: filters.gabor(X, sigma=1, wavelength=0), "wavelength is 0"),
        (lambda: filters.gabor(X, sigma=1, wavelength=2, angle_step=1), "angle_step is 1"),
        (
            lambda: filters.gabor(X, sigma=1, wavelength=2, spacing=(1, 1, 2), planes="orthogonal"),
            "resample",
        ),
        (lambda: filters.separable_wavelet(X, "db2", "LH"), "bands is 'LH'"),
        (lambda: filters.separable_wavelet(X, "db99", "LLH"), "db99"),
        (lambda: filters.nonseparable_wavelet(X, family="haar"), "family is 'haar'"),
        (lambda: filters.riesz(X, (0, 0, 0)), "order is"),
        (lambda: filters.riesz(X, (1, 0, 0), sigma=1, family="shannon"), "pass one of them"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(prc.PyradError, match=message):
        call()


def test_memory_of_whole_transforms():
    """Transform and response: the spectrum's values, several times the image, come in pieces."""
    import tracemalloc

    x = np.random.default_rng(0).normal(size=(160, 160, 160))
    filters.riesz(x[:8, :8, :8], (1, 0, 1), family="simoncelli")
    tracemalloc.start()
    filters.riesz(x, (1, 0, 1), family="simoncelli")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * x.nbytes


@pytest.mark.parametrize("endpoints", [False, True])
@pytest.mark.parametrize("shape", [(8, 6, 10), (7, 6, 9), (6, 5), (1, 4, 2)])
def test_spectra_are_those_of_the_whole_transform(shape, endpoints):
    """The half that is worked on gives the real part, Nyquist's frequencies included."""
    x = np.random.default_rng(6).normal(size=shape)
    along = [
        np.fft.ifftshift(np.linspace(-1, 1, n)) if endpoints and n > 1 else 2 * np.fft.fftfreq(n)
        for n in shape
    ]
    f = np.meshgrid(*along, indexing="ij")[::-1]
    norm = np.sqrt(sum(g**2 for g in f))
    for order in ((1, 0, 0), (0, 2, 0), (1, 1, 0), (0, 1, 2)):
        order = order[-len(shape) :] if sum(order[-len(shape) :]) else order[: len(shape)]
        total = sum(order)
        scale = math.factorial(total) / math.prod(math.factorial(p) for p in order)
        transfer = (-1j) ** total * math.sqrt(scale) / np.where(norm > 0, norm, 1) ** total
        for g, power in zip(f, order, strict=True):
            transfer = transfer * g**power
        expected = np.fft.ifftn(np.fft.fftn(x) * transfer).real
        found = filters.riesz(x, order, endpoints=endpoints)
        np.testing.assert_allclose(found, expected, atol=1e-13)
        band = ((norm > 0.5) & (norm <= 1)) * transfer
        found = filters.riesz(x, order, family="shannon", endpoints=endpoints)
        np.testing.assert_allclose(found, np.fft.ifftn(np.fft.fftn(x) * band).real, atol=1e-13)
