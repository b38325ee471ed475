"""PDHG: primal-dual hybrid gradients, for priors behind linear transforms; no inner solver.

Chambolle and Pock, J. Math. Imaging Vis. 40 (2011) 120, doi:10.1007/s10851-010-0251-1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from .._checks import positive
from ..errors import DataError, ShapeError
from ..operators import FiniteDifference, LinearOperator
from .result import Callback, Problem, Progress, Result, check_prox, norm, scale_add

__all__ = ["pdhg"]


def pdhg(
    A: Any,
    y: Any,
    *,
    iterations: int,
    x0: Any = None,
    prox: Any = None,
    callback: Callback | None = None,
    tolerance: float = 0.0,
    priors: Sequence[tuple[LinearOperator, Any]] = (),
    balance: float = 1.0,
) -> Result:
    """Minimise ``0.5 ||A x - y||^2 + h(x) + sum_i g_i(K_i x)``.

    Parameters
    ----------
    A, y, iterations, x0, callback
        As in :func:`cg`.
    prox : object with ``prox(x, step)``, optional
        Of h, on the image itself (NonNegative, Box, L1).
    priors : sequence of (LinearOperator, prox)
        The pairs K_i and the proximal operator of g_i on K_i's range. ``FiniteDifference`` with
        ``GroupL1`` is isotropic TV.
    balance : float
        Larger means longer primal and shorter dual steps. Dual steps follow each operator's norm,
        so that the operators need no scaling against each other.
    tolerance : float
        Stop when x and every dual variable change by less than this in one iteration.

    Returns
    -------
    Result
        ``residuals``: the largest relative change ||v_k - v_{k-1}|| / ||v_k|| among x and the
        dual variables.

    References
    ----------
    Chambolle and Pock, doi:10.1007/s10851-010-0251-1; Pock and Chambolle,
    doi:10.1109/ICCV.2011.6126441 (a step per operator).

    Examples
    --------
    >>> gradient = prc.operators.FiniteDifference(A.domain_shape)
    >>> tv = (gradient, prc.prox.GroupL1(0.01))
    >>> nonnegative = prc.prox.NonNegative()
    >>> image = prc.solvers.pdhg(A, y, iterations=300, prox=nonnegative, priors=[tv]).x
    """
    check_prox(prox)
    problem = Problem(A, y, x0)
    progress = Progress(iterations, tolerance, callback)
    operator, data = problem.operator, problem.y
    squared = [problem.lipschitz()]
    for i, (transform, prior) in enumerate(priors):
        if check_prox(prior, f"priors[{i}][1]") is None:
            raise DataError(f"priors[{i}] has no proximal operator")
        if transform.domain_shape != operator.domain_shape:
            raise ShapeError(
                f"priors[{i}] takes {transform.domain_shape}, but A takes {operator.domain_shape}"
            )
        squared.append(1.02 * transform.norm(like=data) ** 2)
    # one dual step per operator, so that tau * sum(sigma_i ||K_i||^2) = 1 in equal parts
    length = math.sqrt(squared[0] * len(squared))
    ratio = math.sqrt(positive("balance", balance))
    tau, sigma = ratio / length, 1 / (ratio * length)
    sigmas = [sigma * squared[0] / norm2 if norm2 else sigma for norm2 in squared[1:]]

    x = problem.start()
    ahead = x
    dual = problem.xp.zeros_like(data)
    duals = [problem.xp.zeros_like(transform._forward(x)) for transform, _ in priors]
    for _ in progress:
        r = operator._forward(ahead)
        r -= data
        scale_add(r, sigma, dual)
        r *= 1 / (1 + sigma)
        change, dual = _change(dual, r), r
        descent = operator._adjoint(dual)
        for i, (transform, prior) in enumerate(priors):
            duals[i], moved = _ascend(transform, prior, ahead, sigmas[i], duals[i])
            change = max(change, moved)
            descent += transform._adjoint(duals[i])
        scale_add(descent, -tau, x)
        new = descent if prox is None else prox.prox(descent, tau)
        ahead = new - x
        change = max(change, _relative(norm(ahead), norm(new)))
        ahead += new
        x = new
        progress.report(x, change)
    return progress.result(problem, x)


def _ascend(
    transform: LinearOperator, prior: Any, ahead: Any, step: float, dual: Any
) -> tuple[Any, float]:
    """The prior's dual step, and the relative change of its dual variable."""
    ball = getattr(prior, "dual_ball", None)
    if (
        ball is not None
        and isinstance(transform, FiniteDifference)
        and transform.compiled_for(ahead)
    ):
        radius, isotropic = ball
        changed, size = transform.ascend(ahead, step, radius, isotropic, dual)
        return dual, _relative(changed, size)
    q = transform._forward(ahead)
    scale_add(q, step, dual)
    q -= step * prior.prox(q / step, 1 / step)  # Moreau: the prox of g's conjugate
    return q, _change(dual, q)


def _change(former: Any, new: Any) -> float:
    return _relative(norm(new - former), norm(new))


def _relative(step: float, size: float) -> float:
    return step / size if size else float(step > 0)
