"""Helsinki Tomography Challenge 2022 (.mat): fan-beam line integrals with their parameters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from . import geometry_file
from .containers import Projections
from .files import refused

_STRUCTS = ("CtDataLimited", "CtDataFull", "CtData")


def struct_of(variables: dict[str, Any]) -> str | None:
    return next((name for name in _STRUCTS if isinstance(variables.get(name), dict)), None)


def read(path: Path, content: dict[str, Any]) -> Projections:
    """The central row of a cone scanner is a fan beam; angles are in degrees."""
    try:
        values = content["parameters"]
        sinogram = np.asarray(content["sinogram"])
        entries = {
            "type": "fan",
            "angles": {"values": np.asarray(values["angles"]).reshape(-1), "unit": "degrees"},
            "pixel": float(values.get("pixelSizePost", values.get("pixelSize"))),
            "source_origin": float(values["distanceSourceOrigin"]),
            "source_detector": float(values["distanceSourceDetector"]),
        }
    except (KeyError, TypeError, ValueError) as error:
        raise refused(path, f"the scan parameters lack {error}") from None
    if sinogram.ndim != 2 or sinogram.dtype.kind != "f":
        raise refused(path, f"sinogram is {sinogram.dtype} {sinogram.shape}")
    geometry = geometry_file.build(entries, sinogram.shape)
    header = {
        "format": "HTC 2022",
        "quantity": "line integrals",
        "pixel_known": True,
        "title": str(values.get("projectName", "")),
    }
    return Projections(np.ascontiguousarray(sinogram), None, None, geometry, header)
