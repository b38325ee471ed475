"""A^H W A of a NUFFT as one convolution."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .._kernels.select import edge_of
from .._memory import require_memory
from ..errors import DataError, ShapeError
from ..operators import LinearOperator
from .coordinates import check_coordinates
from .gridding import FLOAT32_FLOOR, Gridding, LaneGrid, fast_size

__all__ = ["Convolution", "Toeplitz", "check_weights", "lags_spectrum"]


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
    number of samples. The kernel's spectrum is real because the lags are Hermitian. Lines that
    hold no pixel are never transformed, and the padded grid never exists as a whole.

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
        _, k = check_coordinates(coordinates, self.domain_shape)
        self.weights = check_weights(weights, k)
        self.coordinates, self.eps = k, eps
        self._convolutions: dict[np.dtype, Convolution] = {}

    def _forward(self, x: Any) -> Any:
        edge = edge_of(x=x, coordinates=self.coordinates)
        real = x.real.dtype
        if real not in self._convolutions:
            flat = self.coordinates.reshape(-1, len(self.domain_shape))
            w = None if self.weights is None else self.weights.reshape(-1)
            spectrum = lags_spectrum(edge, flat, self.domain_shape, w, self.eps, real)
            self._convolutions[real] = Convolution(edge.xp, real, self.domain_shape, spectrum)
        convolution = self._convolutions[real]
        images = x.reshape(-1, *convolution.size)
        out = edge.xp.empty_like(images)
        convolution.images(edge.kernels, images, out)
        return out.reshape(x.shape)

    def _adjoint(self, y: Any) -> Any:
        return self._forward(y)


class Convolution(LaneGrid):
    """Periodic convolution of images with the lags of a real spectrum [gz, gy, gx], which holds
    the scale of both transforms. Works on one device in one precision."""

    def __init__(self, xp: Any, real: Any, shape: Sequence[int], spectrum: Any):
        self.spectrum = spectrum
        super().__init__(xp, real, shape, spectrum.shape[3 - len(shape) :])
        self._work: dict[int, Any] = {}

    def work(self, lanes: int) -> Any:
        """Rows between the passes, see csrc/mr/toeplitz.hpp; kept, so that calls allocate nothing.

        Rows end one cache line later than they have to: columns of a power of two apart would
        share their places in the cache.
        """
        if lanes not in self._work:
            cell = lanes * self.complex.itemsize
            rows = self.cells[1] if self.cells[0] > 1 else self.size[1]
            row = self.cells[2] + math.lcm(64, cell) // cell
            bytes_asked = self.size[0] * rows * row * cell
            require_memory("Toeplitz rows", bytes_asked, "use normal='nufft'")
            self._work[lanes] = self._aligned((self.size[0], rows, row, lanes))
        return self._work[lanes]

    def images(self, kernels: Any, images: Any, out: Any) -> None:
        """out[c] = convolution of images[c] (z, y, x)."""
        lanes = self.lanes_for(images.shape[0])
        for c in range(0, images.shape[0], lanes):
            some = slice(c, c + lanes)
            kernels.toeplitz_images(images[some], self.spectrum, self.work(lanes), out[some])

    def combined(self, kernels: Any, images: Any, maps: Any, out: Any) -> None:
        """out[m] = sum_c conj(maps[m, ..., c]) times the convolution of sum_m maps images."""
        work = self.work(maps.shape[4])
        kernels.toeplitz_maps(images, maps, self.spectrum, work, out)


def lags_spectrum(
    edge: Any, coordinates: Any, shape: Sequence[int], weights: Any, eps: float, real: Any
) -> Any:
    """Real spectrum of ``A^H diag(weights) A`` (flat weights; None for ones), [gz, gy, gx]."""
    xp, dims = edge.xp, len(shape)
    cells = [fast_size(2 * n - 1, 1.0, 1) for n in shape]
    twice = [2 * n for n in shape]
    floor = 2 * FLOAT32_FLOOR if real == np.float32 else 1e-12
    plan = Gridding(edge, 2 * coordinates, twice, max(eps / 10, floor), real)
    w = xp.ones(plan.samples) if weights is None else weights
    lags = xp.empty((1, *plan.size), plan.complex)
    plan.adjoint(edge.kernels, w.astype(plan.complex)[None], lags)
    # Lag 0 of the doubled image is pixel n; lag -n is needed by nobody.
    inner = lags.reshape(twice)[tuple(slice(1, None) for _ in range(dims))]
    scale = math.sqrt(math.prod(twice)) / math.prod(shape) / math.prod(cells)
    wide = LaneGrid(xp, real, [2 * n - 1 for n in shape], cells)
    ones = xp.ones(sum(wide.size), real)
    work = wide.borrow(1)
    edge.kernels.grid_pad(xp.ascontiguousarray(inner).reshape(1, *wide.size), ones, work)
    wide.fft(edge.kernels, work, -1)
    return work[..., 0].real * plan.real.type(scale)


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
