"""Direct inversions."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...solvers import Result
from ..fbp import fbp as filtered_backprojection

__all__ = ["fbp"]


def fbp(
    projections: Any, geometry: Any, volume: Any, *, filter: str = "ram-lak", out: Any = None
) -> Result:
    return _direct(filtered_backprojection(projections, geometry, volume, filter=filter, out=out))


def _direct(image: Any) -> Result:
    return Result(image, 0, np.zeros(0), "direct")
