"""Counts to line integrals, the rotation axis, dose and rings."""

import numpy as np
import pytest
from helpers import relative_error
from hypothesis import given, settings
from hypothesis import strategies as st

import pyrad_core as prc
from pyrad_core.errors import DataError, GeometryError, ShapeError
from pyrad_core.phantom import Ellipsoids, shepp_logan

HALF = np.linspace(0, np.pi, 180, endpoint=False)


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


@settings(max_examples=10, deadline=None)
@given(offset=st.floats(-12, 12), seed=st.integers(0, 99))
def test_center_closed_form(offset, seed):
    """A random object anywhere in the field, with photon noise."""
    rng = np.random.default_rng(seed)
    bodies = [
        [rng.uniform(0.005, 0.02), *rng.uniform(6, 25, 2), *rng.uniform(-20, 20, 2), 50 * i]
        for i in range(5)
    ]
    scan = prc.ParallelBeam(HALF, 160, offset=offset)
    lines = prc.ct.simulate_dose(Ellipsoids(bodies).project(scan), 1e5, seed=seed)
    assert prc.ct.find_center(lines, HALF) == pytest.approx(79.5 - offset, abs=0.3)


def test_center_of_a_full_turn_and_of_rows():
    turn = np.linspace(0, 2 * np.pi, 300, endpoint=False)
    scan = prc.ParallelBeam(turn, (2, 150), offset=(0.0, 3.3))
    head = shepp_logan(3, radius=60)
    lines = head.project(scan).astype(np.float32)
    assert prc.ct.find_center(lines, turn) == pytest.approx(74.5 - 3.3, abs=0.3)


def test_center_bad_inputs():
    with pytest.raises(GeometryError, match="90.0 degrees"):
        prc.ct.find_center(np.ones((91, 32)), np.radians(np.arange(91)))
    with pytest.raises(ShapeError, match=r"\(180,\)"):
        prc.ct.find_center(np.ones((20, 32)), HALF)
    with pytest.raises(DataError, match="at least 16"):
        prc.ct.find_center(np.ones((180, 8)), HALF)


def test_dose_statistics():
    lines = np.full(400_000, 1.5)
    noisy = prc.ct.simulate_dose(lines, 1e4, 20.0, seed=3)
    expected = np.sqrt(1e4 * np.exp(-1.5) + 400) / (1e4 * np.exp(-1.5))
    assert noisy.std() == pytest.approx(expected, rel=0.01)
    assert noisy.mean() == pytest.approx(1.5, abs=2e-3)
    np.testing.assert_array_equal(noisy, prc.ct.simulate_dose(lines, 1e4, 20.0, seed=3))
    assert (noisy != prc.ct.simulate_dose(lines, 1e4, 20.0, seed=4)).any()
    dark = prc.ct.simulate_dose(np.full(100, 50.0, np.float32), 100.0)
    assert dark.dtype == np.float32
    np.testing.assert_allclose(dark, np.log(200.0), rtol=1e-6)
    with pytest.raises(DataError, match="photons is 0"):
        prc.ct.simulate_dose(lines, 0)


def test_rings_go_and_the_object_stays():
    scan = prc.ParallelBeam(HALF, 150)
    bodies = Ellipsoids([[1.0, 40, 25, 10, -8, 20], [0.5, 9, 14, -7, 12, 70]])
    lines = bodies.project(scan).astype(np.float32)
    rng = np.random.default_rng(0)
    stripes = np.where(rng.random(150) < 0.1, rng.normal(0, 4, 150), 0).astype(np.float32)
    volume = prc.Volume((128, 128))
    clean = prc.ct.fbp(lines, scan, volume)
    ringed = prc.ct.fbp(lines + stripes, scan, volume)
    mended = prc.ct.fbp(prc.ct.remove_rings(lines + stripes), scan, volume)
    assert relative_error(mended, clean) < 0.5 * relative_error(ringed, clean)
    stack = np.repeat((lines + stripes)[:, None], 2, axis=1)
    np.testing.assert_array_equal(
        prc.ct.remove_rings(stack)[:, 1], prc.ct.remove_rings(lines + stripes)
    )
    for bad in (4, 1, 151):
        with pytest.raises(DataError, match=f"size is {bad}"):
            prc.ct.remove_rings(lines, size=bad)
