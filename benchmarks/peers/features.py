"""PyRadiomics (one thread)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .need import need

__all__ = [
    "pyradiomics_class",
    "pyradiomics_extractor",
    "pyradiomics_glcm",
    "pyradiomics_maps",
]

_CLASSES = {
    "first_order": ("firstorder", "RadiomicsFirstOrder"),
    "glcm": ("glcm", "RadiomicsGLCM"),
    "glrlm": ("glrlm", "RadiomicsGLRLM"),
    "glszm": ("glszm", "RadiomicsGLSZM"),
    "ngldm": ("gldm", "RadiomicsGLDM"),
    "ngtdm": ("ngtdm", "RadiomicsNGTDM"),
    "shape": ("shape", "RadiomicsShape"),
}


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
    settings: dict[str, Any],
    image_types: dict[str, dict] | None = None,
) -> Callable:
    """The public extractor on SimpleITK images, its 107 features; spacing in (z, y, x) mm."""
    radiomics = need("radiomics")
    extractors = need("radiomics.featureextractor")
    radiomics.setVerbosity(logging.ERROR)
    extractor = extractors.RadiomicsFeatureExtractor(**settings)
    extractor.enableImageTypes(**(image_types or {"Original": {}}))
    pair = _volumes(image, np.asarray(mask, np.uint8), spacing=spacing)
    return lambda: extractor.execute(*pair)


def _volumes(*arrays: Any, spacing: Sequence[float] = (1.0, 1.0, 1.0)) -> list[Any]:
    sitk = need("SimpleITK")
    found = []
    for array in arrays:
        volume = sitk.GetImageFromArray(array)
        volume.SetSpacing([float(step) for step in reversed(spacing)])
        found.append(volume)
    return found


def pyradiomics_class(image: Any, mask: Any, *, name: str, bin_width: float) -> Callable:
    """One family class on the region's box: binning, matrix and features, without the extractor."""
    need("radiomics").setVerbosity(logging.CRITICAL)
    title, class_name = _CLASSES[name]
    module = need(f"radiomics.{title}")
    volumes = _volumes(image, mask)

    def run() -> dict[str, float]:
        values = getattr(module, class_name)(*volumes, binWidth=bin_width).execute()
        return {f"original_{title}_{feature}": float(value) for feature, value in values.items()}

    return run


def pyradiomics_maps(
    image: Any,
    mask: Any,
    *,
    bin_width: float,
    wanted: Sequence[str] | None = None,
    family: str = "glcm",
    radius: int = 1,
) -> Callable:
    """Voxel-based features of the whole image in batches of 2000 voxels.

    ``family`` is PyRadiomics' name of it; the answer is arrays by name.
    """
    need("radiomics").setVerbosity(logging.CRITICAL)
    extractors, sitk = need("radiomics.featureextractor"), need("SimpleITK")
    settings = {"binWidth": bin_width, "kernelRadius": radius, "voxelBatch": 2000}
    extractor = extractors.RadiomicsFeatureExtractor(additionalInfo=False, **settings)
    extractor.disableAllFeatures()
    extractor.enableFeaturesByName(**{family: list(wanted) if wanted else []})
    volumes = _volumes(image, mask)

    def run() -> dict[str, np.ndarray]:
        found = extractor.execute(*volumes, voxelBased=True)
        return {name: sitk.GetArrayFromImage(volume) for name, volume in found.items()}

    return run
