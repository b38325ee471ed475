"""LinearOperator, its algebra (``A @ B``, ``A + B``, ``2 * A``, ``A.H``, ``A.gram``) and norm.

A subclass passes its shapes to ``__init__`` and implements ``_forward`` and ``_adjoint``. Both
receive checked arrays (contiguous, finite, right trailing shape, allowed dtype) and return a new
contiguous array of the same precision on the same device. Inside the package, loops that have
checked their input once call ``_forward``, ``_adjoint`` and ``_normal`` directly.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from .._checks import whole
from .._kernels.select import Edge, edge_of
from ..errors import DataError, ShapeError

__all__ = ["LinearOperator", "as_operator"]

Kind = Literal["any", "real", "complex"]


class LinearOperator:
    """A linear map between arrays of two fixed shapes, together with its exact adjoint.

    Parameters
    ----------
    domain_shape, range_shape
        Shape of what ``forward`` takes and of what it returns.

    Attributes
    ----------
    kind : {"any", "real", "complex"}
        Class attribute: which arrays ``_forward`` and ``_adjoint`` can take. ``"complex"``
        converts real input, ``"real"`` refuses complex input.
    batched : bool
        Whether leading axes before ``domain_shape`` and ``range_shape`` are accepted.
    nonnegative : bool
        Whether no entry of the matrix is negative (a projector): the power iteration of
        :meth:`norm` then starts from ones, close to where it ends.
    fast_normal : bool
        Whether ``_normal`` beats ``_forward`` followed by ``_adjoint``; solvers then use it.

    Notes
    -----
    float32 stays float32, float64 stays float64, complex likewise; integers become float32.
    NumPy input gives NumPy output, CuPy gives CuPy. ``shape``, ``dtype``, ``matvec`` and
    ``rmatvec`` act on flat vectors, so that SciPy's solvers take any of these operators.

    Examples
    --------
    >>> gradient = prc.operators.FiniteDifference((4, 5))
    >>> gradient.forward(np.ones((4, 5), np.float32)).shape
    (2, 4, 5)
    >>> laplacian = gradient.H @ gradient
    """

    kind: Kind = "any"
    batched: bool = False
    nonnegative: bool = False
    fast_normal: bool = False
    _norm: float | None = None

    def __init__(self, domain_shape: Sequence[int], range_shape: Sequence[int]):
        self.domain_shape = tuple(whole("domain_shape", n, 1) for n in domain_shape)
        self.range_shape = tuple(whole("range_shape", n, 1) for n in range_shape)

    # What a subclass implements.

    def _forward(self, x: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} has no forward")

    def _adjoint(self, y: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} has no adjoint")

    def _normal(self, x: Any) -> Any:
        """A^H A x; override where a faster route exists (Toeplitz embedding)."""
        return self._adjoint(self._forward(x))

    # What a caller uses.

    def forward(self, x: Any) -> Any:
        """A x for x of shape ``domain_shape``; returns ``range_shape``."""
        edge, x = self._take("x", x, self.domain_shape, "domain")
        return edge.answer(self._forward(x))

    def adjoint(self, y: Any) -> Any:
        """A^H y for y of shape ``range_shape``; returns ``domain_shape``."""
        edge, y = self._take("y", y, self.range_shape, "range")
        return edge.answer(self._adjoint(y))

    @property
    def H(self) -> LinearOperator:
        """The adjoint operator."""
        return _Adjoint(self)

    @property
    def gram(self) -> LinearOperator:
        """A^H A as one operator, on its fastest route."""
        return _Gram(self)

    def norm(self, *, iterations: int = 100, tolerance: float = 1e-4, like: Any = None) -> float:
        """Largest singular value, by seeded power iteration on A^H A; computed once.

        The estimate approaches the norm from below; it stops when one step changes it by less
        than ``tolerance`` (relative). ``like``: an array on the device to compute on.
        """
        if self._norm is None:
            self._norm = _power_iteration(self, iterations, tolerance, like)
        return self._norm

    def __matmul__(self, other: Any) -> Any:
        return _Product(self, other) if isinstance(other, LinearOperator) else self.forward(other)

    def __add__(self, other: Any) -> LinearOperator:
        return _Sum(self, other) if isinstance(other, LinearOperator) else NotImplemented

    def __sub__(self, other: Any) -> LinearOperator:
        return self + -1 * other if isinstance(other, LinearOperator) else NotImplemented

    def __rmul__(self, factor: Any) -> LinearOperator:
        return _Scaled(self, factor) if isinstance(factor, numbers.Number) else NotImplemented

    __mul__ = __rmul__

    def __neg__(self) -> LinearOperator:
        return _Scaled(self, -1)

    # What SciPy expects of a linear operator.

    @property
    def shape(self) -> tuple[int, int]:
        return math.prod(self.range_shape), math.prod(self.domain_shape)

    @property
    def dtype(self) -> np.dtype:
        return np.dtype(np.complex64 if self.kind == "complex" else np.float32)

    def matvec(self, x: Any) -> Any:
        return self.forward(x.reshape(self.domain_shape)).reshape(-1)

    def rmatvec(self, y: Any) -> Any:
        return self.adjoint(y.reshape(self.range_shape)).reshape(-1)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.domain_shape} -> {self.range_shape}>"

    def _take(self, name: str, array: Any, shape: tuple[int, ...], space: str) -> tuple[Edge, Any]:
        edge = edge_of(**{name: array})
        found = tuple(edge[name].shape)
        trailing = found[len(found) - len(shape) :] if len(found) >= len(shape) else found
        if trailing != shape or len(found) > len(shape) and not self.batched:
            leading = "..., " if self.batched else ""
            raise ShapeError(
                f"{name} has shape {found}, but the {space} of {type(self).__name__} is "
                f"({leading}{', '.join(map(str, shape))})"
            )
        return edge, take_kind(edge, name, self.kind)


def take_kind(edge: Edge, name: str, kind: Kind, *, finite: bool = True) -> Any:
    """The edge's array as contiguous floats of the given kind."""
    if kind == "complex" or kind == "any" and edge[name].dtype.kind == "c":
        return edge.complex(name, real_ok=True, finite=finite)
    return edge.real(name, finite=finite)


def as_operator(operator: Any) -> LinearOperator:
    """A LinearOperator as it is; a 2D array or a SciPy operator wrapped for flat vectors."""
    if isinstance(operator, LinearOperator):
        return operator
    if getattr(operator, "ndim", None) == 2 and hasattr(operator, "conj"):
        return _Matrix(operator)
    if hasattr(operator, "matvec") and hasattr(operator, "rmatvec"):
        return _Flat(operator)
    raise DataError(
        f"A is a {type(operator).__name__}; expected a LinearOperator, a SciPy LinearOperator "
        "or a 2D array"
    )


class _Matrix(LinearOperator):
    def __init__(self, matrix: Any):
        super().__init__((matrix.shape[1],), (matrix.shape[0],))
        self.matrix = matrix
        self.kind = "complex" if matrix.dtype.kind == "c" else "any"

    def _forward(self, x: Any) -> Any:
        return fresh(self.matrix @ x, x)

    def _adjoint(self, y: Any) -> Any:
        return fresh(self.matrix.conj().T @ y, y)


class _Flat(LinearOperator):
    def __init__(self, operator: Any):
        super().__init__((operator.shape[1],), (operator.shape[0],))
        self.operator = operator
        self.kind = "complex" if np.dtype(operator.dtype).kind == "c" else "any"

    def _forward(self, x: Any) -> Any:
        return fresh(self.operator.matvec(x), x)

    def _adjoint(self, y: Any) -> Any:
        return fresh(self.operator.rmatvec(y), y)


def fresh(result: Any, given: Any) -> Any:
    """What a foreign function returned, contiguous, in the precision of its argument, unshared."""
    xp = edge_of(given=given).xp
    double = given.dtype in (np.float64, np.complex128)
    names = ("complex64", "complex128") if result.dtype.kind == "c" else ("float32", "float64")
    result = xp.ascontiguousarray(result, dtype=names[double]).reshape(result.shape)
    return result.copy() if xp.may_share_memory(result, given) else result


def _join_kinds(*operators: LinearOperator) -> Kind:
    kinds = {operator.kind for operator in operators} - {"any"}
    if len(kinds) > 1:
        names = " and ".join(f"{op!r} ({op.kind})" for op in operators)
        raise DataError(f"real-only and complex operators cannot be combined: {names}")
    return kinds.pop() if kinds else "any"


class _Adjoint(LinearOperator):
    def __init__(self, operator: LinearOperator):
        super().__init__(operator.range_shape, operator.domain_shape)
        self.operator = operator
        self.kind, self.batched = operator.kind, operator.batched

    def _forward(self, x: Any) -> Any:
        return self.operator._adjoint(x)

    def _adjoint(self, y: Any) -> Any:
        return self.operator._forward(y)

    @property
    def H(self) -> LinearOperator:
        return self.operator

    def norm(self, **options: Any) -> float:
        return self.operator.norm(**options)


class _Gram(LinearOperator):
    def __init__(self, operator: LinearOperator):
        super().__init__(operator.domain_shape, operator.domain_shape)
        self.operator = operator
        self.kind, self.batched = operator.kind, operator.batched

    def _forward(self, x: Any) -> Any:
        return self.operator._normal(x)

    def _adjoint(self, y: Any) -> Any:
        return self.operator._normal(y)

    @property
    def H(self) -> LinearOperator:
        return self

    def norm(self, **options: Any) -> float:
        return self.operator.norm(**options) ** 2


class _Product(LinearOperator):
    def __init__(self, outer: LinearOperator, inner: LinearOperator):
        if outer.domain_shape != inner.range_shape:
            raise ShapeError(
                f"A @ B: A takes {outer.domain_shape}, but B returns {inner.range_shape}"
            )
        super().__init__(inner.domain_shape, outer.range_shape)
        self.outer, self.inner = outer, inner
        self.kind = _join_kinds(outer, inner)
        self.batched = outer.batched and inner.batched
        self.fast_normal = outer.fast_normal

    def _forward(self, x: Any) -> Any:
        return self.outer._forward(self.inner._forward(x))

    def _adjoint(self, y: Any) -> Any:
        return self.inner._adjoint(self.outer._adjoint(y))

    def _normal(self, x: Any) -> Any:
        return self.inner._adjoint(self.outer._normal(self.inner._forward(x)))


class _Sum(LinearOperator):
    def __init__(self, a: LinearOperator, b: LinearOperator):
        if (a.domain_shape, a.range_shape) != (b.domain_shape, b.range_shape):
            raise ShapeError(
                f"A + B: A maps {a.domain_shape} to {a.range_shape}, "
                f"but B maps {b.domain_shape} to {b.range_shape}"
            )
        super().__init__(a.domain_shape, a.range_shape)
        self.a, self.b = a, b
        self.kind = _join_kinds(a, b)
        self.batched = a.batched and b.batched

    def _forward(self, x: Any) -> Any:
        return self.a._forward(x) + self.b._forward(x)

    def _adjoint(self, y: Any) -> Any:
        return self.a._adjoint(y) + self.b._adjoint(y)


class _Scaled(LinearOperator):
    def __init__(self, operator: LinearOperator, factor: Any):
        super().__init__(operator.domain_shape, operator.range_shape)
        value = complex(factor)
        self.operator = operator
        self.factor: Any = value if value.imag else value.real  # Python scalars keep the dtype
        self.kind, self.batched = operator.kind, operator.batched
        self.fast_normal = operator.fast_normal
        if value.imag:
            if operator.kind == "real":
                raise DataError(f"{operator!r} is real-only; it cannot be scaled by {factor}")
            self.kind = "complex"

    def _forward(self, x: Any) -> Any:
        return self.factor * self.operator._forward(x)

    def _adjoint(self, y: Any) -> Any:
        return self.factor.conjugate() * self.operator._adjoint(y)

    def _normal(self, x: Any) -> Any:
        return abs(self.factor) ** 2 * self.operator._normal(x)

    def norm(self, **options: Any) -> float:
        return abs(self.factor) * self.operator.norm(**options)


def _power_iteration(
    operator: LinearOperator, iterations: int, tolerance: float, like: Any
) -> float:
    xp = edge_of(like=like).xp
    if operator.nonnegative:
        x = xp.ones(operator.domain_shape, operator.dtype)
    else:
        rng = np.random.default_rng(0)
        start = rng.standard_normal(operator.domain_shape)
        if operator.kind == "complex":
            start = start + 1j * rng.standard_normal(operator.domain_shape)
        x = xp.asarray(start.astype(operator.dtype))
    value = 0.0
    for _ in range(whole("iterations", iterations, 1)):
        length = float(xp.linalg.norm(x.reshape(-1)))
        if length == 0:
            return 0.0
        x = x / length
        x = operator._normal(x)
        former, value = value, math.sqrt(float(xp.linalg.norm(x.reshape(-1))))
        if abs(value - former) <= tolerance * value:
            break
    return value
