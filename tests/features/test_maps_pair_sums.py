"""Co-occurrence maps from sliding sums: against moving windows, PyRadiomics and CUDA."""

import numpy as np
import pytest
from features.reference import nrrd
from features.test_maps_glcm import OFFSETS, STARTS, packed
from hypothesis import given, settings
from hypothesis import strategies as st

import pyrad_core as prc
from pyrad_core import features
from pyrad_core._kernels import cpu
from pyrad_core.errors import DataError, ShapeError
from pyrad_core.features.offsets import half_offsets

LINEAR = (
    *("Autocorrelation", "JointAverage", "ClusterProminence", "ClusterShade", "ClusterTendency"),
    *("Contrast", "Correlation", "DifferenceAverage", "DifferenceVariance", "Idm", "Idmn", "Id"),
    *("Idn", "InverseVariance", "SumAverage", "SumSquares"),
)


def both_paths(levels, centres, offsets, starts, reach, ng, ibsi):
    moving, sliding = np.empty((2, len(centres), 24))
    cpu.local_glcm(levels, centres, offsets, starts, reach, ng, ibsi, False, False, moving)
    cpu.local_pair_sums(levels, centres, offsets, starts, reach, ng, ibsi, sliding)
    return moving, sliding


@pytest.mark.parametrize("radius", range(1, 8))
@pytest.mark.parametrize("merged", [False, True])
def test_every_radius_has_the_bits_of_moving_windows(radius, merged):
    levels, centres = packed((4, 10, 37), 12, (radius,) * 3, seed=radius)
    starts = STARTS[[0, -1]] if merged else STARTS
    moving, sliding = both_paths(levels, centres, OFFSETS, starts, (radius,) * 3, 12, radius == 2)
    np.testing.assert_array_equal(sliding, moving)


@settings(max_examples=15, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 20), st.integers(1, 12), st.integers(1, 40)),
    reach=st.tuples(st.integers(0, 2), st.integers(0, 3), st.integers(0, 3)),
    ng=st.sampled_from([1, 2, 40, 300]),
    share=st.sampled_from([0.02, 0.5, 1.0]),
    distances=st.sampled_from([(1,), (2,), (1, 3)]),
    seed=st.integers(0, 99),
)
def test_any_shape_has_the_bits_of_moving_windows(shape, reach, ng, share, distances, seed):
    """Also sparse centres, and offsets that reach beyond the window."""
    dtype = np.uint8 if ng < 256 else np.uint16
    levels, centres = packed(shape, ng, reach, dtype, seed)
    chosen = np.random.default_rng(seed).random(len(centres)) < share
    offsets = np.array(half_offsets(distances, in_plane=False))
    starts = np.arange(len(offsets) + 1, dtype=np.int32)
    args = (offsets, starts, reach, ng, bool(seed % 2))
    moving, sliding = both_paths(levels, centres[chosen], *args)
    np.testing.assert_array_equal(sliding, moving)


@pytest.mark.parametrize("options", [{}, {"masked_kernel": False}, {"aggregation": "2D_avg"}])
@pytest.mark.parametrize("radius", [1, 3, 7])
def test_subsets_are_those_beside_histograms(options, radius):
    rng = np.random.default_rng(radius)
    image = rng.normal(100, 30, (5, 9, 11))
    mask = (rng.random(image.shape) < 0.8).astype(np.uint8)
    chosen = features.Settings(discretisation=("fbn", 16)).replace(**options)
    arguments = {"family": "glcm", "radius": radius, "settings": chosen, "spacing": 1.0}
    everything = features.maps(image, mask, **arguments)
    some = features.maps(image, mask, features=LINEAR, **arguments)
    assert len(some) == len(LINEAR)
    for name, volume in some.items():
        np.testing.assert_array_equal(volume, everything[name], err_msg=name)


@pytest.mark.parametrize(
    "options", [{}, {"kernelRadius": 3}, {"maskedKernel": False}, {"force2D": True}]
)
def test_maps_pyradiomics(options):
    sitk = pytest.importorskip("SimpleITK")
    radiomics = pytest.importorskip("radiomics", reason="PyRadiomics is not installed")
    from radiomics import featureextractor

    radiomics.setVerbosity(60)
    image, mask, spacing = nrrd("brain1")
    z, y, x = (int(a.min()) for a in np.nonzero(mask == 1))
    box = (slice(z + 1, z + 5), slice(y + 21, y + 26), slice(x + 4, x + 10))
    image, mask = np.ascontiguousarray(image[box]), np.ascontiguousarray(mask[box])
    extractor = featureextractor.RadiomicsFeatureExtractor(
        additionalInfo=False, binWidth=25, **options
    )
    extractor.disableAllFeatures()
    extractor.enableFeaturesByName(glcm=list(LINEAR))
    itk = [sitk.GetImageFromArray(a) for a in (image, mask)]
    for volume in itk:
        volume.SetSpacing(spacing[::-1])
    chosen = features.Settings.preset("pyradiomics", binWidth=25, **options)
    got = features.maps(
        image.astype(np.float64), mask, family="glcm", features=LINEAR, settings=chosen,
        spacing=spacing,
    )  # fmt: skip
    expected = extractor.execute(*itk, voxelBased=True)
    assert set(got) == set(expected)
    for name, part in expected.items():
        values = sitk.GetArrayFromImage(part)
        start = itk[0].TransformPhysicalPointToIndex(part.GetOrigin())[::-1]
        ours = got[name][tuple(slice(s, s + n) for s, n in zip(start, values.shape, strict=True))]
        known = np.isfinite(ours) & np.isfinite(values)
        assert known.sum() > 0.5 * (mask == 1).sum()
        np.testing.assert_allclose(ours[known], values[known], rtol=1e-9, atol=1e-9, err_msg=name)


def test_threads_do_not_change_the_bits():
    levels, centres = packed((20, 17, 40), 32, (2, 2, 2))
    found = []
    for threads in (1, 3):
        out = np.empty((len(centres), 24))
        with prc.set_num_threads(threads):
            cpu.local_pair_sums(levels, centres, OFFSETS, STARTS, (2, 2, 2), 32, False, out)
        found.append(out)
    np.testing.assert_array_equal(*found)


@pytest.mark.parametrize(
    ("shape", "ng", "reach", "distances", "merged"),
    [
        ((3, 4, 35), 9, (1, 1, 1), (1,), False),
        ((2, 3, 5), 300, (2, 1, 3), (1, 2), True),
        ((1, 6, 7), 40, (0, 2, 2), (2,), False),
    ],
)
def test_parity(device, shape, ng, reach, distances, merged):
    dtype = np.uint8 if ng < 256 else np.uint16
    levels, centres = packed(shape, ng, reach, dtype, seed=4)
    offsets = np.array(half_offsets(distances, in_plane=False))
    starts = np.arange(0, len(offsets) + 1, len(offsets) if merged else 1, dtype=np.int32)
    expected, got = np.empty((2, len(centres), 24))
    cpu.local_pair_sums(levels, centres, offsets, starts, reach, ng, merged, expected)
    with device:
        out = device.array(got)
        inputs = [device.array(a) for a in (levels, centres, offsets, starts)]
        device.kernels.local_pair_sums(*inputs, reach, ng, merged, out)
    np.testing.assert_allclose(device.numpy(out), expected, rtol=1e-12, atol=1e-12)


def test_parity_in_slabs(device, monkeypatch):
    from pyrad_core._kernels.cuda import texture_local

    monkeypatch.setattr(texture_local, "_TABLE_BYTES", 96 * 35 * 4)
    levels, centres = packed((5, 3, 5), 6, (1, 1, 1), seed=5)
    expected, got = np.empty((2, len(centres), 24))
    cpu.local_pair_sums(levels, centres, OFFSETS, STARTS, (1, 1, 1), 6, False, expected)
    with device:
        out = device.array(got)
        inputs = [device.array(a) for a in (levels, centres, np.array(OFFSETS), STARTS)]
        device.kernels.local_pair_sums(*inputs, (1, 1, 1), 6, False, out)
    np.testing.assert_allclose(device.numpy(out), expected, rtol=1e-12, atol=1e-12)


def test_kernel_refuses_bad_arguments():
    levels = np.ones((3, 3, 5), np.uint8)

    def run(centres, starts=STARTS, reach=(1, 1, 1), ng=3, rows=1):
        out = np.empty((rows, 24))
        cpu.local_pair_sums(levels, np.array(centres), OFFSETS, starts, reach, ng, False, out)

    run([22])
    for outside in (-1, 3, 7, 20, 24, 40, 400):
        with pytest.raises(ShapeError, match="leaves levels"):
            run([outside])
    with pytest.raises(ShapeError, match="reach is 5"):
        run([22], reach=(1, 1, 5))
    with pytest.raises(DataError, match="ascending"):
        run([23, 22], rows=2)
    with pytest.raises(DataError, match="groups"):
        run([22], starts=STARTS[1:])
    with pytest.raises(ShapeError, match="out"):
        run([22], rows=2)
