"""Counts to line integrals, bad pixels."""

import numpy as np
import pytest
from helpers import relative_error
from hypothesis import given, settings
from hypothesis import strategies as st

import pyrad_core as prc
from pyrad_core._kernels.select import cpu_kernels
from pyrad_core.errors import DataError, PyradWarning, ShapeError


def test_normalize_inverts_beer_lambert():
    rng = np.random.default_rng(0)
    lines = rng.uniform(0, 4, (20, 3, 30))
    dark, flat = rng.uniform(90, 110, (5, 3, 30)), rng.uniform(9e3, 11e3, (7, 3, 30))
    counts = dark.mean(axis=0) + (flat.mean(axis=0) - dark.mean(axis=0)) * np.exp(-lines)
    np.testing.assert_allclose(prc.ct.normalize(counts, flat, dark), lines, rtol=1e-12, atol=1e-12)
    single = prc.ct.normalize(counts, flat.mean(axis=0), dark.mean(axis=0))
    np.testing.assert_allclose(single, lines, rtol=1e-12, atol=1e-12)
    low = prc.ct.normalize(counts.astype(np.float32), flat.astype(np.float32), dark)
    assert low.dtype == np.float32 and relative_error(low, lines) < 1e-5


def test_normalize_takes_raw_uint16():
    counts = np.full((4, 6), 1000, np.uint16)
    flat, dark = np.full((2, 6), 3000, np.uint16), np.full((2, 6), 0, np.uint16)
    lines = prc.ct.normalize(counts, flat, dark)
    assert lines.dtype == np.float32
    np.testing.assert_allclose(lines, np.log(3.0), rtol=1e-6)
    for zero in (0, 0.0, np.float32(0), np.uint16(0)):
        np.testing.assert_array_equal(prc.ct.normalize(counts, flat, zero), lines)


def test_bad_input_42_counts_at_the_dark_level():
    counts = np.full((4, 6), 100.0)
    counts[2, 3], counts[3, 0] = 10.0, 5.0
    flat, dark = np.full(6, 200.0), np.full(6, 10.0)
    with pytest.raises(DataError, match=r"counts are not above dark in 2 places.*\(2, 3\)"):
        prc.ct.normalize(counts, flat, dark)
    lines = prc.ct.normalize(counts, flat, dark, floor=1e-3)
    assert lines[2, 3] == lines[3, 0] == pytest.approx(-np.log(1e-3))
    assert lines[0, 0] == pytest.approx(-np.log(90 / 190))
    flat[4] = 10.0
    with pytest.raises(DataError, match=r"flat is not above dark in 1 places.*\(4,\)"):
        prc.ct.normalize(np.full((4, 6), 100.0), flat, dark)
    assert (prc.ct.normalize(counts, flat, dark, floor=1e-3)[:, 4] == 0).all()


def test_normalize_bad_frames():
    counts = np.full((4, 6), 100.0)
    with pytest.raises(ShapeError, match=r"flat has shape \(5,\).*\(6,\)"):
        prc.ct.normalize(counts, np.ones(5), np.zeros(6))
    counts[1, 1] = np.nan
    with pytest.raises(DataError, match=r"counts.*\(1, 1\)"):
        prc.ct.normalize(counts, np.full(6, 200.0), 0.0)


def test_normalize_same_bits_for_any_threads_and_views():
    """Non-contiguous and read-only counts, long rows, more views than a tile holds."""
    rng = np.random.default_rng(1)
    counts = rng.integers(500, 60_000, (7, 3, 20_011)).astype(np.uint16)
    flat = rng.uniform(50e3, 65e3, (3, 20_011)).astype(np.float32)
    counts.flags.writeable = False
    with prc.set_num_threads(1):
        one = prc.ct.normalize(counts, flat, 100.0)
    with prc.set_num_threads(2):
        np.testing.assert_array_equal(prc.ct.normalize(counts, flat, 100.0), one)
    expected = -np.log((counts[::2].astype(np.float64) - 100) / (flat.astype(np.float64) - 100))
    np.testing.assert_allclose(
        prc.ct.normalize(counts[::2], flat, 100.0), expected, rtol=3e-6, atol=3e-7
    )


@pytest.mark.parametrize("dtype", [np.uint16, np.float32, np.float64])
def test_normalize_on_device(device, dtype):
    rng = np.random.default_rng(2)
    counts = rng.uniform(200, 5000, (11, 3, 37)).astype(dtype)
    flat, dark = rng.uniform(8e3, 9e3, (4, 3, 37)), rng.uniform(90, 110, (3, 37))
    flat[:, 1, 5] = 50.0
    settings = {"floor": 1e-3, "air": slice(0, 4)}
    expected = prc.ct.normalize(counts, flat, dark, **settings)
    with device:
        given = [device.array(x) for x in (counts, flat, dark)]
        got = device.numpy(prc.ct.normalize(*given, **settings))
    assert got.dtype == expected.dtype
    np.testing.assert_allclose(got, expected, rtol=1e-6 if dtype != np.float64 else 1e-13)
    assert (got[:, 1, 5] == 0).all()


def test_normalize_logarithm_numpy():
    """The kernel's own logarithm over the whole range of a detector."""
    for dtype, tolerance in ((np.float32, 3e-7), (np.float64, 5e-16)):
        transmission = np.geomspace(1e-30, 1e6, 100_001).astype(dtype)[None]
        lines = prc.ct.normalize(transmission, np.ones(100_001, dtype))
        expected = -np.log(transmission.astype(np.longdouble))
        np.testing.assert_allclose(lines, expected.astype(np.float64), rtol=tolerance, atol=1e-30)


def test_normalize_air_takes_out_drift():
    rng = np.random.default_rng(3)
    lines = np.zeros((40, 50))
    lines[:, 10:40] = rng.uniform(0.5, 3, (40, 30))
    beam = rng.uniform(0.8, 1.2, (40, 1))
    counts = 20 + 1e4 * beam * np.exp(-lines)
    for air in (slice(0, 8), [0, 1, 48, 49]):
        got = prc.ct.normalize(counts, np.full(50, 10_020.0), 20.0, air=air)
        np.testing.assert_allclose(got, lines, atol=1e-12)
    for air in (slice(5, 5), [70], "left", 3.5):
        with pytest.raises(DataError, match="air is"):
            prc.ct.normalize(counts, np.full(50, 10_020.0), 20.0, air=air)
    counts[7] = 5.0
    with pytest.raises(DataError, match=r"air has no beam.*\(7,\)"):
        prc.ct.normalize(counts, np.full(50, 10_020.0), 20.0, air=slice(0, 8), floor=1e-3)


def test_bad_pixels_given_are_interpolated_linearly():
    """Line integrals linear over the detector come back exactly, clusters and edges too."""
    v, r, c = np.meshgrid(np.arange(5), np.arange(6), np.arange(9), indexing="ij")
    lines = 0.1 * v + 0.05 * r + 0.02 * c
    counts = 1e4 * np.exp(-lines)
    bad = np.zeros((6, 9), bool)
    bad[2, 3] = bad[2, 4] = bad[3, 3] = bad[5, 0] = True
    counts[:, bad] = [0.0, 5e5, -3.0, 1.0]
    with pytest.warns(PyradWarning, match="4 of 54 detector pixels"):
        got = prc.ct.normalize(counts, np.full((6, 9), 1e4), bad_pixels=bad)
    inner = bad.copy()
    inner[5, 0] = False
    np.testing.assert_allclose(got[:, inner], lines[:, inner], atol=1e-12)
    # a corner has one neighbour each way
    np.testing.assert_allclose(got[:, 5, 0], 0.5 * (lines[:, 4, 0] + lines[:, 5, 1]), atol=1e-12)
    np.testing.assert_allclose(got[:, ~bad], lines[:, ~bad], atol=1e-12)


def test_bad_pixels_found_in_flat_and_dark():
    rng = np.random.default_rng(4)
    profile = 4e4 * np.exp(-(np.linspace(-1, 1, 60) ** 2))  # a beam profile is no defect
    gain = profile * rng.normal(1, 0.01, (20, 60))
    dark = rng.normal(200, 2, (20, 60))
    gain[4, 7], gain[9, 30], dark[13, 2] = 0, 0.4 * gain[9, 30], 9_000
    flat = gain + dark + rng.normal(0, 50, (6, 20, 60))
    flat[:, 16, 50] = 30_000.0
    counts = dark + gain * np.exp(-1.0) * np.ones((3, 1, 1))
    counts[:, 16, 50] = 30_000.0
    with pytest.warns(PyradWarning, match="4 of 1200"):
        lines = prc.ct.normalize(counts, flat, dark, bad_pixels="auto")
    np.testing.assert_allclose(lines, 1.0, atol=0.01)


def test_bad_pixels_on_device(device):
    rng = np.random.default_rng(5)
    counts, flat = rng.uniform(1e3, 5e3, (4, 5, 12)), rng.uniform(8e3, 9e3, (6, 5, 12))
    flat[:, 2, 3] = 10.0
    with pytest.warns(PyradWarning):
        expected = prc.ct.normalize(counts, flat, bad_pixels="auto")
    with device, pytest.warns(PyradWarning, match="1 of 60"):
        got = prc.ct.normalize(device.array(counts), device.array(flat), bad_pixels="auto")
    np.testing.assert_allclose(device.numpy(got), expected, rtol=1e-12)


def test_bad_pixels_bad_inputs():
    counts, flat = np.ones((2, 4)), np.full(4, 2.0)
    with pytest.raises(ShapeError, match=r"bad_pixels has shape \(5,\)"):
        prc.ct.normalize(counts, flat, bad_pixels=np.zeros(5, bool))
    with pytest.raises(DataError, match="all 4 pixels"):
        prc.ct.normalize(counts, flat, bad_pixels=np.ones(4, bool))
    with pytest.raises(DataError, match="'dead'"):
        prc.ct.normalize(counts, flat, bad_pixels="dead")
    with pytest.raises(DataError, match="float64"):
        prc.ct.normalize(counts, flat, bad_pixels=np.zeros(4))


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 999), share=st.floats(0, 0.9))
def test_fill_rows_numpy(seed, share):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((4, 23))
    mask = (rng.random((4, 23)) < share).astype(np.uint8)
    mask[3] = 1
    out = np.empty_like(x)
    cpu_kernels().fill_rows(x, mask, out)
    for row, bad, got in zip(x[:3], mask[:3], out[:3], strict=True):
        good = np.flatnonzero(bad == 0)
        if good.size:
            np.testing.assert_allclose(got, np.interp(np.arange(23), good, row[good]), atol=1e-12)
    np.testing.assert_array_equal(out[3], x[3])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_fill_rows_on_device(device, dtype):
    rng = np.random.default_rng(0)
    x, mask = rng.standard_normal((5, 300)).astype(dtype), rng.integers(0, 2, (5, 300), np.uint8)
    mask[2] = 1
    out = np.empty_like(x)
    cpu_kernels().fill_rows(x, mask, out)
    given = [device.array(a) for a in (x, mask, np.empty_like(x))]
    device.kernels.fill_rows(*given)
    np.testing.assert_allclose(device.numpy(given[2]), out, rtol=1e-6)
