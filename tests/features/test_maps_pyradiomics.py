"""Feature maps against PyRadiomics' voxel-based extraction, and against whole-region features."""

from __future__ import annotations

import numpy as np
import pytest
from features.reference import nrrd

import pyrad_core as prc
from pyrad_core import features
from pyrad_core.errors import DataError

FAMILIES = {
    "firstorder": "first_order",
    "glcm": "glcm",
    "glrlm": "glrlm",
    "glszm": "glszm",
    "ngtdm": "ngtdm",
    "gldm": "ngldm",
}


@pytest.fixture(scope="module")
def crop():
    """A corner of brain1's region, with voxels outside the region."""
    image, mask, spacing = nrrd("brain1")
    z, y, x = (int(a.min()) for a in np.nonzero(mask == 1))
    box = (slice(z + 1, z + 6), slice(y + 20, y + 28), slice(x + 4, x + 13))
    return np.ascontiguousarray(image[box]), np.ascontiguousarray(mask[box]), spacing


def _pyradiomics_maps(image, mask, spacing, name, **options):
    """{feature: volume on the image's grid}, NaN outside what PyRadiomics cropped to."""
    sitk = pytest.importorskip("SimpleITK")
    radiomics = pytest.importorskip("radiomics", reason="PyRadiomics is not installed")
    from radiomics import featureextractor

    radiomics.setVerbosity(60)
    itk = [sitk.GetImageFromArray(a) for a in (image, mask)]
    for volume in itk:
        volume.SetSpacing(spacing[::-1])
    extractor = featureextractor.RadiomicsFeatureExtractor(additionalInfo=False, **options)
    extractor.disableAllFeatures()
    extractor.enableFeatureClassByName(name)
    found = {}
    for feature, part in extractor.execute(*itk, voxelBased=True).items():
        values = sitk.GetArrayFromImage(part)
        start = itk[0].TransformPhysicalPointToIndex(part.GetOrigin())[::-1]
        whole = np.full(image.shape, np.nan)
        whole[tuple(slice(s, s + n) for s, n in zip(start, values.shape, strict=True))] = values
        found[feature] = np.where(mask == 1, whole, np.nan)
    return found


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize(
    "options",
    [{}, {"kernelRadius": 2}, {"maskedKernel": False}, {"weightingNorm": "no_weighting"},
     {"force2D": True}, {"kernelRadius": 3, "gldm_a": 1, "distances": [1, 2]}],
    ids=["radius1", "radius2", "unmasked", "merged", "in-plane", "radius3"],
)  # fmt: skip
def test_maps_pyradiomics(crop, name, options):
    image, mask, spacing = crop
    expected = _pyradiomics_maps(image, mask, spacing, name, binWidth=25, **options)
    settings = features.Settings.preset("pyradiomics", binWidth=25, **options)
    got = features.maps(
        image.astype(np.float64), mask, family=FAMILIES[name], settings=settings, spacing=spacing
    )
    assert set(got) == set(expected)
    for feature, volume in expected.items():
        if feature.endswith("MCC") and not np.nan_to_num(volume).any():
            continue  # PyRadiomics' eigenvalue solver gave up on windows with empty directions
        compared = np.isfinite(volume)
        assert compared.sum() > 0.5 * (mask == 1).sum(), feature
        np.testing.assert_allclose(
            got[feature][compared], volume[compared], rtol=1e-6, atol=1e-9, err_msg=feature
        )
        assert np.isnan(got[feature][mask != 1]).all()


@pytest.mark.parametrize("family", FAMILIES.values())
@pytest.mark.parametrize("preset", ["ibsi", "pyradiomics"])
def test_window_over_the_whole_region_equals_extract(family, preset):
    """At a centre whose window holds the region, the map is the region's feature."""
    rng = np.random.default_rng(8)
    image = rng.normal(100, 30, (5, 5, 5))
    mask = (rng.random(image.shape) < 0.8).astype(np.uint8)
    mask[2, 2, 2] = 1
    settings = features.Settings.preset(preset).replace(discretisation=("fbs", 20.0))
    got = features.maps(image, mask, family=family, radius=2, settings=settings, spacing=1.0)
    whole = getattr(features, family)(image, mask, settings=settings, spacing=1.0)
    assert list(got) == list(whole)
    for name, value in whole.items():
        assert got[name][2, 2, 2] == pytest.approx(value, rel=1e-9, abs=1e-12), name


def test_names_selection_and_dtype(crop):
    image, mask, _ = crop
    got = features.maps(image, mask, family="glcm", features=["cm_contrast", "Id"])
    assert list(got) == ["original_glcm_Contrast", "original_glcm_Id"]
    assert got["original_glcm_Id"].dtype == np.float32
    assert got["original_glcm_Id"].shape == image.shape


def test_in_two_dimensions(crop):
    image, mask, _ = crop
    flat = features.maps(image[-1], mask[-1], family="glcm", features="Contrast")
    assert flat["original_glcm_Contrast"].shape == image[-1].shape


@pytest.mark.parametrize("family", FAMILIES.values())
def test_threads_do_not_change_the_bits(crop, family):
    image, mask, spacing = crop
    found = []
    for threads in (1, 3):
        with prc.set_num_threads(threads):
            found.append(features.maps(image, mask, family=family, spacing=spacing))
    for name in found[0]:
        np.testing.assert_array_equal(found[0][name], found[1][name])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"family": "glmc"}, "did you mean 'glcm'"),
        ({"family": "glcm", "features": ["Contrst"]}, "did you mean 'Contrast'"),
        ({"family": "glcm", "radius": 0}, "radius is 0"),
        ({"family": "glcm", "radius": 99}, "at most 15"),
        ({"family": "glcm", "settings": features.Settings(symmetric=False)}, "symmetric"),
        ({"family": "glcm", "settings": features.Settings(weighting="euclidean")}, "weighting"),
        ({"family": "glrlm", "settings": features.Settings(weighting="euclidean")}, "weighting"),
        ({"family": "ngtdm", "features": ["Busynes"]}, "did you mean 'Busyness'"),
        ({"family": "gldzm"}, "family"),
    ],
)
def test_bad_arguments(crop, arguments, message):
    image, mask, _ = crop
    with pytest.raises(DataError, match=message):
        features.maps(image, mask, **arguments)
