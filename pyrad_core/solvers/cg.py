"""Conjugate gradients on the normal equations (CG) and on the least squares problem (CGLS).

Hestenes and Stiefel, J. Res. Natl. Bur. Stand. 49 (1952) 409, doi:10.6028/jres.049.044.
"""

from __future__ import annotations

from typing import Any

from .._checks import at_least
from ..errors import ShapeError
from .result import (
    Callback,
    Problem,
    Progress,
    Result,
    add_scaled,
    inner,
    no_prox,
    rounding,
    scale_add,
)

__all__ = ["cg", "cgls"]


def cg(
    A: Any,
    y: Any,
    *,
    iterations: int,
    x0: Any = None,
    prox: None = None,
    callback: Callback | None = None,
    tolerance: float = 0.0,
    regularization: float = 0.0,
    hermitian: bool = False,
) -> Result:
    """Solve ``(A^H A + regularization) x = A^H y``, or ``(A + regularization) x = y``.

    Parameters
    ----------
    A : LinearOperator
        Any operator; A^H A runs on its fastest route (Toeplitz where the operator has one).
    y : array, ``A.range_shape``
        Real or complex, finite.
    iterations : int
        At most this many.
    x0 : array, ``A.domain_shape``, optional
        Start; default zero.
    prox
        Not available here: the problem is quadratic.
    callback : callable, optional
        ``callback(k, x, residual)`` after every iteration; True stops.
    tolerance : float
        Stop when the residual falls to this.
    regularization : float
        Weight of ||x||^2, >= 0.
    hermitian : bool
        A itself is Hermitian and positive semi-definite: solve with it, not with A^H A.

    Returns
    -------
    Result
        ``residuals``: norm of the equations' residual relative to their right-hand side.

    Raises
    ------
    DataError
        ``iterations`` < 1, NaN in y, a prox.
    ShapeError
        y or x0 does not fit A; a Hermitian A with two shapes.

    References
    ----------
    Hestenes and Stiefel, doi:10.6028/jres.049.044.

    Examples
    --------
    >>> image = prc.solvers.cg(A, y, iterations=20, regularization=1e-3).x
    """
    no_prox("cg", prox)
    problem = Problem(A, y, x0)
    progress = Progress(iterations, tolerance, callback)
    weight = at_least("regularization", regularization, 0)
    operator = problem.operator
    if hermitian and operator.domain_shape != operator.range_shape:
        raise ShapeError(f"{operator!r} cannot be hermitian: its two shapes differ")

    def apply(p: Any) -> Any:
        q = operator._forward(p) if hermitian else operator._normal(p)
        if weight:
            add_scaled(q, weight, p)
        return q

    x = problem.start()
    r = problem.y.copy() if hermitian else operator._adjoint(problem.y)
    scale = inner(r, r)
    if not problem.starts_at_zero:
        r -= apply(x)
    p, rr = r.copy(), inner(r, r)
    exhausted = rounding(r) ** 2 * scale
    for _ in progress:
        if rr <= exhausted:
            progress.report(x, (rr / (scale or 1.0)) ** 0.5, solved=True)
            continue
        q = apply(p)
        curvature = inner(p, q)
        if curvature <= 0:  # p lies in the null space: x cannot be improved
            progress.report(x, (rr / scale) ** 0.5, solved=True)
            continue
        alpha = rr / curvature
        add_scaled(x, alpha, p)
        add_scaled(r, -alpha, q)
        former, rr = rr, inner(r, r)
        scale_add(p, rr / former, r)
        progress.report(x, (rr / scale) ** 0.5)
    return progress.result(problem, x)


def cgls(
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
    """Minimise ``||A x - y||^2 + regularization ||x||^2``, one forward and one adjoint each.

    Steps are those of :func:`cg`, but the residual in the range is carried along, which keeps
    more digits where A is badly conditioned. Arguments as there.

    Returns
    -------
    Result
        ``residuals``: ||y - A x|| / ||y||; they do not grow where ``regularization`` is 0.

    References
    ----------
    Bjorck, Numerical Methods for Least Squares Problems (1996), doi:10.1137/1.9781611971484.

    Examples
    --------
    >>> image = prc.solvers.cgls(projector, sinogram, iterations=20).x
    """
    no_prox("cgls", prox)
    problem = Problem(A, y, x0)
    progress = Progress(iterations, tolerance, callback)
    weight = at_least("regularization", regularization, 0)
    operator = problem.operator
    x = problem.start()
    r = problem.y.copy()
    length = inner(r, r) ** 0.5 or 1.0
    if not problem.starts_at_zero:
        r -= operator._forward(x)

    def gradient() -> Any:
        s = operator._adjoint(r)
        if weight:
            add_scaled(s, -weight, x)
        return s

    p = gradient().copy()
    gamma = inner(p, p)
    exhausted = rounding(p) ** 2 * gamma
    for _ in progress:
        if gamma <= exhausted:
            progress.report(x, inner(r, r) ** 0.5 / length, solved=True)
            continue
        q = operator._forward(p)
        curvature = inner(q, q) + weight * inner(p, p)
        if curvature == 0.0:
            progress.report(x, inner(r, r) ** 0.5 / length, solved=True)
            continue
        alpha = gamma / curvature
        add_scaled(x, alpha, p)
        add_scaled(r, -alpha, q)
        s = gradient()
        former, gamma = gamma, inner(s, s)
        scale_add(p, gamma / former, s)
        progress.report(x, inner(r, r) ** 0.5 / length)
    return progress.result(problem, x)
