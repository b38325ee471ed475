"""Gabor filters: kernel against SciPy, its CUDA twin, both routes against the definition."""

import importlib
import math

import numpy as np
import pytest
from scipy import ndimage, signal

import pyrad_core as prc
from pyrad_core import filters
from pyrad_core._kernels import cpu

module = importlib.import_module("pyrad_core.filters.gabor")
SCIPY = {"zero": "constant", "nearest": "nearest", "periodic": "wrap", "mirror": "reflect"}
PARTS = (np.abs, np.real, np.imag, np.angle)


def draw(*shape, dtype=np.float64, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


@pytest.mark.sanitize
@pytest.mark.parametrize("dtype", (np.float32, np.float64))
@pytest.mark.parametrize("boundary", sorted(SCIPY))
@pytest.mark.parametrize("shape", [(2, 17, 1, 150, 1), (1, 20, 2, 19, 21), (3, 5, 2, 40, 1)])
def test_planes_scipy(shape, boundary, dtype):
    x, taps = draw(*shape, dtype=dtype), draw(3, 4, 7, dtype=dtype, seed=1)
    line = {"mode": SCIPY[boundary]}
    expected = 0
    for re_a, im_a, re_b, im_b in taps.astype(np.float64):
        along = ndimage.convolve1d(x.astype(np.complex128), re_b + 1j * im_b, axis=3, **line)
        expected = expected + ndimage.convolve1d(along, re_a + 1j * im_a, axis=1, **line)
    for part in range(3):
        out = np.empty_like(x)
        cpu.gabor_planes(x, taps, list(SCIPY).index(boundary), 0, 0, part, out)
        limit = 1e-5 if dtype == np.float32 else 1e-13
        assert np.abs(out - PARTS[part](expected)).max() <= limit * np.abs(expected).max()


@pytest.mark.parametrize("part", range(4))
@pytest.mark.parametrize("shape", [(2, 9, 1, 20, 1), (1, 6, 2, 5, 10)])
def test_planes_parity(device, shape, part):
    for dtype, rank, boundary in ((np.float32, 1, 3), (np.float64, 2, 0), (np.float64, 1, 2)):
        x, taps = draw(*shape, dtype=dtype), draw(rank, 4, 5, dtype=dtype, seed=1)
        window = x[:, 2:6, :, 1:4]
        expected = np.empty(window.shape, dtype)
        cpu.gabor_planes(x, taps, boundary, 2, 1, part, expected)
        with device:
            out = device.array(np.zeros_like(expected))
            device.kernels.gabor_planes(
                device.array(x), device.array(taps), boundary, 2, 1, part, out
            )
            found = device.numpy(out)
        np.testing.assert_allclose(found, expected, atol=2e-4 if dtype == np.float32 else 1e-12)


def defined(x, axes, sigma, wavelength, aspect, angle):
    """The complex response by the formula, mirrored; axes: those of a and b."""
    reach = math.ceil(module.envelope_reach(sigma, aspect))
    a, b = np.meshgrid(*(np.arange(-reach, reach + 1),) * 2, indexing="ij")
    along = a * math.cos(angle) + b * math.sin(angle)
    across = b * math.cos(angle) - a * math.sin(angle)
    kernel = np.exp(-(along**2 + (aspect * across) ** 2) / (2 * sigma**2))
    kernel = kernel * np.exp(2j * math.pi * along / wavelength)
    moved = np.moveaxis(x, axes, (-2, -1))
    wide = np.pad(moved, [(0, 0)] * (x.ndim - 2) + [(reach, reach)] * 2, mode="symmetric")
    kernel = kernel.reshape((1,) * (x.ndim - 2) + kernel.shape)
    filtered = signal.fftconvolve(wide, kernel, mode="valid", axes=(-2, -1))
    return np.moveaxis(filtered, (-2, -1), axes)


@pytest.mark.parametrize("most_taps", (0, 1 << 20))
@pytest.mark.parametrize(("aspect", "angle"), [(1.0, 0.4), (1.5, 0.0), (0.6, 1.1)])
def test_both_routes_are_the_definition(monkeypatch, most_taps, aspect, angle):
    monkeypatch.setattr(module, "_MOST_TAPS", most_taps)
    options = {"sigma": 1.7, "wavelength": 3.1, "aspect": aspect, "angle": angle}
    for x in (draw(4, 30, 27), draw(33, 20)):
        axes = (x.ndim - 1, x.ndim - 2)
        expected = defined(x, axes, 1.7, 3.1, aspect, angle)
        for name, part in zip(module.RESPONSES[:3], PARTS[:3], strict=True):
            found = filters.gabor(x, response=name, **options)
            np.testing.assert_allclose(found, part(expected), atol=1e-11 * np.abs(expected).max())
        turn = np.exp(1j * (filters.gabor(x, response="phase", **options) - np.angle(expected)))
        strong = np.abs(expected) > 1e-3 * np.abs(expected).max()
        assert np.abs(turn - 1)[strong].max() < 1e-7
    x = draw(20, 18, 19)
    found = filters.gabor(x, planes="orthogonal", **options)
    expected = np.mean(
        [np.abs(defined(x, pair, 1.7, 3.1, aspect, angle)) for pair in ((2, 1), (2, 0), (1, 0))],
        axis=0,
    )
    np.testing.assert_allclose(found, expected, atol=1e-11 * expected.max())


def test_single_precision_of_products_of_lines(monkeypatch):
    x = draw(3, 40, 50)
    options = {"sigma": 2.5, "wavelength": 4.0, "aspect": 1.5, "angle_step": math.pi / 4}
    monkeypatch.setattr(module, "_MOST_TAPS", 1 << 20)
    exact, single = filters.gabor(x, **options), filters.gabor(x.astype(np.float32), **options)
    assert np.abs(single - exact).max() < 2e-6 * exact.max()


def test_a_window_equals_the_whole():
    x = draw(12, 40, 36)
    window = (slice(2, 9), slice(0, 21), slice(15, 36))
    options = {
        "sigma": 1.5, "wavelength": 3.0, "aspect": 1.2, "angle": 0.0, "angle_step": math.pi / 4,
        "pooling": "mean", "response": "modulus", "planes": "orthogonal", "boundary": "mirror",
        "spacing": None,
    }  # fmt: skip
    part, whole = module.respond(x, window, **options), module.respond(x, None, **options)
    np.testing.assert_allclose(part, whole[window], atol=1e-12)


@pytest.mark.sanitize
def test_bits_do_not_depend_on_threads_or_register_width():
    x = draw(5, 70, 300, dtype=np.float32)
    before, results = prc.num_threads(), {}
    try:
        for threads in (1, 2, 5):
            prc.set_num_threads(threads)
            results[threads] = filters.gabor(x, sigma=2, wavelength=4)
    finally:
        prc.set_num_threads(before)
    assert all(np.array_equal(other, results[1]) for other in results.values())
    former = cpu.limit_vector_width(16)
    try:
        for width in (0, 8):
            cpu.limit_vector_width(width)
            found = filters.gabor(x, sigma=2, wavelength=4)
            np.testing.assert_allclose(found, results[1], atol=1e-5 * results[1].max())
    finally:
        cpu.limit_vector_width(former)


def test_tables_of_the_wrong_shape():
    x, out = np.zeros((1, 4, 1, 4, 1)), np.zeros((1, 4, 1, 4, 1))
    with pytest.raises(prc.ShapeError, match="expected"):
        cpu.gabor_planes(x, np.zeros((1, 4, 4)), 0, 0, 0, 0, out)
    with pytest.raises(prc.ShapeError, match="axis 2 of out"):
        cpu.gabor_planes(x, np.zeros((1, 4, 5)), 0, 0, 0, 0, np.zeros((1, 4, 2, 4, 1)))
    with pytest.raises(prc.DataError, match="part is 4"):
        cpu.gabor_planes(x, np.zeros((1, 4, 5)), 0, 0, 0, 4, out)
