"""Total variation as a proximal operator."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .._checks import at_least, whole
from .._kernels.select import Edge
from ..denoise import tv
from ..errors import DataError
from ..operators import FiniteDifference
from .base import Prox, total
from .elementwise import Box

__all__ = ["TV"]

_CHECK_EVERY = 12  # iterations of the constrained solve between two looks at the gap
# tau sigma ||D||^2, the first tau and the convexity, as of denoise.tv
_STEP_GAIN, _FIRST_TAU, _CONVEXITY = 1.3, 4.0, 0.35


class TV(Prox):
    """``weight * TV(x)``, solved by :func:`denoise.tv`; real and imaginary part share edges.

    The dual field of one call is the start of the next, so that inside a solver a few iterations
    are enough.

    Parameters
    ----------
    weight : float
        >= 0.
    tol : float
        Relative duality gap of every solve.
    max_iterations : int
        Of every solve.
    spacing : float or one per axis
        Voxel size.
    isotropic : bool
        Euclidean length of the gradient, or (False) the sum of its absolute components.
    within : Prox, optional
        A projection (NonNegative, Box, Support): the function is then ``weight * TV(x)`` inside
        that set and infinite outside, and its exact proximal operator is computed, which is not
        TV followed by the projection. Real x only.

    References
    ----------
    Chambolle, Pock, J. Math. Imaging Vis. 40 (2011) 120, doi:10.1007/s10851-010-0251-1
    (algorithm 2); Beck, Teboulle, doi:10.1109/TIP.2009.2028250 (constrained TV).
    """

    def __init__(
        self,
        weight: float,
        *,
        tol: float = 1e-4,
        max_iterations: int = 100,
        spacing: Any = 1.0,
        isotropic: bool = True,
        within: Prox | None = None,
    ):
        self.weight = at_least("weight", weight, 0)
        self._options = {
            "tol": at_least("tol", tol, 0),
            "max_iterations": whole("max_iterations", max_iterations, 1),
            "spacing": spacing,
            "isotropic": bool(isotropic),
        }
        if within is not None and not isinstance(within, Box):
            raise DataError(
                f"within is a {type(within).__name__}; expected NonNegative, Box or Support"
            )
        self.within = within
        self._dual: Any = None
        self._dual_of: Any = None

    def _prox(self, edge: Edge, x: Any, step: float) -> Any:
        weight = self.weight * step
        if weight == 0:
            return x.copy() if self.within is None else self.within.prox(x)
        place = (x.shape, x.dtype, edge.on_gpu)
        start = self._dual if place == self._dual_of else None
        if self.within is not None:
            if start is None:
                start = edge.xp.zeros((x.ndim, *x.shape), x.dtype)
            self._dual, self._dual_of = start, place
            return _ConstrainedTV(edge, x, weight, self.within, self._options).solve(start)
        result, info = tv(x, weight=weight, dual=start, return_info=True, **self._options)
        self._dual, self._dual_of = info.dual, place
        return result

    def _value(self, edge: Edge, x: Any) -> float:
        inside = 0.0 if self.within is None else self.within.value(x)
        gradient = _difference(x.shape, self._options["spacing"])._forward(x)
        return inside + self.weight * _length(edge.xp, gradient, self._options["isotropic"])


def _difference(shape: tuple[int, ...], spacing: Any) -> FiniteDifference:
    return FiniteDifference(shape, spacing=spacing if np.ndim(spacing) == 0 else tuple(spacing))


def _length(xp: Any, gradient: Any, isotropic: bool) -> float:
    """Sum of the gradient's lengths."""
    if gradient.dtype.kind == "c":
        squares = gradient.real**2 + gradient.imag**2
    else:
        squares = gradient * gradient
    return total(xp.sqrt(squares.sum(axis=0) if isotropic else squares))


class _ConstrainedTV:
    """Accelerated primal-dual gradients for ``0.5 ||u - f||^2 + weight TV(u)`` over u in a set.

    The dual field q, |q| <= weight, belongs to u = P(f - D^T q), P the projection onto the set.
    """

    def __init__(self, edge: Edge, f: Any, weight: float, within: Any, options: dict[str, Any]):
        if f.dtype.kind == "c":
            raise DataError(f"TV within a set works on real data; x has dtype {f.dtype}")
        self.xp, self.f, self.weight, self.within = edge.xp, f, weight, within
        self.options = options
        self.difference = _difference(f.shape, options["spacing"])

    def solve(self, dual: Any) -> Any:
        """The minimiser to the options' relative gap; ``dual`` is the start and ends as the end."""
        tolerance, limit = self.options["tol"], self.options["max_iterations"]
        isotropic = self.options["isotropic"]
        product = _STEP_GAIN / (self.difference.norm() ** 2 or 4.0)
        tau = _FIRST_TAU
        u = self.image(dual)
        ahead = u
        for k in range(1, limit + 1):
            self.difference.ascend(ahead, product / tau, self.weight, isotropic, dual)
            new = self.difference._adjoint(dual)
            self.xp.subtract(self.f, new, out=new)
            new *= tau
            new += u
            new *= 1 / (1 + tau)
            new = self.within.prox(new)
            theta = 1 / math.sqrt(1 + 2 * _CONVEXITY * tau)
            tau *= theta
            ahead = new - u
            ahead *= theta
            ahead += new
            u = new
            if k % _CHECK_EVERY == 0 and tolerance > 0 and self.gap(u, dual) <= tolerance:
                break
        return u

    def image(self, dual: Any) -> Any:
        back = self.difference._adjoint(dual)
        self.xp.subtract(self.f, back, out=back)
        return self.within.prox(back)

    def gap(self, u: Any, dual: Any) -> float:
        """Duality gap relative to the objective at u."""
        length = _length(self.xp, self.difference._forward(u), self.options["isotropic"])
        primal = 0.5 * total((u - self.f) ** 2) + self.weight * length
        back = self.difference._adjoint(dual)
        best = self.within.prox(self.f - back)
        lower = 0.5 * total((best - self.f) ** 2) + total(best * back)
        return (primal - lower) / primal if primal > 0 else 0.0
