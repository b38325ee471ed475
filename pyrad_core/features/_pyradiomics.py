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
_IMAGE_TYPES = {
    "Original": "original",
    "Wavelet": "wavelet",
    "LoG": "log",
    "Square": "square",
    "SquareRoot": "squareroot",
    "Logarithm": "logarithm",
    "Exponential": "exponential",
    "Gradient": "gradient",
    "LBP2D": "lbp2d",
    "LBP3D": "lbp3d",
}
_FILTER_OPTIONS = {
    "wavelet": {"wavelet": "wavelet", "level": "level", "start_level": "start_level"},
    "log": {"sigma": "sigma"},
    "gradient": {"gradientUseSpacing": "use_spacing"},
    "lbp2d": {"lbp2DRadius": "radius", "lbp2DSamples": "samples", "lbp2DMethod": "method"},
    "lbp3d": {
        "lbp3DLevels": "levels",
        "lbp3DIcosphereRadius": "radius",
        "lbp3DIcosphereSubdivision": "subdivision",
    },
}
# Settings that a single image type may have for itself.
_PER_FILTER = (
    "binWidth", "binCount", "distances", "symmetricalGLCM", "weightingNorm", "gldm_a",
    "voxelArrayShift",
)  # fmt: skip
# Listed features for which PyRadiomics raises no error, but gives no value either.
_WITHOUT_VALUE = {
    "glcm": ("Dissimilarity", "Homogeneity1", "Homogeneity2", "SumVariance"),
    "gldm": ("GrayLevelNonUniformityNormalized", "DependencePercentage"),
}
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
# Settings without an effect on values here: batching, provenance, tolerances, channels of masks.
_WITHOUT_EFFECT = (
    "additionalInfo", "geometryTolerance", "label_channel", "initValue", "voxelBatch",
    "enableCExtensions",
)  # fmt: skip
_COMBINED = (
    "binWidth", "binCount", "resampledPixelSpacing", "interpolator", "padDistance", "force2D",
    "force2Ddimension", "resegmentRange", "resegmentMode", "preCrop", "correctMask",
    *(name for options in _FILTER_OPTIONS.values() for name in options),
)  # fmt: skip


def translate(given: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of Settings for PyRadiomics' settings and parameter-file sections."""
    names = [*_RENAMED, *_WITHOUT_EFFECT, *_COMBINED]
    _refuse_voxel_based(given)
    _checks.known_names("setting", given, [*names, *SECTIONS])
    flat = {name: value for name, value in given.items() if name not in SECTIONS}
    for section in ("setting", "voxelSetting"):
        flat.update(given.get(section) or {})
    _refuse_voxel_based(flat)
    _checks.known_names("setting", flat, names)
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
    if flat.get("correctMask"):
        result["correct_mask"] = True
    result.update(_discretisation(flat))
    result.update(_resampling(flat))
    result.update(_resegmentation(flat))
    if flat.get("force2D"):
        result["aggregation"] = "2.5D_direction_merged"
        result["slice_axis"] = flat.get("force2Ddimension", 0)
    result["filters"] = _filters(given.get("imageType"), flat)
    result.update(_families(given.get("featureClass")))
    return result


def _refuse_voxel_based(given: Mapping[str, Any]) -> None:
    if given.get("voxelBased"):
        raise DataError(
            "voxelBased is not a setting of a table of features; feature maps are made by "
            "pyrad_core.features.maps (pyrad-core maps), which reads voxelSetting"
        )


def _discretisation(flat: Mapping[str, Any]) -> dict[str, Any]:
    if flat.get("binCount") is not None:
        return {"discretisation": ("fbn", flat["binCount"])}
    if flat.get("binWidth") is not None:
        return {"discretisation": ("fbs", flat["binWidth"])}
    return {}


def _resampling(flat: Mapping[str, Any]) -> dict[str, Any]:
    spacing = flat.get("resampledPixelSpacing")
    margin = flat.get("padDistance")
    margin = _checks.whole("padDistance", 5 if margin is None else margin)
    if spacing is None or ("interpolator" in flat and flat["interpolator"] is None):
        return {"crop_margin": margin} if flat.get("preCrop") else {}
    if not isinstance(spacing, (tuple, list)) or len(spacing) not in (2, 3):
        raise DataError(
            f"resampledPixelSpacing is {spacing!r}; expected voxel sizes [x, y, z] in mm"
        )
    spacing = [*spacing, 0][:3]
    interpolator = flat.get("interpolator", "sitkBSpline")
    if interpolator not in _INTERPOLATORS:
        accepted = ", ".join(str(name) for name in _INTERPOLATORS)
        raise DataError(f"interpolator is {interpolator!r}. Accepted: {accepted}")
    return {
        "resample": tuple(spacing)[::-1],
        "interpolation": _INTERPOLATORS[interpolator],
        "resample_margin": margin,
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
    """Each image type's options: its own go before those of the section ``setting``."""
    if not types:
        return {"original": {}}
    if not isinstance(types, Mapping):
        types = dict.fromkeys(types)
    _checks.known_names("imageType", types, _IMAGE_TYPES)
    filters = {}
    for name, given in types.items():
        ours, own = _IMAGE_TYPES[name], dict(given or {})
        accepted = _FILTER_OPTIONS.get(ours, {})
        _checks.known_names(f"setting of imageType {name}", own, [*accepted, *_PER_FILTER])
        both = {**flat, **own}
        options = {accepted[n]: both[n] for n in accepted if both.get(n) is not None}
        if ours == "log" and not options.get("sigma"):
            raise DataError("imageType LoG needs sigma, a list of filter widths in mm")
        changes = {_RENAMED[n]: v for n, v in own.items() if n in _RENAMED and v is not None}
        changes.update(_discretisation(own))
        filters[ours] = {**options, "settings": changes} if changes else options
    return filters


def _families(classes: Any) -> dict[str, Any]:
    if not classes:
        return {}
    _checks.known_names("featureClass", classes, _CLASSES)
    chosen = dict.fromkeys(classes) if not isinstance(classes, Mapping) else dict(classes)
    features = {
        _CLASSES[name]: tuple(n for n in names if n not in _WITHOUT_VALUE.get(name, ()))
        for name, names in chosen.items()
        if names
    }
    return {
        "families": tuple(_CLASSES[name] for name in chosen),
        "features": features or None,
    }
