"""Projector in 3D: a direct sum in double precision, closed forms, adjointness, memory."""

import re
from pathlib import Path

import numpy as np
import pytest
from helpers import assert_adjoint, relative_error
from hypothesis import given, settings
from hypothesis import strategies as st

import pyrad_core as prc
from pyrad_core import _memory
from pyrad_core._kernels.select import cpu_kernels
from pyrad_core.ct._pairs import slabs
from pyrad_core.errors import DataError, DeviceMemoryError, GeometryError, ShapeError
from pyrad_core.phantom import Ellipsoids

TURN = np.linspace(0, 2 * np.pi, 13, endpoint=False) + 0.05


def direct_sum(geometry, volume, image, slack=0.0):
    """Joseph's sum ray by ray, from the geometry's own rays: nothing is shared with the kernels."""
    origin, direction = (part.reshape(-1, 3) for part in geometry.rays())
    pitch, first = np.array(volume.spacing[::-1]), np.array(volume.origin[::-1])
    start, step = (origin - first) / pitch, direction / pitch
    divergent = geometry.frames().source is not None
    samples = np.pad(np.asarray(image, np.float64).transpose(2, 1, 0), 2)  # x, y, z
    sums = np.zeros(len(start))
    x, y, z = np.abs(step).T
    dominant = np.where(z > np.maximum(x, y), 2, np.where(y >= x, 1, 0))
    for axis in range(3):
        rays = np.flatnonzero(dominant == axis)
        others = [a for a in range(3) if a != axis]
        along = step[rays, axis]
        for k in range(samples.shape[axis] - 4):
            distance = (k - start[rays, axis]) / along
            at = start[rays] + distance[:, None] * step[rays]
            seen = distance > 0 if divergent else np.ones(len(rays), bool)
            value = np.zeros(len(rays))
            for corner in np.ndindex(2, 2):
                weight, index = seen.astype(float), [None] * 3
                index[axis] = np.full(len(rays), k + 2)
                for a, c in zip(others, corner, strict=True):
                    floor = np.floor(at[:, a])
                    part = at[:, a] - floor
                    weight = weight * (part if c else 1 - part)
                    index[a] = np.clip(floor + c + 2, 0, samples.shape[a] - 1).astype(int)
                value += weight * samples[tuple(index)]
            sums[rays] += value / np.abs(along)
    return sums.reshape(geometry.projection_shape)


def tilted_cone(views=7, rows=9, columns=11):
    """A free orbit: jitter, tilts, rolls, the source above and below the volume as well."""
    rng = np.random.default_rng(5)
    away = rng.standard_normal((views, 3))
    away[0] = 0.1, 0.05, 1.0  # from above: rays along z
    away /= np.linalg.norm(away, axis=1, keepdims=True)
    u = np.cross(away, rng.standard_normal((views, 3)))
    u /= np.linalg.norm(u, axis=1, keepdims=True)
    v = np.cross(u, away)
    centre = 25 * away + rng.standard_normal((views, 3))
    return prc.ConeBeam.from_vectors(
        -60 * away, centre, u, v, detector=(rows, columns), pixel=(1.7, 2.1)
    )


def laminography(views=TURN, detector=(12, 19), pixel=(1.1, 1.4)):
    """Rays 35 degrees off the plane of rotation."""
    zero = 0 * views
    u = np.stack([np.cos(views), np.sin(views), zero], axis=-1)
    ray = np.stack([-np.sin(views), np.cos(views), zero + np.tan(np.radians(35))], axis=-1)
    v = np.cross(u, ray)
    return prc.ParallelBeam.from_vectors(ray, 0.3 * u, u, v, detector=detector, pixel=pixel)


def from_above():
    """Parallel rays close to the z axis."""
    ray = np.array([[0.1, 0.2, 1.0], [-0.3, 0.1, -1.0], [0.0, 0.0, 1.0]])
    u = np.array([[1.0, 0.3, 0.0], [0.0, 1.0, 0.1], [1.0, 0.0, 0.0]])
    v = np.cross([0.0, 0.0, 1.0], u) * [[1, 1, 0]]
    v -= u * (np.einsum("vi,vi->v", u, v) / np.einsum("vi,vi->v", u, u))[:, None]
    return prc.ParallelBeam.from_vectors(ray, 0 * u, u, v, detector=(15, 13), pixel=1.3)


def upside_down():
    """Rows that run against z."""
    f = prc.ParallelBeam(TURN, (17, 21), pixel=(0.8, 1.2), offset=(0.4, -0.9)).frames()
    return prc.ParallelBeam.from_vectors(f.direction, f.centre, f.u, -f.v, detector=(17, 21))


def scans():
    odd = prc.Volume((11, 14, 17), spacing=(1.3, 0.9, 1.1), origin=(-6.0, -7.1, -7.5))
    return {
        "cone": (prc.ConeBeam(TURN, (19, 23), 1.9, 60, 95), prc.Volume((16, 16, 16))),
        "cone offset": (prc.ConeBeam(TURN, (20, 13), (1.2, 2.3), 50, 80, offset=(2.2, -1.7)), odd),
        "cone curved": (
            prc.ConeBeam(TURN, (18, 21), (1.4, 1.8), 40, 70, curved=True, offset=(0.6, 0.9)),
            odd,
        ),
        "cone fine rows": (prc.ConeBeam(TURN[:5], (70, 9), (0.4, 2.0), 50, 80), odd),
        "cone very fine rows": (prc.ConeBeam(TURN[:3], (150, 5), (0.15, 3.0), 50, 80), odd),
        "cone coarse rows": (prc.ConeBeam(TURN[:5], (5, 15), (6.0, 1.5), 50, 80), odd),
        "cone steep": (
            prc.ConeBeam(TURN, (31, 15), (3.0, 1.7), 22, 40),
            prc.Volume((24, 12, 12), spacing=(0.5, 1.0, 1.0)),
        ),
        "helix": (prc.ConeBeam(2 * TURN, (12, 17), 2.0, 50, 80, pitch=7.0, offset=(0.3, 0.4)), odd),
        "free orbit": (tilted_cone(), odd),
        "parallel other pitch": (
            prc.ParallelBeam(TURN, (17, 21), pixel=(0.8, 1.2), offset=(0.4, -0.9)),
            odd,
        ),
        "parallel upside down": (upside_down(), odd),
        "laminography": (laminography(), odd),
        "from above": (from_above(), odd),
        "jittered cone": (
            prc.ConeBeam(TURN, (14, 15), 1.7, 50, 80).perturbed(
                shift=np.random.default_rng(1).uniform(-0.5, 0.5, (TURN.size, 2)),
                roll=0.03 * np.cos(TURN),
                tilt=(0.02, -0.04),
            ),
            odd,
        ),
        "single row": (prc.ConeBeam(TURN, (1, 15), 2.0, 50, 80), odd),
        "single voxel": (prc.ConeBeam(TURN, (4, 5), 0.6, 50, 80), prc.Volume((1, 1, 1))),
    }


@pytest.mark.parametrize("name", scans())
def test_forward_is_the_direct_sum(name):
    geometry, volume = scans()[name]
    image = np.random.default_rng(0).standard_normal(volume.shape)
    expected = direct_sum(geometry, volume, image)
    A = prc.ct.Projector(geometry, volume)
    assert np.abs(expected).max() > 0.1
    np.testing.assert_allclose(A.forward(image), expected, atol=1e-10)
    single = A.forward(image.astype(np.float32))
    assert relative_error(single, expected) < 1e-5


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", scans())
def test_adjoint(name, dtype):
    geometry, volume = scans()[name]
    assert_adjoint(prc.ct.Projector(geometry, volume), dtype=dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("spacing", [0.2, 0.45, 1.0])
def test_adjoint_of_long_columns(spacing, dtype):
    """More slices than a tile of the adjoint has."""
    volume = prc.Volume((531, 9, 70), spacing=(spacing, 1.0, 1.0))
    geometry = prc.ConeBeam(TURN[:3], (301, 8), (0.6, 7.0), 90, 120)
    assert_adjoint(prc.ct.Projector(geometry, volume), dtype=dtype)


@pytest.mark.filterwarnings("ignore:the detector misses")
@settings(max_examples=20, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 20), st.integers(1, 20), st.integers(1, 20)),
    detector=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    pixel=st.tuples(st.floats(0.2, 4.0), st.floats(0.2, 4.0)),
    pitch=st.tuples(st.floats(0.4, 2.5), st.floats(0.4, 2.5), st.floats(0.4, 2.5)),
    shift=st.tuples(st.floats(-3.0, 3.0), st.floats(-3.0, 3.0)),
    views=st.integers(1, 5),
    kind=st.sampled_from(["cone", "curved", "helix", "parallel", "jitter", "laminography"]),
)
def test_adjoint_of_any_size(shape, detector, pixel, pitch, shift, views, kind):
    """In double through the portable loops, in single through the permuting ones."""
    volume = prc.Volume(shape, pitch, [-0.4 * n * h for n, h in zip(shape, pitch, strict=True)])
    angles = 0.7 + 1.3 * np.arange(views)
    if kind == "laminography":
        geometry = laminography(angles, detector, pixel)
    elif kind == "parallel":
        geometry = prc.ParallelBeam(angles, detector, pixel, shift)
    else:
        geometry = prc.ConeBeam(
            angles, detector, pixel, 120, 180, kind == "curved", shift, 9.0 * (kind == "helix")
        )
        if kind == "jitter":
            geometry = geometry.perturbed(roll=0.1 * np.sin(angles), tilt=(0.05, 0.1))
    A = prc.ct.Projector(geometry, volume)
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal(A.domain_shape), rng.standard_normal(A.range_shape)
    Ax, Aty = A.forward(x), A.adjoint(y)
    scale = np.linalg.norm(x) * np.linalg.norm(y) * max(np.linalg.norm(Ax), 1e-9)
    assert abs(np.vdot(Ax, y) - np.vdot(x, Aty)) < 1e-12 * scale
    single_x, single_y = x.astype(np.float32), y.astype(np.float32)
    assert np.abs(A.forward(single_x) - Ax).max() < 1e-3 * (1 + np.abs(Ax).max())
    assert np.abs(A.adjoint(single_y) - Aty).max() < 1e-3 * (1 + np.abs(Aty).max())


@pytest.mark.parametrize("name", ["cone", "cone curved", "helix", "laminography", "jittered cone"])
def test_smooth_object_closed_form(name):
    """Wide bodies, so that the raster adds little: a wrong angle, sign or scale shows at once."""
    geometry, _ = scans()[name]
    volume = prc.Volume((60, 70, 64), spacing=(0.4, 0.35, 0.4))
    bodies = Ellipsoids(
        [[1.0, 8, 7, 9, 1.0, -2.0, 1.5, 30.0], [-0.5, 3, 4, 3, -3.0, 2.0, -2.0, 0.0]]
    )
    image = bodies.raster(volume, supersample=4).astype(np.float64)
    got, expected = prc.ct.Projector(geometry, volume).forward(image), bodies.project(geometry)
    assert relative_error(got, expected) < 0.025
    assert got.sum() == pytest.approx(expected.sum(dtype=float), rel=2e-3)


def test_axis_aligned_rays_are_sums():
    """Along x, y and z: sums of the volume in mm, whatever the row and column steps."""
    volume = prc.Volume((4, 5, 7), spacing=(3.0, 2.0, 1.0))
    image = np.random.default_rng(1).standard_normal(volume.shape)
    x, y, z = np.eye(3)
    for ray, u, v, axis, steps in (
        (x, y, z, 2, (3.0, 2.0)),
        (y, x, z, 1, (3.0, 1.0)),
        (z, x, y, 0, (2.0, 1.0)),
    ):
        detector = tuple(np.delete(volume.shape, axis))
        beam = prc.ParallelBeam.from_vectors(
            [ray], [0 * ray], [u], [v], detector=detector, pixel=steps
        )
        expected = image.sum(axis=axis) * volume.spacing[axis]
        got = prc.ct.Projector(beam, volume).forward(image)[0]
        np.testing.assert_allclose(got, expected, rtol=1e-12)


def test_parallel_stack_in_3d_is_the_2d_pair():
    """The same rays with the rows a hair off the slices go through the other kernels."""
    volume = prc.Volume((5, 30, 28), spacing=(2.0, 1.0, 1.1))
    flat = prc.ParallelBeam(TURN, (5, 45), pixel=(2.0, 1.0))
    f = flat.frames()
    free = prc.ParallelBeam.from_vectors(f.direction, f.centre, f.u, f.v, detector=(5, 45))
    A, B = prc.ct.Projector(flat, volume), prc.ct.Projector(free, volume)
    assert type(A._pair) is not type(B._pair)
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal(A.domain_shape), rng.standard_normal(A.range_shape)
    np.testing.assert_allclose(A.forward(x), B.forward(x), atol=1e-10)
    np.testing.assert_allclose(A.adjoint(y), B.adjoint(y), atol=1e-10)


@pytest.mark.parametrize("name", ["cone", "cone offset", "helix", "parallel other pitch"])
def test_vectors_are_the_circular_scan(name):
    """Also where the vectors are upright only to rounding."""
    geometry, volume = scans()[name]
    A, B = prc.ct.Projector(geometry, volume), prc.ct.Projector(geometry.perturbed(), volume)
    nearly = geometry.perturbed(roll=1e-4)  # the general path
    C = prc.ct.Projector(nearly, volume)
    x = np.random.default_rng(0).standard_normal(A.domain_shape)
    np.testing.assert_allclose(B.forward(x), A.forward(x), atol=1e-9)
    assert relative_error(C.forward(x), A.forward(x)) < 0.01


def test_off_centre_voxel_lands_where_geometry_says():
    """Rotation sign and half pixel: centre of mass of a single voxel's projection."""
    volume = prc.Volume((20, 24, 26), spacing=(1.0, 0.9, 0.8))
    image = np.zeros(volume.shape)
    image[14, 5, 19] = 1.0
    z, y, x = (axis[i] for axis, i in zip(volume.axes(), (14, 5, 19), strict=True))
    for geometry in (
        prc.ConeBeam(TURN, (150, 160), 0.3, 60, 90, offset=(0.4, 0.7)),
        prc.ConeBeam(TURN, (150, 160), 0.3, 60, 90, curved=True),
        laminography(TURN, (160, 160), 0.25),
    ):
        p = prc.ct.Projector(geometry, volume).forward(image)
        total = p.sum(axis=(1, 2))
        u = p.sum(axis=1) @ geometry.column_positions() / total
        v = p.sum(axis=2) @ geometry.row_positions() / total
        expected = geometry.locate([[x, y, z]])[:, 0]
        np.testing.assert_allclose(np.stack([u, v], axis=-1), expected, atol=0.15)


@pytest.mark.parametrize("name", ["cone", "cone steep", "jittered cone", "laminography"])
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


@pytest.mark.sanitize
@pytest.mark.parametrize("width", [0, 8])
@pytest.mark.parametrize("name", scans())
def test_permuting_kernels_agree_with_the_portable_loops(name, width):
    geometry, volume = scans()[name]
    A = prc.ct.Projector(geometry, volume)
    rng = np.random.default_rng(0)
    x = rng.standard_normal(A.domain_shape).astype(np.float32)
    y = rng.standard_normal(A.range_shape).astype(np.float32)
    forward, adjoint = A.forward(x), A.adjoint(y)
    before = cpu_kernels().limit_vector_width(width)
    try:
        assert relative_error(forward, A.forward(x)) < 3e-6
        assert relative_error(adjoint, A.adjoint(y)) < 3e-6
    finally:
        cpu_kernels().limit_vector_width(before)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", scans())
def test_cuda_parity(name, dtype, device):
    geometry, volume = scans()[name]
    A = prc.ct.Projector(geometry.subset(slice(0, 3)), volume)
    rng = np.random.default_rng(0)
    x = rng.standard_normal(A.domain_shape).astype(dtype)
    y = rng.standard_normal(A.range_shape).astype(dtype)
    forward, adjoint = A.forward(x), A.adjoint(y)
    with device:
        got_forward = device.numpy(A.forward(device.array(x)))
        got_adjoint = device.numpy(A.adjoint(device.array(y)))
    tolerance = 1e-5 if dtype == np.float32 else 1e-12
    assert relative_error(got_forward, forward) < tolerance
    assert relative_error(got_adjoint, adjoint) < tolerance


def test_subset_is_the_views():
    geometry, volume = scans()["jittered cone"]
    A = prc.ct.Projector(geometry, volume)
    x = np.random.default_rng(0).standard_normal(A.domain_shape)
    np.testing.assert_allclose(A.subset([7, 2]).forward(x), A.forward(x)[[7, 2]], rtol=1e-12)


@pytest.mark.parametrize("name", ["cone offset", "laminography", "helix"])
def test_slabs_add_up_to_the_whole(name, monkeypatch):
    """Scratch is made to look scarce: the volume is run in slabs of slices."""
    geometry, volume = scans()[name]
    A = prc.ct.Projector(geometry, volume)
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal(A.domain_shape), rng.standard_normal(A.range_shape)
    forward, adjoint = A.forward(x), A.adjoint(y)
    pair, parts = A._pair, []
    monkeypatch.setattr(_memory, "_SMALL", 0)
    monkeypatch.setattr(slabs, "_CHUNK", 4096)
    least = pair.part(0, 3).memory_needed(8) + 4096
    take = type(pair).part
    monkeypatch.setattr(type(pair), "part", lambda *a: parts.append(a[1:]) or take(*a))
    monkeypatch.setattr(_memory, "_free_bytes", lambda: y.nbytes + least)
    np.testing.assert_allclose(A.forward(x), forward, atol=1e-10)
    assert any(len(part) == 3 and part[1] < volume.shape[0] for part in parts)
    monkeypatch.setattr(_memory, "_free_bytes", lambda: x.nbytes + least)
    np.testing.assert_allclose(A.adjoint(y), adjoint, atol=1e-10)
    monkeypatch.setattr(_memory, "_free_bytes", lambda: 5000)
    for call, array in ((A.forward, x), (A.adjoint, y)):
        with pytest.raises(DeviceMemoryError, match="GiB.*coarser grid"):
            call(array)


def resident(field):
    """Bytes of resident memory, "VmRSS" now or "VmHWM" at its peak."""
    status = Path("/proc/self/status").read_text()
    return 1024 * int(re.search(rf"^{field}:\s+(\d+) kB", status, re.M).group(1))


def test_estimate_covers_what_is_taken():
    """Memory beside the arrays, as the system counts it."""
    geometry = prc.ConeBeam(TURN, (40, 50), 12.0, 900, 1200)
    A = prc.ct.Projector(geometry, prc.Volume((256, 256, 256)))
    x = np.ones(A.domain_shape, np.float32)
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        pytest.skip("the system does not count peaks of memory")
    before = resident("VmRSS")
    A.forward(x)
    taken = resident("VmHWM") - before
    assert x.nbytes < taken < 1.05 * A.memory_needed(np.float32)
    assert A.memory_needed(np.float32) < 2 * x.nbytes


def test_more_than_two_to_the_31_voxels():
    """A volume of 9 GiB of which rays touch the last slices only: its other pages stay unmade."""
    shape = (2400, 960, 960)
    assert np.prod(shape) > 2**31
    volume = prc.Volume(shape, spacing=0.5)
    z = volume.axes()[0][-3]
    ray = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    up = np.array([[0.0, 0.0, 1.0]] * 2)
    beam = prc.ParallelBeam.from_vectors(ray, z * up, ray[::-1], up, detector=(2, 3), pixel=0.5)
    A = prc.ct.Projector(beam, volume)
    try:
        image = np.zeros(shape, np.float32)
    except MemoryError:
        pytest.skip("no address space for it")
    image[-3, 478:482, :] = 1.0
    image[-3, :, 478:482] += 2.0
    got = cpu_kernels_forward(A, image)
    small = prc.Volume((8, 960, 960), 0.5, (volume.axes()[0][-8], *volume.origin[1:]))
    B = prc.ct.Projector(beam, small)
    np.testing.assert_allclose(got, B.forward(image[-8:].copy()), rtol=1e-5)
    assert got.max() > 400
    back = np.zeros(shape, np.float32)
    cpu_kernels().backproject3d(got, *A._pair._rays, back)
    np.testing.assert_allclose(back[-8:], B.adjoint(got), rtol=1e-4, atol=1e-3)
    assert not back[0].any()


def cpu_kernels_forward(A, image):
    """Without the check for NaN, which would read all of it."""
    out = np.zeros(A.range_shape, np.float32)
    cpu_kernels().project3d(image, *A._pair._rays, out)
    return out


def test_rays_begin_at_the_source():
    """A free source beside the volume that looks away from it sees nothing of what is behind."""
    source, u, v = np.array([[0.0, -20.0, 0.0]]), np.array([[1.0, 0, 0]]), np.array([[0, 0, 1.0]])
    volume = prc.Volume((8, 8, 8))
    ahead = prc.ConeBeam.from_vectors(source, source + [0, 50, 0], u, v, detector=(5, 5))
    away = prc.ConeBeam.from_vectors(source, source - [0, 50, 0], u, v, detector=(5, 5))
    ones = np.ones(volume.shape, np.float32)
    assert prc.ct.Projector(ahead, volume).forward(ones).min() > 7
    assert not prc.ct.Projector(away, volume).forward(ones).any()
    assert not prc.ct.Projector(away.perturbed(roll=0.1), volume).forward(ones).any()


def test_bad_input_31_shape_of_projections():
    geometry, volume = scans()["cone"]
    with pytest.raises(ShapeError, match=r"\(13, 19, 22\).*13, 19, 23"):
        prc.ct.Projector(geometry, volume).adjoint(np.zeros((13, 19, 22), np.float32))


def test_bad_input_36_source_inside_the_volume():
    with pytest.raises(GeometryError, match="inside the volume"):
        prc.ct.Projector(prc.ConeBeam(TURN, (4, 5), 1.0, 40, 80), prc.Volume((4, 64, 64)))


def test_bad_input_39_nan():
    geometry, volume = scans()["cone"]
    image = np.zeros(volume.shape)
    image[3, 4, 5] = np.inf
    with pytest.raises(DataError, match=r"1 NaN.*\(3, 4, 5\)"):
        prc.ct.Projector(geometry, volume).forward(image)


def test_bad_input_45_46_strided_and_read_only():
    geometry, volume = scans()["cone"]
    A = prc.ct.Projector(geometry, volume)
    wide = np.random.default_rng(0).standard_normal((16, 16, 32)).astype(np.float32)
    expected = A.forward(wide[:, :, ::2].copy())
    wide.flags.writeable = False
    np.testing.assert_array_equal(A.forward(wide[:, :, ::2]), expected)


def test_dimensions_must_agree():
    cone, parallel = scans()["cone"][0], scans()["parallel other pitch"][0]
    for geometry in (cone, parallel, laminography()):
        with pytest.raises(GeometryError, match=r"use a volume \(nz, ny, nx\)"):
            prc.ct.Projector(geometry, prc.Volume((16, 16)))
    with pytest.raises(GeometryError, match="expected a beam geometry"):
        prc.ct.Projector("cone", prc.Volume((4, 4, 4)))
