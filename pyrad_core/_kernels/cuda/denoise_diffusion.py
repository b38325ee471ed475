"""CUDA launchers of csrc/denoise/diffusion."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from . import runtime

__all__ = ["diffuse", "squared_gradient"]

_BLOCK = (32, 8)
_MOST_PLANES = 65535


def diffuse(
    u: Any,
    inverse_spacing: Sequence[float],
    tau: float,
    kappa: float,
    reciprocal: bool,
    curvature: bool,
    out: Any,
) -> None:
    """One explicit step of anisotropic diffusion; rows of u have a margin, those of out may."""
    real = u.dtype.type
    numbers = (real(tau), real(kappa), np.int32(reciprocal), np.int32(curvature))
    arguments = (*_image(u, inverse_spacing), *numbers, np.int64(out.shape[2]), out)
    _launch("diffuse", u, min(u.shape[0], _MOST_PLANES), arguments)


def squared_gradient(u: Any, inverse_spacing: Sequence[float]) -> float:
    """Sum of the squared central differences; rows of u have a margin."""
    sums = runtime.empty(u, (u.shape[1], u.shape[2] - 2), np.float64)
    _launch("squared_gradient", u, 1, (*_image(u, inverse_spacing), sums))
    return float(sums.sum())


def _image(u: Any, inverse_spacing: Sequence[float]) -> tuple[Any, ...]:
    return (u, *(np.int64(n) for n in u.shape), *(u.dtype.type(s) for s in inverse_spacing))


def _launch(kernel: str, u: Any, depth: int, arguments: tuple[Any, ...]) -> None:
    wide, high = u.shape[2] - 2, u.shape[1]
    grid = (runtime.ceil_div(wide, _BLOCK[0]), runtime.ceil_div(high, _BLOCK[1]), depth)
    name = f"{kernel}_{runtime.suffix(u)}"
    runtime.launch("denoise/diffusion.cu", name, grid, _BLOCK, arguments)
