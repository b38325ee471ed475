"""The authors' packages bm3d and bm4d: binaries for non-commercial use, opponents only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .need import need

__all__ = ["reference_bm3d", "reference_bm4d"]


def reference_bm3d(image: Any, *, sigma: float, hard: bool = False) -> Callable:
    package = need("bm3d")
    stages = package.BM3DStages.HARD_THRESHOLDING if hard else package.BM3DStages.ALL_STAGES
    return lambda: np.asarray(package.bm3d(image, sigma, stage_arg=stages), np.float32)


def reference_bm4d(volume: Any, *, sigma: float, hard: bool = False) -> Callable:
    package = need("bm4d")
    stages = package.BM4DStages.HARD_THRESHOLDING if hard else package.BM4DStages.ALL_STAGES
    return lambda: np.asarray(package.bm4d(volume, sigma, stage_arg=stages), np.float32)
