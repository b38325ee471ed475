"""Forward projection of volumes beyond memory."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .._checks import choice, same_shape
from .._kernels.select import edge_of
from ..ct._pairs import MODELS, Pair, choose_pair
from ..ct._tables import falls_into_slices
from ..errors import DataError, GeometryError
from ..geometry import Beam, Volume
from ._source import Source, alone, chunk_size, needed, slabs

__all__ = ["project"]

_COPIES = 4  # of a slab


def project(
    image: Any,
    geometry: Beam,
    volume: Volume,
    *,
    model: str = "joseph",
    chunk: int | None = None,
    views: int | None = None,
) -> Any:
    """Line integrals through a volume beyond memory: those of its slabs, added up.

    Projections are linear, so this is :meth:`pyrad_core.ct.Projector.forward` up to the rounding of
    sums. Where every detector row sees one slice (parallel beams), a slab is a slab of rows.

    Parameters
    ----------
    image : array, shape ``volume.shape``
        1/mm: NumPy array, memory map, HDF5 dataset, Zarr or Dask array; float32, float64 or
        integers (float32). A Dask array is computed anew for every chunk of views: store it first.
    geometry : ParallelBeam or ConeBeam
        Any scan with detector rows.
    volume : Volume
        Grid (nz, ny, nx).
    model : {"joseph", "separable_footprint"}
    chunk : int, optional
        Slices read at a time; by default as many as an eighth of the free memory (at most 1 GiB)
        holds.
    views : int, optional
        Views of one chunk of the result; by default as many as the same memory holds. The volume
        is read once for each chunk of views.

    Returns
    -------
    dask array, shape ``geometry.projection_shape``
        Equal to the projections of the whole to 5e-6 of the maximum in float32, 1e-14 in float64.

    Raises
    ------
    ShapeError, GeometryError, DataError
        As :class:`pyrad_core.ct.Projector`; NaN and Inf when they are read.
    MissingDependencyError
        Dask is not installed.

    Examples
    --------
    >>> import numpy as np, pyrad_core as prc
    >>> scan = prc.ConeBeam(np.linspace(0, 6, 10), (16, 24), 2.0, 200, 300)
    >>> grid, ones = prc.Volume((20, 16, 16)), np.ones((20, 16, 16), np.float32)
    >>> lazy = prc.chunked.project(ones, scan, grid, chunk=6)
    >>> whole = prc.ct.Projector(scan, grid).forward(ones)
    >>> bool(np.allclose(lazy.compute(), whole, rtol=0, atol=5e-6 * whole.max()))
    True
    """
    choice("model", model, MODELS)
    if volume.ndim != 3:
        raise GeometryError(f"volume has shape {volume.shape}; expected (nz, ny, nx)")
    pair = choose_pair(model, geometry, volume)(geometry, volume)
    source = Source("image", image)
    if source.dtype.kind == "c":
        raise DataError(f"image has dtype {source.dtype}; accepted are real numbers")
    same_shape("image", source.shape, "volume", volume.shape)
    dask, da = needed("dask"), needed("dask.array")
    itemsize = source.dtype.itemsize
    plane = math.prod(volume.shape[1:]) * itemsize * _COPIES
    thickness = chunk_size(chunk, volume.shape, plane)
    scan = _Scan(source, pair, thickness)
    run = dask.delayed(_Scan.project, pure=False)
    shape = geometry.projection_shape
    if falls_into_slices(geometry, volume):
        blocks = [
            da.from_delayed(
                run(scan, slice(None), (begin, end)),
                (shape[0], end - begin, shape[2]),
                source.dtype,
            )
            for begin, end in slabs(volume.shape[0], thickness)
        ]
        return da.concatenate(blocks, axis=1)
    per_view = 2 * math.prod(shape[1:]) * itemsize
    together = chunk_size(views, shape, per_view)
    blocks = [
        da.from_delayed(run(scan, slice(*part)), (part[1] - part[0], *shape[1:]), source.dtype)
        for part in slabs(shape[0], together)
    ]
    return da.concatenate(blocks)


class _Scan:
    """The volume where it lies, and the kernels that project it."""

    def __init__(self, source: Source, pair: Pair, thickness: int):
        self.source, self.pair, self.thickness = source, pair, thickness

    def project(self, views: slice, rows: tuple[int, int] | None = None) -> np.ndarray:
        """Of some views, or of the slices that are ``rows`` of all."""
        with alone:
            if rows is not None:
                count, _, columns = self.pair.projections
                out = np.zeros((count, rows[1] - rows[0], columns), self.source.dtype)
                self._add(self.pair, rows, out)
                return out
            total = None
            for slab in slabs(self.source.shape[0], self.thickness):
                part = self.pair.part(*slab, views)
                one = np.zeros(part.projections, self.source.dtype)
                self._add(part, slab, one)
                total = one if total is None else np.add(total, one, out=total)
            assert total is not None
            return total

    def _add(self, pair: Pair, slab: tuple[int, int], out: np.ndarray) -> None:
        edge = edge_of(image=self.source.read(slice(*slab)))
        try:
            x = edge.real("image", dtype=self.source.dtype)
        except DataError as error:
            raise type(error)(f"in slices {slab[0]} to {slab[1] - 1}: {error}") from error
        pair.forward(edge, x, out)
