"""CUDA launchers of csrc/ct/footprint*.cu; names and signatures are those of the CPU extension."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import runtime

__all__ = [
    "backproject_footprint2d",
    "backproject_footprint3d",
    "backproject_footprint_tilted",
    "project_footprint2d",
    "project_footprint3d",
    "project_footprint_tilted",
]

_BLOCK = (32, 8)
_CELLS = 128
_ROWS_PER_WARP = 256  # 32 lanes x rows_per_lane of footprint3d.cu
_SLICES_PER_THREAD = 16
_CHUNK_BYTES = 256 << 20  # of elevated projections


def project_footprint2d(
    image: Any, views: np.ndarray, arc: float, pitch_x: float, pitch_y: float, out: Any
) -> None:
    """Strip integrals of every slice with trapezoidal footprints."""
    count, slices, columns = out.shape
    runtime.launch(
        "ct/footprint2d.cu",
        f"project_footprint2d_{runtime.suffix(image)}",
        (runtime.ceil_div(columns, _CELLS), count, slices),
        (_CELLS,),
        (
            *(
                image,
                *_sizes(image),
                runtime.beside(image, views),
                np.int64(count),
                np.float64(arc),
            ),
            *(np.float64(pitch_x), np.float64(pitch_y), np.int64(columns), out),
        ),
    )


def backproject_footprint2d(
    projections: Any, views: np.ndarray, arc: float, pitch_x: float, pitch_y: float, out: Any
) -> None:
    """Exact adjoint of project_footprint2d."""
    count, slices, columns = projections.shape
    ny, nx = out.shape[1:]
    runtime.launch(
        "ct/footprint2d.cu",
        f"backproject_footprint2d_{runtime.suffix(projections)}",
        (runtime.ceil_div(nx, _BLOCK[0]), runtime.ceil_div(ny, _BLOCK[1]), slices),
        _BLOCK,
        (
            *(projections, *_sizes(out), runtime.beside(projections, views), np.int64(count)),
            *(np.float64(arc), np.float64(pitch_x), np.float64(pitch_y), np.int64(columns), out),
        ),
    )


def project_footprint3d(
    volume: Any,
    views: np.ndarray,
    reach: np.ndarray,
    arc: float,
    pitch_x: float,
    pitch_y: float,
    out: Any,
) -> None:
    """Line integrals with separable footprints, detector rows along z."""
    nz, ny, nx = volume.shape
    count, rows, columns = out.shape
    upright = runtime.empty(volume, (ny, nx, nz), volume.dtype)
    upright[...] = volume.transpose(1, 2, 0)
    runtime.launch(
        "ct/footprint3d.cu",
        f"project_footprint3d_{runtime.suffix(volume)}",
        (runtime.ceil_div(columns, _BLOCK[1]), count, runtime.ceil_div(rows, _ROWS_PER_WARP)),
        _BLOCK,
        (
            *(
                upright,
                *_sizes(volume),
                runtime.beside(volume, views),
                runtime.beside(volume, reach),
            ),
            *(_step(reach), np.float64(arc), np.float64(pitch_x), np.float64(pitch_y)),
            *(*_sizes(out), out),
        ),
    )


def backproject_footprint3d(
    projections: Any,
    views: np.ndarray,
    reach: np.ndarray,
    arc: float,
    pitch_x: float,
    pitch_y: float,
    out: Any,
) -> None:
    """Exact adjoint of project_footprint3d."""
    count, rows, columns = projections.shape
    nz, ny, nx = out.shape
    ending = runtime.suffix(projections)
    chunk = min(count, max(1, _CHUNK_BYTES // (rows * columns * projections.itemsize)))
    elevated = runtime.empty(projections, (chunk, rows, columns), projections.dtype)
    beam = (np.float64(arc), np.float64(pitch_x), np.float64(pitch_y))
    for first in range(0, count, chunk):
        part = slice(first, min(first + chunk, count))
        number = part.stop - first
        table = runtime.beside(projections, np.ascontiguousarray(views[part]))
        distances = reach if len(reach) == 1 else np.ascontiguousarray(reach[part])
        runtime.launch(
            "ct/footprint3d.cu",
            f"elevate_footprint3d_{ending}",
            (runtime.ceil_div(columns, _CELLS), rows, number),
            (_CELLS,),
            (
                *(projections[part], table, runtime.beside(projections, distances), _step(reach)),
                *(np.int64(rows), np.int64(columns), elevated),
            ),
        )
        runtime.launch(
            "ct/footprint3d.cu",
            f"backproject_footprint3d_{ending}",
            (
                runtime.ceil_div(nx, _BLOCK[0]),
                runtime.ceil_div(ny, _BLOCK[1]),
                runtime.ceil_div(nz, _SLICES_PER_THREAD),
            ),
            _BLOCK,
            (
                *(elevated, *_sizes(out), table, *beam, np.int64(number), np.int64(rows)),
                *(np.int64(columns), np.int32(first > 0), out),
            ),
        )


def project_footprint_tilted(volume: Any, views: np.ndarray, out: Any) -> None:
    """Line integrals with separable footprints, detectors in any pose."""
    out[...] = 0
    _launch_tilted("project", volume, volume, views, out, out)


def backproject_footprint_tilted(projections: Any, views: np.ndarray, out: Any) -> None:
    """Exact adjoint of project_footprint_tilted."""
    _launch_tilted("backproject", projections, out, views, projections, out)


def _launch_tilted(
    what: str, given: Any, volume: Any, views: np.ndarray, projections: Any, out: Any
) -> None:
    nz, ny, nx = volume.shape
    runtime.launch(
        "ct/footprint_tilted.cu",
        f"{what}_footprint_tilted_{runtime.suffix(given)}",
        (runtime.ceil_div(nx, _BLOCK[0]), runtime.ceil_div(ny, _BLOCK[1]), nz),
        _BLOCK,
        (given, *_sizes(volume), runtime.beside(given, views), *_sizes(projections), out),
    )


def _sizes(x: Any) -> tuple[np.int64, ...]:
    return tuple(np.int64(n) for n in x.shape)


def _step(reach: np.ndarray) -> np.int64:
    """From one view's row of ``reach`` to the next; a single row serves all views."""
    return np.int64(0 if len(reach) == 1 else reach.shape[1])
