"""CUDA launchers of GRAPPA, SPIRiT and partial Fourier; names and signatures are the CPU's."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import runtime

__all__ = [
    "coil_matrix_multiply",
    "constrain_phase",
    "grappa_fill",
    "grappa_gram",
    "grappa_patterns",
    "grappa_weights",
    "interleave_coils",
    "separate_coils",
]

_BLOCK = 256
_SIDE = 32  # of the squares that are transposed
_TOGETHER = 4  # cells of one thread, see grappa_fill.cu
_SCRATCH = 1 << 30  # bytes of matrices that are solved at the same time


def interleave_coils(planar: Any, out: Any, sampled: Any) -> None:
    """planar (coil, cell) to (cell, lanes), and where any coil is not 0."""
    coils, cells = planar.shape
    args = (planar, np.int32(coils), np.int64(cells), np.int32(out.shape[1]), out, sampled)
    name = f"interleave_coils_{runtime.suffix(out)}"
    grid = (runtime.ceil_div(cells, _SIDE),)
    runtime.launch("mr/coil_lanes.cu", name, grid, (_SIDE, 8), args)


def separate_coils(lanes_last: Any, out: Any) -> None:
    """(cell, lanes) to (coil, cell)."""
    cells, lanes = lanes_last.shape
    args = (lanes_last, np.int64(cells), np.int32(lanes), np.int32(out.shape[0]), out)
    name = f"separate_coils_{runtime.suffix(out)}"
    grid = (runtime.ceil_div(cells, _SIDE),)
    runtime.launch("mr/coil_lanes.cu", name, grid, (_SIDE, 8), args)


def grappa_patterns(mask: Any, kernel: Any, cells: Any, starts: Any) -> int:
    """Missing cells sorted by the pattern of measured cells in their window."""
    xp = runtime.array_module(mask)
    missing = xp.flatnonzero(mask == 0)
    count = missing.size
    words = runtime.ceil_div(int(np.prod(kernel)), 64)
    codes = runtime.empty(mask, (words, count), np.uint64)
    sizes = [np.int64(n) for n in mask.shape]
    window = [np.int32(k) for k in kernel]
    missing = missing.astype(np.int64)
    args = (mask, *sizes, *window, missing, np.int64(count), np.int32(words), codes)
    starts[0] = 0
    if count == 0:
        return 0
    grid = (runtime.ceil_div(count, _BLOCK),)
    runtime.launch("mr/grappa_patterns.cu", "grappa_codes", grid, (_BLOCK,), args)
    order = xp.lexsort(codes)  # stable; the last word counts most
    cells[...] = missing[order]
    codes = codes[:, order]
    first = xp.flatnonzero((codes[:, 1:] != codes[:, :-1]).any(axis=0)) + 1
    patterns = first.size + 1
    starts[1:patterns] = first
    starts[patterns] = count
    return int(patterns)


def grappa_gram(calibration: Any, kernel: Any, gram: Any) -> None:
    """Inner products (cell, coil, cell, coil) over all windows of calibration (coil, z, y, x)."""
    xp = runtime.array_module(calibration)
    coils = calibration.shape[0]
    cells = xp.ascontiguousarray(xp.moveaxis(calibration, 0, -1))
    sizes = [np.int64(n) for n in calibration.shape[1:]]
    args = (cells, np.int32(coils), *sizes, *[np.int32(k) for k in kernel], gram)
    grid = (runtime.ceil_div(gram.size, _BLOCK),)
    runtime.launch("mr/grappa_weights.cu", "grappa_gram", grid, (_BLOCK,), args)


def grappa_weights(
    gram: Any, coils: int, sources: Any, begin: Any, centre: int, ridge: float, weights: Any
) -> None:
    """Weights (source, coil, lanes) of each pattern's sources."""
    xp = runtime.array_module(gram)
    patterns = begin.size - 1
    if patterns < 1:
        return
    most = int(xp.max(begin[1:] - begin[:-1])) * coils
    room = most * (most + coils)
    blocks = min(patterns, max(1, _SCRATCH // max(1, 16 * room)))
    scratch = runtime.empty(gram, (blocks, max(1, room)), np.complex128)
    args: tuple = (gram, np.int32(coils), np.int32(gram.shape[0] // coils), sources, begin)
    args = (*args, np.int32(centre), np.float64(ridge), np.int32(weights.shape[2]))
    args = (*args, np.int64(room), np.int64(patterns), scratch, weights)
    name = f"grappa_weights_{runtime.suffix(weights)}"
    runtime.launch("mr/grappa_weights.cu", name, (blocks,), (_BLOCK,), args)


def grappa_fill(cells: Any, starts: Any, begin: Any, offsets: Any, weights: Any, data: Any) -> None:
    """Missing cells of data (cell, lanes) from their pattern's sources."""
    xp = runtime.array_module(data)
    coils, lanes = weights.shape[1:]
    across = min(lanes, 32)
    rows = _BLOCK // across
    per_pattern = -(-(starts[1:] - starts[:-1]) // (rows * _TOGETHER))
    ends = xp.cumsum(per_pattern)
    count = int(ends[-1]) if ends.size else 0
    if count == 0:
        return
    job = xp.arange(count)
    pattern = xp.searchsorted(ends, job, side="right")
    first = starts[pattern] + (job - ends[pattern] + per_pattern[pattern]) * (rows * _TOGETHER)
    jobs = xp.stack([pattern, first], axis=1).astype(np.int64)
    args = (jobs, cells, starts, begin, offsets, weights, np.int32(coils), np.int32(lanes), data)
    name = f"grappa_fill_{runtime.suffix(data)}"
    runtime.launch("mr/grappa_fill.cu", name, (count,), (across, rows), args)


def constrain_phase(phases: Any, magnitude: bool, images: Any) -> None:
    """The part of images along phases (of modulus 1), or their magnitude, in place."""
    args = (phases, np.int32(magnitude), np.int64(images.size), images)
    name = f"constrain_phase_{runtime.suffix(images)}"
    grid = (runtime.ceil_div(images.size, _BLOCK),)
    runtime.launch("mr/phase_constraint.cu", name, grid, (_BLOCK,), args)


def coil_matrix_multiply(matrices: Any, images: Any, out: Any) -> None:
    """Hermitian matrices, given as their lower triangle (pairs, pixels), times images."""
    coils, pixels = images.shape
    args = (matrices, images, np.int32(coils), np.int64(pixels), out)
    name = f"coil_matrix_multiply_{runtime.suffix(out)}"
    grid = (runtime.ceil_div(pixels, _BLOCK),)
    runtime.launch("mr/coil_matrices.cu", name, grid, (_BLOCK,), args)
