"""LSQR: least squares by Golub-Kahan bidiagonalisation.

Paige and Saunders, ACM Trans. Math. Softw. 8 (1982) 43, doi:10.1145/355984.355989.
"""

from __future__ import annotations

import math
from typing import Any

from .._checks import at_least
from .result import (
    Callback,
    Problem,
    Progress,
    Result,
    add_scaled,
    no_prox,
    norm,
    rounding,
    scale_add,
)

__all__ = ["lsqr"]


def lsqr(
    A: Any,
    y: Any,
    *,
    iterations: int,
    x0: Any = None,
    prox: None = None,
    callback: Callback | None = None,
    tolerance: float = 0.0,
    regularization: float = 0.0,
) -> Result:
    """Minimise ``||A x - y||^2 + regularization ||x - x0||^2``.

    Equal to :func:`cgls` in exact arithmetic (for x0 = 0), and the better behaved of the two on
    very badly conditioned operators. Arguments as in :func:`cg`.

    Returns
    -------
    Result
        ``residuals``: the root of the objective relative to ||y||, which never grows.

    References
    ----------
    Paige and Saunders, doi:10.1145/355984.355989.

    Examples
    --------
    >>> result = prc.solvers.lsqr(A, y, iterations=30, tolerance=1e-4)
    >>> image, why = result.x, result.stop_reason
    """
    no_prox("lsqr", prox)
    problem = Problem(A, y, x0)
    progress = Progress(iterations, tolerance, callback)
    damping = math.sqrt(at_least("regularization", regularization, 0))
    operator = problem.operator
    x = problem.start()
    u = problem.y.copy()
    length = norm(u) or 1.0
    if not problem.starts_at_zero:
        u -= operator._forward(x)
    beta = _normalise(u)
    v = operator._adjoint(u).copy()
    alpha = _normalise(v)
    w, rho_bar, phi_bar, done = v.copy(), alpha, beta, 0.0
    spent, least = alpha == 0, rounding(v) * alpha
    for _ in progress:
        if spent:  # what is left of the Krylov space is rounding
            progress.report(x, math.hypot(phi_bar, done) / length, solved=True)
            continue
        scale_add(u, -alpha, operator._forward(v))
        beta = _normalise(u)
        scale_add(v, -beta, operator._adjoint(u))
        alpha = _normalise(v)
        spent = min(alpha, beta) <= least
        # one rotation removes the damping, the next the subdiagonal
        rho_damped = math.hypot(rho_bar, damping)
        done = math.hypot(done, damping / rho_damped * phi_bar)
        phi_bar *= rho_bar / rho_damped
        rho = math.hypot(rho_damped, beta)
        cos, sin = rho_damped / rho, beta / rho
        theta, rho_bar = sin * alpha, -cos * alpha
        phi, phi_bar = cos * phi_bar, sin * phi_bar
        add_scaled(x, phi / rho, w)
        scale_add(w, -theta / rho, v)
        progress.report(x, math.hypot(phi_bar, done) / length)
    return progress.result(problem, x)


def _normalise(vector: Any) -> float:
    length = norm(vector)
    if length:
        vector *= 1 / length
    return length
