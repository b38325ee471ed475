"""Total variation: by FISTA, ASD-POCS, PDHG and ADMM."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ... import solvers
from ..._checks import at_least, positive
from ...operators import FiniteDifference, LinearOperator
from ...prox import L1, TV, EdgePreserving, GroupL1
from ...solvers import Result
from .common import Scan

__all__ = ["asd_pocs", "fista_tv", "tv_admm", "tv_pdhg"]

_WEIGHT = 1e-3  # default, as a part of the largest entry of A^T W y
_SMOOTHING = 1e-2  # of ASD-POCS: delta as a part of the image's level
_SPLIT = 0.1  # ADMM's penalty as a part of ||A||^2 / ||D||^2


def fista_tv(
    scan: Scan,
    *,
    iterations: int = 100,
    weight: float | None = None,
    nonnegative: bool = True,
    maximum: float | None = None,
    isotropic: bool = True,
    inner_tolerance: float = 1e-4,
    inner_iterations: int = 50,
) -> Result:
    count = scan.count(iterations)
    operator, lines = scan.whitened()
    prior = TV(
        _weight(weight, operator, lines),
        tol=inner_tolerance,
        max_iterations=inner_iterations,
        spacing=scan.spacing(),
        isotropic=isotropic,
        within=scan.within(nonnegative, maximum),
    )
    return solvers.fista(operator, lines, iterations=count, prox=prior, **scan.stops())


def tv_pdhg(
    scan: Scan,
    *,
    iterations: int = 200,
    weight: float | None = None,
    nonnegative: bool = True,
    maximum: float | None = None,
    isotropic: bool = True,
    balance: float = 1.0,
) -> Result:
    count = scan.count(iterations)
    operator, lines = scan.whitened()
    prior = _prior(scan, _weight(weight, operator, lines), isotropic)
    return solvers.pdhg(
        operator,
        lines,
        iterations=count,
        prox=scan.within(nonnegative, maximum),
        priors=[prior],
        balance=balance,
        **scan.stops(),
    )


def tv_admm(
    scan: Scan,
    *,
    iterations: int = 40,
    weight: float | None = None,
    nonnegative: bool = True,
    maximum: float | None = None,
    isotropic: bool = True,
    penalty: float | None = None,
    inner_iterations: int = 5,
) -> Result:
    count = scan.count(iterations)
    operator, lines = scan.whitened()
    difference, prior = _prior(scan, _weight(weight, operator, lines), isotropic)
    slope = difference.norm() ** 2
    if penalty is None:
        penalty = _SPLIT * operator.norm(like=lines) ** 2 / slope
    rho = positive("penalty", penalty)
    within = scan.within(nonnegative, maximum)
    priors = [(difference, prior)]
    rhos = [rho]
    if within is not None:
        priors.append((None, within))  # type: ignore[arg-type]
        rhos.append(rho * slope)
    result = solvers.admm(
        operator,
        lines,
        iterations=count,
        priors=priors,
        penalty=rhos,
        inner_iterations=inner_iterations,
        **scan.stops(),
    )
    if within is not None:  # x itself keeps the bounds in the limit only
        result.x = within.prox(result.x)
    return result


def asd_pocs(
    scan: Scan,
    *,
    iterations: int = 60,
    subsets: int | Sequence[Any] | None = None,
    order: str = "bit_reversed",
    nonnegative: bool = True,
    maximum: float | None = None,
    smoothing: float | None = None,
    relaxation: float = 1.0,
    relaxation_reduction: float = 0.995,
    descent_steps: int = 20,
    descent_size: float = 5e-4,
    descent_reduction: float = 0.9,
    largest_ratio: float = 0.95,
) -> Result:
    count = scan.count(iterations)
    operator = scan.masked()
    if smoothing is None:
        rows = operator._forward(scan.xp.ones(scan.volume.shape, scan.lines.dtype))
        level = float(abs(scan.lines).sum(dtype="float64")) / float(rows.sum(dtype="float64"))
        smoothing = _SMOOTHING * level or 1.0
    delta = positive("smoothing", smoothing)
    return solvers.asd_pocs(
        operator,
        scan.lines,
        iterations=count,
        penalty=EdgePreserving(1.0, delta, spacing=scan.spacing(), isotropic=True),
        subsets=scan.subsets(subsets, 10),
        order=order,
        weights=scan.weights,
        prox=scan.bounds(nonnegative, maximum),
        support=scan.mask,
        data_tolerance=scan.discrepancy(),
        relaxation=relaxation,
        relaxation_reduction=relaxation_reduction,
        descent_steps=descent_steps,
        descent_size=descent_size,
        descent_reduction=descent_reduction,
        largest_ratio=largest_ratio,
        **scan.stops(),
    )


def _weight(weight: float | None, operator: LinearOperator, lines: Any) -> float:
    if weight is None:
        return _WEIGHT * float(abs(operator._adjoint(lines)).max())
    return at_least("weight", weight, 0)


def _prior(scan: Scan, weight: float, isotropic: bool) -> tuple[FiniteDifference, Any]:
    difference = FiniteDifference(scan.volume.shape, spacing=scan.spacing())
    return difference, GroupL1(weight) if isotropic else L1(weight)
