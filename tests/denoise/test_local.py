"""Median, rank, percentile, Gaussian and bilateral filters."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import scipy.ndimage as ndi
from hypothesis import given, settings
from hypothesis import strategies as st

import pyrad_core as prc
from pyrad_core._kernels import cpu
from pyrad_core.denoise import bilateral, gaussian, median, percentile, rank
from pyrad_core.errors import DataError, ShapeError

MODES = {"mirror": "reflect", "nearest": "nearest", "periodic": "wrap", "zero": "constant"}
SHAPES = [(7,), (40,), (9, 33), (6, 7, 50), (3, 4, 5, 37), (1, 1, 9), (1, 40, 40)]
FILTERS = [
    lambda x, **options: median(x, **options),
    lambda x, **options: bilateral(x, sigma_space=1.0, sigma_range=0.5, **options),
    lambda x, **options: gaussian(x, sigma=1.0, **options),
]


def image_of(shape, dtype=np.float32, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


# --- rank filters --------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("boundary", MODES)
def test_rank_filters_scipy(shape, boundary):
    for dtype in (np.float32, np.float64):
        x = image_of(shape, dtype)
        for width in (1, 2, 3, 5) if len(shape) < 4 else (2, 3):
            size, mode = (width,) * len(shape), MODES[boundary]
            options = dict(size=size, boundary=boundary)
            assert np.array_equal(median(x, **options), ndi.median_filter(x, size, mode=mode))
            for place in (0, -1):
                expected = ndi.rank_filter(x, place, size, mode=mode)
                assert np.array_equal(rank(x, rank=place, **options), expected)
            expected = ndi.percentile_filter(x, 30, size, mode=mode)
            assert np.array_equal(percentile(x, percentile=30, **options), expected)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [(7, 7, 7), (10, 10, 10), (1, 1, 33)])
def test_wide_windows_scipy(dtype, size):
    x = image_of((6, 9, 40), dtype)
    assert np.array_equal(median(x, size=size), ndi.median_filter(x, size))


@settings(max_examples=15, deadline=None)
@given(st.data())
def test_any_footprint_scipy(data):
    ndim = data.draw(st.integers(2, 3))  # SciPy 1.17 takes a 1D footprint as if it were full
    shape = tuple(data.draw(st.integers(4, 20)) for _ in range(ndim))  # as wide as the window
    window = np.array(
        data.draw(st.lists(st.booleans(), min_size=3**ndim, max_size=3**ndim))
    ).reshape((3,) * ndim)
    window.flat[data.draw(st.integers(0, 3**ndim - 1))] = True
    x = np.round(image_of(shape, seed=data.draw(st.integers(0, 99))), 1)  # many equal values
    assert np.array_equal(median(x, footprint=window), ndi.median_filter(x, footprint=window))


def test_networks_of_every_size():
    """Sorted columns and their merging, for every rank."""
    x = image_of((5, 40))
    for height, width in itertools.product((1, 2, 3, 4), (1, 2, 3, 6)):
        for place in range(height * width):
            expected = ndi.rank_filter(x, place, (height, width), mode="nearest")
            got = rank(x, rank=place, size=(height, width), boundary="nearest")
            assert np.array_equal(got, expected), (height, width, place)


@pytest.mark.sanitize
def test_instruction_sets_agree():
    x = image_of((4, 9, 70))
    wide = median(x, size=5), bilateral(x, sigma_space=1.0, sigma_range=0.5)
    for width in (0, 8):
        before = cpu.limit_vector_width(width)
        try:
            assert np.array_equal(median(x, size=5), wide[0])
        finally:
            cpu.limit_vector_width(before)


def test_series_volume_by_volume():
    x = image_of((3, 4, 6, 20))
    for run in FILTERS:
        assert np.array_equal(run(x), np.stack([run(volume) for volume in x]))


# --- Gaussian ------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("boundary", MODES)
def test_gaussian_scipy(dtype, boundary):
    x = image_of((7, 20, 33), dtype)
    got = gaussian(x, sigma=(1.0, 2.0, 0.7), spacing=(2.0, 1.0, 1.0), boundary=boundary)
    expected = ndi.gaussian_filter(x.astype(float), (0.5, 2.0, 0.7), mode=MODES[boundary])
    assert got.dtype == dtype
    np.testing.assert_allclose(got, expected, atol=1e-6 if dtype == np.float32 else 1e-14)


def test_gaussian_variance_closed_form():
    point = np.zeros((1, 101))
    point[0, 50] = 1
    spread = gaussian(point, sigma=6.0, spacing=2.0, truncate=8.0)[0]
    x = 2.0 * (np.arange(101) - 50)
    assert spread.sum() == pytest.approx(1, abs=1e-12)
    assert (spread * x * x).sum() == pytest.approx(36, rel=1e-3)


# --- bilateral -----------------------------------------------------------------------------------


def bilateral_loop(x, sigma_space, sigma_range, radius, guide=None, spacing=None, ball=False):
    """The documented formula, offset by offset, in double precision; mirrored faces."""
    x = x.astype(float)
    g = x if guide is None else guide.astype(float)
    spacing = spacing or (1.0,) * x.ndim
    margins = [(r, r) for r in radius]
    wide_x, wide_g = np.pad(x, margins, mode="symmetric"), np.pad(g, margins, mode="symmetric")
    total = weights = 0
    for offset in itertools.product(*(range(-r, r + 1) for r in radius)):
        away = np.array(offset)
        if ball and ((away / np.maximum(radius, 1)) ** 2).sum() > 1:
            continue
        first = np.array(radius) + away
        part = tuple(slice(a, a + n) for a, n in zip(first, x.shape, strict=True))
        distance = ((away * np.array(spacing)) ** 2).sum()
        w = np.exp(
            -distance / (2 * sigma_space**2) - (wide_g[part] - g) ** 2 / (2 * sigma_range**2)
        )
        total, weights = total + w * wide_x[part], weights + w
    return total / weights


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(9,), (6, 21), (12, 70), (5, 6, 33), (1, 9, 17)], ids=str)
def test_bilateral_formula(dtype, shape):
    x, guide = image_of(shape, dtype), image_of(shape, dtype, 1)
    tolerance = 5e-6 if dtype == np.float32 else 1e-13
    radius = (3,) * len(shape)
    got = bilateral(x, sigma_space=1.2, sigma_range=0.7)
    np.testing.assert_allclose(got, bilateral_loop(x, 1.2, 0.7, radius), atol=tolerance)
    got = bilateral(x, sigma_space=1.2, sigma_range=0.7, radius=2, ball=True, guide=guide)
    expected = bilateral_loop(x, 1.2, 0.7, (2,) * len(shape), guide, ball=True)
    np.testing.assert_allclose(got, expected, atol=tolerance)


def test_bilateral_spacing():
    x = image_of((8, 40))
    got = bilateral(x, sigma_space=2.0, sigma_range=0.7, spacing=(2.5, 1.0))
    expected = bilateral_loop(x, 2.0, 0.7, (2, 5), spacing=(2.5, 1.0))
    np.testing.assert_allclose(got, expected, atol=5e-6)


def test_bilateral_far_values_do_not_mix():
    x = np.where(np.arange(64) < 32, 0.0, 1000.0).astype(np.float32)
    np.testing.assert_allclose(bilateral(x, sigma_space=3.0, sigma_range=1.0), x, atol=1e-12)


def test_bilateral_wide_range_is_gaussian():
    x = image_of((20, 40), np.float64)
    got = bilateral(x, sigma_space=1.0, sigma_range=1e6, radius=4)
    np.testing.assert_allclose(got, gaussian(x, sigma=1.0), atol=1e-9)


# --- all of them ---------------------------------------------------------------------------------


@pytest.mark.parametrize("run", FILTERS)
class TestAll:
    def test_threads(self, run, thread_count):
        x = image_of((11, 23, 70))
        prc.set_num_threads(1)
        one = run(x)
        prc.set_num_threads(3)
        assert np.array_equal(run(x), one)

    def test_out_strides_and_dtypes(self, run):
        x = image_of((6, 12, 40))
        expected, out = run(x), np.empty_like(x)
        assert run(x, out=out) is out and np.array_equal(out, expected)
        inplace = x.copy()
        assert np.array_equal(run(inplace, out=inplace), expected)
        turned = np.asfortranarray(x)[::-1].copy(order="F")[::-1]
        turned.flags.writeable = False
        assert np.array_equal(run(turned), expected)
        assert run(x.astype(np.float64)).dtype == np.float64

    def test_item_62_nan(self, run):
        x = image_of((5, 6))
        x[2, 3] = np.nan
        with pytest.raises(DataError, match=r"1 NaN or Inf values, the first at index \(2, 3\)"):
            run(x)

    def test_item_66_one_voxel(self, run):
        for shape in ((1,), (1, 1, 1), (4, 1), (1, 5, 1)):
            assert np.isfinite(run(image_of(shape))).all()

    def test_item_67_constant(self, run):
        x = np.full((6, 7, 40), 0.1, np.float32)
        assert np.array_equal(run(x), x)

    def test_item_68_69_integers(self, run):
        x = np.full((5, 9), np.iinfo(np.int32).max, np.int32)
        got = run(x)
        assert got.dtype == np.float32 and (got == np.float32(x[0, 0])).all()

    def test_out_errors(self, run):
        x = image_of((5, 9))
        with pytest.raises(ShapeError, match="out has shape"):
            run(x, out=np.empty((5, 8), np.float32))
        with pytest.raises(DataError, match="out is read-only"):
            read_only = np.empty_like(x)
            read_only.flags.writeable = False
            run(x, out=read_only)
        with pytest.raises(DataError, match="did you mean 'mirror'"):
            run(x, boundary="miror")
        with pytest.raises(DataError, match="float16"):
            run(x.astype(np.float16))


@pytest.mark.parametrize("run", FILTERS[:2])
def test_mask(run):
    x = image_of((3, 6, 12, 20))
    mask = np.random.default_rng(1).random((6, 12, 20)) < 0.5
    expected = np.where(mask, run(x), x)
    assert np.array_equal(run(x, mask=mask), expected)
    inplace = x.copy()
    assert np.array_equal(run(inplace, mask=mask, out=inplace), expected)
    with pytest.raises(ShapeError, match="mask has shape"):
        run(x, mask=mask[:, :5])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: median(x, size=0), "size is 0"),
        (lambda x: median(x, size=(3, 3, 3)), "size has 3 entries"),
        (lambda x: median(x, footprint=np.zeros((3, 3))), "holds no voxel"),
        (lambda x: rank(x, rank=9, size=3), "the window holds 9 values"),
        (lambda x: percentile(x, percentile=101), "percentile is 101"),
        (lambda x: gaussian(x, sigma=-1), "sigma is -1"),
        (lambda x: gaussian(x, sigma=1, spacing=0), "spacing is 0"),
        (lambda x: bilateral(x, sigma_space=0, sigma_range=1), "sigma_space is 0"),
        (lambda x: bilateral(x, sigma_space=1, sigma_range=0), "sigma_range is 0"),
        (lambda x: bilateral(x, sigma_space=1, sigma_range=1, radius=-1), "radius is -1"),
        (lambda x: bilateral(x, sigma_space=1, sigma_range=1, guide=x[:3]), "guide has shape"),
        (lambda x: median(x[:0]), "at least one voxel"),
    ],
)
def test_item_64_65_bad_arguments(call, message):
    with pytest.raises((DataError, ShapeError), match=message):
        call(image_of((5, 9)))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(9,), (5, 21), (3, 4, 9)], ids=str)
def test_parity(device, dtype, shape):
    x, guide = image_of(shape, dtype), image_of(shape, dtype, 1)
    mask = guide > 0
    calls = [
        lambda x, g, m: median(x, size=3, boundary="zero"),
        lambda x, g, m: median(x, size=(1,) * (x.ndim - 1) + (9,), mask=m),
        lambda x, g, m: percentile(x, percentile=20, size=2, boundary="periodic"),
        lambda x, g, m: gaussian(x, sigma=0.8, boundary="nearest"),
        lambda x, g, m: bilateral(x, sigma_space=1.0, sigma_range=0.7, radius=1),
        lambda x, g, m: bilateral(x, sigma_space=1.0, sigma_range=0.7, radius=1, guide=g, mask=m),
    ]
    for k, call in enumerate(calls):
        expected = call(x, guide, mask)
        with device:
            got = device.numpy(call(*(device.array(a) for a in (x, guide, mask))))
        if k < 3:
            assert np.array_equal(got, expected)
        else:
            np.testing.assert_allclose(got, expected, atol=3e-6 if dtype == np.float32 else 1e-14)
