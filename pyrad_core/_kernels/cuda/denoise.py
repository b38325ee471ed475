"""CUDA launchers of csrc/denoise; names and signatures are those of the CPU extension."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from . import runtime

__all__ = ["tv_fgp", "tv_objectives", "tv_pdhg", "tv_primal"]

_BLOCK = (32, 8)
_MAX_GRID_Z = 65535


def tv_fgp(
    f: Any,
    weight: float,
    inverse_spacing: Sequence[float],
    isotropic: bool,
    step: float,
    momentum: Sequence[float],
    dual: Any,
    previous: Any,
) -> None:
    """One FGP step of ROF-TV per momentum; dual and previous are the last two iterates."""
    newest, older, free = dual, previous, runtime.empty(dual, dual.shape, dual.dtype)
    scales = [
        *_axes(f, [weight * s for s in inverse_spacing]),
        *_axes(f, [step * s for s in inverse_spacing]),
    ]
    for factor in momentum:
        args = (f, newest, older, free, f.dtype.type(factor), *scales)
        _launch("tv_fgp", f, (*args, *_shape(f, inverse_spacing), np.int32(isotropic)))
        newest, older, free = free, newest, older
    _put_back((newest, older), (dual, previous))


def tv_pdhg(
    f: Any,
    weight: float,
    inverse_spacing: Sequence[float],
    isotropic: bool,
    steps: Sequence[tuple[float, float, float]],
    dual: Any,
    image: Any,
    previous: Any,
) -> None:
    """One PDHG step of ROF-TV per (tau, sigma, theta); image and previous are the last two."""
    p, p_free = dual, runtime.empty(dual, dual.shape, dual.dtype)
    newest, older, free = image, previous, runtime.empty(image, image.shape, image.dtype)
    weights = _axes(f, [weight * s for s in inverse_spacing])
    for tau, sigma, theta in steps:
        scales = _axes(f, [sigma * weight * s for s in inverse_spacing])
        real = f.dtype.type
        args = (f, p, newest, older, p_free, free, real(theta), real(tau / (1 + tau)))
        _launch(
            "tv_pdhg",
            f,
            (*args, *weights, *scales, *_shape(f, inverse_spacing), np.int32(isotropic)),
        )
        p, p_free = p_free, p
        newest, older, free = free, newest, older
    _put_back((p,), (dual,))
    _put_back((newest, older), (image, previous))


def tv_primal(f: Any, weight: float, inverse_spacing: Sequence[float], dual: Any, out: Any) -> None:
    """out = f + weight div dual."""
    weights = _axes(f, [weight * s for s in inverse_spacing])
    _launch("tv_primal", f, (f, dual, out, *weights, *_shape(f, inverse_spacing)))


def tv_objectives(
    f: Any,
    image: Any,
    weight: float,
    inverse_spacing: Sequence[float],
    isotropic: bool,
    dual: Any,
) -> tuple[float, float]:
    """(P(image), D(dual)) of ROF-TV, summed in double precision."""
    grid = _grid(f)
    parts = runtime.empty(f, (grid[0] * grid[1] * grid[2], 2), np.float64)
    inverse = [np.float64(s) for s in inverse_spacing] + [np.float64(0)] * (
        3 - len(inverse_spacing)
    )
    args = (f, image, dual, np.float64(weight), *inverse, parts)
    _launch("tv_objectives", f, (*args, *_shape(f, inverse_spacing), np.int32(isotropic)))
    primal, dual_value = (float(v) for v in parts.sum(axis=0))
    return primal, dual_value


def _axes(f: Any, values: Sequence[float]) -> list[Any]:
    """Three scalars of f's dtype, slowest axis first, 0 where unused."""
    return [f.dtype.type(v) for v in (*values, 0.0, 0.0)[:3]]


def _shape(f: Any, inverse_spacing: Sequence[float]) -> list[Any]:
    """nz, ny, nx, dims, channels."""
    sizes = [np.int64(n) for n in f.shape[1:]]
    return [*sizes, np.int32(len(inverse_spacing)), np.int32(f.shape[0])]


def _grid(f: Any) -> tuple[int, int, int]:
    _, nz, ny, nx = f.shape
    return -(-nx // _BLOCK[0]), -(-ny // _BLOCK[1]), min(nz, _MAX_GRID_Z)


def _launch(kernel: str, f: Any, args: Sequence[Any]) -> None:
    runtime.launch("denoise/tv.cu", f"{kernel}_{runtime.suffix(f)}", _grid(f), _BLOCK, args)


def _put_back(results: Sequence[Any], targets: Sequence[Any]) -> None:
    """Copy where rotation has left the results in other arrays."""
    if all(r is t for r, t in zip(results, targets, strict=True)):
        return
    results = [r if r is t else r.copy() for r, t in zip(results, targets, strict=True)]
    for result, target in zip(results, targets, strict=True):
        if result is not target:
            target[...] = result
