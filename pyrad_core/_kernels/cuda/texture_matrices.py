"""CUDA launchers of the run length, zone and neighbourhood matrices of csrc/texture."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..select import cpu_kernels
from . import runtime

__all__ = ["neighbourhood", "run_lengths", "size_features"]

_BLOCK = 256
_SHARED = 48 * 1024
_MAX_STRETCHES = 264


def _host(array: Any) -> np.ndarray:
    return array if isinstance(array, np.ndarray) else array.get()


def _sizes(levels: Any, pad: int) -> tuple[np.int64, ...]:
    return tuple(np.int64(n) for n in (*levels.shape, pad))


def _stretches(levels: Any, pad: int, by_slice: bool) -> tuple[int, int]:
    """(blocks along the voxels, slices that have a table of their own)."""
    inner = [max(0, n - 2 * pad) for n in levels.shape]
    voxels = inner[1] * inner[2] * (1 if by_slice else inner[0])
    return max(1, min(_MAX_STRETCHES, voxels // 2048)), inner[0] if by_slice else 1


def run_lengths(levels: Any, pad: int, offsets: Any, out: Any) -> None:
    """Runs of a level and length, per offset, or per slice and offset (4-D out)."""
    out[...] = 0
    by_slice = out.ndim == 4
    ng, longest = out.shape[-2:]
    stretches, slices = _stretches(levels, pad, by_slice)
    table_bytes = 4 * ng * longest
    shared = table_bytes <= _SHARED
    runtime.launch(
        "texture/run_lengths.cu",
        f"run_lengths_{runtime.suffix(levels)}",
        (stretches, offsets.shape[0], slices),
        (_BLOCK,),
        (
            levels, *_sizes(levels, pad), offsets, np.int32(offsets.shape[0]), np.int32(ng),
            np.int32(longest), np.int32(by_slice), np.int32(shared), out,
        ),
        shared=table_bytes if shared else 0,
    )  # fmt: skip


def neighbourhood(
    levels: Any, pad: int, offsets: Any, alpha: int, tones: Any, dependences: Any
) -> None:
    """Tone differences and dependences, per slice if ``dependences`` is 3-D."""
    tones[...] = 0
    dependences[...] = 0
    by_slice = dependences.ndim == 3
    stretches, slices = _stretches(levels, pad, by_slice)
    ng = dependences.shape[-2]
    table_bytes = 3 * 8 * ng * (offsets.shape[0] + 1)
    shared = table_bytes <= _SHARED
    runtime.launch(
        "texture/neighbourhood.cu",
        f"neighbourhood_{runtime.suffix(levels)}",
        (stretches, 1, slices),
        (_BLOCK,),
        (
            levels, *_sizes(levels, pad), offsets, np.int32(offsets.shape[0]), np.int32(ng),
            np.int32(alpha), np.int32(by_slice), np.int32(shared), tones, dependences,
        ),
        shared=table_bytes if shared else 0,
    )  # fmt: skip


def size_features(tables: Any, sizes: Any, voxels: Any, out: Any) -> None:
    """The counts go to the host: tables are small, and so are the features (a host array)."""
    cpu_kernels().size_features(_host(tables), _host(sizes), _host(voxels), out)
