"""Features against PyRadiomics' baselines, every configuration column."""

from __future__ import annotations

import numpy as np
import pytest
from features.baselines import CASES, COLUMNS, VARIANTS, compared
from features.reference import nrrd
from helpers import data_path

from pyrad_core import features


@pytest.mark.parametrize(("name", "column"), COLUMNS)
def test_baseline_pyradiomics(name, column):
    count, wrong = compared(name, column)
    assert count and not wrong, wrong


@pytest.mark.parametrize("case", CASES)
def test_glcm_matrix_pyradiomics(case):
    """The 13 normalised tables, in any order, without the rows of absent levels."""
    image, mask, spacing = nrrd(case)
    expected = np.load(data_path("features", "pyradiomics", "baseline", f"{case}_glcm.npy"))
    settings = features.Settings.preset("pyradiomics", binWidth=25)
    counts, _ = features.matrices.glcm(image, mask, settings=settings, spacing=spacing)
    present = np.flatnonzero(counts.sum(axis=(0, 1)))
    counts = counts[:, present][:, :, present]
    got = np.moveaxis(counts / counts.sum(axis=(1, 2), keepdims=True), 0, -1)
    assert got.shape == expected.shape
    distance = np.abs(got[..., :, None] - expected[..., None, :]).max(axis=(0, 1))
    assert (distance.min(axis=0) < 1e-12).all()
    assert sorted(distance.argmin(axis=0)) == list(range(13))


def test_distances_and_weights_pyradiomics():
    """Two distances and a weighting norm, against the installed PyRadiomics."""
    pytest.importorskip("radiomics", reason="PyRadiomics is not installed")
    image, mask, spacing = nrrd("brain1")
    options = {"distances": [1, 2], "weightingNorm": "euclidean", "binCount": 20}
    _compare_with_installed(image, mask, spacing, options, "glcm")
    _compare_with_installed(image, mask, spacing, options, "glrlm")


@pytest.mark.parametrize("options", [{"force2D": True, "force2Ddimension": 2}, {"distances": [2]},
                                     {"symmetricalGLCM": False}, {"removeOutliers": 2.0,
                                      "normalize": True, "binWidth": 0.1}])  # fmt: skip
def test_options_pyradiomics(options):
    pytest.importorskip("radiomics", reason="PyRadiomics is not installed")
    image, mask, spacing = nrrd("brain2")
    for name in (*VARIANTS,)[:-1]:
        _compare_with_installed(image, mask, spacing, options, name)


def test_flat_and_thin_regions_pyradiomics():
    """Directions without pairs are left out: one slice, one line, two voxels."""
    pytest.importorskip("radiomics", reason="PyRadiomics is not installed")
    image, mask, spacing = nrrd("brain1")
    z, y, x = (int(a[len(a) // 2]) for a in np.nonzero(mask == 1))
    for part in (np.s_[z, :, :], np.s_[z, y, :], np.s_[z, y, x : x + 2]):
        thin = np.zeros_like(mask)
        thin[part] = mask[part]
        for name in ("glcm", "glrlm", "glszm", "gldm", "ngtdm"):
            _compare_with_installed(image, thin, spacing, {"minimumROIDimensions": 1}, name)


@pytest.mark.parametrize("case", CASES)
def test_glrlm_matrix_pyradiomics(case):
    """The tables of all directions, without the rows and columns that are empty."""
    image, mask, spacing = nrrd(case)
    expected = np.load(data_path("features", "pyradiomics", "baseline", f"{case}_glrlm.npy"))
    settings = features.Settings.preset("pyradiomics", binWidth=25)
    counts, _ = features.matrices.glrlm(image, mask, settings=settings, spacing=spacing)
    rows = np.flatnonzero(counts.sum(axis=(0, 2)))
    columns = np.flatnonzero(counts.sum(axis=(0, 1)))
    got = np.moveaxis(counts[:, rows][:, :, columns], 0, -1)
    expected = expected[:, expected.sum(axis=(0, 2)) > 0]
    assert got.shape == expected.shape
    distance = np.abs(got[..., :, None].astype(float) - expected[..., None, :]).max(axis=(0, 1))
    assert sorted(distance.argmin(axis=0)) == list(range(13))
    assert not distance.min(axis=0).any()


@pytest.mark.parametrize("case", CASES)
def test_glszm_matrix_pyradiomics(case):
    image, mask, spacing = nrrd(case)
    settings = features.Settings.preset("pyradiomics", binWidth=25)
    counts, _ = features.matrices.glszm(image, mask, settings=settings, spacing=spacing)
    expected = np.load(data_path("features", "pyradiomics", "baseline", f"{case}_glszm.npy"))
    expected = expected.reshape(expected.shape[-2:] if expected.ndim > 2 else expected.shape)
    np.testing.assert_array_equal(
        counts[counts.any(axis=1)], expected[expected.any(axis=1)][:, expected.any(axis=0)]
    )


@pytest.mark.parametrize("case", CASES)
def test_neighbourhood_matrices_pyradiomics(case):
    image, mask, spacing = nrrd(case)
    folder = data_path("features", "pyradiomics", "baseline")
    settings = features.Settings.preset("pyradiomics", binWidth=25)
    counts = features.matrices.ngldm(image, mask, settings=settings, spacing=spacing)
    counts = counts[counts.any(axis=1)][:, counts.any(axis=0)]
    expected = np.load(folder / f"{case}_gldm.npy")
    np.testing.assert_array_equal(counts, expected.reshape(counts.shape))
    number, difference = features.matrices.ngtdm(image, mask, settings=settings, spacing=spacing)
    expected = np.load(folder / f"{case}_ngtdm.npy").reshape(-1, 3)
    expected = expected[expected[:, 0] > 0]
    np.testing.assert_array_equal(np.flatnonzero(number) + 1, expected[:, 2])
    np.testing.assert_array_equal(number[number > 0], expected[:, 0])
    np.testing.assert_allclose(difference[number > 0], expected[:, 1], rtol=1e-10)


def test_shape_of_ragged_masks_pyradiomics():
    """Open meshes too: PyRadiomics' triangles leave holes at ambiguous faces."""
    pytest.importorskip("radiomics", reason="PyRadiomics is not installed")
    rng = np.random.default_rng(1)
    for share in (0.2, 0.5, 0.9):
        mask = np.pad((rng.random((6, 7, 19)) < share).astype(np.uint8), 1)
        image = rng.normal(0, 1, mask.shape)
        _compare_with_installed(image, mask, (2.0, 1.5, 0.7), {}, "shape")
        flat = mask * (np.arange(8) == 3)[:, None, None].astype(np.uint8)
        options = {"force2D": True, "force2Ddimension": 0}
        _compare_with_installed(image, flat, (2.0, 1.5, 0.7), options, "shape2D")


def test_dependence_options_pyradiomics():
    """Wider neighbourhoods, a tolerance, and voxels without neighbours."""
    pytest.importorskip("radiomics", reason="PyRadiomics is not installed")
    image, mask, spacing = nrrd("brain2")
    scattered = mask * (np.random.default_rng(0).random(mask.shape) < 0.05)
    for options in ({"distances": [1, 2], "gldm_a": 2}, {"distances": [2]}):
        for name in ("gldm", "ngtdm"):
            _compare_with_installed(image, mask, spacing, options, name)
            _compare_with_installed(image, scattered, spacing, options, name)


def _compare_with_installed(image, mask, spacing, options, name):
    import SimpleITK
    from radiomics import featureextractor, setVerbosity

    setVerbosity(60)
    itk_image, itk_mask = SimpleITK.GetImageFromArray(image), SimpleITK.GetImageFromArray(mask)
    for itk in (itk_image, itk_mask):
        itk.SetSpacing(spacing[::-1])
    extractor = featureextractor.RadiomicsFeatureExtractor(additionalInfo=False, **options)
    extractor.disableAllFeatures()
    extractor.enableFeatureClassByName(name)
    expected = extractor.execute(itk_image, itk_mask)
    settings = features.Settings.preset("pyradiomics", **options, featureClass={name: None})
    got = features.extract(image, mask, settings=settings, spacing=spacing)
    for feature, value in expected.items():
        assert got[feature] == pytest.approx(float(value), rel=1e-6, abs=1e-9), feature
