"""Total variation as a proximal operator."""

from __future__ import annotations

from typing import Any

from .._checks import at_least, whole
from .._kernels.select import Edge
from ..denoise import tv
from ..errors import DataError
from .base import Prox
from .elementwise import Box, Support

__all__ = ["TV"]


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
        bounds = None if self.within is None else _bounds(edge, x, self.within)
        result, info = tv(
            x, weight=weight, bounds=bounds, dual=start, return_info=True, **self._options
        )
        self._dual, self._dual_of = info.dual, place
        return result

    def _value(self, edge: Edge, x: Any) -> float:
        inside = 0.0 if self.within is None else self.within.value(x)
        where = {key: self._options[key] for key in ("spacing", "isotropic")}
        # no iteration: the image itself, whose distance to itself is 0
        _, start = tv(x, weight=self.weight, max_iterations=0, return_info=True, **where)
        return inside + start.primal


def _bounds(edge: Edge, x: Any, within: Box) -> tuple[Any, Any]:
    """Low and high of a set: numbers, or arrays that are 0 outside of a support."""
    if x.dtype.kind == "c":
        raise DataError(f"TV within a set works on real data; x has dtype {x.dtype}")
    if not isinstance(within, Support):
        return within.low, within.high
    within.fit(x)
    zero = x.dtype.type(0)
    low, high = (
        edge.xp.where(within.mask, x.dtype.type(v), zero) for v in (within.low, within.high)
    )
    return low, high
