"""Sparsity in an orthogonal wavelet basis."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._checks import at_least, whole
from .._kernels.select import Edge
from ..errors import DataError
from ..wavelet import Wavelet, dwt_max_level, wavedecn, waverecn
from .base import Prox, total
from .elementwise import soften

__all__ = ["WaveletL1"]


class WaveletL1(Prox):
    """``weight * sum |W x|`` over the detail bands of an orthogonal wavelet transform W.

    Periodic, multilevel. Axes are padded with zeros to a multiple of 2^level; where that changes
    the shape, prox is still a proximal operator (of a function close to this one).

    Parameters
    ----------
    weight : float
        >= 0.
    wavelet : str or Wavelet
        Orthogonal: haar, db, sym or coif.
    level : int, optional
        Default 4, or what the size allows.
    axes : sequence of int, optional
        Default all.
    cycle_spin : bool
        Shift the image by another pseudo-random offset in every call, which removes the blocks of
        the decimated transform; a solver then converges to a small neighbourhood only.
    """

    def __init__(
        self,
        weight: float,
        wavelet: Any = "db4",
        *,
        level: int | None = None,
        axes: Any = None,
        cycle_spin: bool = False,
    ):
        self.weight = at_least("weight", weight, 0)
        self.wavelet = wavelet if isinstance(wavelet, Wavelet) else Wavelet(wavelet)
        if not self.wavelet.orthogonal:
            raise DataError(f"wavelet is {self.wavelet.name!r}; WaveletL1 needs an orthogonal one")
        self.level = None if level is None else whole("level", level, 1)
        self.axes = None if axes is None else tuple(axes)
        self._random = np.random.default_rng(0) if cycle_spin else None

    def _prox(self, edge: Edge, x: Any, step: float) -> Any:
        xp, axes = edge.xp, self._axes(x)
        level = self._level(x, axes)
        if level == 0:
            return x.copy()
        padded = self._padded(xp, x, axes, level)
        shift = self._shift(len(axes), 1 << level)
        if len(axes) > 3:
            result = self._band_by_band(edge, padded, axes, level, shift, self.weight * step)
        else:
            result = self._in_one_kernel(edge, padded, axes, level, shift, self.weight * step)
        return xp.ascontiguousarray(result[tuple(slice(n) for n in x.shape)])

    def _in_one_kernel(
        self, edge: Edge, x: Any, axes: Any, level: int, shift: Any, threshold: float
    ) -> Any:
        xp, last = edge.xp, tuple(range(x.ndim - len(axes), x.ndim))
        images = x if axes == last else xp.ascontiguousarray(xp.moveaxis(x, axes, last))
        missing = (1,) * (3 - len(axes))
        stack = images.reshape(-1, *missing, *images.shape[x.ndim - len(axes) :])
        out = xp.empty_like(stack)
        bank = self.wavelet.decomposition, self.wavelet.reconstruction
        offset = (0,) * len(missing) + (shift or (0,) * len(axes))
        edge.kernels.wavelet_shrink(stack, *bank, level, offset, threshold, out)
        result = out.reshape(images.shape)
        return result if axes == last else xp.moveaxis(result, last, axes)

    def _band_by_band(
        self, edge: Edge, x: Any, axes: Any, level: int, shift: Any, threshold: float
    ) -> Any:
        """Any number of axes."""
        xp = edge.xp
        moved = xp.roll(x, shift, axes) if shift else x
        approximation, *details = wavedecn(moved, self.wavelet, "periodization", level, axes)
        softened = [
            {name: soften(edge, xp.ascontiguousarray(band), threshold) for name, band in of.items()}
            for of in details
        ]
        result = waverecn([approximation, *softened], self.wavelet, "periodization", axes)
        return xp.roll(result, tuple(-s for s in shift), axes) if shift else result

    def _value(self, edge: Edge, x: Any) -> float:
        axes = self._axes(x)
        level = self._level(x, axes)
        padded = self._padded(edge.xp, x, axes, level)
        details = wavedecn(padded, self.wavelet, "periodization", level, axes)[1:]
        return self.weight * sum(total(abs(band)) for bands in details for band in bands.values())

    def _shift(self, axes: int, period: int) -> tuple[int, ...]:
        """Next offsets of cycle spinning; none without it."""
        if self._random is None:
            return ()
        return tuple(int(offset) for offset in self._random.integers(0, period, axes))

    def _axes(self, x: Any) -> tuple[int, ...]:
        axes = tuple(range(x.ndim)) if self.axes is None else self.axes
        if any(not -x.ndim <= axis < x.ndim for axis in axes):
            raise DataError(f"axes is {axes}, but x has {x.ndim} dimensions")
        return tuple(axis % x.ndim for axis in axes)

    def _level(self, x: Any, axes: tuple[int, ...]) -> int:
        deepest = min(dwt_max_level(x.shape[axis], self.wavelet) for axis in axes)
        if self.level is not None and self.level > deepest:
            raise DataError(
                f"level is {self.level}; x of shape {x.shape} with {self.wavelet.name!r} allows at "
                f"most {deepest}"
            )
        return min(4, deepest) if self.level is None else self.level

    def _padded(self, xp: Any, x: Any, axes: tuple[int, ...], level: int) -> Any:
        block = 1 << level
        width = [(0, -n % block if axis in axes else 0) for axis, n in enumerate(x.shape)]
        return xp.pad(x, width) if any(after for _, after in width) else x
