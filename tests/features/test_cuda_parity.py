"""CUDA twins of csrc/texture against the CPU kernels: integers identical, sums to rounding."""

from __future__ import annotations

import numpy as np
import pytest

from pyrad_core import features
from pyrad_core._kernels import cpu
from pyrad_core.features.local_intensity import sphere_chords
from pyrad_core.features.offsets import half_offsets, neighbourhood_offsets


@pytest.fixture
def region():
    rng = np.random.default_rng(5)
    values = rng.normal(50, 20, (6, 7, 9)).astype(np.float32)
    mask = (rng.random(values.shape) < 0.7).astype(np.uint8)
    return values, mask


def _padded(levels, pad=1):
    return np.pad(levels, pad)


@pytest.mark.parametrize(
    "dtype", ["uint8", "uint16", "int16", "int32", "int64", "float32", "float64"]
)
def test_mask_bounds(device, dtype):
    mask = np.zeros((5, 6, 7), dtype)
    mask[1:4, 2:5, 3:6] = 2
    mask[2, 3, 1] = 1
    if dtype not in ("uint8", "uint16"):
        mask[0, 0, 3] = mask[4, 5, 6] = -1
    with device:
        assert device.kernels.mask_bounds(device.array(mask), 2) == cpu.mask_bounds(mask, 2)
        assert device.kernels.mask_bounds(device.array(mask), 7) == cpu.mask_bounds(mask, 7)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("level_dtype", [np.uint8, np.uint16])
def test_discretise(device, region, dtype, level_dtype):
    values, mask = region[0].astype(dtype), region[1]
    edges = np.sort(np.random.default_rng(0).uniform(-20, 120, 17))
    edges[0] = -50
    for name, args in (
        ("discretise_uniform", (-50.0, 150.0, 32.0, 32)),
        ("discretise_steps", (-50.0, 5.0, 40)),
        ("discretise_edges", (edges,)),
    ):
        expected = np.empty((10, 11, 13), level_dtype)
        getattr(cpu, name)(values, mask, *args, 2, expected)
        with device:
            out = device.array(np.empty_like(expected))
            moved = [device.array(a) if isinstance(a, np.ndarray) else a for a in args]
            getattr(device.kernels, name)(device.array(values), device.array(mask), *moved, 2, out)
        np.testing.assert_array_equal(device.numpy(out), expected, err_msg=name)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_level_histogram(device, dtype):
    levels = np.random.default_rng(1).integers(0, 40, (5, 6, 7)).astype(dtype)
    expected, got = np.empty(41, np.int64), np.empty(41, np.int64)
    cpu.level_histogram(levels, expected)
    with device:
        out = device.array(got)
        device.kernels.level_histogram(device.array(levels), out)
    np.testing.assert_array_equal(device.numpy(out), expected)
    np.testing.assert_array_equal(expected, np.bincount(levels.ravel(), minlength=41))


@pytest.mark.parametrize("ng", [7, 60, 130])
@pytest.mark.parametrize("by_slice", [False, True])
@pytest.mark.parametrize("counter", [np.uint32, np.uint64])
def test_glcm_count(device, ng, by_slice, counter):
    levels = np.random.default_rng(ng).integers(0, ng + 1, (4, 6, 8)).astype(np.uint8)
    packed = _padded(levels, 2)
    offsets = half_offsets((1, 2), in_plane=by_slice)
    shape = (4, len(offsets), ng, ng) if by_slice else (len(offsets), ng, ng)
    expected = np.empty(shape, counter)
    cpu.glcm_count(packed, 2, offsets, expected)
    with device:
        out = device.array(np.ones_like(expected))
        device.kernels.glcm_count(device.array(packed), 2, device.array(offsets), out)
    np.testing.assert_array_equal(device.numpy(out), expected)


@pytest.mark.parametrize(("ng", "dtype"), [(3, np.uint8), (60, np.uint16), (1500, np.uint16)])
@pytest.mark.parametrize("by_slice", [False, True])
def test_run_lengths(device, ng, dtype, by_slice):
    levels = np.random.default_rng(ng).integers(0, min(ng, 4) + 1, (9, 6, 8)).astype(dtype)
    packed = _padded(levels, 2)
    offsets = half_offsets((1,), in_plane=by_slice)
    shape = (9, len(offsets), ng, 9) if by_slice else (len(offsets), ng, 9)
    expected = np.empty(shape, np.uint64)
    cpu.run_lengths(packed, 2, offsets, expected)
    assert (
        (expected.sum(axis=-2) @ np.arange(1, 10) == (levels > 0).sum((1, 2))[:, None]).all()
        if by_slice
        else (expected.sum(axis=-2) @ np.arange(1, 10) == (levels > 0).sum()).all()
    )
    with device:
        out = device.array(np.ones_like(expected))
        device.kernels.run_lengths(device.array(packed), 2, device.array(offsets), out)
    np.testing.assert_array_equal(device.numpy(out), expected)


@pytest.mark.parametrize(("ng", "dtype"), [(3, np.uint8), (60, np.uint16), (600, np.uint16)])
@pytest.mark.parametrize("reach", [1, 2])
@pytest.mark.parametrize("by_slice", [False, True])
def test_neighbourhood(device, ng, dtype, reach, by_slice):
    levels = np.random.default_rng(ng).integers(0, ng + 1, (5, 6, 8)).astype(dtype)
    packed = _padded(levels, 2)
    settings = features.Settings(distances=(reach,))
    offsets = neighbourhood_offsets(settings, in_plane=by_slice)
    shape = (*(5,) * by_slice, ng, len(offsets) + 1)
    expected = np.empty((*shape, 2), np.uint64), np.empty(shape, np.uint64)
    cpu.neighbourhood(packed, 2, offsets, 1, *expected)
    assert expected[1].sum() == expected[0][..., 0].sum() == (levels > 0).sum()
    with device:
        out = [device.array(np.ones_like(table)) for table in expected]
        device.kernels.neighbourhood(device.array(packed), 2, device.array(offsets), 1, *out)
    for got, table in zip(out, expected, strict=True):
        np.testing.assert_array_equal(device.numpy(got), table)


@pytest.mark.parametrize("in_plane", [False, True])
@pytest.mark.parametrize(("ng", "dtype"), [(1, np.uint8), (3, np.uint8), (300, np.uint16)])
def test_find_zones(device, ng, dtype, in_plane):
    rng = np.random.default_rng(ng)
    mask = (rng.random((35, 6, 8)) < 0.8).astype(np.uint8)
    levels = (rng.integers(1, min(ng, 3) + 1, mask.shape) * mask).astype(dtype)
    packed = _padded(levels, 2)
    distances = np.empty(packed.shape, np.uint16)
    cpu.border_distance(mask, 2, in_plane, distances)
    expected = np.empty((mask.sum(), 4), np.int32)
    count = cpu.find_zones(packed, 2, in_plane, distances, expected)
    without = np.empty_like(expected)
    none = np.empty((0, 0, 0), np.uint16)
    assert cpu.find_zones(packed, 2, in_plane, none, without) == count
    np.testing.assert_array_equal(without[:count, [0, 1, 3]], expected[:count, [0, 1, 3]])
    with device:
        near, out = device.array(np.empty_like(distances)), device.array(np.empty_like(expected))
        device.kernels.border_distance(device.array(mask), 2, in_plane, near)
        found = device.kernels.find_zones(device.array(packed), 2, in_plane, near, out)
    np.testing.assert_array_equal(device.numpy(near), distances)
    assert found == count
    np.testing.assert_array_equal(device.numpy(out)[:count], expected[:count])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sphere_means(device, dtype):
    values = np.random.default_rng(3).normal(3, 2, (8, 9, 11)).astype(dtype)
    values[2, 3, 4] = np.nan
    mask = np.ones((4, 5, 6), np.uint8)
    mask[1, 2, 3] = 0
    chords = sphere_chords((2.0, 1.0, 0.7), 2.5)
    expected = np.empty(mask.sum())
    cpu.sphere_means(values, mask, (2, 1, 3), chords, expected)
    z, y, x = np.ogrid[:8, :9, :11]
    for at, mean in zip(np.argwhere(mask) + (2, 1, 3), expected, strict=True):
        square = (2 * (z - at[0])) ** 2 + (y - at[1]) ** 2 + (0.7 * (x - at[2])) ** 2
        assert mean == pytest.approx(np.nanmean(values[square <= 2.5**2]), rel=1e-5)
    with device:
        out = device.array(np.empty_like(expected))
        device.kernels.sphere_means(
            device.array(values), device.array(mask), (2, 1, 3), device.array(chords), out
        )
    np.testing.assert_allclose(device.numpy(out), expected, rtol=1e-13)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_value_sums(device, dtype):
    values = np.random.default_rng(2).normal(3, 2, 20_000).astype(dtype)
    ranks = np.array([0, 10, 19_999, 5000, 5001])
    for name, args, size in (
        ("value_sums", (100.0,), 4),
        ("value_moments", (3.0, 2.9, 1.0, 5.0), 7),
        ("order_statistics", (float(values.min()), float(values.max()), ranks), 5),
    ):
        expected = np.empty(size)
        getattr(cpu, name)(values, *args, expected)
        with device:
            out = device.array(np.empty(size))
            moved = [device.array(a) if isinstance(a, np.ndarray) else a for a in args]
            getattr(device.kernels, name)(device.array(values), *moved, out)
        np.testing.assert_allclose(device.numpy(out), expected, rtol=1e-12, err_msg=name)
    with device:
        got = device.kernels.value_deviation(device.array(values), 3.0, 1.0, 5.0)
    assert got == pytest.approx(cpu.value_deviation(values, 3.0, 1.0, 5.0), rel=1e-12)


@pytest.mark.parametrize("aggregation", ["2D_avg", "2.5D_merged", "3D_avg"])
@pytest.mark.parametrize("preset", ["ibsi", "pyradiomics"])
def test_extract(device, region, preset, aggregation):
    values, mask = region
    settings = features.Settings.preset(preset)
    settings = settings.replace(aggregation=aggregation, discretisation=("fbs", 10))
    expected = features.extract(values, mask, settings=settings, spacing=(2, 1, 1))
    with device:
        got = features.extract(
            device.array(values), device.array(mask), settings=settings, spacing=(2, 1, 1)
        )
    assert list(got) == list(expected)
    np.testing.assert_allclose(list(got.values()), list(expected.values()), rtol=1e-10)


@pytest.mark.parametrize("preset", ["pyradiomics", "ibsi"])
@pytest.mark.parametrize("family", ["glcm", "first_order", "glrlm", "glszm", "ngtdm", "ngldm"])
@pytest.mark.parametrize("aggregation", ["3D_avg", "2D_avg", "3D_merged"])
def test_maps(device, region, preset, family, aggregation):
    values, mask = region[0][:, :5, :6], region[1][:, :5, :6]
    settings = features.Settings.preset(preset).replace(discretisation=("fbs", 10))
    settings = settings.replace(aggregation=aggregation, gldm_alpha=1)
    expected = features.maps(values, mask, family=family, settings=settings, spacing=1.0)
    with device:
        got = features.maps(
            device.array(values), device.array(mask), family=family, settings=settings, spacing=1.0
        )
    assert list(got) == list(expected)
    for name, volume in got.items():
        np.testing.assert_allclose(
            device.numpy(volume), expected[name], rtol=1e-6, atol=1e-7, err_msg=name
        )


@pytest.mark.parametrize("family", ["glrlm", "glszm", "ngtdm", "ngldm"])
def test_maps_of_many_levels_and_neighbours(device, region, family):
    """16-bit levels, a radius of 2, neighbours at distance 2, windows beyond the mask."""
    values, mask = region[0][:, :4, :4], region[1][:, :4, :4]
    settings = features.Settings.preset("pyradiomics", maskedKernel=False, distances=[1, 2])
    settings = settings.replace(discretisation=("fbs", 0.25), gldm_alpha=40)
    options = {"family": family, "settings": settings, "radius": 2, "spacing": 1.0}
    expected = features.maps(values, mask, **options)
    with device:
        got = features.maps(device.array(values), device.array(mask), **options)
    for name, volume in got.items():
        np.testing.assert_allclose(
            device.numpy(volume), expected[name], rtol=1e-6, atol=1e-7, err_msg=name
        )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(3, 9, 20), (37, 11, 1), (1, 1, 70), (5, 40, 3)])
def test_recursive_filter(device, dtype, shape):
    from pyrad_core.features._log import recursive_coefficients

    x = np.random.default_rng(0).normal(100, 40, shape).astype(dtype)
    for order in (0, 2):
        coefficients = recursive_coefficients(1.7, order).tolist()
        expected = np.empty(shape, np.float32)
        cpu.recursive_filter(x, coefficients, expected)
        with device:
            out = device.array(np.empty_like(expected))
            device.kernels.recursive_filter(device.array(x), coefficients, out)
        np.testing.assert_allclose(device.numpy(out), expected, rtol=1e-6, atol=1e-4)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_masked_range(device, dtype):
    rng = np.random.default_rng(9)
    for shape in ((1, 1, 1), (3, 5, 131), (40, 41, 43)):
        values = rng.normal(0, 100, shape).astype(dtype)
        mask = (rng.random(shape) < 0.3).astype(np.uint8)
        mask.flat[0] = 1
        chosen = values[mask != 0]
        expected = (0, float(chosen.min()), float(chosen.max()))
        with device:
            got = device.kernels.masked_range(device.array(values), device.array(mask))
        assert got == cpu.masked_range(values, mask) == expected
    values.flat[0], values.flat[1] = np.nan, np.inf
    mask.flat[:2] = 1, 1
    assert cpu.masked_range(values, mask)[0] == 2
    with device:
        got = device.kernels.masked_range(device.array(values), device.array(mask))
    assert got == cpu.masked_range(values, mask)
    finite = values[(mask != 0) & np.isfinite(values)]
    assert got[1:] == (float(finite.min()), float(finite.max()))


def test_filters_and_two_masks(device):
    """Every filter through the public function, on both kernel tables."""
    from pyrad_core.errors import PyradWarning

    rng = np.random.default_rng(0)
    image = rng.normal(100, 40, (9, 12, 14)).astype(np.float32)
    mask = np.zeros(image.shape, np.uint8)
    mask[3:7, 4:9, 5:11] = 1
    wider = np.zeros_like(mask)
    wider[2:8, 3:10, 4:12] = 1
    settings = features.Settings(
        filters={
            "wavelet": {}, "log": {"sigma": [1.5], "definition": "itk"}, "square": {},
            "squareroot": {}, "logarithm": {}, "exponential": {}, "gradient": {}, "lbp2d": {},
            "lbp3d": {"settings": {"voxel_array_shift": 5}}, "mean": {},
            "laplacian_of_gaussian": {"sigma": 1.5}, "laws": {"kernels": "L5E5S5"},
            "gabor": {"sigma": 1.5, "wavelength": 3.0, "angle_step": np.pi / 2},
            "separable_wavelet": {"bands": "LLH"}, "nonseparable_wavelet": {},
            "riesz": {"order": (1, 1, 0)},
        },
        families=("shape", "first_order", "local_intensity"),
    )  # fmt: skip
    with pytest.warns(PyradWarning, match="slices"):
        expected = features.extract(
            image, mask, morphological_mask=wider, settings=settings, spacing=(2, 1, 1)
        )
    with device, pytest.warns(PyradWarning, match="slices"):
        got = features.extract(
            device.array(image), device.array(mask), morphological_mask=device.array(wider),
            settings=settings, spacing=(2, 1, 1),
        )  # fmt: skip
    assert list(got) == list(expected)
    np.testing.assert_allclose(list(got.values()), list(expected.values()), rtol=2e-5, atol=1e-5)
