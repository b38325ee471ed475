"""CUDA launchers of csrc/denoise/tgv.cu; names and signatures are those of the CPU extension."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from . import runtime

__all__ = ["tgv_back", "tgv_objectives", "tgv_pdhg"]

_BLOCK = (32, 8)
_MAX_GRID_Z = 65535
_TERMS, _SUMMED = 7, 5  # of the objectives; the others are maxima


def tgv_pdhg(
    f: Any,
    inverse_spacing: Sequence[float],
    steps: Sequence[float],
    count: int,
    image: Any,
    vector: Any,
    dual: Any,
    tensor: Any,
) -> None:
    """Relaxed primal-dual iterations of TGV; steps in the order of tgv_math.hpp."""
    image_ahead = runtime.empty(image, image.shape, image.dtype)
    vector_ahead = runtime.empty(vector, vector.shape, vector.dtype)
    scalars = [f.dtype.type(s) for s in steps]
    scalars += [*_axes(inverse_spacing, f.dtype.type), *_shape(f, inverse_spacing)]
    for _ in range(count):
        _launch(
            "tgv_primal", f, (f, image, vector, dual, tensor, image_ahead, vector_ahead, *scalars)
        )
        _launch("tgv_dual", f, (image_ahead, vector_ahead, dual, tensor, *scalars))


def tgv_back(
    f: Any, inverse_spacing: Sequence[float], tensor: Any, factor: float, out: Any
) -> None:
    """out = factor E^T tensor of TGV; f gives the shape."""
    real = f.dtype.type
    scalars = [real(factor), *_axes(inverse_spacing, real), *_shape(f, inverse_spacing)]
    _launch("tgv_back", f, (tensor, out, *scalars))


def tgv_objectives(
    f: Any, inverse_spacing: Sequence[float], image: Any, vector: Any, tensor: Any, field: Any
) -> list[float]:
    """The seven terms of TGV's objectives (tgv_math.hpp)."""
    grid = _grid(f)
    parts = runtime.empty(f, (grid[0] * grid[1] * grid[2], _TERMS), np.float64)
    scalars = [*_axes(inverse_spacing, np.float64), *_shape(f, inverse_spacing)]
    _launch("tgv_objectives", f, (f, image, vector, tensor, field, parts, *scalars))
    sums, maxima = parts[:, :_SUMMED].sum(axis=0), parts[:, _SUMMED:].max(axis=0)
    return [float(v) for v in (*sums, *maxima)]


def _axes(values: Sequence[float], kind: Any) -> list[Any]:
    """Three scalars, slowest axis first, 0 where unused."""
    return [kind(v) for v in (*values, 0.0, 0.0)[:3]]


def _shape(f: Any, inverse_spacing: Sequence[float]) -> list[Any]:
    """nz, ny, nx, dims, channels."""
    sizes = [np.int64(n) for n in f.shape[1:]]
    return [*sizes, np.int32(len(inverse_spacing)), np.int32(f.shape[0])]


def _grid(f: Any) -> tuple[int, int, int]:
    _, nz, ny, nx = f.shape
    return -(-nx // _BLOCK[0]), -(-ny // _BLOCK[1]), min(nz, _MAX_GRID_Z)


def _launch(kernel: str, f: Any, args: Sequence[Any]) -> None:
    runtime.launch("denoise/tgv.cu", f"{kernel}_{runtime.suffix(f)}", _grid(f), _BLOCK, args)
