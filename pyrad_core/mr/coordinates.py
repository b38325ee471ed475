"""Checks of k-space positions."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._kernels.select import edge_of
from ..errors import DataError, ShapeError

__all__ = ["check_coordinates"]


def check_coordinates(
    coordinates: Any, shape: tuple[int, ...], *, single: bool = False
) -> tuple[Any, Any]:
    """(edge, coordinates as float64) after the checks; ``single``: float32 stays float32."""
    if not 1 <= len(shape) <= 3:
        raise ShapeError(f"shape is {shape}; expected 1 to 3 axes")
    edge = edge_of(coordinates=coordinates)
    k = edge.real("coordinates", dtype=None if single else np.float64, finite=False)
    if k.ndim < 2 or k.shape[-1] != len(shape):
        raise ShapeError(
            f"coordinates has shape {k.shape}, but an image of shape {shape} asks for "
            f"(..., samples, {len(shape)})"
        )
    if k.size == 0:
        raise ShapeError(f"coordinates has shape {k.shape}; expected at least one sample")
    if k.size >= 2**31:
        raise ShapeError(f"coordinates holds {k.size} numbers; at most 2^31 - 1 are supported")
    limits = [n / 2 * (1 + 1e-6) for n in shape]
    flat = k.reshape(-1, len(shape))
    if -min(limits) <= float(flat.min()) and float(flat.max()) <= min(limits):
        return edge, k
    edge.check_finite("coordinates", k)
    if all(
        -a <= float(flat[:, d].min()) and float(flat[:, d].max()) <= a for d, a in enumerate(limits)
    ):
        return edge, k
    outside = edge.xp.any(edge.xp.abs(k) > edge.xp.asarray(limits), axis=-1)
    count = int(outside.sum())
    first = np.unravel_index(int(edge.xp.argmax(outside.reshape(-1))), outside.shape)
    index = tuple(int(i) for i in first)
    raise DataError(
        f"coordinates has {count} samples outside [-N/2, N/2] for shape {shape}, the first at "
        f"index {index}: {k[first].tolist()}; the unit is cycles per field of view"
    )
