"""PyRadiomics' setting names, translated to fields of :class:`~.settings.Settings`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import _checks
from ..errors import DataError

__all__ = ["SECTIONS", "translate"]

SECTIONS = ("setting", "imageType", "featureClass", "voxelSetting")

_CLASSES = {
    "firstorder": "first_order",
    "glcm": "glcm",
    "glrlm": "glrlm",
    "glszm": "glszm",
    "gldm": "ngldm",
    "ngtdm": "ngtdm",
    "shape": "shape",
    "shape2D": "shape2d",
}
_IMAGE_TYPES = {"Original": "original", "Wavelet": "wavelet"}
_INTERPOLATORS = {
    "sitkNearestNeighbor": "nearest",
    "sitkLinear": "linear",
    "sitkBSpline": "bspline",
    1: "nearest",
    2: "linear",
    3: "bspline",
}
_RENAMED = {
    "label": "label",
    "normalize": "normalize",
    "normalizeScale": "normalize_scale",
    "removeOutliers": "remove_outliers",
    "distances": "distances",
    "symmetricalGLCM": "symmetric",
    "weightingNorm": "weighting",
    "gldm_a": "gldm_alpha",
    "voxelArrayShift": "voxel_array_shift",
    "resegmentShape": "resegment_shape",
    "minimumROIDimensions": "minimum_roi_dimensions",
    "minimumROISize": "minimum_roi_size",
    "maskedKernel": "masked_kernel",
    "kernelRadius": "kernel_radius",
}
# Settings without an effect on values here: pre-cropping, batching, provenance and the correction
# of masks on other grids (which are an error).
_WITHOUT_EFFECT = (
    "additionalInfo", "preCrop", "geometryTolerance", "correctMask", "label_channel", "initValue",
    "voxelBatch", "enableCExtensions",
)  # fmt: skip
_COMBINED = (
    "binWidth", "binCount", "resampledPixelSpacing", "interpolator", "padDistance", "force2D",
    "force2Ddimension", "resegmentRange", "resegmentMode", "wavelet", "level", "start_level",
)  # fmt: skip


def translate(given: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of Settings for PyRadiomics' settings and parameter-file sections."""
    names = [*_RENAMED, *_WITHOUT_EFFECT, *_COMBINED]
    _checks.known_names("setting", given, [*names, *SECTIONS])
    flat = {name: value for name, value in given.items() if name not in SECTIONS}
    for section in ("setting", "voxelSetting"):
        flat.update(given.get(section) or {})
    _checks.known_names("setting", flat, names)
    if flat.get("correctMask"):
        raise DataError("correctMask resamples the mask to the image's grid; do so beforehand")
    result: dict[str, Any] = {
        "conventions": "pyradiomics",
        "bin_edges": "pyradiomics",
        "grid": "corner",
        "interpolation": "bspline",
        "mask_interpolation": "nearest",
        "families": tuple(family for family in _CLASSES.values() if family != "shape2d"),
        "discretisation": ("fbs", 25.0),
    }
    result.update({_RENAMED[n]: v for n, v in flat.items() if n in _RENAMED and v is not None})
    result.update(_discretisation(flat))
    result.update(_resampling(flat))
    result.update(_resegmentation(flat))
    if flat.get("force2D"):
        result["aggregation"] = "2.5D_direction_merged"
        result["slice_axis"] = flat.get("force2Ddimension", 0)
    result["filters"] = _filters(given.get("imageType"), flat)
    result.update(_families(given.get("featureClass")))
    return result


def _discretisation(flat: Mapping[str, Any]) -> dict[str, Any]:
    if flat.get("binCount") is not None:
        return {"discretisation": ("fbn", flat["binCount"])}
    if flat.get("binWidth") is not None:
        return {"discretisation": ("fbs", flat["binWidth"])}
    return {}


def _resampling(flat: Mapping[str, Any]) -> dict[str, Any]:
    spacing = flat.get("resampledPixelSpacing")
    if spacing is None or ("interpolator" in flat and flat["interpolator"] is None):
        return {}
    interpolator = flat.get("interpolator", "sitkBSpline")
    if interpolator not in _INTERPOLATORS:
        accepted = ", ".join(str(name) for name in _INTERPOLATORS)
        raise DataError(f"interpolator is {interpolator!r}. Accepted: {accepted}")
    return {
        "resample": tuple(spacing)[::-1],
        "interpolation": _INTERPOLATORS[interpolator],
        "resample_margin": _checks.whole("padDistance", flat.get("padDistance", 5)),
    }


def _resegmentation(flat: Mapping[str, Any]) -> dict[str, Any]:
    limits = flat.get("resegmentRange")
    if limits is None:
        return {}
    if not 1 <= len(limits) <= 2:
        raise DataError(f"resegmentRange is {limits!r}; expected one or two values")
    low, high = sorted(limits) if len(limits) == 2 else (limits[0], None)
    mode = _checks.choice(
        "resegmentMode", flat.get("resegmentMode", "absolute"), ("absolute", "relative", "sigma")
    )
    name = {"absolute": "range", "relative": "relative", "sigma": "sigma"}[mode]
    return {f"resegment_{name}": (low, high)}


def _filters(types: Mapping[str, Any] | None, flat: Mapping[str, Any]) -> dict[str, Any]:
    shared = {n: flat[n] for n in ("wavelet", "level", "start_level") if flat.get(n) is not None}
    if not types:
        return {"original": {}}
    _checks.known_names("imageType", types, _IMAGE_TYPES)
    filters = {}
    for name, options in types.items():
        own = dict(options or {})
        filters[_IMAGE_TYPES[name]] = {**shared, **own} if name == "Wavelet" else {}
    return filters


def _families(classes: Any) -> dict[str, Any]:
    if not classes:
        return {}
    _checks.known_names("featureClass", classes, _CLASSES)
    chosen = dict.fromkeys(classes) if not isinstance(classes, Mapping) else dict(classes)
    features = {_CLASSES[name]: tuple(names) for name, names in chosen.items() if names}
    return {
        "families": tuple(_CLASSES[name] for name in chosen),
        "features": features or None,
    }
