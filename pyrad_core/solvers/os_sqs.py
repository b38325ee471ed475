"""Ordered subsets of separable quadratic surrogates with Nesterov's momentum (PWLS for CT).

Every step divides the gradient by the diagonal of a quadratic that lies above the objective,

    D = diag(A^T W A 1) + curvature of the penalty,

takes the data part from one subset of the views, M times enlarged, and adds momentum.

Erdogan and Fessler, Phys. Med. Biol. 44 (1999) 2835, doi:10.1088/0031-9155/44/11/311;
Nesterov, Math. Program. 103 (2005) 127, doi:10.1007/s10107-004-0552-5;
Kim, Ramani and Fessler, IEEE Trans. Med. Imaging 34 (2015) 167, doi:10.1109/TMI.2014.2350962.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .._checks import at_least
from .._kernels.select import edge_of
from ..errors import DataError, ShapeError
from .result import Callback, Problem, Progress, Result, check_prox, floor_of, inner, no_prox
from .sirt import weighted_norm
from .subsets import Subset, Subsets

__all__ = ["os_sqs", "support_of"]


def os_sqs(
    A: Any,
    y: Any,
    *,
    iterations: int,
    subsets: int | Sequence[Any] = 1,
    order: str = "bit_reversed",
    weights: Any = None,
    penalty: Any = None,
    x0: Any = None,
    prox: Any = None,
    support: Any = None,
    callback: Callback | None = None,
    tolerance: float = 0.0,
    momentum: bool = True,
    relaxation: float = 0.0,
) -> Result:
    """Minimise ``0.5 (y - A x)^T W (y - A x) + R(x)``, with bounds on x.

    Parameters
    ----------
    A : LinearOperator
        Real, without negative entries (a projector); with ``subset(views)`` where ``subsets`` is
        not 1.
    y : array, ``A.range_shape``
        float32 or float64.
    iterations, x0, callback, tolerance
        As in :func:`cg`; an iteration passes through all subsets.
    subsets, order
        As in :func:`os_sart`. With one subset the method converges; with more it is that many
        times faster at first and ends near the minimiser (see ``relaxation``).
    weights : array, shape of y, optional
        W, >= 0; default 1.
    penalty : object, optional
        R, smooth and convex: with ``add_gradient(x, out)`` (out += gradient) and
        ``curvature(shape)`` (upper bound of a separable quadratic above it), as
        ``prox.EdgePreserving``.
    prox : NonNegative or Box with a lower bound, optional
        Lower bound of x.
    support : array of bool, ``A.domain_shape``, optional
        Where x may change; elsewhere it stays at x0.
    momentum : bool
        Without it: plain ordered subsets.
    relaxation : float
        >= 0: the quadratic is made steeper by ``1 + relaxation * (k + 2)^1.5`` at update k, so
        that ordered subsets settle at the minimiser instead of cycling about it. 1e-4 to 1e-3
        for some hundred updates; 0 is fastest at first.

    Returns
    -------
    Result
        ``residuals``: ||y - A x|| / ||y|| in the norm of W, each subset's part taken at the point
        of its gradient.

    Raises
    ------
    DataError
        Also for complex data, negative weights, an operator with negative entries, another prox.

    References
    ----------
    Kim, Ramani and Fessler, doi:10.1109/TMI.2014.2350962 (table IV, and section V for the
    relaxation).

    Examples
    --------
    >>> penalty = prc.prox.EdgePreserving(10.0, 0.001)
    >>> result = prc.solvers.os_sqs(
    ...     projector, sinogram, iterations=10, subsets=12, penalty=penalty
    ... )
    >>> image = result.x
    """
    problem = Problem(A, y, x0, weights)
    problem.real_only("os_sqs")
    progress = Progress(iterations, tolerance, callback)
    floor, left = floor_of(check_prox(prox))
    if left is not None:
        no_prox("os_sqs (but for a lower bound)", left)
    one = isinstance(subsets, int | np.integer) and subsets == 1
    parts = Subsets.whole(problem) if one else Subsets(problem, subsets, order)
    growth = at_least("relaxation", relaxation, 0)
    objective = _Objective(problem, parts, penalty)
    scale = objective.inverse_curvature(support_of(problem, support))
    steps = _Steps(problem, scale, floor, bool(momentum), growth)
    for k in progress:
        squared = 0.0
        for i in parts.turn(k):
            gradient, part = objective.gradient(i, steps.z)
            squared += part
            steps.take(gradient, restart=one)
        progress.report(steps.x, math.sqrt(squared) / objective.length)
    return progress.result(problem, steps.x)


def support_of(problem: Problem, support: Any) -> Any:
    """The checked support, in y's precision (1 inside), or None."""
    if support is None:
        return None
    mask = edge_of(y=problem.y, support=support)["support"]
    if mask.dtype != bool:
        raise DataError(f"support has dtype {mask.dtype}; expected bool")
    if tuple(mask.shape) != problem.shape:
        raise ShapeError(f"support has shape {tuple(mask.shape)}, but x has {problem.shape}")
    return mask.astype(problem.y.dtype)


class _Objective:
    """Gradients of one subset's share of the objective, enlarged to the whole's size."""

    def __init__(self, problem: Problem, subsets: Subsets, penalty: Any):
        for name in ("add_gradient", "curvature"):
            if penalty is not None and not callable(getattr(penalty, name, None)):
                raise DataError(
                    f"penalty is a {type(penalty).__name__}; expected an object with "
                    "add_gradient(x, out) and curvature(shape), such as prox.EdgePreserving"
                )
        self._problem, self._subsets, self._penalty = problem, subsets, penalty
        views = problem.y.size
        self._enlarge = [views / part.y.size for part in subsets.parts]
        self.length = weighted_norm(problem.y, problem.weights) or 1.0

    def inverse_curvature(self, support: Any) -> Any:
        xp, operator = self._problem.xp, self._problem.operator
        sums = operator._forward(xp.ones(self._problem.shape, self._problem.y.dtype))
        if self._problem.weights is not None:
            sums *= self._problem.weights
        curvature = operator._adjoint(sums)
        if bool((curvature < 0).any()):
            raise DataError("A has negative entries; os_sqs needs entries >= 0")
        if self._penalty is not None:
            curvature += self._penalty.curvature(self._problem.shape)
        tiny = 1e-6 * float(curvature.max())
        inverse = xp.where(curvature > tiny, 1 / xp.maximum(curvature, tiny or 1.0), 0.0)
        inverse = inverse.astype(self._problem.y.dtype)
        return inverse if support is None else inverse * support

    def gradient(self, i: int, x: Any) -> tuple[Any, float]:
        """(gradient at x, the subset's (y - A x)^T W (y - A x))."""
        part: Subset = self._subsets.parts[i]
        r = part.operator._forward(x)
        r -= part.y
        if part.weights is None:
            squared = inner(r, r)
        else:
            weighted = part.weights * r
            squared, r = inner(r, weighted), weighted
        if self._enlarge[i] != 1:
            r *= self._enlarge[i]
        gradient = part.operator._adjoint(r)
        if self._penalty is not None:
            self._penalty.add_gradient(x, gradient)
        return gradient, squared


class _Steps:
    """Nesterov's momentum of 2005: x from the last gradient, v from the sum of all of them, each
    (k + 2) / 2 times, and the next point z between the two."""

    def __init__(self, problem: Problem, scale: Any, floor: float, momentum: bool, growth: float):
        self._kernels = edge_of(y=problem.y).kernels
        self._scale, self._floor = scale, floor
        self._momentum, self._growth = momentum, growth
        self.x = problem.start()
        self.z = self.x.copy()
        self._start, self._sum = self.x.copy(), problem.xp.zeros_like(self.x)
        self._former = problem.xp.empty_like(self.x)
        self._count = self._updates = 0

    def take(self, gradient: Any, *, restart: bool) -> None:
        """One update; with ``restart`` the momentum is dropped where it points uphill."""
        factor = 1 / (1 + self._growth * (self._updates + 2) ** 1.5)
        self._updates += 1
        if restart and self._momentum:
            self._former[...] = self.x
        k = self._count if self._momentum else 0
        mix = 2 * (k + 3) / ((k + 2) * (k + 5)) if self._momentum else 0.0
        weight = 0.5 * (k + 2)
        arrays = [a.reshape(-1) for a in (self._start, self._sum, self.z, self.x)]
        flat = gradient.reshape(-1), self._scale.reshape(-1)
        self._kernels.momentum_step(*flat, factor, weight, mix, self._floor, *arrays)
        self._count += 1
        if restart and self._momentum:
            self._former -= self.x
            if inner(gradient, self._former) < 0:
                self._start[...] = self.x
                self.z[...] = self.x
                self._sum[...] = 0
                self._count = 0
