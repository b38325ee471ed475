"""CUDA launchers of the coil kernels in csrc/mr; names and signatures are the CPU extension's."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import runtime

__all__ = [
    "bilinear_crop",
    "bilinear_pad",
    "coil_eigenvectors",
    "combine_maps_of",
    "combine_squares",
    "espirit_maps",
    "local_products",
    "mix_coils",
    "normalize_maps",
    "turn_maps",
]

_BLOCK = 256
_TILE_X, _TILE_Y = 32, 8  # of local_products.cu
_OUTPUTS = 8  # of a thread of mix_coils


def coil_eigenvectors(
    matrices: Any, iterations: int, reference: Any, vectors: Any, values: Any
) -> None:
    """Dominant eigenvectors (maps, coils, pixels) of Hermitian matrices (pairs, pixels)."""
    maps, coils, pixels = vectors.shape
    scratch = runtime.empty(vectors, (coils, pixels), vectors.dtype)
    counts = (np.int32(coils), np.int64(pixels), np.int32(maps), np.int32(iterations))
    args = (matrices, *counts, reference, scratch, vectors, values)
    _launch("coil_eigen", "coil_eigenvectors", pixels, args, matrices)


def espirit_maps(
    lags: Any,
    waves: Any,
    reference: Any,
    crop: float,
    iterations: int,
    plane: int,
    vectors: Any,
    values: Any,
) -> None:
    """One plane of eigenvectors (maps, coils, z, y, x) of sum_l waves (y, l) lags (pairs, l, x)."""
    maps, coils, planes, rows, columns = vectors.shape
    pairs, count = lags.shape[:2]
    matrices = runtime.empty(vectors, (pairs, rows, columns), vectors.dtype)
    scratch = runtime.empty(vectors, (coils, rows, columns), vectors.dtype)
    args: tuple = (lags, waves, reference, values.dtype.type(crop), np.int32(coils))
    args = (*args, np.int32(maps), np.int32(count), np.int64(rows), np.int64(columns))
    args = (*args, np.int64(planes), np.int64(plane), np.int32(iterations))
    args = (*args, matrices, scratch, vectors, values)
    _launch("coil_eigen", "espirit_maps", rows * columns, args, lags)


def local_products(left: Any, right: Any, chosen: Any, window: Any, first: Any, out: Any) -> None:
    """Box sums of left[chosen[p, 0]] conj(right[chosen[p, 1]]) for a part of the pixels."""
    products, planes, rows, columns = out.shape
    sizes = (*_sizes(left.shape[1:]), *_sizes(window), *_sizes(first), *_sizes(out.shape[1:]))
    tiles = runtime.ceil_div(columns, _TILE_X) * runtime.ceil_div(rows, _TILE_Y)
    high = _TILE_Y + window[1] - 1
    shared = high * (_TILE_X + window[2] - 1 + _TILE_X) * out.itemsize
    kernel = f"local_products_{runtime.suffix(out)}"
    args = (left, right, chosen, *sizes, out)
    grid = (tiles, planes, products)
    runtime.launch("mr/local_products.cu", kernel, grid, (_BLOCK,), args, shared=shared)


def mix_coils(matrices: Any, data: Any, out: Any) -> None:
    """out (v, outer, axis, inner) = matrices (v, c, axis) times data (c, outer, axis, inner)."""
    outputs, coils = matrices.shape[:2]
    args = (matrices, data, np.int32(outputs), np.int32(coils), *_sizes(data.shape[1:]), out)
    grid = (runtime.ceil_div(data[0].size, _BLOCK), runtime.ceil_div(outputs, _OUTPUTS))
    kernel = f"mix_coils_{runtime.suffix(data)}"
    runtime.launch("mr/coil_mixing.cu", kernel, grid, (_BLOCK,), args)


def combine_maps_of(images: Any, maps: Any, out: Any) -> None:
    """Least-squares image of coil images (coils, pixels) and maps."""
    coils, pixels = images.shape
    args = (images, maps, np.int32(coils), np.int64(pixels), out)
    _launch("coil_mixing", "combine_maps_of", pixels, args, images)


def combine_squares(images: Any, out: Any) -> None:
    """Root of the sum of squares over coils."""
    coils, pixels = images.shape
    args = (images, np.int32(coils), np.int64(pixels), out)
    _launch("coil_mixing", "combine_squares", pixels, args, images)


def normalize_maps(images: Any, maps: Any, combined: Any) -> None:
    """Maps (coils, pixels) to unit norm in place, and the image they combine to."""
    coils, pixels = images.shape
    args = (images, np.int32(coils), np.int64(pixels), maps, combined)
    _launch("coil_mixing", "normalize_maps", pixels, args, images)


def turn_maps(reference: Any, maps: Any, combined: Any) -> None:
    """Makes <reference, map> real and positive; the combined image turns the other way."""
    coils, pixels = maps.shape
    args = (reference, np.int32(coils), np.int64(pixels), maps, combined)
    _launch("coil_mixing", "turn_maps", pixels, args, maps)


def bilinear_pad(image: Any, maps: Any, d_image: Any, d_maps: Any, factors: Any, grid: Any) -> None:
    """factors (d_image maps + image d_maps) in the wrapped corner of a grid (z, y, x, lanes)."""
    sizes = (*_sizes(image.shape), *_sizes(grid.shape[:3]), np.int32(grid.shape[3]))
    args = (image, maps, d_image, d_maps, factors, *sizes, grid)
    _launch("bilinear", "bilinear_pad", grid.size, args, grid)


def bilinear_crop(
    grid: Any, image: Any, maps: Any, factors: Any, d_image: Any, d_maps: Any
) -> None:
    """Adjoint of bilinear_pad."""
    lanes = grid.shape[3]
    sizes = (*_sizes(image.shape), *_sizes(grid.shape[:3]), np.int32(lanes))
    args = (grid, image, maps, factors, *sizes, d_image, d_maps)
    per_block = _BLOCK // lanes
    blocks = (runtime.ceil_div(image.size, per_block),)
    kernel = f"bilinear_crop_{runtime.suffix(grid)}"
    threads = per_block * lanes
    shared = threads * grid.itemsize
    runtime.launch("mr/bilinear.cu", kernel, blocks, (threads,), args, shared=shared)


def _launch(stem: str, kernel: str, threads: int, args: tuple, typed: Any) -> None:
    name = f"{kernel}_{runtime.suffix(typed)}"
    blocks = (runtime.ceil_div(threads, _BLOCK),)
    runtime.launch(f"mr/{stem}.cu", name, blocks, (_BLOCK,), args)


def _sizes(three: Any) -> tuple[np.int64, np.int64, np.int64]:
    z, y, x = three
    return np.int64(z), np.int64(y), np.int64(x)
