"""Stationary transforms against PyWavelets, and what only a stationary transform promises."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyrad_core._kernels.cpu import limit_vector_width

import pyrad_core as prc
from pyrad_core import wavelet as prw

pywt = pytest.importorskip("pywt")


def draw(shape, dtype=np.float64, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(shape)
    if np.dtype(dtype).kind == "c":
        x = x + 1j * rng.standard_normal(shape)
    return x.astype(dtype)


def assert_close(got, expected, taps=8):
    assert got.shape == expected.shape and got.dtype == expected.dtype
    eps = np.finfo(got.dtype).eps
    tolerance = 1e-12 if eps < 1e-10 else 3 * taps * eps
    assert np.abs(got - expected).max() <= tolerance * max(np.abs(expected).max(), 1.0)


def assert_close_levels(got, expected, taps=8):
    assert len(got) == len(expected)
    for ours, theirs in zip(got, expected, strict=True):
        if isinstance(theirs, dict):
            assert list(ours) == list(theirs)
            for name in theirs:
                assert_close(ours[name], theirs[name], taps)
        else:
            assert_close(ours, theirs, taps)


def test_every_wavelet():
    x = draw((2, 16))
    for name in prw.wavelist():
        expected = pywt.swtn(x, name, level=2, axes=[1])
        assert_close_levels(prw.swtn(x, name, level=2, axes=[1]), expected)
        assert_close(prw.iswtn(expected, name, axes=[1]), pywt.iswtn(expected, name, axes=[1]))


@pytest.mark.sanitize
@pytest.mark.parametrize("dtype", (np.float32, np.float64, np.complex64, np.complex128))
@pytest.mark.parametrize("axes", [None, (0,), (1, 2), (2, 0), (-1,)])
def test_axes_and_dtypes(dtype, axes):
    x = draw((8, 12, 24), dtype)
    expected = pywt.swtn(x, "coif1", level=2, axes=axes)
    assert_close_levels(prw.swtn(x, "coif1", level=2, axes=axes), expected)
    back = prw.iswtn(expected, "coif1", axes=axes)
    assert_close(back, x)


@pytest.mark.parametrize("norm", (False, True))
@pytest.mark.parametrize("trim", (False, True))
def test_start_level_norm_and_trim(norm, trim):
    x = draw((16, 32))
    expected = pywt.swtn(x, "db3", 2, start_level=1, trim_approx=trim, norm=norm)
    got = prw.swtn(x, "db3", 2, start_level=1, trim_approx=trim, norm=norm)
    assert_close_levels(got, expected)
    expected = pywt.swtn(x, "db3", 3, trim_approx=trim, norm=norm)
    assert_close(prw.iswtn(expected, "db3", norm=norm), x)


def test_energy_is_kept_with_norm():
    x = draw((32, 32))
    coarse, *details = prw.swtn(x, "db4", 3, trim_approx=True, norm=True)
    energy = np.sum(coarse**2) + sum(np.sum(b**2) for bands in details for b in bands.values())
    assert energy == pytest.approx(np.sum(x**2), rel=1e-12)


@pytest.mark.sanitize
@settings(max_examples=25, deadline=None)
@given(
    half=st.lists(st.integers(1, 6), min_size=1, max_size=3),
    name=st.sampled_from(("haar", "db4", "coif1", "bior2.2")),
    shift=st.integers(-5, 5),
    dtype=st.sampled_from((np.float32, np.float64)),
    seed=st.integers(0, 2**16),
)
def test_shift_equivariance_and_reconstruction(half, name, shift, dtype, seed):
    x = draw(tuple(4 * n for n in half), dtype, seed)
    bands = prw.swtn(x, name, level=2)
    moved = prw.swtn(np.roll(x, shift, axis=0), name, level=2)
    for ours, theirs in zip(moved, bands, strict=True):
        for key in theirs:
            assert np.array_equal(ours[key], np.roll(theirs[key], shift, axis=0))
    limit = 1e-6 if dtype == np.float32 else 1e-12
    scale = max(1.0, np.abs(x).max()) * 2 ** len(half)
    assert np.abs(prw.iswtn(bands, name) - x).max() <= limit * scale


def test_bits_do_not_depend_on_the_number_of_threads():
    x = draw((32, 40, 64), np.float32)
    before = prc.num_threads()
    try:
        results = []
        for threads in (1, 2, 5):
            prc.set_num_threads(threads)
            levels = prw.swtn(x, "coif1", level=2)
            results.append([*levels[0].values(), *levels[1].values(), prw.iswtn(levels, "coif1")])
    finally:
        prc.set_num_threads(before)
    for other in results[1:]:
        assert all(np.array_equal(a, b) for a, b in zip(results[0], other, strict=True))


@pytest.mark.sanitize
def test_volumes_whose_results_leave_the_cache():
    """Odd rows: each begins elsewhere in a cache line."""
    x, odd = draw((82, 84, 86), np.float32), draw((161, 163, 165), np.float32)
    stationary, decimated = pywt.swtn(x, "db2", 1), pywt.dwtn(odd, "bior2.2", "antireflect")
    before = limit_vector_width(16)
    try:
        for width in (0, 8, 16):
            limit_vector_width(width)
            assert_close_levels(prw.swtn(x, "db2", 1), stationary)
            bands = prw.dwtn(odd, "bior2.2", "antireflect")
            assert_close_levels([bands], [decimated])
            back = prw.idwtn(bands, "bior2.2", "antireflect")
            assert_close(back[:, :163, :165][:161], odd)
    finally:
        limit_vector_width(before)
