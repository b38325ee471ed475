"""Priors of a regularised reconstruction by name, and the solver that takes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from .._checks import at_least, choice
from .._kernels.select import Edge
from ..errors import DataError, ShapeError
from ..operators import FiniteDifference, LinearOperator
from ..prox import TGV, TV, GroupL1, LocallyLowRank, Prox, WaveletL1

__all__ = ["PRIORS", "SOLVERS", "Term", "choose_solver", "make_terms", "take_weights"]

PRIORS = ("wavelet", "tv", "tgv", "temporal_tv", "llr")
SOLVERS = ("fista", "pogm", "admm", "pdhg")


@dataclass
class Term:
    """One prior: ``prox`` on the image itself, or ``behind`` (K, prox of g) for g(K x)."""

    name: str
    weight: float
    prox: Prox | None
    behind: tuple[LinearOperator, Prox] | None

    def value(self, x: Any) -> float:
        if self.behind is None:
            assert self.prox is not None
            return self.prox.value(x)
        transform, prior = self.behind
        return prior.value(transform._forward(x))


@dataclass
class Layout:
    """Axes of an image: the frames' (or none), the sets of maps', then its own."""

    shape: tuple[int, ...]
    dims: int
    dynamic: bool

    @property
    def spatial(self) -> tuple[int, ...]:
        return tuple(range(-self.dims, 0))

    @property
    def leading(self) -> tuple[int, ...]:
        return self.shape[: len(self.shape) - self.dims]


def make_terms(
    names: Sequence[str], weights: Sequence[float], layout: Layout, options: dict[str, Any]
) -> list[Term]:
    """The terms of an objective with absolute weights."""
    return [_MAKERS[n](w, layout, options) for n, w in zip(names, weights, strict=True)]


def take_weights(prior: Any, weight: Any) -> tuple[list[str], list[float]]:
    """Names of priors and one weight each."""
    names = [prior] if isinstance(prior, str) else list(prior)
    if not names:
        raise DataError("prior is empty; name at least one of " + ", ".join(PRIORS))
    for name in names:
        choice("prior", name, PRIORS)
    weights = list(weight) if isinstance(weight, Sequence) else [weight]
    if len(weights) != len(names):
        raise DataError(f"weight has {len(weights)} numbers for {len(names)} priors")
    return names, [at_least("weight", w, 0) for w in weights]


def choose_solver(solver: str | None, terms: Sequence[Term]) -> str:
    """The named solver where it can take these priors, or a sensible one."""
    direct = len(terms) == 1 and terms[0].prox is not None
    if solver is None:
        return "fista" if direct else "pdhg"
    choice("solver", solver, SOLVERS)
    if solver in ("fista", "pogm") and not direct:
        names = " + ".join(term.name for term in terms)
        raise DataError(
            f"solver is {solver!r}, which takes one simple prior; for {names} use 'admm' or 'pdhg'"
        )
    return solver


def _wavelet(weight: float, layout: Layout, options: dict[str, Any]) -> Term:
    prox = WaveletL1(
        weight,
        options["wavelet"],
        level=options["level"],
        axes=layout.spatial,
        cycle_spin=options["cycle_spin"],
    )
    return Term("wavelet", weight, prox, None)


def _tv(weight: float, layout: Layout, options: dict[str, Any]) -> Term:
    gradient = FiniteDifference(layout.shape, axes=layout.spatial)
    each = EachImage(lambda: TV(weight, tol=1e-4, max_iterations=60), layout.dims)
    return Term("tv", weight, each, (gradient, GroupL1(weight)))


def _tgv(weight: float, layout: Layout, options: dict[str, Any]) -> Term:
    each = EachImage(lambda: TGV(weight, tol=1e-4, max_iterations=50), layout.dims)
    return Term("tgv", weight, each, None)


def _temporal_tv(weight: float, layout: Layout, options: dict[str, Any]) -> Term:
    _need_frames("temporal_tv", layout)
    difference = FiniteDifference(layout.shape, axes=(0,))
    return Term("temporal_tv", weight, None, (difference, GroupL1(weight)))


def _llr(weight: float, layout: Layout, options: dict[str, Any]) -> Term:
    _need_frames("llr", layout)
    prox = LocallyLowRank(
        weight, block=options["block"], dims=layout.dims, cycle_spin=options["cycle_spin"]
    )
    return Term("llr", weight, prox, None)


def _need_frames(name: str, layout: Layout) -> None:
    if not layout.dynamic:
        raise ShapeError(f"prior {name!r} works along frames; give kspace as (frames, coil, ...)")


_MAKERS: dict[str, Callable[[float, Layout, dict[str, Any]], Term]] = {
    "wavelet": _wavelet,
    "tv": _tv,
    "tgv": _tgv,
    "temporal_tv": _temporal_tv,
    "llr": _llr,
}


class EachImage(Prox):
    """One proximal operator per image of ``dims`` axes, each with its own memory."""

    def __init__(self, make: Callable[[], Prox], dims: int):
        self._make, self._dims = make, dims
        self._parts: list[Prox] = []

    def _prox(self, edge: Edge, x: Any, step: float) -> Any:
        out = edge.xp.empty_like(x)
        images, to = self._images(x), self._images(out)
        for i, part in enumerate(self._for(len(images))):
            to[i] = part._prox(edge, images[i], step)
        return out

    def _value(self, edge: Edge, x: Any) -> float:
        images = self._images(x)
        return sum(part._value(edge, images[i]) for i, part in enumerate(self._for(len(images))))

    def _images(self, x: Any) -> Any:
        return x.reshape(-1, *x.shape[x.ndim - self._dims :])

    def _for(self, count: int) -> list[Prox]:
        while len(self._parts) < count:
            self._parts.append(self._make())
        return self._parts[:count]
