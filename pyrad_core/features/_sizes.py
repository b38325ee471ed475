"""Features of tables (level, size), which runs, zones and dependences have in common."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from .._kernels.select import host_array as host
from ._names import ENTRIES, Entry, entries
from .region import Region

__all__ = ["batches", "host", "mean_features", "named"]

_COLUMNS = 17
_BATCH_BYTES = 256 << 20


def batches(count: int, item_bytes: int) -> Iterable[slice]:
    """Slices of range(count) whose items take at most 256 MiB."""
    step = max(1, _BATCH_BYTES // max(item_bytes, 1))
    for begin in range(0, count, step):
        yield slice(begin, min(begin + step, count))


def mean_features(
    region: Region, parts: Iterable[tuple[Any, np.ndarray, np.ndarray | None]]
) -> np.ndarray:
    """Mean of each column of ``size_features`` over the tables that are not empty.

    ``parts`` yields (tables (n, ng, columns), size of each column, voxels of each table); voxels
    None: each count stands for as many voxels as its size.
    """
    rows = [np.empty((0, _COLUMNS))]
    for tables, sizes, voxels in parts:
        counts = host(tables)
        if voxels is None:
            voxels = counts.sum(axis=1, dtype=np.float64) @ sizes
        out = np.empty((len(counts), _COLUMNS))
        region.kernels.size_features(tables, sizes, voxels, out)
        rows.append(out)
    features = np.concatenate(rows)
    features = features[~np.isnan(features[:, 0])]
    return features.mean(axis=0) if len(features) else np.full(_COLUMNS, np.nan)


def named(family: str, columns: np.ndarray, conventions: str) -> dict[Entry, float]:
    """Entry -> value of the family's entries, which stand in the order of the columns."""
    values = dict(zip(ENTRIES[family], map(float, columns), strict=False))
    return {entry: values[entry] for entry in entries(family, conventions)}
