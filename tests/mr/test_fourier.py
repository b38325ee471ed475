"""Centred unitary FFT against its definition."""

import numpy as np
import pytest
from helpers import relative_error
from hypothesis import given, settings
from hypothesis import strategies as st

import pyrad_core as prc
from pyrad_core import mr

from .oracles import complex_normal, direct_nudft


@settings(max_examples=20, deadline=None)
@given(shape=st.lists(st.integers(1, 12), min_size=1, max_size=3), double=st.booleans())
def test_fft_direct_sum(shape, double):
    dtype = np.complex128 if double else np.complex64
    x = complex_normal(np.random.default_rng(0), (2, *shape), dtype)
    grid = np.meshgrid(*[np.arange(n) - n // 2 for n in shape], indexing="ij")
    k = np.stack([g.reshape(-1) for g in grid], -1)
    axes = tuple(range(1, len(shape) + 1))
    got = mr.fft(x, axes=axes)
    assert got.dtype == dtype and got.shape == x.shape
    tolerance = 1e-13 if double else 1e-6
    assert relative_error(got.reshape(2, -1), direct_nudft(x, k, shape)) < tolerance
    assert relative_error(mr.ifft(got, axes=axes), x) < tolerance


def test_fft_and_nufft_on_a_phantom_closed_form():
    phantom = prc.phantom.shepp_logan(2)
    n = 128
    volume = prc.Volume((n, n), spacing=2.0 / n)
    k = np.stack(np.meshgrid(*[np.arange(n) - n // 2] * 2, indexing="ij"), -1).astype(float)
    closed = phantom.kspace(k, volume)
    image = phantom.raster(volume, supersample=8).astype(np.complex64)
    near = slice(n // 2 - 16, n // 2 + 16)  # a raster has the low frequencies of the object
    ours = mr.fft(image)
    nufft = mr.NUFFT(k, (n, n), eps=1e-5).forward(image)
    assert relative_error(nufft, ours) < 1e-5
    scale = np.vdot(closed[near, near], ours[near, near]) / np.vdot(
        closed[near, near], closed[near, near]
    )
    assert abs(scale.imag) < 0.01 * abs(scale)
    assert relative_error(ours[near, near], scale * closed[near, near]) < 0.03


def test_real_integer_and_float_input():
    x = np.arange(12).reshape(3, 4)
    assert mr.fft(x).dtype == np.complex64
    assert mr.fft(x.astype(np.float64)).dtype == np.complex128


def test_axes_are_checked():
    with pytest.raises(prc.DataError, match="axes is"):
        mr.fft(np.zeros((3, 4)), axes=(0, 2))
    with pytest.raises(prc.DataError, match="each axis once"):
        mr.fft(np.zeros((3, 4)), axes=(0, 0))


def test_bad_input_60_nan():
    x = np.zeros((3, 4), np.complex64)
    x[1, 2] = np.nan
    with pytest.raises(prc.DataError, match=r"kspace holds 1 NaN.*\(1, 2\)"):
        mr.ifft(x)
