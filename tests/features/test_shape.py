"""Shape against closed forms and plain loops over vertices and pairs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as budget
from hypothesis import strategies as st

import pyrad_core as prc
from pyrad_core import features
from pyrad_core.features import Settings, extract

SPACING = (2.0, 1.5, 0.7)


def _shape(mask, image=None, **settings):
    image = np.ones(mask.shape) if image is None else image
    got = features.shape(image, mask, settings=Settings(**settings), spacing=SPACING)
    return {name.rpartition("_")[2]: value for name, value in got.items()}


def test_ball_closed_form():
    z, y, x = (np.arange(n) - (n - 1) / 2 for n in (41, 55, 117))
    radius = 38.0
    inside = (2 * z[:, None, None]) ** 2 + (1.5 * y[:, None]) ** 2 + (0.7 * x) ** 2 <= radius**2
    got = _shape(inside.astype(np.uint8))
    volume, area = 4 / 3 * np.pi * radius**3, 4 * np.pi * radius**2
    assert got["MeshVolume"] == pytest.approx(volume, rel=2e-3)
    assert got["VoxelVolume"] == pytest.approx(volume, rel=2e-3)
    assert 1.0 < got["SurfaceArea"] / area < 1.2  # the mesh has steps
    assert 2 * radius < got["Maximum3DDiameter"] <= 2 * radius + 2.1
    assert got["MajorAxisLength"] == pytest.approx(4 * radius / np.sqrt(5), rel=2e-3)
    assert got["Elongation"] == pytest.approx(1, abs=2e-3)
    assert got["VolumeDensityAABB"] == pytest.approx(np.pi / 6, rel=0.04)
    assert got["CentreOfMassShift"] == pytest.approx(0, abs=1e-9)
    assert 0.95 < got["VolumeDensityConvexHull"] <= 1  # the mesh has steps


@pytest.mark.parametrize("seed", range(3))
def test_turned_box_and_ellipsoid_closed_form(seed):
    """Corners of a turned box; points on a turned ellipsoid, which is their smallest one."""
    from scipy.spatial import ConvexHull
    from scipy.spatial.transform import Rotation

    from pyrad_core.features._enclosing import oriented_box, smallest_ellipsoid

    rng = np.random.default_rng(seed)
    turn = Rotation.random(random_state=seed).as_matrix()
    corners = np.array(list(np.ndindex(2, 2, 2))) * (7.0, 4.0, 1.5)
    inside = rng.uniform(0, 1, (200, 3)) * (7.0, 4.0, 1.5)
    points = np.concatenate([corners, inside]) @ turn.T + 11
    hull = ConvexHull(points)
    got = oriented_box(points[hull.vertices], hull.equations[:, :3])
    np.testing.assert_allclose(got, (7.0, 4.0, 1.5), rtol=1e-9)
    ball = rng.normal(size=(4000, 3))
    ball /= np.linalg.norm(ball, axis=1, keepdims=True)
    ball = np.concatenate([ball, -ball, np.eye(3), -np.eye(3)])
    points = (ball * (9.0, 5.0, 2.0)) @ turn.T - 3
    np.testing.assert_allclose(smallest_ellipsoid(points), (9.0, 5.0, 2.0), rtol=1e-6)


@pytest.mark.parametrize("points", ["box", "tetrahedron"])
def test_smallest_ellipsoid_closed_form(points):
    """Of a box: semi-axes sqrt(3) times half its edges; of a regular tetrahedron: its sphere."""
    from pyrad_core.features._enclosing import smallest_ellipsoid

    if points == "box":
        given = np.array(list(np.ndindex(2, 2, 2))) * (2.0, 4.0, 6.0)
        expected = np.sqrt(3) * np.array([3.0, 2.0, 1.0])
    else:
        given = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1.0]])
        expected = np.full(3, np.sqrt(3))
    np.testing.assert_allclose(smallest_ellipsoid(given), expected, rtol=1e-6)


@pytest.mark.parametrize("seed", range(4))
def test_oriented_box_against_a_search(seed):
    """Not larger than the best of many turned boxes, which are turned further by a simplex."""
    from scipy.optimize import minimize
    from scipy.spatial import ConvexHull
    from scipy.spatial.transform import Rotation

    from pyrad_core.features._enclosing import oriented_box

    rng = np.random.default_rng(seed)
    points = rng.normal(size=(4 + 4 * seed, 3)) * (1, 2, 3)
    hull = ConvexHull(points)
    got = oriented_box(points[hull.vertices], hull.equations[:, :3]).prod()

    def volume(vector):
        return np.ptp(points @ Rotation.from_rotvec(vector).as_matrix().T, axis=0).prod()

    starts = sorted(rng.uniform(-2, 2, (400, 3)), key=volume)[:8]
    best = min(minimize(volume, v, method="Nelder-Mead").fun for v in starts)
    assert got <= best * (1 + 1e-3)


def test_densities_are_at_most_one():
    mask = (np.random.default_rng(2).random((9, 8, 7)) < 0.4).astype(np.uint8)
    got = _shape(mask)
    hull, box = got["VolumeDensityConvexHull"], got["VolumeDensityAABB"]
    assert box <= got["VolumeDensityOMBB"] * (1 + 1e-9) <= hull * (1 + 1e-9) <= 1 + 1e-9
    assert got["VolumeDensityMVEE"] <= hull
    table = features.shape(np.ones(mask.shape), mask, spacing=SPACING).table()
    unmarked = {row["feature"] for row in table if not row["standardised"] and row["ibsi_tag"]}
    assert unmarked == {f"{a}Density{b}" for a in ("Volume", "Area") for b in ("OMBB", "MVEE")}


def test_box_closed_form():
    """A box of n voxels: its mesh is the box with its edges and corners cut."""
    mask = np.ones((3, 4, 6), np.uint8)
    got = _shape(mask, distances=(1,))
    d, h, w = 3 * 2.0, 4 * 1.5, 6 * 0.7
    assert got["VoxelVolume"] == pytest.approx(d * h * w)
    lengths = (d - 2, h - 1.5, w - 0.7)
    # An edge cell loses a prism of half the quarter cross-section, a corner keeps 1 / 48.
    cell = 2.0 * 1.5 * 0.7
    edges = 4 * (lengths[0] * 1.5 * 0.7 + lengths[1] * 2 * 0.7 + lengths[2] * 2 * 1.5) / 8
    assert got["MeshVolume"] == pytest.approx(d * h * w - edges - 8 * cell * (1 / 8 - 1 / 48))
    expected = np.array([(n**2 - 1) / 12 * s**2 for n, s in zip((3, 4, 6), SPACING, strict=True)])
    axes = 4 * np.sqrt(np.sort(expected * 72 / 71))
    names = ("LeastAxisLength", "MinorAxisLength", "MajorAxisLength")
    assert [got[name] for name in names] == pytest.approx(list(axes))


def _vertices(mask):
    """All middles between a voxel of the mask and a neighbour outside, in mm."""
    padded = np.pad(mask, 1).astype(int)
    found = []
    for axis in range(3):
        at = np.argwhere(np.diff(padded, axis=axis)).astype(float)
        at[:, axis] += 0.5
        found.append(at)
    return np.concatenate(found) * SPACING


@budget(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**31), share=st.floats(0.02, 1),
       shape=st.tuples(*[st.integers(1, 9)] * 3))  # fmt: skip
def test_diameters_and_hull_equal_a_plain_loop(seed, share, shape):
    from scipy.spatial import ConvexHull

    mask = (np.random.default_rng(seed).random(shape) < share).astype(np.uint8)
    mask.flat[0] = 1
    got = _shape(mask)
    at = _vertices(mask)
    apart = np.linalg.norm(at[:, None] - at, axis=2)
    assert got["Maximum3DDiameter"] == pytest.approx(apart.max())
    for axis, name in enumerate(("Slice", "Column", "Row")):
        same = np.isclose(at[:, None, axis], at[:, axis])
        pyradiomics = features.shape(
            mask, mask, settings=Settings.preset("pyradiomics"), spacing=SPACING
        )
        value = pyradiomics[f"original_shape_Maximum2DDiameter{name}"]
        assert value == pytest.approx((apart * same).max())
    hull = ConvexHull(at)
    assert got["VolumeDensityConvexHull"] == pytest.approx(got["MeshVolume"] / hull.volume)
    assert got["AreaDensityConvexHull"] == pytest.approx(got["SurfaceArea"] / hull.area)


@budget(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**31), shape=st.tuples(*[st.integers(1, 6)] * 3))
def test_moran_and_geary_equal_a_plain_loop(seed, shape):
    rng = np.random.default_rng(seed)
    image = rng.normal(1e3, 1, shape)
    mask = (rng.random(shape) < 0.7).astype(np.uint8)
    mask.flat[0] = 1
    got = _shape(mask, image)
    x = image[mask != 0]
    if len(x) < 2:
        assert np.isnan(got["MoransI"])
        return
    at = np.argwhere(mask) * SPACING
    apart = np.linalg.norm(at[:, None] - at, axis=2)
    weight = np.divide(1, apart, out=np.zeros_like(apart), where=apart > 0)
    d = x - x.mean()
    moran = len(x) / weight.sum() * (weight * np.outer(d, d)).sum() / (d @ d)
    steps = (weight * (x[:, None] - x) ** 2).sum()
    geary = (len(x) - 1) / (2 * weight.sum()) * steps / (d @ d)
    assert got["MoransI"] == pytest.approx(moran, rel=1e-7, abs=1e-9)
    assert got["GearysC"] == pytest.approx(geary, rel=1e-7, abs=1e-9)
    heavy = (at * x[:, None]).sum(axis=0) / x.sum()
    assert got["CentreOfMassShift"] == pytest.approx(np.linalg.norm(at.mean(0) - heavy), abs=1e-9)
    assert got["IntegratedIntensity"] == pytest.approx(x.mean() * got["MeshVolume"])


def test_turned_masks_have_turned_diameters():
    mask = (np.random.default_rng(4).random((5, 6, 7)) < 0.6).astype(np.uint8)
    settings = Settings.preset("pyradiomics")
    one = features.shape(mask, mask, settings=settings, spacing=SPACING)
    turned = np.ascontiguousarray(mask.transpose(2, 0, 1))
    two = features.shape(turned, turned, settings=settings, spacing=(0.7, 2.0, 1.5))
    for a, b in (("Slice", "Column"), ("Column", "Row"), ("Row", "Slice")):
        name = "original_shape_Maximum2DDiameter"
        assert one[name + a] == pytest.approx(two[name + b])
    assert one["Maximum3DDiameter"] == pytest.approx(two["Maximum3DDiameter"])


def test_threads_do_not_change_the_bits():
    mask = (np.random.default_rng(5).random((30, 31, 32)) < 0.6).astype(np.uint8)
    found = []
    for threads in (1, 2, 5):
        with prc.set_num_threads(threads):
            found.append(_shape(mask, np.arange(mask.size, dtype=float).reshape(mask.shape)))
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("preset", ["ibsi", "pyradiomics"])
def test_bad_input_77_one_voxel(preset):
    mask = np.zeros((3, 3, 3), np.uint8)
    mask[1, 1, 1] = 1
    got = features.shape(mask, mask, settings=Settings.preset(preset), spacing=SPACING)
    assert got["MeshVolume"] == pytest.approx(np.prod(SPACING) / 6)
    assert np.isnan(got["Elongation"]) and "point" in got.reasons["original_shape_Elongation"]
    undefined = {name for name, value in got.items() if np.isnan(value)}
    assert undefined == set(got.reasons)


def test_flat_and_two_dimensional_regions():
    mask = np.ones((1, 4, 5), np.uint8)
    got = features.shape(mask, mask, spacing=SPACING)
    assert got["LeastAxisLength"] == 0 and got["Flatness"] == 0
    assert "flat" in got.reasons["original_shape_VolumeDensityAEE"]
    plane = features.shape2d(mask[0], mask[0], spacing=SPACING[1:])
    assert plane["PixelSurface"] == pytest.approx(20 * 1.5 * 0.7)
    assert plane["MeshSurface"] == pytest.approx((20 - 4 / 8) * 1.5 * 0.7)
    slanted = 4 * np.hypot(1.5, 0.7) / 2
    assert plane["Perimeter"] == pytest.approx(2 * 3 * 1.5 + 2 * 4 * 0.7 + slanted)
    thick = features.shape2d(np.ones((2, 4, 5)), np.ones((2, 4, 5), np.uint8), spacing=SPACING)
    assert np.isnan(thick["Perimeter"])
    assert "2 slices" in thick.reasons["original_shape2d_Perimeter"]


def test_shape_is_computed_once_and_needs_the_voxel_size():
    rng = np.random.default_rng(0)
    image, mask = rng.normal(0, 1, (6, 6, 6)), np.ones((6, 6, 6), np.uint8)
    settings = Settings(filters={"original": {}, "wavelet": {}}, families=("shape", "first_order"))
    got = extract(image, mask, settings=settings, spacing=1.0)
    assert sum("_shape_" in name for name in got) == 29
    assert "wavelet-HHH_first_order_Mean" in got
    unknown = features.shape(image, mask)
    assert np.isnan(unknown["MeshVolume"])
    assert "pass spacing=" in unknown.reasons["original_shape_MeshVolume"]


def test_resegmented_shape():
    image = np.ones((4, 4, 4))
    image[:, :, 2:] = 9
    mask = np.ones((4, 4, 4), np.uint8)
    settings = Settings(resegment_range=(5, 10), families=("shape",))
    assert extract(image, mask, settings=settings, spacing=1.0)["VoxelVolume"] == 64
    both = settings.replace(resegment_shape=True)
    assert extract(image, mask, settings=both, spacing=1.0)["VoxelVolume"] == 32
