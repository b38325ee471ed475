"""A^H W A of a NUFFT as one convolution."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .._kernels.select import edge_of
from ..errors import DataError, ShapeError
from ..operators import LinearOperator
from .coordinates import check_coordinates
from .gridding import FLOAT32_FLOOR, Gridding, LaneGrid, fast_size

__all__ = ["Toeplitz"]


class Toeplitz(LinearOperator):
    """``A^H diag(weights) A`` for the NUFFT ``A``, by zero-padding to twice the image.

    Parameters
    ----------
    coordinates, shape, eps
        As of :class:`~pyrad_core.mr.NUFFT`.
    weights : real array (..., samples), optional
        Weight of each sample, at least 0.

    Notes
    -----
    The operator is a convolution with the transform of the weighted sampling pattern, lags up to
    ``N - 1``; embedded in a periodic grid of at least ``2 N - 1`` it costs two FFTs, whatever the
    number of samples. The kernel's spectrum is real because the lags are Hermitian.

    References
    ----------
    Fessler et al., IEEE Trans. Signal Process. 53 (2005), doi:10.1109/TSP.2005.853152.

    Examples
    --------
    >>> normal = prc.mr.NUFFT(coordinates, (256, 256)).toeplitz(weights)
    >>> x = prc.solvers.cg(normal, rhs, iterations=20, hermitian=True).x
    """

    kind = "complex"
    batched = True

    def __init__(
        self, coordinates: Any, shape: Sequence[int], *, weights: Any = None, eps: float = 1e-3
    ):
        super().__init__(shape, shape)
        edge, k = check_coordinates(coordinates, self.domain_shape)
        self.weights = check_weights(weights, k)
        self.coordinates, self.eps = k, eps
        self._grids: dict[np.dtype, tuple[LaneGrid, Any, Any]] = {}

    def _forward(self, x: Any) -> Any:
        edge = edge_of(x=x, coordinates=self.coordinates)
        grid, spectrum, ones = self._embedding(edge, x.real.dtype)
        images = x.reshape(-1, *grid.size)
        out = edge.xp.empty_like(images)
        lanes = grid.lanes_for(images.shape[0])
        work = grid.borrow(lanes)
        for c in range(0, images.shape[0], lanes):
            edge.kernels.grid_pad(images[c : c + lanes], ones, work)
            grid.fft(edge.kernels, work, -1)
            work *= spectrum
            grid.fft(edge.kernels, work, 1)
            edge.kernels.grid_crop(work, ones, out[c : c + lanes])
        grid.give_back(work)
        return out.reshape(x.shape)

    def _adjoint(self, y: Any) -> Any:
        return self._forward(y)

    def _embedding(self, edge: Any, real: Any) -> tuple[LaneGrid, Any, Any]:
        if real not in self._grids:
            shape = self.domain_shape
            cells = [fast_size(2 * n - 1, 1.0, 1) for n in shape]
            grid = LaneGrid(edge.xp, real, shape, cells)
            ones = edge.xp.ones(sum(grid.size), real)
            self._grids[real] = grid, self._spectrum(edge, grid, cells), ones
        return self._grids[real]

    def _spectrum(self, edge: Any, grid: LaneGrid, cells: list[int]) -> Any:
        """Transform of the lags, divided by the number of cells, [z, y, x, 1]."""
        xp, shape, dims = edge.xp, self.domain_shape, len(self.domain_shape)
        twice = [2 * n for n in shape]
        floor = 2 * FLOAT32_FLOOR if grid.real == np.float32 else 1e-12
        k = 2 * self.coordinates.reshape(-1, dims)
        plan = Gridding(edge, k, twice, max(self.eps / 10, floor), grid.real)
        w = xp.ones(plan.samples) if self.weights is None else self.weights.reshape(-1)
        lags = xp.empty((1, *plan.size), grid.complex)
        plan.adjoint(edge.kernels, w.astype(grid.complex)[None], lags)
        # Lag 0 of the doubled image is pixel n; lag -n is needed by nobody.
        inner = lags.reshape(twice)[tuple(slice(1, None) for _ in shape)]
        scale = math.sqrt(math.prod(twice)) / math.prod(shape) / math.prod(cells)
        wide = LaneGrid(xp, grid.real, [2 * n - 1 for n in shape], cells)
        ones = xp.ones(sum(wide.size), grid.real)
        work = wide.borrow(1)
        padded = xp.ascontiguousarray(inner).reshape(1, *wide.size)
        edge.kernels.grid_pad(padded, ones, work)
        wide.fft(edge.kernels, work, -1)
        return work.real * np.asarray(scale, grid.real)


def check_weights(weights: Any, coordinates: Any) -> Any:
    """Real weights, one per sample, at least 0 and not all 0; None stays None."""
    if weights is None:
        return None
    edge = edge_of(weights=weights, coordinates=coordinates)
    w = edge.real("weights")
    if w.shape != coordinates.shape[:-1]:
        raise ShapeError(
            f"weights has shape {w.shape}, but the samples have {coordinates.shape[:-1]}"
        )
    if bool((w < 0).any()):
        raise DataError(f"weights has negative values, the smallest is {float(w.min()):.3g}")
    if not bool(w.any()):
        raise DataError("weights are all zero; every sample would be ignored")
    return w
