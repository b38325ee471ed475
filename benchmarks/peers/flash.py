"""flash-radiomics: PyRadiomics' interface and values, kernels in C."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .need import need

__all__ = ["flash_class", "flash_extractor", "flash_maps"]

_CLASSES = {
    "first_order": "FirstOrder",
    "glcm": "GLCM",
    "glrlm": "GLRLM",
    "glszm": "GLSZM",
    "ngldm": "GLDM",
    "ngtdm": "NGTDM",
    "shape": "Shape",
}


def flash_class(image: Any, mask: Any, *, name: str, bin_width: float, threads: int) -> Callable:
    """One family class on the CPU, on arrays of the region's box."""
    title = _CLASSES[name]
    family = getattr(need("flash_radiomics"), f"Radiomics{title}")
    pixels, region = np.ascontiguousarray(image, np.float32), np.ascontiguousarray(mask, np.uint8)
    options = {"backend": "cpu", "num_threads": threads, "binWidth": bin_width}

    def run() -> dict[str, float]:
        found = family(pixels, region, spacing=(1.0, 1.0, 1.0), **options).execute()
        return {f"original_{title.lower()}_{key}": float(value) for key, value in found.items()}

    return run


def flash_extractor(
    image: Any,
    mask: Any,
    *,
    spacing: Sequence[float],
    threads: int,
    image_types: dict[str, dict],
    settings: dict[str, Any],
) -> Callable:
    """The public extractor on SimpleITK images, its HDF5 files on a RAM disk."""
    extractor, folder = _extractor(threads, settings)
    extractor.enableImageTypes(**image_types)
    return _executed(extractor, folder, image, mask, spacing)


def flash_maps(
    image: Any, mask: Any, *, bin_width: float, threads: int, radius: int = 1, family: str = "glcm"
) -> Callable:
    """Voxel-based features of one family ("glcm", "gldm", ...): arrays by name."""
    settings = {"binWidth": bin_width, "kernelRadius": radius}
    extractor, folder = _extractor(threads, settings)
    extractor.disableAllFeatures()
    extractor.enableFeatureClassByName(family)
    execute = _executed(extractor, folder, image, mask, (1.0, 1.0, 1.0), spatialMode=True)
    arrays = need("SimpleITK").GetArrayFromImage

    def run() -> dict[str, np.ndarray]:
        found = execute()
        return {name: arrays(part) for name, part in found.items() if name.startswith("original")}

    return run


def _extractor(threads: int, settings: dict[str, Any]) -> tuple[Any, str]:
    """The public extractor, and the folder on a RAM disk that it writes to."""
    flash = need("flash_radiomics")
    flash.setVerbosity(60)
    folder = tempfile.mkdtemp(dir="/dev/shm" if os.path.isdir("/dev/shm") else None)
    options = {"backend": "cpu", "num_threads": threads, "hdf5OutputDirectory": folder}
    return flash.RadiomicsFeatureExtractor(**settings, **options), folder


def _executed(
    extractor: Any, folder: str, image: Any, mask: Any, spacing: Sequence[float], **options: Any
) -> Callable:
    sitk = need("SimpleITK")
    pair = []
    for array in (image, np.asarray(mask, np.uint8)):
        volume = sitk.GetImageFromArray(array)
        volume.SetSpacing([float(step) for step in reversed(spacing)])
        pair.append(volume)

    def run() -> dict[str, Any]:
        # It remembers preprocessed images by what they are: a new object is a new case.
        found = extractor.execute(*(sitk.Image(volume) for volume in pair), **options)
        for path in Path(folder).glob("*"):
            path.unlink()
        return found

    return run
