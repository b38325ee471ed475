"""Result of a solver and what every solver's loop needs: checked problem, stopping, vectors."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._checks import at_least, whole
from .._kernels.select import Edge, edge_of
from ..errors import DataError, PyradWarning, ShapeError
from ..operators import LinearOperator, as_operator
from ..operators.base import take_kind

__all__ = [
    "Callback",
    "Problem",
    "Progress",
    "Result",
    "add_scaled",
    "check_prox",
    "floor_of",
    "inner",
    "no_prox",
    "norm",
    "rounding",
    "scale_add",
]

Callback = Callable[[int, Any, float], Any]


@dataclass
class Result:
    """What a solver returns.

    Attributes
    ----------
    x : array
        The last iterate, on the device and in the precision of y.
    iterations : int
        How many were done.
    residuals : ndarray, float64, shape (iterations,)
        One number per iteration; the solver's docstring says of what.
    stop_reason : {"iterations", "tolerance", "callback", "diverged"}
    """

    x: Any
    iterations: int
    residuals: np.ndarray
    stop_reason: str


class Problem:
    """Checked arguments of a solver: the operator, y, and a start that belongs to the solver."""

    def __init__(self, A: Any, y: Any, x0: Any = None, weights: Any = None):
        self.operator: LinearOperator = as_operator(A)
        self.edge: Edge = edge_of(y=y, x0=x0, weights=weights)
        self.y = self._take("y", self.operator.range_shape, "returns")
        self.weights = None if weights is None else self._take_weights()
        batch = self.y.shape[: self.y.ndim - len(self.operator.range_shape)]
        self.shape = (*batch, *self.operator.domain_shape)
        self._start = None if x0 is None else self._take_start()

    @property
    def xp(self) -> Any:
        return self.edge.xp

    @property
    def starts_at_zero(self) -> bool:
        return self._start is None

    def start(self, value: float = 0.0) -> Any:
        """A writable copy of x0, or ``value`` everywhere."""
        if self._start is None:
            return self.xp.full(self.shape, value, dtype=self.y.dtype)
        return self._start.copy()

    def lipschitz(self) -> float:
        """||A||^2, with a margin because the power iteration approaches it from below."""
        value = 1.02 * self.operator.norm(like=self.y) ** 2
        if value == 0:
            raise DataError(f"{self.operator!r} is zero; there is nothing to solve")
        return value

    def real_only(self, solver: str) -> None:
        if self.y.dtype.kind == "c":
            raise DataError(f"{solver} works on real data; y has dtype {self.y.dtype}")

    def _take(self, name: str, shape: tuple[int, ...], verb: str) -> Any:
        found = tuple(self.edge[name].shape)
        extra = len(found) - len(shape)
        if extra < 0 or found[extra:] != shape or extra and not self.operator.batched:
            raise ShapeError(f"{name} has shape {found}, but {self.operator!r} {verb} {shape}")
        return take_kind(self.edge, name, self.operator.kind)

    def _take_weights(self) -> Any:
        found = tuple(self.edge["weights"].shape)
        if found != tuple(self.y.shape):
            raise ShapeError(f"weights have shape {found}, but y has {tuple(self.y.shape)}")
        weights = self.edge.real("weights").astype(self.y.real.dtype, copy=False)
        if bool((weights < 0).any()):
            raise DataError(f"weights hold negative values, the least {float(weights.min()):g}")
        if not bool(weights.any()):
            raise DataError("weights are all zero; nothing is left of y")
        return weights

    def _take_start(self) -> Any:
        start = self._take("x0", self.operator.domain_shape, "takes")
        if tuple(start.shape) != self.shape:
            raise ShapeError(f"x0 has shape {tuple(start.shape)}, but y asks for {self.shape}")
        if start.dtype.kind == "c" and self.y.dtype.kind != "c":
            raise DataError(f"x0 has dtype {start.dtype}, but y has {self.y.dtype}")
        return start.astype(self.y.dtype, copy=False)


class Progress:
    """Counts iterations, keeps the residuals, decides when to stop::

    progress = Progress(iterations, tolerance, callback)
    for _ in progress:
        ...
        progress.report(x, residual)
    return progress.result(problem, x)
    """

    def __init__(self, iterations: int, tolerance: float, callback: Callback | None):
        self.limit = whole("iterations", iterations, 1)
        self.tolerance = at_least("tolerance", tolerance, 0)
        if callback is not None and not callable(callback):
            raise DataError(f"callback is a {type(callback).__name__}; expected a callable or None")
        self.callback = callback
        self.residuals: list[float] = []
        self.reason = ""

    def __iter__(self) -> Iterator[int]:
        while not self.reason:
            yield len(self.residuals) + 1
        if self.reason == "diverged":
            warnings.warn(
                f"diverged at iteration {len(self.residuals)}: the residual is not finite",
                PyradWarning,
                stacklevel=3,
            )

    def report(self, x: Any, residual: float, *, solved: bool = False) -> None:
        """End of one iteration; ``solved`` where there is nothing left to improve."""
        self.residuals.append(residual)
        count = len(self.residuals)
        stop = self.callback is not None and self.callback(count, x, residual) is True
        if not math.isfinite(residual):
            self.reason = "diverged"
        elif stop:
            self.reason = "callback"
        elif solved or 0 < self.tolerance >= residual:
            self.reason = "tolerance"
        elif count >= self.limit:
            self.reason = "iterations"

    def result(self, problem: Problem, x: Any) -> Result:
        residuals = np.array(self.residuals, np.float64)
        return Result(problem.edge.answer(x), len(residuals), residuals, self.reason)


def no_prox(solver: str, prox: Any) -> None:
    if prox is not None:
        raise DataError(f"{solver} cannot apply prox; use fista, pogm, admm or pdhg for a prior")


def check_prox(prox: Any, name: str = "prox") -> Any:
    if prox is not None and not callable(getattr(prox, "prox", None)):
        raise DataError(f"{name} is a {type(prox).__name__}; expected an object with prox(x, step)")
    return prox


def floor_of(prox: Any) -> tuple[float, Any]:
    """(lower bound, None) where prox is nothing but that, else (-inf, prox): an update that knows
    the bound needs no pass of its own for it."""
    floor = getattr(prox, "floor", None)
    return (-math.inf, prox) if floor is None else (float(floor), None)


def inner(a: Any, b: Any) -> float:
    """Re <a, b> in double precision; the bits do not depend on the number of threads."""
    kernels = edge_of(a=a, b=b).kernels
    return float(kernels.inner_product(_flat_real(a), _flat_real(b)))


def rounding(a: Any) -> float:
    """Relative rounding error of a's dtype."""
    return float(np.finfo(a.dtype).eps)


def norm(a: Any) -> float:
    """Euclidean norm in double precision."""
    return math.sqrt(inner(a, a))


def add_scaled(x: Any, factor: float, direction: Any) -> None:
    """x += factor * direction, in place."""
    _combine(factor, direction, 1.0, x)


def scale_add(x: Any, factor: float, other: Any) -> None:
    """x = factor * x + other, in place."""
    _combine(1.0, other, factor, x)


def _combine(alpha: float, x: Any, beta: float, out: Any) -> None:
    if x.dtype != out.dtype:
        raise DataError(f"the operator turned {out.dtype} into {x.dtype}; it has to keep it")
    edge_of(x=x, out=out).kernels.axpby(alpha, _flat_real(x), beta, _writable(out))


def _flat_real(a: Any) -> Any:
    flat = a.reshape(-1)  # a copy where a is not contiguous
    return flat.view(flat.real.dtype) if flat.dtype.kind == "c" else flat


def _writable(out: Any) -> Any:
    if not out.flags.c_contiguous:
        raise DataError("an operator returned an array that is not contiguous; return a copy")
    return _flat_real(out)
