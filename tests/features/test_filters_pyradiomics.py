"""Features of filtered images against the installed PyRadiomics, and LoG against ITK."""

from __future__ import annotations

import sys
import types

import numpy as np
import pytest
from features.reference import nrrd

from pyrad_core import features
from pyrad_core.errors import PyradWarning

ENABLED = {"firstorder": ["Energy", "Kurtosis", "Mean", "90Percentile"], "ngtdm": ["Contrast"]}
TYPES = {
    "LoG": {"sigma": [1.0, 2.5]},
    "Square": {},
    "SquareRoot": {},
    "Logarithm": {},
    "Exponential": {},
    "Gradient": {},
}


def _expected(image, mask, spacing, image_types, classes, **settings):
    sitk = pytest.importorskip("SimpleITK")
    radiomics = pytest.importorskip("radiomics", reason="PyRadiomics is not installed")
    from radiomics import featureextractor

    radiomics.setVerbosity(60)
    itk = [sitk.GetImageFromArray(a) for a in (image, mask)]
    for volume in itk:
        volume.SetSpacing(spacing[::-1])
    extractor = featureextractor.RadiomicsFeatureExtractor(additionalInfo=False, **settings)
    extractor.disableAllImageTypes()
    for name, options in image_types.items():
        extractor.enableImageTypeByName(name, customArgs=options)
    extractor.disableAllFeatures()
    for name, chosen in classes.items():
        if chosen:
            extractor.enableFeaturesByName(**{name: chosen})
        else:
            extractor.enableFeatureClassByName(name)
    return {name: float(value) for name, value in extractor.execute(*itk).items()}


def _compare(image, mask, spacing, image_types, classes=ENABLED, rel=1e-6, **given):
    expected = _expected(image, mask, spacing, image_types, classes, **given)
    settings = features.Settings.preset(
        "pyradiomics", imageType=image_types, featureClass=classes, **given
    )
    got = features.extract(image, mask, settings=settings, spacing=spacing)
    assert set(got) == set(expected) and expected
    for name, value in expected.items():
        assert got[name] == pytest.approx(value, rel=rel, abs=1e-9, nan_ok=True), name


@pytest.fixture(scope="module")
def brain():
    image, mask, spacing = nrrd("brain1")
    return image[5:, 60:190, 140:231], mask[5:, 60:190, 140:231], spacing


@pytest.mark.parametrize("dtype", [None, np.float64])
def test_image_types_pyradiomics(brain, dtype):
    image, mask, spacing = brain
    image = image if dtype is None else image.astype(dtype) - 300
    _compare(image, mask, spacing, TYPES)


def test_log_small_region_in_a_large_image_pyradiomics():
    """The halo stands for the whole image."""
    rng = np.random.default_rng(1)
    image = rng.normal(0, 200, (40, 150, 160)).astype(np.int16)
    mask = np.zeros(image.shape, np.uint8)
    mask[18:22, 70:76, 80:85] = 1
    classes = {"firstorder": [], "gldm": []}
    types = {"LoG": {"sigma": [1, 3.0]}, "Wavelet": {}, "Gradient": {}}
    _compare(image, mask, (3.0, 0.8, 0.7), types, classes)


@pytest.mark.parametrize("wavelet", ["haar", "db3", "bior2.2", "rbio1.3", "dmey"])
def test_wavelet_options_pyradiomics(brain, wavelet):
    """A width that no sum of filtered whole numbers hits."""
    options = {"wavelet": wavelet, "level": 2, "start_level": 1, "binWidth": 25.0371}
    _compare(*brain, {"Wavelet": options}, {"firstorder": ["Energy", "Entropy", "Minimum"]})


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_filters_by_slice_pyradiomics(brain, axis):
    types = {"Wavelet": {}, "Gradient": {}, "LBP2D": {"binWidth": 1}}
    _compare(*brain, types, force2D=True, force2Ddimension=axis)


@pytest.mark.parametrize("method", ["default", "ror", "var"])
def test_lbp2d_pyradiomics(brain, method):
    options = {"lbp2DRadius": 2.0, "lbp2DSamples": 7, "lbp2DMethod": method, "binWidth": 200}
    classes = {"firstorder": ["Mean", "Kurtosis"]}
    with pytest.warns(PyradWarning, match="slices"):
        _compare(*brain, {"LBP2D": options}, classes)


def test_lbp3d_pyradiomics(brain, monkeypatch):
    """PyRadiomics looks for names that SciPy has moved since."""
    pytest.importorskip("trimesh")
    pytest.importorskip("radiomics", reason="PyRadiomics is not installed")
    import scipy.ndimage
    import scipy.special

    def sph_harm(m, n, theta, phi):
        k = abs(m)
        norm = (2 * n + 1) / (4 * np.pi) * scipy.special.poch(n + k + 1, -2 * k)
        value = scipy.special.lpmv(k, n, np.cos(phi)) * np.sqrt(norm) * np.exp(1j * k * theta)
        return (-1) ** k * np.conj(value) if m < 0 else value

    moved = types.ModuleType("scipy.ndimage.interpolation")
    moved.map_coordinates = scipy.ndimage.map_coordinates
    monkeypatch.setitem(sys.modules, "scipy.ndimage.interpolation", moved)
    monkeypatch.setattr(scipy.special, "sph_harm", sph_harm, raising=False)
    options = {"lbp3DLevels": 3, "lbp3DIcosphereSubdivision": 2, "binWidth": 0.5}
    for image in (brain[0], brain[0].astype(np.float64) / 7):
        _compare(image, *brain[1:], {"LBP3D": options})


def test_precrop_and_padding_pyradiomics(brain):
    image, mask, spacing = brain
    types = {"Square": {}, "LoG": {"sigma": [2.0]}, "Wavelet": {}}
    _compare(image, mask, spacing, types, preCrop=True, padDistance=3)
    _compare(image, mask, spacing, types, resampledPixelSpacing=[2, 2, 0], padDistance=7)


def test_settings_of_one_image_type_pyradiomics(brain):
    types = {"Original": {}, "LoG": {"sigma": [2.0], "binWidth": 3, "distances": [2]}}
    _compare(*brain, types, {"glcm": ["Contrast", "Idn"]}, binCount=None, normalize=False)


def test_features_by_name_only_pyradiomics(brain):
    image, mask, spacing = brain
    classes = {
        "shape": ["Compactness1", "Compactness2", "SphericalDisproportion", "Sphericity"],
        "firstorder": ["StandardDeviation", "Mean"],
        "glcm": ["SumVariance", "Homogeneity1", "Contrast"],
        "gldm": ["DependencePercentage", "SmallDependenceEmphasis"],
    }
    _compare(image, mask, spacing, {"Original": {}}, classes)


def test_log_itk():
    """Values of every voxel, where the region is the image."""
    sitk = pytest.importorskip("SimpleITK")
    from pyrad_core.features.filtering import Source, filtered_images

    rng = np.random.default_rng(0)
    spacing = (3.0, 1.1, 0.7)
    for dtype in (np.float32, np.float64):
        x = rng.normal(100, 40, (20, 31, 28)).astype(dtype)
        image = sitk.GetImageFromArray(x)
        image.SetSpacing(spacing[::-1])
        from pyrad_core._kernels.select import cpu_kernels

        settings = features.Settings(
            conventions="pyradiomics", filters={"log": {"sigma": [1.0, 2.5]}}
        )
        whole = tuple(slice(0, n) for n in x.shape)
        source = Source(np, cpu_kernels(), x, spacing, settings, whole, None, x.dtype, flat=False)
        for (name, got, _), sigma in zip(filtered_images(source), (1.0, 2.5), strict=True):
            itk = sitk.LaplacianRecursiveGaussianImageFilter()
            itk.SetNormalizeAcrossScale(True)
            itk.SetSigma(sigma)
            expected = sitk.GetArrayFromImage(itk.Execute(image))
            assert name == f"log-sigma-{str(sigma).replace('.', '-')}-mm-3D"
            assert np.abs(got - expected).max() < 2e-7 * np.abs(expected).max()


def test_log_too_small_is_left_out():
    image = np.random.default_rng(0).normal(0, 9, (3, 20, 20))
    settings = features.Settings.preset(
        "pyradiomics", imageType={"Original": {}, "LoG": {"sigma": [1.0]}}
    )
    with pytest.warns(PyradWarning, match="too small"):
        got = features.extract(image, np.ones(image.shape), settings=settings, spacing=1.0)
    assert not any(name.startswith("log") for name in got)
