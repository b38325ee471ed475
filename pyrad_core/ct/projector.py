"""Projector and backprojector as one linear operator."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._checks import choice
from .._kernels.select import edge_of
from ..geometry import Beam, Volume
from ..operators import LinearOperator
from ._pairs import MODELS, choose_pair, slabs

__all__ = ["MODELS", "Projector"]


class Projector(LinearOperator):
    """Line integrals through a volume, and their exact adjoint.

    ``forward`` takes an image (1/mm) of ``volume.shape`` and returns line integrals of
    ``geometry.projection_shape``; ``adjoint`` goes back with the same weights, so that
    ``<A x, y> = <x, A^T y>`` holds to rounding and gradient methods converge.

    Parameters
    ----------
    geometry : ParallelBeam, FanBeam or ConeBeam
        Any orbit. Parallel rows that coincide with the volume's slices see one slice each.
    volume : Volume
        ``(ny, nx)`` for a detector of one line, else ``(nz, ny, nx)``. Voxels outside are zero.
    model : {"joseph", "separable_footprint"}
        ``"joseph"``: (bi)linear interpolation where the ray crosses each row or plane of voxels
        across the axis it is closest to. ``"separable_footprint"``: the shadow of each voxel
        averaged over each detector cell, a trapezoid across and a rectangle along z (SF-TR,
        amplitudes A2; exact for parallel beams): for voxels and cells of different size.

    Raises
    ------
    GeometryError
        A detector and a volume of different dimension, a source inside the volume.
    DataError
        An unknown model.
    DeviceMemoryError
        By ``forward`` and ``adjoint``: see :meth:`memory_needed`.

    Notes
    -----
    float32 stays float32, float64 stays float64. Results are the same for any number of threads.

    References
    ----------
    P. M. Joseph, IEEE Trans. Med. Imaging 1, 192, 1982, doi:10.1109/TMI.1982.4307572.
    Y. Long, J. A. Fessler, J. M. Balter, IEEE Trans. Med. Imaging 29, 1839, 2010,
    doi:10.1109/TMI.2010.2050898.

    Examples
    --------
    >>> import numpy as np, pyrad_core as prc
    >>> A = prc.ct.Projector(prc.ParallelBeam([0.0, 1.0], 24), prc.Volume((16, 16)))
    >>> A.forward(np.ones((16, 16), np.float32)).shape
    (2, 24)
    """

    kind = "real"
    nonnegative = True

    def __init__(self, geometry: Beam, volume: Volume, model: str = "joseph"):
        self.model = choice("model", model, MODELS)
        pair = choose_pair(self.model, geometry, volume)
        super().__init__(volume.shape, geometry.projection_shape)
        self.geometry, self.volume = geometry, volume
        self._pair = pair(geometry, volume)

    def subset(self, views: Any) -> Projector:
        """The projector of some of the views (index array, mask or slice)."""
        return Projector(self.geometry.subset(views), self.volume, self.model)

    def memory_needed(self, dtype: Any = np.float32) -> int:
        """Estimated bytes that a call takes beside the volume and the projections.

        Where they are not free, the volume is run in slabs of slices, with the same result to
        rounding; DeviceMemoryError where not even those fit, before anything is allocated.
        """
        return self._pair.memory_needed(np.dtype(dtype).itemsize)

    def _forward(self, x: Any) -> Any:
        y = slabs.forward(self._pair, edge_of(x=x), x.reshape(self._pair.grid))
        return y.reshape(self.range_shape)

    def _adjoint(self, y: Any) -> Any:
        x = slabs.adjoint(self._pair, edge_of(y=y), y.reshape(self._pair.projections))
        return x.reshape(self.domain_shape)
