"""Wavelet transforms as linear operators with exact adjoints, for the solvers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from .._checks import whole
from .._kernels.select import Edge, edge_of
from ..operators import LinearOperator
from ._arguments import AxisStep, axis_steps, checked_level, require_samples
from ._dwt import Axes, waverecn
from ._swt import require_multiples
from ._transform import (
    band_names,
    dwt_adjoint,
    dwt_forward,
    swt_forward,
    swt_inverse,
    transposed,
)

__all__ = ["Dwt", "Swt"]


class Dwt(LinearOperator):
    """Multilevel decimated transform; maps ``(..., *shape)`` to ``(..., coefficients)``.

    The coefficient vector holds the coarsest approximation, then the detail bands of each level,
    coarsest level first, in the order of :func:`dwtn`'s names.

    Parameters
    ----------
    shape : sequence of int
        Shape of the image.
    wavelet : str, Wavelet or four filters
    level : int, optional
        Number of levels; the deepest one by default.
    mode : str
        Extension mode as in :func:`dwtn`. With periodization, lengths that are multiples of
        ``2 ** level`` and an orthogonal wavelet the operator is orthogonal (``.orthogonal``).
    axes : sequence of int, optional
        Axes of ``shape`` to transform, all by default.

    Raises
    ------
    DataError, ShapeError
        As :func:`wavedecn`.

    Examples
    --------
    >>> import numpy as np, pyrad_core as prc
    >>> W = prc.wavelet.Dwt((32, 32), "db2", level=2)
    >>> W.range_shape, W.orthogonal
    ((1024,), True)
    >>> W.adjoint(W.forward(np.ones((32, 32), np.float32))).shape
    (32, 32)
    """

    batched = True

    def __init__(
        self,
        shape: Sequence[int],
        wavelet: Any = "db4",
        level: int | None = None,
        mode: str = "periodization",
        *,
        axes: Axes = None,
    ):
        shape = tuple(whole("shape", n, 1) for n in shape)
        self._steps = axis_steps(len(shape), axes, wavelet, mode)
        self.level = checked_level(level, shape, self._steps)
        self._shapes = [shape]  # of the approximation after each level
        for _ in range(self.level):
            require_samples(self._shapes[-1], self._steps, "shape")
            self._shapes.append(_decimated(self._shapes[-1], self._steps))
        details = len(band_names(len(self._steps))) - 1
        size = math.prod(self._shapes[-1])
        size += details * sum(math.prod(s) for s in self._shapes[1:])
        super().__init__(shape, (size,))
        self._transposed = [replace(s, wavelet=transposed(s.wavelet)) for s in self._steps]
        self.orthogonal = size == math.prod(shape) and all(
            step.periodization and step.wavelet.orthogonal for step in self._steps
        )

    def unpack(self, coefficients: Any) -> list[Any]:
        """``[cAn, details_n, ..., details_1]`` of a coefficient vector, as views."""
        batch = coefficients.shape[:-1]
        names = band_names(len(self._steps))[1:]
        at = math.prod(self._shapes[-1])
        answer: list[Any] = [coefficients[..., :at].reshape(*batch, *self._shapes[-1])]
        for shape in reversed(self._shapes[1:]):
            size, bands = math.prod(shape), {}
            for name in names:
                bands[name] = coefficients[..., at : at + size].reshape(*batch, *shape)
                at += size
            answer.append(bands)
        return answer

    def pack(self, coefficients: Sequence[Any]) -> Any:
        """The coefficient vector of what :meth:`unpack` or :func:`wavedecn` returned."""
        names = band_names(len(self._steps))[1:]
        bands = [coefficients[0]]
        bands += [details[name] for details in coefficients[1:] for name in names]
        xp = edge_of(band=bands[0]).xp
        batch = bands[0].shape[: bands[0].ndim - len(self.domain_shape)]
        return xp.concatenate([band.reshape(*batch, -1) for band in bands], axis=-1)

    def inverse(self, coefficients: Any) -> Any:
        """The image that these coefficients are the transform of."""
        shift = coefficients.ndim - 1
        axes = [step.axis + shift for step in self._steps]
        wavelets = [step.wavelet for step in self._steps]
        modes = [step.mode for step in self._steps]
        image = waverecn(self.unpack(coefficients), wavelets, modes, axes)
        return image[(..., *(slice(n) for n in self.domain_shape))]

    def _forward(self, x: Any) -> Any:
        edge = edge_of(x=x)
        steps = _shifted(self._steps, x.ndim - len(self.domain_shape))
        names = band_names(len(steps))[1:]
        levels: list[Any] = []
        for _ in range(self.level):
            bands = dwt_forward(edge.kernels, edge.xp, x, steps)
            levels.append(dict(zip(names, bands[1:], strict=True)))
            x = edge.xp.ascontiguousarray(bands[0])
        return self.pack([x, *reversed(levels)])

    def _adjoint(self, y: Any) -> Any:
        edge = edge_of(y=y)
        approximation, *levels = self.unpack(y)
        steps = _shifted(self._steps, y.ndim - 1)
        turned = _shifted(self._transposed, y.ndim - 1)
        for details, shape in zip(levels, reversed(self._shapes[:-1]), strict=True):
            bands = [edge.xp.ascontiguousarray(b) for b in (approximation, *details.values())]
            approximation = dwt_adjoint(edge.kernels, edge.xp, bands, steps, turned, shape)
        return approximation.copy() if not levels else approximation

    def _normal(self, x: Any) -> Any:
        return x.copy() if self.orthogonal else super()._normal(x)


class Swt(LinearOperator):
    """Multilevel stationary transform; maps ``(..., *shape)`` to ``(..., bands, *shape)``.

    The bands are the coarsest approximation, then the detail bands of each level, coarsest level
    first, in the order of :func:`swtn`'s names.

    Parameters
    ----------
    shape : sequence of int
        Shape of the image; transformed lengths are multiples of ``2 ** level``.
    wavelet : str, Wavelet or four filters
    level : int
        Number of levels.
    axes : sequence of int, optional
        Axes of ``shape`` to transform, all by default.
    norm : bool
        Filters scaled by 1 / sqrt(2). The frame is then tight for an orthogonal wavelet: the
        adjoint is an inverse.

    Raises
    ------
    DataError, ShapeError
        As :func:`swtn`.

    Examples
    --------
    >>> import pyrad_core as prc
    >>> prc.wavelet.Swt((16, 16), "haar", 2).range_shape
    (7, 16, 16)
    """

    batched = True

    def __init__(
        self,
        shape: Sequence[int],
        wavelet: Any = "db4",
        level: int = 1,
        *,
        axes: Axes = None,
        norm: bool = True,
    ):
        shape = tuple(whole("shape", n, 1) for n in shape)
        self.level = whole("level", level, 1)
        self._steps = axis_steps(len(shape), axes, wavelet)
        require_multiples(shape, self._steps, self.level, "shape")
        self._details = len(band_names(len(self._steps))) - 1
        super().__init__(shape, (1 + self.level * self._details, *shape))
        self._transposed = [replace(s, wavelet=transposed(s.wavelet)) for s in self._steps]
        self._factor = math.sqrt(0.5) if norm else 1.0
        self._tight = norm and all(step.wavelet.orthogonal for step in self._steps)

    def _forward(self, x: Any) -> Any:
        edge, batch = edge_of(x=x), x.ndim - len(self.domain_shape)
        out = edge.xp.empty((self.range_shape[0], *x.shape), x.dtype)
        steps = _shifted(self._steps, batch)
        for i in range(self.level):
            bands = swt_forward(edge.kernels, edge.xp, x, steps, 2**i, self._factor)
            out[self._rows(i)] = bands[1:]
            x = bands[0]
        out[0] = x
        return _moved(edge, out, batch)

    def _adjoint(self, y: Any) -> Any:
        edge, batch = edge_of(y=y), y.ndim - 1 - len(self.domain_shape)
        turned = _shifted(self._transposed, batch)
        bands = edge.xp.ascontiguousarray(edge.xp.moveaxis(y, batch, 0))
        x = bands[0]
        for i in reversed(range(self.level)):
            level = [x, *bands[self._rows(i)]]
            # The synthesis kernel halves, as the mean over two shifts; the adjoint does not.
            x = swt_inverse(edge.kernels, edge.xp, level, turned, 2**i, 2 * self._factor)
        return x

    def _normal(self, x: Any) -> Any:
        return x.copy() if self._tight else super()._normal(x)

    def _rows(self, level: int) -> slice:
        """Rows of the detail bands of a level, 0 being the finest."""
        first = 1 + (self.level - 1 - level) * self._details
        return slice(first, first + self._details)


def _decimated(shape: tuple[int, ...], steps: Sequence[AxisStep]) -> tuple[int, ...]:
    lengths = list(shape)
    for step in steps:
        lengths[step.axis] = step.coefficients(lengths[step.axis])
    return tuple(lengths)


def _shifted(steps: Sequence[AxisStep], batch: int) -> list[AxisStep]:
    """The steps for arrays with ``batch`` leading axes more."""
    return [replace(step, axis=step.axis + batch) for step in steps] if batch else list(steps)


def _moved(edge: Edge, out: Any, batch: int) -> Any:
    return edge.xp.ascontiguousarray(edge.xp.moveaxis(out, 0, batch)) if batch else out
