"""Projector and backprojector as one linear operator."""

from __future__ import annotations

from typing import Any

from .._checks import choice
from .._kernels.select import edge_of
from .._memory import require_memory
from ..geometry import Beam, Volume
from ..operators import LinearOperator
from ._pairs import MODELS, choose_pair

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

    def _forward(self, x: Any) -> Any:
        edge = edge_of(x=x)
        y = edge.xp.empty(self._pair.projections, dtype=x.dtype)
        self._pair.forward(edge, x.reshape(self._pair.grid), y)
        return y.reshape(self.range_shape)

    def _adjoint(self, y: Any) -> Any:
        edge = edge_of(y=y)
        if not edge.on_gpu:
            require_memory(
                "the volume's values", self.volume.size * y.itemsize, "use a coarser grid"
            )
        x = edge.xp.empty(self._pair.grid, dtype=y.dtype)
        self._pair.adjoint(edge, y.reshape(self._pair.projections), x)
        return x.reshape(self.domain_shape)
