"""MLEM and OSEM: maximum likelihood for Poisson data by expectation maximisation.

    x <- x / (A^T W 1) * A^T (W y / (A x + background))

Shepp and Vardi, IEEE Trans. Med. Imaging 1 (1982) 113, doi:10.1109/TMI.1982.4307558;
Hudson and Larkin, IEEE Trans. Med. Imaging 13 (1994) 601, doi:10.1109/42.363108.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .._checks import at_least
from ..errors import DataError
from .result import Callback, Problem, Progress, Result, check_prox
from .sirt import KEPT, weighted_norm
from .subsets import Subset, Subsets

__all__ = ["mlem", "osem"]


def mlem(
    A: Any,
    y: Any,
    *,
    iterations: int,
    x0: Any = None,
    prox: Any = None,
    callback: Callback | None = None,
    tolerance: float = 0.0,
    background: float = 0.0,
    weights: Any = None,
) -> Result:
    """Maximise the Poisson likelihood of y with mean ``A x + background`` over x >= 0.

    Parameters
    ----------
    A : LinearOperator
        Real, without negative entries.
    y : array, ``A.range_shape``
        Counts or line integrals >= 0, float32 or float64.
    iterations, callback, tolerance
        As in :func:`cg`.
    x0 : array, ``A.domain_shape``, optional
        Start, >= 0; voxels that start at 0 stay 0. Default 1 everywhere.
    prox : object with ``prox(x, step)``, optional
        Applied after every update with step 1.
    background : float
        Known mean of randoms and scatter, >= 0.
    weights : array, shape of y, optional
        W, >= 0: how much every datum's likelihood counts (0 leaves it out); default 1.

    Returns
    -------
    Result
        ``residuals``: ||y - A x - background|| / ||y|| in the norm of W, before each update.

    Raises
    ------
    DataError
        Also for negative values in y or x0.

    References
    ----------
    Shepp and Vardi, doi:10.1109/TMI.1982.4307558.

    Examples
    --------
    >>> image = prc.solvers.mlem(projector, counts, iterations=30).x
    """
    problem = Problem(A, y, x0, weights)
    return _expectation_maximisation("mlem", problem, Subsets.whole(problem), iterations, prox,
                                     callback, tolerance, background)  # fmt: skip


def osem(
    A: Any,
    y: Any,
    *,
    iterations: int,
    subsets: int | Sequence[Any] = 8,
    order: str = "bit_reversed",
    x0: Any = None,
    prox: Any = None,
    callback: Callback | None = None,
    tolerance: float = 0.0,
    background: float = 0.0,
    weights: Any = None,
) -> Result:
    """MLEM with an update after every ordered subset of the views.

    Faster by about the number of subsets in the first iterations; does not converge to the
    maximum, but cycles near it. ``subsets`` and ``order`` as in :func:`os_sart`, the rest as in
    :func:`mlem`.

    Returns
    -------
    Result
        ``residuals``: as :func:`mlem`, each subset's part taken just before its update.

    References
    ----------
    Hudson and Larkin, doi:10.1109/42.363108.

    Examples
    --------
    >>> image = prc.solvers.osem(projector, counts, iterations=4, subsets=12).x
    """
    problem = Problem(A, y, x0, weights)
    return _expectation_maximisation("osem", problem, Subsets(problem, subsets, order),
                                     iterations, prox, callback, tolerance, background)  # fmt: skip


def _expectation_maximisation(
    solver: str,
    problem: Problem,
    subsets: Subsets,
    iterations: int,
    prox: Any,
    callback: Callback | None,
    tolerance: float,
    background: float,
) -> Result:
    problem.real_only(solver)
    check_prox(prox)
    progress = Progress(iterations, tolerance, callback)
    floor = at_least("background", background, 0)
    xp, x = problem.xp, problem.start(1.0)
    for name, array in (("y", problem.y), ("x0", x)):
        if bool((array < 0).any()):
            raise DataError(f"{name} holds negative values, the least {float(array.min()):g}; "
                            f"{solver} needs values >= 0")  # fmt: skip

    def sensitivity(part: Subset) -> Any:
        return part.operator._adjoint(
            xp.ones_like(part.y) if part.weights is None else part.weights
        )

    keep = len(subsets) * x.size * x.itemsize <= KEPT
    kept = [sensitivity(part) for part in subsets.parts] if keep else None
    length = weighted_norm(problem.y, problem.weights) or 1.0
    for k in progress:
        squared = 0.0
        for i in subsets.turn(k):
            part = subsets.parts[i]
            mean = part.operator._forward(x)
            if floor:
                mean += floor
            squared += weighted_norm(part.y - mean, part.weights) ** 2
            ratio = _divide(xp, part.y, mean)
            if part.weights is not None:
                ratio *= part.weights
            x *= _divide(xp, part.operator._adjoint(ratio), kept[i] if kept else sensitivity(part))
            if prox is not None:
                x = prox.prox(x, 1.0)
        progress.report(x, squared**0.5 / length)
    return progress.result(problem, x)


def _divide(xp: Any, numerator: Any, denominator: Any) -> Any:
    """Quotient, 0 where the denominator is not > 0."""
    usable = denominator > 0
    quotient = numerator / xp.where(usable, denominator, 1)
    quotient *= usable
    return quotient
