"""Non-uniform fast Fourier transform, batched over coils."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .._checks import number, whole
from .._kernels.select import edge_of
from .._memory import new_array
from ..errors import DataError, ShapeError
from ..operators import LinearOperator
from ..operators.base import take_kind
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
        With it the domain is ``(coils, *shape)``. Without, any leading axes are accepted: coils,
        slices of a stack (2D coordinates, images ``(coil, z, y, x)``), frames.
    oversampling : float, optional
        Grid cells per pixel, 1.125 to 4; by default the value that makes the transform fastest. A
        low one needs least memory.

    Notes
    -----
    Coils share every weight and are transformed together: a call with 12 coils is much faster than
    12 calls. Gridding with a Kaiser-Bessel kernel [1]_; oversampling (1.25 to 2) and width are the
    cheapest pair that keeps ``eps``. :meth:`spread` and :meth:`interpolate` are the two halves of
    gridding without FFT. The result has the same bits for any number of threads.

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
        oversampling: float | None = None,
    ):
        self.shape_in_pixels = tuple(whole("shape", n, 1) for n in shape)
        edge, k = check_coordinates(coordinates, self.shape_in_pixels, single=True)
        self.eps = number("eps", eps)
        if not FLOAT64_FLOOR <= self.eps <= 0.1:
            raise DataError(
                f"eps is {eps}; usable are {FLOAT64_FLOOR} to 0.1 (from {FLOAT32_FLOOR} on for "
                "complex64 data)"
            )
        if oversampling is not None:
            oversampling = number("oversampling", oversampling)
            if not 1.125 <= oversampling <= 4:
                raise DataError(f"oversampling is {oversampling}; usable are 1.125 to 4")
        self.oversampling = oversampling
        lead = () if coils is None else (whole("coils", coils, 1),)
        super().__init__((*lead, *self.shape_in_pixels), (*lead, *k.shape[:-1]))
        self.batched = coils is None
        self.coordinates = k
        self._griddings: dict[np.dtype, Gridding] = {}
        try:
            self.gridding(np.float32)
        except DataError:  # too accurate for complex64; an error then names the data's dtype
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
            self._griddings[key] = Gridding(
                edge, flat, self.shape_in_pixels, self.eps, key, self.oversampling
            )
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

    def forward(self, x: Any, out: Any = None) -> Any:
        """Images ``(..., *shape)`` to samples ``(..., *samples)``, into ``out`` if given.

        ``out``: C-contiguous array of the result's shape and dtype on the same device; it is
        returned.
        """
        edge, x = self._take("x", x, self.domain_shape, "domain")
        if out is None:
            return edge.answer(self._forward(x))
        lead = x.shape[: x.ndim - len(self.shape_in_pixels)]
        _check_out(edge, out, (*lead, *self.coordinates.shape[:-1]), x.dtype)
        return self._forward(x, out)

    def adjoint(self, y: Any, out: Any = None) -> Any:
        """Samples ``(..., *samples)`` to images ``(..., *shape)``, into ``out`` if given."""
        edge = edge_of(y=y)
        lead = tuple(edge["y"].shape[: edge["y"].ndim - len(self._sample_shape())])
        if (
            lead != self.domain_shape[: -len(self.shape_in_pixels)]
            and not self.batched
            or (tuple(edge["y"].shape[len(lead) :]) != self._sample_shape())
        ):
            self._take("y", y, self.range_shape, "range")  # raises
        taken = take_kind(edge, "y", self.kind, finite=False)
        if out is not None:
            _check_out(edge, out, (*lead, *self.shape_in_pixels), taken.dtype)
        result = self._adjoint(taken, out)
        # Every sample goes into every pixel, and there are fewer pixels than samples to look at.
        try:
            edge.check_finite("y", result)
        except DataError:
            edge.check_finite("y", taken)
        return edge.answer(result) if out is None else result

    def grid_shape(self, dtype: Any = np.complex64) -> tuple[int, ...]:
        """Cells of the oversampled grid for data of `dtype`."""
        cells = self.gridding(np.dtype(dtype).type(0).real.dtype).cells
        return cells[3 - len(self.shape_in_pixels) :]

    def spread(self, samples: Any) -> Any:
        """Samples ``(..., *samples)`` added to the oversampled grid with the kernel, no FFT.

        ``spread(y)[g] = sum_m y[m] prod_d w(u_md - g_d)``, periodic; cell g lies at
        ``k = (g - G // 2) N / G`` and the kernel w is 1 at its centre. The exact adjoint of
        :meth:`interpolate`; both together are what density compensation needs.

        Returns
        -------
        complex array ``(..., *grid_shape())``.

        Examples
        --------
        >>> density = A.interpolate(A.spread(weights)).real
        """
        edge = edge_of(samples=samples, coordinates=self.coordinates)
        y = edge.complex("samples", real_ok=True)
        axes = len(self._sample_shape())
        if y.shape[y.ndim - axes :] != self._sample_shape():
            raise ShapeError(f"samples has shape {y.shape}, coordinates {self._sample_shape()}")
        plan = self.gridding(y.real.dtype)
        lead = y.shape[: y.ndim - axes]
        count = math.prod(lead)
        planes = edge.xp.empty((count, *plan.cells), y.dtype)
        plan.spread(edge.kernels, y.reshape(count, plan.samples), planes)
        return edge.answer(planes.reshape(*lead, *plan.cells[3 - plan.dims :]))

    def interpolate(self, grid: Any) -> Any:
        """Values of a grid ``(..., *grid_shape())`` at the coordinates; adjoint of :meth:`spread`.

        Returns
        -------
        complex array ``(..., *samples)``.
        """
        edge = edge_of(grid=grid, coordinates=self.coordinates)
        x = edge.complex("grid", real_ok=True)
        plan = self.gridding(x.real.dtype)
        cells = plan.cells[3 - plan.dims :]
        if x.shape[x.ndim - plan.dims :] != cells:
            raise ShapeError(f"grid has shape {x.shape}, but the grid of this NUFFT {cells}")
        lead = x.shape[: x.ndim - plan.dims]
        count = math.prod(lead)
        samples = edge.xp.empty((count, plan.samples), x.dtype)
        plan.interpolate(edge.kernels, x.reshape(count, *plan.cells), samples)
        return edge.answer(samples.reshape(*lead, *self._sample_shape()))

    def _sample_shape(self) -> tuple[int, ...]:
        return tuple(self.coordinates.shape[:-1])

    def _forward(self, x: Any, out: Any = None) -> Any:
        edge = edge_of(x=x, coordinates=self.coordinates)
        plan = self.gridding(x.real.dtype)
        lead = x.shape[: x.ndim - len(self.shape_in_pixels)]
        images = x.reshape(math.prod(lead), *plan.size)
        if out is None:
            out = new_array(
                edge, "samples", (*lead, *self._sample_shape()), x.dtype, "pass fewer images"
            )
        plan.forward(edge.kernels, images, out.reshape(images.shape[0], plan.samples))
        return out

    def _adjoint(self, y: Any, out: Any = None) -> Any:
        edge = edge_of(y=y, coordinates=self.coordinates)
        plan = self.gridding(y.real.dtype)
        lead = y.shape[: y.ndim - (self.coordinates.ndim - 1)]
        samples = y.reshape(math.prod(lead), plan.samples)
        if out is None:
            out = new_array(
                edge, "images", (*lead, *self.shape_in_pixels), y.dtype, "pass fewer of them"
            )
        plan.adjoint(edge.kernels, samples, out.reshape(samples.shape[0], *plan.size))
        return out


def _check_out(edge: Any, out: Any, shape: tuple[int, ...], dtype: Any) -> None:
    """A caller's array for the result: written in place, so it must fit exactly."""
    if not isinstance(out, edge.xp.ndarray):
        raise DataError(f"out is a {type(out).__name__}; expected an array where the input lives")
    if out.shape != shape:
        raise ShapeError(f"out has shape {out.shape}, but the result {shape}")
    if out.dtype != dtype:
        raise DataError(f"out has dtype {out.dtype}, but the result {dtype}")
    if not out.flags.c_contiguous:
        raise DataError("out is not C-contiguous")
    if edge.xp is np and not out.flags.writeable:
        raise DataError("out is read-only")
