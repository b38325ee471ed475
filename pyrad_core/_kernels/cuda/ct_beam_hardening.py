"""CUDA launchers of csrc/ct/beam_hardening."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import runtime

__all__ = ["apply_polynomial", "apply_table", "two_material_lines"]

_BLOCK = 256
_MAX_GRID = 1 << 15


def apply_table(x: Any, table: Any, step: float, out: Any) -> None:
    """Linear interpolation in a table at 0, step, 2 step, ..."""
    inverse = x.dtype.type(1 / step)
    _launch("apply_table", x, (x, np.int64(x.size), table, np.int32(table.size), inverse, out))


def apply_polynomial(x: Any, coefficients: Any, out: Any) -> None:
    """c0 x + c1 x^2 + ..."""
    count = np.int32(coefficients.size)
    _launch("apply_polynomial", x, (x, np.int64(x.size), coefficients, count, out))


def two_material_lines(
    x: Any, lengths: Any, spectrum: Any, first_mono: float, second_mono: float, out: Any
) -> None:
    """Monochromatic line integrals of two materials."""
    table = runtime.array_module(x).asarray(spectrum)
    mono = (np.float64(first_mono), np.float64(second_mono))
    energies = np.int32(spectrum.shape[1])
    _launch("two_material_lines", x, (x, lengths, np.int64(x.size), table, energies, *mono, out))


def _launch(kernel: str, x: Any, arguments: tuple[Any, ...]) -> None:
    grid = (max(1, min(_MAX_GRID, -(-x.size // _BLOCK))),)
    name = f"{kernel}_{runtime.suffix(x)}"
    runtime.launch("ct/beam_hardening.cu", name, grid, (_BLOCK,), arguments)
