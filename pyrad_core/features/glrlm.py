"""Features of the grey level run length matrix (GLRLM)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .._memory import require_memory
from ._names import Entry
from ._run import family_result
from ._sizes import batches, host, mean_features, named
from .offsets import half_offsets, lengths
from .region import Levels, Region
from .result import Features
from .settings import Settings

__all__ = ["glrlm"]


def glrlm(
    image: Any,
    mask: Any,
    *,
    settings: Settings | None = None,
    spacing: Any = None,
    label: int | None = None,
) -> Features:
    """Grey level run length features: how long equal levels follow each other along a direction.

    Arguments, errors and dtype rules as :func:`~pyrad_core.features.first_order`. The settings
    ``discretisation``, ``aggregation`` and ``weighting`` apply; runs have distance 1.

    Notes
    -----
    A run ends where the level changes or the region ends. Aggregations as for
    :func:`~pyrad_core.features.glcm`. Run percentage is the number of runs over the number of
    voxels that they hold: of the slice, or of the region once per merged direction.
    PyRadiomics leaves out directions in which no line holds two voxels of the region, and weights
    directions by their length in mm, not by its exponential.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.array([[[1, 1, 2, 2]]], np.float32)
    >>> settings = Settings(discretisation=None, aggregation="2D_slice_merged")
    >>> round(glrlm(image, np.ones_like(image), settings=settings)["RunPercentage"], 3)
    0.875

    References
    ----------
    Galloway, CGIP 4 (1975) 172, doi:10.1016/S0146-664X(75)80008-6.
    IBSI reference manual, section 3.7 (TP0I), doi:10.1148/radiol.2020191145.
    """
    return family_result("glrlm", image, mask, settings, spacing, label)


def compute(region: Region) -> tuple[dict[Entry, float], dict[str, str]]:
    """(values, reasons) of the family's entries."""
    levels = region.levels(1)
    columns = mean_features(region, _aggregated(region, levels))
    values = named("glrlm", columns, region.settings.conventions)
    reasons = {}
    if np.isnan(columns[0]):
        reasons = {entry.name: "no direction holds two voxels in a line" for entry in values}
    return values, reasons


def _aggregated(region: Region, levels: Levels) -> Iterator[tuple[Any, np.ndarray, None]]:
    """(tables, run lengths, None): the tables whose features are averaged, in batches."""
    settings = region.settings
    aggregation = settings.aggregation
    offsets = half_offsets((1,), in_plane=not aggregation.startswith("3D"))
    by_slice = aggregation.startswith("2D") and settings.weighting is None
    depth = levels.packed.shape[0] - 2 * levels.pad
    sizes = np.arange(1.0, longest_run(levels, by_slice) + 1)
    table_bytes = 8 * levels.ng * len(sizes)
    if by_slice:
        for part in batches(depth, table_bytes * len(offsets)):
            slab = levels.packed[part.start : part.stop + 2 * levels.pad]
            counted = count_runs(region, levels.part(slab), offsets, True, len(sizes))
            if aggregation == "2D_slice_merged":
                yield counted.sum(axis=1, dtype=counted.dtype), sizes, None
            else:
                yield counted.reshape(-1, *counted.shape[2:]), sizes, None
        return
    merged = settings.weighting is not None or aggregation in ("2.5D_merged", "3D_merged")
    scale = lengths(offsets, settings.weighting, region.spacing)
    total: Any = 0
    for part in batches(len(offsets), table_bytes):
        counted = count_runs(region, levels, offsets[part], False, len(sizes))
        if settings.rule("empty_directions") == "left_out":
            counted[region.xp.asarray(_without_pairs(region, offsets[part], counted))] = 0
        if not merged:
            yield counted, sizes, None
        elif settings.weighting in (None, "no_weighting"):
            total = total + counted.sum(axis=0, dtype=counted.dtype)
        else:
            total = total + (counted * region.xp.asarray(scale[part])[:, None, None]).sum(axis=0)
    if merged:
        yield total[None], sizes, None


def _without_pairs(region: Region, offsets: np.ndarray, counted: Any) -> np.ndarray:
    """Which directions have no line with two voxels of the region."""
    shorter = host(counted[:, :, 1:].sum(axis=(1, 2))) > 0
    if shorter.all():
        return ~shorter
    voxels = np.argwhere(host(region.mask))
    empty = []
    for offset, known in zip(offsets, shorter, strict=True):
        axis = int(np.flatnonzero(offset)[0])  # its component is 1
        lines = voxels - voxels[:, axis : axis + 1] * offset
        empty.append(not known and len(np.unique(lines, axis=0)) == len(voxels))
    return np.array(empty)


def longest_run(levels: Levels, by_slice: bool) -> int:
    """Upper bound of the run lengths."""
    inner = [n - 2 * levels.pad for n in levels.packed.shape]
    return max(inner[1:] if by_slice else inner)


def count_runs(
    region: Region, levels: Levels, offsets: np.ndarray, by_slice: bool, longest: int
) -> Any:
    """Counts (offset, ng, run length), or (slice, offset, ng, run length); uint64."""
    known = region.__dict__.get("_runs")  # of several regions at once
    if known is not None and not by_slice and len(known) == len(offsets):
        return known
    shape: tuple[int, ...] = (len(offsets), levels.ng, longest)
    if by_slice:
        shape = (levels.packed.shape[0] - 2 * levels.pad, *shape)
    require_memory("the run length tables", 8 * int(np.prod(shape)), "use fewer grey levels")
    tables = region.xp.empty(shape, np.uint64)
    region.kernels.run_lengths(levels.packed, levels.pad, region.xp.asarray(offsets), tables)
    return tables
