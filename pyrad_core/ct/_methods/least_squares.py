"""Row action and Krylov methods."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ... import solvers
from ...solvers import Result
from ...solvers.subsets import Relaxation
from .common import Scan

__all__ = ["cgls", "lsqr", "os_sart", "sart", "sirt"]


def sirt(
    scan: Scan,
    *,
    iterations: int = 100,
    relaxation: Relaxation = 1.0,
    nonnegative: bool = True,
    maximum: float | None = None,
) -> Result:
    bounds = scan.bounds(nonnegative, maximum)
    return _row_action(solvers.sirt, scan, iterations, bounds, relaxation=relaxation)


def sart(
    scan: Scan,
    *,
    iterations: int = 5,
    relaxation: Relaxation = 0.5,
    nonnegative: bool = True,
    maximum: float | None = None,
    order: str = "bit_reversed",
) -> Result:
    bounds = scan.bounds(nonnegative, maximum)
    return _row_action(solvers.sart, scan, iterations, bounds, relaxation=relaxation, order=order)


def os_sart(
    scan: Scan,
    *,
    iterations: int = 10,
    subsets: int | Sequence[Any] | None = None,
    relaxation: Relaxation = 1.0,
    nonnegative: bool = True,
    maximum: float | None = None,
    order: str = "bit_reversed",
) -> Result:
    return _row_action(
        solvers.os_sart,
        scan,
        iterations,
        scan.bounds(nonnegative, maximum),
        relaxation=relaxation,
        subsets=scan.subsets(subsets, 10),
        order=order,
    )


def _row_action(solver: Any, scan: Scan, iterations: int, bounds: Any, **options: Any) -> Result:
    # outside the mask the column sums of the masked projector are 0, and with them the updates
    return solver(
        scan.masked(),
        scan.lines,
        iterations=scan.count(iterations),
        prox=bounds,
        weights=scan.weights,
        **options,
        **scan.residual_stops(),
    )


def cgls(scan: Scan, *, iterations: int = 20, regularization: float = 0.0) -> Result:
    return _krylov(solvers.cgls, scan, iterations, regularization)


def lsqr(scan: Scan, *, iterations: int = 20, regularization: float = 0.0) -> Result:
    return _krylov(solvers.lsqr, scan, iterations, regularization)


def _krylov(solver: Any, scan: Scan, iterations: int, regularization: float) -> Result:
    operator, lines = scan.whitened()
    return solver(
        operator,
        lines,
        iterations=scan.count(iterations),
        regularization=regularization,
        **scan.residual_stops(),
    )
