"""CUDA launchers of csrc/wavelet; names and signatures are those of the CPU extension."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from . import runtime

__all__ = [
    "dwt_analysis",
    "dwt_analysis_3d",
    "dwt_fold",
    "dwt_synthesis",
    "dwt_synthesis_3d",
    "swt_analysis",
    "swt_analysis_3d",
    "swt_synthesis",
    "swt_synthesis_3d",
]

_THREADS = 256
_COLUMNS = 32  # of a tile, where rows are long
_NUMBERS = 512  # results of one filter in a tile


def dwt_analysis(x: Any, filters: Any, mode: int, low: Any, high: Any) -> None:
    """One level along the middle axis of x (outer, n, inner)."""
    outer, n, inner = x.shape
    taps = filters.shape[1]
    tiles = _Tiles(outer, low.shape[1], inner)
    rows = 2 * tiles.steps + taps - 2
    args = (
        x,
        runtime.beside(x, filters),
        np.int64(n),
        np.int64(inner),
        np.int32(taps),
        np.int32(mode),
        *tiles.sizes,
        low,
        high,
    )
    tiles.launch("wavelet/dwt.cu", "dwt_analysis", x, args, taps, rows)


def dwt_synthesis(low: Any, high: Any, filters: Any, periodization: bool, out: Any) -> None:
    """Inverse of dwt_analysis; filters are those of the reconstruction."""
    outer, m, inner = low.shape
    taps = filters.shape[1]
    tiles = _Tiles(outer, out.shape[1] // 2, inner)
    rows = 2 * (tiles.steps + taps // 2 - 1)
    args = (
        low,
        high,
        runtime.beside(low, filters),
        np.int64(m),
        np.int64(inner),
        np.int32(taps),
        np.int32(periodization),
        *tiles.sizes,
        out,
    )
    tiles.launch("wavelet/dwt.cu", "dwt_synthesis", low, args, taps, rows)


def dwt_fold(extended: Any, start: int, mode: int, out: Any) -> None:
    """Adjoint of the extension: adds each extended sample to those it was made of."""
    outer, n, inner = out.shape
    out[...] = extended[:, -start : -start + n]
    columns = outer * inner
    if columns == 0:
        return
    args = (
        extended,
        np.int64(columns),
        np.int64(inner),
        np.int64(extended.shape[1]),
        np.int64(start),
        np.int64(n),
        np.int32(mode),
        out,
    )
    name = f"dwt_fold_{runtime.suffix(out)}"
    runtime.launch("wavelet/dwt.cu", name, (-(-columns // _THREADS),), (_THREADS,), args)


def dwt_analysis_3d(x: Any, filters: Any, mode: int, bands: list[Any]) -> None:
    """One level along the first three axes of x (nz, ny, nx, lanes) into a list of 8 bands."""
    nz, ny, nx, lanes = x.shape
    mz, my, mx, _ = bands[0].shape
    along_z = runtime.empty(x, (2, mz, ny, nx * lanes), x.dtype)
    dwt_analysis(x.reshape(1, nz, -1), filters, mode, *along_z.reshape(2, 1, mz, -1))
    for i, half in enumerate(along_z):
        along_y = runtime.empty(x, (2, mz, my, nx * lanes), x.dtype)
        dwt_analysis(half, filters, mode, *along_y)
        for j, quarter in enumerate(along_y):
            low, high = (b.reshape(mz * my, mx, lanes) for b in bands[4 * i + 2 * j :][:2])
            dwt_analysis(quarter.reshape(mz * my, nx, lanes), filters, mode, low, high)


def dwt_synthesis_3d(bands: list[Any], filters: Any, periodization: bool, out: Any) -> None:
    """Inverse of dwt_analysis_3d; filters are those of the reconstruction."""
    mz, my, mx, lanes = bands[0].shape
    nz, ny, nx, _ = out.shape
    along_z = runtime.empty(out, (2, mz, ny, nx * lanes), out.dtype)
    for i, half in enumerate(along_z):
        along_y = runtime.empty(out, (2, mz, my, nx * lanes), out.dtype)
        for j, quarter in enumerate(along_y):
            low, high = (b.reshape(mz * my, mx, lanes) for b in bands[4 * i + 2 * j :][:2])
            whole = quarter.reshape(mz * my, nx, lanes)
            dwt_synthesis(low, high, filters, periodization, whole)
        low, high = along_y
        dwt_synthesis(low, high, filters, periodization, half)
    low, high = along_z.reshape(2, 1, mz, -1)
    dwt_synthesis(low, high, filters, periodization, out.reshape(1, nz, -1))


def swt_analysis(x: Any, filters: Any, low: Any, high: Any) -> None:
    """One undecimated level along the middle axis of x (outer, n, inner), periodic."""
    outer, n, inner = x.shape
    taps = filters.shape[1]
    tiles = _Tiles(outer, n, inner)
    sizes = (np.int64(n), np.int64(inner), np.int32(taps), *tiles.sizes)
    args = (x, runtime.beside(x, filters), *sizes, low, high)
    tiles.launch("wavelet/swt.cu", "swt_analysis", x, args, taps, tiles.steps + taps - 1)


def swt_synthesis(low: Any, high: Any, filters: Any, out: Any) -> None:
    """Inverse of swt_analysis; filters are those of the reconstruction."""
    outer, n, inner = out.shape
    taps = filters.shape[1]
    tiles = _Tiles(outer, n, inner)
    sizes = (np.int64(n), np.int64(inner), np.int32(taps), *tiles.sizes)
    args = (low, high, runtime.beside(low, filters), *sizes, out)
    tiles.launch("wavelet/swt.cu", "swt_synthesis", low, args, taps, 2 * (tiles.steps + taps - 1))


def swt_analysis_3d(x: Any, filters: Any, step: int, bands: list[Any]) -> None:
    """One undecimated level along the first three axes of x (nz, ny, nx, lanes), taps ``step``
    samples apart, into a list of 8 bands."""

    def split(a: Any, axis: int, to: Any) -> None:
        swt_analysis(_about(a, axis, step), filters, *(_about(b, axis, step) for b in to))

    along_z = runtime.empty(x, (2, *x.shape), x.dtype)
    along_y = runtime.empty(x, (2, *x.shape), x.dtype)
    split(x, 0, along_z)
    for i, half in enumerate(along_z):
        split(half, 1, along_y)
        for j, quarter in enumerate(along_y):
            split(quarter, 2, bands[4 * i + 2 * j :][:2])


def swt_synthesis_3d(bands: list[Any], filters: Any, step: int, out: Any) -> None:
    """Inverse of swt_analysis_3d; filters are those of the reconstruction."""

    def join(pair: Any, axis: int, to: Any) -> None:
        low, high = (_about(b, axis, step) for b in pair)
        swt_synthesis(low, high, filters, _about(to, axis, step))

    along_z = runtime.empty(out, (2, *out.shape), out.dtype)
    along_y = runtime.empty(out, (2, *out.shape), out.dtype)
    for i, half in enumerate(along_z):
        for j, quarter in enumerate(along_y):
            join(bands[4 * i + 2 * j :][:2], 2, quarter)
        join(along_y, 1, half)
    join(along_z, 0, out)


class _Tiles:
    """Cut of (outer, steps, inner) results into tiles, one per block."""

    def __init__(self, outer: int, steps: int, inner: int):
        self.columns = min(inner, _COLUMNS)
        along = -(-steps // max(1, _NUMBERS // max(1, self.columns)))
        self.steps = -(-steps // max(1, along))
        across = -(-inner // max(1, self.columns))
        self.blocks = outer * along * across

    @property
    def sizes(self) -> tuple[np.int32, np.int32]:
        return np.int32(self.columns), np.int32(self.steps)

    def launch(self, source: str, kernel: str, x: Any, args: tuple, taps: int, rows: int) -> None:
        if self.blocks == 0:
            return
        threads = min(_THREADS, -(-self.columns * self.steps // 32) * 32)
        shared = x.dtype.itemsize * (2 * taps + rows * self.columns)
        name = f"{kernel}_{runtime.suffix(x)}"
        runtime.launch(source, name, (self.blocks,), (threads,), args, shared=shared)


def _about(x: Any, axis: int, step: int) -> Any:
    """x as (outer, n, inner) about an axis whose neighbours are ``step`` samples apart."""
    outer, inner = math.prod(x.shape[:axis]), math.prod(x.shape[axis + 1 :])
    return x.reshape(outer, x.shape[axis] // step, step * inner)
