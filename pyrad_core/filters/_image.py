"""What every filter does first: the image, its axes and its voxel size."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .. import _checks
from .._kernels.select import Edge, edge_of
from ..errors import DataError, ShapeError

__all__ = ["BOUNDARIES", "Image", "take"]

BOUNDARIES = ("zero", "nearest", "periodic", "mirror")  # numbered as in boundary_math.hpp


@dataclass
class Image:
    """A checked image, and the axes that filters act on: in the order of letters, x first."""

    edge: Edge
    data: Any
    axes: tuple[int, ...]
    spacing: tuple[float, ...]  # along `axes`
    boundary: str

    def convolve(self, x: Any, taps: Any, axis: int, centre: int | None = None) -> Any:
        """True convolution along one axis; `centre` is the tap that meets the sample itself."""
        filters = self.edge.xp.asarray(taps, x.dtype)
        outer, n = math.prod(x.shape[:axis]), x.shape[axis]
        out = self.edge.xp.empty_like(x)
        middle = (len(taps) - 1) // 2 if centre is None else centre
        self.edge.kernels.convolve_axis(
            x.reshape(outer, n, -1),
            filters,
            middle,
            BOUNDARIES.index(self.boundary),
            out.reshape(outer, n, -1),
        )
        return out

    def in_voxels(self, name: str, length: Any) -> tuple[float, ...]:
        """A length in mm (in voxels without spacing) as voxels along each axis."""
        value = _checks.positive(name, length)
        return tuple(value / step for step in self.spacing)


def take(
    image: Any, boundary: str, *, by_slice: bool = False, spacing: float | Sequence[float] | None
) -> Image:
    edge = edge_of(image=image)
    x = edge.real("image", ndim=(2, 3))
    if 0 in x.shape:
        raise ShapeError(f"image has shape {x.shape}; expected no empty axis")
    _checks.choice("boundary", boundary, BOUNDARIES)
    steps = _spacing(spacing, x.ndim)
    axes = tuple(range(x.ndim))[::-1][: 2 if by_slice else 3]
    return Image(edge, x, axes, tuple(steps[axis] for axis in axes), boundary)


def _spacing(spacing: Any, ndim: int) -> tuple[float, ...]:
    if spacing is None:
        return (1.0,) * ndim
    given = (spacing,) * ndim if isinstance(spacing, int | float) else tuple(spacing)
    if len(given) != ndim:
        raise DataError(f"spacing is {spacing}; expected one number or {ndim} of them")
    return tuple(_checks.positive("spacing", step) for step in given)
