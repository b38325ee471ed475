"""Ordered subsets of the views of a scan, and what the solvers that use them share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._checks import choice, number, whole
from ..errors import DataError
from .result import Problem

__all__ = ["ORDERS", "Relaxation", "Subset", "Subsets", "relaxation_of"]

ORDERS = ("bit_reversed", "sequential", "random")

Relaxation = float | Sequence[float] | Callable[[int], float]


@dataclass
class Subset:
    """Some views: their operator, their part of y and of the weights."""

    operator: Any
    y: Any
    weights: Any


class Subsets:
    """The parts of a problem, and the order in which iteration k passes through them.

    ``subsets``: how many interleaved subsets, or sequences of view numbers. ``order``:
    ``"bit_reversed"`` takes far-apart views in succession, ``"sequential"`` takes the subsets as
    they are, ``"random"`` draws a new seeded permutation for every iteration.
    """

    def __init__(self, problem: Problem, subsets: int | Sequence[Any], order: str = "bit_reversed"):
        self._order = choice("order", order, ORDERS)
        chosen = _chosen(problem, subsets)
        self.parts = [_part(problem, views) for views in chosen]
        given = not isinstance(subsets, int | np.integer)
        in_turn = given or order != "bit_reversed"
        self._turn = list(range(len(chosen))) if in_turn else _bit_reversed(len(chosen))

    @classmethod
    def whole(cls, problem: Problem) -> Subsets:
        """All views in one part."""
        self = cls.__new__(cls)
        self._order, self._turn = "sequential", [0]
        self.parts = [Subset(problem.operator, problem.y, problem.weights)]
        return self

    def __len__(self) -> int:
        return len(self.parts)

    def turn(self, iteration: int) -> Iterator[int]:
        """Numbers of the parts in the order of this iteration."""
        if self._order == "random":
            return iter(np.random.default_rng(iteration).permutation(len(self.parts)).tolist())
        return iter(self._turn)


def relaxation_of(relaxation: Relaxation) -> Callable[[int], float]:
    """Step size of iteration k = 1, 2, ...: a number, a sequence (its last entry goes on), or a
    function; each between 0 and 2."""
    if callable(relaxation):
        return lambda k: _between(relaxation(k))
    if isinstance(relaxation, Sequence) and not isinstance(relaxation, str):
        steps = [_between(step) for step in relaxation]
        if not steps:
            raise DataError("relaxation is empty; expected at least one number")
        return lambda k: steps[min(k, len(steps)) - 1]
    step = _between(relaxation)
    return lambda k: step


def _between(step: Any) -> float:
    value = number("relaxation", step)
    if not 0 < value < 2:
        raise DataError(f"relaxation is {step}; expected a number between 0 and 2")
    return value


def _chosen(problem: Problem, subsets: int | Sequence[Any]) -> list[Any]:
    operator: Any = problem.operator
    if not callable(getattr(operator, "subset", None)):
        raise DataError(
            f"{operator!r} has no subset(views); use a projector, or a solver without subsets"
        )
    views = operator.range_shape[0]
    if isinstance(subsets, int | np.integer):
        count = whole("subsets", subsets, 1)
        if count > views:
            raise DataError(f"subsets is {count}, but there are {views} views")
        return [np.arange(first, views, count) for first in range(count)]
    chosen = [_indices(i, part, views) for i, part in enumerate(subsets)]
    if not chosen:
        raise DataError("subsets is empty; expected at least one")
    return chosen


def _part(problem: Problem, views: Any) -> Subset:
    take = problem.xp.ascontiguousarray
    weights = None if problem.weights is None else take(problem.weights[views])
    operator: Any = problem.operator
    return Subset(operator.subset(views), take(problem.y[views]), weights)


def _bit_reversed(count: int) -> list[int]:
    """0..count-1 in bit-reversed order, as for an FFT of the next power of two."""
    bits = (count - 1).bit_length()
    order = (int(format(i, f"0{bits}b")[::-1], 2) if bits else 0 for i in range(1 << bits))
    return [i for i in order if i < count]


def _indices(which: int, part: Any, views: int) -> np.ndarray:
    index = np.asarray(part)
    if index.ndim != 1 or index.dtype.kind not in "iu" or not index.size:
        raise DataError(f"subsets[{which}] is no list of view numbers")
    if index.min() < 0 or index.max() >= views:
        raise DataError(f"subsets[{which}] reaches outside the {views} views")
    return index
