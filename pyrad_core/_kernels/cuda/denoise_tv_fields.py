"""CUDA launchers of csrc/denoise/tv_fields.cu; names and signatures are those of the CPU's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from . import runtime

__all__ = ["tv_fields_dual", "tv_fields_objectives", "tv_fields_primal"]

_BLOCK = (32, 8)
_MAX_GRID_Z = 65535


def tv_fields_dual(
    image: Any,
    former: Any,
    theta: float,
    dual: Any,
    earlier: Any,
    momentum: float,
    steps: Sequence[float],
    coupling: int,
    limit: Any,
    links: Any,
    out: Any,
) -> None:
    """Dual step of TV with a voxel-wise limit, links and coupled channels; out may be dual."""
    real = image.dtype.type
    _launch(
        "tv_fields_dual",
        image,
        len(steps),
        (image, former, real(theta), dual, earlier, real(momentum), *_axes(steps, real)),
        (np.int32(coupling), *_optional(limit, image), *_optional(links, image, np.uint8), out),
    )


def tv_fields_primal(
    f: Any,
    image: Any,
    take: float,
    dual: Any,
    earlier: Any,
    momentum: float,
    weights: Sequence[float],
    low: float,
    high: float,
    bounds: Any,
    out: Any,
) -> None:
    """Primal step of TV within bounds; weights are over the spacing; out may be image."""
    real = f.dtype.type
    _launch(
        "tv_fields_primal",
        f,
        len(weights),
        (f, image, real(take), dual, earlier, real(momentum), *_axes(weights, real)),
        (real(low), real(high), *_optional(bounds, f), out),
    )


def tv_fields_objectives(
    f: Any,
    image: Any,
    weight: float,
    inverse_spacing: Sequence[float],
    coupling: int,
    limit: Any,
    links: Any,
    low: float,
    high: float,
    bounds: Any,
    dual: Any,
) -> tuple[float, float]:
    """(P(image), D(dual)) of TV with fields, summed in double precision."""
    real, grid = f.dtype.type, _grid(f)
    parts = runtime.empty(f, (grid[0] * grid[1] * grid[2], 2), np.float64)
    _launch(
        "tv_fields_objectives",
        f,
        len(inverse_spacing),
        (f, image, np.float64(weight), *_axes(inverse_spacing, np.float64), np.int32(coupling)),
        (*_optional(limit, f), *_optional(links, f, np.uint8)),
        (real(low), real(high), *_optional(bounds, f), dual, parts),
    )
    primal, lower = (float(v) for v in parts.sum(axis=0))
    return primal, lower


def _axes(values: Sequence[float], real: Any) -> list[Any]:
    """Three scalars, slowest axis first, 0 where unused."""
    return [real(v) for v in (*values, 0.0, 0.0)[:3]]


def _optional(array: Any, like: Any, dtype: Any = None) -> tuple[Any, Any]:
    """An array, or one that is not looked at, and whether to look."""
    if array is None:
        return runtime.empty(like, (1,), dtype or like.dtype), np.int32(0)
    return array, np.int32(1)


def _grid(f: Any) -> tuple[int, int, int]:
    _, nz, ny, nx = f.shape
    return -(-nx // _BLOCK[0]), -(-ny // _BLOCK[1]), min(nz, _MAX_GRID_Z)


def _launch(kernel: str, f: Any, dims: int, *arguments: Sequence[Any]) -> None:
    sizes = [np.int64(n) for n in f.shape[1:]]
    args = [value for part in arguments for value in part]
    args += [*sizes, np.int32(dims), np.int32(f.shape[0])]
    name = f"{kernel}_{runtime.suffix(f)}"
    runtime.launch("denoise/tv_fields.cu", name, _grid(f), _BLOCK, args)
