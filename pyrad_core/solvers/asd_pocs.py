"""ASD-POCS: data steps (OS-SART, bounds) and steepest descent of total variation in turns.

Sidky and Pan, Phys. Med. Biol. 53 (2008) 4777, doi:10.1088/0031-9155/53/17/021.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .._checks import at_least, number, positive, whole
from ..errors import DataError
from .os_sqs import support_of
from .result import Callback, Problem, Progress, Result, add_scaled, norm
from .sirt import RowAction, weighted_norm
from .subsets import Subsets

__all__ = ["asd_pocs"]


def asd_pocs(
    A: Any,
    y: Any,
    *,
    iterations: int,
    penalty: Any,
    subsets: int | Sequence[Any] = 10,
    order: str = "bit_reversed",
    weights: Any = None,
    x0: Any = None,
    prox: Any = None,
    support: Any = None,
    callback: Callback | None = None,
    tolerance: float = 0.0,
    data_tolerance: float = 0.0,
    relaxation: float = 1.0,
    relaxation_reduction: float = 0.995,
    descent_steps: int = 20,
    descent_size: float = 5e-4,
    descent_reduction: float = 0.9,
    largest_ratio: float = 0.95,
) -> Result:
    """Minimise R(x) subject to ``||A x - y|| <= data_tolerance ||y||`` and bounds on x.

    An iteration is a pass of OS-SART with the bounds, which moves x by some distance, and
    ``descent_steps`` normalised steps down the penalty's gradient. The size of each starts as
    ``descent_size`` times that distance and shrinks whenever the descent moved x by more than
    ``largest_ratio`` times what the data step did, while the data are not yet met.

    Parameters
    ----------
    A, y, iterations, x0, prox, callback, weights
        As in :func:`sirt`.
    subsets, order
        As in :func:`os_sart`.
    penalty : object with ``add_gradient(x, out)``
        R, such as ``prox.EdgePreserving(1, delta, isotropic=True)`` with a small delta, which is
        total variation.
    support : array of bool, ``A.domain_shape``, optional
        Where the descent may change x; give A the same support.
    tolerance : float
        Stop when x changes by less than this in one iteration (relative) and the data are met.
    data_tolerance : float
        Residual, relative to y, at which the data count as met; >= 0.
    relaxation, relaxation_reduction : float
        Step of the data pass (between 0 and 2) and its factor per iteration.
    descent_steps, descent_size, descent_reduction, largest_ratio
        Of the descent, as above (ng, alpha, alpha_red and r_max in the paper, which takes 20, 0.2,
        0.95 and 0.95 and some hundred iterations; smaller steps need fewer to meet the data).

    Returns
    -------
    Result
        ``x`` after its last data step, which keeps the bounds; ``residuals``: ||A x - y|| / ||y||
        in the norm of W there.

    References
    ----------
    Sidky and Pan, doi:10.1088/0031-9155/53/17/021.

    Examples
    --------
    >>> penalty = prc.prox.EdgePreserving(1.0, 1e-4, isotropic=True)
    >>> nonnegative = prc.prox.NonNegative()
    >>> result = prc.solvers.asd_pocs(
    ...     projector, sinogram, iterations=30, penalty=penalty, prox=nonnegative
    ... )
    >>> image = result.x
    """
    if not callable(getattr(penalty, "add_gradient", None)):
        raise DataError(
            f"penalty is a {type(penalty).__name__}; expected an object with add_gradient(x, out)"
        )
    problem = Problem(A, y, x0, weights)
    progress = Progress(iterations, 0.0, callback)
    settled = at_least("tolerance", tolerance, 0)
    epsilon = at_least("data_tolerance", data_tolerance, 0)
    beta = number("relaxation", relaxation)
    if not 0 < beta < 2:
        raise DataError(f"relaxation is {relaxation}; expected a number between 0 and 2")
    steps = whole("descent_steps", descent_steps, 1)
    size = positive("descent_size", descent_size)
    data = RowAction("asd_pocs", problem, Subsets(problem, subsets, order), prox)
    inside = support_of(problem, support)
    x = problem.start()
    length: float | None = None
    for k in progress:
        before = x.copy()
        x, _ = data.sweep(k, x, beta)
        result = x.copy()
        r = problem.operator._forward(x)
        r -= problem.y
        residual = weighted_norm(r, problem.weights) / data.length
        before -= x
        moved = norm(before)
        length = size * moved if length is None else length
        _descend(penalty, inside, x, length, steps)
        if norm(x - result) > largest_ratio * moved and residual > epsilon:
            length *= descent_reduction
        beta *= relaxation_reduction
        done = residual <= epsilon and moved <= settled * norm(result) and settled > 0
        progress.report(result, residual, solved=done)
    return progress.result(problem, result)


def _descend(penalty: Any, inside: Any, x: Any, length: float, steps: int) -> None:
    """Normalised steps down the penalty's gradient, in place."""
    gradient = x.copy()
    for _ in range(steps):
        gradient[...] = 0
        penalty.add_gradient(x, gradient)
        if inside is not None:
            gradient *= inside
        slope = norm(gradient)
        if slope == 0:
            return
        add_scaled(x, -length / slope, gradient)
