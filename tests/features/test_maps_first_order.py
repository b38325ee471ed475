"""First-order maps: moving windows against NumPy, windows on their own, and CUDA."""

import numpy as np
import pytest
from features.test_maps_glcm import packed
from hypothesis import given, settings
from hypothesis import strategies as st

import pyrad_core as prc
from pyrad_core import features
from pyrad_core._kernels import cpu
from pyrad_core.errors import DataError, ShapeError


def run(values, levels, centres, reach, ng, shift=10.0):
    out = np.empty((len(centres), 21))
    cpu.local_first_order(values, levels, centres, reach, ng, shift, 2.0, 3.0, np.nan, out)
    return out


def expected_of(values, levels, shift=10.0):
    """The documented formulas, of one window."""
    x = values[levels > 0].astype(np.float64)
    _, counts = np.unique(levels[levels > 0], return_counts=True)
    p = counts / counts.sum()
    c = x - x.mean()
    p10, p25, median, p75, p90 = np.percentile(x, [10, 25, 50, 75, 90])
    kept = x[(x >= p10) & (x <= p90)]
    variance, energy = np.mean(c**2), np.sum((x + shift) ** 2)
    flat = variance == 0
    return [
        p10, p90, energy, -np.sum(p * np.log2(p)), p75 - p25,
        np.nan if flat else np.mean(c**4) / variance**2 - 3.0, x.max(), np.mean(np.abs(c)),
        x.mean(), median, x.min(), np.ptp(x), np.mean(np.abs(kept - kept.mean())),
        np.sqrt(energy / x.size), np.nan if flat else np.mean(c**3) / variance**1.5, 2 * energy,
        np.sum(p**2), variance, np.mean(np.abs(x - median)),
        np.sqrt(variance) / x.mean() if x.mean() else np.nan,
        (p75 - p25) / (p75 + p25) if p75 + p25 else np.nan,
    ]  # fmt: skip


def problem(shape, ng, reach, dtype=np.float32, seed=0, step=None):
    levels, centres = packed(shape, ng, reach, np.uint8 if ng < 256 else np.uint16, seed)
    rng = np.random.default_rng(seed)
    values = rng.normal(-20, 300, levels.shape)
    if step:
        values = np.round(values / step) * step  # many equal ones
    return values.astype(dtype), levels, centres


@pytest.mark.parametrize("radius", range(1, 8))
@pytest.mark.parametrize("step", [None, 200.0])
def test_every_radius_numpy(radius, step):
    dtype = np.float32 if radius % 2 else np.float64
    reach = (radius,) * 3
    values, levels, centres = problem((3, 5, 19), 9, reach, dtype, radius, step)
    got = run(values, levels, centres, reach, 9)
    for k in range(0, len(centres), 11):
        at = np.unravel_index(centres[k], levels.shape)
        box = tuple(slice(a - radius, a + radius + 1) for a in at)
        np.testing.assert_allclose(
            got[k], expected_of(values[box], levels[box]), rtol=1e-9, atol=1e-9
        )


def test_noise_far_from_the_mean_does_not_cancel():
    """A faint texture on a large value beside a jump; 1e-6 is the rounding of the mean."""
    rng = np.random.default_rng(1)
    values = 1e4 + 1e-3 * rng.normal(size=(5, 7, 40))
    values[..., 20:] += 1e5
    levels = np.ones(values.shape, np.uint8)
    centre = (2 * 7 + 3) * 40 + np.arange(3, 37)
    got = run(values, levels, centre, (2, 3, 3), 1)
    for k, x in enumerate(range(3, 37)):
        box = values[:, :, x - 3 : x + 4]
        np.testing.assert_allclose(
            got[k], expected_of(box, np.ones(box.shape)), rtol=1e-6, atol=1e-6
        )


@settings(max_examples=12, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 4), st.integers(1, 6), st.integers(1, 30)),
    reach=st.tuples(st.integers(0, 2), st.integers(0, 3), st.integers(0, 3)),
    ng=st.sampled_from([1, 30, 300]),
    share=st.sampled_from([0.05, 0.5, 1.0]),
    seed=st.integers(0, 99),
)
def test_a_value_does_not_depend_on_the_way_of_its_window(shape, reach, ng, share, seed):
    values, levels, centres = problem(shape, ng, reach, seed=seed, step=50.0)
    centres = centres[np.random.default_rng(seed).random(len(centres)) < share]
    moved = run(values, levels, centres, reach, ng)
    for k in range(len(centres)):
        np.testing.assert_array_equal(
            moved[k], run(values, levels, centres[k : k + 1], reach, ng)[0]
        )


def test_threads_and_long_sorts_do_not_change_the_bits():
    values, levels, centres = problem((14, 40, 60), 20, (1, 1, 1), step=5.0)  # several runs of 2^14
    found = []
    for threads in (1, 3):
        with prc.set_num_threads(threads):
            found.append(run(values, levels, centres, (1, 1, 1), 20))
    np.testing.assert_array_equal(*found)
    at = len(centres) // 2
    z, y, x = np.unravel_index(centres[at], levels.shape)
    box = np.s_[z - 1 : z + 2, y - 1 : y + 2, x - 1 : x + 2]
    np.testing.assert_allclose(
        found[0][at], expected_of(values[box], levels[box]), rtol=1e-9, atol=1e-9
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("shape", "ng", "reach", "step"),
    [((2, 3, 9), 7, (1, 1, 1), None), ((2, 2, 5), 300, (0, 2, 3), 100.0),
     ((1, 3, 3), 1, (1, 1, 1), 1e4)],
)  # fmt: skip
def test_parity(device, dtype, shape, ng, reach, step):
    values, levels, centres = problem(shape, ng, reach, dtype, 3, step)
    expected, got = run(values, levels, centres, reach, ng), np.empty((len(centres), 21))
    with device:
        out = device.array(got)
        inputs = [device.array(a) for a in (values, levels, centres)]
        device.kernels.local_first_order(*inputs, reach, ng, 10.0, 2.0, 3.0, np.nan, out)
    np.testing.assert_allclose(device.numpy(out), expected, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("options", [{}, {"masked_kernel": False}, {"aggregation": "2D_avg"}])
def test_maps_are_features_of_windows(options):
    rng = np.random.default_rng(5)
    image = rng.normal(100, 30, (5, 9, 11))
    mask = (rng.random(image.shape) < 0.8).astype(np.uint8)
    chosen = features.Settings(discretisation=("fbn", 16), aggregation="3D_merged")
    chosen = chosen.replace(**options)
    got = features.maps(image, mask, family="first_order", radius=3, settings=chosen, spacing=1.0)
    z, y, x = (int(a[len(a) // 2]) for a in np.nonzero(mask))
    flat = "aggregation" in options
    box = tuple(
        slice(max(0, a - r), a + r + 1)
        for a, r in zip((z, y, x), (0 if flat else 3, 3, 3), strict=True)
    )
    inside = mask[box] if chosen.masked_kernel else np.ones_like(mask[box])
    whole = features.first_order(image[box], inside, settings=chosen, spacing=1.0)
    for name, value in whole.items():
        if not name.endswith(("Entropy", "Uniformity")):  # of the window's own levels
            assert got[name][z, y, x] == pytest.approx(value, rel=1e-9, abs=1e-9), name


def test_kernel_refuses_bad_arguments():
    values, levels = np.ones((3, 3, 5), np.float32), np.ones((3, 3, 5), np.uint8)
    run(values, levels, np.array([22]), (1, 1, 1), 1)
    with pytest.raises(ShapeError, match="leaves levels"):
        run(values, levels, np.array([20]), (1, 1, 1), 1)
    with pytest.raises(DataError, match="ascending"):
        run(values, levels, np.array([23, 22]), (1, 1, 1), 1)
    with pytest.raises(ShapeError, match="levels"):
        run(values, levels[:2], np.array([22]), (1, 1, 1), 1)
