"""Volumes beyond memory: slabs of slices as chunks of a Dask array, equal to the whole.

Every function returns Dask arrays whose chunks are slabs ``(slices, y, x)``; nothing is read or
computed before they are. Arrays that are read may be NumPy arrays, memory maps, HDF5 datasets, Zarr
or Dask arrays. Kernels use all threads themselves, so one chunk is worked on at a time in each
process, whatever Dask's scheduler: ``compute(scheduler="synchronous")`` (which :func:`to_zarr`
takes) holds the fewest chunks in memory; on a distributed cluster give each worker one thread.
"""

from ._store import to_zarr
from .denoising import denoise
from .filtering import filter_image
from .projection import project
from .reconstruction import fdk
from .wavelets import swtn

__all__ = ["denoise", "fdk", "filter_image", "project", "swtn", "to_zarr"]
