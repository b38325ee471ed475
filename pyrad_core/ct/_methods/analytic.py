"""Direct inversions."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...solvers import Result
from ..fbp import fbp as filtered_backprojection
from ..fdk import fdk as feldkamp

__all__ = ["fbp", "fdk"]


def fbp(
    projections: Any,
    geometry: Any,
    volume: Any,
    *,
    filter: str = "ram-lak",
    cutoff: float = 1.0,
    out: Any = None,
) -> Result:
    image = filtered_backprojection(
        projections, geometry, volume, filter=filter, cutoff=cutoff, out=out
    )
    return _direct(image)


def fdk(
    projections: Any,
    geometry: Any,
    volume: Any,
    *,
    filter: str = "ram-lak",
    cutoff: float = 1.0,
    out: Any = None,
) -> Result:
    return _direct(feldkamp(projections, geometry, volume, filter=filter, cutoff=cutoff, out=out))


def _direct(image: Any) -> Result:
    return Result(image, 0, np.zeros(0), "direct")
