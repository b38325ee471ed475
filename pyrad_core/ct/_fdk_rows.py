"""Projections of which only what a slab of slices needs is read, a few views at a time."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._kernels.select import Edge, edge_of
from ..geometry import ConeBeam, Volume

__all__ = ["RowsOnDemand", "rows_seen"]

_STEP = 64  # rows: whole batches of the row filter, so that every row is filtered as in the whole


class RowsOnDemand:
    """Stands for projections (V, R, C): rows ``span`` are read, views as they are asked for.

    ``read(views, rows)`` answers slices with an array. Row filters take the other rows as zero.
    """

    def __init__(self, read: Any, shape: tuple[int, ...], dtype: Any, span: tuple[int, int]):
        self._read, self.shape, self.span = read, shape, span
        self.dtype = np.dtype(dtype)
        self.itemsize = self.dtype.itemsize

    def __getitem__(self, views: slice) -> np.ndarray:
        edge = edge_of(projections=self._read(views, slice(*self.span)))
        return edge.real("projections", dtype=self.dtype)

    def at(self, order: np.ndarray) -> np.ndarray:
        """Views in the order of an index array."""
        first = int(order.min())
        block = self[first : int(order.max()) + 1]
        return block if (np.diff(order) == 1).all() else block[order - first]


def rows_seen(geometry: ConeBeam, volume: Volume) -> tuple[int, int]:
    """Detector rows that any view of a circle or of free poses sees the volume on."""
    rows, pitch = geometry.rows, geometry.pixel[0]
    if geometry.vectors is not None:
        v = geometry.locate(volume.corners())[..., 1]
        low, high = float(v.min()), float(v.max())
    else:
        near, far = geometry.source_origin, geometry.source_detector
        z = volume.axes()[0][[0, -1]]
        v = np.outer(z, [far / (near - volume.radius), far / (near + volume.radius)])
        low, high = float(v.min()), float(v.max())
    first = geometry.row_positions()[0]
    begin = int(np.clip(np.floor((low - first) / pitch) - 2, 0, rows - 1))
    end = int(np.clip(np.ceil((high - first) / pitch) + 3, begin + 1, rows))
    return begin - begin % _STEP, min(end + -end % _STEP, rows)


def rebin_on_demand(
    edge: Edge, rows: RowsOnDemand, rays: Any, part: slice, seen: np.ndarray, out: Any
) -> None:
    """As ``_Rebinning.fill``, with the views of each turn that ``seen`` (V,) marks read alone."""
    partners = rays.angles.shape[1]
    wanted = rays.angles.reshape(-1, 1)[part] + rays.fan
    view_at = np.interp(wanted, rays.sorted_angles, np.arange(rays.sorted_angles.size))
    for partner in range(partners):
        at = view_at[partner::partners]
        if not seen[part][partner::partners].any():
            out[partner::partners] = 0
            continue
        first, last = int(at.min()), min(int(np.ceil(at.max())) + 1, rows.shape[0] - 1)
        block = rows.at(rays.order[first : last + 1])
        made = edge.xp.empty((len(at), *out.shape[1:]), out.dtype)
        edge.kernels.rebin_rows(block, at - first, rays.column_at, made)
        out[partner::partners] = made
