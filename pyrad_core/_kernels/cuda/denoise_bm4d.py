"""CUDA launcher of collaborative filtering."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from . import runtime

__all__ = ["bm4d_stage"]

_THREADS = 128
_GROUP, _VOXELS = 32, 64  # largest_group and voxels of csrc/denoise/bm4d_math.hpp
_BITS = 48  # of the largest estimate; up to 2^14 of them meet in a voxel


def bm4d_stage(
    image: Any,
    guide: Any,
    starts_z: Any,
    starts_y: Any,
    starts_x: Any,
    level: Any,
    forward: Any,
    inverse: Any,
    variance: Any,
    window: Any,
    search: Sequence[int],
    group: int,
    similar: float,
    expected: float,
    threshold: float,
    out: Any,
) -> None:
    """One stage of collaborative filtering, in units of the noise; guide: the first estimate."""
    real, kind = image.dtype.type, runtime.suffix(image)
    edge = window.shape[0]
    shape = (*(np.int64(n) for n in image.shape), np.int32(edge))
    seen = image if guide is None else guide
    starts = (starts_z, starts_y, starts_x)
    positions, counts = _find(seen, edge, starts, level, search, group, similar, expected)
    used = level[level > 0]
    weight = 1.0 if used.size == 0 else 1 / (float(used.min()) ** 2 * float(variance.min()))
    largest = max(float(abs(image).max()), 1e-30) * math.sqrt(_GROUP)
    value_scale, weight_scale = 2.0**_BITS / (largest * weight), 2.0**_BITS / weight
    values = runtime.zeros(image, image.shape, np.uint64)
    weights = runtime.zeros(image, image.shape, np.uint64)
    runtime.launch(
        "denoise/bm4d.cu",
        f"bm4d_filter_{kind}",
        (level.size,),
        (_THREADS,),
        (
            image,
            seen,
            np.int32(guide is not None),
            *shape,
            *(positions, counts, level, forward, inverse, variance, window),
            real(threshold),
            np.float64(value_scale),
            np.float64(weight_scale),
            values,
            weights,
        ),
        shared=(_THREADS + (1 if guide is None else 2) * _GROUP * _VOXELS) * image.dtype.itemsize,
    )
    runtime.launch(
        "denoise/bm4d.cu",
        f"bm4d_finish_{kind}",
        (min(runtime.ceil_div(image.size, _THREADS), 1 << 16),),
        (_THREADS,),
        (image, values, weights, window, *shape, np.float64(weight_scale / value_scale), out),
    )


def _find(
    image: Any,
    edge: int,
    starts: tuple[Any, Any, Any],
    level: Any,
    search: Sequence[int],
    group: int,
    similar: float,
    expected: float,
) -> tuple[Any, Any]:
    """Positions of the blocks that are like each reference block, and how many they are."""
    real, kind = image.dtype.type, runtime.suffix(image)
    positions = runtime.empty(image, (level.size, _GROUP), np.int64)
    counts = runtime.empty(image, level.size, np.int32)
    block = (1 if edge == 8 else edge, edge, edge)
    candidates = math.prod(
        min(2 * r + 1, n - b + 1) for r, n, b in zip(search, image.shape, block, strict=True)
    )
    runtime.launch(
        "denoise/bm4d.cu",
        f"bm4d_find_{kind}",
        (level.size,),
        (_THREADS,),
        (
            image,
            *(np.int64(n) for n in image.shape),
            np.int32(edge),
            *starts,
            *(np.int64(n) for n in level.shape[1:]),
            level,
            *(np.int64(r) for r in search),
            np.int32(group),
            real(similar),
            real(expected),
            positions,
            counts,
        ),
        shared=candidates * image.dtype.itemsize,
    )
    return positions, counts
