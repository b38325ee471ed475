"""Local features of the user's own: compiled functions of a window."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..errors import DataError
from ._windows import Compute, Window
from .region import Levels, Region

__all__ = ["LOCAL_FEATURE", "compute_custom", "custom_features", "inside_levels"]

LOCAL_FEATURE = (
    "float64(CPointer(float64), int64, CPointer(float64), CPointer(int64), CPointer(float64))"
)
"""Signature of a local feature for ``numba.cfunc``: (values, count, window, shape, spacing).

``values`` are the ``count`` intensities inside the region, ``window`` is the whole window in C
order with NaN outside the region, ``shape`` its three sides (z, y, x), ``spacing`` its voxel size
in mm (NaN where unknown). Answers the feature's value."""

_DOUBLES, _INTEGERS = ("pointer to", ctypes.c_double), ("pointer to", ctypes.c_int64)
_ARGUMENTS = (_DOUBLES, ctypes.c_int64, _DOUBLES, _INTEGERS, _DOUBLES)


def custom_features(features: Mapping[str, Any]) -> dict[str, int]:
    """Name -> address of the compiled function, after checking its signature."""
    if not features:
        raise DataError("features is empty; name at least one local feature")
    return {_name(name): _address(name, function) for name, function in features.items()}


def _name(name: Any) -> str:
    if not isinstance(name, str) or not name or "_" in name:
        raise DataError(f"a local feature is named {name!r}; expected text without underscores")
    return name


def _address(name: str, function: Any) -> int:
    pointer = getattr(function, "ctypes", function)
    known = hasattr(pointer, "restype") and hasattr(pointer, "argtypes")
    arguments = tuple(map(_kind, pointer.argtypes or ())) if known else ()
    if not known or pointer.restype is not ctypes.c_double or arguments != _ARGUMENTS:
        what = "a Python function" if callable(function) and not known else repr(function)
        raise DataError(
            f"local feature {name!r} is {what}; expected a numba.cfunc or a ctypes function with "
            f"the signature {LOCAL_FEATURE} (pyrad_core.features.LOCAL_FEATURE)"
        )
    return int(ctypes.cast(pointer, ctypes.c_void_p).value or 0)


def _kind(argument: Any) -> Any:
    """A scalar's type; of pointers, whose classes differ from package to package, their target."""
    held = getattr(argument, "_type_", None)
    return ("pointer to", held) if isinstance(held, type) else argument


def inside_levels(region: Region, pad: int) -> Levels:
    """A single level: 1 inside the region."""
    inside = region.xp.pad((region.mask != 0).astype(np.uint8), pad)
    return Levels(inside, pad, 1, np.array([region.count]), "none")


def compute_custom(window: Window, address: int) -> Compute:
    """Writes the feature at the centres."""
    region = window.region
    spacing = region.spacing or (float("nan"),) * 3
    values = region.xp.pad(region.values, window.levels.pad)
    shape = [int(2 * n + 1) for n in window.reach]

    def compute(centres: Any, out: Any) -> None:
        region.kernels.local_custom(
            values, window.levels.packed, centres, window.steps, shape, spacing, address, out[:, 0]
        )

    return compute
