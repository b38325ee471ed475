"""Directions in which pairs of voxels are counted."""

from __future__ import annotations

import functools
import itertools
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from .settings import Settings

__all__ = ["half_offsets", "lengths", "neighbourhood_offsets", "weights"]


@functools.cache
def half_offsets(distances: tuple[int, ...], in_plane: bool) -> np.ndarray:
    """One of each pair of opposite offsets (z, y, x) whose largest component is a distance.

    13 for distance 1, 4 of them in the plane; (n, 3) int32, each first non-zero component > 0;
    read-only, as all calls share it.
    """
    chosen = []
    for distance in distances:
        span = range(-distance, distance + 1)
        for offset in itertools.product((0,) if in_plane else span, span, span):
            if max(map(abs, offset)) == distance and offset > (0, 0, 0):
                chosen.append(offset)
    offsets = np.array(chosen, dtype=np.int32).reshape(-1, 3)
    offsets.flags.writeable = False
    return offsets


def neighbourhood_offsets(settings: Settings, in_plane: bool) -> np.ndarray:
    """All offsets (z, y, x) of a neighbourhood, (n, 3) int32.

    IBSI: up to the largest distance in the norm of the settings; PyRadiomics: at the Chebyshev
    distances that are listed.
    """
    if settings.rule("neighbourhood") == "listed":
        half = half_offsets(settings.distances, in_plane)
        return np.concatenate([half, -half])
    reach = max(settings.distances)
    span = np.arange(-reach, reach + 1)
    grid = np.meshgrid(span[reach : reach + 1] if in_plane else span, span, span, indexing="ij")
    offsets = np.stack(grid, axis=-1).reshape(-1, 3)
    steps = np.abs(offsets)
    length = {
        "chebyshev": steps.max(axis=1),
        "manhattan": steps.sum(axis=1),
        "euclidean": np.sqrt((steps**2).sum(axis=1)),
    }[settings.neighbourhood_norm]
    return offsets[(length > 0) & (length <= reach)].astype(np.int32)


def lengths(
    offsets: np.ndarray, norm: str | None, spacing: tuple[float, float, float] | None
) -> np.ndarray:
    """Lengths of the offsets in mm in the given norm; 1 without one."""
    if norm in (None, "no_weighting"):
        return np.ones(len(offsets))
    if spacing is None:
        from ..errors import DataError

        raise DataError("weighting needs the voxel size; pass spacing=(z, y, x) in mm")
    steps = np.abs(offsets) * np.asarray(spacing)
    return {
        "infinity": steps.max(axis=1),
        "euclidean": np.sqrt((steps**2).sum(axis=1)),
        "manhattan": steps.sum(axis=1),
    }[norm]


def weights(
    offsets: np.ndarray, norm: str | None, spacing: tuple[float, float, float] | None
) -> np.ndarray:
    """PyRadiomics' weights exp(-length^2) of the offsets, lengths in mm in the given norm."""
    if norm in (None, "no_weighting"):
        return np.ones(len(offsets))
    return np.exp(-(lengths(offsets, norm, spacing) ** 2))
