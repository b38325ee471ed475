"""Chunked results on disk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..errors import DataError
from ._source import needed

__all__ = ["to_zarr"]

_THICKNESS = 16  # slices of a chunk on disk, at most: halos are read without much beside them


def to_zarr(arrays: Any, path: str | Path) -> Any:
    """Compute chunked arrays slab by slab and write them to Zarr.

    Parameters
    ----------
    arrays : dask array, or dict of them
        Several are computed together, so that bands of one transform are made once.
    path : str or Path
        A folder that does not exist yet: a Zarr array, or of a dict a group, an array a name.

    Returns
    -------
    zarr array, or dict of them
        What was written, open for reading.

    Raises
    ------
    DataError
        The path exists.
    MissingDependencyError
        Dask or Zarr is not installed.

    Examples
    --------
    >>> import numpy as np, pyrad_core as prc, tempfile, pathlib  # doctest: +SKIP
    >>> scan = np.load("volume.npy", mmap_mode="r")  # doctest: +SKIP
    >>> smooth = prc.chunked.denoise(scan, "median", size=3)  # doctest: +SKIP
    >>> prc.chunked.to_zarr(smooth, "smooth.zarr").shape  # doctest: +SKIP
    (1024, 1024, 1024)
    """
    da, zarr = needed("dask.array"), needed("zarr")
    if Path(path).exists():
        raise DataError(f"path is {str(path)!r}, which exists; name a new folder")
    named = arrays if isinstance(arrays, dict) else {"": arrays}
    if isinstance(arrays, dict):
        zarr.open_group(str(path), mode="w")
    targets = {}
    for name, array in named.items():
        targets[name] = zarr.open_array(
            str(Path(path) / name),
            mode="w",
            shape=array.shape,
            dtype=array.dtype,
            chunks=(_thickness(array.chunks[0][0]), *(c[0] for c in array.chunks[1:])),
        )
    da.store(list(named.values()), list(targets.values()), lock=False, scheduler="synchronous")
    opened = {name: zarr.open_array(str(Path(path) / name), mode="r") for name in named}
    return opened if isinstance(arrays, dict) else opened[""]


def _thickness(slab: int) -> int:
    """The largest divisor of a slab, so that no chunk on disk belongs to two slabs."""
    return max(k for k in range(1, min(slab, _THICKNESS) + 1) if slab % k == 0)
