"""CUDA launchers of csrc/ct; names and signatures are those of the CPU extension."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import ShapeError
from . import runtime

__all__ = [
    "backproject2d",
    "backproject_fan",
    "backproject_parallel",
    "filter_rows",
    "project2d",
]

_BLOCK = (32, 8)
_TILE_ROWS = 32  # four pixels for a thread of backproject_parallel.cu and backproject_fan.cu
_PAIR_ROWS = 16  # two for one of joseph2d.cu
_SLICES = 4  # for a thread
_RAYS = 128


def filter_rows(x: Any, weights: Any, first: int, response: Any, scale: Any, out: Any) -> None:
    """Weighted, zero-padded circular filter of every row, times scale (cuFFT).

    Rows go in chunks, so that the spectra stay below half a gigabyte.
    """
    fft, xp = runtime.fft_module(x), runtime.array_module(x)
    size, share = 2 * (response.shape[0] - 1), x.shape[0] // weights.shape[0]
    chunk = share * max(1, (1 << 26) // (size * share))
    padded = xp.zeros((min(chunk, x.shape[0]), size), dtype=x.dtype)
    for begin in range(0, x.shape[0], chunk):
        rows = x[begin : begin + chunk]
        inner = padded[: rows.shape[0], first : first + x.shape[1]]
        if weights.shape[0] == 1:
            xp.multiply(rows, weights, out=inner)
        else:
            part = weights[begin // share : (begin + rows.shape[0]) // share]
            parts = (part.shape[0], share, x.shape[1])
            inner[...] = (rows.reshape(parts) * part[:, None]).reshape(rows.shape)
        spectrum = fft.rfft(padded[: rows.shape[0]], axis=-1)
        spectrum *= response
        filtered = fft.irfft(spectrum, n=size, axis=-1)[:, : out.shape[1]]
        end = begin + rows.shape[0]
        xp.multiply(filtered, scale[begin:end, None], out=out[begin:end])


def backproject_parallel(filtered: Any, views: np.ndarray, out: Any) -> None:
    """Sum over views of linear interpolation at views . (x, y, 1)."""
    count, slices, columns = filtered.shape
    ny, nx = out.shape[1:]
    sizes = (np.int64(count), np.int64(slices), np.int64(columns))
    runtime.launch(
        "ct/backproject_parallel.cu",
        f"backproject_parallel_{runtime.suffix(filtered)}",
        (
            runtime.ceil_div(nx, _BLOCK[0]),
            runtime.ceil_div(ny, _TILE_ROWS),
            runtime.ceil_div(slices, _SLICES),
        ),
        _BLOCK,
        (filtered, runtime.beside(filtered, views), *sizes, out, np.int64(ny), np.int64(nx)),
    )


def backproject_fan(
    filtered: Any,
    views: np.ndarray,
    centre: float,
    magnify: float,
    source_origin: float,
    curved: bool,
    out: Any,
) -> None:
    """Distance-weighted backprojection onto the pixels of a fan-beam scan."""
    count, columns = filtered.shape
    ny, nx = out.shape
    beam = (np.float64(centre), np.float64(magnify), np.float64(source_origin), np.int32(curved))
    runtime.launch(
        "ct/backproject_fan.cu",
        f"backproject_fan_{runtime.suffix(filtered)}",
        (runtime.ceil_div(nx, _BLOCK[0]), runtime.ceil_div(ny, _TILE_ROWS)),
        _BLOCK,
        (
            *(filtered, runtime.beside(filtered, views), np.int64(count), np.int64(columns)),
            *(*beam, out, np.int64(ny), np.int64(nx)),
        ),
    )


def project2d(
    image: Any, views: np.ndarray, pixels: np.ndarray, pitch_x: float, pitch_y: float, out: Any
) -> None:
    """Line integrals of every slice with linear interpolation (Joseph)."""
    slices, ny, nx = image.shape
    count, columns = out.shape[0], out.shape[2]
    transposed = runtime.empty(image, (slices, nx, ny), image.dtype)
    transposed[...] = image.swapaxes(1, 2)
    rays = _trace(image, views, pixels, pitch_x, pitch_y)
    sizes = (np.int64(slices), np.int64(ny), np.int64(nx))
    runtime.launch(
        "ct/joseph2d.cu",
        f"project2d_{runtime.suffix(image)}",
        (runtime.ceil_div(columns, _RAYS), count, runtime.ceil_div(slices, _SLICES)),
        (_RAYS,),
        (image, transposed, *sizes, rays, np.int64(columns), out),
    )


def backproject2d(
    projections: Any,
    views: np.ndarray,
    pixels: np.ndarray,
    pitch_x: float,
    pitch_y: float,
    out: Any,
) -> None:
    """Exact adjoint of project2d; the detector's pixels are evenly spaced."""
    count, slices, columns = projections.shape
    ny, nx = out.shape[1:]
    rays = _trace(projections, views, pixels, pitch_x, pitch_y)
    table, centre, magnify, curved = _pixel_columns(views, pixels)
    parallel = not views[:, 6:].any()
    runtime.launch(
        "ct/joseph2d.cu",
        f"backproject2d_{runtime.suffix(projections)}",
        (
            runtime.ceil_div(nx, _BLOCK[0]),
            runtime.ceil_div(ny, _PAIR_ROWS),
            runtime.ceil_div(slices, _SLICES),
        ),
        _BLOCK,
        (
            *(projections, np.int64(slices), np.int64(ny), np.int64(nx)),
            *(runtime.beside(projections, table), np.int64(count), np.float64(centre)),
            *(np.float64(magnify), np.int32(curved), np.int32(parallel)),
            *(rays, np.int64(columns), out),
        ),
    )


def _trace(like: Any, views: np.ndarray, pixels: np.ndarray, pitch_x: float, pitch_y: float) -> Any:
    """Start, slope, weight and steepness of every ray: (views, columns, 4)."""
    count, columns = views.shape[0], pixels.shape[0]
    rays = runtime.empty(like, (count, columns, 4), like.dtype)
    runtime.launch(
        "ct/joseph2d.cu",
        f"trace2d_{runtime.suffix(like)}",
        (runtime.ceil_div(columns, _RAYS), count),
        (_RAYS,),
        (
            *(
                runtime.beside(like, views),
                np.int64(count),
                runtime.beside(like, pixels),
                np.int64(columns),
            ),
            *(np.float64(pitch_x), np.float64(pitch_y), rays),
        ),
    )
    return rays


def _pixel_columns(views: np.ndarray, pixels: np.ndarray) -> tuple[np.ndarray, float, float, bool]:
    """(V, 6) across and along of an image pixel, and the detector's line: see
    csrc/ct/block_columns_math.hpp.

    Solves O + b R + s (a P + b Q) = (x, y) for b / a; R or Q is zero.
    """
    origin, step, ray, turn = (views[:, 2 * i : 2 * i + 2] for i in range(4))
    # b (R x P) + a (h x Q) = h x P with h = (x, y) - O, where parallel rays have a = 1
    across = np.stack([ray[:, 1], -ray[:, 0]], axis=-1)
    along = np.stack([-turn[:, 1], turn[:, 0]], axis=-1)
    constant = step[:, 0] * ray[:, 1] - step[:, 1] * ray[:, 0]
    table = np.empty((views.shape[0], 6))
    table[:, 0:2], table[:, 3:5] = across, along
    table[:, 2] = -(across * origin).sum(axis=1)
    table[:, 5] = constant - (along * origin).sum(axis=1)
    # along is the distance in units of a and grows away from the source; 1 for parallel rays
    area = ray[:, 0] * turn[:, 1] - ray[:, 1] * turn[:, 0]
    parallel = not turn.any()
    table /= (constant if parallel else -area)[:, None]
    curved = bool((pixels[:, 0] != 1.0).any())
    places = np.arctan2(pixels[:, 1], pixels[:, 0]) if curved else pixels[:, 1]
    pitch = (places[-1] - places[0]) / (places.size - 1) if places.size > 1 else 1.0
    even = places[0] + pitch * np.arange(places.size)
    if np.abs(places - even).max() > 1e-5 * abs(pitch):
        raise ShapeError("pixels are not evenly spaced, as the CUDA kernels expect")
    return table, float(-places[0] / pitch), float(1.0 / pitch), curved
