"""Weighting, filtering and transposing of cone-beam projections, a few views at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._kernels.select import Edge
from ..geometry import ConeBeam

__all__ = ["ROW_PAD", "FilterStage", "flat_or_curved_cosine"]

ROW_PAD = 32  # zeros before and behind the rows of a transposed column
_SCRATCH = 1 << 29  # bytes of filtered projections at a time


@dataclass
class FilterStage:
    """What turns projections (V, R, C) into filtered ones, (V, widened C + 2, padded R)."""

    cosine: np.ndarray  # (1 or V, R, C)
    rays: np.ndarray  # (1 or V, C)
    views: np.ndarray  # (V,)
    response: np.ndarray
    pad: tuple[int, int]

    @property
    def shape(self) -> tuple[int, int]:
        """Of one view's filtered projections."""
        _, rows, columns = self.cosine.shape
        return columns + sum(self.pad) + 2, -(-rows // 16) * 16 + 2 * ROW_PAD

    def views_at_a_time(self, itemsize: int) -> int:
        fitting = _SCRATCH // (self.shape[0] * self.shape[1] * itemsize)
        return int(min(max(fitting, 1), self.views.size))

    def scratch(self, itemsize: int) -> int:
        """Bytes that :meth:`chunks` allocates."""
        return self.views_at_a_time(itemsize) * self.shape[0] * self.shape[1] * itemsize

    def chunks(self, edge: Edge, projections: Any) -> Iterator[tuple[slice, Any]]:
        """Slices of the views and their filtered projections, all in one scratch array."""
        xp, dtype = edge.xp, projections.dtype
        step = self.views_at_a_time(projections.itemsize)
        scratch = xp.empty((step, *self.shape), dtype=dtype)
        response = xp.asarray(self.response, dtype=dtype)
        scale = xp.asarray(self.views, dtype=dtype)
        tables = {"cosine": self.cosine, "rays": self.rays}
        fixed = {n: xp.asarray(t, dtype=dtype) for n, t in tables.items() if t.shape[0] == 1}
        for first in range(0, self.views.size, step):
            part = slice(first, min(first + step, self.views.size))
            given = {
                name: fixed.get(name, None)
                if name in fixed
                else xp.asarray(np.ascontiguousarray(table[part]), dtype=dtype)
                for name, table in tables.items()
            }
            out = scratch[: part.stop - part.start]
            edge.kernels.filter_transposed(
                projections[part],
                given["cosine"],
                given["rays"],
                response,
                scale[part],
                self.pad[0],
                out,
            )
            yield part, out


def flat_or_curved_cosine(geometry: ConeBeam) -> np.ndarray:
    """(1, R, C): cosine of the angle between every ray and the central one."""
    u, v, far = geometry.column_positions(), geometry.row_positions(), geometry.source_detector
    if geometry.curved:
        return (np.cos(u / far) * (far / np.hypot(far, v))[:, None])[None]
    return (far / np.sqrt(far**2 + u**2 + v[:, None] ** 2))[None]
