"""SENSE with a temporal subspace: coefficient images to k-space of all frames."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .._kernels.select import Edge, edge_of
from ..errors import DataError, ShapeError
from ..operators import LinearOperator
from .dictionary import take_basis
from .gridding import LaneGrid
from .sense import Sense

__all__ = ["SubspaceSense"]


class SubspaceSense(LinearOperator):
    """Coefficient images to k-space of all frames: ``y_t = M_t F s_c sum_k basis[k, t] x_k``.

    Parameters
    ----------
    maps : complex array (coil, ...)
    basis : array (rank, frames)
        Time courses, orthonormal rows for the best condition.
    masks : real array (frames, ...), optional
        Cartesian sampling per frame, DC at ``n // 2``.
    coordinates : array (frames, ..., samples, dims), optional
        Non-Cartesian positions in cycles per field of view; excludes ``masks``.
    weights : real array (frames, ..., samples), optional
        Density weights; the operator carries their square root.
    eps : float
        Accuracy of the non-Cartesian transform.

    Notes
    -----
    ``domain_shape`` is ``(rank, *image)``, ``range_shape`` (frames, coil, ...). The normal operator
    of Cartesian sampling transforms coefficients, never frames, and mixes them by one rank x rank
    matrix per location of k-space.

    References
    ----------
    Tamir et al., Magn. Reson. Med. 77 (2017) 180, doi:10.1002/mrm.26102.

    Examples
    --------
    >>> A = prc.mr.SubspaceSense(maps, basis, masks=masks)
    """

    kind = "complex"

    def __init__(
        self,
        maps: Any,
        basis: Any,
        *,
        masks: Any = None,
        coordinates: Any = None,
        weights: Any = None,
        eps: float = 1e-3,
    ):
        edge = edge_of(
            maps=maps, basis=basis, masks=masks, coordinates=coordinates, weights=weights
        )
        self.maps = edge.complex("maps", ndim=(2, 3, 4))
        self.basis = take_basis(edge, self.maps.dtype)
        rank, frames = self.basis.shape
        image, coils = tuple(self.maps.shape[1:]), self.maps.shape[0]
        self.masks = None
        if coordinates is not None and masks is not None:
            raise DataError("give masks or coordinates, not both: masks are for Cartesian k-space")
        given: dict[str, Any] = {}
        samples = image
        if coordinates is not None:
            given = {"coordinates": edge["coordinates"], "weights": edge.arrays.get("weights")}
            _per_frame("coordinates", given["coordinates"], frames)
            samples = tuple(given["coordinates"].shape[1:-1])
        elif masks is not None:
            self.masks = edge.real("masks", dtype=self.maps.real.dtype)
            if tuple(self.masks.shape) != (frames, *image):
                raise ShapeError(
                    f"masks have shape {tuple(self.masks.shape)}, but basis and maps ask for "
                    f"{(frames, *image)}"
                )
        self._sense = Sense(self.maps, eps=eps, **given)
        self.weights = self._sense.weights
        self.scattered = coordinates is not None
        self.fast_normal = not self.scattered
        super().__init__((rank, *image), (frames, coils, *samples))
        self._plans: dict[np.dtype, _MixedSpectra] = {}

    def _spectra(self, x: Any) -> Any:
        """Multi-coil k-space of every coefficient."""
        xp = edge_of(x=x).xp
        return xp.stack([self._sense._forward(one) for one in x])

    def _forward(self, x: Any) -> Any:
        xp, basis = edge_of(x=x, basis=self.basis).xp, self.basis.astype(x.dtype)
        spectra = self._spectra(x)
        if self.scattered:  # (rank, coil, frames, ...)
            y = xp.einsum("kt,kct...->tc...", basis, spectra)
            return xp.ascontiguousarray(y)
        y = xp.tensordot(basis.T, spectra, 1)
        if self.masks is not None:
            y *= self.masks[:, None].astype(x.real.dtype)
        return y

    def _adjoint(self, y: Any) -> Any:
        xp, basis = edge_of(y=y, basis=self.basis).xp, self.basis.astype(y.dtype).conj()
        if self.scattered:
            spectra = xp.einsum("kt,tc...->kct...", basis, y)
        else:
            kept = y if self.masks is None else y * self.masks[:, None].astype(y.real.dtype)
            spectra = xp.tensordot(basis, kept, 1)
        parts = [self._sense._adjoint(xp.ascontiguousarray(one)) for one in spectra]
        return xp.stack(parts)

    def _normal(self, x: Any) -> Any:
        if self.scattered:
            return super()._normal(x)
        edge = edge_of(x=x, maps=self.maps)
        real = x.real.dtype
        if real not in self._plans:
            self._plans[real] = _MixedSpectra(edge, self, real)
        return self._plans[real].normal(edge.kernels, x)

    @property
    def bound(self) -> float | None:
        """Upper bound of the squared norm where it costs nothing: for Cartesian k-space."""
        if self.scattered:
            return None
        xp = edge_of(maps=self.maps).xp
        sensitivity = float((self.maps.real**2 + self.maps.imag**2).sum(axis=0).max())
        mask = 1.0 if self.masks is None else float(abs(self.masks).max()) ** 2
        return sensitivity * mask * float(xp.linalg.norm(self.basis, 2)) ** 2


class _MixedSpectra:
    """Plan of the Cartesian normal operator in one precision."""

    def __init__(self, edge: Edge, operator: SubspaceSense, real: np.dtype):
        xp, maps, image = edge.xp, operator.maps, operator.maps.shape[1:]
        self.grid = LaneGrid(xp, real, image, image)
        self.lanes = self.grid.lanes_for(maps.shape[0])
        self.starts = range(0, maps.shape[0], self.lanes)
        planar = maps.reshape(maps.shape[0], *self.grid.size)
        self.maps = []
        for c in self.starts:
            block = xp.zeros((*self.grid.size, self.lanes), self.grid.complex)
            some = planar[c : c + self.lanes]
            block[..., : some.shape[0]] = xp.moveaxis(some, 0, -1)
            self.maps.append(block)
        rank, frames = operator.basis.shape
        rows, columns = xp.tril_indices(rank)
        pairs = operator.basis[rows].conj() * operator.basis[columns]  # (pairs, frames)
        shape = (frames, *image)
        masks = xp.ones(shape, real) if operator.masks is None else operator.masks
        squares = xp.fft.ifftshift(masks**2, axes=tuple(range(1, len(shape)))).reshape(frames, -1)
        matrices = squares.T.astype(self.grid.complex) @ pairs.T / math.prod(image)
        self.matrices = xp.ascontiguousarray(matrices, dtype=self.grid.complex)

    def normal(self, kernels: Any, x: Any) -> Any:
        xp = self.grid.xp
        images = x.reshape(x.shape[0], *self.grid.size)
        out, part = xp.zeros_like(images), xp.empty_like(images[0])
        grids = xp.empty((x.shape[0], *self.grid.size, self.lanes), self.grid.complex)
        for maps in self.maps:
            for image, grid in zip(images, grids, strict=True):
                kernels.grid_pad_maps(image, maps, grid)
                self.grid.fft(kernels, grid, -1)
            kernels.mix_spectra(self.matrices, grids.reshape(x.shape[0], -1, self.lanes))
            for target, grid in zip(out, grids, strict=True):
                self.grid.fft(kernels, grid, 1)
                kernels.grid_crop_maps(grid, maps, part)
                target += part
        return out.reshape(x.shape)


def _per_frame(name: str, array: Any, frames: int) -> None:
    if array.ndim < 3 or array.shape[0] != frames:
        raise ShapeError(
            f"{name} has shape {tuple(array.shape)}, but basis has {frames} frames; expected "
            "(frames, ..., samples, dims)"
        )
