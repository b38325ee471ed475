"""Filtered backprojection: amplitude, position and error against closed forms; bad inputs."""

import numpy as np
import pytest
from helpers import relative_error

import pyrad_core as prc
from pyrad_core._kernels.select import cpu_kernels
from pyrad_core.ct.ramp import FILTERS, ramp_response
from pyrad_core.ct.redundancy import angular_weights, short_scan_weights
from pyrad_core.errors import DataError, DeviceMemoryError, GeometryError, PyradWarning, ShapeError
from pyrad_core.phantom import Ellipsoids, shepp_logan

HALF = np.linspace(0, np.pi, 360, endpoint=False)
TURN = np.linspace(0, 2 * np.pi, 720, endpoint=False)
SHORT = np.linspace(0.4, 0.4 + np.pi + 1.3, 480)
DISC = Ellipsoids([[0.02, 30, 30, 8.0, -12.0, 0.0]])  # 0.02 per mm: water
GRID = prc.Volume((112, 128), spacing=(1.0, 0.9))


def uneven(span, count):
    """Increasing angles whose steps differ by a factor of up to three."""
    steps = np.random.default_rng(3).uniform(0.5, 1.5, count)
    return 0.3 + np.cumsum(steps) * span / steps.sum()


def scans():
    fan = {"pixel": 1.5, "source_origin": 150.0, "source_detector": 260.0}
    return {
        "half turn": prc.ParallelBeam(HALF, 185),
        "full turn": prc.ParallelBeam(TURN, 185),
        "backwards": prc.ParallelBeam(-HALF[::-1] - 1.0, 185),
        "fine pixels": prc.ParallelBeam(HALF, 391, pixel=0.47, offset=0.11),
        "wide pixels": prc.ParallelBeam(HALF, 101, pixel=1.9),
        "displaced": prc.ParallelBeam(TURN, 110, offset=38.0),
        "displaced left": prc.ParallelBeam(TURN, 110, offset=-38.5),
        "golden angle": prc.ParallelBeam(np.arange(360) * 1.9416 % np.pi, 185),
        "fan": prc.FanBeam(TURN, 260, **fan),
        "fan offset": prc.FanBeam(TURN, 260, offset=0.6, **fan),
        "fan displaced": prc.FanBeam(TURN, 160, offset=74.0, **fan),
        "fan short": prc.FanBeam(SHORT, 260, **fan),
        "fan short backwards": prc.FanBeam(-SHORT, 260, **fan),
        "fan over-scan": prc.FanBeam(np.linspace(0, 5.2, 600), 260, **fan),
        "fan turn and a quarter": prc.FanBeam(np.arange(900) * np.pi / 359.7, 260, **fan),
        "fan two turns": prc.FanBeam(-np.arange(1201) * np.pi / 300.2, 260, **fan),
        "fan uneven": prc.FanBeam(uneven(2 * np.pi, 720), 260, **fan),
        "fan short uneven": prc.FanBeam(uneven(4.5, 540), 260, **fan),
        "arc uneven backwards": prc.FanBeam(-uneven(2 * np.pi, 720), 260, curved=True, **fan),
        "parallel uneven": prc.ParallelBeam(uneven(np.pi, 400), 185),
        "parallel turn and a quarter": prc.ParallelBeam(np.arange(900) * np.pi / 359.7, 185),
        "arc": prc.FanBeam(TURN, 260, curved=True, **fan),
        "arc short": prc.FanBeam(np.linspace(0, np.pi + 1.6, 500), 260, curved=True, **fan),
        "arc displaced": prc.FanBeam(TURN, 160, offset=-74.0, curved=True, **fan),
    }


@pytest.mark.parametrize("name", scans())
def test_disc_closed_form(name):
    """Amplitude inside, zero outside and the centre of mass, with no scale or shift fitted."""
    geometry = scans()[name]
    image = prc.ct.fbp(DISC.project(geometry).astype(np.float32), geometry, GRID)
    y, x = np.meshgrid(*GRID.axes(), indexing="ij")
    distance = np.hypot(x - 8.0, y + 12.0)
    assert image[distance < 24].mean() == pytest.approx(0.02, rel=2e-3)
    assert abs(image[(distance > 36) & (np.hypot(x, y) < 50)].mean()) < 1e-4
    mass = np.where(distance < 36, image, 0).astype(np.float64)
    assert (mass * x).sum() / mass.sum() == pytest.approx(8.0, abs=0.05)
    assert (mass * y).sum() / mass.sum() == pytest.approx(-12.0, abs=0.05)
    # radial profile: half height at the radius
    rim = np.abs(distance - 30) < 0.25
    assert image[rim].mean() == pytest.approx(0.01, rel=0.1)


@pytest.mark.parametrize("fan", [False, True])
def test_repeated_angles_share_their_weight(fan):
    """A second turn over the same angles adds nothing but averages the noise."""
    once = scans()["fan" if fan else "full turn"].subset(slice(None, None, 4))
    with pytest.warns(PyradWarning, match="repeat"):
        twice = once.replace(angles=np.r_[once.angles, once.angles])
    rows = DISC.project(once)
    expected = prc.ct.fbp(rows, once, GRID)
    image = prc.ct.fbp(np.concatenate([0.9 * rows, 1.1 * rows]), twice, GRID)
    assert relative_error(image, expected) < 2e-6


def test_problem_a_rmse():
    """720 views of 736 pixels, 512^2 Shepp-Logan in one fixed orientation."""
    geometry = prc.ParallelBeam(np.arange(720) * np.pi / 720, 736)
    volume = prc.Volume((512, 512))
    head = shepp_logan(2, radius=0.95 * 256)
    sinogram = head.project(geometry).astype(np.float32)
    truth = head.raster(volume, supersample=4)
    y, x = np.meshgrid(*volume.axes(), indexing="ij")
    inside = np.hypot(x, y) < 0.98 * 256
    error = prc.ct.fbp(sinogram, geometry, volume) - truth
    assert np.sqrt(np.mean(error[inside] ** 2)) < 0.0152


def test_point_is_where_the_geometry_says():
    """A bead off the axis, on a grid finer than its image: rotation sign and half a pixel."""
    bead = Ellipsoids([[1.0, 0.6, 0.6, 21.3, -13.7, 0.0]])
    for shape in ((80, 90), (81, 89)):
        volume = prc.Volume(shape, spacing=0.1, origin=(-17.5, 17.0))
        for geometry in (
            prc.ParallelBeam(HALF, 401, pixel=0.4),
            prc.FanBeam(TURN, 700, 0.4, 150, 260),
            prc.FanBeam(TURN, 700, 0.4, 150, 260, curved=True),
        ):
            image = prc.ct.fbp(bead.project(geometry), geometry, volume)
            y, x = np.meshgrid(*volume.axes(), indexing="ij")
            mass = np.where(np.hypot(x - 21.3, y + 13.7) < 3, image, 0)
            assert (mass * x).sum() / mass.sum() == pytest.approx(21.3, abs=0.01)
            assert (mass * y).sum() / mass.sum() == pytest.approx(-13.7, abs=0.01)


def test_rows_are_independent_slices():
    rng = np.random.default_rng(0)
    geometry = prc.ParallelBeam(HALF[::4], (3, 60), pixel=(2.0, 1.0))
    volume = prc.Volume((3, 40, 44), spacing=(2.0, 1.0, 1.0))
    rows = rng.standard_normal(geometry.projection_shape).astype(np.float32)
    stack = prc.ct.fbp(rows, geometry, volume)
    flat, slice_ = prc.ParallelBeam(HALF[::4], 60), prc.Volume((40, 44))
    for row in range(3):
        assert relative_error(stack[row], prc.ct.fbp(rows[:, row], flat, slice_)) < 1e-6


@pytest.mark.sanitize
@pytest.mark.parametrize(
    "name",
    [
        *("half turn", "fine pixels", "wide pixels", "displaced", "fan distant", "arc distant"),
        *("fan fine", "arc fine"),
    ],
)
def test_permuting_kernels_agree_with_the_portable_loop(name):
    """The fans' portable loop counts columns in float from the detector's edge."""
    others = {
        "fan distant": prc.FanBeam(TURN, 300, 0.9, 600.0, 900.0, offset=3.3),
        "fan fine": prc.FanBeam(TURN, 300, 1.0, 400.0, 600.0, offset=-3.3),
    }
    others |= {f"arc {k[4:]}": v.replace(curved=True) for k, v in others.items()}
    geometry = (scans() | others)[name]
    rows = np.random.default_rng(0).standard_normal(geometry.projection_shape)
    rows = rows.astype(np.float32)
    volume = prc.Volume((83, 77), spacing=(0.7, 0.9), origin=(-20.0, -60.0))
    kernels, images = cpu_kernels(), {}
    former = kernels.limit_vector_width(16)
    try:
        for width in (0, 8, 16):
            kernels.limit_vector_width(width)
            images[width] = prc.ct.fbp(rows, geometry, volume)
    finally:
        kernels.limit_vector_width(former)
    double = prc.ct.fbp(rows.astype(np.float64), geometry, volume)
    for width, image in images.items():
        edge = 5e-5 if width == 0 and isinstance(geometry, prc.FanBeam) else 1e-5
        assert relative_error(image, double) < edge, width  # white noise: float positions show


@pytest.mark.parametrize("curved", [False, True])
def test_close_source_mixes_series_and_portable_loop(curved):
    """Tiles next to the source's circle take another kernel in every part of the turn."""
    geometry = prc.FanBeam(TURN, 250, 2.2, 150.0, 260.0, curved=curved)
    volume = prc.Volume((210, 205))
    rows = np.random.default_rng(0).standard_normal(geometry.projection_shape)
    image = prc.ct.fbp(rows.astype(np.float32), geometry, volume)
    assert relative_error(image, prc.ct.fbp(rows, geometry, volume)) < 3e-5


def test_steep_advance_takes_the_portable_loop():
    """More than two columns per pixel: no register window is wide enough."""
    geometry = prc.ParallelBeam(HALF, 185)
    coarse = prc.Volume((30, 30), spacing=3.1)
    rows = DISC.project(geometry)
    image = prc.ct.fbp(rows.astype(np.float32), geometry, coarse)
    assert relative_error(image, prc.ct.fbp(rows, geometry, coarse)) < 2e-6


@pytest.mark.parametrize("name", ["half turn", "arc"])
def test_same_bits_for_any_number_of_threads(name):
    geometry = scans()[name]
    rows = np.random.default_rng(0).standard_normal(geometry.projection_shape)
    rows = rows.astype(np.float32)
    images = []
    for threads in (1, 2, 3):
        with prc.set_num_threads(threads):
            images.append(prc.ct.fbp(rows, geometry, GRID))
    np.testing.assert_array_equal(images[0], images[1])
    np.testing.assert_array_equal(images[0], images[2])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ["half turn", "displaced", "fan short", "arc displaced"])
def test_cuda_parity(name, dtype, device):
    geometry = scans()[name].subset(slice(0, None, 12))
    rows = np.random.default_rng(0).standard_normal(geometry.projection_shape).astype(dtype)
    volume = prc.Volume((50, 39), spacing=(1.7, 2.0))
    expected = prc.ct.fbp(rows, geometry, volume)
    with device:
        image = device.numpy(prc.ct.fbp(device.array(rows), geometry, volume))
    assert relative_error(image, expected) < (3e-5 if dtype == np.float32 else 1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_cuda_parity_of_a_stack(dtype, device):
    """Five slices: four that share a thread and one more."""
    geometry = prc.ParallelBeam(HALF[::15], (5, 41), pixel=(2.0, 1.1))
    volume = prc.Volume((5, 36, 33), spacing=(2.0, 1.0, 1.0))
    rows = np.random.default_rng(0).standard_normal(geometry.projection_shape).astype(dtype)
    expected = prc.ct.fbp(rows, geometry, volume)
    with device:
        image = device.numpy(prc.ct.fbp(device.array(rows), geometry, volume))
    assert relative_error(image, expected) < (1e-5 if dtype == np.float32 else 1e-12)


@pytest.mark.parametrize("filter", FILTERS)
def test_filters_keep_the_mean_and_order_in_sharpness(filter):
    geometry = scans()["half turn"]
    rows = DISC.project(geometry)
    image = prc.ct.fbp(rows, geometry, GRID, filter=filter)
    assert image[44, 72] == pytest.approx(0.02, rel=0.02)
    energy = [np.sum(ramp_response(64, 1.0, name) ** 2) for name in FILTERS]
    assert energy == sorted(energy, reverse=True)


@pytest.mark.parametrize("filter", FILTERS)
def test_cutoff_ends_the_window(filter):
    """A window stretched to the cutoff, nothing beyond; the lowest frequencies stay as they are."""
    full, half = (ramp_response(512, 0.5, filter, cutoff=c) for c in (1.0, 0.5))
    plain, k = ramp_response(512, 0.5), np.arange(513)
    assert (half[k > 256] == 0).all()
    window = np.interp(k[1:257] / 256, k[1:] / 512, full[1:] / plain[1:])
    np.testing.assert_allclose(half[1:257] / plain[1:257], window, atol=1e-4)
    geometry = scans()["half turn"]
    image = prc.ct.fbp(DISC.project(geometry), geometry, GRID, filter=filter, cutoff=0.4)
    assert image[90:110, 68:78].mean() == pytest.approx(0.0, abs=1e-3)
    assert image[40:50, 68:78].mean() == pytest.approx(0.02, rel=0.01)


@pytest.mark.parametrize("cutoff", [0.0, -0.5, 1.01, np.nan, "half"])
def test_cutoff_outside_its_range(cutoff):
    geometry = scans()["half turn"]
    with pytest.raises(DataError, match="cutoff is"):
        prc.ct.fbp(np.zeros(geometry.projection_shape), geometry, GRID, cutoff=cutoff)


def test_ramp_has_no_constant_part():
    """The sampled ramp's response at frequency 0 is its truncation, not 0: |f| would be wrong."""
    response = ramp_response(512, 1.0)
    assert response[0] == pytest.approx(2 / (np.pi**2 * 1024), rel=1e-3)
    assert response[512] == pytest.approx(0.5, rel=1e-3)


@pytest.mark.parametrize("columns", [1, 2, 3, 17, 64, 65, 700])
@pytest.mark.parametrize("rows, parts", [(1, 1), (5, 5), (33, 1), (66, 22)])
@pytest.mark.parametrize("pad", [(0, 0), (4, 0), (3, 40)])
def test_row_filter_numpy_fft(columns, rows, parts, pad):
    rng = np.random.default_rng(0)
    width = columns + sum(pad)
    response = ramp_response(width, 0.7)
    x, scale = rng.standard_normal((rows, columns)), rng.standard_normal(rows)
    weights = rng.standard_normal((parts, columns))
    size = 2 * (response.size - 1)
    wide = np.pad(x * np.repeat(weights, rows // parts, axis=0), ((0, 0), pad))
    expected = np.fft.irfft(np.fft.rfft(wide, size) * response, size)[:, :width] * scale[:, None]
    for dtype, tolerance in ((np.float32, 1e-6), (np.float64, 1e-14)):
        out = np.empty((rows, width), dtype)
        a, w, r, s = (v.astype(dtype) for v in (x, weights, response, scale))
        cpu_kernels().filter_rows(a, w, pad[0], r, s, out)
        assert relative_error(out, expected) < tolerance


def test_row_filter_refuses_what_does_not_fit():
    def call(shape=(4, 6), weights=(1, 6), first=1, out=(4, 8), scale=4):
        given = [np.zeros(s, np.float32) for s in (shape, weights)]
        rest = [np.zeros(s, np.float32) for s in (17, scale, out)]
        cpu_kernels().filter_rows(*given, first, *rest)

    call()
    for wrong in (
        {"first": 3},
        {"first": -1},
        {"weights": (3, 6)},
        {"weights": (1, 5)},
        {"weights": (0, 6)},
        {"out": (4, 17)},
        {"out": (3, 8)},
        {"scale": 3},
    ):
        with pytest.raises(ShapeError):
            call(**wrong)


def test_angular_weights_cover_the_period():
    rng = np.random.default_rng(0)
    for angles in (HALF, rng.permutation(HALF), rng.uniform(-9, 9, 500), np.r_[HALF, HALF]):
        weights, wedge = angular_weights(angles, np.pi)
        assert weights.sum() == pytest.approx(np.pi) and wedge == 0
    weights, wedge = angular_weights(HALF[:90], np.pi)
    assert np.degrees(wedge) == pytest.approx(135.5)
    np.testing.assert_allclose(weights, np.pi / 360)


def test_short_scan_weights_of_conjugate_rays_add_up():
    length, gamma = np.pi + 0.9, np.linspace(-0.4, 0.4, 81)
    beta = np.linspace(0, length, 400)
    weights = short_scan_weights(beta, gamma, length)
    for column in (0, 13, 40, 77):
        for view in (10, 50, 100):
            other = beta[view] + np.pi - 2 * gamma[column]
            if 0 <= other <= length:
                twin = short_scan_weights(np.array([other]), -gamma[[column]], length)[0, 0]
                assert weights[view, column] + twin == pytest.approx(1.0, abs=1e-9)


def test_astra_fbp():
    astra = pytest.importorskip("astra")
    geometry = prc.ParallelBeam(HALF, 185)
    volume = prc.Volume((128, 128))
    rows = DISC.project(geometry).astype(np.float32)
    grid = astra.create_vol_geom(128, 128)
    beam = astra.create_proj_geom("parallel", 1.0, 185, geometry.angles)
    projector = astra.create_projector("linear", beam, grid)
    sinogram = astra.data2d.create("-sino", beam, rows)
    image = astra.data2d.create("-vol", grid)
    options = astra.astra_dict("FBP")
    options |= {"ProjectorId": projector, "ProjectionDataId": sinogram}
    options |= {"ReconstructionDataId": image, "option": {"FilterType": "Ram-Lak"}}
    algorithm = astra.algorithm.create(options)
    astra.algorithm.run(algorithm)
    peer = astra.data2d.get(image)[::-1]
    astra.clear()
    got = prc.ct.fbp(rows, geometry, volume)
    y, x = np.meshgrid(*volume.axes(), indexing="ij")
    inside = np.hypot(x, y) < 60
    assert relative_error(got[inside], peer[inside]) < 0.03


def test_out_is_filled_and_returned():
    geometry = scans()["half turn"]
    rows = DISC.project(geometry).astype(np.float32)
    out = np.full(GRID.shape, 7, np.float32)
    assert prc.ct.fbp(rows, geometry, GRID, out=out) is out
    np.testing.assert_array_equal(out, prc.ct.fbp(rows, geometry, GRID))


def test_limited_angle_warns():
    with pytest.warns(PyradWarning, match="135.5 degrees of half a turn"):
        prc.ct.fbp(np.ones((90, 185)), prc.ParallelBeam(HALF[:90], 185), GRID)
    fan = prc.FanBeam(TURN[:300], 260, 1.5, 150, 260)
    with pytest.warns(PyradWarning, match="cover 150.0 degrees"):
        prc.ct.fbp(np.ones((300, 260)), fan, GRID)


def test_bad_input_31_shape_of_projections():
    geometry = scans()["half turn"]
    with pytest.raises(ShapeError, match=r"\(185, 360\).*\(360, 185\)"):
        prc.ct.fbp(np.zeros((185, 360)), geometry, GRID)


def test_bad_input_39_nan_in_sinogram():
    geometry = scans()["half turn"]
    rows = np.zeros(geometry.projection_shape, np.float32)
    rows[7, 5] = rows[9, 0] = np.inf
    with pytest.raises(DataError, match=r"projections holds 2 NaN or Inf.*\(7, 5\)"):
        prc.ct.fbp(rows, geometry, GRID)


def test_bad_input_40_41_integer_sinogram():
    """Integers are line integrals like any other numbers: float32, never a guess at counts."""
    geometry = prc.ParallelBeam(HALF, 95)
    rows = np.random.default_rng(0).integers(0, 60000, geometry.projection_shape).astype(np.uint16)
    got = prc.ct.fbp(rows, geometry, prc.Volume((32, 32)))
    expected = prc.ct.fbp(rows.astype(np.float32), geometry, prc.Volume((32, 32)))
    assert got.dtype == np.float32
    np.testing.assert_array_equal(got, expected)
    with pytest.raises(DataError, match="float16"):
        prc.ct.fbp(rows.astype(np.float16), geometry, prc.Volume((32, 32)))


def test_bad_input_43_volume_larger_than_memory():
    geometry = prc.ParallelBeam(HALF, 95)
    vast = prc.Volume((10**6, 10**6), spacing=1e-4)
    with pytest.raises(DeviceMemoryError, match=r"3725.29 GiB, free are .* reconstruct in parts"):
        prc.ct.fbp(np.zeros(geometry.projection_shape, np.float32), geometry, vast)
    with pytest.raises(DeviceMemoryError, match="3725.29 GiB"):
        prc.ct.Projector(geometry, vast).adjoint(np.zeros(geometry.projection_shape, np.float32))


def test_bad_input_45_46_strided_and_read_only():
    geometry = prc.ParallelBeam(HALF, 95)
    rows = np.random.default_rng(0).standard_normal((95, 360)).astype(np.float32).T
    expected = prc.ct.fbp(rows.copy(), geometry, GRID)
    rows.flags.writeable = False
    np.testing.assert_array_equal(prc.ct.fbp(rows, geometry, GRID), expected)


def test_bad_input_47_unusable_out():
    geometry = prc.ParallelBeam(HALF, 95)
    rows = np.zeros(geometry.projection_shape, np.float32)
    out = np.zeros(GRID.shape, np.float32)
    out.flags.writeable = False
    with pytest.raises(DataError, match="read-only"):
        prc.ct.fbp(rows, geometry, GRID, out=out)
    with pytest.raises(ShapeError, match=r"\(3, 3\).*\(112, 128\)"):
        prc.ct.fbp(rows, geometry, GRID, out=np.zeros((3, 3), np.float32))
    with pytest.raises(DataError, match="float64"):
        prc.ct.fbp(rows, geometry, GRID, out=np.zeros(GRID.shape))
    with pytest.raises(DataError, match="contiguous"):
        prc.ct.fbp(rows, geometry, GRID, out=np.zeros(GRID.shape[::-1], np.float32).T)


def test_unknown_filter_and_unsupported_scans():
    geometry = scans()["half turn"]
    rows = np.zeros(geometry.projection_shape)
    with pytest.raises(DataError, match="did you mean 'ram-lak'"):
        prc.ct.fbp(rows, geometry, GRID, filter="ramlak")
    stack = prc.ParallelBeam(HALF, (3, 20), pixel=1.0)
    apart = prc.Volume((3, 8, 8), spacing=(2.0, 1.0, 1.0))
    with pytest.raises(GeometryError, match=r"rows are 3 from -1 to 1 mm, slices are 3 from -2"):
        prc.ct.fbp(np.zeros(stack.projection_shape), stack, apart)
    cone = prc.ConeBeam(TURN, (4, 8), 1.0, 100, 150)
    with pytest.raises(GeometryError, match="ParallelBeam and FanBeam"):
        prc.ct.fbp(np.zeros(cone.projection_shape), cone, prc.Volume((4, 8, 8)))
