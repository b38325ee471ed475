"""The blockwise variant of non-local means."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from .._kernels.select import Edge
from .._memory import require_memory

STEP = 2  # voxels between centres of blocks
_LANES = 16  # what the kernel may read beyond the end of a row


def blockwise(
    edge: Edge,
    image: Any,
    values: Any,
    radii: tuple[list[int], list[int]],
    variance: Any,
    sigma: float,
    strength: tuple[float, float],
    limits: tuple[float, float],
    out: Any,
) -> None:
    """Filter one volume; ``radii`` of patch and search, ``strength`` is (h, factor)."""
    xp = edge.xp
    patch, search = radii
    step = [min(STEP, r + 1) for r in patch]
    grid = [-(-n // s) for n, s in zip(image.shape, step, strict=True)]
    size = int(np.prod([2 * r + 1 for r in patch]))
    needed = int(np.prod(grid)) * size * image.dtype.itemsize
    require_memory("estimates of blocks", needed, "filter in parts or use smaller patches", edge)
    padded = _padded(xp, image, patch)
    other = padded if values is image else _padded(xp, values, patch)
    mean, spread = _moments(xp, padded[..., :-_LANES], patch)
    estimates = xp.empty((*grid, size), image.dtype)
    edge.kernels.nlm_blocks(
        padded,
        other,
        mean,
        spread,
        patch,
        search,
        step,
        variance,
        sigma,
        *strength,
        limits,
        estimates,
    )
    _overlap(xp, estimates, patch, step, out)


def _padded(xp: Any, image: Any, patch: list[int]) -> Any:
    mirrored = xp.pad(image, [(r, r) for r in patch], mode="reflect")
    return xp.ascontiguousarray(xp.pad(mirrored, [(0, 0), (0, 0), (0, _LANES)]))


def _moments(xp: Any, padded: Any, patch: list[int]) -> tuple[Any, Any]:
    """Mean and variance of the patch around every voxel."""
    first = padded.astype(np.float64)
    second = first * first
    for axis, radius in enumerate(patch):
        first, second = (_box_mean(xp, a, axis, radius) for a in (first, second))
    spread = xp.maximum(second - first * first, 0)
    return first.astype(padded.dtype), spread.astype(padded.dtype)


def _box_mean(xp: Any, x: Any, axis: int, radius: int) -> Any:
    moved = xp.moveaxis(x, axis, 0)
    count = moved.shape[0] - 2 * radius
    total = sum(moved[k : k + count] for k in range(2 * radius + 1)) / (2 * radius + 1)
    return xp.ascontiguousarray(xp.moveaxis(total, 0, axis))


def _overlap(xp: Any, estimates: Any, patch: list[int], step: list[int], out: Any) -> None:
    """Mean of the blocks that cover each voxel."""
    count = xp.zeros(out.shape, out.dtype)
    out[...] = 0
    shifts = itertools.product(*(range(-r, r + 1) for r in patch))
    for k, shift in enumerate(shifts):
        source, target = [], []
        for n, blocks, s, d in zip(out.shape, estimates.shape, step, shift, strict=False):
            first = -(d // s) if d < 0 else 0  # first block whose voxel at d is inside
            last = min(blocks - 1, (n - 1 - d) // s)
            source.append(slice(first, last + 1))
            target.append(slice(first * s + d, last * s + d + 1, s))
        out[tuple(target)] += estimates[(*source, k)]
        count[tuple(target)] += 1
    out /= count
