"""CUDA launchers of csrc/ct; names and signatures are those of the CPU extension."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import runtime

__all__ = [
    "backproject2d",
    "backproject_fan",
    "backproject_parallel",
    "filter_rows",
    "project2d",
]

_ROWS_PER_THREAD = 4  # of backproject_parallel.cu
_BLOCK = (32, 8)
_RAYS = 128


def filter_rows(x: Any, weights: Any, first: int, response: Any, scale: Any, out: Any) -> None:
    """Weighted, zero-padded circular filter of every row, times scale (cuFFT).

    Rows go in chunks, so that the spectra stay below half a gigabyte.
    """
    fft, xp = _fft(x), runtime.array_module(x)
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
        (_ceil(nx, _BLOCK[0]), _ceil(ny, _BLOCK[1] * _ROWS_PER_THREAD), slices),
        _BLOCK,
        (filtered, _beside(filtered, views), *sizes, out, np.int64(ny), np.int64(nx)),
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
        (_ceil(nx, _BLOCK[0]), _ceil(ny, _BLOCK[1])),
        _BLOCK,
        (
            *(filtered, _beside(filtered, views), np.int64(count), np.int64(columns)),
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
    runtime.launch(
        "ct/joseph2d.cu",
        f"project2d_{runtime.suffix(image)}",
        (_ceil(columns, _RAYS), count, slices),
        (_RAYS,),
        (
            *(image, transposed, np.int64(slices), np.int64(ny), np.int64(nx)),
            *(_beside(image, views), np.int64(count), _beside(image, pixels), np.int64(columns)),
            *(np.float64(pitch_x), np.float64(pitch_y), out),
        ),
    )


def backproject2d(
    projections: Any,
    views: np.ndarray,
    pixels: np.ndarray,
    pitch_x: float,
    pitch_y: float,
    out: Any,
) -> None:
    """Exact adjoint of project2d."""
    count, slices, columns = projections.shape
    ny, nx = out.shape[1:]
    runtime.launch(
        "ct/joseph2d.cu",
        f"backproject2d_{runtime.suffix(projections)}",
        (_ceil(nx, _BLOCK[0]), _ceil(ny, _BLOCK[1]), slices),
        _BLOCK,
        (
            *(projections, np.int64(slices), np.int64(ny), np.int64(nx)),
            *(_beside(projections, views), np.int64(count)),
            *(_beside(projections, pixels), np.int64(columns)),
            *(np.float64(pitch_x), np.float64(pitch_y), out),
        ),
    )


def _ceil(size: int, step: int) -> int:
    return -(-size // step)


def _beside(like: Any, table: np.ndarray) -> Any:
    """The table where ``like`` is."""
    return runtime.array_module(like).asarray(table)


def _fft(like: Any) -> Any:
    if isinstance(like, np.ndarray):
        import scipy.fft

        return scipy.fft
    import cupyx.scipy.fft

    return cupyx.scipy.fft
