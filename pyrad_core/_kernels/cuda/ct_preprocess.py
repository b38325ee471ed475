"""CUDA launchers of csrc/ct for what comes before and after reconstruction."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import runtime

__all__ = ["fill_rows", "normalize_counts", "simulate_dose"]

_BLOCK = 256
_MAX_GRID = 1 << 15
_VIEWS_PER_THREAD = 8  # of preprocess.cu


def normalize_counts(counts: Any, dark: Any, gain: Any, scale: Any, floor: float, out: Any) -> int:
    """-log of the transmission; returns how many counts have none."""
    views, pixels = counts.shape
    number, limits = out.dtype.type, np.finfo(out.dtype)
    low = limits.min if floor > 0 else number(0)
    smallest = number(floor) if floor > 0 else limits.tiny
    unusable = runtime.zeros(counts, (1,), np.uint64)
    runtime.launch(
        "ct/preprocess.cu",
        f"normalize_counts_{runtime.suffix(counts)}",
        (runtime.ceil_div(pixels, _BLOCK), runtime.ceil_div(views, _VIEWS_PER_THREAD)),
        (_BLOCK,),
        (
            *(counts, dark, gain, scale, np.int64(views), np.int64(pixels)),
            *(number(low), number(smallest), number(limits.max), out, unusable),
        ),
    )
    return int(unusable[0])


def fill_rows(x: Any, mask: Any, out: Any) -> None:
    """Linear interpolation of the masked pixels of every row."""
    rows, columns = x.shape
    runtime.launch(
        "ct/preprocess.cu",
        f"fill_rows_{runtime.suffix(x)}",
        (runtime.ceil_div(columns, _BLOCK), min(_MAX_GRID, rows)),
        (_BLOCK,),
        (x, mask, np.int64(rows), np.int64(columns), out),
    )


def simulate_dose(
    lines: Any,
    view_photons: Any,
    column_share: Any,
    electronic: float,
    fraction: float,
    seed: int,
    out: Any,
) -> None:
    """Line integrals with the noise of so many photons; same seed, same noise."""
    _, rows, columns = lines.shape
    xp = runtime.array_module(lines)
    runtime.launch(
        "ct/dose.cu",
        f"simulate_dose_{runtime.suffix(lines)}",
        (min(_MAX_GRID, runtime.ceil_div(lines.size, _BLOCK)),),
        (_BLOCK,),
        (
            *(lines, xp.asarray(view_photons), xp.asarray(column_share), np.int64(lines.size)),
            *(np.int64(rows * columns), np.int64(columns), np.float64(electronic)),
            *(np.float64(fraction), np.uint64(seed), out),
        ),
    )
