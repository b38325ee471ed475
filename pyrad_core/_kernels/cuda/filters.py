"""CUDA launchers of csrc/filters."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import fft  # the module alone: it imports this package
from . import runtime

__all__ = ["convolve_axis", "gabor_planes", "multiply_transfer", "spectral_filter"]

_THREADS = 256
_MOST_BLOCKS = 1 << 16


def convolve_axis(x: Any, taps: Any, centre: int, boundary: int, out: Any) -> None:
    """out[:, i] = sum_j taps[j] x[:, i + centre - j]; x (outer, n, inner)."""
    if x.size == 0:
        return
    sizes = [np.int64(n) for n in x.shape]
    numbers = [np.int32(n) for n in (len(taps), centre, boundary)]
    grid = (min(_MOST_BLOCKS, runtime.ceil_div(x.size, _THREADS)),)
    kernel = f"convolve_axis_{runtime.suffix(x)}"
    runtime.launch(
        "filters/convolve_axis.cu", kernel, grid, (_THREADS,), (x, *sizes, taps, *numbers, out)
    )


def gabor_planes(
    x: Any, taps: Any, boundary: int, first_a: int, first_b: int, part: int, out: Any
) -> None:
    """Planes a, b of x (outer, a, mid, b, inner) filtered by a sum of products of complex lines,
    taps (rank, 4, count): real and imaginary part along a, then along b."""
    if x.size == 0 or out.size == 0:
        return
    outer, _, mid, width, inner = out.shape
    rank, _, count = taps.shape
    rows = out.shape[1] + count - 1
    re, im = runtime.empty(x, (2, outer, rows, mid, width, inner), x.dtype)
    sums = runtime.empty(x, (2, *out.shape), x.dtype) if rank > 1 else (out, out)
    suffix, long = runtime.suffix(x), np.int64
    for r in range(rank):
        args = (
            x, *(long(n) for n in x.shape), taps[r], np.int32(count), np.int32(boundary),
            long(first_a - count // 2), long(first_b), long(rows), long(width), re, im,
        )  # fmt: skip
        grid = (min(_MOST_BLOCKS, runtime.ceil_div(re.size, _THREADS)),)
        runtime.launch("filters/gabor.cu", f"gabor_lines_{suffix}", grid, (_THREADS,), args)
        switches = (np.int32(v) for v in (count, r == 0, r == rank - 1, part))
        sizes = (long(outer), long(rows), long(mid * width * inner))
        grid = (min(_MOST_BLOCKS, runtime.ceil_div(out.size, _THREADS)),)
        args = (re, im, *sizes, taps[r], *switches, *sums, out)
        runtime.launch("filters/gabor.cu", f"gabor_columns_{suffix}", grid, (_THREADS,), args)


def spectral_filter(
    x: Any, frequencies: Any, powers: Any, factor: float, band: int, scale: float, out: Any
) -> None:
    """Real volumes (outer, z, y, x) through (-i)^L factor prod f_d^l_d / |f|^L B(scale |f|), l
    the powers along z, y, x; frequencies (2, nz + ny + nx): f(k), then -f(-k)."""
    if x.size == 0:
        return
    transfer = (x.shape[-1], frequencies, powers, factor, band, scale)
    fft.filter_by_transforms(x, lambda spectrum: multiply_transfer(spectrum, *transfer), out)


def multiply_transfer(
    spectrum: Any,
    nx: int,
    frequencies: Any,
    powers: Any,
    factor: float,
    band: int,
    scale: float,
) -> None:
    """The product of spectral_filter: half spectra (outer, z, y, nx / 2 + 1) by the filter's
    values over nx ny nz, in place."""
    if spectrum.size == 0:
        return
    sizes = (np.int64(n) for n in (*spectrum.shape[:3], nx))
    numbers = (*(np.int32(p) for p in powers), np.float64(factor), np.int32(band))
    args = (spectrum, *sizes, frequencies, *numbers, np.float64(scale))
    grid = (min(_MOST_BLOCKS, runtime.ceil_div(spectrum.size, _THREADS)),)
    kernel = f"multiply_transfer_{runtime.suffix(spectrum)}"
    runtime.launch("filters/multiply_transfer.cu", kernel, grid, (_THREADS,), args)
