"""Conventions and checks of the scan geometries."""

import warnings

import numpy as np
import pytest

import pyrad_core as prc
from pyrad_core.errors import GeometryError, PyradWarning

TURN = np.linspace(0, 2 * np.pi, 12, endpoint=False)


def beams():
    return {
        "parallel": prc.ParallelBeam(TURN, 7, pixel=1.5, offset=0.3),
        "parallel 3d": prc.ParallelBeam(TURN, (4, 7), pixel=(2.0, 1.5), offset=(0.2, 0.3)),
        "fan": prc.FanBeam(TURN, 7, 1.5, 100, 150, offset=0.3),
        "fan curved": prc.FanBeam(TURN, 7, 1.5, 100, 150, curved=True, offset=0.3),
        "cone": prc.ConeBeam(TURN, (4, 7), (2.0, 1.5), 100, 150, offset=(0.2, 0.3)),
        "cone curved": prc.ConeBeam(TURN, (4, 7), 1.5, 100, 150, curved=True),
        "helix": prc.ConeBeam(TURN * 3, (4, 7), 1.5, 100, 150, pitch=10.0),
    }


@pytest.mark.parametrize("name", beams())
def test_rays_hit_the_pixel_that_locate_says(name):
    beam = beams()[name]
    origin, direction = beam.rays()
    assert origin.shape == direction.shape == (*beam.projection_shape, 3)
    np.testing.assert_allclose(np.linalg.norm(direction, axis=-1), 1, rtol=1e-12)
    points = (origin + 90.0 * direction).reshape(beam.views, -1, 3)
    columns, rows = beam.column_positions(), beam.row_positions()
    want_u = np.tile(columns, beam.rows)
    want_v = np.repeat(rows, beam.columns)
    for view in range(beam.views):
        seen = beam.locate(points[view])[view]
        np.testing.assert_allclose(seen[:, 0], want_u, atol=1e-9)
        np.testing.assert_allclose(seen[:, 1], want_v, atol=1e-9)


@pytest.mark.parametrize("name", beams())
def test_equal_geometries_have_equal_hashes(name):
    one, other = beams()[name], beams()[name]
    assert one == other and hash(one) == hash(other)
    assert one != one.subset(slice(0, 5))
    assert one.subset(slice(0, 5)).views == 5
    with pytest.raises(ValueError):
        one.angles[0] = 1.0


@pytest.mark.parametrize("name", beams())
def test_replace_changes_what_is_named(name):
    beam = beams()[name]
    same = beam.replace()
    assert same == beam
    longer = beam.replace(pixel=3.0)
    assert set(longer.pixel) == {3.0} and longer.offset == beam.offset
    with pytest.raises(GeometryError, match="pixel"):
        beam.replace(pixel=-1.0)


def test_convention_of_axes():
    beam = prc.FanBeam([0.0, np.pi / 2], 5, 1.0, 100, 150)
    frames = beam.frames()
    np.testing.assert_allclose(frames.source, [[0, -100, 0], [100, 0, 0]], atol=1e-12)
    np.testing.assert_allclose(frames.u, [[1, 0, 0], [0, 1, 0]], atol=1e-12)
    np.testing.assert_allclose(frames.centre, [[0, 50, 0], [-50, 0, 0]], atol=1e-12)
    seen = beam.locate([[2.0, 0.0, 0.0]])
    np.testing.assert_allclose(seen[:, 0, 0], [3.0, 0.0], atol=1e-12)


def test_curved_and_flat_detectors_agree_on_the_axis():
    flat = prc.FanBeam([0.3], 1, 1.0, 100, 150)
    curved = prc.FanBeam([0.3], 1, 1.0, 100, 150, curved=True)
    np.testing.assert_allclose(flat.rays()[1], curved.rays()[1], atol=1e-15)


def test_vectors_repeat_the_circular_cone():
    cone = prc.ConeBeam(TURN, (4, 7), (2.0, 1.5), 100, 150, offset=(0.2, 0.3))
    f = cone.frames()
    free = prc.ConeBeam.from_vectors(f.source, f.centre, f.u, f.v, detector=(4, 7))
    assert free.pixel == pytest.approx((2.0, 1.5))
    np.testing.assert_allclose(free.angles, TURN, atol=1e-12)
    np.testing.assert_allclose(free.rays()[1], cone.rays()[1], atol=1e-12)
    np.testing.assert_allclose(free.frames().direction, f.direction, atol=1e-12)
    directions = prc.ConeBeam.from_vectors(
        f.source, f.centre, 9 * f.u, f.v / 3, detector=(4, 7), pixel=(2.0, 1.5)
    )
    np.testing.assert_allclose(directions.rays()[1], cone.rays()[1], atol=1e-12)


def test_vectors_repeat_the_parallel_beam():
    beam = beams()["parallel 3d"]
    f = beam.frames()
    free = prc.ParallelBeam.from_vectors(3 * f.direction, f.centre, f.u, f.v, detector=(4, 7))
    assert free.pixel == pytest.approx((2.0, 1.5))
    assert free.projection_shape == beam.projection_shape
    np.testing.assert_allclose(free.angles, TURN, atol=1e-12)
    for got, wanted in zip(free.frames()[1:], f[1:], strict=True):
        np.testing.assert_allclose(got, wanted, atol=1e-12)
    for got, wanted in zip(free.rays(), beam.rays(), strict=True):
        np.testing.assert_allclose(got, wanted, atol=1e-12)
    points = np.random.default_rng(0).standard_normal((5, 3))
    shift = [beam.offset[1], beam.offset[0]]  # locate counts from the centre of a free detector
    np.testing.assert_allclose(free.locate(points), beam.locate(points) - shift, atol=1e-12)
    assert free.subset([2, 5]).views == 2 and free != beam
    with pytest.raises(GeometryError, match="from_vectors"):
        free.replace(pixel=2.0)


def oblique():
    """Laminography: rays 30 degrees off the plane of rotation, the detector across them."""
    zero = 0 * TURN
    u = np.stack([np.cos(TURN), np.sin(TURN), zero], axis=-1)
    ray = np.stack([-np.sin(TURN), np.cos(TURN), zero + np.tan(np.pi / 6)], axis=-1)
    centre = 0.3 * u + 0.1 * ray
    v = np.cross(u, ray)
    return prc.ParallelBeam.from_vectors(ray, centre, u, v, detector=(4, 7), pixel=(2.0, 1.5))


@pytest.mark.parametrize("kind", ["oblique", "oblique detector", "cone"])
def test_free_rays_hit_the_pixel_that_locate_says(kind):
    beam = oblique() if kind.startswith("oblique") else beams()["cone"]
    if kind != "oblique":
        beam = beam.perturbed(shift=(0.4, -0.7), roll=0.1, tilt=(0.2, -0.15))
    origin, direction = beam.rays()
    points = (origin + 90.0 * direction).reshape(beam.views, -1, 3)
    for view in range(beam.views):
        seen = beam.locate(points[view])[view]
        np.testing.assert_allclose(seen[:, 0], np.tile(beam.column_positions(), 4), atol=1e-9)
        np.testing.assert_allclose(seen[:, 1], np.repeat(beam.row_positions(), 7), atol=1e-9)


@pytest.mark.parametrize("name", ["parallel 3d", "cone", "helix"])
def test_perturbed_by_nothing_is_the_same_scan(name):
    beam = beams()[name]
    free = beam.perturbed()
    assert free.vectors is not None and free.pixel == pytest.approx(beam.pixel)
    np.testing.assert_array_equal(free.angles, beam.angles)
    for got, wanted in zip(free.rays(), beam.rays(), strict=True):
        np.testing.assert_allclose(got, wanted, atol=1e-12)


def test_perturbed_moves_as_documented():
    beam = prc.ConeBeam([0.0, 2 * np.pi], (4, 7), (2.0, 1.5), 100, 150)  # u = x, d = y, v = z
    f = beam.frames()
    shifted = beam.perturbed(shift=[(0.0, 0.0), (0.25, 0.5)]).frames()
    np.testing.assert_allclose(shifted.centre - f.centre, [[0, 0, 0], [0.5, 0, 0.25]], atol=1e-12)
    quarter = np.pi / 2
    rolled = beam.perturbed(roll=[0.0, quarter]).frames()
    np.testing.assert_allclose(rolled.u[1], [0, 0, 1.5], atol=1e-12)  # from u towards v
    np.testing.assert_allclose(rolled.v[1], [-2.0, 0, 0], atol=1e-12)
    about_u = beam.perturbed(tilt=(0.1, 0.0)).frames()
    np.testing.assert_allclose(about_u.v[0], [0, -2 * np.sin(0.1), 2 * np.cos(0.1)], atol=1e-12)
    about_v = beam.perturbed(tilt=(0.0, 0.1)).frames()
    np.testing.assert_allclose(about_v.u[0], [1.5 * np.cos(0.1), 1.5 * np.sin(0.1), 0], atol=1e-12)
    again = beam.perturbed(roll=0.3).perturbed(roll=-0.3)
    np.testing.assert_allclose(again.rays()[1], beam.rays()[1], atol=1e-12)


def test_perturbed_refuses():
    with pytest.raises(GeometryError, match="no vector form"):
        beams()["parallel"].perturbed(roll=0.1)
    with pytest.raises(GeometryError, match="no vector form"):
        beams()["fan"].perturbed(roll=0.1)
    with pytest.raises(GeometryError, match="curved"):
        beams()["cone curved"].perturbed(roll=0.1)
    with pytest.raises(GeometryError, match=r"shift has shape \(3,\); expected 2 numbers"):
        beams()["cone"].perturbed(shift=(1.0, 2.0, 3.0))
    with pytest.raises(GeometryError, match="roll has shape"):
        beams()["cone"].perturbed(roll=[0.1, 0.2])
    with pytest.raises(GeometryError, match="1 NaN"):
        beams()["cone"].perturbed(tilt=(np.nan, 0.0))


def test_parallel_vectors_must_agree():
    f = beams()["parallel 3d"].frames()
    make = prc.ParallelBeam.from_vectors
    with pytest.raises(GeometryError, match="u has 3 views, but direction has 12"):
        make(f.direction, f.centre, f.u[:3], f.v, detector=(4, 7))
    with pytest.raises(GeometryError, match="direction has length 0 at view 0"):
        make(0 * f.direction, f.centre, f.u, f.v, detector=(4, 7))
    with pytest.raises(GeometryError, match="plane of its detector"):
        make(f.u, f.centre, f.u, f.v, detector=(4, 7))
    with pytest.raises(GeometryError, match="detector"):
        make(f.direction, f.centre, f.u, f.v, detector=7)


def test_volume_is_centred_on_the_axis():
    volume = prc.Volume((4, 5), spacing=(2.0, 0.5))
    assert volume.origin == (-3.0, -1.0)
    y, x = volume.axes()
    np.testing.assert_allclose(y, [-3, -1, 1, 3])
    np.testing.assert_allclose(x, [-1, -0.5, 0, 0.5, 1])
    assert volume.radius == pytest.approx(np.hypot(4.0, 1.25))
    assert prc.Volume((2, 4, 5)).corners().shape == (8, 3)
    assert volume == prc.Volume([4, 5], (2, 0.5)) and hash(volume) == hash(
        prc.Volume([4, 5], (2, 0.5))
    )


def test_bad_input_32_no_angles():
    with pytest.raises(GeometryError, match="angles are empty"):
        prc.ParallelBeam([], 8)


def test_bad_input_33_nonfinite_angles():
    with pytest.raises(GeometryError, match="2 NaN or Inf values, the first at index 1"):
        prc.ParallelBeam([0.0, np.nan, 1.0, np.inf], 8)


def test_bad_input_33_duplicate_angles():
    with pytest.warns(PyradWarning, match=r"repeat at 2 indices \(2, 4\)"):
        prc.ParallelBeam([0.0, 0.5, 0.0, 1.0, 0.5], 8)


def test_bad_input_34_degrees():
    with pytest.warns(PyradWarning, match="degrees"):
        prc.ParallelBeam(np.arange(180.0), 8)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        prc.ConeBeam(np.arange(100.0), (4, 8), 1.0, 100, 150, pitch=5.0)


@pytest.mark.parametrize("bad", [0, -1.0, np.nan, np.inf, "wide"])
def test_bad_input_35_spacing(bad):
    for make in (
        lambda: prc.Volume((8, 8), spacing=bad),
        lambda: prc.ParallelBeam([0.0], 8, pixel=bad),
        lambda: prc.FanBeam([0.0], 8, bad, 100, 150),
        lambda: prc.ConeBeam([0.0], (8, 8), bad, 100, 150),
    ):
        with pytest.raises(GeometryError, match=f"(spacing|pixel).*{bad}"):
            make()


def test_bad_input_36_source_inside_the_volume():
    fan = prc.FanBeam(TURN, 8, 1.0, 50, 150)
    with pytest.raises(GeometryError, match=r"50 mm.*70\.7107 mm"):
        fan.check_volume(prc.Volume((100, 100)))
    cone = prc.ConeBeam(TURN, (8, 8), 1.0, 50, 150)
    with pytest.raises(GeometryError, match="inside the volume"):
        cone.check_volume(prc.Volume((10, 100, 100)))
    f = cone.frames()
    free = prc.ConeBeam.from_vectors(f.source, f.centre, f.u, f.v, detector=(8, 8))
    with pytest.raises(GeometryError, match="inside the volume"):
        free.check_volume(prc.Volume((10, 102, 102)))


def test_bad_input_37_detector_before_the_axis():
    with pytest.raises(GeometryError, match="source_detector is 90 mm, but source_origin is 100"):
        prc.FanBeam([0.0], 8, 1.0, 100, 90)
    with pytest.raises(GeometryError, match="source_detector"):
        prc.ConeBeam([0.0], (8, 8), 1.0, 100, 100)


def test_bad_input_38_detector_misses_the_volume():
    volume = prc.Volume((10, 10))
    with pytest.warns(PyradWarning, match="misses the volume"):
        prc.ParallelBeam(TURN, 8, offset=100).check_volume(volume)
    with pytest.warns(PyradWarning, match="misses the volume"):
        prc.FanBeam(TURN, 8, 1.0, 100, 150, offset=100).check_volume(volume)
    with pytest.warns(PyradWarning, match="misses the volume"):
        prc.ConeBeam(TURN, (8, 8), 1.0, 100, 150, offset=(90, 0)).check_volume(
            prc.Volume((4, 10, 10))
        )


@pytest.mark.parametrize("bad", [0, -3, 2.5, (4, 5, 6)])
def test_detector_size_must_be_whole(bad):
    with pytest.raises(GeometryError, match="detector"):
        prc.ParallelBeam([0.0], bad)


def test_vectors_must_agree():
    f = prc.ConeBeam(TURN, (4, 7), 1.0, 100, 150).frames()
    with pytest.raises(GeometryError, match="u has 3 views, but source has 12"):
        prc.ConeBeam.from_vectors(f.source, f.centre, f.u[:3], f.v, detector=(4, 7))
    with pytest.raises(GeometryError, match="perpendicular"):
        prc.ConeBeam.from_vectors(f.source, f.centre, f.u, f.u + f.v, detector=(4, 7))
    with pytest.raises(GeometryError, match="length 0"):
        prc.ConeBeam.from_vectors(f.source, f.centre, 0 * f.u, f.v, detector=(4, 7))
    with pytest.raises(GeometryError, match="plane of its detector"):
        prc.ConeBeam.from_vectors(f.centre, f.centre, f.u, f.v, detector=(4, 7))
