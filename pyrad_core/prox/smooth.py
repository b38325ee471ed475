"""Edge-preserving penalties with a gradient: quadratic for small differences, linear for large."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .._checks import at_least, choice, positive
from .._kernels.select import edge_of
from ..errors import DataError, ShapeError

__all__ = ["EdgePreserving"]


class EdgePreserving:
    """``weight * sum psi(differences of neighbours)``, a smooth convex penalty.

    Differences between neighbours within ``delta`` are smoothed like by a quadratic penalty,
    larger ones (edges) only as much as by total variation. ::

        "hyperbola"  psi(t) = delta^2 (sqrt(1 + (t / delta)^2) - 1)
        "huber"      psi(t) = t^2 / 2 up to delta, delta |t| - delta^2 / 2 beyond

    Parameters
    ----------
    weight : float
        >= 0.
    delta : float
        Difference above which a step counts as an edge, > 0, in units of x over ``spacing``.
    potential : {"hyperbola", "huber"}
    spacing : float or one per axis
        Voxel size; differences are divided by it.
    isotropic : bool
        psi of the gradient's length, or (False) the sum of psi over its components.

    Notes
    -----
    Real arrays of one to three dimensions. ``weight / delta`` times this is total variation in
    the limit of a small delta.

    References
    ----------
    Charbonnier et al., IEEE Trans. Image Process. 6 (1997) 298, doi:10.1109/83.551699;
    Huber, Ann. Math. Stat. 35 (1964) 73, doi:10.1214/aoms/1177703732.

    Examples
    --------
    >>> import numpy as np
    >>> EdgePreserving(1.0, 0.1).gradient(np.array([0.0, 0.0, 5.0])).round(3)
    array([ 0. , -0.1,  0.1])
    """

    def __init__(
        self,
        weight: float,
        delta: float,
        *,
        potential: str = "hyperbola",
        spacing: Any = 1.0,
        isotropic: bool = False,
    ):
        self.weight = at_least("weight", weight, 0)
        self.delta = positive("delta", delta)
        self.potential = choice("potential", potential, ("hyperbola", "huber"))
        self.spacing = tuple(positive("spacing", h) for h in np.atleast_1d(spacing))
        self.isotropic = bool(isotropic)

    def value(self, x: Any) -> float:
        """The penalty, in double precision."""
        edge = edge_of(x=x)
        image = edge.real("x", finite=False)
        xp = edge.xp
        inverse = self._inverse_spacing(image)
        field = xp.empty((image.ndim, *image.shape), image.dtype)
        grid = _grid(image)
        edge.kernels.difference(image.reshape(grid), inverse, field.reshape(image.ndim, *grid))
        squares = field.astype(np.float64) ** 2
        if self.isotropic:
            squares = squares.sum(axis=0)
        delta = self.delta
        if self.potential == "hyperbola":
            return self.weight * delta * float((xp.sqrt(squares + delta**2) - delta).sum())
        length = xp.sqrt(squares)
        psi = xp.where(length <= delta, 0.5 * squares, delta * length - 0.5 * delta**2)
        return self.weight * float(psi.sum())

    def gradient(self, x: Any) -> Any:
        """Gradient at x, an array like x."""
        edge = edge_of(x=x)
        image = edge.real("x", finite=False)
        out = edge.xp.zeros_like(image)
        self.add_gradient(image, out)
        return edge.answer(out)

    def add_gradient(self, x: Any, out: Any, scale: float = 1.0) -> None:
        """out += scale * gradient at x, in place; both contiguous, of one dtype."""
        kernels = edge_of(x=x, out=out).kernels
        grid = _grid(x)
        huber = self.potential == "huber"
        arguments = (self._inverse_spacing(x), self.delta, huber, self.isotropic)
        kernels.roughness_gradient(
            x.reshape(grid), *arguments, scale * self.weight, out.reshape(grid)
        )

    def curvature(self, shape: tuple[int, ...]) -> float:
        """Upper bound of the diagonal of a separable quadratic above the penalty."""
        steps = self._steps(len(shape))
        return (
            4
            * self.weight
            * math.fsum(1 / h**2 for h, n in zip(steps, shape, strict=True) if n > 1)
        )

    def _inverse_spacing(self, x: Any) -> list[float]:
        if x.dtype.kind != "f" or not 1 <= x.ndim <= 3:
            raise DataError(f"x has dtype {x.dtype}, shape {x.shape}; expected 1D to 3D real data")
        return [1 / h for h in self._steps(x.ndim)]

    def _steps(self, ndim: int) -> tuple[float, ...]:
        if len(self.spacing) == 1:
            return self.spacing * ndim
        if len(self.spacing) != ndim:
            raise ShapeError(f"spacing has {len(self.spacing)} values, but x has {ndim} axes")
        return self.spacing


def _grid(x: Any) -> tuple[int, ...]:
    return (1,) * (3 - x.ndim) + tuple(x.shape)
