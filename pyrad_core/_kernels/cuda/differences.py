"""CUDA launchers of csrc/denoise/differences and csrc/base/steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from . import runtime

__all__ = [
    "difference",
    "difference_adjoint",
    "difference_ascent",
    "momentum_step",
    "roughness_gradient",
    "scaled_step",
]

_BLOCK = 256
_MAX_GRID = 1 << 20
_PARTIAL_SUMS = 2048


def difference(x: Any, inverse_spacing: Sequence[float], out: Any) -> None:
    """out = D x, forward differences."""
    _launch("difference", x, (x, *_grid(x, inverse_spacing), out))


def difference_adjoint(field: Any, inverse_spacing: Sequence[float], out: Any) -> None:
    """out = D^T field."""
    _launch("difference_adjoint", out, (field, *_grid(out, inverse_spacing), out))


def difference_ascent(
    x: Any,
    inverse_spacing: Sequence[float],
    step: float,
    radius: float,
    isotropic: bool,
    field: Any,
) -> tuple[float, float]:
    """field <- field + step D x, projected onto |field| <= radius; sums of squares of the change
    and of the new field."""
    blocks = min(_PARTIAL_SUMS, -(-x.size // _BLOCK))
    partial = runtime.empty(x, (blocks, 2), np.float64)
    real = x.dtype.type
    args = (real(step), real(radius), np.int32(isotropic), field, partial)
    kernel = f"difference_ascent_{runtime.suffix(x)}"
    arguments = (x, *_grid(x, inverse_spacing), *args)
    runtime.launch("denoise/differences.cu", kernel, (blocks,), (_BLOCK,), arguments)
    changed, size = (float(v) for v in partial.sum(axis=0))
    return changed, size


def roughness_gradient(
    x: Any,
    inverse_spacing: Sequence[float],
    delta: float,
    huber: bool,
    isotropic: bool,
    scale: float,
    out: Any,
) -> None:
    """out += scale * gradient of the edge-preserving penalty at x."""
    real = x.dtype.type
    flags = (real(delta), np.int32(huber), np.int32(isotropic), real(scale))
    _launch("roughness_gradient", x, (x, *_grid(x, inverse_spacing), *flags, out))


def scaled_step(step: float, scale: Any, update: Any, low: float, x: Any) -> None:
    """x = max(x + step * scale * update, low)."""
    real = x.dtype.type
    args = (real(step), scale, update, real(low), x, np.int64(x.size))
    _launch("scaled_step", x, args, source="base/steps.cu")


def momentum_step(
    gradient: Any,
    scale: Any,
    factor: float,
    weight: float,
    mix: float,
    low: float,
    start: Any,
    sum: Any,
    z: Any,
    x: Any,
) -> None:
    """One step of Nesterov's 2005 momentum in the diagonal metric 1 / (factor * scale)."""
    numbers = [x.dtype.type(value) for value in (factor, weight, mix, low)]
    args = (gradient, scale, *numbers, start, sum, z, x, np.int64(x.size))
    _launch("momentum_step", x, args, source="base/steps.cu")


def _grid(x: Any, inverse_spacing: Sequence[float]) -> list[Any]:
    """dims, nz, ny, nx and 1 / spacing along z, y, x."""
    dims = len(inverse_spacing)
    inverse = (0.0,) * (3 - dims) + tuple(inverse_spacing)
    sizes = [np.int64(n) for n in x.shape]
    return [np.int32(dims), *sizes, *(x.dtype.type(value) for value in inverse)]


def _launch(
    kernel: str, x: Any, args: Sequence[Any], source: str = "denoise/differences.cu"
) -> None:
    if x.size == 0:
        return
    grid = (min(_MAX_GRID, -(-x.size // _BLOCK)),)
    runtime.launch(source, f"{kernel}_{runtime.suffix(x)}", grid, (_BLOCK,), args)
