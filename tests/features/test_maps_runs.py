"""Run length maps: rolling windows against windows on their own, one direction at a time."""

import numpy as np
import pytest
from features.test_maps_glcm import OFFSETS, packed
from hypothesis import given, settings
from hypothesis import strategies as st

import pyrad_core as prc
from pyrad_core._kernels import cpu


def rolled(levels, centres, reach, ng, left_out, offsets=OFFSETS):
    out = np.empty((len(centres), 17))
    cpu.local_glrlm(levels, centres, np.array(offsets), reach, ng, False, left_out, out)
    return out


def alone(levels, centres, reach, ng, left_out):
    """Tables that all directions share are made window by window: here, of one direction each."""
    parts = np.empty((len(OFFSETS), len(centres), 17))
    for part, offset in zip(parts, OFFSETS, strict=True):
        step = np.array(offset)[None]
        cpu.local_glrlm(levels, centres, step, reach, ng, True, left_out, part)
    defined = np.isfinite(parts[:, :, :1])
    with np.errstate(invalid="ignore"):
        return np.where(defined, parts, 0).sum(axis=0) / defined.sum(axis=0)


@pytest.mark.parametrize("radius", range(1, 8))
@pytest.mark.parametrize("ng", [2, 20])
def test_every_radius(radius, ng):
    reach = (radius,) * 3
    levels, centres = packed((2, 4, 23), ng, reach, seed=radius)
    expected = alone(levels, centres, reach, ng, True)
    np.testing.assert_allclose(
        rolled(levels, centres, reach, ng, True), expected, rtol=1e-10, atol=1e-12
    )


@settings(max_examples=15, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 4), st.integers(1, 6), st.integers(1, 30)),
    reach=st.tuples(st.integers(0, 2), st.integers(0, 3), st.integers(0, 3)),
    ng=st.sampled_from([1, 3, 60]),
    share=st.sampled_from([0.02, 0.5, 1.0]),
    left_out=st.booleans(),
    seed=st.integers(0, 99),
)
def test_any_window_on_any_way(shape, reach, ng, share, left_out, seed):
    """Sparse regions too, where directions have no pair in the window."""
    levels, inside = packed(shape, ng, reach, seed=seed)
    rng = np.random.default_rng(seed)
    levels.flat[inside[rng.random(len(inside)) > max(share, 0.1)]] = 0
    centres = inside[rng.random(len(inside)) < share]
    got = rolled(levels, centres, reach, ng, left_out)
    expected = alone(levels, centres, reach, ng, left_out)
    np.testing.assert_allclose(got, expected, rtol=1e-10, atol=1e-12)
    for k in range(0, len(centres), 3):
        single = rolled(levels, centres[k : k + 1], reach, ng, left_out)
        np.testing.assert_array_equal(got[k], single[0])


def test_runs_longer_than_is_counted():
    levels = np.pad(np.ones((1, 3, 700), np.uint8), ((0, 0), (3, 3), (15, 15)))
    centres = np.flatnonzero(levels)
    expected = alone(levels, centres, (0, 3, 15), 1, True)
    np.testing.assert_allclose(
        rolled(levels, centres, (0, 3, 15), 1, True), expected, rtol=1e-10, atol=1e-12
    )


def test_many_levels_go_window_by_window():
    levels, centres = packed((2, 3, 9), 300, (1, 1, 1), np.uint16)
    expected = alone(levels, centres, (1, 1, 1), 300, False)
    np.testing.assert_allclose(rolled(levels, centres, (1, 1, 1), 300, False), expected, rtol=1e-12)


def test_threads_do_not_change_the_bits():
    levels, centres = packed((9, 9, 30), 9, (2, 2, 2))
    found = []
    for threads in (1, 3):
        with prc.set_num_threads(threads):
            found.append(rolled(levels, centres, (2, 2, 2), 9, True))
    np.testing.assert_array_equal(*found)


@pytest.mark.parametrize("merged", [False, True])
@pytest.mark.parametrize(("reach", "left_out"), [((1, 2, 1), True), ((0, 2, 2), False)])
def test_parity(device, merged, reach, left_out):
    """Also where a direction leaves the window at once."""
    levels, centres = packed((2, 3, 7), 3, reach, seed=2)
    expected, got = np.empty((2, len(centres), 17))
    arguments = (reach, 3, merged, left_out)
    cpu.local_glrlm(levels, centres, np.array(OFFSETS), *arguments, expected)
    with device:
        out = device.array(got)
        inputs = [device.array(a) for a in (levels, centres, np.array(OFFSETS))]
        device.kernels.local_glrlm(*inputs, *arguments, out)
    np.testing.assert_allclose(device.numpy(out), expected, rtol=1e-10, atol=1e-12)
