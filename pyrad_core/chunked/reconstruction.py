"""Cone-beam reconstruction of volumes beyond memory."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._checks import same_shape
from .._kernels.select import edge_of
from ..ct._fdk_rows import RowsOnDemand, rows_seen
from ..ct._fdk_turn import as_turn
from ..ct.fdk import check_cone, reconstruct
from ..errors import DataError
from ..geometry import ConeBeam, Volume
from ._source import Source, alone, chunk_size, needed, slabs

__all__ = ["fdk"]

_TILE = 64  # slices that the kernels place together, counted from the volume's first one
_COPIES = 2


def fdk(
    projections: Any,
    geometry: ConeBeam,
    volume: Volume,
    *,
    chunk: int | None = None,
    filter: str = "ram-lak",
    cutoff: float = 1.0,
) -> Any:
    """:func:`pyrad_core.ct.fdk` of a volume, and from projections, beyond memory.

    Each chunk is a slab of slices. Of a circular scan or one of free poses, the detector rows that
    see the slab are read; of a helix, the views that do. They are read and filtered half a GiB at a
    time.

    Parameters
    ----------
    projections : array, shape ``geometry.projection_shape``
        Line integrals: NumPy array, memory map, HDF5 dataset, Zarr or Dask array; float32, float64
        or integers (float32). A Dask array is computed anew for every slab: store it first.
    geometry : ConeBeam
        Circle, helix or free poses.
    volume : Volume
        The whole grid (nz, ny, nx).
    chunk : int, optional
        Slices of a slab, best a multiple of 64: kernels take 64 slices together, so that others are
        worked out from the multiple before. By default as many of these as an eighth of the free
        memory (at most 1 GiB) holds, but at least 64.
    filter, cutoff
        As in :func:`pyrad_core.ct.fdk`.

    Returns
    -------
    dask array (z, y, x)
        Attenuation in 1/mm, of float32 projections equal to the whole volume bit for bit, of
        float64 ones to 1e-12 of the maximum (positions of slices are rounded from another origin).

    Raises
    ------
    ShapeError, GeometryError, DataError
        As :func:`pyrad_core.ct.fdk`; NaN and Inf when they are read.
    MissingDependencyError
        Dask is not installed.

    Warns
    -----
    PyradWarning
        As :func:`pyrad_core.ct.fdk`, where a slab is computed.

    Examples
    --------
    >>> import numpy as np, pyrad_core as prc
    >>> turn = np.linspace(0, 2 * np.pi, 90, endpoint=False)
    >>> scan = prc.ConeBeam(turn, (32, 48), 2.0, 200, 300)
    >>> ball = prc.phantom.Ellipsoids([[0.02, 15, 15, 15, 0, 0, 0, 0]])
    >>> rows, grid = ball.project(scan).astype(np.float32), prc.Volume((40, 24, 24), 1.5)
    >>> lazy = prc.chunked.fdk(rows, scan, grid, chunk=16)
    >>> image = lazy.compute(scheduler="synchronous")
    >>> bool((image == prc.ct.fdk(rows, scan, grid)).all())
    True
    """
    check_cone(geometry, volume)
    source = Source("projections", projections)
    if source.dtype.kind == "c":
        raise DataError(f"projections has dtype {source.dtype}; accepted are real numbers")
    same_shape("projections", source.shape, "geometry", geometry.projection_shape)
    dask, da = needed("dask"), needed("dask.array")
    plane = volume.shape[1:]
    size = int(np.prod(plane)) * source.dtype.itemsize * _COPIES
    chosen = max(chunk_size(chunk, volume.shape, size, _TILE), _TILE if chunk is None else 1)
    scan = _Scan(source, geometry, volume, {"filter": filter, "cutoff": cutoff})
    blocks = []
    for begin, end in slabs(volume.shape[0], chosen):
        done = dask.delayed(_Scan.slab, pure=False)(scan, begin, end)
        blocks.append(da.from_delayed(done, (end - begin, *plane), source.dtype))
    return da.concatenate(blocks)


class _Scan:
    """Projections where they lie, and how to reconstruct from them."""

    def __init__(self, source: Source, geometry: ConeBeam, volume: Volume, window: dict[str, Any]):
        self.source, self.geometry, self.volume, self.window = source, geometry, volume, window

    def slab(self, begin: int, end: int) -> np.ndarray:
        """Slices [begin, end), and before them those of the same tile."""
        source, whole = self.source, self.volume
        first = begin - begin % _TILE
        origin = (whole.origin[0] + whole.spacing[0] * first, *whole.origin[1:])
        volume = Volume((end - first, *whole.shape[1:]), whole.spacing, origin)
        ideal = self.geometry if self.geometry.vectors is None else as_turn(self.geometry)
        turn = ideal[0] if isinstance(ideal, tuple) else ideal
        span = 0, self.geometry.rows
        if turn is None or not turn.pitch:
            span = rows_seen(self.geometry, volume)
        rows = RowsOnDemand(source.read, source.shape, source.dtype, span)
        with alone:
            slab = reconstruct(edge_of(), rows, self.geometry, volume, self.window)
        return slab if first == begin else slab[begin - first :].copy()
