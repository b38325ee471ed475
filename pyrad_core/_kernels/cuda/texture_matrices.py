"""CUDA launchers of the run length, zone and neighbourhood matrices of csrc/texture."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from ...errors import DeviceMemoryError, ShapeError
from ..select import cpu_kernels, host_array
from . import runtime

__all__ = [
    "border_distance",
    "find_zones",
    "mask_moments",
    "mesh_shape",
    "neighbourhood",
    "run_lengths",
    "size_features",
    "sphere_means",
]

_BLOCK = 256
_SHARED = 48 * 1024
_MAX_STRETCHES = 264
_MAX_GRID = 2048


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


def border_distance(mask: Any, pad: int, in_plane: bool, out: Any) -> None:
    """City-block distance to the nearest voxel outside the mask, 0 outside and in the margin."""
    out[...] = 0
    inner = tuple(slice(pad, n - pad) for n in out.shape)
    out[inner] = (mask != 0) * np.uint16(65534)
    nz, ny, nx = out.shape
    for fast, fast_step, slow, slow_step, length, step in (
        (ny, nx, nz, ny * nx, nx, 1),
        (nx, 1, nz, ny * nx, ny, nx),
        (nx, 1, ny, nx, nz, ny * nx),
    )[: 2 if in_plane else 3]:
        sizes = (fast * slow, fast, fast_step, slow_step, length, step)
        runtime.launch(
            "texture/zones.cu",
            "border_distance_lines",
            (-(-fast * slow // 128),),
            (128,),
            (out, *(np.int64(n) for n in sizes)),
        )


def find_zones(levels: Any, pad: int, in_plane: bool, distances: Any, out: Any) -> int:
    """(level, voxels, smallest distance, slice) per zone; returns the number of zones."""
    if levels.size > 2**31 - 1:
        raise DeviceMemoryError(f"a region of {levels.size} voxels overflows the labels")
    xp = runtime.array_module(levels)
    _, ny, nx = levels.shape
    steps = [
        (dz * ny + dy) * nx + dx
        for dz, dy, dx in itertools.product((-1, 0), (-1, 0, 1), (-1, 0, 1))
        if (dz, dy, dx) < (0, 0, 0) and not (in_plane and dz)
    ]
    parent = xp.arange(levels.size, dtype=np.int32)
    voxels = runtime.zeros(levels, levels.size, np.int32)
    distance = runtime.empty(levels, levels.size, np.int32)
    distance[...] = 65535 if distances.size else 0
    kind, size = runtime.suffix(levels), np.int64(levels.size)
    grid = (max(1, min(_MAX_GRID, -(-levels.size // _BLOCK))),)
    table = xp.asarray(np.array(steps, np.int64))
    link = (levels, size, table, np.int32(len(steps)), parent)
    runtime.launch("texture/zones.cu", f"zones_link_{kind}", grid, (_BLOCK,), link)
    near = distances if distances.size else runtime.zeros(levels, 1, np.uint16)
    measure = (levels, size, parent, near, np.int32(distances.size > 0), voxels, distance)
    runtime.launch("texture/zones.cu", f"zones_measure_{kind}", grid, (_BLOCK,), measure)
    roots = xp.flatnonzero(voxels)
    count = int(roots.size)
    if count > out.shape[0]:
        raise ShapeError(f"out holds {out.shape[0]} zones, the region has {count}")
    out[:count, 0] = levels.reshape(-1)[roots]
    out[:count, 1] = voxels[roots]
    out[:count, 2] = distance[roots]
    out[:count, 3] = roots // (ny * nx) - pad if in_plane else 0
    return count


def mesh_shape(mask: Any, spacing: tuple[float, float, float], vertices: Any) -> tuple:
    """On the host: the mask of a region is small beside its image."""
    return cpu_kernels().mesh_shape(host_array(mask), spacing, vertices)


def mask_moments(mask: Any, out: Any) -> None:
    """On the host, as :func:`mesh_shape`."""
    cpu_kernels().mask_moments(host_array(mask), out)


def size_features(tables: Any, sizes: Any, voxels: Any, out: Any) -> None:
    """The counts go to the host: tables are small, and so are the features (a host array)."""
    cpu_kernels().size_features(host_array(tables), host_array(sizes), host_array(voxels), out)


def sphere_means(
    values: Any, mask: Any, begin: tuple[int, int, int], chords: Any, out: Any
) -> None:
    """Means over chords (dz, dy, h) around the voxels of the mask, a box of values."""
    xp = runtime.array_module(values)
    nz, ny, _ = values.shape
    reach = int(chords[:, 2].max())
    finite = xp.isfinite(values)
    ends = ((0, 0), (0, 0), (reach + 1, reach))
    sums = xp.cumsum(xp.where(finite, values, 0), axis=2, dtype=np.float64)
    sums = xp.ascontiguousarray(_extended(xp, sums, ends))
    number = xp.cumsum(finite, axis=2, dtype=np.int32)
    number = xp.ascontiguousarray(_extended(xp, number, ends))
    at = xp.ascontiguousarray(xp.argwhere(mask != 0) + xp.asarray(np.array(begin)))
    if at.shape[0] != out.shape[0]:
        raise ShapeError(f"out has {out.shape[0]} elements, the mask {at.shape[0]}")
    runtime.launch(
        "texture/sphere_means.cu",
        "sphere_means",
        (max(1, min(_MAX_GRID, -(-at.shape[0] // _BLOCK))),),
        (_BLOCK,),
        (
            sums, number, np.int64(nz), np.int64(ny), np.int64(sums.shape[2]),
            at.astype(np.int64), np.int64(at.shape[0]), chords, np.int32(chords.shape[0]),
            np.int64(reach), out,
        ),
    )  # fmt: skip


def _extended(xp: Any, sums: Any, ends: Any) -> Any:
    """Zeros before the running sums, their last value behind."""
    padded = xp.pad(sums, ends)
    if ends[2][1]:
        padded[:, :, -ends[2][1] :] = sums[:, :, -1:]
    return padded
