"""SIRT and OS-SART: relaxed row action with row and column sums as weights, for CT.

    x <- x + relaxation * C A^T R (y - A x),   R = 1 / (A 1),   C = 1 / (A^T 1)

Gilbert, J. Theor. Biol. 36 (1972) 105, doi:10.1016/0022-5193(72)90180-4;
Andersen and Kak, Ultrason. Imaging 6 (1984) 81, doi:10.1177/016173468400600107;
Wang and Jiang, J. X-Ray Sci. Technol. 12 (2004) 169 (ordered subsets).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .._checks import number
from ..errors import DataError
from .result import Callback, Problem, Progress, Result, add_scaled, check_prox, norm
from .subsets import subset_problems

__all__ = ["os_sart", "sirt"]


def sirt(
    A: Any,
    y: Any,
    *,
    iterations: int,
    x0: Any = None,
    prox: Any = None,
    callback: Callback | None = None,
    tolerance: float = 0.0,
    relaxation: float = 1.0,
) -> Result:
    """Simultaneous iterative reconstruction: minimises ``(y - A x)^T R (y - A x)``.

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
    relaxation : float
        Between 0 and 2.

    Returns
    -------
    Result
        ``residuals``: ||y - A x|| / ||y|| before each update.

    Raises
    ------
    DataError
        Also for complex data, or an operator with a negative row or column sum.

    References
    ----------
    Gilbert, doi:10.1016/0022-5193(72)90180-4.

    Examples
    --------
    >>> sirt(projector, sinogram, iterations=50, prox=NonNegative()).x
    """
    problem = Problem(A, y, x0)
    return _row_action("sirt", problem, [(problem.operator, problem.y)], iterations, prox,
                       callback, tolerance, relaxation)  # fmt: skip


def os_sart(
    A: Any,
    y: Any,
    *,
    iterations: int,
    subsets: int | Sequence[Any] = 10,
    x0: Any = None,
    prox: Any = None,
    callback: Callback | None = None,
    tolerance: float = 0.0,
    relaxation: float = 1.0,
) -> Result:
    """SIRT with an update after every ordered subset of the views.

    Parameters
    ----------
    A, y, iterations, x0, prox, callback, tolerance, relaxation
        As in :func:`sirt`; an iteration passes through all subsets. A also has to have
        ``subset(views)``, as every projector has.
    subsets : int or sequence of index arrays
        How many interleaved subsets of views, or the subsets themselves. As many as there are
        views gives SART.

    Returns
    -------
    Result
        ``residuals``: ||y - A x|| / ||y||, each subset's part taken just before its update.

    References
    ----------
    Andersen and Kak, doi:10.1177/016173468400600107.

    Examples
    --------
    >>> os_sart(projector, sinogram, iterations=5, subsets=20).x
    """
    problem = Problem(A, y, x0)
    return _row_action("os_sart", problem, subset_problems(problem, subsets), iterations, prox,
                       callback, tolerance, relaxation)  # fmt: skip


def _row_action(
    solver: str,
    problem: Problem,
    parts: list[tuple[Any, Any]],
    iterations: int,
    prox: Any,
    callback: Callback | None,
    tolerance: float,
    relaxation: float,
) -> Result:
    problem.real_only(solver)
    check_prox(prox)
    progress = Progress(iterations, tolerance, callback)
    step = number("relaxation", relaxation)
    if not 0 < step < 2:
        raise DataError(f"relaxation is {relaxation}; expected a number between 0 and 2")
    xp = problem.xp
    ones = xp.ones(problem.shape, problem.y.dtype)
    rows = [_inverse(xp, operator._forward(ones), "row") for operator, _ in parts]
    columns = [_inverse(xp, operator._adjoint(xp.ones_like(y)), "column") for operator, y in parts]
    x, length = problem.start(), norm(problem.y) or 1.0
    for _ in progress:
        squared = 0.0
        for (operator, y), row, column in zip(parts, rows, columns, strict=True):
            r = operator._forward(x)
            xp.subtract(y, r, out=r)
            squared += norm(r) ** 2
            r *= row
            update = operator._adjoint(r)
            update *= column
            add_scaled(x, step, update)
            if prox is not None:
                x = prox.prox(x, 1.0)
        progress.report(x, squared**0.5 / length)
    return progress.result(problem, x)


def _inverse(xp: Any, sums: Any, name: str) -> Any:
    """1 / sums, and 0 where nothing was added up."""
    if bool((sums < 0).any()):
        raise DataError(f"A has negative {name} sums; sirt and os_sart need entries >= 0")
    largest = float(sums.max())
    tiny = 1e-6 * largest
    return xp.where(sums > tiny, 1.0 / xp.maximum(sums, tiny or 1.0), 0.0).astype(sums.dtype)
