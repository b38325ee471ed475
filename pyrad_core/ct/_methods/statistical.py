"""Poisson likelihood, and its quadratic approximation with an edge-preserving penalty."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ... import solvers
from ..._checks import at_least, positive
from ...prox import EdgePreserving, NonNegative
from ...solvers import Result
from .common import Scan

__all__ = ["mlem", "osem", "pwls"]

_DELTA = 0.01  # default, as a part of the image's level
_WEIGHT = 0.1  # default, as a part of the data term's largest curvature


def mlem(scan: Scan, *, iterations: int = 50, background: float = 0.0) -> Result:
    return solvers.mlem(
        scan.masked(),
        scan.lines,
        iterations=scan.count(iterations),
        background=background,
        weights=scan.weights,
        **_positive_start(scan),
    )


def osem(
    scan: Scan,
    *,
    iterations: int = 8,
    subsets: int | Sequence[Any] | None = None,
    order: str = "bit_reversed",
    background: float = 0.0,
) -> Result:
    return solvers.osem(
        scan.masked(),
        scan.lines,
        iterations=scan.count(iterations),
        subsets=scan.subsets(subsets, 8),
        order=order,
        background=background,
        weights=scan.weights,
        **_positive_start(scan),
    )


def _positive_start(scan: Scan) -> dict[str, Any]:
    stops = scan.residual_stops()
    if stops["x0"] is None and scan.mask is not None:
        stops["x0"] = scan.mask.astype(scan.lines.dtype)  # the solver's ones, inside the mask
    return stops


def pwls(
    scan: Scan,
    *,
    iterations: int = 20,
    subsets: int | Sequence[Any] | None = None,
    weight: float | None = None,
    delta: float | None = None,
    potential: str = "hyperbola",
    nonnegative: bool = True,
    momentum: bool = True,
    relaxation: float = 0.0,
    order: str = "bit_reversed",
) -> Result:
    count = scan.count(iterations)
    if weight is None or delta is None:
        level, curvature = _scales(scan)
        weight = _WEIGHT * curvature if weight is None else weight
        delta = _DELTA * level if delta is None else delta
    penalty = EdgePreserving(
        at_least("weight", weight, 0),
        positive("delta", delta),
        potential=potential,
        spacing=scan.spacing(),
    )
    return solvers.os_sqs(
        scan.masked(),
        scan.lines,
        iterations=count,
        subsets=scan.subsets(subsets, 12),
        order=order,
        weights=scan.weights,
        penalty=penalty,
        prox=NonNegative() if nonnegative else None,
        support=scan.mask,
        momentum=momentum,
        relaxation=relaxation,
        **scan.stops(),
    )


def _scales(scan: Scan) -> tuple[float, float]:
    """(the image's level, the data term's largest curvature), from one look at the data."""
    operator, lines = scan.masked(), scan.lines
    if scan.weights is not None:
        lines = scan.weights * lines
    sums = operator._forward(scan.xp.ones(scan.volume.shape, scan.lines.dtype))
    if scan.weights is not None:
        sums *= scan.weights
    curvature = float(operator._adjoint(sums).max())
    level = float(abs(operator._adjoint(lines)).max()) / curvature
    return level or 1.0, curvature
