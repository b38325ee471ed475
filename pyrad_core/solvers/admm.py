"""ADMM: a quadratic x-step by CG, a prior's proximal operator behind a linear transform.

Boyd et al., Found. Trends Mach. Learn. 3 (2011) 1, doi:10.1561/2200000016.
"""

from __future__ import annotations

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
    norm,
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
    penalty: float = 1.0,
    inner_iterations: int = 8,
) -> Result:
    """Minimise ``0.5 ||A x - y||^2 + g(K x)``, where ``prox`` is the proximal operator of g.

    Parameters
    ----------
    A, y, iterations, x0, callback, tolerance
        As in :func:`cg`.
    prox : object with ``prox(x, step)``
        Of g, on arrays of K's range.
    transform : LinearOperator, optional
        K; default the identity. With ``FiniteDifference`` and ``L1`` this is anisotropic TV.
    penalty : float
        Weight rho of ||K x - z||^2 / 2. The limit does not depend on it, the speed does; about
        ||A||^2 / ||K||^2 is a fair start.
    inner_iterations : int
        CG iterations of the x-step, each started from the former x.

    Returns
    -------
    Result
        ``residuals``: ||K x - z|| / max(||K x||, ||z||), the primal residual.

    References
    ----------
    Boyd et al., doi:10.1561/2200000016.

    Examples
    --------
    >>> admm(A, y, iterations=50, prox=L1(0.01), transform=FiniteDifference(A.domain_shape)).x
    """
    if check_prox(prox) is None:
        raise DataError("admm needs prox; without a prior use cg or cgls")
    problem = Problem(A, y, x0)
    progress = Progress(iterations, tolerance, callback)
    rho = positive("penalty", penalty)
    steps = whole("inner_iterations", inner_iterations, 1)
    operator = problem.operator
    if transform is not None and transform.domain_shape != operator.domain_shape:
        raise ShapeError(
            f"transform takes {transform.domain_shape}, but A takes {operator.domain_shape}"
        )
    forward = transform._forward if transform is not None else lambda x: x.copy()
    adjoint = transform._adjoint if transform is not None else lambda z: z

    def normal(p: Any) -> Any:
        q = operator._normal(p)
        add_scaled(q, rho, adjoint(forward(p)))
        return q

    x = problem.start()
    data = operator._adjoint(problem.y)
    mapped = forward(x)
    z, dual = mapped.copy(), problem.xp.zeros_like(mapped)
    for _ in progress:
        right = data + rho * adjoint(z - dual)
        _cg_steps(normal, right, x, steps)
        mapped = forward(x)
        dual += mapped
        z = prox.prox(dual, 1 / rho)
        dual -= z
        gap, scale = norm(mapped - z), max(norm(mapped), norm(z))
        progress.report(x, gap / scale if scale else 0.0)
    return progress.result(problem, x)


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
