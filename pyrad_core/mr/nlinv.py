"""Joint estimation of image and coil maps by regularised nonlinear inversion (NLINV)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from .._checks import at_least, positive, whole
from .._kernels.select import Edge, edge_of
from ..errors import DataError, ShapeError
from ..operators import FromFunctions
from ..solvers import cg
from ._joint import FourierBasis, JointModel

__all__ = ["joint_problem", "nlinv"]

_NORM = 100.0  # of the data inside: what the first regularisation of 1 is meant for


def nlinv(
    kspace: Any,
    *,
    coordinates: Any = None,
    mask: Any = None,
    weights: Any = None,
    shape: Sequence[int] | None = None,
    iterations: int = 9,
    regularization: float = 1.0,
    reduction: float = 0.5,
    cg_iterations: int = 30,
    tolerance: float = 0.05,
    smoothness: float = 220 / 256**2,
    order: float = 32.0,
    eps: float = 1e-3,
    callback: Any = None,
) -> tuple[Any, Any]:
    """Image and coil maps from undersampled k-space, without a separate calibration.

    Solves ``y_c = F (x s_c)`` for x and all s_c by the iteratively regularised Gauss-Newton method:
    every step minimises ``||D dx - r||^2 + a_n ||x_n + dx - x_0||^2`` by conjugate gradients, with
    ``a_n = regularization reduction^n`` and x_0 an image of ones with maps of zeros. Maps are
    penalised by a Sobolev norm: ``(1 + smoothness |k|^2)^(order / 2)`` in k-space.

    Parameters
    ----------
    kspace : complex array (coil, y, x), (coil, z, y, x) or ``(coil, *samples)``
        Cartesian with DC at ``n // 2``, zeros where nothing was measured, or samples at
        ``coordinates``. A few central lines should be fully sampled.
    coordinates : array (..., samples, dims), optional
        Cycles per field of view.
    mask : bool or real array, optional
        Cartesian samples that were measured; by default those where any coil is not exactly 0.
    weights : real array of the samples' shape, optional
        Density weights of non-Cartesian samples; they speed up convergence.
    shape : sequence of int, optional
        Image shape; needed with ``coordinates``.
    iterations : int
        Gauss-Newton steps: 7 to 12. More of them fit more of the noise.
    regularization, reduction : float
        Of the first step (data are scaled to a norm of 100), and its factor from step to step.
    cg_iterations, tolerance : int, float
        Bounds of the inner conjugate gradients: their number and relative residual.
    smoothness, order : float
        Sobolev weight of the maps; k in cycles per field of view, so that maps are as smooth for
        any matrix size (the paper's 220 counts cycles per pixel of a 256 matrix).
    eps : float
        Accuracy of the non-Cartesian transform.
    callback : callable, optional
        ``callback(n, image)`` after every Gauss-Newton step; True stops.

    Returns
    -------
    image : complex array of the image's shape
        Times the maps it gives the coil images: its scale is that of the sum of squares.
    maps : complex array ``(coil, *shape)``
        Unit norm over the coils.

    Raises
    ------
    DataError
        NaN, real or all-zero k-space, unusable numbers.
    ShapeError
        Shapes that do not fit.

    Warns
    -----
    PyradWarning
        Cartesian k-space undersampled by more than the number of coils.

    References
    ----------
    Uecker et al., Magn. Reson. Med. 60 (2008), doi:10.1002/mrm.21691.

    Examples
    --------
    >>> image, maps = prc.mr.nlinv(kspace)
    >>> image, maps = prc.mr.nlinv(samples, coordinates=spokes, shape=(256, 256), weights=density)
    """
    iterations = whole("iterations", iterations, 1)
    cg_iterations = whole("cg_iterations", cg_iterations, 1)
    alpha = positive("regularization", regularization)
    reduction = positive("reduction", reduction)
    if reduction > 1:
        raise DataError(f"reduction is {reduction}; expected a factor of at most 1")
    tolerance = at_least("tolerance", tolerance, 0)
    edge, model = joint_problem(
        kspace, coordinates=coordinates, mask=mask, weights=weights, shape=shape, eps=eps
    )
    smoothness, order = positive("smoothness", smoothness), positive("order", order)
    basis = FourierBasis(edge, model.shape, model.real, smoothness, order)
    norm = model.norm_of_data()
    if not norm > 0:
        raise DataError("kspace holds only zeros where mask is not 0")
    scale = _NORM / norm
    model.scale_data(scale)
    newton = _Newton(model, basis)
    for n in range(iterations):
        newton.step(alpha, cg_iterations, tolerance)
        alpha *= reduction
        if callback is not None and callback(n, newton.model.image.reshape(model.shape)):
            break
    return normalised(edge, model, scale)


def joint_problem(
    kspace: Any, *, coordinates: Any, mask: Any, weights: Any, shape: Any, eps: float
) -> tuple[Edge, JointModel]:
    """Checked arguments of a joint estimation as its model."""
    edge = edge_of(kspace=kspace, coordinates=coordinates, mask=mask, weights=weights)
    y = edge.complex("kspace")
    if coordinates is None and y.ndim not in (3, 4):
        raise ShapeError(f"kspace has shape {y.shape}; expected (coil, y, x) or (coil, z, y, x)")
    if coordinates is not None and shape is None:
        raise DataError("shape is None; non-Cartesian k-space needs the image's shape")
    target = y.shape[1:] if shape is None else tuple(whole("shape", n, 1) for n in shape)
    if not y.any():
        raise DataError("kspace holds only zeros")
    at = edge.arrays.get("coordinates")
    density = edge.arrays.get("weights")
    selected = edge.arrays.get("mask")
    model = JointModel(
        edge, y, tuple(target), coordinates=at, mask=selected, weights=density, eps=eps
    )
    return edge, model


def normalised(edge: Edge, model: JointModel, scale: float) -> tuple[Any, Any]:
    """Image and maps of the model's state, maps of unit norm and the image without `scale`."""
    xp = edge.xp
    maps = xp.ascontiguousarray(model.planar_maps())
    root = xp.empty(math.prod(model.shape), model.real)
    edge.kernels.combine_squares(maps.reshape(model.coils, -1), root)
    root = root.reshape(model.shape)
    image = model.image.reshape(model.shape) * (root / model.real.type(scale))
    maps /= xp.where(root > 0, root, 1)
    return edge.answer(image), edge.answer(maps)


class _Newton:
    """The state of the Gauss-Newton method: one flat vector, the image before the maps."""

    def __init__(self, model: JointModel, basis: FourierBasis):
        self.model, self.basis, xp = model, basis, model.xp
        self.box = basis.shape(model.lanes)
        self.pixels = math.prod(model.shape)
        count = self.pixels + len(model.data) * math.prod(self.box)
        self.start = xp.zeros(count, model.grid.complex)
        self.start[: self.pixels] = 1
        self.x = self.start.copy()
        self._move()

    def _split(self, x: Any) -> tuple[Any, list[Any]]:
        image = x[: self.pixels].reshape(self.model.grid.size)
        blocks = x[self.pixels :].reshape(-1, *self.box)
        return image, list(blocks)

    def _move(self) -> None:
        """Linearise the model at x."""
        image, blocks = self._split(self.x)
        self.model.image = image
        for block, maps in zip(blocks, self.model.maps, strict=True):
            self.basis.expand(block, maps)

    def _joined(self, image: Any, maps: list[Any]) -> Any:
        out = self.model.xp.empty_like(self.x)
        first, blocks = self._split(out)
        first[...] = image
        for part, block in zip(maps, blocks, strict=True):
            self.basis.reduce(part, block)
        return out

    def _normal(self, x: Any) -> Any:
        d_image, blocks = self._split(x)
        d_maps = []
        for block in blocks:
            d = self.model.grid.xp.empty((*self.model.grid.size, self.box[3]), x.dtype)
            self.basis.expand(block, d)
            d_maps.append(d)
        return self._joined(self.model.normal(d_image, d_maps), d_maps)

    def step(self, alpha: float, iterations: int, tolerance: float) -> None:
        right = self._joined(*self.model.adjoint(residual=True))
        right += self.model.real.type(alpha) * (self.start - self.x)
        operator = FromFunctions(
            self._normal, self._normal, self.x.shape, self.x.shape, kind="complex"
        )
        found = cg(
            operator,
            right,
            iterations=iterations,
            tolerance=tolerance,
            regularization=alpha,
            hermitian=True,
        )
        self.x = self.x + found.x
        self._move()
