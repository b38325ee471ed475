"""What the CPU's kernel for user functions has to say about a GPU."""

from __future__ import annotations

from typing import Any

from ...errors import DataError

__all__ = ["apply_pointwise"]


def apply_pointwise(function: int, x: Any, step: float, out: Any) -> None:
    raise DataError(
        "a compiled pointwise function (numba.cfunc, ctypes) runs on the CPU only; for GPU arrays "
        "give the solver an object of your own with prox(x, step), built from CuPy operations"
    )
