"""Projections that do not hold the whole object."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np

from .._checks import choice, same_shape, whole
from .._kernels.select import edge_of
from .._memory import require_memory
from ..errors import DataError, GeometryError
from ..geometry import Beam

__all__ = ["extend_truncated"]

AnyBeam = TypeVar("AnyBeam", bound=Beam)


def extend_truncated(
    projections: Any, geometry: AnyBeam, *, columns: int | None = None, sides: str = "both"
) -> tuple[Any, AnyBeam]:
    """Projections and geometry widened beyond the detector's ends, for truncated scans.

    Where the object reaches beyond the detector, the ramp filter meets a step at the last column
    and the image brightens towards the edge of the field of view. The projections are continued
    by their mirror image about the last reading, ``2 p[0] - p[k]``, which keeps value and slope;
    it is cut at zero and tapered by a cosine. Then::

        wide, scan = extend_truncated(projections, geometry)
        image = fbp(wide, scan, volume)          # or fdk

    Parameters
    ----------
    projections : array, shape ``geometry.projection_shape``
        Line integrals; float32 or float64, integers become float32.
    geometry : ParallelBeam, FanBeam or ConeBeam
        Not for detectors shifted sideways in a full turn: their opposite views hold what is
        missing on the short side, and the analytic methods use it. Extend the far side alone
        there (``sides``).
    columns : int, optional
        Columns to add at each end, at most one less than there are; half of them by default. The
        amplitude inside is best where this is about the width of what is missing.
    sides : {"both", "left", "right"}
        Ends to extend; left is column 0.

    Returns
    -------
    projections : array, shape (views, columns + added) or (views, rows, columns + added)
    geometry : Beam
        The same scan with the wider detector.

    Raises
    ------
    ShapeError
        The projections do not match the geometry.
    GeometryError
        A geometry made by ``ConeBeam.from_vectors``; a curved detector that would reach half a
        turn about the source.
    DataError
        NaN or Inf, ``columns`` < 1 or as many as there are, unknown ``sides``.

    References
    ----------
    B. Ohnesorge et al., Med. Phys. 27, 39, 2000, doi:10.1118/1.598855.

    Examples
    --------
    >>> import numpy as np, pyrad_core as prc
    >>> scan = prc.ParallelBeam([0.0], 4)
    >>> wide, scan = extend_truncated(np.array([[2.0, 3.0, 3.0, 2.0]]), scan, columns=2)
    >>> wide.round(3).tolist(), scan.detector
    ([[0.5, 0.866, 2.0, 3.0, 3.0, 2.0, 0.866, 0.5]], (8,))
    """
    edge = edge_of(projections=projections)
    same_shape("projections", edge["projections"].shape, "geometry", geometry.projection_shape)
    lines = edge.real("projections")
    choice("sides", sides, ("both", "left", "right"))
    width = lines.shape[-1]
    added = max(1, width // 2) if columns is None else whole("columns", columns, 1)
    if added >= width:
        raise DataError(f"columns is {added}; expected at most {width - 1} for {width} columns")
    left, right = added * (sides != "right"), added * (sides != "left")
    scan = _widened(geometry, left, right)
    if not edge.on_gpu:
        require_memory(
            "the extended projections", lines.nbytes // width * scan.columns, "use fewer columns"
        )
    wide = edge.xp.empty((*lines.shape[:-1], scan.columns), dtype=lines.dtype)
    wide[..., left : left + width] = lines
    if left:
        wide[..., :left] = _continued(edge.xp, lines, left)[..., ::-1]
    if right:
        wide[..., left + width :] = _continued(edge.xp, lines[..., ::-1], right)
    return edge.answer(wide), scan


def _continued(xp: Any, lines: Any, added: int) -> Any:
    """What lies beyond column 0, from the nearest on."""
    mirrored = 2 * lines[..., :1] - lines[..., 1 : added + 1]
    taper = np.cos(0.5 * np.pi * np.arange(1, added + 1) / (added + 1)).astype(lines.dtype)
    return xp.maximum(mirrored, 0) * xp.asarray(taper)


def _widened(geometry: AnyBeam, left: int, right: int) -> AnyBeam:
    if getattr(geometry, "vectors", None) is not None:
        raise GeometryError("geometry has a pose per view; make the wider one by from_vectors")
    columns = geometry.columns + left + right
    shift = 0.5 * (right - left) * geometry.pixel[-1]
    if len(geometry.detector) == 1 and not isinstance(geometry.detector, int):
        detector: Any = columns
        offset: Any = geometry.offset[0] + shift
    else:
        detector = (geometry.detector[0], columns)
        offset = (geometry.offset[0], geometry.offset[-1] + shift)
    changes = {"detector": detector, "offset": offset}
    if len(geometry.pixel) == 1:
        changes["pixel"] = geometry.pixel[0]
    return geometry.replace(**changes)
