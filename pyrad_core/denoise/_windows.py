"""Windows around voxels: the image with its boundary, and where the windows lie in there."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import reduce
from typing import Any

import numpy as np

from .._checks import entries
from .._kernels.select import Edge
from .._memory import require_memory
from ..errors import ShapeError
from ._common import as_bool

__all__ = ["BOUNDARIES", "PaddedImage", "expand", "outside_of", "is_constant"]

BOUNDARIES = ("zero", "nearest", "periodic", "mirror")  # numbered as in boundary_math.hpp
_SPATIAL = 3


def expand(name: str, value: Any, ndim: int, neutral: Any) -> tuple[Any, ...]:
    """One value per axis; a single one belongs to the last three axes, others get ``neutral``."""
    values = entries(value)
    if values is None:
        spatial = min(_SPATIAL, ndim)
        return (neutral,) * (ndim - spatial) + (value,) * spatial
    if len(values) != ndim:
        raise ShapeError(f"{name} has {len(values)} entries, but image has {ndim} dimensions")
    return values


def is_constant(x: Any) -> bool:
    flat = x.reshape(-1)
    probe = flat[:: max(1, flat.size // 64)]
    return bool((probe == flat[0]).all()) and bool((flat == flat[0]).all())


def outside_of(edge: Edge, x: Any, mask: Any) -> Any:
    """Where the mask leaves the image as it is; None without a mask."""
    if mask is None:
        return None
    inside = as_bool(edge)
    if inside.ndim == 0 or inside.shape != x.shape[x.ndim - inside.ndim :]:
        raise ShapeError(f"mask has shape {inside.shape}, but image has shape {x.shape}")
    return ~edge.xp.broadcast_to(inside, x.shape)


class PaddedImage:
    """An image of any dimensions, continued by ``before`` and ``after`` voxels along each axis.

    Kernels see rows: window offset 0 of result row r begins at ``starts[r]`` of ``data``.
    """

    def __init__(
        self, edge: Edge, shape: Sequence[int], before: Sequence[int], after: Sequence[int]
    ):
        self.edge = edge
        self.shape = tuple(shape)
        self.before = tuple(before)
        self.padded = tuple(
            n + low + high for n, low, high in zip(shape, before, after, strict=True)
        )
        # elements from one voxel to the next along each axis of the padded image
        self.strides = tuple(math.prod(self.padded[axis + 1 :]) for axis in range(len(shape)))
        starts = [
            edge.xp.arange(n, dtype=np.int64) * stride
            for n, stride in zip(self.shape[:-1], self.strides[:-1], strict=True)
        ]
        self.starts = _outer_sum(edge.xp, starts)

    def pad(self, x: Any, boundary: str) -> Any:
        """The continued image, flat."""
        xp, number = self.edge.xp, BOUNDARIES.index(boundary)
        size = math.prod(self.padded)
        require_memory(
            f"the image with its boundary, {self.padded},",
            size * x.dtype.itemsize,
            "filter it in parts",
            self.edge,
        )
        strides = [math.prod(self.shape[axis + 1 : -1]) for axis in range(len(self.shape) - 1)]
        rows = [
            _rows_within(xp, np.arange(wide) - low, n, stride, boundary)
            for n, wide, low, stride in zip(
                self.shape[:-1], self.padded[:-1], self.before[:-1], strides, strict=True
            )
        ]
        source = _outer_sum(xp, rows)
        source[source < 0] = -1
        out = xp.empty((len(source), self.padded[-1]), x.dtype)
        self.edge.kernels.pad_rows(
            x.reshape(-1, self.shape[-1]), source, self.before[-1], number, out
        )
        return out.reshape(-1)

    def offsets(self, relative: Any) -> np.ndarray:
        """Flat offsets of places counted from the window's first one, (places, axes)."""
        return np.asarray(relative, np.int64) @ np.asarray(self.strides, np.int64)

    def rows(self, out: Any) -> Any:
        return out.reshape(-1, self.shape[-1])


def _outer_sum(xp: Any, terms: Sequence[Any]) -> Any:
    """All sums of one element of each array, the last one fastest."""
    return reduce(lambda a, b: (a[:, None] + b).reshape(-1), terms, xp.zeros(1, np.int64))


def _rows_within(xp: Any, index: np.ndarray, n: int, stride: int, boundary: str) -> Any:
    """``index_within`` of boundary_math.hpp times stride; zeros are below any sum of rows."""
    outside = (index < 0) | (index >= n)
    if boundary == "nearest":
        index = index.clip(0, n - 1)
    elif boundary == "periodic":
        index = index % n
    elif boundary == "mirror":
        index = index % (2 * n)
        index = np.where(index < n, index, 2 * n - 1 - index)
    rows = index.astype(np.int64) * stride
    if boundary == "zero":
        rows[outside] = -(1 << 48)
    return xp.asarray(rows)
