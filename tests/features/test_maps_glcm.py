"""Co-occurrence maps: moving windows against windows on their own, for every radius."""

import numpy as np
import pytest

from pyrad_core import features
from pyrad_core._kernels import cpu
from pyrad_core.errors import DataError, ShapeError
from pyrad_core.features.offsets import half_offsets

OFFSETS = half_offsets((1,), in_plane=False)
STARTS = np.arange(len(OFFSETS) + 1, dtype=np.int32)


def packed(shape, ng, reach, dtype=np.uint8, seed=0):
    """Levels with holes and a margin, and the flat indices of the voxels inside."""
    rng = np.random.default_rng(seed)
    levels = rng.integers(1, ng + 1, shape)
    levels[rng.random(shape) < 0.15] = 0
    levels = np.pad(levels.astype(dtype), [(n, n) for n in reach])
    return levels, np.flatnonzero(levels)


@pytest.mark.parametrize(
    ("ng", "reach", "dtype"),
    [(5, (1, 1, 1), np.uint8), (32, (2, 2, 2), np.uint8), (200, (1, 2, 3), np.uint8),
     (300, (0, 2, 2), np.uint16)],
)  # fmt: skip
@pytest.mark.parametrize("merged", [False, True])
def test_moving_windows_have_the_bits_of_single_ones(ng, reach, dtype, merged):
    levels, centres = packed((3, 4, 9), ng, reach, dtype)
    starts = STARTS[[0, -1]] if merged else STARTS
    moved, alone = np.empty((2, len(centres), 24))
    cpu.local_glcm(levels, centres, OFFSETS, starts, reach, ng, False, True, True, moved)
    for k in range(len(centres)):
        cpu.local_glcm(
            levels,
            centres[k : k + 1],
            OFFSETS,
            starts,
            reach,
            ng,
            False,
            True,
            True,
            alone[k : k + 1],
        )
    np.testing.assert_array_equal(moved, alone)


@pytest.mark.parametrize(
    ("radius", "aggregation"),
    [*((radius, "3D_avg") for radius in range(1, 8)), (2, "3D_merged"), (7, "3D_merged")],
)
def test_every_radius_against_whole_regions(radius, aggregation):
    """A window's features are those of a region that consists of it (Idn, Idmn: of its levels)."""
    rng = np.random.default_rng(radius)
    image = rng.integers(1, 13, (9, 10, 17)).astype(np.float64)
    mask = (rng.random(image.shape) < 0.9).astype(np.uint8)
    settings = features.Settings(discretisation=None, aggregation=aggregation)
    centres = [(0, 0, 0), (4, 5, 8), (8, 2, 13)]
    for at in centres:
        mask[at] = 1
    got = features.maps(image, mask, family="glcm", radius=radius, settings=settings, spacing=1.0)
    for at in centres:
        box = tuple(slice(max(0, a - radius), a + radius + 1) for a in at)
        window, inside = image[box], mask[box]
        whole = features.glcm(window, inside, settings=settings, spacing=1.0)
        same_levels = window[inside == 1].max() == image[mask == 1].max()
        for name, value in whole.items():
            if same_levels or not name.endswith(("_Idn", "_Idmn")):
                assert got[name][at] == pytest.approx(value, rel=1e-9, abs=1e-11), (name, at)


def test_parity_with_counters_beyond_shared_memory(device):
    levels, centres = packed((3, 3, 40), 200, (1, 1, 2), seed=3)
    expected, got = np.empty((2, len(centres), 24))
    arguments = ((1, 1, 2), 200, True, True, True)
    cpu.local_glcm(levels, centres, OFFSETS, STARTS, *arguments, expected)
    with device:
        out = device.array(got)
        inputs = [device.array(a) for a in (levels, centres, np.array(OFFSETS), STARTS)]
        device.kernels.local_glcm(*inputs, *arguments, out)
    np.testing.assert_allclose(device.numpy(out), expected, rtol=1e-12, atol=1e-12)


def test_sums_alone_are_those_beside_histograms(device):
    levels, centres = packed((3, 4, 9), 9, (1, 1, 1), seed=4)
    full, alone, on_device = np.empty((3, len(centres), 24))
    arguments = (OFFSETS, STARTS, (1, 1, 1), 9, False)
    cpu.local_glcm(levels, centres, *arguments, True, False, full)
    cpu.local_glcm(levels, centres, *arguments, False, False, alone)
    known = np.isfinite(alone[0])
    assert known.sum() == 16
    np.testing.assert_array_equal(alone[:, known], full[:, known])
    assert np.isnan(alone[:, ~known]).all()
    with device:
        out = device.array(on_device)
        inputs = [device.array(a) for a in (levels, centres, np.array(OFFSETS), STARTS)]
        device.kernels.local_glcm(*inputs, (1, 1, 1), 9, False, False, False, out)
    np.testing.assert_allclose(device.numpy(out), alone, rtol=1e-12, atol=1e-12)


def test_kernel_refuses_bad_arguments():
    levels, out = np.ones((3, 3, 5), np.uint8), np.empty((1, 24))
    options = (3, False, True, False)

    def run(centres, starts=STARTS, reach=(1, 1, 1), out=out):
        cpu.local_glcm(levels, np.array(centres), OFFSETS, starts, reach, *options, out)

    run([22])
    with pytest.raises(ShapeError, match="leaves levels"):
        run([40])
    with pytest.raises(ShapeError, match="leaves levels"):
        run([3])
    with pytest.raises(ShapeError, match="reach is 5"):
        run([22], reach=(1, 1, 5))
    with pytest.raises(DataError, match="ascending"):
        run([22, 22], out=np.empty((2, 24)))
    with pytest.raises(DataError, match="groups"):
        run([22], starts=STARTS[1:])


def test_sums_that_would_overflow_are_refused():
    image = np.ones((4, 4, 4))
    image[0, 0, 0] = 4000
    settings = features.Settings(discretisation=None, aggregation="3D_merged")
    with pytest.raises(DataError, match="fewer grey levels or a smaller radius"):
        features.maps(image, image > 0, family="glcm", radius=15, settings=settings)
