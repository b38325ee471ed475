"""Extension of truncated projections."""

import numpy as np
import pytest

import pyrad_core as prc
from pyrad_core.errors import DataError, GeometryError, ShapeError
from pyrad_core.phantom import Ellipsoids

TURN = np.arange(180) * 2 * np.pi / 180


def beams(columns):
    """The same field of view by every analytic geometry of one row."""
    yield prc.ParallelBeam(TURN / 2, columns, 1.0)
    yield prc.FanBeam(TURN, columns, 1.5, 300.0, 450.0)
    yield prc.FanBeam(TURN, columns, 1.5, 300.0, 450.0, curved=True)


@pytest.mark.parametrize("kind", [0, 1, 2])
def test_truncated_disc_keeps_its_amplitude(kind):
    """A disc of radius 60 on a detector that sees 40: the cup inside the field falls."""
    scan = list(beams(81))[kind]
    body = Ellipsoids([[0.02, 60, 60, 0, 0, 0]])
    lines = body.project(scan)
    volume = prc.Volume((72, 72))
    y, x = np.meshgrid(*volume.axes(), indexing="ij")
    inside = np.hypot(x, y) < 34

    def error(image):
        return np.sqrt(np.mean((image[inside] / 0.02 - 1) ** 2))

    plain = error(prc.ct.fbp(lines, scan, volume))
    wide, wider = prc.ct.extend_truncated(lines, scan, columns=30)
    assert wide.shape == wider.projection_shape == (180, 141)
    np.testing.assert_array_equal(wide[:, 30:111], lines)
    assert plain > 0.2 and error(prc.ct.fbp(wide, wider, volume)) < 0.2 * plain
    wide, wider = prc.ct.extend_truncated(lines, scan)
    assert error(prc.ct.fbp(wide, wider, volume)) < 0.35 * plain
    for columns in (30, 60, 80):  # the cylinder ends by itself
        water = {"method": "cylinder", "mu_water": 0.02, "columns": columns}
        wide, wider = prc.ct.extend_truncated(lines, scan, **water)
        assert error(prc.ct.fbp(wide, wider, volume)) < 0.12 * plain


def test_cylinder_closed_form():
    """A disc off the axis: what is added is its own projection."""
    scan = prc.ParallelBeam(np.zeros(1), 60, 0.1, offset=21.0)
    lines = Ellipsoids([[0.02, 25, 25, 3, 0, 0]]).project(scan).astype(np.float64)
    water = {"method": "cylinder", "mu_water": 0.02, "sides": "right", "columns": 59}
    wide, wider = prc.ct.extend_truncated(lines, scan, **water)
    expected = Ellipsoids([[0.02, 25, 25, 3, 0, 0]]).project(wider)
    np.testing.assert_allclose(wide[:, 60:], expected[:, 60:], atol=0.005)


def test_what_is_not_truncated_stays():
    scan = prc.ParallelBeam(TURN / 2, 101)
    lines = Ellipsoids([[0.02, 30, 20, 5, 0, 0]]).project(scan)
    wide, wider = prc.ct.extend_truncated(lines, scan)
    assert wider.columns == 201 and (wide[:, :50] == 0).all() and (wide[:, 151:] == 0).all()
    volume = prc.Volume((64, 64))
    np.testing.assert_allclose(
        prc.ct.fbp(wide, wider, volume), prc.ct.fbp(lines, scan, volume), atol=2e-6
    )


@pytest.mark.parametrize("sides", ["left", "right"])
def test_one_side_keeps_every_column_in_place(sides):
    scan = prc.ConeBeam(TURN[:5], (3, 20), (2.0, 1.5), 300.0, 450.0, offset=(1.0, 4.0))
    lines = np.random.default_rng(0).uniform(1, 2, scan.projection_shape)
    wide, wider = prc.ct.extend_truncated(lines, scan, columns=7, sides=sides)
    kept = slice(7, None) if sides == "left" else slice(0, 20)
    np.testing.assert_allclose(wider.column_positions()[kept], scan.column_positions())
    np.testing.assert_array_equal(wider.row_positions(), scan.row_positions())
    np.testing.assert_array_equal(wide[..., kept], lines)
    beyond = wide[..., 6] if sides == "left" else wide[..., 20]
    k, at = (1, 0) if sides == "left" else (-2, -1)
    taper = np.cos(np.pi / 16)
    expected = np.maximum(0, 2 * lines[..., at] - lines[..., k]) * taper
    np.testing.assert_allclose(beyond, expected, rtol=1e-14)


def test_extension_on_device(device):
    scan = prc.ParallelBeam(TURN[:6], (2, 31))
    lines = np.random.default_rng(1).uniform(0, 2, scan.projection_shape).astype(np.float32)
    expected, _ = prc.ct.extend_truncated(lines, scan, columns=12)
    with device:
        got, wider = prc.ct.extend_truncated(device.array(lines), scan, columns=12)
    np.testing.assert_allclose(device.numpy(got), expected, rtol=1e-6)
    assert wider.detector == (2, 55)
    water = {"method": "cylinder", "mu_water": 0.05}
    expected, _ = prc.ct.extend_truncated(lines, scan, **water)
    with device:
        got, _ = prc.ct.extend_truncated(device.array(lines), scan, **water)
    np.testing.assert_allclose(device.numpy(got), expected, rtol=1e-5, atol=1e-6)


def test_extension_bad_inputs():
    scan = prc.ParallelBeam([0.0, 1.0], 9)
    lines = np.ones((2, 9))
    for columns in (0, 9, 2.5):
        with pytest.raises(DataError, match=f"columns is {columns}"):
            prc.ct.extend_truncated(lines, scan, columns=columns)
    with pytest.raises(DataError, match="'top'"):
        prc.ct.extend_truncated(lines, scan, sides="top")
    with pytest.raises(DataError, match="needs mu_water"):
        prc.ct.extend_truncated(lines, scan, method="cylinder")
    with pytest.raises(DataError, match="mu_water is -1"):
        prc.ct.extend_truncated(lines, scan, method="cylinder", mu_water=-1)
    with pytest.raises(DataError, match="'water'"):
        prc.ct.extend_truncated(lines, scan, method="water")
    with pytest.raises(ShapeError, match=r"\(3, 9\)"):
        prc.ct.extend_truncated(np.ones((3, 9)), scan)
    one = np.array([[0.0, -100.0, 0.0]])
    free = prc.ConeBeam.from_vectors(
        one, -one, [[1.0, 0, 0]], [[0, 0, 1.0]], detector=(2, 9), pixel=1.0
    )
    with pytest.raises(GeometryError, match="from_vectors"):
        prc.ct.extend_truncated(np.ones((1, 2, 9)), free)
