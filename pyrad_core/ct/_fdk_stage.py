"""Weighting, filtering and transposing of cone-beam projections, a few views at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._kernels.select import Edge

__all__ = ["ROW_PAD", "FilterStage"]

ROW_PAD = 32  # zeros before and behind the rows of a transposed column
_SCRATCH = 1 << 29  # bytes of projections at a time

Table = np.ndarray | Callable[[slice], np.ndarray]


@dataclass
class FilterStage:
    """What turns projections (V, R, C) into filtered ones, (V, widened C + 2, padded R).

    Tables are arrays with one entry for all views or one per view, or functions of a slice of the
    views. With ``prepare``, ``prepare(views, out)`` makes the projections of some views, which
    come in multiples of ``together``.
    """

    detector: tuple[int, int]  # rows, columns
    cosine: Table  # (1 or V, R, C)
    rays: Table  # (1 or V, C)
    views: np.ndarray  # (V,)
    response: np.ndarray
    pad: tuple[int, int] = (0, 0)
    prepare: Callable[[slice, Any], None] | None = None
    together: int = 1

    @property
    def shape(self) -> tuple[int, int]:
        """Of one view's filtered projections."""
        return self.detector[1] + sum(self.pad) + 2, self._stride(slice(0, self.detector[0]))

    @staticmethod
    def _stride(rows: slice) -> int:
        return -(-(rows.stop - rows.start) // 16) * 16 + 2 * ROW_PAD

    def views_at_a_time(self, itemsize: int) -> int:
        fitting = _SCRATCH // (self.together * self._bytes(itemsize))
        return int(min(max(fitting, 1) * self.together, self.views.size))

    def scratch(self, itemsize: int) -> int:
        """Bytes that :meth:`chunks` allocates."""
        return self.views_at_a_time(itemsize) * self._bytes(itemsize)

    def _bytes(self, itemsize: int) -> int:
        """Of one view."""
        unfiltered = self.detector[0] * self.detector[1] if self.prepare else 0
        return (self.shape[0] * self.shape[1] + unfiltered) * itemsize

    def chunks(self, edge: Edge, projections: Any) -> Iterator[tuple[slice, Any]]:
        """Slices of the views and their filtered projections, all in one scratch array.

        Where projections have a ``span``, these rows of them are filtered and the others are zero.
        """
        xp, dtype = edge.xp, projections.dtype
        step = self.views_at_a_time(projections.itemsize)
        span = slice(*getattr(projections, "span", (0, self.detector[0])))
        partial = span.stop - span.start < self.detector[0]
        scratch = (xp.zeros if partial else xp.empty)((step, *self.shape), dtype=dtype)
        narrow = xp.empty((step, self.shape[0], self._stride(span)) if partial else 0, dtype=dtype)
        made = xp.empty((step if self.prepare else 0, *self.detector), dtype=dtype)
        response = xp.asarray(self.response, dtype=dtype)
        scale = xp.asarray(self.views, dtype=dtype)
        cosine, rays = (_per_chunk(xp, dtype, table) for table in (self.cosine, self.rays))
        for first in range(0, self.views.size, step):
            part = slice(first, min(first + step, self.views.size))
            count = part.stop - part.start
            out = scratch[:count]
            if self.prepare is not None:
                given = made[:count]
                self.prepare(part, given)
            else:
                given = projections[part]
            target, weights = out, cosine(part)
            if partial:
                target, weights = narrow[:count], xp.ascontiguousarray(weights[:, span])
            edge.kernels.filter_transposed(
                given, weights, rays(part), response, scale[part], self.pad[0], target
            )
            if partial:
                filtered = target[:, :, ROW_PAD : ROW_PAD + span.stop - span.start]
                out[:, :, ROW_PAD + span.start : ROW_PAD + span.stop] = filtered
            yield part, out


def _per_chunk(xp: Any, dtype: Any, table: Table) -> Callable[[slice], Any]:
    """The table of some views, on the device and in the right precision."""
    if callable(table):
        return lambda part: xp.asarray(table(part), dtype=dtype)
    if table.shape[0] == 1:
        fixed = xp.asarray(np.ascontiguousarray(table), dtype=dtype)
        return lambda part: fixed
    return lambda part: xp.asarray(np.ascontiguousarray(table[part]), dtype=dtype)
