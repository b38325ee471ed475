"""Helical FDK: amplitude, uniformity and position against closed forms."""

import warnings

import numpy as np
import pytest
from cone_scans import BALL, CYLINDER, GRID, HEIGHT, PANEL, around, poses
from helpers import relative_error

import pyrad_core as prc
from pyrad_core._kernels.select import cpu_kernels


@pytest.mark.parametrize("curved", [False, True])
@pytest.mark.parametrize("share", [0.3, 0.5, 1.0, 1.5, -1.0])
def test_helix_cylinder_closed_form(share, curved):
    """A helix needs no plane: amplitude and uniformity hold all over, for any pitch."""
    pitch = share * HEIGHT
    turns = 110 / abs(pitch) + 1.6
    angles = np.arange(-turns * 72, turns * 72) * 2 * np.pi / 144
    geometry = prc.ConeBeam(angles, (60, 112), pitch=pitch, curved=curved, **PANEL)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        image = prc.ct.fdk(CYLINDER.project(geometry), geometry, GRID)
    x, y, _, _ = around()
    distance = np.hypot(x - 10, y + 5)
    inside = image[distance < 42]
    assert inside.mean() == pytest.approx(0.02, rel=1e-3)
    assert inside.std() < 0.02 * (0.005 if abs(share) <= 1 else 0.02)
    profile = np.array([s[d < 42].mean() for s, d in zip(image, distance, strict=True)])
    assert np.ptp(profile) < 2e-3 * 0.02
    assert abs(image[(distance > 62) & (np.hypot(x, y) < 75)].mean()) < 1e-4


@pytest.mark.parametrize("curved, side", [(False, 1), (True, -1)])
def test_displaced_helix_cylinder_closed_form(curved, side):
    """Columns on one side of the axis only reach the cylinder's other half from the other side."""
    angles = np.arange(-290, 290) * 2 * np.pi / 144
    panel = PANEL | {"offset": (0.0, side * 17 * PANEL["pixel"][1])}
    geometry = prc.ConeBeam(angles, (60, 78), pitch=0.8 * HEIGHT, curved=curved, **panel)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        image = prc.ct.fdk(CYLINDER.project(geometry), geometry, GRID)
    x, y, _, _ = around()
    distance = np.hypot(x - 10, y + 5)
    inside = image[distance < 42]
    assert inside.mean() == pytest.approx(0.02, rel=2e-3)
    assert inside.std() < 0.02 * 0.02
    assert abs(image[(distance > 62) & (np.hypot(x, y) < 75)].mean()) < 2e-4


def test_helix_ball_lies_where_the_geometry_says():
    angles = np.arange(-300, 300) * 2 * np.pi / 144
    x, y, z, distance = around()
    for pitch, curved in ((60.0, False), (-60.0, True)):
        offset = (1.5, 0.75)  # a quarter of a column
        scan = prc.ConeBeam(angles, (60, 112), pitch=pitch, curved=curved, offset=offset, **PANEL)
        image = prc.ct.fdk(BALL.project(scan), scan, GRID)
        mass = np.where(distance < 52, image, 0).astype(np.float64)
        for axis, centre in ((x, 10.0), (y, -5.0), (z, 3.0)):
            assert (mass * axis).sum() / mass.sum() == pytest.approx(centre, abs=0.05)


def test_shuffled_and_descending_helix():
    angles = np.arange(-300, 300) * 2 * np.pi / 144
    scan = prc.ConeBeam(angles, (60, 112), pitch=60.0, **PANEL)
    rows = BALL.project(scan)
    expected = prc.ct.fdk(rows, scan, GRID)
    order = np.random.default_rng(0).permutation(angles.size)
    np.testing.assert_array_equal(prc.ct.fdk(rows[order], scan.subset(order), GRID), expected)
    np.testing.assert_array_equal(
        prc.ct.fdk(rows[::-1], scan.subset(slice(None, None, -1)), GRID), expected
    )


def test_vectors_of_a_helix_are_recognised():
    angles = np.arange(-300, 300) * 2 * np.pi / 144 + 0.3
    scan = prc.ConeBeam(angles, (60, 112), pitch=60.0, offset=(1.0, 2.0), **PANEL)
    rows = BALL.project(scan)
    image = prc.ct.fdk(rows, poses(scan), GRID)
    assert relative_error(image, prc.ct.fdk(rows, scan, GRID)) < 1e-5


@pytest.mark.sanitize
@pytest.mark.parametrize("step_z", [0.7, 2.0, 3.3, 9.0])
def test_permuted_and_plain_sampling_agree(step_z):
    """Rows per slice from below one to beyond what fits two registers; few and many rows."""
    angles = np.arange(-60, 60) * 2 * np.pi / 24
    kernels = cpu_kernels()
    for rows in (1, 5, 40):
        scan = prc.ConeBeam(angles, (rows, 30), (2.0, 9.0), 300.0, 500.0, pitch=1.2 * rows)
        volume = prc.Volume((67, 18, 19), (step_z, 7.0, 8.0))
        values = np.random.default_rng(0).standard_normal(scan.projection_shape)
        images, former = {}, kernels.limit_vector_width(16)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the volume may reach beyond the helix
            try:
                for width in (0, 8, 16):
                    kernels.limit_vector_width(width)
                    images[width] = prc.ct.fdk(values.astype(np.float32), scan, volume)
            finally:
                kernels.limit_vector_width(former)
            double = prc.ct.fdk(values, scan, volume)
        for width, image in images.items():
            # between the turns of one row the weights themselves are near rounding
            assert relative_error(image, double) < (3e-3 if rows == 1 else 1e-4), (rows, width)
