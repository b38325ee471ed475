"""Zones of a region and their tables: computed once for GLSZM and GLDZM."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .._memory import require_memory
from ._sizes import batches, host
from .region import Region

__all__ = ["DISTANCE", "SIZE", "zone_table", "zone_tables", "zones_of"]

SIZE, DISTANCE = 1, 2
"""Columns of the zones."""


def zones_of(region: Region, in_plane: bool, with_distances: bool) -> np.ndarray:
    """(zones, 4) int32 on the host: level, voxels, smallest border distance, slice."""
    known = region.__dict__.setdefault("_zones", {})
    with_distances = with_distances or "gldzm" in region.families or (in_plane, True) in known
    if (in_plane, with_distances) not in known:
        known[in_plane, with_distances] = _found(region, in_plane, with_distances)
    return known[in_plane, with_distances]


def _found(region: Region, in_plane: bool, with_distances: bool) -> np.ndarray:
    xp, levels = region.xp, region.levels(1)
    require_memory(
        "the zones", 16 * region.count + 8 * levels.packed.size, "crop or resample the region"
    )
    distances = xp.empty(levels.packed.shape if with_distances else (0, 0, 0), np.uint16)
    if with_distances:
        region.kernels.border_distance(region.morphological, levels.pad, in_plane, distances)
    zones = xp.empty((region.count, 4), np.int32)
    count = region.kernels.find_zones(levels.packed, levels.pad, in_plane, distances, zones)
    return host(zones[:count])


def zone_table(zones: np.ndarray, column: int, ng: int) -> tuple[np.ndarray, np.ndarray]:
    """(counts (ng, m) uint64 per level and value of the column, the m values that occur)."""
    present = np.bincount(zones[:, column])
    values = np.flatnonzero(present)
    at = np.cumsum(present > 0) - 1
    cell = (zones[:, 0].astype(np.int64) - 1) * len(values) + at[zones[:, column]]
    counts = np.bincount(cell, minlength=ng * len(values)).reshape(ng, len(values))
    return counts.astype(np.uint64), values


def zone_tables(region: Region, column: int) -> Iterator[tuple[Any, np.ndarray, np.ndarray | None]]:
    """(tables (n, ng, m), values, voxels of each table) of the settings' aggregation."""
    dimension = region.settings.dimension
    zones = zones_of(region, dimension != "3D", column == DISTANCE)
    ng = region.levels(1).ng
    if dimension != "2D":
        counts, values = zone_table(zones, column, ng)
        voxels = None if column == SIZE else np.array([zones[:, SIZE].sum(dtype=np.float64)])
        yield counts[None], values.astype(np.float64), voxels
        return
    edges = np.flatnonzero(np.diff(zones[:, 3], prepend=-1, append=-1))
    # One table per slice over the values of the batch's slices.
    for part in batches(len(edges) - 1, 8 * ng * 256):
        some = zones[edges[part.start] : edges[part.stop]]
        index = np.cumsum(np.diff(some[:, 3], prepend=some[0, 3]) != 0)  # zones come by slice
        moved = some.copy()
        moved[:, 0] += (index * ng).astype(np.int32)
        slices = int(index[-1]) + 1
        counts, values = zone_table(moved, column, slices * ng)
        voxels = np.bincount(index, some[:, SIZE])
        yield counts.reshape(slices, ng, -1), values.astype(np.float64), voxels
