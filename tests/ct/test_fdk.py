"""FDK: amplitude, position and error against closed forms for every orbit."""

import numpy as np
import pytest
from cone_scans import BALL, GRID, PANEL, SHORT, TURN, around, circles, poses
from helpers import relative_error

import pyrad_core as prc
from pyrad_core._kernels.select import cpu_kernels, edge_of
from pyrad_core.ct import _fdk_free, _fdk_stage
from pyrad_core.phantom import Ellipsoids, shepp_logan


@pytest.mark.parametrize("name", circles())
def test_ball_closed_form(name):
    """Amplitude inside, zero outside and the centre of mass, with no scale or shift fitted."""
    geometry = circles()[name]
    image = prc.ct.fdk(BALL.project(geometry), geometry, GRID)
    x, y, z, distance = around()
    low = abs(z) < 12  # near the plane of the source, where a circle's data suffice
    assert image[(distance < 32) & low].mean() == pytest.approx(0.02, rel=4e-3)
    assert abs(image[(distance > 48) & (np.hypot(x, y) < 65) & low].mean()) < 1e-4
    for axis, centre, region in ((x, 10.0, low), (y, -5.0, low), (z, 3.0, True)):
        mass = np.where((distance < 52) & region, image, 0).astype(np.float64)
        assert (mass * axis).sum() / mass.sum() == pytest.approx(centre, abs=0.1)


def test_problem_b_rmse():
    """Middle slice of 128^3 Shepp-Logan in one fixed orientation, to the printed digit."""
    angles = np.arange(360) * 2 * np.pi / 360 + np.pi / 2
    geometry = prc.ConeBeam(angles, (8, 256), 1.8, 1000.0, 1536.0)  # the rows it needs of 256
    slice_ = prc.Volume((1, 128, 128), 2.0, (1.0, -127.0, -127.0))
    head = shepp_logan(3, radius=0.95 * 128)
    image = prc.ct.fdk(head.project(geometry), geometry, slice_)
    error = (image - head.raster(slice_, supersample=3)).astype(np.float64)
    z, y, x = np.meshgrid(*slice_.axes(), indexing="ij", sparse=True)
    disc = np.hypot(x, y) < 0.95 * 128
    assert np.sqrt(np.mean(error[disc] ** 2)) == pytest.approx(0.0234, abs=5e-5)


@pytest.mark.parametrize("kind", ["flat", "curved", "poses"])
def test_bead_is_where_the_geometry_says(kind):
    """A bead off the axis, on a grid finer than its image: rotation sign and half a pixel."""
    bead = Ellipsoids([[1.0, 0.8, 0.8, 0.8, 21.3, -13.7, 3.2, 0.0]])
    dense = np.linspace(0, 2 * np.pi, 360, endpoint=False)
    detector = {"flat": (50, 280), "curved": (51, 281), "poses": (50, 281)}[kind]
    scan = prc.ConeBeam(dense, detector, 0.4, 150, 260, curved=kind == "curved")
    scan = poses(scan, roll=0.01) if kind == "poses" else scan
    rows = bead.project(scan)
    for shape in ((40, 40, 44), (41, 39, 45)):
        volume = prc.Volume(shape, spacing=0.15, origin=(0.2, -16.6, 18.0))
        image = prc.ct.fdk(rows, scan, volume)
        z, y, x = np.meshgrid(*volume.axes(), indexing="ij")
        ball = (x - 21.3) ** 2 + (y + 13.7) ** 2 + (z - 3.2) ** 2 < 2.2**2
        mass = np.where(ball, image, 0).astype(np.float64)
        for axis, centre in ((x, 21.3), (y, -13.7), (z, 3.2)):
            assert (mass * axis).sum() / mass.sum() == pytest.approx(centre, abs=0.01)


def test_free_poses_give_the_circle_s_image():
    geometry = circles()["turn"]
    rows = BALL.project(geometry)
    image = _fdk_free.free(edge_of(projections=rows), rows, poses(geometry), GRID, {})
    assert relative_error(image, prc.ct.fdk(rows, geometry, GRID)) < 1e-5


@pytest.mark.sanitize
def test_gathered_and_plain_sampling_of_free_poses_agree():
    geometry = circles()["rolled"].subset(slice(0, None, 20))
    rows = np.random.default_rng(0).standard_normal(geometry.projection_shape)
    kernels, volume = cpu_kernels(), prc.Volume((67, 21, 19), (2.5, 9.0, 8.0))
    double = prc.ct.fdk(rows, geometry, volume)
    former = kernels.limit_vector_width(16)
    try:
        for width in (0, 8, 16):
            kernels.limit_vector_width(width)
            image = prc.ct.fdk(rows.astype(np.float32), geometry, volume)
            assert relative_error(image, double) < 1e-4, width
    finally:
        kernels.limit_vector_width(former)


@pytest.mark.parametrize("name", ["turn", "displaced", "arc short", "yawed"])
def test_double_precision(name):
    geometry = circles()[name].subset(slice(0, None, 3))
    rows = BALL.project(geometry, dtype=np.float64)
    image = prc.ct.fdk(rows, geometry, GRID)
    assert image.dtype == np.float64
    assert relative_error(prc.ct.fdk(rows.astype(np.float32), geometry, GRID), image) < 2e-5


def helix_scan():
    angles = np.arange(-120, 120) * 2 * np.pi / 48
    return prc.ConeBeam(angles, (60, 112), pitch=60.0, curved=True, **PANEL)


def every_path():
    return {
        "turn": circles()["turn"].subset(slice(0, None, 4)),
        "rolled": circles()["rolled"].subset(slice(0, None, 4)),
        "helix": helix_scan(),
    }


@pytest.mark.parametrize("name", every_path())
def test_same_bits_for_any_number_of_threads(name):
    geometry = every_path()[name]
    rows = np.random.default_rng(0).standard_normal(geometry.projection_shape, np.float32)
    images = []
    for threads in (1, 2, 3):
        with prc.set_num_threads(threads):
            images.append(prc.ct.fdk(rows, geometry, GRID))
    np.testing.assert_array_equal(images[0], images[1])
    np.testing.assert_array_equal(images[0], images[2])


@pytest.mark.parametrize("name", every_path())
def test_slabs_and_view_chunks_make_the_whole(name, monkeypatch):
    geometry = every_path()[name]
    rows = BALL.project(geometry)
    whole = prc.ct.fdk(rows, geometry, GRID)
    for first, last in ((0, 5), (5, 17), (17, 23)):
        origin = (GRID.origin[0] + first * GRID.spacing[0], *GRID.origin[1:])
        slab = prc.Volume((last - first, *GRID.shape[1:]), GRID.spacing, origin)
        part = prc.ct.fdk(rows, geometry, slab)
        assert relative_error(part, whole[first:last]) < 1e-5
    monkeypatch.setattr(_fdk_stage, "_SCRATCH", 1 << 20)  # a few views at a time
    assert relative_error(prc.ct.fdk(rows, geometry, GRID), whole) < 1e-6


@pytest.mark.parametrize("filter", ["shepp-logan", "hann"])
def test_filters_keep_the_mean(filter):
    geometry = circles()["turn"]
    image = prc.ct.fdk(BALL.project(geometry), geometry, GRID, filter=filter, cutoff=0.8)
    x, y, z, distance = around()
    assert image[(distance < 30) & (abs(z) < 12)].mean() == pytest.approx(0.02, rel=4e-3)


def small_scans():
    panel = {"pixel": (9.0, 8.0), "source_origin": 300.0, "source_detector": 500.0}
    angles = np.linspace(0, 2 * np.pi, 20, endpoint=False)
    spiral = np.arange(-24, 24) * 2 * np.pi / 16
    return {
        "turn": prc.ConeBeam(angles, (21, 42), **panel),
        "arc short": prc.ConeBeam(SHORT[::10], (21, 42), curved=True, **panel),
        "displaced": prc.ConeBeam(angles, (21, 26), offset=(0.0, 50.0), **panel),
        "rolled": poses(prc.ConeBeam(angles, (21, 42), **panel), roll=0.05),
        "helix": prc.ConeBeam(spiral, (21, 42), pitch=60.0, **panel),
        "arc helix": prc.ConeBeam(spiral, (21, 42), pitch=60.0, curved=True, **panel),
    }


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", small_scans())
def test_cuda_parity(name, dtype, device):
    geometry = small_scans()[name]
    rows = BALL.project(geometry, dtype=dtype)
    for shape, spacing in (((9, 10, 11), 11.0), ((70, 3, 9), (1.5, 11.0, 11.0))):
        volume = prc.Volume(shape, spacing)
        expected = prc.ct.fdk(rows, geometry, volume)
        with device:
            image = device.numpy(prc.ct.fdk(device.array(rows), geometry, volume))
        assert relative_error(image, expected) < (3e-5 if dtype == np.float32 else 1e-11)


def test_rtk_fdk():
    itk = pytest.importorskip("itk")
    if not hasattr(itk, "RTK"):
        pytest.skip("itk-rtk is not installed")
    geometry = prc.ConeBeam(TURN[::4] + 0.2, (40, 70), (4.0, 3.6), 300.0, 500.0)
    volume = prc.Volume((20, 34, 31), (4.5, 4.0, 4.2))
    rows = BALL.project(geometry)
    turned = itk.RTK.ThreeDCircularProjectionGeometry.New()
    for angle in np.degrees(geometry.angles):
        turned.AddProjection(300.0, 500.0, float(angle))

    def image(values, spacing, origin):
        made = itk.image_from_array(np.ascontiguousarray(values))
        made.SetSpacing([float(x) for x in spacing])
        made.SetOrigin([float(x) for x in origin])
        return made

    fdk = itk.RTK.FDKConeBeamReconstructionFilter[itk.Image[itk.F, 3]].New()
    fdk.SetGeometry(turned)
    # RTK's X, Y, Z are our x, z, -y
    (z0, y0, x0), (dz, dy, dx) = volume.origin, volume.spacing
    grid = np.zeros((34, 20, 31), np.float32)
    fdk.SetInput(0, image(grid, (dx, dz, dy), (x0, z0, -(y0 + 33 * dy))))
    corner = geometry.column_positions()[0], geometry.row_positions()[0], 0.0
    fdk.SetInput(1, image(rows, (*geometry.pixel[::-1], 1.0), corner))
    fdk.GetRampFilter().SetTruncationCorrection(0.0)
    fdk.Update()
    peer = itk.array_from_image(fdk.GetOutput()).swapaxes(0, 1)[:, ::-1]
    # to the padding of the ramp
    assert relative_error(prc.ct.fdk(rows, geometry, volume), peer) < 6e-3


def test_out_is_filled_and_returned(tmp_path):
    geometry = circles()["turn"].subset(slice(0, None, 8))
    rows = BALL.project(geometry)
    expected = prc.ct.fdk(rows, geometry, GRID)
    out = np.full(GRID.shape, 7, np.float32)
    assert prc.ct.fdk(rows, geometry, GRID, out=out) is out
    np.testing.assert_array_equal(out, expected)
    mapped = np.memmap(tmp_path / "volume", np.float32, "w+", shape=GRID.shape)
    prc.ct.fdk(rows, geometry, GRID, out=mapped)
    np.testing.assert_array_equal(mapped, expected)
