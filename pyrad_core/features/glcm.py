"""Features of the grey level co-occurrence matrix (GLCM)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .._memory import require_memory
from ._names import Entry, entries
from ._run import family_result
from ._sizes import batches
from .offsets import half_offsets, weights
from .region import Levels, Region
from .result import Features
from .settings import Settings

__all__ = ["COLUMNS", "SAME_AS", "glcm"]

COLUMNS = tuple(entry.name for entry in entries("glcm", "pyradiomics"))
"""Order of the kernel's features."""
SAME_AS = {"Dissimilarity": "DifferenceAverage", "SumVariance": "ClusterTendency"}


def glcm(
    image: Any,
    mask: Any,
    *,
    settings: Settings | None = None,
    spacing: Any = None,
    label: int | None = None,
) -> Features:
    """Grey level co-occurrence features: how often levels i and j lie a given step apart.

    Arguments, errors and dtype rules as :func:`~pyrad_core.features.first_order`. The settings
    ``discretisation``, ``distances``, ``aggregation``, ``symmetric`` and ``weighting`` apply.

    Notes
    -----
    Aggregations: ``*_avg`` averages the features over the tables of all directions (and slices),
    ``2D_slice_merged`` merges the directions of each slice and averages over slices,
    ``2.5D_direction_merged`` merges the slices of each direction and averages over directions,
    ``2.5D_merged`` and ``3D_merged`` merge all. Tables without pairs are left out of the average.
    Where a table holds a single level, Correlation and Imc1 are undefined: left out of the average,
    NaN with a reason if undefined in all tables (PyRadiomics: 1 and 0).
    MCC is PyRadiomics' maximal correlation coefficient; IBSI has none.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.array([[[1, 2], [1, 2]]], np.float32)
    >>> settings = Settings(discretisation=None, aggregation="2D_slice_merged")
    >>> glcm(image, np.ones_like(image), settings=settings)["Contrast"]
    0.6666666666666666

    References
    ----------
    Haralick et al., IEEE Trans. SMC 3 (1973) 610, doi:10.1109/TSMC.1973.4309314.
    IBSI reference manual, section 3.6 (LFYI), doi:10.1148/radiol.2020191145.
    """
    return family_result("glcm", image, mask, settings, spacing, label)


def compute(region: Region) -> tuple[dict[Entry, float], dict[str, str]]:
    """(values, reasons) of the family's entries."""
    settings = region.settings
    chosen = entries("glcm", settings.conventions)
    levels = region.levels(max(settings.distances))
    if int(np.count_nonzero(levels.counts)) == 1 and settings.rule("undefined") == "nan":
        reason = "all voxels have one grey level"
        reasons = dict.fromkeys(("Correlation", "Imc1"), reason)
    else:
        reasons = {}
    wants_mcc = any(entry.name == "MCC" for entry in chosen)
    columns = _averaged(region, levels, wants_mcc)
    values = dict(zip(COLUMNS, columns, strict=True))
    if np.isnan(values["Contrast"]):
        reason = "no two voxels of the region are neighbours at these distances"
        reasons = {entry.name: reason for entry in chosen}
    elif wants_mcc and int(np.count_nonzero(levels.counts)) == 1:
        values["MCC"] = 1.0
        reasons["MCC"] = "all voxels have one grey level"
    return {e: values[SAME_AS.get(e.name, e.name)] for e in chosen}, reasons


def _averaged(region: Region, levels: Levels, wants_mcc: bool) -> list[float]:
    """Each feature's mean over the tables of the aggregation that define it."""
    settings = region.settings
    rows = []
    for tables in _aggregated(region, levels):
        out = np.empty((len(tables), len(COLUMNS)))
        region.kernels.glcm_features(
            tables, settings.symmetric, settings.rule("undefined") == "nan", wants_mcc, out
        )
        rows.append(out)
    features = np.concatenate(rows)
    features = features[~np.isnan(features[:, COLUMNS.index("Contrast")])]
    if not len(features):
        return [np.nan] * len(COLUMNS)
    defined = ~np.isnan(features)
    sums = np.where(defined, features, 0.0).sum(axis=0)
    count = defined.sum(axis=0)
    return [float(s / n) if n else np.nan for s, n in zip(sums, count, strict=True)]


def _aggregated(region: Region, levels: Levels) -> Iterator[Any]:
    """The tables (n, ng, ng) whose features are averaged, in batches."""
    settings = region.settings
    aggregation, ng = settings.aggregation, levels.ng
    offsets = half_offsets(settings.distances, in_plane=not aggregation.startswith("3D"))
    if settings.weighting is not None or aggregation in ("2.5D_merged", "3D_merged"):
        yield _merged(region, levels, offsets)
        return
    by_slice = aggregation.startswith("2D")
    table_bytes = 4 * ng * ng
    if not by_slice:
        for part in batches(len(offsets), table_bytes):
            yield count_tables(region, levels, offsets[part], False)
        return
    depth = levels.packed.shape[0] - 2 * levels.pad
    for part in batches(depth, table_bytes * len(offsets)):
        slab = levels.packed[part.start : part.stop + 2 * levels.pad]
        counted = count_tables(region, levels.part(slab), offsets, True)
        if aggregation == "2D_slice_merged":
            yield counted.sum(axis=1, dtype=counted.dtype)
        else:
            yield counted.reshape(-1, ng, ng)


def _merged(region: Region, levels: Levels, offsets: np.ndarray) -> Any:
    """One table: the sum over all offsets, weighted if the settings say so."""
    norm = region.settings.weighting
    scale = weights(offsets, norm, region.spacing)
    total = None
    for part in batches(len(offsets), 4 * levels.ng**2):
        counted = count_tables(region, levels, offsets[part], False)
        if norm in (None, "no_weighting"):
            sums = counted.sum(axis=0, dtype=np.uint64)
        else:
            sums = (counted * region.xp.asarray(scale[part])[:, None, None]).sum(axis=0)
        total = sums if total is None else total + sums
    assert total is not None
    return total[None]


def count_tables(region: Region, levels: Levels, offsets: np.ndarray, by_slice: bool) -> Any:
    """Counts (offset, ng, ng), or (slice, offset, ng, ng); of (i, j), not of (j, i)."""
    known = region.__dict__.get("_pairs")  # of several regions at once
    if known is not None and not by_slice and len(known) == len(offsets):
        return known
    xp, ng = region.xp, levels.ng
    shape: tuple[int, ...] = (len(offsets), ng, ng)
    if by_slice:
        shape = (levels.packed.shape[0] - 2 * levels.pad, *shape)
    counter = np.uint32 if levels.packed.size < 2**31 else np.uint64
    require_memory(
        "the co-occurrence tables",
        int(np.prod(shape)) * np.dtype(counter).itemsize,
        "use fewer grey levels",
    )
    tables = xp.empty(shape, counter)
    region.kernels.glcm_count(levels.packed, levels.pad, xp.asarray(offsets), tables)
    return tables
