"""CUDA launchers of the matrices of many regions, one launch for all of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..select import host_array
from . import runtime

__all__ = [
    "discretise_batch",
    "find_zones_batch",
    "glcm_count_batch",
    "label_boxes",
    "neighbourhood_batch",
    "run_lengths_batch",
]

_BLOCK = 256
_SHARED = 48 * 1024
_MAX_STRETCHES = 264
_MAX_GRID = 2048
_MANY = 65535  # blocks along the second and third axis of a grid


def _parts(shapes: Any) -> list[slice]:
    """Regions of one launch each."""
    count = shapes.shape[0]
    return [slice(begin, min(begin + _MANY, count)) for begin in range(0, count, _MANY)]


def _stretches(shapes: np.ndarray) -> int:
    """Blocks per region: the GPU is filled by the regions if they are many."""
    voxels = int(shapes[:, 1:4].prod(axis=1).max(initial=1))
    wanted = max(1, _MAX_STRETCHES // max(len(shapes), 1))
    return max(1, min(wanted, voxels // 2048 or 1))


def label_boxes(mask: Any, out: Any) -> None:
    """(begin, end, voxels) of the labels 0, 1, ... below len(out), zeros where one is missing."""
    _, ny, nx = mask.shape
    xp = runtime.array_module(mask)
    out[...] = 0
    out[:, :3] = 2**62
    runtime.launch(
        "texture/label_boxes.cu",
        f"label_boxes_{runtime.suffix(mask)}",
        (max(1, min(_MAX_GRID, -(-mask.size // _BLOCK))),),
        (_BLOCK,),
        (mask, *(np.int64(n) for n in (ny, nx, mask.size, out.shape[0])), out),
    )
    out[...] = xp.where(out[:, 6:] > 0, out, 0)


def discretise_batch(
    values: Any,
    mask: Any,
    boxes: Any,
    rules: Any,
    shapes: Any,
    pad: int,
    out: Any,
    counts: Any,
) -> None:
    """Grey levels of every region's box in its padded volume, and how often each occurs."""
    columns = counts.shape[1]
    found = runtime.zeros(values, counts.shape, np.uint64)
    name = f"discretise_batch_{runtime.suffix(values)}_{runtime.suffix(out)}"
    stretches = _stretches(host_array(shapes))
    for part in _parts(shapes):
        runtime.launch(
            "texture/discretise.cu",
            name,
            (stretches, part.stop - part.start),
            (_BLOCK,),
            (
                values, mask, boxes[part], rules[part], shapes[part], np.int64(pad),
                np.int32(columns), out, found[part],
            ),
            shared=4 * columns,
        )  # fmt: skip
    counts[...] = found
    counts[:, 0] = shapes[:, 1:4].prod(axis=1) - counts[:, 1:].sum(axis=1)


def glcm_count_batch(
    levels: Any, shapes: Any, pad: int, offsets: Any, starts: Any, out: Any
) -> None:
    """Pairs per offset of every region; its tables begin at its start."""
    out[...] = 0
    table = host_array(shapes)
    count = offsets.shape[0]
    table_bytes = 4 * int(table[:, 4].max(initial=1)) ** 2
    shared = table_bytes <= _SHARED
    group = min(count, _SHARED // table_bytes) if shared else 1
    for part in _parts(shapes):
        runtime.launch(
            "texture/glcm.cu",
            f"glcm_count_batch_{runtime.suffix(levels)}",
            (_stretches(table), -(-count // group), part.stop - part.start),
            (_BLOCK,),
            (
                levels, shapes[part], np.int64(pad), offsets, np.int32(count), starts[part],
                np.int32(group), np.int32(shared), out,
            ),
            shared=group * table_bytes if shared else 0,
        )  # fmt: skip


def run_lengths_batch(
    levels: Any, shapes: Any, pad: int, offsets: Any, starts: Any, out: Any
) -> None:
    """Runs per offset, level and length of every region; the longest is its largest extent."""
    out[...] = 0
    table = host_array(shapes)
    cells = table[:, 4] * (table[:, 1:4].max(axis=1, initial=0) - 2 * pad)
    table_bytes = 4 * int(cells.max(initial=1))
    shared = table_bytes <= _SHARED
    for part in _parts(shapes):
        runtime.launch(
            "texture/run_lengths.cu",
            f"run_lengths_batch_{runtime.suffix(levels)}",
            (_stretches(table), offsets.shape[0], part.stop - part.start),
            (_BLOCK,),
            (
                levels, shapes[part], np.int64(pad), offsets, np.int32(offsets.shape[0]),
                starts[part], np.int32(shared), out,
            ),
            shared=table_bytes if shared else 0,
        )  # fmt: skip


def neighbourhood_batch(
    levels: Any,
    shapes: Any,
    pad: int,
    offsets: Any,
    alpha: int,
    starts: Any,
    tones: Any,
    dependences: Any,
) -> None:
    """Tone differences and dependences of every region; its dependences begin at its start."""
    tones[...] = 0
    dependences[...] = 0
    table = host_array(shapes)
    table_bytes = 3 * 8 * int(table[:, 4].max(initial=1)) * (offsets.shape[0] + 1)
    shared = table_bytes <= _SHARED
    for part in _parts(shapes):
        runtime.launch(
            "texture/neighbourhood.cu",
            f"neighbourhood_batch_{runtime.suffix(levels)}",
            (_stretches(table), 1, part.stop - part.start),
            (_BLOCK,),
            (
                levels, shapes[part], np.int64(pad), offsets, np.int32(offsets.shape[0]),
                np.int32(alpha), starts[part], np.int32(shared), tones, dependences,
            ),
            shared=table_bytes if shared else 0,
        )  # fmt: skip


def find_zones_batch(
    levels: Any, shapes: Any, pad: int, in_plane: bool, starts: Any, zones: Any, counts: Any
) -> None:
    """(level, voxels, 0, slice) per zone, every region's from its start on; counts: how many."""
    xp = runtime.array_module(levels)
    table = host_array(shapes)
    voxels_of = table[:, 1:4].prod(axis=1)
    first = np.repeat(table[:, 0], voxels_of)  # volumes lie behind each other
    parent = xp.arange(levels.size, dtype=np.int32) - xp.asarray(first.astype(np.int32))
    voxels = runtime.zeros(levels, levels.size, np.int32)
    kind = runtime.suffix(levels)
    for part in _parts(shapes):
        grid = (_stretches(table), part.stop - part.start)
        link = (levels, shapes[part], np.int32(in_plane), parent)
        runtime.launch("texture/zones.cu", f"zones_link_batch_{kind}", grid, (_BLOCK,), link)
        measure = (levels, shapes[part], parent, voxels)
        runtime.launch("texture/zones.cu", f"zones_measure_batch_{kind}", grid, (_BLOCK,), measure)
    roots = xp.flatnonzero(voxels)
    region = xp.searchsorted(shapes[:, 0].copy(), roots, side="right") - 1
    number = xp.bincount(region, minlength=table.shape[0])
    before = xp.cumsum(number) - number
    row = starts[region] + xp.arange(roots.size) - before[region]
    plane = (shapes[:, 2] * shapes[:, 3])[region]
    zones[row, 0] = levels[roots]
    zones[row, 1] = voxels[roots]
    zones[row, 2] = 0
    zones[row, 3] = (roots - shapes[:, 0][region]) // plane - pad if in_plane else 0
    counts[...] = number
