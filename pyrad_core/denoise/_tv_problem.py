"""ROF-TV in the kernels' shapes, and the two methods that solve it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from .._kernels.select import Edge
from .._memory import require_memory

__all__ = ["State", "fgp", "is_enough", "pdhg", "problem_of"]

_COUPLINGS = ("separate", "frobenius", "nuclear")  # numbers of tv_fields_math.hpp
_CHECK_EVERY = 12  # iterations between two looks at the gap
_STEP_GAIN = 1.3  # PDHG: tau sigma ||K||^2; up to 4/3 (Banert, Upadhyaya, Giselsson 2023)
_FIRST_TAU = 4.0
_ROUNDING = 1e-5
_CONVEXITY = 0.35  # of the data term (at most 1): smaller values begin slower and end faster

State = tuple[float, float]  # objective of an image and the bound below it
_UNKNOWN = (math.inf, -math.inf)


class Problem:
    """``weight TV`` of channels with one weight and no bounds: kernels that fuse an iteration.

    Parameters
    ----------
    f
        (channels, nz, ny, nx).
    dual
        (channels, axes, nz, ny, nx), changed in place.
    """

    def __init__(
        self, edge: Edge, f: Any, dual: Any, weight: float, spacing: Sequence[float], coupling: str
    ):
        self.kernels, self.xp = edge.kernels, edge.xp
        self.f, self.dual, self.weight, self.coupling = f, dual, weight, coupling
        self.inverse_spacing = [1 / h for h in spacing]
        sizes = f.shape[-len(spacing) :]
        squares = [s * s for s, n in zip(self.inverse_spacing, sizes, strict=True) if n > 1]
        self.norm2 = 4 * sum(squares) or 4.0  # bound on ||grad||^2; 4 where there is no gradient

    def _common(self) -> tuple[Any, ...]:
        return self.f, self.weight, self.inverse_spacing, self.coupling != "separate"

    def image(self, out: Any) -> None:
        """The image that belongs to the dual field."""
        self.kernels.tv_primal(self.f, self.weight, self.inverse_spacing, self.dual, out)

    def pdhg(self, steps: list[tuple[float, float, float]], image: Any, previous: Any) -> None:
        """One iteration per (tau, sigma, theta)."""
        self.kernels.tv_pdhg(*self._common(), steps, self.dual, image, previous)

    def fgp(self, step: float, momenta: list[float], previous: Any, image: Any) -> None:
        """One iteration per momentum; ``image`` is free to use."""
        self.kernels.tv_fgp(*self._common(), step, momenta, self.dual, previous)

    def objectives(self, image: Any) -> State:
        f, *how = self._common()
        found: State = self.kernels.tv_objectives(f, image, *how, self.dual)
        return found


class Fields(Problem):
    """With a weight per voxel, a mask, bounds, or any number of channels.

    Parameters
    ----------
    limit
        (nz, ny, nx) in 0..1: the weight of each voxel over the largest one.
    links
        (nz, ny, nx) of uint8: bit d says that the difference along axis d counts.
    bounds
        Two numbers, or an array (2, nz, ny, nx).
    """

    def __init__(self, *args: Any, limit: Any = None, links: Any = None, bounds: Any = None):
        super().__init__(*args)
        self.number = _COUPLINGS.index(self.coupling)
        self.limit, self.links = limit, links
        self.within: tuple[Any, ...] = (-math.inf, math.inf, None)
        if bounds is not None:
            self.within = (
                (-math.inf, math.inf, bounds) if hasattr(bounds, "ndim") else (*bounds, None)
            )
        if links is not None:
            for axis in range(len(self.inverse_spacing)):
                self.dual[:, axis][:, (links >> axis) & 1 == 0] = 0

    def _scaled(self, factor: float) -> list[float]:
        return [factor * s for s in self.inverse_spacing]

    def _descend(self, image: Any, take: float, earlier: Any, momentum: float, out: Any) -> None:
        self.kernels.tv_fields_primal(
            self.f, image, take, self.dual, earlier, momentum, self._scaled(self.weight),
            *self.within, out,
        )  # fmt: skip

    def _ascend(
        self, image: Any, former: Any, theta: float, earlier: Any, momentum: float, step: float,
        out: Any,
    ) -> None:  # fmt: skip
        self.kernels.tv_fields_dual(
            image, former, theta, self.dual, earlier, momentum, self._scaled(step), self.number,
            self.limit, self.links, out,
        )  # fmt: skip

    def image(self, out: Any) -> None:
        self._descend(self.f, 1.0, self.dual, 0.0, out)

    def pdhg(self, steps: list[tuple[float, float, float]], image: Any, previous: Any) -> None:
        newest, older = image, previous
        for tau, sigma, theta in steps:
            self._ascend(newest, older, theta, self.dual, 0.0, sigma * self.weight, self.dual)
            self._descend(newest, tau / (1 + tau), self.dual, 0.0, older)
            newest, older = older, newest
        if newest is not image:
            _exchange(newest, older)

    def fgp(self, step: float, momenta: list[float], previous: Any, image: Any) -> None:
        given = self.dual
        for momentum in momenta:
            self._descend(self.f, 1.0, previous, momentum, image)
            self._ascend(image, image, 0.0, previous, momentum, step, previous)
            self.dual, previous = previous, self.dual
        if self.dual is not given:
            _exchange(self.dual, given)
            self.dual = given

    def objectives(self, image: Any) -> State:
        found: State = self.kernels.tv_fields_objectives(
            self.f, image, self.weight, self.inverse_spacing, self.number, self.limit, self.links,
            *self.within, self.dual,
        )  # fmt: skip
        return found


def problem_of(
    edge: Edge,
    f: Any,
    dual: Any,
    weight: float,
    spacing: Sequence[float],
    coupling: str,
    **fields: Any,
) -> Problem:
    """The quickest form that has what the problem needs."""
    given = {name: value for name, value in fields.items() if value is not None}
    if not edge.on_gpu:
        count = len(f) * (2 + (3 if given else 2) + 2 * len(spacing))
        asked = count * f[0].nbytes
        require_memory("the fields of TV", asked, "denoise smaller blocks")
    if given or coupling == "nuclear" or len(f) > 2:
        return Fields(edge, f, dual, weight, spacing, coupling, **given)
    return Problem(edge, f, dual, weight, spacing, coupling)


def _exchange(a: Any, b: Any) -> None:
    kept = a.copy()
    a[...] = b
    b[...] = kept


def is_enough(state: State, tol: float) -> bool:
    """Whether the gap is small; a wild start lies outside the dual ball and bounds nothing."""
    primal, lower = state
    return primal - lower <= tol * primal and lower <= primal * (1 + _ROUNDING)


def pdhg(problem: Problem, image: Any, tol: float, max_iterations: int) -> tuple[int, State]:
    """Iterations and objectives; tau and sigma as algorithm 2 of Chambolle and Pock."""
    problem.image(image)
    previous = problem.xp.zeros(image.shape, image.dtype)  # any: the first theta is 0
    tau, theta, done = _FIRST_TAU, 0.0, 0
    product = _STEP_GAIN / (problem.norm2 * problem.weight**2)
    state = problem.objectives(image) if tol > 0 or max_iterations == 0 else _UNKNOWN
    while done < max_iterations and not (tol > 0 and is_enough(state, tol)):
        steps = []
        for _ in range(min(_CHECK_EVERY, max_iterations - done)):
            steps.append((tau, product / tau, theta))
            theta = 1 / math.sqrt(1 + 2 * _CONVEXITY * tau)
            tau *= theta
        problem.pdhg(steps, image, previous)
        done += len(steps)
        if tol > 0 or done == max_iterations:
            state = problem.objectives(image)
    return done, state


def fgp(problem: Problem, image: Any, tol: float, max_iterations: int) -> tuple[int, State]:
    """Nesterov momentum, set back where the dual objective falls (O'Donoghue, Candes 2015)."""
    dual = problem.dual
    previous = problem.xp.zeros(dual.shape, dual.dtype)  # any: the first momentum is 0
    step = 1 / (problem.norm2 * problem.weight)
    t, factor, done = 1.0, 0.0, 0
    state = _UNKNOWN
    if tol > 0 or max_iterations == 0:
        problem.image(image)
        state = problem.objectives(image)
    while done < max_iterations and not (tol > 0 and is_enough(state, tol)):
        momenta = []
        for _ in range(min(_CHECK_EVERY, max_iterations - done)):
            momenta.append(factor)
            following = 0.5 * (1 + math.sqrt(1 + 4 * t * t))
            factor = (t - 1) / following
            t = following
        problem.fgp(step, momenta, previous, image)
        done += len(momenta)
        if tol > 0 or done == max_iterations:
            problem.image(image)
            former, state = state, problem.objectives(image)
            if state[1] < former[1]:
                t, factor = 1.0, 0.0
    return done, state
