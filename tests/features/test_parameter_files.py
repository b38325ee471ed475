"""PyRadiomics' parameter files, read unchanged: the keys and shapes of its example settings."""

from __future__ import annotations

import numpy as np
import pytest
from features.reference import nrrd

from pyrad_core import features
from pyrad_core.errors import DataError
from pyrad_core.features import Settings

GLCM = "[Autocorrelation, JointAverage, Contrast, Imc1, Idn, SumSquares]"
EXAMPLES = {
    "CT": f"""
imageType:
  Original: {{}}
  LoG: {{sigma: [1.0, 2.0, 3.0, 4.0, 5.0]}}
  Wavelet: {{}}
featureClass:
  shape:
  firstorder:
  glcm: {GLCM}
  glrlm:
  glszm:
  gldm:
setting:
  interpolator: 'sitkBSpline'
  resampledPixelSpacing: [1, 1, 1]
  padDistance: 10
  binWidth: 25
  voxelArrayShift: 1000
  label: 1
""",
    "MR_2D": f"""
imageType:
  Original: {{}}
  LoG:
    sigma: [2.0, 3.0]
  Wavelet: {{}}
featureClass:
  shape2D:
  firstorder:
  glcm: {GLCM}
  ngtdm:
setting:
  normalize: true
  normalizeScale: 100
  interpolator: 'sitkBSpline'
  resampledPixelSpacing: [2, 2, 0]
  padDistance: 10
  preCrop: true
  force2D: true
  force2Ddimension: 0
  binWidth: 5
  voxelArrayShift: 300
  label: 1
""",
    "Params": f"""
setting:
  binWidth: 25
  label: 1
  interpolator: 'sitkBSpline'
  resampledPixelSpacing:
  weightingNorm:
imageType:
  Original: {{}}
featureClass:
  shape:
  firstorder: []
  glcm: {GLCM}
  glrlm:
""",
    "voxel": """
imageType:
  Original: {}
featureClass:
  glcm:
    - JointEntropy
setting:
  binWidth: 25
  force2D: true
  label: 1
voxelSetting:
  kernelRadius: 2
  maskedKernel: true
  initValue: nan
  voxelBatch: 10000
""",
    "allShape": """
setting:
  label: 1
  interpolator: 'sitkBSpline'
  resampledPixelSpacing:
featureClass:
  shape: [VoxelVolume, MeshVolume, Compactness1, Compactness2, Sphericity, SphericalDisproportion]
""",
    "all keys": """
imageType:
  Original: {}
  Wavelet: {wavelet: haar, level: 2, start_level: 1, binWidth: 10}
  LBP2D: {lbp2DRadius: 1.5, lbp2DSamples: 9, lbp2DMethod: uniform}
  LBP3D:
  Gradient: {gradientUseSpacing: false}
  Square: {}
  SquareRoot:
  Logarithm:
  Exponential:
featureClass: {firstorder: , glcm: [Contrast]}
setting:
  minimumROIDimensions: 2
  minimumROISize: 50
  geometryTolerance: 0.0001
  correctMask: true
  additionalInfo: false
  label_channel: 0
  binCount: 16
  removeOutliers: 3.0
  normalize: true
  distances: [1, 2]
  resegmentRange: [-3, 3]
  resegmentMode: sigma
  resegmentShape: false
  lbp3DLevels: 2
  lbp3DIcosphereRadius: 1
  lbp3DIcosphereSubdivision: 1
  symmetricalGLCM: true
  weightingNorm: euclidean
  gldm_a: 1
""",
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_example_is_read(name, tmp_path):
    path = tmp_path / "Params.yaml"
    path.write_text(EXAMPLES[name])
    settings = Settings.from_yaml(path)
    assert settings.conventions == "pyradiomics"
    assert Settings(**settings.to_dict()) == settings


def test_values_of_an_example_pyradiomics(tmp_path):
    """The 2D example on the brain, with all its keys, against the installed package."""
    sitk = pytest.importorskip("SimpleITK")
    radiomics = pytest.importorskip("radiomics", reason="PyRadiomics is not installed")
    from radiomics import featureextractor

    radiomics.setVerbosity(60)
    path = tmp_path / "Params.yaml"
    path.write_text(EXAMPLES["MR_2D"].replace("  shape2D:\n", ""))
    image, mask, spacing = nrrd("brain1")
    image, mask = image[4:, 50:190, 130:231], mask[4:, 50:190, 130:231]
    itk = [sitk.GetImageFromArray(a) for a in (image, mask)]
    for volume in itk:
        volume.SetSpacing(spacing[::-1])
    expected = featureextractor.RadiomicsFeatureExtractor(str(path), additionalInfo=False)
    expected = expected.execute(*itk)
    got = features.extract(image, mask, settings=Settings.from_yaml(path), spacing=spacing)
    expected = {k: v for k, v in expected.items() if not k.startswith("diagnostics")}
    assert set(got) == set(expected)
    for feature, value in expected.items():
        assert got[feature] == pytest.approx(float(value), rel=1e-6, abs=1e-8), feature


def test_an_image_type_has_settings_of_its_own():
    given = {"LoG": {"sigma": [1.0], "binWidth": 3}, "Original": {}}
    settings = Settings.preset("pyradiomics", imageType=given, binWidth=7)
    assert settings.discretisation == ("fbs", 7)
    assert settings.filters["log"]["settings"] == {"discretisation": ("fbs", 3)}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"imageType": {"LoG": {}}}, "needs sigma"),
        ({"imageType": {"LoG": {"sigmas": [1]}}}, "did you mean 'sigma'"),
        ({"imageType": {"LBP2d": {}}}, "did you mean 'LBP2D'"),
        ({"featureClass": {"firstordr": []}}, "did you mean 'firstorder'"),
        ({"voxelBased": True}, "features.maps"),
        ({"setting": {"preCropp": True}}, "did you mean 'preCrop'"),
        ({"setting": {"lbp2DRadus": 1}}, "did you mean 'lbp2DRadius'"),
        ({"resampledPixelSpacing": 2}, r"expected voxel sizes \[x, y, z\]"),
        ({"setting": {"interpolator": "sitkGaussian"}, "resampledPixelSpacing": [1, 1, 1]},
         "sitkBSpline"),
    ],
)  # fmt: skip
def test_bad_input_83_misspelt_keys(given, message):
    with pytest.raises(DataError, match=message):
        Settings.preset("pyradiomics", **given)


def test_filter_options_are_checked():
    with pytest.raises(DataError, match="did you mean 'level'"):
        Settings(filters={"wavelet": {"levl": 2}})
    with pytest.raises(DataError, match="did you mean 'gradient'"):
        Settings(filters={"gradint": {}})
    image, mask = np.ones((6, 6, 6)), np.ones((6, 6, 6))
    for filters, message in (
        ({"log": {}}, "needs sigma"),
        ({"log": {"sigma": [-1]}}, "sigma is -1"),
        ({"lbp2d": {"method": "unifrm"}}, "did you mean 'uniform'"),
        ({"wavelet": {"level": 0}}, "level is 0"),
        ({"wavelet": {"wavelet": "coif99"}}, "coif"),
    ):
        with pytest.raises(DataError, match=message):
            features.extract(image, mask, settings=Settings(filters=filters), spacing=1.0)
    with pytest.raises(DataError, match="voxel size"):
        features.extract(image, mask, settings=Settings(filters={"log": {"sigma": [1]}}))


def test_log_ibsi_map():
    """IBSI's truncated LoG on its impulse (reference map 2.a)."""
    from features.reference import nifti

    from pyrad_core._kernels.select import cpu_kernels
    from pyrad_core.features.filtering import Source, filtered_images

    image, spacing = nifti("ibsi2", "digital_phantom", "impulse_image.nii.gz")
    expected, _ = nifti("ibsi2", "reference_response_maps", "2_a-ValidCRM.nii.gz")
    settings = Settings(filters={"log": {"sigma": 3.0, "boundary": "constant"}})
    whole = tuple(slice(0, n) for n in image.shape)
    image = image.astype(np.float64)
    source = Source(
        np, cpu_kernels(), image, spacing, settings, whole, None, image.dtype, flat=False
    )
    ((_, got, _),) = filtered_images(source)
    assert np.abs(got - expected).max() < 1e-2 * np.ptp(expected)


ALL = {
    "original": {}, "wavelet": {}, "square": {}, "squareroot": {}, "logarithm": {},
    "exponential": {}, "gradient": {}, "log": {"sigma": [1.0], "definition": "itk"}, "lbp3d": {},
}  # fmt: skip


@pytest.mark.parametrize("value", [0.0, 7.5, -3.0])
def test_bad_input_78_filters_of_a_constant_image(value):
    image, mask = np.full((6, 7, 8), value), np.zeros((6, 7, 8), np.uint8)
    mask[2:4, 2:5, 2:6] = 1
    settings = Settings(
        conventions="pyradiomics", filters=ALL, discretisation=("fbn", 8),
        families=("first_order", "glcm"),
    )  # fmt: skip
    found = features.extract(image, mask, settings=settings, spacing=1.0)
    assert {n for n, v in found.items() if np.isnan(v)} <= set(found.reasons)


def test_bad_input_77_filters_of_one_voxel():
    image = np.random.default_rng(0).normal(100, 30, (6, 7, 8))
    mask = np.zeros(image.shape, np.uint8)
    mask[3, 3, 3] = 1
    found = features.extract(image, mask, settings=Settings(filters=ALL), spacing=1.0)
    assert {n for n, v in found.items() if np.isnan(v)} <= set(found.reasons)
    assert found["log-sigma-1-0-mm-3D_first_order_Mean"]


def test_bad_input_81_nan_beside_the_region_reaches_filters():
    image = np.random.default_rng(0).normal(100, 30, (6, 7, 8))
    mask = np.zeros(image.shape, np.uint8)
    mask[3:5, 3:5, 3:5] = 1
    image[0, 0, 0] = np.nan
    for filters, message in (
        ({"log": {"sigma": [1.0], "definition": "itk"}}, "filter log-sigma-1-0-mm-3D: .* 8 NaN"),
        ({"square": {}}, "need an image without NaN"),
    ):
        with pytest.raises(DataError, match=message):
            features.extract(image, mask, settings=Settings(filters=filters), spacing=1.0)
