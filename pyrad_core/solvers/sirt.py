"""SIRT, SART and OS-SART: relaxed row action with row and column sums as weights, for CT.

    x <- x + relaxation * C A^T W R (y - A x),   R = 1 / (A 1),   C = 1 / (A^T W 1)

Gilbert, J. Theor. Biol. 36 (1972) 105, doi:10.1016/0022-5193(72)90180-4;
Andersen and Kak, Ultrason. Imaging 6 (1984) 81, doi:10.1177/016173468400600107;
Wang and Jiang, J. X-Ray Sci. Technol. 12 (2004) 169 (ordered subsets).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from .._kernels.select import edge_of
from ..errors import DataError
from .result import Callback, Problem, Progress, Result, check_prox, floor_of, inner, norm
from .subsets import Relaxation, Subset, Subsets, relaxation_of

__all__ = ["KEPT", "RowAction", "os_sart", "sart", "sirt"]

KEPT = 1 << 30  # bytes of column sums that are kept; beyond it they are made anew


def sirt(
    A: Any,
    y: Any,
    *,
    iterations: int,
    x0: Any = None,
    prox: Any = None,
    callback: Callback | None = None,
    tolerance: float = 0.0,
    relaxation: Relaxation = 1.0,
    weights: Any = None,
) -> Result:
    """Simultaneous iterative reconstruction: minimises ``(y - A x)^T W R (y - A x)``.

    Parameters
    ----------
    A : LinearOperator
        Real, without negative entries (a projector).
    y : array, ``A.range_shape``
        float32 or float64.
    iterations, x0, callback, tolerance
        As in :func:`cg`.
    prox : object with ``prox(x, step)``, optional
        Applied after every update with step 1; meant for constraints (NonNegative, Box).
    relaxation : float, sequence or callable
        Between 0 and 2; a sequence or a function of k = 1, 2, ... gives every iteration its own.
    weights : array, shape of y, optional
        W, >= 0: how much every datum counts (its inverse variance); default 1.

    Returns
    -------
    Result
        ``residuals``: ||y - A x|| / ||y|| in the norm of W, before each update.

    Raises
    ------
    DataError
        Also for complex data, or an operator with a negative row or column sum.

    References
    ----------
    Gilbert, doi:10.1016/0022-5193(72)90180-4.

    Examples
    --------
    >>> nonnegative = prc.prox.NonNegative()
    >>> image = prc.solvers.sirt(projector, sinogram, iterations=50, prox=nonnegative).x
    """
    problem = Problem(A, y, x0, weights)
    return _row_action("sirt", problem, Subsets.whole(problem), iterations, prox, callback,
                       tolerance, relaxation)  # fmt: skip


def os_sart(
    A: Any,
    y: Any,
    *,
    iterations: int,
    subsets: int | Sequence[Any] = 10,
    order: str = "bit_reversed",
    x0: Any = None,
    prox: Any = None,
    callback: Callback | None = None,
    tolerance: float = 0.0,
    relaxation: Relaxation = 1.0,
    weights: Any = None,
) -> Result:
    """SIRT with an update after every ordered subset of the views.

    Parameters
    ----------
    A, y, iterations, x0, prox, callback, tolerance, relaxation, weights
        As in :func:`sirt`; an iteration passes through all subsets. A also has to have
        ``subset(views)``, as every projector has.
    subsets : int or sequence of index arrays
        How many interleaved subsets of views, or the subsets themselves. As many as there are
        views gives SART.
    order : {"bit_reversed", "sequential", "random"}
        In which the subsets take their turns.

    Returns
    -------
    Result
        ``residuals``: as :func:`sirt`, each subset's part taken just before its update.

    References
    ----------
    Andersen and Kak, doi:10.1177/016173468400600107.

    Examples
    --------
    >>> image = prc.solvers.os_sart(projector, sinogram, iterations=5, subsets=20).x
    """
    problem = Problem(A, y, x0, weights)
    return _row_action("os_sart", problem, Subsets(problem, subsets, order), iterations, prox,
                       callback, tolerance, relaxation)  # fmt: skip


def sart(
    A: Any,
    y: Any,
    *,
    iterations: int,
    order: str = "bit_reversed",
    x0: Any = None,
    prox: Any = None,
    callback: Callback | None = None,
    tolerance: float = 0.0,
    relaxation: Relaxation = 1.0,
    weights: Any = None,
) -> Result:
    """Simultaneous algebraic reconstruction: :func:`os_sart` with an update after every view.

    Arguments and residuals as there.

    References
    ----------
    Andersen and Kak, doi:10.1177/016173468400600107.

    Examples
    --------
    >>> image = prc.solvers.sart(projector, sinogram, iterations=3, relaxation=0.5).x
    """
    problem = Problem(A, y, x0, weights)
    views = problem.operator.range_shape[0]
    return _row_action("sart", problem, Subsets(problem, views, order), iterations, prox, callback,
                       tolerance, relaxation)  # fmt: skip


class RowAction:
    """Passes over all subsets; row and column sums are made once."""

    def __init__(self, solver: str, problem: Problem, subsets: Subsets, prox: Any):
        problem.real_only(solver)
        self._problem, self._subsets = problem, subsets
        self._floor, self._prox = floor_of(check_prox(prox))
        ones = problem.xp.ones(problem.shape, problem.y.dtype)
        self._rows = [self._inverse(part.operator._forward(ones), "row") for part in subsets.parts]
        self._kept: list[Any] | None = None
        if len(subsets) * ones.size * ones.itemsize <= KEPT:
            self._kept = [self._column(part) for part in subsets.parts]
        self.length = weighted_norm(problem.y, problem.weights) or 1.0

    def sweep(self, iteration: int, x: Any, step: float) -> tuple[Any, float]:
        """The new x (in place, but for a prox), and ||y - A x|| / ||y|| in the norm of W."""
        squared = 0.0
        kernels = edge_of(x=x).kernels
        for i in self._subsets.turn(iteration):
            part = self._subsets.parts[i]
            r = part.operator._forward(x)
            self._problem.xp.subtract(part.y, r, out=r)
            squared += weighted_norm(r, part.weights) ** 2
            r *= self._rows[i]
            if part.weights is not None:
                r *= part.weights
            update = part.operator._adjoint(r)
            column = self._column(part) if self._kept is None else self._kept[i]
            flat = (column.reshape(-1), update.reshape(-1))
            kernels.scaled_step(step, *flat, self._floor, x.reshape(-1))
            if self._prox is not None:
                x = self._problem.xp.ascontiguousarray(self._prox.prox(x, 1.0))
        return x, math.sqrt(squared) / self.length

    def _column(self, part: Subset) -> Any:
        given = self._problem.xp.ones_like(part.y) if part.weights is None else part.weights
        return self._inverse(part.operator._adjoint(given), "column")

    def _inverse(self, sums: Any, name: str) -> Any:
        """1 / sums, and 0 where nothing was added up."""
        xp = self._problem.xp
        if bool((sums < 0).any()):
            raise DataError(f"A has negative {name} sums; sirt and its kin need entries >= 0")
        largest = float(sums.max())
        tiny = 1e-6 * largest
        return xp.where(sums > tiny, 1.0 / xp.maximum(sums, tiny or 1.0), 0.0).astype(sums.dtype)


def weighted_norm(r: Any, weights: Any) -> float:
    """Norm of r in the metric of the weights, in double precision."""
    return norm(r) if weights is None else math.sqrt(inner(r, weights * r))


def _row_action(
    solver: str,
    problem: Problem,
    subsets: Subsets,
    iterations: int,
    prox: Any,
    callback: Callback | None,
    tolerance: float,
    relaxation: Relaxation,
) -> Result:
    progress = Progress(iterations, tolerance, callback)
    step_of = relaxation_of(relaxation)
    action = RowAction(solver, problem, subsets, prox)
    x = problem.start()
    for k in progress:
        x, residual = action.sweep(k, x, step_of(k))
        progress.report(x, residual)
    return progress.result(problem, x)
