"""A data term with priors: weights in units of the data, the solver, the objective."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import solvers
from .._checks import choice
from ..errors import DataError
from ..operators import Identity, LinearOperator
from ..solvers import Result
from ..solvers.result import norm
from ._priors import Term, choose_solver

__all__ = ["ReconInfo", "Regularised"]


@dataclass
class ReconInfo:
    """How a regularised reconstruction ended.

    Attributes
    ----------
    objective : ndarray, float64, shape (iterations,)
        ``0.5 ||A x - y||^2 + sum_i weight_i g_i(x)`` after every iteration.
    residuals : ndarray, float64
        One number per iteration, as the solver's docstring says.
    iterations : int
    stop_reason : {"iterations", "tolerance", "callback", "diverged"}
    solver : str
        The one that ran.
    weights : tuple of float
        Absolute weights of the priors.
    """

    objective: np.ndarray
    residuals: np.ndarray
    iterations: int
    stop_reason: str
    solver: str
    weights: tuple[float, ...]


@dataclass
class Regularised:
    """``0.5 ||operator x - y||^2`` and whatever priors are added; ``bound`` >= ||operator||^2 where
    one is known."""

    operator: LinearOperator
    y: Any
    bound: float | None

    def unit(self, scale: str) -> float:
        """What a prior's weight is multiplied by."""
        if choice("scale", scale, ("relative", "absolute")) == "absolute":
            return 1.0
        return float(abs(self.operator._adjoint(self.y)).max())

    def minimise(
        self,
        terms: Sequence[Term],
        *,
        solver: str | None,
        rho: float,
        return_info: bool,
        callback: Any,
        **loop: Any,
    ) -> tuple[Any, ReconInfo | None]:
        """The minimiser, and how it was found where asked for."""
        chosen = choose_solver(solver, terms)
        objective = _Objective(self, terms) if return_info else None
        loop["callback"] = _both(objective, callback)
        result = self._run(chosen, terms, rho, loop)
        if objective is None:
            return result.x, None
        weights = tuple(term.weight for term in terms)
        values = np.array(objective.values)
        ends = result.residuals, result.iterations, result.stop_reason
        return result.x, ReconInfo(values, *ends, chosen, weights)

    def _run(self, solver: str, terms: Sequence[Term], rho: float, loop: dict[str, Any]) -> Result:
        operator, y = self.operator, self.y
        if solver in ("fista", "pogm"):
            step = None if self.bound is None else 1 / self.bound
            return getattr(solvers, solver)(operator, y, prox=terms[0].prox, step=step, **loop)
        if solver == "admm":
            bound = 1.02 * operator.norm(like=y) ** 2 if self.bound is None else self.bound
            pairs: list[Any] = [term.behind or (None, term.prox) for term in terms]
            norms = [1.0 if k is None else k.norm(like=y) ** 2 for k, _ in pairs]
            weights = [rho * bound / (norm2 or 1.0) for norm2 in norms]
            return solvers.admm(operator, y, priors=pairs, penalty=weights, **loop)
        direct = [term for term in terms if term.behind is None][:1]
        identity = Identity(operator.domain_shape)
        rest = [term.behind or (identity, term.prox) for term in terms if term not in direct]
        prox = direct[0].prox if direct else None
        return solvers.pdhg(operator, y, prox=prox, priors=rest, **loop)


class _Objective:
    """Records the objective after every iteration."""

    def __init__(self, data: Regularised, terms: Sequence[Term]):
        self.data, self.terms = data, terms
        self.values: list[float] = []

    def __call__(self, _: int, x: Any, __: float) -> None:
        residual = self.data.operator._forward(x)
        residual -= self.data.y
        fit = 0.5 * norm(residual) ** 2
        self.values.append(fit + sum(term.value(x) for term in self.terms))


def _both(first: Any, second: Callable | None) -> Any:
    """Calls both after every iteration; the second one may stop."""
    if first is None or second is None:
        return first or second
    if not callable(second):
        raise DataError(f"callback is a {type(second).__name__}; expected a callable or None")

    def call(k: int, x: Any, residual: float) -> Any:
        first(k, x, residual)
        return second(k, x, residual)

    return call
