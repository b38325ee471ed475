"""Names of the filters and of their options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import _checks

__all__ = ["OPTIONS", "check_filters"]

OPTIONS: dict[str, tuple[str, ...]] = {
    "original": (),
    "wavelet": ("wavelet", "level", "start_level"),
    "log": ("sigma", "definition", "truncate", "boundary"),
    "square": (),
    "squareroot": (),
    "logarithm": (),
    "exponential": (),
    "gradient": ("use_spacing",),
    "lbp2d": ("radius", "samples", "method"),
    "lbp3d": ("levels", "radius", "subdivision"),
    "mean": ("support", "boundary"),
    "laplacian_of_gaussian": ("sigma", "truncate", "boundary"),
    "laws": ("kernels", "pooling", "energy_distance", "boundary"),
    "gabor": (
        "sigma", "wavelength", "aspect", "angle", "angle_step", "pooling", "response", "planes",
        "boundary",
    ),
    "separable_wavelet": ("wavelet", "bands", "level", "pooling", "boundary"),
    "nonseparable_wavelet": ("family", "level", "endpoints"),
    "riesz": ("order", "sigma", "truncate", "family", "level", "boundary", "endpoints"),
}  # fmt: skip
"""Filter -> names of its options; every filter also takes ``settings``."""


def check_filters(filters: Mapping[str, Mapping[str, Any]]) -> None:
    """Names of filters and of their options; values are checked where they are used."""
    _checks.known_names("filter", filters, OPTIONS)
    for name, options in filters.items():
        _checks.known_names(f"{name} setting", options, (*OPTIONS[name], "settings"))
