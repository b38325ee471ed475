"""Which voxels a scan asks for, which detector rows are used, and where the volume lies."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import DataError, GeometryError


def grid_of(
    geometry: Any,
    size: int | None = None,
    voxel: float | None = None,
    thickness: float | None = None,
    depth: float | None = None,
) -> Any:
    """A square grid that takes the detector's columns at the rotation axis, and what it sees in z.

    Parallel rows are slices. A circular cone gets the height that the detector sees on the axis,
    a helix the stretch in which every slice has a short scan of views.
    """
    from ..geometry import ParallelBeam, Volume

    scale = _magnification(geometry)
    pixel, width = geometry.pixel[-1] * scale, geometry.columns
    if np.ptp(geometry.angles) > 1.5 * np.pi and not _free(geometry):
        edges = np.abs(geometry.column_positions()[[0, -1]]) / geometry.pixel[-1] + 0.5
        if edges.max() > 0.6 * width:  # a detector shifted sideways sees a wider circle in a turn
            width = 2 * int(np.ceil(edges.max()))
    step = pixel if voxel is None else _positive("--voxel", voxel)
    side = size or width
    if size is not None and voxel is None:  # the same field of view in fewer voxels
        step *= width / size
    if len(geometry.detector) == 1:
        return Volume((side, side), step)
    if isinstance(geometry, ParallelBeam) and not _free(geometry):
        if thickness is not None or depth is not None:
            raise DataError("the slices of a parallel scan are its detector rows; choose by --row")
        rows = geometry.row_positions()
        origin = -0.5 * (side - 1) * step
        return Volume(
            (rows.size, side, side),
            (geometry.pixel[0], step, step),
            (float(rows[0]), origin, origin),
        )
    low, high = _seen(geometry, scale)
    if depth is not None:
        middle, half = 0.5 * (low + high), 0.5 * _positive("--depth", depth)
        low, high = middle - half, middle + half
    gap = geometry.pixel[0] * scale if thickness is None else _positive("--slice", thickness)
    count = max(1, round((high - low) / gap))
    first = 0.5 * (low + high) - 0.5 * (count - 1) * gap
    origin = -0.5 * (side - 1) * step
    return Volume((count, side, side), (gap, step, step), (first, origin, origin))


def _positive(name: str, value: float) -> float:
    if not 0 < value < np.inf:
        raise DataError(f"{name} is {value:g}; expected mm > 0")
    return value


def _free(geometry: Any) -> bool:
    return getattr(geometry, "vectors", None) is not None


def _magnification(geometry: Any) -> float:
    """Size at the rotation axis over size on the detector."""
    near = getattr(geometry, "source_origin", None)
    return 1.0 if near is None else near / geometry.source_detector


def _seen(geometry: Any, scale: float) -> tuple[float, float]:
    """Lowest and highest z to reconstruct."""
    frames = geometry.frames()
    rows = geometry.row_positions() * scale
    half = 0.5 * geometry.pixel[0] * scale
    if frames.source is None:
        centre = frames.centre[:, 2]
        return float(centre.min() + rows[0] - half), float(centre.max() + rows[-1] + half)
    source = frames.source[:, 2]
    shown = float(rows[0] - half), float(rows[-1] + half)
    travel = float(np.ptp(source))
    if travel <= 1e-6 * (shown[1] - shown[0]):
        return float(source[0]) + shown[0], float(source[0]) + shown[1]
    edge = float(np.abs(geometry.column_positions()).max()) / geometry.source_detector
    short = np.pi + 2 * (edge if geometry.curved else np.arctan(edge))
    turned = float(np.ptp(geometry.angles))
    margin = 0.5 * travel * short / turned if turned > 0 else np.inf
    low, high = source.min() + margin, source.max() - margin
    if high <= low:
        raise GeometryError(
            f"the helix turns by {np.degrees(turned):.0f} degrees, one slice needs "
            f"{np.degrees(short):.0f}; read more views"
        )
    return float(low), float(high)


def rows_of(scan: Any, rows: slice) -> tuple[Any, Any, Any, Any]:
    """Data, flat and dark frames and geometry of some detector rows, which stay where they were."""
    from ..geometry import FanBeam

    data, flat, dark, geometry = scan.data, scan.flat, scan.dark, scan.geometry
    if data.ndim == 3 and isinstance(geometry, FanBeam):
        if rows.stop - rows.start != 1:
            raise DataError(
                f"a fan beam has one row, the projections {data.shape[1]}; choose one by --row, or "
                "describe the scan as a cone"
            )
        only = rows.start
        return (
            np.ascontiguousarray(data[:, only]),
            None if flat is None else flat[:, only],
            None if dark is None else dark[:, only],
            geometry,
        )
    if data.ndim == 3 and rows != slice(0, data.shape[1]):
        data = np.ascontiguousarray(data[:, rows])
        flat = None if flat is None else flat[:, rows]
        dark = None if dark is None else dark[:, rows]
        geometry = _of_rows(geometry, rows)
    return data, flat, dark, geometry


def _of_rows(geometry: Any, rows: slice) -> Any:
    kept, whole = rows.stop - rows.start, geometry.rows
    moved = rows.start + (kept - 1) / 2 - (whole - 1) / 2
    detector = (kept, geometry.columns)
    if _free(geometry):
        first, centre, u, v = np.moveaxis(geometry.vectors, 1, 0)
        return type(geometry).from_vectors(first, centre + moved * v, u, v, detector=detector)
    offset = (geometry.offset[0] + moved * geometry.pixel[0], geometry.offset[1])
    return geometry.replace(detector=detector, offset=offset)


def place_of(volume: Any, header: dict[str, Any]) -> np.ndarray:
    """4x4 from voxel index (x, y, z) to RAS mm.

    Where the scan says how the patient lay, world axes are turned to the patient's; else x, y and
    z are taken for R, A and S.
    """
    letters = header.get("orientation") or "RAS"
    steps = tuple(volume.spacing[::-1]) + (1.0,) * (3 - volume.ndim)
    first = tuple(volume.origin[::-1]) + (0.0,) * (3 - volume.ndim)
    place = np.array(first) + [0.0, 0.0, header.get("z_origin") or 0.0]
    affine = np.zeros((4, 4))
    affine[3, 3] = 1
    for axis, letter in enumerate(letters):
        row = next(i for i, pair in enumerate(("RL", "AP", "SI")) if letter in pair)
        sign = 1.0 if letter in "RAS" else -1.0
        affine[row, axis] = sign * steps[axis]
        affine[row, 3] = sign * place[axis]
    return affine
