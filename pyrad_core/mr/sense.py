"""The SENSE encoding operator: coil maps and Fourier transform."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from .._checks import number
from .._kernels.select import Edge, edge_of
from ..errors import DataError, PyradWarning, ShapeError
from ..operators import LinearOperator
from .coordinates import check_coordinates
from .gridding import Gridding, LaneGrid
from .toeplitz import check_weights

__all__ = ["Sense"]


class Sense(LinearOperator):
    """Image to multi-coil k-space: ``y_c = W^(1/2) M F (s_c x)``.

    Parameters
    ----------
    maps : complex array (coil, y, x) or (coil, z, y, x)
        Coil sensitivities s_c.
    mask : bool or real array, optional
        Cartesian sampling mask M of the image's shape (or broadcasting to it), DC at ``n // 2``.
    coordinates : array (..., samples, dims), optional
        Non-Cartesian positions in cycles per field of view; excludes ``mask``.
    weights : real array, optional
        Density weights W, one per non-Cartesian sample; the operator carries their square root,
        so that ``A.H @ A`` weights by W.
    eps : float
        Accuracy of the non-Cartesian transform.

    Notes
    -----
    ``domain_shape`` is the image, ``range_shape`` is (coil, *image) or (coil, *samples). All
    transforms are unitary. ``gram`` keeps samples in tile order between its two halves.

    Raises
    ------
    ShapeError
        mask, weights or coordinates that do not fit.
    DataError
        NaN, coordinates out of range, both mask and coordinates.

    Warns
    -----
    PyradWarning
        The mask undersamples by more than the number of coils.

    References
    ----------
    Pruessmann et al., Magn. Reson. Med. 46 (2001), doi:10.1002/mrm.1241.

    Examples
    --------
    >>> A = prc.mr.Sense(maps, mask=mask)
    >>> image = prc.solvers.cg(A, kspace, iterations=20).x
    """

    kind = "complex"
    fast_normal = True

    def __init__(
        self,
        maps: Any,
        *,
        mask: Any = None,
        coordinates: Any = None,
        weights: Any = None,
        eps: float = 1e-3,
    ):
        edge = edge_of(maps=maps, mask=mask, coordinates=coordinates, weights=weights)
        self.maps = edge.complex("maps", ndim=(2, 3, 4))
        coils, shape = self.maps.shape[0], self.maps.shape[1:]
        if mask is not None and coordinates is not None:
            raise DataError("give mask or coordinates, not both: a mask is for Cartesian k-space")
        if weights is not None and coordinates is None:
            raise DataError("weights go with coordinates; put Cartesian weights into mask")
        self.mask = _check_mask(edge, shape, coils) if mask is not None else None
        self.coordinates, self.weights = None, None
        if coordinates is not None:
            _, self.coordinates = check_coordinates(coordinates, tuple(shape))
            self.weights = check_weights(weights, self.coordinates)
        self.eps = number("eps", eps)
        samples = shape if self.coordinates is None else self.coordinates.shape[:-1]
        super().__init__(shape, (coils, *samples))
        self._plans: dict[np.dtype, _Cartesian | _Gridded] = {}

    def _plan(self, x: Any) -> tuple[Edge, _Cartesian | _Gridded]:
        edge = edge_of(x=x, maps=self.maps)
        real = x.real.dtype
        if real not in self._plans:
            if self.coordinates is None:
                self._plans[real] = _Cartesian(edge, self.maps, self.mask, real)
            else:
                self._plans[real] = _Gridded(edge, self, real)
        return edge, self._plans[real]

    def _forward(self, x: Any) -> Any:
        edge, plan = self._plan(x)
        y = edge.xp.empty((self.maps.shape[0], *plan.samples), x.dtype)
        plan.forward(edge.kernels, x.reshape(plan.grid.size), y)
        return y.reshape(self.range_shape)

    def _adjoint(self, y: Any) -> Any:
        edge, plan = self._plan(y)
        planar = y.reshape(self.maps.shape[0], *plan.samples)
        return plan.adjoint(edge.kernels, planar).reshape(self.domain_shape)

    def _normal(self, x: Any) -> Any:
        edge, plan = self._plan(x)
        return plan.normal(edge.kernels, x.reshape(plan.grid.size)).reshape(self.domain_shape)


def _check_mask(edge: Edge, shape: tuple[int, ...], coils: int) -> Any:
    mask = edge.real("mask", dtype=np.float32)
    try:
        full = edge.xp.broadcast_to(mask, shape)
    except ValueError:
        raise ShapeError(f"mask has shape {mask.shape}, but the image {tuple(shape)}") from None
    kept = int((full != 0).sum())
    if kept == 0:
        raise DataError("mask keeps no sample")
    rate = math.prod(shape) / kept
    if rate > coils:
        warnings.warn(
            f"mask keeps one sample in {rate:.1f}, but there are only {coils} coils; parallel "
            "imaging alone cannot make up for that",
            PyradWarning,
            stacklevel=4,
        )
    return edge.xp.ascontiguousarray(full)


class _Blocks:
    """Coils in equal blocks of lanes: interleaved maps, and the sum over blocks."""

    grid: LaneGrid
    samples: tuple[int, ...]

    def __init__(self, grid: LaneGrid, maps: Any, factors: Any):
        """`factors`: real array that broadcasts over the image and goes into the maps."""
        self.grid = grid
        coils, xp = maps.shape[0], grid.xp
        self.lanes = grid.lanes_for(coils)
        self.starts = range(0, coils, self.lanes)
        self.maps = []
        planar = maps.reshape(coils, *grid.size)
        for c in self.starts:
            block = xp.zeros((*grid.size, self.lanes), grid.complex)
            some = planar[c : c + self.lanes]
            block[..., : some.shape[0]] = xp.moveaxis(some * factors, 0, -1)
            self.maps.append(block)

    def image(self) -> Any:
        return self.grid.xp.empty(self.grid.size, self.grid.complex)

    def add(self, total: Any, part: Any) -> Any:
        if total is None:
            return part
        total += part
        return total


class _Cartesian(_Blocks):
    def __init__(self, edge: Edge, maps: Any, mask: Any, real: Any):
        shape = maps.shape[1:]
        super().__init__(LaneGrid(edge.xp, real, shape, shape), maps, 1)
        self.samples = self.grid.size
        scale = np.ones(sum(self.grid.size))
        scale[-self.grid.size[2] :] /= math.sqrt(math.prod(shape))
        self.scale = edge.xp.asarray(scale, real)
        self.mask: Any = None if mask is None else mask.reshape(self.grid.size).astype(real)
        self.filter: Any = None  # of the normal operator; without a mask it needs no transform
        if self.mask is not None:
            squared = edge.xp.fft.ifftshift(self.mask**2) / math.prod(shape)
            self.filter = edge.xp.ascontiguousarray(squared, dtype=real)

    def forward(self, kernels: Any, x: Any, y: Any) -> None:
        work = self.grid.borrow(self.lanes)
        for c, maps in zip(self.starts, self.maps, strict=True):
            kernels.grid_pad_maps(x, maps, work)
            self.grid.fft(kernels, work, -1)
            kernels.grid_crop(work, self.scale, y[c : c + self.lanes])
        self.grid.give_back(work)
        if self.mask is not None:
            y *= self.mask

    def adjoint(self, kernels: Any, y: Any) -> Any:
        if self.mask is not None:
            y = y * self.mask
        work, total = self.grid.borrow(self.lanes), None
        for c, maps in zip(self.starts, self.maps, strict=True):
            part = self.image()
            kernels.grid_pad(y[c : c + self.lanes], self.scale, work)
            self.grid.fft(kernels, work, 1)
            kernels.grid_crop_maps(work, maps, part)
            total = self.add(total, part)
        self.grid.give_back(work)
        return total

    def normal(self, kernels: Any, x: Any) -> Any:
        work, total = self.grid.borrow(self.lanes), None
        for maps in self.maps:
            part = self.image()
            kernels.grid_pad_maps(x, maps, work)
            if self.filter is not None:
                self.grid.filter(kernels, work, self.filter)
            kernels.grid_crop_maps(work, maps, part)
            total = self.add(total, part)
        self.grid.give_back(work)
        return total


class _Gridded(_Blocks):
    def __init__(self, edge: Edge, operator: Any, real: Any):
        shape = operator.domain_shape
        flat = operator.coordinates.reshape(-1, len(shape))
        plan = Gridding(edge, flat, shape, operator.eps, real)
        self.plan = plan.plan
        z, y, x = plan.size
        a = plan.apodisation
        factors = a[:z, None, None] * a[z : z + y, None] * a[z + y :]
        super().__init__(plan, operator.maps, factors)
        self.samples = (plan.samples,)
        xp = edge.xp
        self.root, self.density = None, xp.ones(plan.samples, real)
        if operator.weights is not None:
            w = operator.weights.reshape(-1).astype(real)
            self.root, self.density = xp.sqrt(w), xp.ascontiguousarray(w[self.plan.order])

    def forward(self, kernels: Any, x: Any, y: Any) -> None:
        work = self.grid.borrow(self.lanes)
        for c, maps in zip(self.starts, self.maps, strict=True):
            kernels.grid_pad_maps(x, maps, work)
            self.grid.fft(kernels, work, -1)
            kernels.grid_interpolate(work, *self.plan, y[c : c + self.lanes])
        self.grid.give_back(work)
        if self.root is not None:
            y *= self.root

    def adjoint(self, kernels: Any, y: Any) -> Any:
        if self.root is not None:
            y = y * self.root
        work, total = self.grid.borrow(self.lanes), None
        for c, maps in zip(self.starts, self.maps, strict=True):
            kernels.grid_spread(y[c : c + self.lanes], *self.plan, work)
            total = self.add(total, self._collect(kernels, work, maps))
        self.grid.give_back(work)
        return total

    def normal(self, kernels: Any, x: Any) -> Any:
        work, total = self.grid.borrow(self.lanes), None
        samples = self.grid.xp.empty((self.samples[0], self.lanes), self.grid.complex)
        for maps in self.maps:
            kernels.grid_pad_maps(x, maps, work)
            self.grid.fft(kernels, work, -1)
            kernels.grid_interpolate_sorted(work, *self.plan, samples)
            kernels.grid_spread_sorted(samples, self.density, *self.plan, work)
            total = self.add(total, self._collect(kernels, work, maps))
        self.grid.give_back(work)
        return total

    def _collect(self, kernels: Any, work: Any, maps: Any) -> Any:
        part = self.image()
        self.grid.fft(kernels, work, 1)
        kernels.grid_crop_maps(work, maps, part)
        return part
