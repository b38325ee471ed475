"""Launchers of csrc/denoise/nlm*.cu."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from . import runtime

__all__ = ["nlm", "nlm_blocks"]

_TILE = (8, 8, 32)  # voxels of a block of threads along z, y, x: nlm.cu
_BLOCK_THREADS, _BLOCK_CHUNK = 128, 1024  # `threads` and `chunk` of nlm_blocks.cu


def nlm(
    image: Any,
    values: Any,
    patch: Sequence[int],
    search: Sequence[int],
    variance: Any,
    sigma: Sequence[float],
    h: float,
    factor: float,
    patchwise: bool,
    out: Any,
) -> None:
    """Non-local means of volumes, weights from image, average of values; patch and search are
    radii, variance is one per voxel or None, sigma one per volume."""
    shape = image.shape[1:]
    spread = [int(patchwise and r > 0) for r in patch]
    padded, before = _padded(image, patch, [s + a for s, a in zip(search, spread, strict=True)])
    deep, high, wide = padded.shape[1:]
    first = (before[0] * high + before[1]) * wide + before[2]
    sizes = [*shape, *patch, *search, *spread, high, wide, first, deep * high * wide]
    shared_step = 0
    if variance is not None and len(variance) > 1:
        shared_step = int(np.prod(shape))
    blocks = [runtime.ceil_div(n, t) for n, t in zip(shape, _TILE, strict=True)]
    runtime.launch(
        "denoise/nlm.cu",
        f"nlm_{runtime.suffix(image)}",
        (blocks[2], blocks[1], blocks[0] * len(image)),
        (_TILE[2], _TILE[1], 1),
        (
            padded,
            values,
            values if variance is None else variance,
            np.int32(variance is not None),
            np.int64(shared_step),
            runtime.beside(image, np.array(sigma or [0.0], np.float64)),
            out,
            runtime.beside(image, np.array(sizes, np.int64)),
            np.float64(h),
            np.float64(factor),
        ),
        shared=_shared_elements(patch, spread) * image.dtype.itemsize,
    )


def nlm_blocks(
    image: Any,
    values: Any,
    mean: Any,
    spread: Any,
    patch: Sequence[int],
    search: Sequence[int],
    step: Sequence[int],
    variance: Any,
    sigma: float,
    h: float,
    factor: float,
    limits: Sequence[float],
    out: Any,
) -> None:
    """Estimates of blocks [z, y, x, patch] of one volume; image and values are padded by the
    patch radius, and by 16 more at the end of rows."""
    sizes = [*mean.shape, *out.shape[:3], *image.shape[1:], *patch, *search, *step]
    runtime.launch(
        "denoise/nlm_blocks.cu",
        f"nlm_blocks_{runtime.suffix(image)}",
        (int(np.prod(out.shape[:3])), 1, 1),
        (_BLOCK_THREADS, 1, 1),
        (
            *(image, values, mean, spread),
            mean if variance is None else variance,
            np.int32(variance is not None),
            runtime.beside(image, np.array(sizes, np.int64)),
            *(np.float64(v) for v in (sigma, h, factor, *limits)),
            out,
        ),
        shared=_BLOCK_CHUNK * image.dtype.itemsize,
    )


def _padded(image: Any, patch: Sequence[int], reach: Sequence[int]) -> tuple[Any, list[int]]:
    """Volumes mirrored by the patch radius, then with zeros for partners and whole tiles."""
    xp = runtime.array_module(image)
    mirrored = xp.pad(image, [(0, 0), *((r, r) for r in patch)], mode="reflect")
    widths = [(0, 0), *((r, r + t) for r, t in zip(reach, _TILE, strict=True))]
    return xp.pad(mirrored, widths), [p + r for p, r in zip(patch, reach, strict=True)]


def _shared_elements(patch: Sequence[int], spread: Sequence[int]) -> int:
    """Squares, their sums along x, and weights of a tile and what surrounds it."""
    wide, high = _TILE[2] + 2 * spread[2], _TILE[1] + 2 * spread[1]
    rows = high + 2 * patch[1]
    return (2 * wide + 2 * patch[2]) * rows + wide * high * (_TILE[0] + 2)
