"""What all proximal operators share."""

from __future__ import annotations

from typing import Any

from .._checks import at_least
from .._kernels.select import Edge, edge_of
from ..operators.base import take_kind

__all__ = ["Prox", "total"]


class Prox:
    """A convex function g through its proximal operator.

    A subclass implements ``_prox(edge, x, step)`` and ``_value(edge, x)`` on contiguous arrays of
    float32, float64, complex64 or complex128 and keeps the precision. x is not written to. NaN in
    x is not looked for: solvers watch their residual.
    """

    def prox(self, x: Any, step: float = 1.0) -> Any:
        """argmin_u ``0.5 ||u - x||^2 + step g(u)``, an array like x; ``step`` >= 0."""
        edge = edge_of(x=x)
        size = at_least("step", step, 0)
        return edge.answer(self._prox(edge, _take(edge), size))

    def value(self, x: Any) -> float:
        """g(x), in double precision."""
        edge = edge_of(x=x)
        return self._value(edge, _take(edge))

    def _prox(self, edge: Edge, x: Any, step: float) -> Any:
        raise NotImplementedError(f"{type(self).__name__} has no prox")

    def _value(self, edge: Edge, x: Any) -> float:
        raise NotImplementedError(f"{type(self).__name__} has no value")


def total(values: Any) -> float:
    """Sum in double precision."""
    return float(values.sum(dtype="float64"))


def _take(edge: Edge) -> Any:
    return take_kind(edge, "x", "any", finite=False)
