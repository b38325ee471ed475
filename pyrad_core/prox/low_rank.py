"""Locally low rank series: sums of singular values of small blocks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .._checks import at_least, whole
from .._kernels.select import Edge
from ..errors import ShapeError
from .base import Prox

__all__ = ["LocallyLowRank"]


class LocallyLowRank(Prox):
    """``weight * sum_b ||x_b||_*``: singular values of every block's (pixels, frames) matrix.

    Axis 0 of x holds the frames, the last axes the image, which blocks cut into pieces; blocks at
    its faces are smaller. Axes between are separate images.

    Parameters
    ----------
    weight : float
        >= 0.
    block : int, or one per image axis
        Pixels along each side.
    dims : int, optional
        Image axes, at most three; default all but the first, or as many as ``block`` has numbers.
    cycle_spin : bool
        Move the blocks by another pseudo-random offset in every call, which removes their edges;
        a solver then converges to a small neighbourhood only.

    References
    ----------
    Zhang, Pauly, Levesque, Magn. Reson. Med. 73 (2015) 655, doi:10.1002/mrm.25161; Cai, Candes,
    Shen, SIAM J. Optim. 20 (2010) 1956, doi:10.1137/080738970.

    Examples
    --------
    >>> import numpy as np
    >>> series = np.ones((5, 16, 16), np.complex64)
    >>> round(LocallyLowRank(1.0, block=8).value(series), 4)  # 4 blocks of rank 1: 4 sqrt(5 * 64)
    71.5542
    """

    def __init__(
        self,
        weight: float,
        *,
        block: int | Sequence[int] = 8,
        dims: int | None = None,
        cycle_spin: bool = False,
    ):
        self.weight = at_least("weight", weight, 0)
        sides = (block,) if np.ndim(block) == 0 else tuple(block)  # type: ignore[arg-type]
        self.block = tuple(whole("block", side, 1) for side in sides)
        if np.ndim(block) and dims is None:
            dims = len(self.block)
        self.dims = None if dims is None else whole("dims", dims, 1)
        if len(self.block) != 1 and len(self.block) != self.dims:
            raise ShapeError(f"block has {len(self.block)} numbers for images of {dims} axes")
        self._random = np.random.default_rng(0) if cycle_spin else None

    def _prox(self, edge: Edge, x: Any, step: float) -> Any:
        block = self._blocks(x)
        shift = (0, 0, 0)
        if self._random is not None:
            first, second, third = (int(self._random.integers(0, side)) for side in block)
            shift = first, second, third
        return self._shrink(edge, x, block, shift, self.weight * step)[0]

    def _value(self, edge: Edge, x: Any) -> float:
        return self.weight * self._shrink(edge, x, self._blocks(x), (0, 0, 0), 0.0)[1]

    def _shrink(
        self, edge: Edge, x: Any, block: Any, shift: Any, threshold: float
    ) -> tuple[Any, float]:
        xp = edge.xp
        wide = np.complex128 if x.dtype in (np.float64, np.complex128) else np.complex64
        dims = self._dims(x)
        size = (1,) * (3 - dims) + tuple(x.shape[x.ndim - dims :])
        batch = math.prod(x.shape[1 : x.ndim - dims])
        series = xp.ascontiguousarray(x, dtype=wide).reshape(x.shape[0], batch, *size)
        out = xp.empty_like(series)
        total = edge.kernels.shrink_blocks(series, block, shift, threshold, out)
        answer = out.reshape(x.shape)
        return (answer if x.dtype.kind == "c" else xp.ascontiguousarray(answer.real)), total

    def _dims(self, x: Any) -> int:
        dims = x.ndim - 1 if self.dims is None else self.dims
        if not 1 <= dims <= 3 or x.ndim < dims + 1:
            raise ShapeError(
                f"x has shape {tuple(x.shape)}; expected frames, then images of "
                f"{'1 to 3' if self.dims is None else self.dims} axes"
            )
        return dims

    def _blocks(self, x: Any) -> tuple[int, int, int]:
        """Sides along z, y, x, no longer than the image."""
        dims = self._dims(x)
        sides = self.block * dims if len(self.block) == 1 else self.block
        fitted = [min(b, n) for b, n in zip(sides, x.shape[x.ndim - dims :], strict=True)]
        first, second, third = [1] * (3 - dims) + fitted
        return first, second, third
