"""The rotation axis: parallel scans by the double wedge, fans and cones by opposite rays."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pyrad_core as prc
from pyrad_core.errors import DataError, GeometryError, ShapeError
from pyrad_core.phantom import Ellipsoids, shepp_logan

HALF = np.linspace(0, np.pi, 180, endpoint=False)


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


def random_bodies(seed, reach=20.0):
    rng = np.random.default_rng(seed)
    return Ellipsoids(
        [
            [
                rng.uniform(0.005, 0.02),
                *rng.uniform(6, 25, 2),
                *rng.uniform(-reach, reach, 2),
                50 * i,
            ]
            for i in range(5)
        ]
    )


@settings(max_examples=8, deadline=None)
@given(
    offset=st.floats(-6, 6),
    nominal=st.floats(-1, 1),
    curved=st.booleans(),
    backwards=st.booleans(),
    seed=st.integers(0, 99),
)
def test_fan_offset_closed_form(offset, nominal, curved, backwards, seed):
    """A random object anywhere in the field, with photon noise, in both senses of rotation."""
    turn = np.linspace(0, 2 * np.pi, 180, endpoint=False) * (-1 if backwards else 1)
    scan = prc.FanBeam(turn, 180, 1.3, 250.0, 400.0, curved=curved, offset=offset)
    lines = prc.ct.simulate_dose(random_bodies(seed).project(scan), 1e5, seed=seed)
    start = prc.FanBeam(turn, 180, 1.3, 250.0, 400.0, curved=curved, offset=nominal)
    assert prc.ct.find_offset(lines, start) == pytest.approx(offset, abs=0.15)


def test_cone_and_parallel_offset():
    turn = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    scan = prc.ConeBeam(turn, (9, 150), (2.0, 1.5), 300.0, 450.0, offset=(1.0, -3.4))
    lines = shepp_logan(3, radius=60).project(scan)
    start = prc.ConeBeam(turn, (9, 150), (2.0, 1.5), 300.0, 450.0, offset=(1.0, 0.0))
    assert prc.ct.find_offset(lines, start) == pytest.approx(-3.4, abs=0.1)
    flat = prc.ParallelBeam(HALF, 150, 2.0, offset=5.0)
    rows = shepp_logan(2, radius=100).project(flat)
    start = prc.ParallelBeam(HALF, 150, 2.0)
    assert prc.ct.find_offset(rows, start) == pytest.approx(5.0, abs=0.2)


def test_center_and_offset_on_device(device):
    lines = random_bodies(1).project(prc.ParallelBeam(HALF, 120, offset=2.0))
    turn = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    fan = prc.FanBeam(turn, 90, 2.0, 250.0, 400.0)
    rows = random_bodies(2).project(fan)
    with device:
        centre = prc.ct.find_center(device.array(lines), HALF)
        offset = prc.ct.find_offset(device.array(rows), fan)
    assert centre == pytest.approx(prc.ct.find_center(lines, HALF), abs=1e-6)
    assert offset == pytest.approx(prc.ct.find_offset(rows, fan), abs=1e-6)


def test_offset_bad_inputs():
    turn = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    fan = prc.FanBeam(turn, 90, 2.0, 250.0, 400.0)
    with pytest.raises(ShapeError, match=r"\(63, 90\)"):
        prc.ct.find_offset(np.ones((63, 90)), fan)
    with pytest.raises(GeometryError, match="one full turn"):
        prc.ct.find_offset(np.ones((40, 90)), fan.subset(slice(0, 40)))
    with pytest.raises(DataError, match="8 views"):
        prc.ct.find_offset(np.ones((8, 90)), fan.subset(slice(0, 64, 8)))
    helix = prc.ConeBeam(turn, (4, 90), 2.0, 250.0, 400.0, pitch=5.0)
    with pytest.raises(GeometryError, match="no circle"):
        prc.ct.find_offset(np.ones((64, 4, 90)), helix)
