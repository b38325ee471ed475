"""CUDA launchers of the maps of first order, co-occurrence, runs, zones and neighbourhoods."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...errors import DataError
from ..select import cpu_kernels, host_array
from . import runtime

__all__ = [
    "local_custom",
    "local_first_order",
    "local_glcm",
    "local_glrlm",
    "local_glszm",
    "local_ngldm",
    "local_ngtdm",
    "local_pair_sums",
    "ngtdm_features",
    "pair_weights",
]

_LANES, _WINDOWS = 32, 4  # threads per window, windows per block: as in local_lanes.hpp
_SCRATCH_BYTES = 256 << 20
_SHARED = 48 * 1024
_MOST_WARPS = 1 << 13
_BLOCK_SHARED = 44 * 1024  # beside what the blocks of a window hold for themselves
_MOST_BLOCKS = 1 << 16


def local_first_order(
    values: Any,
    levels: Any,
    centres: Any,
    reach: Sequence[int],
    ng: int,
    shift: float,
    voxel_volume: float,
    excess: float,
    flat: float,
    out: Any,
) -> None:
    """First-order statistics of the windows around the centres."""
    voxels = math.prod(2 * n + 1 for n in reach)
    batch = max(1, _SCRATCH_BYTES // (12 * voxels + 4 * (ng + 1)))
    windows = max(1, min(batch, len(centres)))
    numbers = runtime.empty(levels, windows * voxels, np.float64)
    counters = runtime.empty(levels, windows * (voxels + ng + 1), np.int32)
    settings = tuple(np.float64(v) for v in (shift, voxel_volume, excess, flat))
    for begin in range(0, len(centres), batch):
        some, to = centres[begin : begin + batch], out[begin : begin + batch]
        runtime.launch(
            "texture/local_first_order.cu",
            f"local_first_order_{runtime.suffix(values)}_{runtime.suffix(levels)}",
            (runtime.ceil_div(len(some), _WINDOWS),),
            (_LANES, _WINDOWS),
            (
                values, levels, some, np.int64(len(some)),
                np.int64(levels.shape[1] * levels.shape[2]), np.int64(levels.shape[2]),
                *(np.int32(n) for n in reach), np.int32(ng), *settings, numbers, counters, to,
            ),
        )  # fmt: skip


def local_glcm(
    levels: Any,
    centres: Any,
    offsets: Any,
    starts: Any,
    reach: Sequence[int],
    ng: int,
    ibsi: bool,
    histograms: bool,
    mcc: bool,
    out: Any,
) -> None:
    """GLCM features of the windows around the centres, mean over the groups of offsets."""
    most, tables, units = _weights(ng, host_array(offsets), host_array(starts), reach)
    voxels = math.prod(2 * n + 1 for n in reach)
    most_levels = min(ng, voxels) if mcc else 0
    cells = 2 * most + 1
    counters = ng * ng + 4 * ng + cells
    in_shared = 4 * counters <= _SHARED
    warps = min(_WINDOWS, _SHARED // (4 * counters)) if in_shared else _WINDOWS
    doubles = most_levels**2 + 4 * most_levels
    bytes_each = 8 * doubles + (0 if in_shared else 4 * counters)
    wanted = min(_MOST_WARPS, -(-len(centres) // _LANES), _SCRATCH_BYTES // max(1, bytes_each))
    blocks = max(1, -(-wanted // warps))
    scratch = runtime.empty(levels, max(1, blocks * warps * doubles), np.float64)
    spilled = 1 if in_shared else blocks * warps * counters
    runtime.launch(
        "texture/local_glcm.cu",
        f"local_glcm_{runtime.suffix(levels)}",
        (blocks,),
        (_LANES, warps),
        (
            levels, centres, np.int64(len(centres)), np.int64(levels.shape[1] * levels.shape[2]),
            np.int64(levels.shape[2]), offsets, starts, np.int32(starts.size - 1),
            *(np.int32(n) for n in reach), np.int32(ng), np.int32(cells), np.int32(ibsi),
            np.int32(histograms or mcc), np.int32(mcc), np.int32(most_levels), np.int32(in_shared),
            *(runtime.beside(levels, table) for table in tables), *map(np.float64, units),
            runtime.empty(levels, spilled, np.int32), scratch, out,
        ),
        shared=4 * counters * warps if in_shared else 0,
    )  # fmt: skip


_CHANNELS = 12  # sums over pairs: of pair_sums_math.hpp
_TABLE_BYTES = 1 << 30


def local_pair_sums(
    levels: Any,
    centres: Any,
    offsets: Any,
    starts: Any,
    reach: Sequence[int],
    ng: int,
    ibsi: bool,
    out: Any,
) -> None:
    """GLCM features without histograms of the windows around the centres, mean over the groups."""
    steps, groups = host_array(offsets), host_array(starts)
    inside = (np.abs(steps) < 2 * np.asarray(reach) + 1).all(axis=1)
    offsets_of = [np.arange(b, e)[inside[b:e]] for b, e in itertools.pairwise(groups)]
    offsets_of = [group for group in offsets_of if len(group)]
    if not offsets_of or not len(centres):
        out[...] = np.nan
        return
    _, tables, (_, share_unit) = _weights(ng, steps, groups, reach)
    by_difference = runtime.beside(levels, tables[2])
    plane = int(levels.shape[1] * levels.shape[2])
    ends = [int(host_array(centres[c : c + 1])[0]) // plane for c in (0, len(centres) - 1)]
    thickness = max(1, _TABLE_BYTES // (8 * _CHANNELS * plane) - 2 * reach[0])
    cuts = [0, len(centres)]
    if ends[1] - ends[0] >= thickness:
        slices = np.arange(ends[0], ends[1] + 1, thickness) * plane
        cuts = [*np.searchsorted(host_array(centres), slices).tolist(), len(centres)]
    for begin, end in itertools.pairwise(cuts):
        if begin < end:
            some, to = centres[begin:end], out[begin:end]
            z = [int(host_array(centres[c : c + 1])[0]) // plane for c in (begin, end - 1)]
            slab = z[0] - reach[0], z[1] + reach[0] + 1
            _pair_sums_of_slab(
                levels, some, slab, steps, offsets_of, reach, (by_difference, share_unit), ibsi, to
            )


def _pair_sums_of_slab(
    levels: Any,
    centres: Any,
    slab: tuple[int, int],
    steps: Any,
    groups: list[Any],
    reach: Sequence[int],
    weights: tuple[Any, float],
    ibsi: bool,
    out: Any,
) -> None:
    """The slices slab[0], ..., slab[1] - 1 hold the windows of the centres."""
    source = "texture/local_pair_sums.cu"
    shape = slab[1] - slab[0], *(int(n) for n in levels.shape[1:])
    nz, ny, nx = map(np.int64, shape)
    first, count = np.int64(slab[0]), len(centres)
    table = runtime.empty(levels, (_CHANNELS, *shape), np.uint64)
    sums = runtime.empty(levels, _CHANNELS * (count if max(map(len, groups)) > 1 else 1), np.uint64)
    averages = runtime.zeros(levels, (26, count), np.float64)
    for group in groups:
        for d in group:
            step = [int(n) for n in steps[d]]
            low = [max(0, -n) - r - 1 for n, r in zip(step, reach, strict=True)]
            high = [r - max(0, n) for n, r in zip(step, reach, strict=True)]
            runtime.launch(
                source,
                f"local_pair_prefix_x_{runtime.suffix(levels)}",
                (runtime.ceil_div(int(nz * ny), _WINDOWS),),
                (_LANES, _WINDOWS),
                (
                    levels, nz, ny, nx, first, np.int64(levels.shape[0]), *map(np.int32, step),
                    weights[0], table,
                ),
            )  # fmt: skip
            for length, beside in ((ny, nx), (nz, ny * nx)):
                lines = table.size // length
                arguments = table, np.int64(lines), length, beside
                runtime.launch(
                    source, "local_pair_prefix", (runtime.ceil_div(lines, 128),), (128,), arguments
                )
            flags = d == group[0], d == group[-1], d == groups[-1][-1], ibsi
            runtime.launch(
                source,
                "local_pair_features",
                (runtime.ceil_div(count, 128),),
                (128,),
                (
                    table, nz, ny, nx, first, centres, np.int64(count), *map(np.int32, low),
                    *map(np.int32, high), np.float64(weights[1]), *map(np.int32, flags), sums,
                    averages, out,
                ),
            )  # fmt: skip


def _weights(ng: int, offsets: Any, starts: Any, reach: Sequence[int]) -> tuple[int, tuple, tuple]:
    """(pairs of the largest group within the window, tables of weights, their units)."""
    sides = 2 * np.asarray(reach) + 1 - np.abs(offsets)
    pairs = np.concatenate([[0], np.cumsum(np.prod(np.maximum(sides, 0), axis=1))])
    most = int(np.max(np.diff(pairs[starts]), initial=0))
    tables = np.empty(2 * most + 2, np.int64), np.empty(most + 2, np.int64), np.empty((ng, 8), int)
    return most, tables, pair_weights(ng, most, *tables)


def local_custom(
    values: Any,
    inside: Any,
    centres: Any,
    window: Any,
    shape: Sequence[int],
    spacing: Sequence[float],
    feature: int,
    out: Any,
) -> None:
    raise DataError(
        "a compiled local feature (numba.cfunc, ctypes) runs on the CPU only; the image is on a "
        "GPU: bring it to the host first, e.g. maps(image.get(), mask.get(), ...)"
    )


def pair_weights(ng: int, most_pairs: int, one: Any, twice: Any, by_difference: Any) -> tuple:
    """Host arrays in, host scalars out."""
    return cpu_kernels().pair_weights(ng, most_pairs, one, twice, by_difference)


def _block_windows(levels: Any, offsets: Any, reach: Sequence[int]) -> tuple[tuple, int, int, int]:
    """What local_block.hpp wants to know of a window; its voxels, places in its box, and steps."""
    sides = 2 * np.asarray(reach) + 1
    steps = host_array(offsets).reshape(-1, 3).astype(np.int64)
    steps = steps[(np.abs(steps) < np.maximum(sides, 2)).all(axis=1)]  # others leave the window
    gap = np.abs(steps).max(axis=0, initial=0)
    pitch = sides + gap
    box = np.array([pitch[1] * pitch[2], pitch[2], 1])
    margin = int(gap @ box)
    voxels = np.indices(tuple(sides.tolist())).reshape(3, -1).T
    _, ny, nx = levels.shape
    window = (voxels - reach) @ np.array([ny * nx, nx, 1])
    place = (voxels @ box + margin).astype(np.int32)
    places = int(place[-1]) + margin + 1
    arrays = [runtime.beside(levels, t) for t in (window, place, (steps @ box).astype(np.int32))]
    described = (
        *arrays[:2], np.int32(len(voxels)), np.int32(places), arrays[2], np.int32(len(steps)),
    )  # fmt: skip
    return described, len(voxels), places, len(steps)


def _hash_bits(keys: int) -> int:
    """log2 of the cells of a hash table of at most so many keys."""
    return max(5, math.ceil(math.log2(1.2 * keys)))


def _launch_windows(
    kernel: tuple[str, str],
    levels: Any,
    centres: Any,
    described: tuple,
    words: int,
    chosen: tuple,
    out: Any,
) -> None:
    """A block takes one window after the other; `words` of memory for it, in scratch where they
    do not fit into shared memory."""
    source, name = kernel
    count, size = len(centres), int(described[2])
    words += words % 2  # of 4 bytes; the next block's begin at 8
    fits = 4 * words <= _BLOCK_SHARED
    blocks = max(1, min(count, _MOST_BLOCKS if fits else _SCRATCH_BYTES // (4 * words)))
    scratch = runtime.empty(levels, 1 if fits else blocks * words, np.int32)
    threads = _LANES if size <= 64 else 2 * _LANES if size <= 216 else 4 * _LANES
    if not count:
        return
    runtime.launch(
        source,
        f"{name}_{runtime.suffix(levels)}",
        (blocks,),
        (threads,),
        (
            levels, centres, np.int64(count), *described, scratch, np.int64(0 if fits else words),
            *chosen, out,
        ),
        shared=4 * words if fits else 0,
    )  # fmt: skip


def _launch_sizes(
    family: str, levels: Any, centres: Any, windows: tuple, work: int, keys: int, chosen: tuple,
    out: Any,
) -> None:  # fmt: skip
    described, _, places, _ = windows
    bits = _hash_bits(keys)
    _launch_windows(
        ("texture/local_sizes.cu", f"local_{family}"), levels, centres, described,
        places + work + (2 << bits), (np.int32(bits), *chosen), out,
    )  # fmt: skip


def _most_keys(entries: int, levels: int, sizes: int) -> int:
    """Of a table's entries, levels and sizes that differ."""
    return min(entries, levels * sizes) + levels + sizes


def local_glrlm(
    levels: Any,
    centres: Any,
    offsets: Any,
    reach: Sequence[int],
    ng: int,
    merged: bool,
    left_out: bool,
    out: Any,
) -> None:
    """Run length features of the windows around the centres."""
    windows = _block_windows(levels, offsets, reach)
    _, size, _, steps = windows
    slots = size * steps if merged else size
    keys = _most_keys(slots, min(ng, size), 2 * max(reach) + 1)
    chosen = (np.int32(merged), np.int32(left_out))
    _launch_sizes("glrlm", levels, centres, windows, slots, keys, chosen, out)


def local_glszm(
    levels: Any, centres: Any, offsets: Any, reach: Sequence[int], ng: int, out: Any
) -> None:
    """Zone features of the windows around the centres."""
    windows = _block_windows(levels, offsets, reach)
    _, size, places, _ = windows
    sizes = math.isqrt(2 * size) + 1  # that differ: 1 + 2 + 3 + ... voxels
    keys = _most_keys(size, min(ng, size), sizes)
    _launch_sizes("glszm", levels, centres, windows, 2 * places, keys, (), out)


def local_ngldm(
    levels: Any, centres: Any, offsets: Any, reach: Sequence[int], ng: int, alpha: int, out: Any
) -> None:
    """Dependence features of the windows around the centres."""
    windows = _block_windows(levels, offsets, reach)
    _, size, _, steps = windows
    keys = _most_keys(size, min(ng, size), min(2 * steps + 1, size))
    _launch_sizes("ngldm", levels, centres, windows, size, keys, (np.int64(alpha),), out)


def local_ngtdm(
    levels: Any, centres: Any, offsets: Any, reach: Sequence[int], ng: int, alone: bool, out: Any
) -> None:
    """Tone difference features of the windows around the centres."""
    described, size, places, steps = _block_windows(levels, offsets, reach)
    rows = min(ng, size)
    bits = _hash_bits(rows)
    # Whole numbers of 1 / lcm(1 .. neighbours) where their sums fit, else of a power of two.
    whole = math.lcm(*range(1, 2 * steps + 1)) if 2 * steps <= 26 else 0
    scale = whole if 0 < whole * ng * size < 1 << 62 else 2 ** int(62 - math.log2(ng * size))
    words = (4 << bits) + 6 * rows + places
    chosen = (np.int32(bits), np.int32(rows), np.int32(alone), np.float64(scale))
    _launch_windows(
        ("texture/local_ngtdm.cu", "local_ngtdm"), levels, centres, described, words, chosen, out
    )


def ngtdm_features(number: Any, difference: Any, out: Any) -> None:
    """Host arrays in, host array out."""
    cpu_kernels().ngtdm_features(number, difference, out)
