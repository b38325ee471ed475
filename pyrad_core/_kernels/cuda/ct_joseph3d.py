"""CUDA launchers of csrc/ct/joseph3d.cu; names and signatures are those of the CPU extension."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import runtime

__all__ = ["backproject3d", "project3d"]

_RAYS = (32, 8)  # rows and columns of a block of project3d
_VOXELS = (32, 4)
_VOXELS_PER_THREAD = 8
_WIDTH = 128
_CHUNK_BYTES = 256 << 20  # of weighted projections


def project3d(
    volume: Any,
    views: np.ndarray,
    columns: np.ndarray,
    scan: np.ndarray,
    divergent: bool,
    out: Any,
) -> None:
    """Adds line integrals with bilinear interpolation (Joseph) to out."""
    nz, ny, nx = volume.shape
    count_views, rows, count = out.shape
    upright = runtime.empty(volume, (ny, nx, nz), volume.dtype)
    upright[...] = volume.transpose(1, 2, 0)
    tables = (runtime.beside(volume, table) for table in (views, columns, scan))
    runtime.launch(
        "ct/joseph3d.cu",
        f"project3d_{runtime.suffix(volume)}",
        (runtime.ceil_div(rows, _RAYS[0]), runtime.ceil_div(count, _RAYS[1]), count_views),
        _RAYS,
        (
            *(volume, upright, np.int64(nz), np.int64(ny), np.int64(nx)),
            *(*tables, np.int32(divergent), np.int64(rows), np.int64(count), out),
        ),
    )


def backproject3d(
    projections: Any,
    views: np.ndarray,
    columns: np.ndarray,
    scan: np.ndarray,
    divergent: bool,
    out: Any,
) -> None:
    """Adds the exact adjoint of project3d to out."""
    count_views, rows, count = projections.shape
    per_view = rows * count * projections.dtype.itemsize
    together = min(count_views, max(1, _CHUNK_BYTES // per_view))
    given = runtime.empty(projections, (together, rows, count), projections.dtype)
    paths = runtime.empty(projections, (together, count, 9), np.float64)
    for first in range(0, count_views, together):
        chunk = slice(first, first + together)
        _backproject(projections[chunk], views[chunk], columns, scan, divergent, given, paths, out)


def _backproject(
    projections: Any,
    views: np.ndarray,
    columns: np.ndarray,
    scan: np.ndarray,
    divergent: bool,
    given: Any,
    paths: Any,
    out: Any,
) -> None:
    count_views, rows, count = projections.shape
    nz, ny, nx = out.shape
    source, suffix = "ct/joseph3d.cu", runtime.suffix(projections)
    beam = [runtime.beside(out, table) for table in (views, columns, scan)] + [np.int32(divergent)]
    sizes = (np.int64(rows), np.int64(count))
    across = runtime.ceil_div(count, _WIDTH)
    runtime.launch(
        source,
        f"weigh3d_{suffix}",
        (across, rows, count_views),
        (_WIDTH,),
        (projections, *beam, *sizes, given),
    )
    runtime.launch(
        source, "paths3d", (across, count_views), (_WIDTH,), (*beam, np.int64(count), paths)
    )
    upright = _upright(views, columns, scan, rows)
    curved = np.int32(bool((columns[:, 0] != 1).any()))
    runtime.launch(
        source,
        f"backproject3d_{suffix}",
        (
            runtime.ceil_div(nx, _VOXELS[0]),
            runtime.ceil_div(ny, _VOXELS[1]),
            runtime.ceil_div(nz, _VOXELS_PER_THREAD),
        ),
        _VOXELS,
        (
            *(
                given,
                beam[0],
                runtime.beside(out, _inverses(views, divergent)),
                runtime.beside(out, upright),
            ),
            *(paths, beam[1], beam[2], beam[3], curved, np.int64(count_views), *sizes),
            *(np.int64(nz), np.int64(ny), np.int64(nx), out),
        ),
    )


def _inverses(views: np.ndarray, divergent: bool) -> np.ndarray:
    """(V, 9): from a point relative to the origin to the detector, see Detector in the source."""
    parts = views.reshape(-1, 6, 3)
    chosen = parts[:, [3, 4, 5]] if divergent else parts[:, [3, 1, 2]]
    return np.ascontiguousarray(np.linalg.inv(chosen.swapaxes(1, 2)).reshape(-1, 9))


def _upright(views: np.ndarray, columns: np.ndarray, scan: np.ndarray, rows: int) -> np.ndarray:
    """(V,) int32: rows along z, and no ray closer to the z axis than to x and y."""
    parts = views.reshape(-1, 6, 3)
    tilt = np.abs(parts[:, [2, 5], :2]).max(axis=(1, 2))
    a, b = columns.T
    flat = parts[:, 3, None] * a[:, None] + parts[:, 4, None] * b[:, None]
    size = np.abs(flat[..., :2]).max(axis=2)
    ends = scan[0] + np.array([0, rows - 1]) * scan[1]
    rise = np.abs(flat[..., 2, None] + parts[:, 5, None, 2, None] * ends).max(axis=2)
    return ((tilt == 0) & (rise <= size).all(axis=1)).astype(np.int32)
