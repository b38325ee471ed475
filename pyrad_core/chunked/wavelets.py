"""Stationary wavelets."""

from __future__ import annotations

from typing import Any

from .. import wavelet as _wavelet
from .._checks import whole
from ..wavelet._arguments import axis_steps
from ..wavelet._swt import require_multiples
from ..wavelet._transform import band_names
from ._local import map_slabs
from ._source import Source, chunk_size

__all__ = ["swtn"]


def swtn(
    data: Any,
    wavelet: Any,
    level: int,
    start_level: int = 0,
    axes: Any = None,
    trim_approx: bool = False,
    norm: bool = False,
    *,
    chunk: int | None = None,
) -> list[Any]:
    """:func:`pyrad_core.wavelet.swtn` of a volume beyond memory, every band a Dask array.

    Slabs are read with the reach of the taps, periodic beyond the faces as the transform is. The
    bands are those of the whole volume, bit for bit.

    Parameters
    ----------
    data : array (z, y, x)
        NumPy array, memory map, HDF5 dataset, Zarr or Dask array.
    wavelet, level, start_level, axes, trim_approx, norm
        As :func:`pyrad_core.wavelet.swtn` takes them.
    chunk : int, optional
        Slices of a slab; by default as many as an eighth of the free memory (at most 1 GiB) holds
        with all bands.

    Returns
    -------
    list of dict
        In the layout of :func:`pyrad_core.wavelet.swtn`. A slab's bands are made in one task:
        compute or store them together (:func:`to_zarr` of a dict, ``dask.compute``).

    Raises
    ------
    ShapeError
        A length is no multiple of ``2 ** levels``.
    DataError
        Unknown wavelet, no such axis.
    MissingDependencyError
        Dask is not installed.

    Examples
    --------
    >>> import numpy as np, pyrad_core as prc
    >>> volume = np.random.default_rng(0).normal(size=(32, 8, 8))
    >>> bands = prc.chunked.swtn(volume, "db2", level=1, chunk=8)[0]
    >>> whole = prc.wavelet.swtn(volume, "db2", level=1)[0]
    >>> bool((bands["dad"].compute() == whole["dad"]).all())
    True
    """
    source = Source("data", data)
    steps = axis_steps(3, axes, wavelet)
    level, start_level = whole("level", level, 1), whole("start_level", start_level)
    require_multiples(source.shape, steps, start_level + level)
    names = band_names(len(steps))
    taps = max((step.wavelet.dec_len for step in steps if step.axis == 0), default=0)
    reach = taps * (2 ** (start_level + level) - 2**start_level)
    outputs = level * (len(names) - bool(trim_approx)) + bool(trim_approx)
    size = source.shape[1] * source.shape[2] * source.dtype.itemsize * (outputs + 2)
    options = {"wavelet": wavelet, "level": level, "start_level": start_level, "axes": axes}
    arrays = map_slabs(
        _flat,
        {"data": source},
        options | {"trim_approx": trim_approx, "norm": norm},
        chunk=chunk_size(chunk, source.shape, size),
        halo=reach,
        periodic=taps > 0,
        step=2 ** (start_level + level) if taps else 1,
        outputs=outputs,
    )
    bands = iter(arrays)
    kept = names[1:] if trim_approx else names
    coarsest = [next(bands)] if trim_approx else []
    return coarsest + [{name: next(bands) for name in kept} for _ in range(level)]


def _flat(data: Any, **options: Any) -> list[Any]:
    """All arrays of the transform, in its order."""
    flat: list[Any] = []
    for entry in _wavelet.swtn(data, **options):
        flat.extend(entry.values() if isinstance(entry, dict) else [entry])
    return flat
