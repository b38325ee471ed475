"""Non-uniform fast Fourier transform, batched over coils."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .._checks import number, whole
from .._kernels.select import edge_of
from ..errors import DataError
from ..operators import LinearOperator
from .coordinates import check_coordinates
from .gridding import FLOAT32_FLOOR, FLOAT64_FLOOR, Gridding
from .toeplitz import Toeplitz

__all__ = ["NUFFT"]


class NUFFT(LinearOperator):
    """Fourier transform of an image at arbitrary k-space positions, and its exact adjoint.

    ``forward(image)[m] = sum_n image[n] exp(-2 pi i k_m . (n - N // 2) / N) / sqrt(prod N)``

    Parameters
    ----------
    coordinates : array (..., samples, dims)
        Positions k in cycles per field of view, axes in the order of the image axes, 1 to 3 of
        them. Allowed is ``[-N / 2, N / 2]``: the transform is periodic for even N, so that the
        closed edge (trajectories sampled up to k_max) equals ``-N / 2``.
    shape : sequence of int
        Image shape N, one entry per axis; odd, even and unequal sizes alike.
    eps : float
        Bound on the relative L2 error against the exact sum. complex64 data reach 5e-7,
        complex128 data 1e-13.
    coils : int, optional
        With it the domain is ``(coils, *shape)``. Without, any leading axes are accepted.

    Notes
    -----
    Coils share every weight and are transformed together: a call with 12 coils is much faster than
    12 calls. Gridding with a Kaiser-Bessel kernel [1]_; oversampling (1.25 to 2) and width are the
    cheapest pair that keeps ``eps``. The result has the same bits for any number of threads.

    Raises
    ------
    DataError
        NaN or out-of-range coordinates (with count and first index), unusable eps.
    ShapeError
        Coordinates whose last axis is not ``len(shape)``.

    References
    ----------
    .. [1] P. J. Beatty et al., IEEE Trans. Med. Imaging 24 (2005), doi:10.1109/TMI.2005.848376

    Examples
    --------
    >>> A = prc.mr.NUFFT(prc.mr.radial(96, 512, 256), (256, 256))
    >>> kspace = A.forward(coil_images)       # (12, 256, 256) -> (12, 96, 512)
    >>> coil_images = A.adjoint(kspace)
    """

    kind = "complex"
    batched = True

    def __init__(
        self,
        coordinates: Any,
        shape: Sequence[int],
        *,
        eps: float = 1e-3,
        coils: int | None = None,
    ):
        self.shape_in_pixels = tuple(whole("shape", n, 1) for n in shape)
        edge, k = check_coordinates(coordinates, self.shape_in_pixels)
        self.eps = number("eps", eps)
        if not FLOAT64_FLOOR <= self.eps <= 0.1:
            raise DataError(
                f"eps is {eps}; usable are {FLOAT64_FLOOR} to 0.1 (from {FLOAT32_FLOOR} on for "
                "complex64 data)"
            )
        lead = () if coils is None else (whole("coils", coils, 1),)
        super().__init__((*lead, *self.shape_in_pixels), (*lead, *k.shape[:-1]))
        self.batched = coils is None
        self.coordinates = k
        self._griddings: dict[np.dtype, Gridding] = {}
        if self.eps >= FLOAT32_FLOOR:
            self.gridding(np.float32)
        else:
            self.gridding(np.float64)

    def gridding(self, real: Any) -> Gridding:
        """The plan for float32 or float64 data, made at first use."""
        key = np.dtype(real)
        if key not in self._griddings:
            if key == np.float32 and self.eps < FLOAT32_FLOOR:
                raise DataError(
                    f"eps is {self.eps}, but the data are complex64, for which the smallest "
                    f"usable eps is {FLOAT32_FLOOR}; pass complex128 data or a larger eps"
                )
            flat = self.coordinates.reshape(-1, len(self.shape_in_pixels))
            edge = edge_of(coordinates=flat)
            self._griddings[key] = Gridding(edge, flat, self.shape_in_pixels, self.eps, key)
        return self._griddings[key]

    def toeplitz(self, weights: Any = None) -> Toeplitz:
        """``A^H diag(weights) A`` by FFTs alone, without gridding.

        Parameters
        ----------
        weights : real array of the samples' shape, optional
            Density weights; all one by default.

        Returns
        -------
        Toeplitz
            Operator on ``shape`` (leading axes allowed); ``forward`` and ``adjoint`` are the same.
        """
        return Toeplitz(self.coordinates, self.shape_in_pixels, weights=weights, eps=self.eps)

    def _forward(self, x: Any) -> Any:
        edge = edge_of(x=x, coordinates=self.coordinates)
        plan = self.gridding(x.real.dtype)
        dims = len(self.shape_in_pixels)
        lead = x.shape[: x.ndim - dims]
        images = x.reshape(math.prod(lead), *plan.size)
        samples = edge.xp.empty((images.shape[0], plan.samples), x.dtype)
        plan.forward(edge.kernels, images, samples)
        return samples.reshape(*lead, *self.coordinates.shape[:-1])

    def _adjoint(self, y: Any) -> Any:
        edge = edge_of(y=y, coordinates=self.coordinates)
        plan = self.gridding(y.real.dtype)
        lead = y.shape[: y.ndim - (self.coordinates.ndim - 1)]
        samples = y.reshape(math.prod(lead), plan.samples)
        images = edge.xp.empty((samples.shape[0], *plan.size), y.dtype)
        plan.adjoint(edge.kernels, samples, images)
        return images.reshape(*lead, *self.shape_in_pixels)
