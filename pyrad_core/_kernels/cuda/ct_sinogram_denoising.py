"""CUDA launchers of csrc/ct/sinogram_denoising."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from . import runtime

__all__ = ["pwls_apply", "pwls_direction", "pwls_step"]

_BLOCK = 256
_MAX_LINES = 1024  # blocks along the lines; each strides over the rest


def pwls_apply(p: Any, weights: Any, couplings: Sequence[float], out: Any) -> float:
    """out = (W + L) p; returns <p, out>."""
    arguments = (p, weights, *_grid(p, couplings), out)
    return _summed("pwls_apply", p, arguments)


def pwls_step(
    alpha: float, p: Any, q: Any, weights: Any, couplings: Sequence[float], x: Any, r: Any
) -> float:
    """x += alpha p, r -= alpha q; returns <r, r / diagonal>."""
    arguments = (np.float64(alpha), p, q, weights, *_grid(p, couplings), x, r)
    return _summed("pwls_step", p, arguments)


def pwls_direction(beta: float, r: Any, weights: Any, couplings: Sequence[float], p: Any) -> None:
    """p = r / diagonal + beta p."""
    arguments = (np.float64(beta), r, weights, *_grid(p, couplings), p)
    _launch("pwls_direction", p, arguments)


def _summed(kernel: str, p: Any, arguments: tuple[Any, ...]) -> float:
    across, lines = _blocks(p)
    partial = runtime.empty(p, (across * lines,), np.float64)
    _launch(kernel, p, (*arguments, partial))
    return float(partial.sum())


def _launch(kernel: str, p: Any, arguments: tuple[Any, ...]) -> None:
    name = f"{kernel}_{runtime.suffix(p)}"
    runtime.launch("ct/sinogram_denoising.cu", name, _blocks(p), (_BLOCK,), arguments)


def _blocks(p: Any) -> tuple[int, int]:
    views, rows, columns = p.shape
    return -(-columns // _BLOCK), min(_MAX_LINES, views * rows)


def _grid(p: Any, couplings: Sequence[float]) -> tuple[Any, ...]:
    number = p.dtype.type
    return (*(np.int64(n) for n in p.shape), *(number(c) for c in couplings))
