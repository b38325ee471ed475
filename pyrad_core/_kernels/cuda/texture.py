"""CUDA launchers of csrc/texture; names and signatures are those of the CPU extension."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..select import cpu_kernels, host_array
from . import runtime

__all__ = [
    "discretise_edges",
    "discretise_steps",
    "discretise_uniform",
    "first_order_features",
    "gather",
    "glcm_count",
    "glcm_features",
    "level_histogram",
    "mask_bounds",
    "masked_range",
    "order_statistics",
    "value_deviation",
    "value_moments",
    "value_sums",
]

_BLOCK = 256
_MAX_GRID = 2048
_TILE = 1 << 14  # values per block of a sum
_SHARED = 48 * 1024


def _grid(size: int) -> tuple[int]:
    return (max(1, min(_MAX_GRID, -(-size // _BLOCK))),)


# --- region and grey levels ----------------------------------------------------------------------


def mask_bounds(mask: Any, label: float) -> tuple[tuple, tuple, int, int, int]:
    """(begin, end, voxels of the label, values that are no labels, first flat index of them)."""
    _, ny, nx = mask.shape
    xp = runtime.array_module(mask)
    box = xp.asarray(np.array([2**31 - 1] * 3 + [-1] * 3, np.int32))
    counts = xp.asarray(np.array([0, 0, mask.size], np.uint64))
    runtime.launch(
        "texture/roi.cu",
        f"mask_bounds_{runtime.suffix(mask)}",
        _grid(mask.size),
        (_BLOCK,),
        (mask, np.int64(ny), np.int64(nx), np.int64(mask.size), np.float64(label), box, counts),
    )
    edges = [int(v) for v in host_array(box)]
    count, invalid, first = (int(v) for v in host_array(counts))
    begin, end = tuple(edges[:3]), tuple(v + 1 for v in edges[3:])
    if not count:
        begin = end = (0, 0, 0)
    return begin, end, count, invalid, first if invalid else -1


def masked_range(values: Any, mask: Any) -> tuple[int, float, float]:
    """(NaN and Inf, minimum, maximum) where mask != 0; infinities where there is nothing."""
    grid = _grid(values.size)
    out = runtime.empty(values, (grid[0], 3), np.float64)
    args = (values, mask, np.int64(values.size), out)
    name = f"masked_range_{runtime.suffix(values)}"
    runtime.launch("texture/roi.cu", name, grid, (_BLOCK,), args)
    parts = host_array(out)
    return int(parts[:, 2].sum()), float(parts[:, 0].min()), float(parts[:, 1].max())


def gather(values: Any, mask: Any, out: Any) -> None:
    """out = values where mask != 0, in C order."""
    out[...] = values[mask != 0]


def _discretise(rule: str, values: Any, mask: Any, scalars: tuple, pad: int, out: Any) -> None:
    sizes = tuple(np.int64(n) for n in (*values.shape, pad))
    kernel = f"discretise_{rule}_{runtime.suffix(values)}_{runtime.suffix(out)}"
    args = (values, mask, *sizes, *scalars, out)
    runtime.launch("texture/discretise.cu", kernel, _grid(out.size), (_BLOCK,), args)


def discretise_uniform(
    values: Any,
    mask: Any,
    low: float,
    width: float,
    scale: float,
    levels: int,
    pad: int,
    out: Any,
) -> None:
    """level = floor(scale * (x - low) / width) + 1, clamped to 1 .. levels."""
    scalars = (np.float64(low), np.float64(width), np.float64(scale), np.int32(levels))
    _discretise("uniform", values, mask, scalars, pad, out)


def discretise_steps(
    values: Any, mask: Any, first: float, step: float, levels: int, pad: int, out: Any
) -> None:
    """level = number of edges first + k * step <= x, clamped to 1 .. levels."""
    scalars = (np.float64(first), np.float64(step), np.int32(levels))
    _discretise("steps", values, mask, scalars, pad, out)


def discretise_edges(values: Any, mask: Any, edges: Any, pad: int, out: Any) -> None:
    """level = number of edges <= x."""
    _discretise("edges", values, mask, (edges, np.int32(edges.size)), pad, out)


def level_histogram(levels: Any, out: Any) -> None:
    """out[g] = voxels of level g."""
    counts = runtime.zeros(levels, out.shape, np.uint64)
    runtime.launch(
        "texture/discretise.cu",
        f"level_histogram_{runtime.suffix(levels)}",
        _grid(levels.size),
        (_BLOCK,),
        (levels, np.int64(levels.size), np.int32(out.size), counts),
        shared=4 * out.size,
    )
    out[...] = counts


# --- co-occurrence -------------------------------------------------------------------------------


def glcm_count(levels: Any, pad: int, offsets: Any, out: Any) -> None:
    """Pairs (level at p, level at p + offset), per offset, or per slice and offset (4-D out)."""
    out[...] = 0
    by_slice = out.ndim == 4
    count, ng = offsets.shape[0], out.shape[-1]
    table_bytes = 4 * ng * ng
    shared = table_bytes <= _SHARED
    group = min(count, _SHARED // table_bytes) if shared else 1
    inner = [n - 2 * pad for n in levels.shape]
    voxels = inner[1] * inner[2] * (1 if by_slice else inner[0])
    stretches = max(1, min(264, voxels // 2048))
    counters = "u32" if out.dtype == np.uint32 else "u64"
    runtime.launch(
        "texture/glcm.cu",
        f"glcm_count_{runtime.suffix(levels)}_{counters}",
        (stretches, -(-count // group), inner[0] if by_slice else 1),
        (_BLOCK,),
        (
            levels, *(np.int64(n) for n in (*levels.shape, pad)), offsets, np.int32(count),
            np.int32(ng), np.int32(by_slice), np.int32(group), np.int32(shared), out,
        ),
        shared=group * table_bytes if shared else 0,
    )  # fmt: skip


def glcm_features(tables: Any, symmetric: bool, ibsi: bool, mcc: bool, out: Any) -> None:
    """The counts go to the host: tables are small, and so are the features (a host array)."""
    cpu_kernels().glcm_features(host_array(tables), symmetric, ibsi, mcc, out)


# --- first order ---------------------------------------------------------------------------------


def _tile_sums(kernel: str, values: Any, scalars: tuple[float, ...], width: int) -> np.ndarray:
    """(tiles, width) partial sums, on the host."""
    tiles = -(-values.size // _TILE)
    out = runtime.empty(values, (tiles, width), np.float64)
    args = (values, np.int64(values.size), np.int64(_TILE), *map(np.float64, scalars), out)
    name = f"{kernel}_{runtime.suffix(values)}"
    runtime.launch("texture/first_order.cu", name, (tiles,), (_BLOCK,), args)
    return host_array(out)


def _in_order(parts: np.ndarray) -> np.ndarray:
    return np.add.accumulate(parts, axis=0)[-1]


def value_sums(values: Any, shift: float, out: Any) -> None:
    """out: sum, minimum, maximum, sum of (x + shift)^2."""
    parts = _tile_sums("value_sums", values, (shift,), 4)
    total, _, _, squares = _in_order(parts)
    low, high = parts[:, 1].min(), parts[:, 2].max()
    out[...] = runtime.array_module(out).asarray(np.array([total, low, high, squares]))


def value_moments(
    values: Any, mean: float, median: float, low: float, high: float, out: Any
) -> None:
    """out: sums of c^2, c^3, c^4, |c|, |x - median|; number and sum of c of x in [low, high]."""
    parts = _tile_sums("value_moments", values, (mean, median, low, high), 7)
    out[...] = runtime.array_module(out).asarray(_in_order(parts))


def value_deviation(values: Any, centre: float, low: float, high: float) -> float:
    """Sum of |x - centre| over the values in [low, high]."""
    return float(_in_order(_tile_sums("value_deviation", values, (centre, low, high), 1))[0])


def order_statistics(values: Any, minimum: float, maximum: float, ranks: Any, out: Any) -> None:
    """The values of the given ranks, by a device sort."""
    del minimum, maximum  # the CPU kernel's histogram needs them
    out[...] = runtime.array_module(values).sort(values)[ranks]


def first_order_features(sums: Any, excess: float, flat: float, out: Any) -> None:
    """Host scalars in, host scalars out."""
    cpu_kernels().first_order_features(sums, excess, flat, out)
