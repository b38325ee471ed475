"""Projector: closed forms, adjointness, agreement of the kernels, bad inputs."""

import numpy as np
import pytest
from helpers import assert_adjoint, relative_error
from hypothesis import given, settings
from hypothesis import strategies as st

import pyrad_core as prc
from pyrad_core._kernels.select import cpu_kernels
from pyrad_core.errors import DataError, GeometryError, ShapeError
from pyrad_core.phantom import Ellipsoids

HALF = np.linspace(0, np.pi, 90, endpoint=False)
TURN = np.linspace(0, 2 * np.pi, 60, endpoint=False)


def scans():
    return {
        "parallel": (prc.ParallelBeam(HALF, 95), prc.Volume((64, 64))),
        "parallel offset": (
            prc.ParallelBeam(HALF + 0.2, 61, pixel=1.3, offset=2.7),
            prc.Volume((41, 57), spacing=(0.9, 1.4), origin=(-20.0, -33.0)),
        ),
        "parallel rows": (
            prc.ParallelBeam(HALF[::5], (3, 45), pixel=(2.0, 1.0)),
            prc.Volume((3, 30, 28), spacing=(2.0, 1.0, 1.1)),
        ),
        "parallel stack": (
            prc.ParallelBeam(HALF[::5], (5, 21), pixel=(2.0, 0.6)),
            prc.Volume((5, 19, 18), spacing=(2.0, 1.0, 0.9)),
        ),
        "fan": (prc.FanBeam(TURN, 101, 1.7, 90, 150), prc.Volume((64, 64))),
        "fan offset": (
            prc.FanBeam(TURN + 0.1, 80, 1.1, 70, 110, offset=-3.3),
            prc.Volume((33, 47), spacing=(1.2, 0.8)),
        ),
        "fan curved": (
            prc.FanBeam(TURN, 101, 1.7, 90, 150, curved=True, offset=0.4),
            prc.Volume((64, 50)),
        ),
        "fan wide": (prc.FanBeam(TURN, 201, 1.5, 50, 80), prc.Volume((64, 64))),
    }


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", scans())
def test_adjoint(name, dtype):
    geometry, volume = scans()[name]
    assert_adjoint(prc.ct.Projector(geometry, volume), dtype=dtype)


@pytest.mark.filterwarnings("ignore:the detector misses the volume")
@settings(max_examples=20, deadline=None)
@given(
    ny=st.integers(1, 40),
    nx=st.integers(1, 40),
    columns=st.integers(1, 50),
    views=st.integers(1, 9),
    pixel=st.floats(0.2, 4.0),
    pitch=st.floats(0.3, 3.0),
    shift=st.floats(-3.0, 3.0),
    fan=st.booleans(),
)
def test_adjoint_of_any_size(ny, nx, columns, views, pixel, pitch, shift, fan):
    """In double through the portable loops, in single through the permuting ones."""
    volume = prc.Volume((ny, nx), spacing=(1.0, pitch), origin=(-0.5 * ny, -0.5 * nx * pitch))
    angles = 0.7 + 1.3 * np.arange(views)
    if fan:
        geometry = prc.FanBeam(angles, columns, pixel, 150, 200, offset=shift)
    else:
        geometry = prc.ParallelBeam(angles, columns, pixel=pixel, offset=shift)
    A = prc.ct.Projector(geometry, volume)
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal(A.domain_shape), rng.standard_normal(A.range_shape)
    Ax, Aty = A.forward(x), A.adjoint(y)
    scale = np.linalg.norm(x) * np.linalg.norm(y) * max(A.norm(), 1e-9)
    assert abs(np.vdot(Ax, y) - np.vdot(x, Aty)) < 1e-12 * scale
    assert np.abs(A.forward(x.astype(np.float32)) - Ax).max() < 1e-3 * (1 + np.abs(Ax).max())
    single = A.adjoint(y.astype(np.float32))
    assert np.abs(single - Aty).max() < 1e-3 * (1 + np.abs(Aty).max())


@pytest.mark.parametrize("name", ["parallel", "fan", "fan curved", "fan wide"])
def test_smooth_object_closed_form(name):
    """Wide discs, so that the raster adds little: a wrong angle, sign or scale shows at once."""
    geometry, _ = scans()[name]
    volume = prc.Volume((150, 160), spacing=0.4)
    discs = Ellipsoids([[1.0, 14, 20, 5.0, -3.0, 30.0], [-0.5, 6, 6, -9.0, 8.0, 0.0]])
    image = discs.raster(volume, supersample=8).astype(np.float64)
    got = prc.ct.Projector(geometry, volume).forward(image)
    assert relative_error(got, discs.project(geometry)) < 0.01


def test_axis_aligned_rays_are_sums():
    """At 0 rays run along y, at 90 degrees along x: sums of columns and rows, in mm."""
    volume = prc.Volume((5, 7), spacing=(2.0, 1.0))
    image = np.random.default_rng(1).standard_normal((5, 7))
    A = prc.ct.Projector(prc.ParallelBeam([0.0], 7), volume)
    np.testing.assert_allclose(A.forward(image)[0], 2.0 * image.sum(axis=0), rtol=1e-12)
    A = prc.ct.Projector(prc.ParallelBeam([np.pi / 2], 5, pixel=2.0), volume)
    np.testing.assert_allclose(A.forward(image)[0], image.sum(axis=1), rtol=1e-12)


def test_off_centre_point_lands_where_geometry_says():
    """Rotation sign and half pixel: centre of mass of a single pixel's projection."""
    volume = prc.Volume((40, 50), spacing=(1.0, 0.8))
    image = np.zeros(volume.shape)
    image[31, 9] = 1.0
    y, x = (axis[i] for axis, i in zip(volume.axes(), (31, 9), strict=True))
    for geometry in (
        prc.ParallelBeam(TURN, 240, pixel=0.3, offset=0.7),
        prc.FanBeam(TURN, 400, 0.3, 80, 130, offset=0.7),
        prc.FanBeam(TURN, 400, 0.3, 80, 130, curved=True),
    ):
        projection = prc.ct.Projector(geometry, volume).forward(image)
        centre = projection @ geometry.column_positions() / projection.sum(axis=1)
        np.testing.assert_allclose(centre, geometry.locate([[x, y, 0.0]])[:, 0, 0], atol=0.15)


def test_rows_are_independent_slices():
    geometry, volume = scans()["parallel rows"]
    image = np.random.default_rng(0).standard_normal(volume.shape).astype(np.float32)
    stacked = prc.ct.Projector(geometry, volume).forward(image)
    flat = prc.ParallelBeam(geometry.angles, geometry.columns, pixel=geometry.pixel[1])
    one = prc.ct.Projector(flat, prc.Volume(volume.shape[1:], volume.spacing[1:]))
    for row in range(3):
        np.testing.assert_array_equal(stacked[:, row], one.forward(image[row]))


@pytest.mark.parametrize("name", ["parallel", "fan"])
def test_same_bits_for_any_number_of_threads(name):
    geometry, volume = scans()[name]
    A = prc.ct.Projector(geometry, volume)
    rng = np.random.default_rng(0)
    x = rng.standard_normal(A.domain_shape).astype(np.float32)
    y = rng.standard_normal(A.range_shape).astype(np.float32)
    results = []
    for threads in (1, 2, 3):
        with prc.set_num_threads(threads):
            results.append((A.forward(x), A.adjoint(y)))
    for forward, adjoint in results[1:]:
        np.testing.assert_array_equal(forward, results[0][0])
        np.testing.assert_array_equal(adjoint, results[0][1])


def fans_for_every_kernel():
    """Two, three and four candidate rays, short and long series, sources next to the image."""
    turn = np.linspace(0, 2 * np.pi, 37, endpoint=False)
    flat = {
        "distant": (prc.FanBeam(turn, 230, 0.9, 600.0, 900.0), prc.Volume((131, 150))),
        "fine": (prc.FanBeam(turn, 300, 0.7, 500.0, 650.0, offset=4.1), prc.Volume((131, 150))),
        "finest": (prc.FanBeam(turn, 300, 0.66, 400.0, 500.0), prc.Volume((140, 97))),
        "close": (prc.FanBeam(turn, 250, 2.2, 150.0, 260.0), prc.Volume((190, 205))),
        "steep": (prc.FanBeam(turn, 300, 0.4, 150.0, 200.0), prc.Volume((70, 80))),
    }
    curved = {f"{k} arc": (g.replace(curved=True), v) for k, (g, v) in flat.items()}
    fine = {"parallel fine": (prc.ParallelBeam(HALF, 300, pixel=0.6), prc.Volume((130, 141)))}
    return flat | curved | fine


@pytest.mark.sanitize
@pytest.mark.parametrize("name", scans() | fans_for_every_kernel())
def test_permuting_kernels_agree_with_the_portable_loops(name):
    """Other roundings of the same weights; white noise shows the rounding of float positions."""
    geometry, volume = (scans() | fans_for_every_kernel())[name]
    A = prc.ct.Projector(geometry, volume)
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal(A.domain_shape), rng.standard_normal(A.range_shape)
    forward, adjoint = A.forward(x), A.adjoint(y)
    x, y = x.astype(np.float32), y.astype(np.float32)
    kernels = cpu_kernels()
    former = kernels.limit_vector_width(16)
    try:
        for width in (0, 8, 16):
            kernels.limit_vector_width(width)
            assert relative_error(A.forward(x), forward) < 1e-5, width
            assert relative_error(A.adjoint(y), adjoint) < 1e-5, width
    finally:
        kernels.limit_vector_width(former)


@pytest.mark.sanitize
@pytest.mark.parametrize("width", [8, 16])
@pytest.mark.parametrize("name", fans_for_every_kernel())
def test_adjoint_of_the_permuting_kernels(name, width):
    kernels = cpu_kernels()
    former = kernels.limit_vector_width(width)
    try:
        assert_adjoint(prc.ct.Projector(*fans_for_every_kernel()[name]))
    finally:
        kernels.limit_vector_width(former)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "name",
    ["parallel offset", "parallel rows", "parallel stack", "fan offset", "fan curved", "fan wide"],
)
def test_cuda_parity(name, dtype, device):
    geometry, volume = scans()[name]
    A = prc.ct.Projector(geometry.subset(slice(0, None, 4)), volume)
    rng = np.random.default_rng(0)
    x = rng.standard_normal(A.domain_shape).astype(dtype)
    y = rng.standard_normal(A.range_shape).astype(dtype)
    with device:
        forward = device.numpy(A.forward(device.array(x)))
        adjoint = device.numpy(A.adjoint(device.array(y)))
    tolerance = 2e-5 if dtype == np.float32 else 1e-12
    assert relative_error(forward, A.forward(x)) < tolerance
    assert relative_error(adjoint, A.adjoint(y)) < tolerance


@pytest.mark.parametrize("name", ["parallel", "fan"])
def test_astra_linear(name):
    """The same method in another code base; its matrix is compared with ours column by ray."""
    astra = pytest.importorskip("astra")
    geometry, volume = scans()[name]
    n = volume.shape[0]
    grid = astra.create_vol_geom(n, n)
    if name == "parallel":
        beam = astra.create_proj_geom("parallel", 1.0, geometry.columns, geometry.angles)
        kind = "linear"
    else:
        beam = astra.create_proj_geom(
            "fanflat",
            geometry.pixel[0],
            geometry.columns,
            geometry.angles,
            geometry.source_origin,
            geometry.source_detector - geometry.source_origin,
        )
        kind = "line_fanflat"
    discs = Ellipsoids([[1.0, 14, 20, 5.0, -3.0, 30.0]])
    image = discs.raster(volume, supersample=4).astype(np.float32)
    projector = astra.create_projector(kind, beam, grid)
    try:
        _, peer = astra.create_sino(np.ascontiguousarray(image[::-1]), projector)
    finally:
        astra.projector.delete(projector)
    got = prc.ct.Projector(geometry, volume).forward(image)
    assert relative_error(got, peer) < (1e-5 if name == "parallel" else 0.02)


def test_scipy_lsqr_takes_the_operator():
    from scipy.sparse.linalg import aslinearoperator, lsqr

    geometry, volume = scans()["parallel"]
    A = prc.ct.Projector(geometry, volume)
    image = Ellipsoids([[1.0, 14, 20, 5.0, -3.0, 30.0]]).raster(volume).astype(np.float32)
    found = lsqr(aslinearoperator(A), A.forward(image).ravel(), iter_lim=30)[0]
    assert relative_error(found.reshape(volume.shape), image) < 0.1


def test_bad_input_31_shape_of_projections():
    geometry, volume = scans()["fan"]
    with pytest.raises(ShapeError, match=r"\(60, 100\).*60, 101"):
        prc.ct.Projector(geometry, volume).adjoint(np.zeros((60, 100), np.float32))


def test_bad_input_36_source_inside_the_volume():
    with pytest.raises(GeometryError, match="inside the volume"):
        prc.ct.Projector(prc.FanBeam(TURN, 11, 1.0, 40, 80), prc.Volume((64, 64)))


def test_bad_input_39_nan():
    geometry, volume = scans()["parallel"]
    image = np.zeros(volume.shape)
    image[3, 4] = np.nan
    with pytest.raises(DataError, match=r"1 NaN.*\(3, 4\)"):
        prc.ct.Projector(geometry, volume).forward(image)


def test_bad_input_40_integers_become_float32():
    geometry, volume = scans()["parallel"]
    A = prc.ct.Projector(geometry, volume)
    ones = np.ones(volume.shape, np.uint8)
    np.testing.assert_array_equal(A.forward(ones), A.forward(ones.astype(np.float32)))


def test_bad_input_45_46_strided_and_read_only():
    geometry, volume = scans()["parallel"]
    A = prc.ct.Projector(geometry, volume)
    wide = np.random.default_rng(0).standard_normal((64, 128)).astype(np.float32)
    strided = wide[:, ::2]
    expected = A.forward(strided.copy())
    np.testing.assert_array_equal(A.forward(strided), expected)
    wide.flags.writeable = False
    np.testing.assert_array_equal(A.forward(wide[:, ::2]), expected)


def test_unknown_model_and_unsupported_scans():
    geometry, volume = scans()["parallel"]
    with pytest.raises(DataError, match="joseph"):
        prc.ct.Projector(geometry, volume, model="siddon")
    with pytest.raises(GeometryError, match="single line"):
        prc.ct.Projector(geometry, prc.Volume((3, 8, 8)))
    rows = prc.ParallelBeam(HALF, (3, 20), pixel=1.0)
    with pytest.raises(GeometryError, match="has rows"):
        prc.ct.Projector(rows, prc.Volume((8, 8)))
