"""ADMM: a quadratic x-step by CG, a prior's proximal operator behind a linear transform.

Boyd et al., Found. Trends Mach. Learn. 3 (2011) 1, doi:10.1561/2200000016.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from .._checks import positive, whole
from ..errors import DataError, ShapeError
from ..operators import LinearOperator
from .result import (
    Callback,
    Problem,
    Progress,
    Result,
    add_scaled,
    check_prox,
    inner,
    scale_add,
)

__all__ = ["admm"]


def admm(
    A: Any,
    y: Any,
    *,
    iterations: int,
    x0: Any = None,
    prox: Any = None,
    callback: Callback | None = None,
    tolerance: float = 0.0,
    transform: LinearOperator | None = None,
    priors: Sequence[tuple[LinearOperator, Any]] = (),
    penalty: float | Sequence[float] = 1.0,
    inner_iterations: int = 8,
) -> Result:
    """Minimise ``0.5 ||A x - y||^2 + g(K x) + sum_i g_i(K_i x)``.

    Parameters
    ----------
    A, y, iterations, x0, callback, tolerance
        As in :func:`cg`.
    prox : object with ``prox(x, step)``
        Of g, on arrays of K's range. May be left out where there are ``priors``.
    transform : LinearOperator, optional
        K; default the identity. With ``FiniteDifference`` and ``L1`` this is anisotropic TV.
    priors : sequence of (LinearOperator, prox)
        Further terms, as in :func:`pdhg`.
    penalty : float, or one per term
        Weight rho of ||K x - z||^2 / 2, first of g, then of the priors. The limit does not depend
        on it, the speed does; about ||A||^2 / ||K||^2 is a fair start.
    inner_iterations : int
        CG iterations of the x-step, each started from the former x.

    Returns
    -------
    Result
        ``residuals``: ||K x - z|| / max(||K x||, ||z||), the primal residual over all terms.

    References
    ----------
    Boyd et al., doi:10.1561/2200000016.

    Examples
    --------
    >>> gradient = prc.operators.FiniteDifference(A.domain_shape)
    >>> sparse = prc.prox.L1(0.01)
    >>> image = prc.solvers.admm(A, y, iterations=50, prox=sparse, transform=gradient).x
    """
    if check_prox(prox) is None and not priors:
        raise DataError("admm needs prox or priors; without a prior use cg or cgls")
    problem = Problem(A, y, x0)
    progress = Progress(iterations, tolerance, callback)
    steps = whole("inner_iterations", inner_iterations, 1)
    terms = _terms(problem, prox, transform, priors, penalty)
    operator = problem.operator
    x = problem.start()
    for term in terms:
        term.begin(x)

    def normal(p: Any) -> Any:
        q = operator._normal(p)
        for term in terms:
            add_scaled(q, term.rho, term.adjoint(term.forward(p)))
        return q

    data = operator._adjoint(problem.y)
    for _ in progress:
        right = data.copy()
        for term in terms:
            add_scaled(right, term.rho, term.adjoint(term.z - term.dual))
        _cg_steps(normal, right, x, steps)
        sums = [term.step(x) for term in terms]
        gap, mapped, split = (math.sqrt(sum(part)) for part in zip(*sums, strict=True))
        scale = max(mapped, split)
        progress.report(x, gap / scale if scale else 0.0)
    return progress.result(problem, x)


class _Term:
    """One g(K x): its copy z of K x, and the scaled dual variable."""

    def __init__(self, transform: LinearOperator | None, prox: Any, rho: float):
        self.transform, self.prox, self.rho = transform, prox, rho

    def forward(self, x: Any) -> Any:
        return x if self.transform is None else self.transform._forward(x)

    def adjoint(self, z: Any) -> Any:
        return z if self.transform is None else self.transform._adjoint(z)

    def begin(self, x: Any) -> None:
        mapped = self.forward(x)
        self.z, self.dual = mapped.copy(), mapped - mapped

    def step(self, x: Any) -> tuple[float, float, float]:
        """New z and dual; the squares of ||K x - z||, ||K x|| and ||z||."""
        mapped = self.forward(x)
        self.dual += mapped
        self.z = self.prox.prox(self.dual, 1 / self.rho)
        self.dual -= self.z
        gap = mapped - self.z
        return inner(gap, gap), inner(mapped, mapped), inner(self.z, self.z)


def _terms(problem: Problem, prox: Any, transform: Any, priors: Any, penalty: Any) -> list[_Term]:
    pairs = [] if prox is None else [("transform", transform, prox)]
    for i, (operator, prior) in enumerate(priors):
        if check_prox(prior, f"priors[{i}][1]") is None:
            raise DataError(f"priors[{i}] has no proximal operator")
        pairs.append((f"priors[{i}]", operator, prior))
    takes = problem.operator.domain_shape
    for name, operator, _ in pairs:
        if operator is not None and operator.domain_shape != takes:
            raise ShapeError(f"{name} takes {operator.domain_shape}, but A takes {takes}")
    weights = list(penalty) if isinstance(penalty, Sequence) else [penalty] * len(pairs)
    if len(weights) != len(pairs):
        raise DataError(f"penalty has {len(weights)} numbers for {len(pairs)} terms")
    return [
        _Term(operator, prior, positive("penalty", rho))
        for (_, operator, prior), rho in zip(pairs, weights, strict=True)
    ]


def _cg_steps(apply: Any, right: Any, x: Any, steps: int) -> None:
    """A few conjugate gradient steps on ``apply(x) = right``, in place."""
    r = right - apply(x)
    p, rr = r.copy(), inner(r, r)
    for _ in range(steps):
        q = apply(p)
        curvature = inner(p, q)
        if curvature <= 0:
            return
        alpha = rr / curvature
        add_scaled(x, alpha, p)
        add_scaled(r, -alpha, q)
        former, rr = rr, inner(r, r)
        if rr == 0:
            return
        scale_add(p, rr / former, r)
