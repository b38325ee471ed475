"""Image and coil maps as joint unknowns: the bilinear forward model and its derivative.

``y_c = W^(1/2) F (x s_c)``, with maps ``s_c = basis a_c``. Everything works on the normal
operator ``N = F^H W F`` and the back-projected data ``b_c = F^H W y_c``, coils interleaved.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from .._kernels.select import Edge
from ..errors import DataError, PyradWarning, ShapeError
from .coordinates import check_coordinates
from .gridding import Gridding, LaneGrid
from .toeplitz import check_weights

__all__ = ["FourierBasis", "JointModel", "PolynomialBasis"]


class FourierBasis:
    """Maps as Fourier series of the few frequencies that a weight leaves.

    ``s(n) = sum_k w(k) a(k) exp(-2 pi i k (n - N // 2) / N) / sqrt(prod N)`` with
    ``w(k) = (1 + smoothness |k|^2)^(-order / 2)``.
    """

    def __init__(self, edge: Edge, shape: tuple, real: Any, smoothness: float, order: float):
        self.kernels, xp = edge.kernels, edge.xp
        least = np.finfo(real).eps  # beyond, maps would not change in this precision
        reach = math.sqrt((least ** (-2 / order) - 1) / smoothness)
        self.box = tuple(min(n, 2 * math.ceil(reach) + 1) for n in shape)
        self.grid = LaneGrid(xp, real, self.box, shape)
        at = [np.arange(k) - k // 2 for k in self.grid.size]
        cells = self.grid.cells
        k = np.meshgrid(*at, indexing="ij")
        weight = (1 + smoothness * sum(f.astype(float) ** 2 for f in k)) ** (-order / 2)
        turn = sum(f * (n // 2) / n for f, n in zip(k, cells, strict=True))
        taper = weight * np.exp(2j * np.pi * turn) / math.sqrt(math.prod(cells))
        self.taper = xp.asarray(taper, self.grid.complex)
        self.back = self.taper.conj()[..., None]
        z, y, x = (xp.asarray(a % n) for a, n in zip(at, cells, strict=True))
        self.where = (z[:, None, None], y[:, None], x)

    def shape(self, lanes: int) -> tuple[int, ...]:
        return (*self.grid.size, lanes)

    def expand(self, coefficients: Any, out: Any) -> None:
        self.kernels.grid_pad_maps(self.taper, coefficients, out)
        self.grid.fft(self.kernels, out, -1)

    def reduce(self, maps: Any, out: Any) -> None:
        """Adjoint of expand; maps are overwritten."""
        self.grid.fft(self.kernels, maps, 1)
        out[...] = maps[self.where] * self.back


class PolynomialBasis:
    """Maps as products of orthonormal polynomials in z, y and x, up to one degree per axis."""

    def __init__(self, edge: Edge, shape: tuple, real: Any, degree: int):
        sizes = (1,) * (3 - len(shape)) + tuple(shape)
        self.axes = []
        for n in sizes:
            at = np.linspace(-1, 1, n) if n > 1 else np.zeros(1)
            legendre = np.polynomial.legendre.legvander(at, min(degree, n - 1))
            basis = np.linalg.qr(legendre)[0]
            kind = np.complex64 if real == np.float32 else np.complex128
            self.axes.append(edge.xp.asarray(basis, kind))

    def shape(self, lanes: int) -> tuple[int, ...]:
        return (*(basis.shape[1] for basis in self.axes), lanes)

    def expand(self, coefficients: Any, out: Any) -> None:
        self._transform(coefficients, [basis for basis in self.axes], out)

    def reduce(self, maps: Any, out: Any) -> None:
        self._transform(maps, [basis.T for basis in self.axes], out)

    def _transform(self, x: Any, matrices: list, out: Any) -> None:
        z, y, columns = matrices
        t = (z @ x.reshape(x.shape[0], -1)).reshape(z.shape[0], x.shape[1], -1)
        t = (y @ t).reshape(z.shape[0] * y.shape[0], x.shape[2], x.shape[3])
        out[...] = (columns @ t).reshape(out.shape)


class JointModel:
    """Data of one scan, blocks of coils, and the state (image, maps) that it is linearised at."""

    def __init__(
        self,
        edge: Edge,
        y: Any,
        shape: tuple[int, ...],
        *,
        coordinates: Any,
        mask: Any,
        weights: Any,
        eps: float,
    ):
        self.edge, self.kernels, self.xp = edge, edge.kernels, edge.xp
        self.shape, self.coils = shape, y.shape[0]
        self.real = y.real.dtype
        if coordinates is None:
            self.transform: Any = _Cartesian(edge, y, shape, mask, weights)
        else:
            self.transform = _Gridded(edge, y, shape, coordinates, mask, weights, eps)
        self.grid: LaneGrid = self.transform.grid
        self.lanes = self.grid.lanes_for(self.coils)
        self.data = []
        for c in range(0, self.coils, self.lanes):
            back = self.xp.empty((*self.grid.cells, self.lanes), self.grid.complex)
            self.transform.back_project(self._lanes_of(y, c), back)
            self.data.append(back)
        self.zeros = self.xp.zeros(self.grid.size, self.grid.complex)
        self.image, self.maps = self.zeros, [self.new_maps() for _ in self.data]
        self.factors = self.transform.factors

    def _lanes_of(self, y: Any, first: int) -> Any:
        return self.xp.ascontiguousarray(y[first : first + self.lanes])

    def new_maps(self) -> Any:
        return self.xp.empty((*self.grid.size, self.lanes), self.grid.complex)

    def norm_of_data(self) -> float:
        """Of the back-projected coil images."""
        total, image, scratch = 0.0, self.xp.ones_like(self.zeros), self.new_maps()
        for back in self.data:
            unused = self.xp.empty_like(self.zeros)
            self.kernels.bilinear_crop(
                back, image, self.maps_of_ones(), self.factors, unused, scratch
            )
            flat = scratch.reshape(-1).view(self.real)
            total += float(self.kernels.inner_product(flat, flat))
        return math.sqrt(total)

    def maps_of_ones(self) -> Any:
        return self.xp.ones((*self.grid.size, self.lanes), self.grid.complex)

    def scale_data(self, factor: float) -> None:
        for back in self.data:
            back *= self.real.type(factor)

    def adjoint(self, residual: bool) -> tuple[Any, list[Any]]:
        """D^H (b - N (image x maps)), or D^H b: parts of the image and of the maps."""
        total, parts = self.xp.zeros_like(self.zeros), []
        work = self.grid.borrow(self.lanes)
        for back, maps in zip(self.data, self.maps, strict=True):
            source = back
            if residual:
                # image x maps, as the derivative at image 0 in the image's direction
                self.kernels.bilinear_pad(self.zeros, maps, self.image, maps, self.factors, work)
                self.transform.normal(self.kernels, work)
                self.xp.subtract(back, work, out=work)
                source = work
            part, d_maps = self.xp.empty_like(total), self.new_maps()
            self.kernels.bilinear_crop(source, self.image, maps, self.factors, part, d_maps)
            total += part
            parts.append(d_maps)
        self.grid.give_back(work)
        return total, parts

    def normal(self, d_image: Any, d_maps: list[Any]) -> Any:
        """D^H N D; d_maps are overwritten by their parts, the image's is returned."""
        total = self.xp.zeros_like(self.zeros)
        work, part = self.grid.borrow(self.lanes), self.xp.empty_like(total)
        for maps, d in zip(self.maps, d_maps, strict=True):
            self.kernels.bilinear_pad(self.image, maps, d_image, d, self.factors, work)
            self.transform.normal(self.kernels, work)
            self.kernels.bilinear_crop(work, self.image, maps, self.factors, part, d)
            total += part
        self.grid.give_back(work)
        return total

    def planar_maps(self) -> Any:
        """Maps (coil, *shape)."""
        blocks = [self.xp.moveaxis(maps, -1, 0) for maps in self.maps]
        return self.xp.concatenate(blocks)[: self.coils].reshape(self.coils, *self.shape)


class _Cartesian:
    def __init__(self, edge: Edge, y: Any, shape: tuple[int, ...], mask: Any, weights: Any):
        if weights is not None:
            raise DataError("weights go with coordinates; put Cartesian weights into mask")
        xp, real = edge.xp, y.real.dtype
        self.grid = LaneGrid(xp, real, shape, shape)
        size = self.grid.size
        if tuple(y.shape[1:]) != tuple(shape):
            raise ShapeError(f"kspace has shape {y.shape}, but the image {shape}")
        if mask is None:
            m = xp.any(y != 0, axis=0).astype(real)
        else:
            m = xp.broadcast_to(edge.real("mask", dtype=real), shape)
        _warn_of_few_samples(m, y.shape[0])
        self.mask = m.reshape(size)
        self.factors = xp.ones(sum(size), real)
        squared = xp.fft.ifftshift(self.mask**2) / math.prod(shape)
        self.squared = xp.ascontiguousarray(squared.astype(real))
        self.edge = edge

    def back_project(self, y: Any, out: Any) -> None:
        scale = 1 / math.sqrt(math.prod(self.grid.size))
        masked = (y.reshape(-1, *self.grid.size) * (self.mask * scale)).astype(self.grid.complex)
        self.edge.kernels.grid_pad(masked, self.factors, out)
        self.grid.fft(self.edge.kernels, out, 1)

    def normal(self, kernels: Any, work: Any) -> None:
        self.grid.filter(kernels, work, self.squared)


def _warn_of_few_samples(mask: Any, coils: int) -> None:
    kept = int((mask != 0).sum())
    if kept * coils < mask.size:
        warnings.warn(
            f"mask keeps one sample in {mask.size / max(kept, 1):.1f}, but there are only {coils} "
            "coils; image and maps are not determined by that",
            PyradWarning,
            stacklevel=6,
        )


class _Gridded:
    def __init__(
        self,
        edge: Edge,
        y: Any,
        shape: tuple[int, ...],
        coordinates: Any,
        mask: Any,
        weights: Any,
        eps: float,
    ):
        if mask is not None:
            raise DataError("give mask or coordinates, not both: a mask is for Cartesian k-space")
        xp, real = edge.xp, y.real.dtype
        _, k = check_coordinates(coordinates, shape)
        if y.shape[1:] != k.shape[:-1]:
            raise ShapeError(f"kspace has shape {y.shape}, but coordinates {k.shape}")
        w = check_weights(weights, k)
        w = xp.ones(k.shape[:-1], real) if w is None else w.astype(real)
        # weights as areas: the normal operator is close to the identity
        self.weights = (w * (math.prod(shape) / float(w.sum()))).reshape(-1)
        self.grid = Gridding(edge, k.reshape(-1, len(shape)), shape, eps, real)
        self.factors = self.grid.apodisation
        self.density = xp.ascontiguousarray(self.weights[self.grid.plan.order])
        self.edge = edge

    def back_project(self, y: Any, out: Any) -> None:
        samples = self.edge.xp.ascontiguousarray(y.reshape(y.shape[0], -1) * self.weights)
        self.edge.kernels.grid_spread(samples, *self.grid.plan, out)
        self.grid.fft(self.edge.kernels, out, 1)

    def normal(self, kernels: Any, work: Any) -> None:
        plan = self.grid
        samples = plan.xp.empty((plan.samples, work.shape[3]), plan.complex)
        plan.fft(kernels, work, -1)
        kernels.grid_interpolate_sorted(work, *plan.plan, samples)
        kernels.grid_spread_sorted(samples, self.density, *plan.plan, work)
        plan.fft(kernels, work, 1)
