"""Separable footprints: exact areas, brute-force cell averages, closed forms, adjointness."""

import numpy as np
import pytest
from helpers import assert_adjoint, relative_error
from hypothesis import given, settings
from hypothesis import strategies as st

import pyrad_core as prc
from pyrad_core._kernels.select import cpu_kernels
from pyrad_core.errors import DataError, GeometryError, ShapeError
from pyrad_core.phantom import Ellipsoids

MODEL = "separable_footprint"
HALF = np.linspace(0, np.pi, 60, endpoint=False)
TURN = np.linspace(0, 2 * np.pi, 40, endpoint=False)


def turned(axes, angle, about):
    """Vectors (views, 3) turned about unit vectors (Rodrigues)."""
    along = np.einsum("vi,vi->v", axes, about)[:, None] * about
    return along + np.cos(angle) * (axes - along) + np.sin(angle) * np.cross(about, axes)


def tilted_cone(roll, pitch, yaw, step=1):
    """A circular scan whose detector is rolled about the ray, pitched about u, turned about v."""
    cone = prc.ConeBeam(TURN[::step], (40, 50), 1.7, 90, 150)
    source, ray, centre, u, v = cone.frames()
    for angle, about in ((yaw, v / 1.7), (pitch, u / 1.7), (roll, ray)):
        u, v = turned(u, angle, about), turned(v, angle, about)
    wobble = np.sin(3 * TURN[::step])[:, None] * [1.0, 2.0, 3.0]
    return prc.ConeBeam.from_vectors(
        source + wobble, centre - 0.5 * wobble, u, v, detector=(40, 50)
    )


def laminography(tilt):
    ray = np.stack([-np.sin(TURN), np.cos(TURN), np.full_like(TURN, np.tan(tilt))], axis=-1)
    ray /= np.linalg.norm(ray, axis=1, keepdims=True)
    u = np.stack([np.cos(TURN), np.sin(TURN), 0 * TURN], axis=-1)
    v = np.cross(u, ray)
    return prc.ParallelBeam.from_vectors(ray, 0.3 * u, u, v, detector=(40, 50), pixel=(1.1, 1.3))


def scans():
    cone = prc.ConeBeam(TURN, (40, 50), 1.7, 90, 150)
    poses = cone.frames()
    return {
        "parallel": (prc.ParallelBeam(HALF, 95), prc.Volume((64, 64))),
        "parallel offset": (
            prc.ParallelBeam(HALF + 0.2, 61, pixel=1.3, offset=2.7),
            prc.Volume((41, 57), spacing=(0.9, 1.4), origin=(-20.0, -33.0)),
        ),
        "parallel fine": (prc.ParallelBeam(HALF, 333, pixel=0.21), prc.Volume((37, 41), 1.3)),
        "parallel rows": (
            prc.ParallelBeam(HALF[::5], (3, 45), pixel=(2.0, 1.0)),
            prc.Volume((3, 30, 28), spacing=(2.0, 1.0, 1.1)),
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
        "parallel 3D": (
            prc.ParallelBeam(HALF, (16, 50), pixel=(2.1, 1.3), offset=(0.3, 0.4)),
            prc.Volume((20, 32, 33), 1.3),
        ),
        "cone": (cone, prc.Volume((24, 32, 33), 1.3)),
        "cone odd": (
            prc.ConeBeam(TURN + 0.1, (33, 41), (1.2, 2.1), 90, 150, offset=(1.1, -3.0)),
            prc.Volume((21, 30, 37), (1.9, 0.8, 1.1), (-15.0, -10.0, -22.0)),
        ),
        "cone fine": (
            prc.ConeBeam(TURN[::4], (90, 100), 0.5, 90, 150),
            prc.Volume((9, 12, 11), 1.3),
        ),
        "cone curved": (
            prc.ConeBeam(TURN, (40, 50), 1.7, 90, 150, curved=True, offset=(0.5, 1.0)),
            prc.Volume((24, 32, 33), 1.3),
        ),
        "helix": (
            prc.ConeBeam(np.linspace(0, 12, 50), (16, 50), 1.7, 90, 150, pitch=20.0),
            prc.Volume((44, 32, 33), 1.3),
        ),
        "vectors": (
            prc.ConeBeam.from_vectors(
                poses.source, poses.centre, -poses.u, -poses.v, detector=(40, 50)
            ),
            prc.Volume((24, 32, 33), 1.3),
        ),
        "tilted": (tilted_cone(0.06, -0.08, 0.1), prc.Volume((24, 32, 33), (1.3, 1.2, 1.1))),
        "lying": (tilted_cone(np.pi / 2, 0.0, 0.0), prc.Volume((24, 32, 33), 1.3)),
        "laminography": (laminography(0.5), prc.Volume((12, 32, 33), 1.3)),
    }


PLANE = [name for name, (geometry, _) in scans().items() if len(geometry.detector) == 1]
SPACE = ["parallel 3D", "cone", "cone odd", "cone fine", "cone curved", "helix", "vectors"]
POSES = ["tilted", "lying", "laminography"]


def footprint(name):
    return prc.ct.Projector(*scans()[name], model=MODEL)


def draw(operator, dtype=np.float32):
    rng = np.random.default_rng(0)
    x = rng.standard_normal(operator.domain_shape).astype(dtype)
    return x, rng.standard_normal(operator.range_shape).astype(dtype)


# --- the oracles ---------------------------------------------------------------------------------


def clipped_area(polygon, normal, low, high):
    """Area of the part of a convex polygon (n, 2) where low <= normal . p <= high."""
    for direction, limit in ((np.asarray(normal), high), (-np.asarray(normal), -low)):
        kept = []
        for p, q in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
            a, b = direction @ p - limit, direction @ q - limit
            if a <= 0:
                kept.append(p)
            if (a < 0 < b) or (b < 0 < a):
                kept.append(p + a / (a - b) * (q - p))
        if len(kept) < 3:
            return 0.0
        polygon = np.array(kept)
    x, y = polygon.T
    return 0.5 * abs(x @ np.roll(y, -1) - y @ np.roll(x, -1))


def chord(source, direction, low, high):
    """Length within a box of rays source + t direction (unit), slab by slab."""
    with np.errstate(divide="ignore", invalid="ignore"):
        a, b = (low - source) / direction, (high - source) / direction
    near = np.nanmax(np.minimum(a, b), axis=-1)
    return np.maximum(np.nanmin(np.maximum(a, b), axis=-1) - near, 0.0)


def refined(geometry, factor):
    """The same detector with each pixel split into factor (x factor) pixels."""
    detector = tuple(factor * n for n in geometry.detector)
    pixel = tuple(p / factor for p in geometry.pixel)
    if len(detector) == 1:
        return geometry.replace(detector=detector[0], pixel=pixel[0])
    return geometry.replace(detector=detector, pixel=pixel)


def averaged(values, geometry, factor):
    """Projections of a refined detector as means over the cells of the coarse one."""
    split = [geometry.views]
    for n in geometry.detector:
        split += [n, factor]
    return values.reshape(split).mean(axis=tuple(range(2, len(split), 2)))


def window_around(geometry, volume, view, index, reach=8):
    """One view with only the pixels near a voxel's shadow, and the slices that cut them out."""
    centre = [axis[i] for axis, i in zip(volume.axes(), index, strict=True)][::-1]
    seen = geometry.locate([centre if len(centre) == 3 else [*centre, 0.0]])[view, 0]
    positions = [geometry.column_positions()]
    if len(geometry.detector) == 2:
        positions.insert(0, geometry.row_positions())
    window, offset = [], []
    for at, where in zip(positions, [seen[0]] if len(positions) == 1 else seen[::-1], strict=True):
        middle = int(np.argmin(np.abs(at - where)))
        part = slice(max(0, middle - reach), min(len(at), middle + reach + 1))
        window.append(part)
        offset.append(float(at[part].mean()))
    detector = tuple(part.stop - part.start for part in window)
    if len(detector) == 1:
        return geometry.subset([view]).replace(detector=detector[0], offset=offset[0]), *window
    return geometry.subset([view]).replace(detector=detector, offset=offset), tuple(window)


def cell_averages(geometry, volume, index, factor):
    """Mean chord of one voxel over every detector cell, by sampling."""
    origin, direction = refined(geometry, factor).rays()
    centre = np.array([axis[i] for axis, i in zip(volume.axes(), index, strict=True)][::-1])
    half = 0.5 * np.array(volume.spacing[::-1])
    if volume.ndim == 2:
        centre, half = np.append(centre, 0.0), np.append(half, 1e9)
    lengths = chord(origin, direction, centre - half, centre + half)
    return averaged(lengths, geometry, factor)


# --- values --------------------------------------------------------------------------------------


@pytest.mark.parametrize("angle", [0.0, 0.3, np.pi / 4, 1.4, np.pi / 2, 2.5, 4.0])
def test_parallel_beam_is_the_area_of_the_strip(angle):
    """Every entry of the matrix against polygon clipping."""
    volume = prc.Volume((3, 4), spacing=(0.9, 1.4), origin=(-1.1, -2.3))
    geometry = prc.ParallelBeam([angle], 9, pixel=0.8, offset=0.13)
    u = np.array([np.cos(angle), np.sin(angle)])
    y, x = volume.axes()
    for j, i in np.ndindex(volume.shape):
        image = np.zeros(volume.shape)
        image[j, i] = 1
        corners = np.array([x[i], y[j]]) + 0.5 * np.array(
            [[-1.4, -0.9], [1.4, -0.9], [1.4, 0.9], [-1.4, 0.9]]
        )
        expected = [
            clipped_area(corners, u, c - 0.4, c + 0.4) / 0.8 for c in geometry.column_positions()
        ]
        got = prc.ct.Projector(geometry, volume, MODEL).forward(image)[0]
        np.testing.assert_allclose(got, expected, atol=1e-12)
        single = prc.ct.Projector(geometry, volume, MODEL).forward(image.astype(np.float32))[0]
        np.testing.assert_allclose(single, expected, atol=1e-6)


@pytest.mark.parametrize("name", [*PLANE, *SPACE[:-1]])
def test_voxels_cell_averages(name):
    """Voxels near the rim and the middle against rays through every part of the cells."""
    geometry, volume = scans()[name]
    A = prc.ct.Projector(geometry, volume, MODEL)
    for place in (0.25, 0.55):
        index = tuple(int(place * n) for n in volume.shape)
        image = np.zeros(volume.shape)
        image[index] = 1
        projections = A.forward(image)
        for view in range(1, geometry.views, 13):
            part, window = window_around(geometry, volume, view, index)
            expected = cell_averages(part, volume, index, 40)[0]
            if name == "helix" and not expected.any():
                continue
            got = projections[view][window]
            exact = isinstance(geometry, prc.ParallelBeam)
            limit = 0.03 if exact or volume.ndim == 2 else 0.06
            assert relative_error(got, expected) < limit
            assert abs(got.sum() / expected.sum() - 1) < 0.01
            assert got.sum() == pytest.approx(projections[view].sum(), rel=1e-12)


@pytest.mark.parametrize("name", [*PLANE, *SPACE])
def test_mass(name):
    """The cells add up to the voxel's volume times magnification^2 over the cosine of the ray."""
    geometry, volume = scans()[name]
    wide = {"helix": (80, 120)}.get(name)
    if wide:
        geometry = geometry.replace(detector=wide)
    centre = np.array([np.mean(axis) for axis in volume.axes()])
    small = prc.Volume((1,) * volume.ndim, 0.1, centre)
    geometry = geometry.subset([3])
    projection = prc.ct.Projector(geometry, small, MODEL).forward(np.ones(small.shape))
    assert (projection > 0).sum() >= 1
    point = np.append(centre[::-1], [0.0] * (3 - volume.ndim))
    frames = geometry.frames()
    expected = 0.1**volume.ndim
    if frames.source is not None:
        ray = point - frames.source[0]
        across = np.linalg.norm(ray[:2])
        if getattr(geometry, "curved", False):
            depth, cosine, far = across, across / np.linalg.norm(ray), geometry.source_detector
        else:
            depth = ray @ frames.direction[0]
            cosine = depth / np.linalg.norm(ray)
            far = (frames.centre[0] - frames.source[0]) @ frames.direction[0]
        expected *= (far / depth) ** (volume.ndim - 1) / cosine
    got = projection.sum() * np.prod(geometry.pixel)
    assert abs(got / expected - 1) < 5e-3


@pytest.mark.parametrize("name", [*PLANE, *SPACE[:-1]])
def test_smooth_object_closed_form(name):
    """Closed form averaged over the cells: a wrong angle, sign, shift or scale shows at once."""
    geometry, _ = scans()[name]
    geometry = geometry.subset(slice(0, None, 5))
    if len(geometry.detector) == 1:
        volume, factor = prc.Volume((150, 160), spacing=0.4), 6
        bodies = Ellipsoids([[1.0, 14, 20, 5.0, -3.0, 30.0], [-0.5, 6, 6, -9.0, 8.0, 0.0]])
    else:
        volume, factor = prc.Volume((64, 68, 70), spacing=0.6), 4
        bodies = Ellipsoids(
            [[1.0, 12, 15, 9, 4.0, -3.0, 1.0, 30.0], [-0.5, 5, 5, 4, -7, 8, -2, 0.0]]
        )
    image = bodies.raster(volume, supersample=4).astype(np.float64)
    got = prc.ct.Projector(geometry, volume, MODEL).forward(image)
    truth = averaged(bodies.project(refined(geometry, factor), dtype=np.float64), geometry, factor)
    # fine cells see the steps of the raster
    assert relative_error(got, truth) < (0.025 if name == "cone fine" else 0.012)


def test_poses_that_run_backwards_are_the_cone_turned_round():
    turned, cone = footprint("vectors"), footprint("cone")
    x, y = draw(cone, np.float64)
    np.testing.assert_allclose(turned.forward(x)[:, ::-1, ::-1], cone.forward(x), atol=1e-11)
    back = turned.adjoint(y[:, ::-1, ::-1].copy())
    np.testing.assert_allclose(back, cone.adjoint(y), atol=1e-11)


@pytest.mark.parametrize("name", POSES)
def test_poses_closed_form(name):
    geometry, _ = scans()[name]
    geometry = geometry.subset(slice(0, None, 5))
    volume = prc.Volume((50, 68, 70), spacing=0.6)
    bodies = Ellipsoids([[1.0, 12, 15, 9, 4.0, -3.0, 1.0, 30.0], [-0.5, 5, 5, 4, -7, 8, -2, 0.0]])
    image = bodies.raster(volume, supersample=4).astype(np.float64)
    got = prc.ct.Projector(geometry, volume, MODEL).forward(image)
    poses = geometry.frames()
    first = poses.direction if poses.source is None else poses.source
    fine = type(geometry).from_vectors(
        first, poses.centre, poses.u / 4, poses.v / 4, detector=(160, 200)
    )
    truth = averaged(bodies.project(fine, dtype=np.float64), geometry, 4)
    assert relative_error(got, truth) < 0.012


@pytest.mark.parametrize("name", POSES)
def test_poses_voxels_against_rays(name):
    """Sum and centre of a voxel's shadow on detectors in any pose."""
    geometry, volume = scans()[name]
    index = tuple(int(0.3 * n) for n in volume.shape)
    image = np.zeros(volume.shape)
    image[index] = 1
    point = [axis[i] for axis, i in zip(volume.axes(), index, strict=True)][::-1]
    projections = prc.ct.Projector(geometry, volume, MODEL).forward(image)
    seen = geometry.locate([point])[:, 0]
    sums = projections.sum(axis=(1, 2))
    assert (projections >= 0).all() and (sums > 0).sum() > 0.8 * geometry.views
    inside = (np.abs(seen) < [0.4 * 50 * 1.3, 0.4 * 40 * 1.1]).all(axis=1)
    columns = projections.sum(axis=1) @ geometry.column_positions() / np.maximum(sums, 1e-9)
    rows = projections.sum(axis=2) @ geometry.row_positions() / np.maximum(sums, 1e-9)
    np.testing.assert_allclose(columns[inside], seen[inside, 0], atol=0.2)
    np.testing.assert_allclose(rows[inside], seen[inside, 1], atol=0.2)
    frames = geometry.frames()
    normal = np.cross(frames.u, frames.v)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    expected = np.full(geometry.views, np.prod(volume.spacing) / np.prod(geometry.pixel))
    if frames.source is None:
        expected /= np.abs(np.einsum("vi,vi->v", normal, frames.direction))
    else:
        ray = np.asarray(point) - frames.source
        depth = np.abs(np.einsum("vi,vi->v", normal, ray))
        far = np.abs(np.einsum("vi,vi->v", normal, frames.centre - frames.source))
        expected *= far**2 * np.linalg.norm(ray, axis=1) / depth**3
    np.testing.assert_allclose(sums[inside], expected[inside], rtol=1e-9)


def test_slight_tilt_changes_little():
    """The two kernels meet where the detector stands almost upright."""
    volume = prc.Volume((24, 32, 33), 1.3)
    image = np.random.default_rng(0).random(volume.shape)
    upright = prc.ct.Projector(tilted_cone(0.0, 0.0, 0.0, 5), volume, MODEL).forward(image)
    tilted = prc.ct.Projector(tilted_cone(0.0, 1e-6, 0.0, 5), volume, MODEL).forward(image)
    assert 0 < relative_error(tilted, upright) < 5e-3


@pytest.mark.parametrize("size, columns, pixel", [(24, 400, 0.25), (256, 20, 4.0)])
def test_better_than_joseph_between_grids_of_different_pitch(size, columns, pixel):
    """Voxels larger than cells and cells larger than voxels, against finely sampled cells."""
    disc = Ellipsoids([[1.0, 23, 17, 5.0, -3.0, 30.0]])
    geometry = prc.FanBeam(TURN[::4], columns, pixel, 200, 300)
    volume, split = prc.Volume((size, size), 64 / size), 512 // size
    image = disc.raster(volume, supersample=8).astype(np.float64)
    fine = prc.Volume((size * split, size * split), 64 / (size * split))
    rays = prc.ct.Projector(refined(geometry, 8), fine)
    truth = averaged(rays.forward(np.kron(image, np.ones((split, split)))), geometry, 8)
    errors = [
        relative_error(prc.ct.Projector(geometry, volume, model).forward(image), truth)
        for model in (MODEL, "joseph")
    ]
    assert errors[0] < 0.5 * errors[1]


def test_astra_strip():
    """The same areas in another code base."""
    astra = pytest.importorskip("astra")
    geometry, volume = scans()["parallel"]
    beam = astra.create_proj_geom("parallel", 1.0, geometry.columns, geometry.angles)
    image = np.random.default_rng(0).random(volume.shape, dtype=np.float32)
    projector = astra.create_projector("strip", beam, astra.create_vol_geom(*volume.shape))
    try:
        _, peer = astra.create_sino(np.ascontiguousarray(image[::-1]), projector)
    finally:
        astra.projector.delete(projector)
    assert relative_error(footprint("parallel").forward(image), peer) < 1e-5


# --- the pair ------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", scans())
def test_adjoint(name, dtype):
    assert_adjoint(footprint(name), dtype=dtype)


@pytest.mark.filterwarnings("ignore:the detector misses")
@settings(max_examples=20, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 9), st.integers(1, 40), st.integers(1, 40)),
    detector=st.tuples(st.integers(1, 20), st.integers(1, 50)),
    views=st.integers(1, 5),
    pixel=st.tuples(st.floats(0.2, 4.0), st.floats(0.2, 4.0)),
    pitch=st.floats(0.3, 3.0),
    shift=st.floats(-3.0, 3.0),
    beam=st.sampled_from(["parallel", "fan", "fan curved", "cone", "cone curved", "helix"]),
)
def test_adjoint_of_any_size(shape, detector, views, pixel, pitch, shift, beam):
    angles = 0.7 + 1.3 * np.arange(views)
    curved = beam.endswith("curved")
    nz, ny, nx = shape
    volume = prc.Volume(shape, (pitch, 1.0, 1.3), (-0.4 * nz * pitch, -0.5 * ny, -0.4 * nx))
    if beam.startswith("fan"):
        volume = prc.Volume(shape[1:], volume.spacing[1:], volume.origin[1:])
        geometry = prc.FanBeam(angles, detector[1], pixel[1], 150, 200, curved, shift)
    elif beam == "parallel":
        geometry = prc.ParallelBeam(angles, detector, pixel, offset=(shift, -shift))
    else:
        helix = 15.0 if beam == "helix" else 0.0
        offset = (shift, 0.3)
        geometry = prc.ConeBeam(angles, detector, pixel, 150, 200, curved, offset, helix)
    A = prc.ct.Projector(geometry, volume, MODEL)
    x, y = draw(A, np.float64)
    Ax, Aty = A.forward(x), A.adjoint(y)
    scale = np.linalg.norm(x) * np.linalg.norm(y) * max(A.norm(), 1e-9)
    assert abs(np.vdot(Ax, y) - np.vdot(x, Aty)) < 1e-12 * scale
    assert np.abs(A.forward(x.astype(np.float32)) - Ax).max() < 1e-4 * (1 + np.abs(Ax).max())
    assert np.abs(A.adjoint(y.astype(np.float32)) - Aty).max() < 1e-4 * (1 + np.abs(Aty).max())


@pytest.mark.parametrize("name", ["parallel offset", "fan curved", "cone", "helix"])
def test_no_weight_is_negative(name):
    A = footprint(name)
    for dtype in (np.float32, np.float64):
        image = np.zeros(A.domain_shape, dtype)
        image[tuple(n // 3 for n in A.domain_shape)] = 1
        assert A.forward(image).min() >= 0


@pytest.mark.parametrize("name", ["parallel", "fan", "parallel rows", "cone", "helix", "tilted"])
def test_same_bits_for_any_number_of_threads(name):
    A = footprint(name)
    x, y = draw(A)
    results = []
    for threads in (1, 2, 3):
        with prc.set_num_threads(threads):
            results.append((A.forward(x), A.adjoint(y)))
    for forward, adjoint in results[1:]:
        np.testing.assert_array_equal(forward, results[0][0])
        np.testing.assert_array_equal(adjoint, results[0][1])


@pytest.mark.sanitize
@pytest.mark.parametrize("name", scans())
def test_permuting_kernels_agree_with_the_portable_loops(name):
    A = footprint(name)
    x, y = draw(A)
    forward, adjoint = A.forward(x), A.adjoint(y)
    kernels = cpu_kernels()
    former = kernels.limit_vector_width(0)
    try:
        assert relative_error(A.forward(x), forward) < 2e-6
        assert relative_error(A.adjoint(y), adjoint) < 2e-6
    finally:
        kernels.limit_vector_width(former)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "name",
    ["parallel offset", "parallel rows", "fan offset", "fan curved", "parallel 3D", "cone odd"]
    + ["cone curved", "helix", "vectors", "tilted", "laminography"],
)
def test_cuda_parity(name, dtype, device):
    geometry, volume = scans()[name]
    if volume.ndim == 3 and volume.shape[0] > 3:  # every part of it, but less
        shape = (*volume.shape[:1], 13, 15)
        volume = prc.Volume(shape, volume.spacing, (volume.origin[0], -9.0, -8.0))
    A = prc.ct.Projector(geometry.subset(slice(0, None, 13)), volume, MODEL)
    x, y = draw(A, dtype)
    with device:
        forward = device.numpy(A.forward(device.array(x)))
        adjoint = device.numpy(A.adjoint(device.array(y)))
    tolerance = 2e-5 if dtype == np.float32 else 1e-12
    assert relative_error(forward, A.forward(x)) < tolerance
    assert relative_error(adjoint, A.adjoint(y)) < tolerance


# --- bad inputs ----------------------------------------------------------------------------------


def test_bad_input_31_shape_of_projections():
    with pytest.raises(ShapeError, match=r"\(40, 40, 49\).*40, 40, 50"):
        footprint("cone").adjoint(np.zeros((40, 40, 49), np.float32))


def test_bad_input_36_source_inside_the_volume():
    cone = prc.ConeBeam(TURN, (8, 8), 1.0, 30, 80)
    with pytest.raises(GeometryError, match="inside the volume"):
        prc.ct.Projector(cone, prc.Volume((8, 64, 64)), MODEL)


def test_bad_input_39_nan():
    image = np.zeros(scans()["cone"][1].shape)
    image[1, 3, 4] = np.nan
    with pytest.raises(DataError, match=r"1 NaN.*\(1, 3, 4\)"):
        footprint("cone").forward(image)


def test_bad_input_40_45_46_integers_strides_and_read_only():
    A = footprint("cone")
    wide = np.random.default_rng(0).integers(0, 9, (24, 32, 66)).astype(np.uint8)
    expected = A.forward(wide[..., ::2].astype(np.float32))
    np.testing.assert_array_equal(A.forward(wide[..., ::2]), expected)
    wide.flags.writeable = False
    np.testing.assert_array_equal(A.forward(wide[..., ::2]), expected)
