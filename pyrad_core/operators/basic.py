"""Operators every solver needs: identity, diagonal, finite differences, stack, callables."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .._checks import positive
from .._kernels.select import edge_of
from ..errors import DataError, ShapeError
from .base import Kind, LinearOperator, _join_kinds, fresh, take_kind

__all__ = ["Diagonal", "FiniteDifference", "FromFunctions", "Identity", "Stack"]


class Identity(LinearOperator):
    """x -> x."""

    batched = True

    def __init__(self, shape: Sequence[int]):
        super().__init__(shape, shape)

    def _forward(self, x: Any) -> Any:
        return x.copy()

    def _adjoint(self, y: Any) -> Any:
        return y.copy()

    def norm(self, **_: Any) -> float:
        return 1.0


class Diagonal(LinearOperator):
    """Pointwise product with ``weights``, which broadcast against ``shape``.

    Parameters
    ----------
    weights : array
        Real or complex; complex weights make a complex operator.
    shape : sequence of int, optional
        Shape of x; default the shape of the weights.
    """

    batched = True

    def __init__(self, weights: Any, shape: Sequence[int] | None = None):
        edge = edge_of(weights=weights)
        self.weights = take_kind(edge, "weights", "any")
        super().__init__(shape or self.weights.shape, shape or self.weights.shape)
        try:
            fits = np.broadcast_shapes(self.weights.shape, self.domain_shape)
        except ValueError:
            fits = None
        if fits != self.domain_shape:
            raise ShapeError(
                f"weights have shape {self.weights.shape}, which does not broadcast to "
                f"{self.domain_shape}"
            )
        self.kind = "complex" if self.weights.dtype.kind == "c" else "any"

    def _forward(self, x: Any) -> Any:
        return (self.weights * x).astype(x.dtype, copy=False)

    def _adjoint(self, y: Any) -> Any:
        return (self.weights.conj() * y).astype(y.dtype, copy=False)

    def norm(self, **_: Any) -> float:
        return float(abs(self.weights).max())


class FiniteDifference(LinearOperator):
    """Gradient by forward differences, zero past the far edge; its adjoint is -divergence.

    Maps ``(..., *shape)`` to ``(..., len(axes), *shape)``::

        (Dx)[i] = (x[i + 1] - x[i]) / spacing,   0 at the last index

    Parameters
    ----------
    shape : sequence of int
        Shape of x.
    axes : sequence of int, optional
        Axes of ``shape`` to differentiate along; default all.
    spacing : float or sequence of float
        Sample distance, one for all or one per axis of ``axes``.
    """

    batched = True

    def __init__(
        self,
        shape: Sequence[int],
        axes: Sequence[int] | None = None,
        spacing: float | Sequence[float] = 1.0,
    ):
        ndim = len(shape)
        chosen = tuple(range(ndim)) if axes is None else tuple(axes)
        if not chosen or any(not -ndim <= axis < ndim for axis in chosen):
            raise DataError(f"axes is {axes}; expected axes of a shape with {ndim} dimensions")
        super().__init__(shape, (len(chosen), *shape))
        self._axes = tuple(axis % ndim - ndim for axis in chosen)  # counted from the end
        steps = [spacing] * len(chosen) if isinstance(spacing, int | float) else list(spacing)
        if len(steps) != len(chosen):
            raise ShapeError(f"spacing has {len(steps)} values for {len(chosen)} axes")
        self._factors = [1.0 / positive("spacing", step) for step in steps]
        # the compiled kernels know all axes of a real volume, in order
        self._compiled = self._axes == tuple(range(-ndim, 0)) and ndim <= 3
        self._grid = (1,) * (3 - ndim) + self.domain_shape

    def _forward(self, x: Any) -> Any:
        edge = edge_of(x=x)
        xp = edge.xp
        ndim = len(self.domain_shape)
        if self.compiled_for(x):
            field = xp.empty(self.range_shape, x.dtype)
            grids = x.reshape(self._grid), field.reshape(ndim, *self._grid)
            edge.kernels.difference(grids[0], self._factors, grids[1])
            return field
        batch = x.shape[: x.ndim - ndim]
        out = xp.zeros((*batch, *self.range_shape), x.dtype)
        for i, (axis, factor) in enumerate(zip(self._axes, self._factors, strict=True)):
            near, far = _shifted(axis)
            part = out[(..., i) + (slice(None),) * ndim][near]
            xp.subtract(x[far], x[near], out=part)
            if factor != 1.0:
                part *= factor
        return out

    def _adjoint(self, y: Any) -> Any:
        edge = edge_of(y=y)
        xp = edge.xp
        ndim = len(self.domain_shape)
        if self.compiled_for(y, range_side=True):
            x = xp.empty(self.domain_shape, y.dtype)
            field = y.reshape(ndim, *self._grid)
            edge.kernels.difference_adjoint(field, self._factors, x.reshape(self._grid))
            return x
        batch = y.shape[: y.ndim - ndim - 1]
        out = xp.zeros((*batch, *self.domain_shape), y.dtype)
        for i, (axis, factor) in enumerate(zip(self._axes, self._factors, strict=True)):
            near, far = _shifted(axis)
            part = y[(..., i) + (slice(None),) * ndim][near]
            if factor != 1.0:
                part = part * factor
            out[far] += part
            out[near] -= part
        return out

    def norm(self, **_: Any) -> float:
        """In closed form: the second difference of n samples has 4 sin^2(pi (n - 1) / 2n)."""
        squares = 0.0
        for axis, factor in zip(self._axes, self._factors, strict=True):
            n = self.domain_shape[axis]
            squares += (2 * factor * math.sin(0.5 * math.pi * (n - 1) / n)) ** 2
        return math.sqrt(squares)

    def compiled_for(self, array: Any, *, range_side: bool = False) -> bool:
        """Whether the compiled kernels take this array: real, all axes, no batch, in C order."""
        shape = self.range_shape if range_side else self.domain_shape
        fits = self._compiled and tuple(array.shape) == shape and array.dtype.kind == "f"
        return bool(fits and array.flags.c_contiguous)

    def ascend(
        self, x: Any, step: float, radius: float, isotropic: bool, dual: Any
    ) -> tuple[float, float]:
        """Project ``dual + step D x`` onto ``|dual| <= radius``, in place and in one pass.

        Only where :meth:`compiled_for` says so. Returns the norms of the change and of the new
        dual.
        """
        kernels = edge_of(x=x, dual=dual).kernels
        field = dual.reshape(len(self._axes), *self._grid)
        changed, size = kernels.difference_ascent(
            x.reshape(self._grid), self._factors, step, radius, isotropic, field
        )
        return math.sqrt(changed), math.sqrt(size)


def _shifted(axis: int) -> tuple[Any, Any]:
    """Index tuples of all but the last and all but the first entry along an axis < 0."""
    rest = (slice(None),) * (-axis - 1)
    return (..., slice(None, -1), *rest), (..., slice(1, None), *rest)


class Stack(LinearOperator):
    """Several operators of one domain, one under the other: x -> (A x, B x, ...).

    The range is one flat vector; :meth:`split` cuts it into the parts' shapes, :meth:`join`
    puts such parts together.
    """

    def __init__(self, operators: Sequence[LinearOperator]):
        if not operators:
            raise DataError("operators is empty; Stack needs at least one")
        self.operators = tuple(operators)
        first = self.operators[0]
        for i, operator in enumerate(self.operators):
            if operator.domain_shape != first.domain_shape:
                raise ShapeError(
                    f"operators[{i}] takes {operator.domain_shape}, but operators[0] takes "
                    f"{first.domain_shape}"
                )
        sizes = [math.prod(operator.range_shape) for operator in self.operators]
        super().__init__(first.domain_shape, (sum(sizes),))
        self.kind = _join_kinds(*self.operators)

    def split(self, y: Any) -> list[Any]:
        """Views of the parts of a range vector, each in its operator's range shape."""
        parts, start = [], 0
        for operator in self.operators:
            stop = start + math.prod(operator.range_shape)
            parts.append(y[start:stop].reshape(operator.range_shape))
            start = stop
        return parts

    def join(self, parts: Sequence[Any]) -> Any:
        """One range vector from the parts."""
        given = [tuple(part.shape) for part in parts]
        expected = [operator.range_shape for operator in self.operators]
        if given != expected:
            raise ShapeError(f"parts have shapes {given}, expected {expected}")
        xp = edge_of(**{f"parts[{i}]": part for i, part in enumerate(parts)}).xp
        return xp.concatenate([part.reshape(-1) for part in parts])

    def _forward(self, x: Any) -> Any:
        return self.join([operator._forward(x) for operator in self.operators])

    def _adjoint(self, y: Any) -> Any:
        total, *rest = (
            operator._adjoint(part)
            for operator, part in zip(self.operators, self.split(y), strict=True)
        )
        for part in rest:
            total = total + part
        return total

    def _normal(self, x: Any) -> Any:
        total, *rest = (operator._normal(x) for operator in self.operators)
        for part in rest:
            total = total + part
        return total


class FromFunctions(LinearOperator):
    """An operator from two callables, which the caller promises to be adjoint to each other.

    Parameters
    ----------
    forward, adjoint : callable
        Take and return arrays of ``domain_shape`` and ``range_shape``, in one precision.
    domain_shape, range_shape : sequence of int
    kind : {"any", "real", "complex"}
        Which arrays the callables take.
    batched : bool
        Whether they take leading axes.
    """

    def __init__(
        self,
        forward: Callable[[Any], Any],
        adjoint: Callable[[Any], Any],
        domain_shape: Sequence[int],
        range_shape: Sequence[int],
        *,
        kind: Kind = "any",
        batched: bool = False,
    ):
        super().__init__(domain_shape, range_shape)
        self.kind, self.batched = kind, bool(batched)
        self._functions = forward, adjoint

    def _forward(self, x: Any) -> Any:
        y = self._functions[0](x)
        self._expect("forward", y, x, self.domain_shape, self.range_shape)
        return fresh(y, x)

    def _adjoint(self, y: Any) -> Any:
        x = self._functions[1](y)
        self._expect("adjoint", x, y, self.range_shape, self.domain_shape)
        return fresh(x, y)

    def _expect(self, name: str, got: Any, given: Any, source: Any, target: Any) -> None:
        expected = (*given.shape[: given.ndim - len(source)], *target)
        if tuple(got.shape) != expected:
            raise ShapeError(f"{name} returned shape {tuple(got.shape)}, expected {expected}")
