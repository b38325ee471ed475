"""Proximal operators that act on each element, or each small group, by itself."""

from __future__ import annotations

import ctypes
import math
from typing import Any

from .._checks import at_least
from .._kernels.select import Edge, edge_of
from ..errors import DataError, ShapeError
from .base import Prox, total

__all__ = ["L1", "Box", "GroupL1", "NonNegative", "Pointwise", "Support"]


class L1(Prox):
    """``weight * sum |x|``: soft thresholding; complex values keep their phase.

    Parameters
    ----------
    weight : float
        >= 0.

    Examples
    --------
    >>> prc.prox.L1(0.5).prox(np.array([2.0, -0.2]), 1.0)
    array([1.5, 0. ])
    """

    def __init__(self, weight: float):
        self.weight = at_least("weight", weight, 0)

    @property
    def dual_ball(self) -> tuple[float, bool]:
        """Radius of the dual variables, and whether it is Euclidean over axis 0 (for pdhg)."""
        return self.weight, False

    def _prox(self, edge: Edge, x: Any, step: float) -> Any:
        return soften(edge, x, self.weight * step)

    def _value(self, edge: Edge, x: Any) -> float:
        return self.weight * total(abs(x))


class GroupL1(Prox):
    """``weight * sum ||x||_2``, the norm taken along one axis.

    With :class:`operators.FiniteDifference`, whose range is (axes, ...), this is isotropic total
    variation; over coils or echoes it is joint sparsity.

    Parameters
    ----------
    weight : float
        >= 0.
    axis : int
        Along which a group lies.
    """

    def __init__(self, weight: float, axis: int = 0):
        self.weight = at_least("weight", weight, 0)
        self.axis = axis

    @property
    def dual_ball(self) -> tuple[float, bool] | None:
        """Radius of the dual variables, and whether it is Euclidean over axis 0 (for pdhg)."""
        return (self.weight, True) if self.axis == 0 else None

    def _prox(self, edge: Edge, x: Any, step: float) -> Any:
        return x * _shrinkage(edge.xp, self._sizes(edge, x), self.weight * step)

    def _value(self, edge: Edge, x: Any) -> float:
        return self.weight * total(self._sizes(edge, x))

    def _sizes(self, edge: Edge, x: Any) -> Any:
        if not -x.ndim <= self.axis < x.ndim:
            raise DataError(f"axis is {self.axis}, but x has {x.ndim} dimensions")
        squares = x.real**2 + x.imag**2 if x.dtype.kind == "c" else x * x
        return edge.xp.sqrt(squares.sum(axis=self.axis, keepdims=True))


class Box(Prox):
    """0 where ``low <= x <= high`` everywhere, else infinity: clips. Real x only.

    Parameters
    ----------
    low, high : float
        Bounds; infinite ones are open.
    """

    def __init__(self, low: float = -math.inf, high: float = math.inf):
        self.low, self.high = float(low), float(high)
        if not self.low <= self.high:
            raise DataError(f"low is {low} and high is {high}; expected low <= high")

    @property
    def floor(self) -> float | None:
        """The lower bound where it is the only one: solvers then apply it within their updates."""
        return self.low if self.high == math.inf else None

    def _prox(self, edge: Edge, x: Any, step: float) -> Any:
        return edge.xp.clip(_real(self, x), self.low, self.high)

    def _value(self, edge: Edge, x: Any) -> float:
        _real(self, x)
        return 0.0 if bool(((x >= self.low) & (x <= self.high)).all()) else math.inf


class NonNegative(Box):
    """0 where x >= 0 everywhere, else infinity. Real x only."""

    def __init__(self) -> None:
        super().__init__(low=0.0)


class Support(Box):
    """0 where x is 0 outside of a mask (and lies within bounds inside), else infinity. Real x only.

    Parameters
    ----------
    mask : array of bool, shape of x
        True where x may differ from 0.
    low, high : float
        Bounds inside the mask, as of :class:`Box`.
    """

    def __init__(self, mask: Any, low: float = -math.inf, high: float = math.inf):
        super().__init__(low, high)
        edge = edge_of(mask=mask)
        self.mask = edge["mask"]
        if self.mask.dtype != bool:
            raise DataError(f"mask has dtype {self.mask.dtype}; expected bool")

    @property
    def floor(self) -> float | None:
        return None

    def _prox(self, edge: Edge, x: Any, step: float) -> Any:
        self.fit(x)
        return edge.xp.where(self.mask, super()._prox(edge, x, step), 0).astype(x.dtype, copy=False)

    def _value(self, edge: Edge, x: Any) -> float:
        self.fit(x)
        outside = bool((x[~self.mask] != 0).any())
        return math.inf if outside else super()._value(edge, x[self.mask])

    def fit(self, x: Any) -> None:
        """Raise ShapeError unless x has the mask's shape."""
        if tuple(x.shape) != tuple(self.mask.shape):
            raise ShapeError(f"x has shape {x.shape}, but mask has {self.mask.shape}")


class Pointwise(Prox):
    """A user's own penalty, given as compiled scalar functions, at the speed of C.

    Parameters
    ----------
    prox : numba.cfunc or ctypes function, ``double(double x, double step)``
        Scalar proximal operator. For complex arrays it gets ``|x|`` and the phase is kept, so the
        penalty has to depend on the magnitude alone. It is called from several threads at once.
    value : numba.cfunc or ctypes function, ``double(double x)``, optional
        The penalty itself, for ``value``.

    Raises
    ------
    DataError
        Another signature; an array on a GPU, where such a function cannot run.

    Examples
    --------
    >>> from numba import cfunc
    >>> @cfunc("float64(float64, float64)")
    ... def hard(x, step):
    ...     return x if x * x > 2 * step else 0.0
    >>> result = prc.solvers.fista(A, y, iterations=50, prox=prc.prox.Pointwise(hard))
    """

    def __init__(self, prox: Any, value: Any = None):
        self._functions = (prox, value)  # kept alive: the kernel holds their addresses
        self._address = _address("prox", prox, 2)
        self._value_function = None if value is None else _pointer("value", value, 1)

    def _prox(self, edge: Edge, x: Any, step: float) -> Any:
        xp = edge.xp
        sizes = abs(x) if x.dtype.kind == "c" else x
        out = xp.empty_like(sizes)
        edge.kernels.apply_pointwise(self._address, sizes.reshape(-1), step, out.reshape(-1))
        if x.dtype.kind != "c":
            return out
        return x * (out / xp.where(sizes > 0, sizes, 1))

    def _value(self, edge: Edge, x: Any) -> float:
        if self._value_function is None:
            raise DataError("this Pointwise was made without value")
        if edge.on_gpu:
            raise DataError("a compiled pointwise function runs on the CPU only; x is on a GPU")
        sizes = abs(x) if x.dtype.kind == "c" else x
        return math.fsum(self._value_function(float(size)) for size in sizes.reshape(-1))


def soften(edge: Edge, x: Any, threshold: float) -> Any:
    """Soft thresholding of real or complex values."""
    out = edge.xp.empty_like(x)
    edge.kernels.soften(x.reshape(-1), threshold, out.reshape(-1))
    return out


def _shrinkage(xp: Any, sizes: Any, threshold: float) -> Any:
    """max(1 - threshold / size, 0), and 0 at size 0."""
    left = xp.maximum(sizes - threshold, 0)
    left /= xp.where(sizes > 0, sizes, 1)
    return left


def _real(prox: Prox, x: Any) -> Any:
    if x.dtype.kind == "c":
        raise DataError(f"{type(prox).__name__} bounds real values; x has dtype {x.dtype}")
    return x


def _pointer(name: str, function: Any, arguments: int) -> Any:
    """The ctypes function of a numba.cfunc (or of itself), its signature checked."""
    pointer = getattr(function, "ctypes", function)
    double = ctypes.c_double
    expected = (double,) * arguments
    found = tuple(getattr(pointer, "argtypes", None) or ())
    if not hasattr(pointer, "restype") or pointer.restype is not double or found != expected:
        raise DataError(
            f"{name} is {function!r}; expected a numba.cfunc or a ctypes function with the "
            f"signature float64({', '.join(['float64'] * arguments)})"
        )
    return pointer


def _address(name: str, function: Any, arguments: int) -> int:
    pointer = _pointer(name, function, arguments)
    return int(ctypes.cast(pointer, ctypes.c_void_p).value or 0)
