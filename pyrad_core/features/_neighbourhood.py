"""Tables of the neighbourhood kernel: computed once per region for NGTDM and NGLDM."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._memory import require_memory
from ._sizes import host
from .offsets import neighbourhood_offsets
from .region import Region

__all__ = ["neighbourhood_tables", "tone_differences"]


def neighbourhood_tables(region: Region, by_slice: bool, in_plane: bool) -> tuple[Any, Any]:
    """(tones (..., ng, n + 1, 2), dependences (..., ng, n + 1)), per slice if asked for."""
    known = region.__dict__.setdefault("_neighbourhoods", {})
    key = (by_slice, in_plane)
    if key not in known:
        known[key] = _counted(region, by_slice, in_plane)
    return known[key]


def _counted(region: Region, by_slice: bool, in_plane: bool) -> tuple[Any, Any]:
    settings = region.settings
    offsets = neighbourhood_offsets(settings, in_plane)
    levels = region.levels(max(settings.distances))
    shape: tuple[int, ...] = (levels.ng, len(offsets) + 1)
    if by_slice:
        shape = (levels.packed.shape[0] - 2 * levels.pad, *shape)
    require_memory("the neighbourhood tables", 24 * int(np.prod(shape)), "use fewer grey levels")
    tones = region.xp.empty((*shape, 2), np.uint64)
    dependences = region.xp.empty(shape, np.uint64)
    region.kernels.neighbourhood(
        levels.packed, levels.pad, region.xp.asarray(offsets), settings.gldm_alpha, tones,
        dependences,
    )  # fmt: skip
    return tones, dependences


def tone_differences(tones: Any, alone: bool) -> tuple[np.ndarray, np.ndarray]:
    """(voxels n_i, sum of differences s_i), each (..., ng); ``alone`` counts voxels without
    neighbours too."""
    sums = host(tones)
    neighbours = np.arange(1, sums.shape[-2])
    number = sums[..., 0].sum(axis=-1) if alone else sums[..., 1:, 0].sum(axis=-1)
    return number, (sums[..., 1:, 1] / neighbours).sum(axis=-1)
