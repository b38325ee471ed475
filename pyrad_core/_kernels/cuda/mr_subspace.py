"""CUDA launchers of csrc/mr/subspace_mix."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import runtime

__all__ = ["mix_spectra"]

_BLOCK = 256
_IN_REGISTERS = 16  # coefficients


def mix_spectra(matrices: Any, grids: Any) -> None:
    """grids (rank, cells, lanes) mixed by one Hermitian matrix per cell (lower triangle)."""
    rank, cells, lanes = grids.shape
    if grids.size == 0:
        return
    copy = grids.copy() if rank > _IN_REGISTERS else grids
    args = (matrices, np.int32(rank), np.int64(cells), np.int32(lanes), copy, grids)
    blocks = (-(-cells * lanes // _BLOCK),)
    kernel = f"mix_spectra_{runtime.suffix(grids)}"
    runtime.launch("mr/subspace_mix.cu", kernel, blocks, (_BLOCK,), args)
