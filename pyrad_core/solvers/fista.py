"""FISTA and POGM: accelerated proximal gradients with adaptive restart.

Beck and Teboulle, SIAM J. Imaging Sci. 2 (2009) 183, doi:10.1137/080716542;
O'Donoghue and Candes, Found. Comput. Math. 15 (2015) 715, doi:10.1007/s10208-013-9150-3;
Taylor, Hendrickx and Glineur, SIAM J. Optim. 27 (2017) 1283, doi:10.1137/16M108104X;
Kim and Fessler, J. Optim. Theory Appl. 178 (2018) 240, doi:10.1007/s10957-018-1287-4.
"""

from __future__ import annotations

import math
from typing import Any

from .._checks import positive
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

__all__ = ["fista", "pogm"]


def fista(
    A: Any,
    y: Any,
    *,
    iterations: int,
    x0: Any = None,
    prox: Any = None,
    callback: Callback | None = None,
    tolerance: float = 0.0,
    step: float | None = None,
    restart: bool = True,
) -> Result:
    """Minimise ``0.5 ||A x - y||^2 + g(x)``, where ``prox`` is the proximal operator of g.

    Parameters
    ----------
    A, y, iterations, x0, callback, tolerance
        As in :func:`cg`.
    prox : object with ``prox(x, step)``, optional
        For example ``L1(weight)``, ``TV(weight)``, ``WaveletL1(weight)``, ``NonNegative()``.
    step : float, optional
        Default 1 / ||A||^2, with the norm from a power iteration.
    restart : bool
        Drop the momentum whenever it points uphill.

    Returns
    -------
    Result
        ``residuals``: ||A z - y|| / ||y|| at the point z where the gradient was taken.

    References
    ----------
    Beck and Teboulle, doi:10.1137/080716542; O'Donoghue and Candes,
    doi:10.1007/s10208-013-9150-3.

    Examples
    --------
    >>> image = prc.solvers.fista(sense, kspace, iterations=50, prox=prc.prox.WaveletL1(1e-3)).x
    """
    check_prox(prox)
    problem = Problem(A, y, x0)
    progress = Progress(iterations, tolerance, callback)
    length = _step(problem, step)
    smooth = _LeastSquares(problem)
    x, momentum = problem.start(), 1.0
    z = x.copy()
    for _ in progress:
        gradient, residual = smooth.gradient(z)
        scale_add(gradient, -length, z)
        new = gradient if prox is None else prox.prox(gradient, length)
        difference = new - x
        z -= new
        if restart and inner(z, difference) > 0:
            momentum = 1.0
        former, momentum = momentum, 0.5 * (1 + math.sqrt(1 + 4 * momentum**2))
        scale_add(difference, (former - 1) / momentum, new)
        z = difference
        x = new
        progress.report(x, residual)
    return progress.result(problem, x)


def pogm(
    A: Any,
    y: Any,
    *,
    iterations: int,
    x0: Any = None,
    prox: Any = None,
    callback: Callback | None = None,
    tolerance: float = 0.0,
    step: float | None = None,
    restart: bool = True,
) -> Result:
    """Proximal optimised gradient method: FISTA's problem, about half its worst-case bound.

    Arguments and ``residuals`` as in :func:`fista`; z is the iterate itself here.

    References
    ----------
    Taylor, Hendrickx and Glineur, doi:10.1137/16M108104X; Kim and Fessler,
    doi:10.1007/s10957-018-1287-4 (restart).

    Examples
    --------
    >>> image = prc.solvers.pogm(sense, kspace, iterations=40, prox=prc.prox.WaveletL1(1e-3)).x
    """
    check_prox(prox)
    problem = Problem(A, y, x0)
    progress = Progress(iterations, tolerance, callback)
    length = _step(problem, step)
    smooth = _LeastSquares(problem)
    x, theta, gamma = problem.start(), 1.0, length
    w, z = x.copy(), x.copy()
    momentum_end = None  # where the composite gradient step of the former iteration ended
    for k in progress:
        gradient, residual = smooth.gradient(x)
        former = theta
        last = k == progress.limit
        theta = 0.5 * (1 + math.sqrt(1 + (8 if last else 4) * former**2))
        gradient_step = x - length * gradient
        # z <- combination of the last two gradient steps, the iterate and the former z
        z -= x
        scale_add(z, (former - 1) * length / (gamma * theta), gradient_step)
        add_scaled(z, (former - 1) / theta, gradient_step - w)
        add_scaled(z, former / theta, gradient_step - x)
        gamma = length * (2 * former + theta - 1) / theta
        new = z.copy() if prox is None else prox.prox(z, gamma)
        # the composite gradient at new decides about a restart
        gradient += (z - new) / gamma
        end = x - length * gradient
        if restart and momentum_end is not None and inner(gradient, end - momentum_end) > 0:
            theta, gamma = 1.0, length
            gradient_step, z = new.copy(), new.copy()
        momentum_end, w, x = end, gradient_step, new
        progress.report(x, residual)
    return progress.result(problem, x)


def _step(problem: Problem, step: float | None) -> float:
    return 1 / problem.lipschitz() if step is None else positive("step", step)


class _LeastSquares:
    """Gradient of 0.5 ||A x - y||^2, through A^H A where that is the fast route."""

    def __init__(self, problem: Problem):
        self.operator, self.y = problem.operator, problem.y
        self.length = norm(self.y) or 1.0
        fast = self.operator.fast_normal
        self.back_projected = self.operator._adjoint(self.y) if fast else None

    def gradient(self, x: Any) -> tuple[Any, float]:
        """(A^H (A x - y), ||A x - y|| / ||y||)."""
        if self.back_projected is None:
            r = self.operator._forward(x)
            r -= self.y
            return self.operator._adjoint(r), norm(r) / self.length
        normal = self.operator._normal(x)
        squared = inner(x, normal) - 2 * inner(x, self.back_projected) + self.length**2
        normal -= self.back_projected
        return normal, math.sqrt(max(squared, 0.0)) / self.length
