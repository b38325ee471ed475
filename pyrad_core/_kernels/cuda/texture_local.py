"""CUDA launchers of the run length, zone and neighbourhood maps; CPU names and signatures."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..select import cpu_kernels
from . import runtime

__all__ = ["local_glrlm", "local_glszm", "local_ngldm", "local_ngtdm", "ngtdm_features"]

_LANES, _WINDOWS = 32, 4  # threads per window, windows per block: as in local_lanes.hpp
_SCRATCH_BYTES = 256 << 20


def local_glrlm(
    levels: Any,
    centres: Any,
    window: Any,
    before: Any,
    ng: int,
    merged: bool,
    left_out: bool,
    out: Any,
) -> None:
    """Run length features of the windows around the centres."""
    directions = np.int32(before.shape[0])
    chosen = (before, directions, np.int32(merged), np.int32(left_out))
    slots = before.size if merged else window.size
    _launch_sizes("glrlm", levels, centres, window, chosen, slots, out)


def local_glszm(levels: Any, centres: Any, window: Any, pairs: Any, ng: int, out: Any) -> None:
    """Zone features of the windows around the centres."""
    chosen = (pairs, np.int32(len(pairs)))
    _launch_sizes("glszm", levels, centres, window, chosen, window.size, out)


def local_ngldm(
    levels: Any, centres: Any, window: Any, pairs: Any, ng: int, alpha: int, out: Any
) -> None:
    """Dependence features of the windows around the centres."""
    chosen = (pairs, np.int32(len(pairs)), np.int64(alpha))
    _launch_sizes("ngldm", levels, centres, window, chosen, window.size, out)


def _launch_sizes(
    family: str, levels: Any, centres: Any, window: Any, chosen: tuple, slots: int, out: Any
) -> None:
    numbers = 2 * (window.size + slots)  # of scratch, per window
    batch = max(1, _SCRATCH_BYTES // (4 * numbers))
    scratch = runtime.empty(levels, max(1, min(batch, len(centres))) * numbers, np.int32)
    for begin in range(0, len(centres), batch):
        some, to = centres[begin : begin + batch], out[begin : begin + batch]
        runtime.launch(
            "texture/local_sizes.cu",
            f"local_{family}_{runtime.suffix(levels)}",
            (-(-len(some) // _WINDOWS),),
            (_LANES, _WINDOWS),
            (
                levels, some, np.int64(len(some)), window, np.int32(window.size), *chosen, scratch,
                to,
            ),
        )  # fmt: skip


def local_ngtdm(
    levels: Any, centres: Any, window: Any, pairs: Any, ng: int, alone: bool, out: Any
) -> None:
    """Tone difference features of the windows around the centres."""
    size = window.size
    batch = max(1, _SCRATCH_BYTES // (44 * size))
    voxels = max(1, min(batch, len(centres))) * size
    scratch = runtime.empty(levels, 3 * voxels, np.int32)
    rows = runtime.empty(levels, 4 * voxels, np.float64)
    for begin in range(0, len(centres), batch):
        some, to = centres[begin : begin + batch], out[begin : begin + batch]
        runtime.launch(
            "texture/local_ngtdm.cu",
            f"local_ngtdm_{runtime.suffix(levels)}",
            (-(-len(some) // _WINDOWS),),
            (_LANES, _WINDOWS),
            (
                levels, some, np.int64(len(some)), window, np.int32(size), pairs,
                np.int32(len(pairs)), np.int32(alone), scratch, rows, to,
            ),
        )  # fmt: skip


def ngtdm_features(number: Any, difference: Any, out: Any) -> None:
    """Host arrays in, host array out."""
    cpu_kernels().ngtdm_features(number, difference, out)
