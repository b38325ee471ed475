"""Filters of half spectra: the fused kernel, its product, and their CUDA twins."""

import numpy as np
import pytest
import scipy.fft
from hypothesis import given, settings
from hypothesis import strategies as st

import pyrad_core as prc
from pyrad_core import filters
from pyrad_core._kernels import cpu
from pyrad_core.errors import DataError, ShapeError

DTYPES = (np.float32, np.float64)
ROUNDING = {np.float32: 1e-6, np.float64: 1e-14}


def frequencies_of(shape, endpoints):
    along = []
    for n in shape:
        f = 2 * np.fft.fftfreq(n)
        if endpoints and n > 1:
            f = np.fft.ifftshift(np.linspace(-1, 1, n))
        along.append(np.stack([f, -np.roll(f[::-1], 1)]))
    return np.ascontiguousarray(np.concatenate(along, axis=1))


def transfer_of(shape, frequencies, powers, factor, band, scale):
    """The definition, on the half that rfftn returns."""
    mean = 0
    for side in frequencies:
        z, y, x = np.split(side, np.cumsum(shape[:2]))
        f = np.meshgrid(z, y, x[: shape[2] // 2 + 1], indexing="ij")
        length = np.sqrt((f[2] ** 2 + f[1] ** 2) + f[0] ** 2)
        v = scale * length
        response = {
            0: np.ones_like(v),
            1: np.cos(np.pi / 2 * np.log2(2 * np.clip(v, 0.25, 1))) * ((v >= 0.25) & (v <= 1)),
            2: (v > 0.5) & (v <= 1),
        }[band]
        riesz = np.prod([g**p for g, p in zip(f, powers, strict=True)], axis=0)
        riesz = riesz / np.where(length > 0, length, 1) ** sum(powers)
        mean = mean + riesz * response / 2
    return (-1j) ** sum(powers) * factor * mean


@settings(max_examples=25, deadline=None)
@given(
    shape=st.tuples(*[st.integers(1, n) for n in (3, 20, 40, 70)]),
    powers=st.tuples(*[st.integers(0, 2)] * 3),
    band=st.integers(0, 2),
    scale=st.sampled_from([1.0, 2.0]),
    endpoints=st.booleans(),
    dtype=st.sampled_from(DTYPES),
)
def test_kernels_by_definition(shape, powers, band, scale, endpoints, dtype):
    x = np.random.default_rng(0).normal(size=shape).astype(dtype)
    frequencies = frequencies_of(shape[1:], endpoints)
    args = (frequencies, powers, 1.5, band, scale)
    transfer = transfer_of(shape[1:], *args)
    axes = (1, 2, 3)
    spectrum = scipy.fft.rfftn(x, axes=axes)
    expected = scipy.fft.irfftn(
        scipy.fft.rfftn(x.astype(np.float64), axes=axes) * transfer, s=shape[1:], axes=axes
    )
    out = np.empty_like(x)
    cpu.spectral_filter(x, *args, out)
    atol = 3 * ROUNDING[dtype] * max(1, np.abs(transfer).max())
    np.testing.assert_allclose(out, expected, atol=atol * np.abs(x).max())
    cpu.multiply_transfer(spectrum, shape[3], *args)
    response = scipy.fft.irfftn(spectrum, s=shape[1:], axes=axes, norm="forward")
    np.testing.assert_allclose(response, expected, atol=atol * np.abs(x).max())


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(40, 48, 36), (33, 35, 150), (1, 70, 131), (5, 1, 260)])
def test_bits_do_not_depend_on_threads_and_registers(shape, dtype):
    x = np.random.default_rng(1).normal(size=shape).astype(dtype)
    expected = filters.riesz(x, (1, 2, 0))
    with prc.set_num_threads(1):
        np.testing.assert_array_equal(filters.riesz(x, (1, 2, 0)), expected)
    for width in (0, 8):
        former = cpu.limit_vector_width(width)
        try:
            np.testing.assert_array_equal(filters.riesz(x, (1, 2, 0)), expected)
        finally:
            cpu.limit_vector_width(former)


@pytest.mark.parametrize("shape", [(6, 37, 8), (82, 4, 5), (3, 4, 74)])
def test_sizes_with_large_primes(shape):
    """These go through SciPy's transforms."""
    x = np.random.default_rng(2).normal(size=shape)
    out = np.empty((1, *shape))
    cpu.spectral_filter(x[None], frequencies_of(shape, False), (0, 1, 1), 2**0.5, 1, 1.0, out)
    found = filters.riesz(x, (1, 1, 0), family="simoncelli")
    np.testing.assert_allclose(found, out[0], atol=1e-14)


@pytest.mark.parametrize("by_slice", [False, True])
def test_slices_of_a_volume(by_slice):
    x = np.random.default_rng(3).normal(size=(5, 18, 22))
    if by_slice:
        found = filters.riesz(x, (0, 1), by_slice=True)
        expected = np.stack([filters.riesz(image, (0, 1)) for image in x])
    else:
        found, expected = filters.riesz(x[:1], (0, 1, 0))[0], filters.riesz(x[0], (0, 1))
    np.testing.assert_allclose(found, expected, atol=1e-14)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("endpoints", [False, True])
@pytest.mark.parametrize("band", [0, 1, 2])
def test_parity(device, band, endpoints, dtype):
    shape = (2, 5, 6, 9)
    x = np.random.default_rng(4).normal(size=shape).astype(dtype)
    frequencies, rest = frequencies_of(shape[1:], endpoints), ((1, 0, 2), 0.7, band, 1.0)
    expected, spectrum = np.empty_like(x), scipy.fft.rfftn(x, axes=(1, 2, 3))
    cpu.spectral_filter(x, frequencies, *rest, expected)
    product = spectrum.copy()
    cpu.multiply_transfer(product, shape[3], frequencies, *rest)
    with device:
        out, table = device.array(np.zeros_like(x)), device.array(frequencies)
        device.kernels.spectral_filter(device.array(x), table, *rest, out)
        found, spectrum = device.numpy(out), device.array(spectrum)
        device.kernels.multiply_transfer(spectrum, shape[3], table, *rest)
        spectrum = device.numpy(spectrum)
    np.testing.assert_allclose(found, expected, atol=3 * ROUNDING[dtype])
    np.testing.assert_allclose(spectrum, product, atol=3 * ROUNDING[dtype])


def test_kernels_refuse_what_does_not_fit():
    x = np.zeros((1, 4, 4, 4), np.float32)
    table = frequencies_of((4, 4, 4), False)
    with pytest.raises(ShapeError, match="frequencies has shape"):
        cpu.spectral_filter(x, table[:, 1:].copy(), (1, 0, 0), 1.0, 0, 1.0, x.copy())
    with pytest.raises(ShapeError, match="out has shape"):
        cpu.spectral_filter(x, table, (1, 0, 0), 1.0, 0, 1.0, x[:, :3].copy())
    with pytest.raises(DataError, match="band is 3"):
        cpu.spectral_filter(x, table, (1, 0, 0), 1.0, 3, 1.0, x.copy())
    with pytest.raises(DataError, match="powers hold -1"):
        cpu.spectral_filter(x, table, (-1, 0, 0), 1.0, 0, 1.0, x.copy())
    spectrum = np.zeros((1, 4, 4, 3), np.complex64)
    with pytest.raises(ShapeError, match="but nx is 6"):
        cpu.multiply_transfer(spectrum, 6, frequencies_of((4, 4, 6), False), (1, 0, 0), 1, 0, 1)
