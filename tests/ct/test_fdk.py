"""FDK: amplitude, position and error against closed forms for every orbit; bad inputs."""

import warnings

import numpy as np
import pytest
from helpers import relative_error
from hypothesis import given, settings
from hypothesis import strategies as st

import pyrad_core as prc
from pyrad_core._kernels.select import cpu_kernels, edge_of
from pyrad_core.ct import _fdk_free, _fdk_stage
from pyrad_core.errors import DataError, DeviceMemoryError, GeometryError, PyradWarning, ShapeError
from pyrad_core.phantom import Ellipsoids, shepp_logan

TURN = np.linspace(0, 2 * np.pi, 240, endpoint=False)
SHORT = np.linspace(0.3, 0.3 + np.pi + 1.2, 200)
BALL = Ellipsoids([[0.02, 40, 40, 40, 10, -5, 3, 0]])
CYLINDER = Ellipsoids([[0.02, 50, 50, 500, 10, -5, 0, 0]])
GRID = prc.Volume((23, 60, 57), spacing=(4.0, 2.6, 2.7))
PANEL = {"pixel": (3.3, 3.0), "source_origin": 300.0, "source_detector": 500.0}
HEIGHT = 60 * 3.3 * 0.6  # of the detector at the axis, mm


def poses(scan, turn_u=0.0, roll=0.0, jitter=0.0, mirrored=False):
    """Vectors of a scan whose detector is yawed about the source, rolled and shaken."""
    f, rng = scan.frames(), np.random.default_rng(0)

    def turned(axis, angle, w):
        cos, sin = np.cos(angle), np.sin(angle)
        along = np.einsum("vi,vi->v", axis, w)[:, None] * axis
        return w * cos + np.cross(axis, w) * sin + along * (1 - cos)

    up = np.zeros_like(f.source) + [0.0, 0.0, 1.0]
    centre = f.source + turned(up, turn_u, f.centre - f.source)
    d, u = turned(up, turn_u, f.direction), turned(up, turn_u, f.u)
    u, v = turned(d, roll, u), turned(d, roll, f.v)
    source = f.source + jitter * rng.standard_normal(f.source.shape)
    centre = centre + jitter * rng.standard_normal(f.source.shape)
    u = -u if mirrored else u
    return prc.ConeBeam.from_vectors(source, centre, u, v, detector=scan.detector)


def circles():
    flat = prc.ConeBeam(TURN, (60, 112), **PANEL)
    wide = prc.ConeBeam(TURN, (60, 140), **PANEL)
    half = prc.ConeBeam(TURN, (60, 72), offset=(0.0, 48.0), **PANEL)
    curved = {"curved": True, **PANEL}
    return {
        "turn": flat,
        "backwards": prc.ConeBeam(-TURN[::-1] - 1.0, (60, 112), **PANEL),
        "offset": prc.ConeBeam(TURN, (60, 112), offset=(2.0, 0.7), **PANEL),
        "displaced": half,
        "displaced left": prc.ConeBeam(TURN, (60, 72), offset=(0.0, -48.0), **PANEL),
        "short": prc.ConeBeam(SHORT, (60, 112), **PANEL),
        "short backwards": prc.ConeBeam(-SHORT, (60, 112), **PANEL),
        "arc": prc.ConeBeam(TURN, (60, 112), **curved),
        "arc short": prc.ConeBeam(SHORT, (60, 112), **curved),
        "arc displaced": prc.ConeBeam(TURN, (60, 72), offset=(0.0, -48.0), **curved),
        "vectors": poses(flat),
        "yawed": poses(wide, turn_u=np.radians(8)),
        "rolled": poses(flat, roll=np.radians(3)),
        "jittered": poses(flat, jitter=0.5),
        "mirrored": poses(flat, mirrored=True),
        "mirrored displaced": poses(half, mirrored=True, jitter=1e-3),
        "yawed short": poses(prc.ConeBeam(SHORT, (60, 140), **PANEL), turn_u=np.radians(8)),
    }


def around(centre=(10.0, -5.0, 3.0)):
    z, y, x = np.meshgrid(*GRID.axes(), indexing="ij")
    return x, y, z, np.sqrt((x - centre[0]) ** 2 + (y - centre[1]) ** 2 + (z - centre[2]) ** 2)


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


def test_helix_ball_lies_where_the_geometry_says():
    angles = np.arange(-300, 300) * 2 * np.pi / 144
    x, y, z, distance = around()
    for pitch in (60.0, -60.0):
        for curved in (False, True):
            offset = (1.5, 0.75)  # a quarter of a column
            scan = prc.ConeBeam(
                angles, (60, 112), pitch=pitch, curved=curved, offset=offset, **PANEL
            )
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


def test_problem_b_rmse():
    """360 views of 256^2, 128^3 Shepp-Logan in one fixed orientation, to the printed digit."""
    angles = np.arange(360) * 2 * np.pi / 360 + np.pi / 2
    geometry = prc.ConeBeam(angles, (256, 256), 1.8, 1000.0, 1536.0)
    volume = prc.Volume((128, 128, 128), 2.0)
    head = shepp_logan(3, radius=0.95 * 128)
    image = prc.ct.fdk(head.project(geometry), geometry, volume)
    error = (image - head.raster(volume, supersample=3)).astype(np.float64)
    z, y, x = np.meshgrid(*volume.axes(), indexing="ij", sparse=True)
    disc = np.hypot(x, y) < 0.95 * 128
    cylinder = disc & (abs(z) < 0.75 * 128)
    assert np.sqrt(np.mean(error[64][disc[0]] ** 2)) == pytest.approx(0.0234, abs=5e-5)
    assert np.sqrt(np.mean(error[cylinder] ** 2)) == pytest.approx(0.0183, abs=5e-5)


def test_bead_is_where_the_geometry_says():
    """A bead off the axis, on a grid finer than its image: rotation sign and half a pixel."""
    bead = Ellipsoids([[1.0, 0.8, 0.8, 0.8, 21.3, -13.7, 6.2, 0.0]])
    dense = np.linspace(0, 2 * np.pi, 360, endpoint=False)
    for shape in ((40, 40, 44), (41, 39, 45)):
        volume = prc.Volume(shape, spacing=0.15, origin=(3.2, -16.6, 18.0))
        for scan in (
            prc.ConeBeam(dense, (80, 280), 0.4, 150, 260),
            prc.ConeBeam(dense, (81, 281), 0.4, 150, 260, curved=True),
            poses(prc.ConeBeam(dense, (80, 281), 0.4, 150, 260), roll=0.01),
        ):
            image = prc.ct.fdk(bead.project(scan), scan, volume)
            z, y, x = np.meshgrid(*volume.axes(), indexing="ij")
            ball = (x - 21.3) ** 2 + (y + 13.7) ** 2 + (z - 6.2) ** 2 < 2.2**2
            mass = np.where(ball, image, 0).astype(np.float64)
            for axis, centre in ((x, 21.3), (y, -13.7), (z, 6.2)):
                assert (mass * axis).sum() / mass.sum() == pytest.approx(centre, abs=0.03)


def direct_sum(filtered, geometry, volume):
    """Backprojection in double precision, straight from the geometry's own formulas."""
    z, y, x = np.meshgrid(*volume.axes(), indexing="ij")
    points = np.stack([x.ravel(), y.ravel(), z.ravel()], axis=-1)
    seen, image = geometry.locate(points), np.zeros(volume.size)
    frames = geometry.frames()
    for v in range(geometry.views):
        column = (seen[v, :, 0] - geometry.column_positions()[0]) / geometry.pixel[1]
        row = (seen[v, :, 1] - geometry.row_positions()[0]) / geometry.pixel[0]
        rays = points - frames.source[v]
        along = rays @ frames.direction[v]
        if geometry.curved:
            along = np.hypot(along, rays @ frames.u[v] / geometry.pixel[1])
        padded = np.pad(filtered[v], 1)  # (rows + 2, columns + 2)
        c = np.clip(column + 1, 0, geometry.columns + 1 - 1e-12)
        r = np.clip(row + 1, 0, geometry.rows + 1 - 1e-12)
        i, j = c.astype(int), r.astype(int)
        fc, fr = c - i, r - j
        top = padded[j, i] * (1 - fc) + padded[j, i + 1] * fc
        down = padded[j + 1, i] * (1 - fc) + padded[j + 1, i + 1] * fc
        image += (geometry.source_origin / along) ** 2 * (top * (1 - fr) + down * fr)
    return image.reshape(volume.shape)


def transposed(values, dtype):
    """Filtered projections (V, R, C) in the kernels' layout."""
    views, rows, columns = values.shape
    pad = _fdk_stage.ROW_PAD
    out = np.zeros((views, columns + 2, -(-rows // 16) * 16 + 2 * pad), dtype)
    out[:, 1:-1, pad : pad + rows] = values.swapaxes(1, 2)
    return out


def turn_arguments(geometry, volume, kind):
    from pyrad_core.ct._fdk_turn import turning_views

    near, far = geometry.source_origin, geometry.source_detector
    pixel_v, pixel_u = geometry.pixel
    table = turning_views(geometry.angles, volume, near, 0.0)
    column = (-geometry.column_positions()[0] / pixel_u, far / pixel_u)
    row = (-geometry.row_positions()[0] / pixel_v, far / pixel_v)
    return geometry.rows, table, kind, column, row, near, 0.0, volume.spacing[0]


@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_backprojection_direct_sum(data):
    """Any instruction set, voxel height and place: permuted, gathered and plain loops agree."""
    draw = data.draw
    shape = tuple(draw(st.integers(1, n)) for n in (70, 21, 37))
    step_z = draw(st.sampled_from([0.4, 0.9, 1.7, 2.3, 5.0]))
    spacing = (step_z, draw(st.floats(0.5, 2)), draw(st.floats(0.5, 2)))
    origin = tuple(draw(st.floats(-40, 20)) for _ in range(3))
    volume = prc.Volume(shape, spacing, origin)
    curved = draw(st.booleans())
    detector = draw(st.integers(1, 40)), draw(st.integers(1, 50))
    offset = draw(st.floats(-9, 9)), draw(st.floats(-9, 9))
    angles = np.random.default_rng(draw(st.integers(0, 99))).uniform(-4, 4, 5)
    geometry = prc.ConeBeam(angles, detector, (1.1, 1.3), 250.0, 400.0, curved, offset)
    filtered = np.random.default_rng(1).standard_normal(geometry.projection_shape)
    expected = direct_sum(filtered, geometry, volume)
    scale = max(np.abs(expected).max(), 1.0)
    kernels = cpu_kernels()
    arguments = turn_arguments(geometry, volume, int(curved))
    former = kernels.limit_backproject_isa(3)
    try:
        for level, dtype, tolerance in (
            (3, np.float32, 3e-4),
            (2, np.float32, 3e-4),
            (0, np.float32, 3e-4),
            (3, np.float64, 1e-10),
        ):
            kernels.limit_backproject_isa(level)
            image = np.full(shape, 3.0, dtype)
            kernels.backproject_cone(transposed(filtered, dtype), *arguments, True, image)
            assert np.abs(image - 3.0 - expected).max() < tolerance * scale, level
    finally:
        kernels.limit_backproject_isa(former)


def test_free_poses_give_the_circle_s_image():
    geometry = circles()["turn"]
    rows = BALL.project(geometry)
    image = _fdk_free.free(edge_of(projections=rows), rows, poses(geometry), GRID, {})
    assert relative_error(image, prc.ct.fdk(rows, geometry, GRID)) < 1e-5


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
    geometry = prc.ConeBeam(TURN[::2] + 0.2, (40, 70), (4.0, 3.6), 300.0, 500.0)
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


def test_incomplete_scans_warn():
    rows = np.ones((100, 60, 112), np.float32)
    with pytest.warns(PyradWarning, match=r"cover 150\.0 degrees"):
        prc.ct.fdk(rows, prc.ConeBeam(TURN[:100], (60, 112), **PANEL), GRID)
    scan = prc.ConeBeam(np.arange(100) * 2 * np.pi / 40, (60, 112), pitch=50.0, **PANEL)
    with pytest.warns(PyradWarning, match="the helix sees z ="):
        prc.ct.fdk(rows, scan, GRID)
    steep = prc.ConeBeam(scan.angles, (60, 112), pitch=300.0, **PANEL)
    with pytest.warns(PyradWarning, match="more than twice the detector's height"):
        prc.ct.fdk(rows, steep, GRID)
    with pytest.raises(GeometryError, match=r"fdk needs .* \(half a turn and the fan\)"):
        prc.ct.fdk(rows[:20], scan.subset(slice(0, 20)), GRID)


def test_other_beams_and_slices_are_refused():
    for beam in (prc.ParallelBeam(TURN, (60, 112)), prc.FanBeam(TURN, 112, 1.0, 300, 500)):
        with pytest.raises(GeometryError, match="use fbp for parallel and fan beams"):
            prc.ct.fdk(np.zeros(beam.projection_shape, np.float32), beam, GRID)
    scan = circles()["turn"]
    rows = np.zeros(scan.projection_shape, np.float32)
    with pytest.raises(GeometryError, match=r"\(60, 57\); fdk reconstructs \(nz, ny, nx\)"):
        prc.ct.fdk(rows, scan, prc.Volume((60, 57)))
    with pytest.raises(GeometryError, match="looks away from the rotation axis"):
        frames = poses(scan, jitter=0.1).vectors.copy()
        arm = frames[3, 1] - frames[3, 0]
        frames[3, 1] = frames[3, 0] - arm
        away = prc.ConeBeam.from_vectors(*frames.transpose(1, 0, 2), detector=(60, 112))
        prc.ct.fdk(rows, away, GRID)
    with pytest.raises(DataError, match="did you mean 'ram-lak'"):
        prc.ct.fdk(rows, scan, GRID, filter="ramlak")


def test_bad_input_31_shape_of_projections():
    scan = circles()["turn"]
    with pytest.raises(ShapeError, match=r"\(240, 112, 60\).*\(240, 60, 112\)"):
        prc.ct.fdk(np.zeros((240, 112, 60), np.float32), scan, GRID)


def test_bad_input_36_38_source_inside_and_detector_beside():
    with pytest.raises(GeometryError, match="source runs inside the volume"):
        scan = prc.ConeBeam(TURN, (60, 112), 1.0, 80.0, 500.0)
        prc.ct.fdk(np.zeros(scan.projection_shape, np.float32), scan, GRID)
    scan = circles()["turn"]
    far_away = prc.Volume(GRID.shape, GRID.spacing, (900.0, -76.0, -76.0))
    with pytest.warns(PyradWarning, match="misses the volume"):
        image = prc.ct.fdk(np.ones(scan.projection_shape, np.float32), scan, far_away)
    assert not image.any()


def test_bad_input_39_nan_in_projections():
    scan = circles()["turn"].subset(slice(0, 20))
    rows = np.zeros(scan.projection_shape, np.float32)
    rows[7, 5, 3] = rows[9, 0, 0] = np.nan
    with pytest.raises(DataError, match=r"projections holds 2 NaN or Inf.*\(7, 5, 3\)"):
        prc.ct.fdk(rows, scan, GRID)


def test_bad_input_40_45_46_integers_strided_and_read_only():
    scan = circles()["turn"].subset(slice(0, None, 8))
    counts = np.random.default_rng(0).integers(0, 60000, (112, 60, 30)).astype(np.uint16).T
    expected = prc.ct.fdk(counts.astype(np.float32), scan, GRID)
    counts.flags.writeable = False
    got = prc.ct.fdk(counts, scan, GRID)
    assert got.dtype == np.float32
    np.testing.assert_array_equal(got, expected)
    with pytest.raises(DataError, match="float16"):
        prc.ct.fdk(counts.astype(np.float16), scan, GRID)


def test_bad_input_43_volume_larger_than_memory():
    scan = circles()["turn"].subset(slice(0, None, 60))
    vast = prc.Volume((10**4,) * 3, spacing=1e-3)
    with pytest.raises(DeviceMemoryError, match=r"need 3725\.\d+ GiB, free are"):
        prc.ct.fdk(np.zeros(scan.projection_shape, np.float32), scan, vast)


def test_bad_input_47_unusable_out():
    scan = circles()["turn"].subset(slice(0, None, 60))
    rows = np.zeros(scan.projection_shape, np.float32)
    out = np.zeros(GRID.shape, np.float32)
    out.flags.writeable = False
    with pytest.raises(DataError, match="read-only"):
        prc.ct.fdk(rows, scan, GRID, out=out)
    with pytest.raises(ShapeError, match=r"\(3, 3\).*\(23, 60, 57\)"):
        prc.ct.fdk(rows, scan, GRID, out=np.zeros((3, 3), np.float32))


def test_kernels_refuse_what_would_read_out_of_bounds():
    kernels, out = cpu_kernels(), np.zeros((2, 3, 4), np.float32)
    scan = circles()["turn"].subset(slice(0, 4))
    arguments = turn_arguments(scan, GRID, 0)
    narrow = np.zeros((4, 114, 60 + 63), np.float32)
    with pytest.raises(ShapeError, match="at least 60"):
        kernels.backproject_cone(narrow, *arguments, False, out)
    with pytest.raises(ShapeError, match=r"views has shape \(4, 7, \)"):
        kernels.backproject_cone(np.zeros((5, 114, 128), np.float32), *arguments, False, out)
    x = np.zeros((4, 2, 5), np.float32)
    for view, column in ((3.5, 1.0), (1.0, -0.1), (np.nan, 1.0)):
        with pytest.raises(ShapeError, match="expected 0 to"):
            kernels.rebin_rows(x, np.full((1, 1), view), np.full(1, column), x[:1, :, :1].copy())
