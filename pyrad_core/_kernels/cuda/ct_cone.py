"""CUDA launchers of cone-beam filtering and backprojection (csrc/ct)."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import runtime

__all__ = [
    "backproject_cone",
    "backproject_free",
    "backproject_helix",
    "filter_transposed",
    "rebin_rows",
]

# of backproject_cone_device.hpp and backproject_free.cu
_LANES, _WARPS, _FREE_SLICES = 32, 8, 4
_TILE, _TILE_ROWS = 32, 8  # of transposed_filter.cu
_ROW = 256
_FFT_BYTES = 1 << 28  # of padded rows per batch of views
_GRID = 65535


def filter_transposed(
    x: Any, cosine: Any, rays: Any, response: Any, scale: Any, before: int, out: Any
) -> None:
    """Weights and filters every row, writes (view, column, row) with margins (cuFFT)."""
    fft, (views, rows, columns) = runtime.fft_module(x), x.shape
    size, (_, wide, stride) = 2 * (response.shape[0] - 1), out.shape
    step = max(1, min(views, _GRID, _FFT_BYTES // (rows * size * x.itemsize)))
    padded = runtime.empty(x, (step, rows, size), x.dtype)
    suffix = runtime.suffix(x)
    for first in range(0, views, step):
        count = min(step, views - first)
        part = slice(first, first + count)
        cosines = cosine[part] if cosine.shape[0] > 1 else cosine
        weights = rays[part] if rays.shape[0] > 1 else rays
        # a table of one view says so, whatever it was cut from
        several = np.int64(cosine.shape[0]), np.int64(rays.shape[0])
        runtime.launch(
            "ct/transposed_filter.cu",
            f"weigh_rows_{suffix}",
            (runtime.ceil_div(size, _ROW), rows, count),
            (_ROW,),
            (
                *(x[part], np.int64(rows), np.int64(columns), cosines, several[0]),
                *(weights, several[1], np.int64(before), padded, np.int64(size)),
            ),
        )
        spectrum = fft.rfft(padded[:count], axis=-1)
        spectrum *= response
        filtered = fft.irfft(spectrum, n=size, axis=-1)
        runtime.launch(
            "ct/transposed_filter.cu",
            f"transpose_rows_{suffix}",
            (runtime.ceil_div(wide, _TILE), runtime.ceil_div(stride, _TILE), count),
            (_TILE, _TILE_ROWS),
            (
                *(filtered, np.int64(rows), np.int64(size), scale[part]),
                *(out[part], np.int64(wide), np.int64(stride)),
            ),
        )


def backproject_cone(
    filtered: Any,
    rows: int,
    views: np.ndarray,
    rays: int,
    column: tuple[float, float],
    row: tuple[float, float],
    source_origin: float,
    climb: float,
    step_z: float,
    add: bool,
    out: Any,
) -> None:
    """Distance-weighted backprojection of an upright detector that turns about z."""
    slices = _slices_per_lane(out)
    beam = (*column, *row, source_origin, climb, step_z)
    runtime.launch(
        "ct/backproject_cone.cu",
        f"backproject_cone_{runtime.suffix(filtered)}",
        _columns(out, slices),
        (_LANES, _WARPS),
        (
            *(*_layout(filtered, rows), runtime.beside(filtered, views), np.int32(rays)),
            *(*map(np.float64, beam), np.int32(slices), np.int32(add), out),
            *map(np.int64, out.shape),
        ),
    )


def backproject_free(filtered: Any, rows: int, matrices: np.ndarray, add: bool, out: Any) -> None:
    """Distance-weighted backprojection with a projection matrix per view."""
    runtime.launch(
        "ct/backproject_free.cu",
        f"backproject_free_{runtime.suffix(filtered)}",
        _columns(out, _FREE_SLICES),
        (_LANES, _WARPS),
        (
            *(*_layout(filtered, rows), runtime.beside(filtered, matrices)),
            *(np.int32(add), out, *map(np.int64, out.shape)),
        ),
    )


def backproject_helix(
    filtered: Any,
    rows: int,
    views: np.ndarray,
    rays: int,
    column: tuple[float, float],
    row: tuple[float, float],
    source_origin: float,
    climb: float,
    step_z: float,
    partners: int,
    feather: float,
    add: bool,
    out: Any,
) -> None:
    """Backprojection of rebinned helical views, averaged over views half a turn apart."""
    slices = _slices_per_lane(out)
    beam = (*column, *row, source_origin, climb, step_z)
    runtime.launch(
        "ct/backproject_helix.cu",
        f"backproject_helix_{runtime.suffix(filtered)}",
        _columns(out, slices),
        (_LANES, _WARPS),
        (
            *(*_layout(filtered, rows), runtime.beside(filtered, views), np.int32(rays)),
            *(*map(np.float64, beam), np.int32(partners), np.float64(feather)),
            *(np.int32(slices), np.int32(add), out, *map(np.int64, out.shape)),
        ),
    )


def rebin_rows(x: Any, view_at: np.ndarray, column_at: np.ndarray, out: Any) -> None:
    """Every row interpolated at (view, column) coordinates."""
    _, rows, columns = x.shape
    at = runtime.beside(x, column_at)
    for first in range(0, out.shape[0], _GRID):
        part = slice(first, first + _GRID)
        made = out[part]
        runtime.launch(
            "ct/backproject_helix.cu",
            f"rebin_rows_{runtime.suffix(x)}",
            (runtime.ceil_div(out.shape[2], _ROW), rows, made.shape[0]),
            (_ROW,),
            (
                *(x, np.int64(rows), np.int64(columns), runtime.beside(x, view_at[part]), at),
                *(made, np.int64(out.shape[2])),
            ),
        )


def _slices_per_lane(out: Any) -> int:
    return 2 if out.shape[0] <= 2 * _LANES else 8


def _columns(out: Any, slices: int) -> tuple[int, int, int]:
    """Grid in which every warp owns one voxel column."""
    nz, ny, nx = out.shape
    return runtime.ceil_div(nx, _WARPS), ny, runtime.ceil_div(nz, slices * _LANES)


def _layout(filtered: Any, rows: int) -> tuple[Any, ...]:
    count, columns, stride = filtered.shape
    return filtered, np.int64(count), np.int64(columns - 2), np.int64(stride), np.int32(rows)
