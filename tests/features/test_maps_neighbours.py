"""Maps of zones, dependences and tone differences: windows that roll against windows of their own,
and against the definitions, window by window."""

import itertools

import numpy as np
import pytest
from features.test_maps_glcm import OFFSETS, packed
from hypothesis import given, settings
from hypothesis import strategies as st

import pyrad_core as prc
from pyrad_core._kernels import cpu
from pyrad_core._kernels.cuda import texture_local
from pyrad_core.errors import DataError, ShapeError

FAMILIES = {"glszm": (17, ()), "ngldm": (17, (1,)), "ngtdm": (5, (True,))}


def computed(name, levels, centres, reach, ng, *chosen, offsets=OFFSETS, kernels=cpu):
    out = np.empty((len(centres), FAMILIES[name][0]))
    getattr(kernels, f"local_{name}")(
        levels, centres, np.array(offsets, np.int32), reach, ng, *chosen, out
    )
    return out


def alone(name, levels, centres, reach, *chosen, offsets=OFFSETS):
    """Tables of many levels are made window by window."""
    return computed(
        name, levels.astype(np.uint16), centres, reach, 60_000, *chosen, offsets=offsets
    )


@pytest.mark.parametrize("radius", range(1, 8))
@pytest.mark.parametrize("ng", [2, 20])
@pytest.mark.parametrize(
    ("name", "chosen"),
    [("ngldm", (0,)), ("ngldm", (3,)), ("ngtdm", (True,)), ("ngtdm", (False,))],
)
def test_every_radius(name, chosen, radius, ng):
    reach = (radius,) * 3
    levels, centres = packed((2, 4, 23), ng, reach, seed=radius)
    np.testing.assert_allclose(
        computed(name, levels, centres, reach, ng, *chosen),
        alone(name, levels, centres, reach, *chosen),
        rtol=1e-10, atol=1e-12,
    )  # fmt: skip


def steps_up_to(reach, norm):
    """One of each pair of opposite steps of up to `reach` in that norm."""
    span = range(-reach, reach + 1)
    lengths = {"chebyshev": max, "manhattan": sum}[norm]
    every = itertools.product(span, span, span)
    return [s for s in every if s > (0, 0, 0) and lengths(map(abs, s)) <= reach]


@settings(max_examples=25, deadline=None)
@given(
    name=st.sampled_from(["ngldm", "ngtdm"]),
    shape=st.tuples(st.integers(1, 4), st.integers(1, 6), st.integers(1, 30)),
    reach=st.tuples(st.integers(0, 2), st.integers(0, 3), st.integers(0, 3)),
    norm=st.sampled_from(["chebyshev", "manhattan"]),
    away=st.integers(1, 3),
    ng=st.sampled_from([1, 3, 60, 255]),
    share=st.sampled_from([0.02, 0.5, 1.0]),
    chosen=st.integers(0, 1),
    seed=st.integers(0, 99),
)
def test_any_window_on_any_way(name, shape, reach, norm, away, ng, share, chosen, seed):
    """Sparse regions and sparse centres, neighbours further away than the window is wide."""
    levels, inside = packed(shape, ng, reach, seed=seed)
    rng = np.random.default_rng(seed)
    levels.flat[inside[rng.random(len(inside)) > max(share, 0.1)]] = 0
    centres = inside[rng.random(len(inside)) < share]
    offsets = steps_up_to(away, norm)
    chosen = bool(chosen) if name == "ngtdm" else chosen
    got = computed(name, levels, centres, reach, ng, chosen, offsets=offsets)
    expected = alone(name, levels, centres, reach, chosen, offsets=offsets)
    np.testing.assert_allclose(got, expected, rtol=1e-10, atol=1e-12)
    for k in range(0, len(centres), 3):
        single = computed(name, levels, centres[k : k + 1], reach, ng, chosen, offsets=offsets)
        np.testing.assert_array_equal(got[k], single[0])


def zones_of(window):
    """Sizes of the zones of a window of levels, by SciPy."""
    label = pytest.importorskip("scipy.ndimage").label
    found = []
    for level in np.unique(window[window > 0]):
        labels, count = label(window == level, np.ones((3, 3, 3)))
        found += [(level, n) for n in np.bincount(labels.ravel())[1 : count + 1]]
    return np.array(found, float).reshape(-1, 2)


@pytest.mark.parametrize("ng", [1, 2, 3, 9])
@pytest.mark.parametrize("reach", [(1, 1, 1), (0, 3, 2), (3, 3, 3)])
def test_zones_against_scipy(ng, reach):
    levels, centres = packed((3, 5, 6), ng, reach, seed=ng)
    got = computed("glszm", levels, centres, reach, ng)
    for centre, row in zip(centres, got, strict=True):
        at = np.unravel_index(centre, levels.shape)
        window = levels[tuple(slice(i - r, i + r + 1) for i, r in zip(at, reach, strict=True))]
        level, size = zones_of(window).T
        n = len(size)
        by_size, by_level = np.bincount(size.astype(int)), np.bincount(level.astype(int))
        expected = [(1 / size**2).sum() / n, (size**2).sum() / n]
        np.testing.assert_allclose(row[:2], expected, rtol=1e-12)
        np.testing.assert_allclose(row[8], (by_level**2).sum() / n, rtol=1e-12)
        np.testing.assert_allclose(row[10], (by_size**2).sum() / n, rtol=1e-12)
        np.testing.assert_allclose(row[12], n / (window > 0).sum(), rtol=1e-12)


def test_zones_of_fewer_directions():
    """Zones hang together through the given steps only."""
    levels, centres = packed((3, 4, 6), 2, (1, 2, 2), seed=3)
    faces = [(0, 0, 1), (0, 1, 0), (1, 0, 0)]
    got = computed("glszm", levels, centres, (1, 2, 2), 2, offsets=faces)
    label = pytest.importorskip("scipy.ndimage").label
    for centre, row in zip(centres, got, strict=True):
        z, y, x = np.unravel_index(centre, levels.shape)
        window = levels[z - 1 : z + 2, y - 2 : y + 3, x - 2 : x + 3]
        zones = label(window == 1)[1] + label(window == 2)[1]
        assert row[12] == pytest.approx(zones / (window > 0).sum())


@pytest.mark.parametrize("name", FAMILIES)
def test_threads_do_not_change_the_bits(name):
    levels, centres = packed((9, 9, 30), 9, (2, 2, 2))
    found = []
    for threads in (1, 3):
        with prc.set_num_threads(threads):
            found.append(computed(name, levels, centres, (2, 2, 2), 9, *FAMILIES[name][1]))
    np.testing.assert_array_equal(*found)


def on_device(device, name, levels, centres, reach, ng, *chosen, offsets=OFFSETS):
    with device:
        out = device.array(np.empty((len(centres), FAMILIES[name][0])))
        inputs = [device.array(a) for a in (levels, centres, np.array(offsets, np.int32))]
        getattr(device.kernels, f"local_{name}")(*inputs, reach, ng, *chosen, out)
    return device.numpy(out)


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("ng", [1, 7, 300])
def test_parity(device, name, ng):
    levels, centres = packed((2, 3, 7), ng, (1, 2, 1), np.uint8 if ng < 256 else np.uint16, seed=2)
    arguments = (levels, centres, (1, 2, 1), ng, *FAMILIES[name][1])
    np.testing.assert_allclose(
        on_device(device, name, *arguments), computed(name, *arguments), rtol=1e-10, atol=1e-12
    )


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("reach", [(2, 2, 2), (0, 2, 3), (3, 3, 3)])
@pytest.mark.parametrize("shared", [True, False])
def test_parity_of_larger_windows(device, name, reach, shared, monkeypatch):
    """Of more warps a window, in memory of each kind."""
    if not shared:
        monkeypatch.setattr(texture_local, "_BLOCK_SHARED", 0)
    levels, centres = packed((2, 4, 6), 5, reach, seed=4)
    arguments = (levels, np.ascontiguousarray(centres[::9]), reach, 5, *FAMILIES[name][1])
    np.testing.assert_allclose(
        on_device(device, name, *arguments), computed(name, *arguments), rtol=1e-10, atol=1e-12
    )


@pytest.mark.parametrize(("name", "chosen"), [("ngldm", (2,)), ("ngtdm", (False,))])
def test_parity_of_far_neighbours(device, name, chosen):
    """Some further away than the window is wide, and more than whole numbers can divide by."""
    offsets = steps_up_to(3, "chebyshev")
    levels, centres = packed((2, 3, 5), 9, (1, 0, 2), seed=5)
    arguments = (levels, np.ascontiguousarray(centres[::3]), (1, 0, 2), 9, *chosen)
    np.testing.assert_allclose(
        on_device(device, name, *arguments, offsets=offsets),
        computed(name, *arguments, offsets=offsets),
        rtol=1e-10, atol=1e-12,
    )  # fmt: skip


@pytest.mark.parametrize("name", ["glrlm", *FAMILIES])
def test_refused(name):
    """Steps that are none, windows that leave the levels, centres that do not ascend."""
    levels, centres = np.ones((3, 3, 4), np.uint8), np.array([17])
    chosen = FAMILIES[name][1] if name in FAMILIES else (False, False)
    out = np.empty((1, 5 if name == "ngtdm" else 17))

    def call(offsets=((0, 0, 1),), at=centres, reach=(1, 1, 1), to=out):
        steps = np.array(offsets, np.int32)
        getattr(cpu, f"local_{name}")(levels, at, steps, reach, 1, *chosen, to)

    for offset in ([0, 0, 0], [0, 0, -1], [0, -1, 1], [0, 0, 5000]):
        with pytest.raises(DataError, match="comes later"):
            call([[0, 0, 1], offset])
    with pytest.raises(ShapeError, match="leaves levels"):
        call(at=centres - 1)
    with pytest.raises(ShapeError, match="reach is"):
        call(reach=(1, 3, 1))
    with pytest.raises(ShapeError, match="out"):
        call(to=out[:, 1:].copy())
    with pytest.raises(DataError, match="ascending"):
        call(at=np.array([18, 17]), to=np.empty((2, out.shape[1])))
    if name == "glszm":
        with pytest.raises(ShapeError, match="at most 13"):
            call([[0, 0, 1]] * 14)
    call()
    call(np.empty((0, 3)))


@pytest.mark.parametrize("levels_of", [np.uint8, np.uint16])
def test_busyness_of_levels_that_weigh_the_same(levels_of):
    """Two voxels of level 1 beside one of level 2: no difference of i p_i is left, not 1e-17."""
    levels = np.zeros((3, 3, 5), levels_of)
    levels[1, 1, 1:4] = 1, 1, 2
    ng = 2 if levels_of is np.uint8 else 60_000
    busyness = computed("ngtdm", levels, np.array([22]), (1, 1, 1), ng, False)[0, 2]
    assert busyness == 0


def test_busyness_of_a_region_whose_levels_weigh_the_same():
    """i n_i is 42 at each of the levels 1, 2, 3 and 6."""
    image = np.repeat([1.0, 2, 3, 6], [42, 21, 14, 7]).astype(np.float32).reshape(1, 7, 12)
    chosen = prc.features.Settings(discretisation=None)
    assert prc.features.ngtdm(image, np.ones_like(image), settings=chosen)["Busyness"] == 0
