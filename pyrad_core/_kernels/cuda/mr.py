"""CUDA launchers of csrc/mr; names and signatures are those of the CPU extension."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import runtime

__all__ = [
    "grid_crop",
    "grid_crop_maps",
    "grid_interpolate",
    "grid_interpolate_sorted",
    "grid_pad",
    "grid_pad_maps",
    "grid_spread",
    "grid_spread_sorted",
    "lane_fft",
    "lane_fft_filter",
    "plan_gridding",
]

_BLOCK = 256
_PART = 1024  # samples of one tile that are worth a block
_PARTS = 16
_BATCH = 64  # samples whose weights are in shared memory at a time
_SHARED = 48 * 1024
_MOST_SHARED = 96 * 1024  # beyond, too few blocks fit on a multiprocessor


def plan_gridding(
    coordinates: Any,
    ratio: Any,
    cells: Any,
    start: Any,
    offset: Any,
    order: Any,
    bins: Any,
    tiles: Any,
    coefficients: Any,
) -> None:
    """Tile order, first cells and offsets of samples (cycles per field of view)."""
    samples, dims = coordinates.shape
    k = coordinates.astype(np.float64, copy=False)
    tile = runtime.empty(start, samples, np.int32)
    key = runtime.empty(start, samples, np.int64)
    ratios = [np.float64(r) for r in (*ratio, 1, 1)[:3]]
    width = np.int32(coefficients.shape[1])
    args: tuple = (k, np.int64(samples), np.int32(dims), width, *ratios, *_sizes(cells))
    args = (*args, *_sizes(tiles), tile, key)
    runtime.launch("mr/grid_plan.cu", "place", _blocks(samples), (_BLOCK,), args)

    xp = runtime.array_module(start)
    order[...] = xp.argsort(key, kind="stable")
    count = int(np.prod(tiles))
    bins[...] = xp.searchsorted(tile[order], xp.arange(count + 1, dtype=np.int32))
    args = (k, order, np.int64(samples), np.int32(dims), width, *ratios, *_sizes(cells))
    kernel = f"arrange_{runtime.suffix(offset)}"
    args = (*args, start, offset)
    runtime.launch("mr/grid_plan.cu", kernel, _blocks(samples), (_BLOCK,), args)


def grid_interpolate(
    grid: Any,
    start: Any,
    offset: Any,
    order: Any,
    bins: Any,
    tiles: Any,
    coefficients: Any,
    samples: Any,
) -> None:
    """Samples (coils, samples) from a grid (z, y, x, lanes)."""
    _interpolate(grid, start, offset, coefficients, order, samples.shape[0], samples)


def grid_interpolate_sorted(
    grid: Any,
    start: Any,
    offset: Any,
    order: Any,
    bins: Any,
    tiles: Any,
    coefficients: Any,
    samples: Any,
) -> None:
    """Samples in tile order, interleaved (samples, lanes)."""
    _interpolate(grid, start, offset, coefficients, None, samples.shape[1], samples)


def _interpolate(
    grid: Any, start: Any, offset: Any, coefficients: Any, order: Any, coils: int, out: Any
) -> None:
    samples, dims = offset.shape
    lanes = grid.shape[3]
    kernel = _kernel_args(start, offset, coefficients)
    args: tuple = (grid, *_sizes(grid.shape[:3]), np.int32(lanes), *kernel, order)
    args = (*args, np.int64(samples), np.int32(coils), out)
    blocks, shared = _sample_blocks(samples, lanes, offset, coefficients)
    name = f"interpolate_{runtime.suffix(grid)}"
    runtime.launch("mr/gridding.cu", name, blocks, (_BLOCK,), args, shared=shared)


def _kernel_args(start: Any, offset: Any, coefficients: Any) -> tuple:
    degree, width = coefficients.shape[0] - 1, coefficients.shape[1]
    dims = np.int32(offset.shape[1])
    return start, offset, coefficients, np.int32(degree), dims, np.int32(width)


def _sample_blocks(
    samples: int, lanes: int, offset: Any, coefficients: Any
) -> tuple[tuple[int], int]:
    """Blocks of _BLOCK // lanes samples each, and the memory for their weights."""
    each = _BLOCK // lanes
    shared = each * offset.shape[1] * coefficients.shape[1] * offset.itemsize
    return (-(-samples // each),), shared


def grid_spread(
    samples: Any,
    start: Any,
    offset: Any,
    order: Any,
    bins: Any,
    tiles: Any,
    coefficients: Any,
    grid: Any,
) -> None:
    """Adjoint of grid_interpolate; the grid is overwritten."""
    kernel = _kernel_args(start, offset, coefficients)
    _spread(samples, None, kernel, order, bins, tiles, samples.shape[0], grid)


def grid_spread_sorted(
    samples: Any,
    density: Any,
    start: Any,
    offset: Any,
    order: Any,
    bins: Any,
    tiles: Any,
    coefficients: Any,
    grid: Any,
) -> None:
    """Spreads samples (samples, lanes) in tile order, each times its density."""
    kernel = _kernel_args(start, offset, coefficients)
    _spread(samples, density, kernel, None, bins, tiles, samples.shape[1], grid)


def _spread(
    values: Any,
    density: Any,
    kernel: tuple,
    order: Any,
    bins: Any,
    tiles: Any,
    coils: int,
    grid: Any,
) -> None:
    offset, coefficients = kernel[1], kernel[2]
    (samples, dims), width = offset.shape, coefficients.shape[1]
    lanes = grid.shape[3]
    grid[...] = 0
    name = runtime.suffix(grid)
    head = (values, density, *kernel, order)
    counts = (np.int64(samples), np.int32(coils))
    tail = (*_sizes(grid.shape[:3]), np.int32(lanes))
    # Tiles begin at even cells, see tile_start.
    longest = [2 * -(-((n + 1) // 2) // t) for n, t in zip(grid.shape[:3], tiles, strict=True)]
    cells = int(np.prod([n + width - 1 for n in longest[3 - dims :]]))
    if cells * grid.itemsize > _MOST_SHARED:
        args: tuple = (*head, *counts, *tail, grid)
        blocks, shared = _sample_blocks(samples, lanes, offset, coefficients)
        direct = f"spread_direct_{name}"
        runtime.launch("mr/gridding.cu", direct, blocks, (_BLOCK,), args, shared=shared)
        return
    # Lanes that share a block: as many as leave its copy of the tile in 48 KB.
    group = next(
        n
        for n in range(lanes, 0, -1)
        if lanes % n == 0 and (n == 1 or cells * n * grid.itemsize <= _SHARED)
    )
    threads = min(1024, 32 * -(-(width**dims * group) // 32))
    shared = cells * group * grid.itemsize + _BATCH * dims * (width * offset.itemsize + 4)
    args = (*head, bins, *counts, *_sizes(tiles), *tail, np.int32(group), np.int32(_BATCH))
    args = (*args, np.int64(cells * group), grid)
    parts = min(_PARTS, -(-samples // _PART))
    launch_name = f"spread_tile_{name}"
    blocks3 = (int(np.prod(tiles)), parts, lanes // group)
    runtime.launch("mr/gridding.cu", launch_name, blocks3, (threads,), args, shared=shared)


def grid_pad(images: Any, apodisation: Any, grid: Any) -> None:
    """Images (coils, z, y, x) into the wrapped corner of a grid (z, y, x, lanes)."""
    args = (images, apodisation, *_sizes(images.shape[1:]), *_sizes(grid.shape[:3]))
    _pad("pad", grid, (*args, np.int32(images.shape[0]), np.int32(grid.shape[3]), grid), grid.size)


def grid_crop(grid: Any, apodisation: Any, images: Any) -> None:
    """Adjoint of grid_pad."""
    args = (grid, apodisation, *_sizes(images.shape[1:]), *_sizes(grid.shape[:3]))
    coils, lanes = np.int32(images.shape[0]), np.int32(grid.shape[3])
    _pad("crop", grid, (*args, coils, lanes, images), images.size)


def grid_pad_maps(image: Any, maps: Any, grid: Any) -> None:
    """Image (z, y, x) times maps (z, y, x, lanes) into the wrapped corner of a grid."""
    args = (image, maps, *_sizes(image.shape), *_sizes(grid.shape[:3]))
    _pad("pad_maps", grid, (*args, np.int32(grid.shape[3]), grid), grid.size)


def grid_crop_maps(grid: Any, maps: Any, image: Any) -> None:
    """Adjoint of grid_pad_maps."""
    args = (grid, maps, *_sizes(image.shape), *_sizes(grid.shape[:3]))
    _pad("crop_maps", grid, (*args, np.int32(grid.shape[3]), image), image.size)


def lane_fft(grid: Any, sign: int, band: Any) -> None:
    """Unscaled FFT over z, y, x of a grid (z, y, x, lanes) in place, by cuFFT."""
    axes = tuple(axis for axis in range(3) if grid.shape[axis] > 1)
    fft = runtime.fft_module(grid)
    if not axes:
        return
    if sign < 0:
        grid[...] = fft.fftn(grid, axes=axes)
    else:
        grid[...] = fft.ifftn(grid, axes=axes, norm="forward")


def lane_fft_filter(grid: Any, factor: Any, band: Any) -> None:
    """lane_fft with sign -1, product with one real factor per cell, lane_fft with sign +1."""
    lane_fft(grid, -1, band)
    grid *= factor[..., None]
    lane_fft(grid, 1, band)


def _pad(kernel: str, grid: Any, args: tuple, threads: int) -> None:
    name = f"{kernel}_{runtime.suffix(grid)}"
    runtime.launch("mr/grid_pad.cu", name, _blocks(threads), (_BLOCK,), args)


def _blocks(threads: int) -> tuple[int]:
    return (-(-threads // _BLOCK),)


def _sizes(three: Any) -> tuple[np.int64, np.int64, np.int64]:
    z, y, x = three
    return np.int64(z), np.int64(y), np.int64(x)
