"""pyrad_core: compiled core for medical image reconstruction, denoising and radiomics.

Arrays are (z, y, x) / (coil, z, y, x) / (view, row, column); lengths mm, angles radians,
attenuation 1/mm. Subpackages load on first use.
"""

from __future__ import annotations

import importlib
import logging
from typing import Any

from ._version import __version__
from .errors import (
    BackendMismatchError,
    DataError,
    DeviceError,
    DeviceMemoryError,
    FileFormatError,
    GeometryError,
    MissingDependencyError,
    PyradError,
    PyradWarning,
    ShapeError,
)

logging.getLogger("pyrad_core").addHandler(logging.NullHandler())

_LAZY = {
    "set_num_threads": "threads",
    "num_threads": "threads",
    "info": "about",
    "Volume": "geometry",
    "ParallelBeam": "geometry",
    "FanBeam": "geometry",
    "ConeBeam": "geometry",
}
_SUBPACKAGES = (
    "ct", "mr", "denoise", "filters", "wavelet", "features", "geometry", "operators", "solvers",
    "prox", "phantom", "io", "plot", "chunked", "cohort",
)  # fmt: skip

__all__ = [
    "BackendMismatchError",
    "DataError",
    "DeviceError",
    "DeviceMemoryError",
    "FileFormatError",
    "GeometryError",
    "MissingDependencyError",
    "PyradError",
    "PyradWarning",
    "ShapeError",
    "__version__",
    *_LAZY,
    *_SUBPACKAGES,
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        value = getattr(importlib.import_module(f".{_LAZY[name]}", __name__), name)
    elif name in _SUBPACKAGES:
        value = importlib.import_module(f".{name}", __name__)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
