"""Features of wavelet sub-bands against PyRadiomics."""

from __future__ import annotations

import pytest
from features.reference import nrrd

from pyrad_core import features


@pytest.mark.parametrize("options", [{}, {"wavelet": "db2", "level": 2}], ids=["coif1", "db2"])
def test_brain1(options):
    sitk = pytest.importorskip("SimpleITK")
    radiomics = pytest.importorskip("radiomics", reason="PyRadiomics is not installed")
    from radiomics import featureextractor

    radiomics.setVerbosity(60)
    image, mask, spacing = nrrd("brain1")
    image, mask = image[5:, 60:190, 140:231], mask[5:, 60:190, 140:231]  # odd and even sizes
    assert mask.any()
    itk = [sitk.GetImageFromArray(a) for a in (image, mask)]
    for volume in itk:
        volume.SetSpacing(spacing[::-1])
    extractor = featureextractor.RadiomicsFeatureExtractor(additionalInfo=False)
    extractor.disableAllFeatures()
    extractor.enableFeaturesByName(firstorder=["Energy", "Kurtosis"], glcm=["Contrast", "Imc1"])
    extractor.enableImageTypeByName("Wavelet", customArgs=options)
    expected = extractor.execute(*itk)
    settings = features.Settings.preset(
        "pyradiomics",
        imageType={"Original": {}, "Wavelet": options},
        featureClass={"firstorder": ["Energy", "Kurtosis"], "glcm": ["Contrast", "Imc1"]},
    )
    got = features.extract(image, mask, settings=settings, spacing=spacing)
    assert set(got) == set(expected)
    for name, value in expected.items():
        assert got[name] == pytest.approx(float(value), rel=1e-6), name
