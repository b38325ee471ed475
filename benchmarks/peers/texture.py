"""PyRadiomics (one thread)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .need import need

__all__ = ["pyradiomics_extractor", "pyradiomics_glcm"]


def pyradiomics_glcm(levels: Any, mask: Any, bins: int) -> Callable:
    """The C kernel alone on discretised levels (1..bins): counts per direction."""
    kernels = need("radiomics._cmatrices")
    image = np.ascontiguousarray(levels, np.intc)
    region = np.ascontiguousarray(mask, np.int8)
    return lambda: kernels.calculate_glcm(image, region, np.array([1]), bins, False, 0)[0]


def pyradiomics_extractor(
    image: Any,
    mask: Any,
    *,
    spacing: Sequence[float],
    classes: Sequence[str],
    settings: dict[str, Any],
) -> Callable:
    """The public extractor on SimpleITK images; spacing in (z, y, x) mm."""
    radiomics = need("radiomics")
    extractors, sitk = need("radiomics.featureextractor"), need("SimpleITK")
    radiomics.setVerbosity(logging.ERROR)
    extractor = extractors.RadiomicsFeatureExtractor(**settings)
    extractor.disableAllFeatures()
    for name in classes:
        extractor.enableFeatureClassByName(name)
    pair = []
    for array in (image, np.asarray(mask, np.uint8)):
        volume = sitk.GetImageFromArray(array)
        volume.SetSpacing([float(step) for step in reversed(spacing)])
        pair.append(volume)
    return lambda: extractor.execute(*pair)
