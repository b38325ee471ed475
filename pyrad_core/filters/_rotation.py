"""Separable filters at all rotations by right angles, pooled (IBSI 2, section 2.4.2)."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from .. import _checks
from ._image import Image

__all__ = ["POOLINGS", "filter_separable", "pool"]

POOLINGS = ("max", "mean", "min")


class Line(NamedTuple):
    """Filters that run along one axis one after the other, and the tap at the sample itself."""

    taps: tuple[tuple[float, ...], ...]
    centres: tuple[int, ...]

    @classmethod
    def of(cls, levels: Sequence[np.ndarray], flipped: bool) -> Line:
        # Of an even number of taps the later middle one is the centre; flipping mirrors that too.
        order = -1 if flipped else 1
        centres = tuple((len(taps) - 1) // 2 if flipped else len(taps) // 2 for taps in levels)
        return cls(tuple(tuple(map(float, taps[::order])) for taps in levels), centres)

    def along(self, image: Image, x: Any, axis: int) -> Any:
        for taps, centre in zip(self.taps, self.centres, strict=True):
            x = image.convolve(x, np.asarray(taps), axis, centre)
        return x


def filter_separable(
    image: Image, filters: Sequence[Sequence[np.ndarray]], pooling: str | None
) -> Any:
    """Filters (each a list of taps by level) along image.axes, as they stand or rotated."""
    if pooling is None:
        lines = [tuple(Line.of(levels, False) for levels in filters)]
    else:
        _checks.choice("pooling", pooling, POOLINGS)
        lines = sorted(set(_rotations(filters)))
    return pool(image.edge.xp, _responses(image, image.data, lines), pooling or "max")


def pool(xp: Any, responses: Iterator[Any], pooling: str) -> Any:
    """One response out of many, which are made one at a time."""
    combine: Callable[..., Any] = {"max": xp.maximum, "min": xp.minimum}.get(pooling, xp.add)
    total, count = next(responses), 1
    for response in responses:
        combine(total, response, out=total)
        count += 1
    if pooling == "mean" and count > 1:
        total /= count
    return total


def _rotations(filters: Sequence[Sequence[np.ndarray]]) -> Iterator[tuple[Line, ...]]:
    """Filters per axis for every signed permutation of determinant 1.

    Symmetric filters make some of them equal, each equally often, so that a mean may drop them.
    """
    for order in itertools.permutations(range(len(filters))):
        inversions = sum(a > b for a, b in itertools.combinations(order, 2))
        for flips in itertools.product((False, True), repeat=len(filters)):
            if (inversions + sum(flips)) % 2 == 0:
                yield tuple(Line.of(filters[i], flip) for i, flip in zip(order, flips, strict=True))


def _responses(
    image: Image, x: Any, lines: list[tuple[Line, ...]], depth: int = 0
) -> Iterator[Any]:
    """A response per entry of `lines`, sorted; entries that begin alike share the work."""
    if depth == len(image.axes):
        yield x
        return
    for line, group in itertools.groupby(lines, key=lambda entry: entry[depth]):
        filtered = line.along(image, x, image.axes[depth])
        yield from _responses(image, filtered, list(group), depth + 1)
