"""Projections that do not hold the whole object."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from .._checks import choice, positive, same_shape, whole
from .._kernels.select import edge_of
from .._memory import require_memory
from ..errors import DataError, GeometryError
from ..geometry import Beam

__all__ = ["extend_truncated"]

AnyBeam = TypeVar("AnyBeam", bound=Beam)


def extend_truncated(
    projections: Any,
    geometry: AnyBeam,
    *,
    columns: int | None = None,
    sides: str = "both",
    method: str = "mirror",
    mu_water: float | None = None,
) -> tuple[Any, AnyBeam]:
    """Projections and geometry widened beyond the detector's ends, for truncated scans.

    Where the object reaches beyond the detector, the ramp filter meets a step at the last column
    and the image brightens towards the edge of the field of view. The projections are continued

    - ``"mirror"``: by their mirror image about the last reading, ``2 p[0] - p[k]``, which keeps
      value and slope; it is cut at zero and tapered by a cosine over all added columns.
    - ``"cylinder"``: by the projection of a cylinder of water that has value and slope of the
      outermost columns; it ends where the cylinder ends. Better where the object is much wider
      than the detector, and it needs no guess of how wide.

    Then::

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
        Columns to add at each end, at most one less than there are; half of them by default. With
        "mirror" the amplitude inside is best where this is about the width of what is missing.
    sides : {"both", "left", "right"}
        Ends to extend; left is column 0.
    method : {"mirror", "cylinder"}
    mu_water : float
        Attenuation of the cylinder in 1/mm, for "cylinder"; about 0.019 at 70 keV.

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
        NaN or Inf, ``columns`` < 1 or as many as there are, unknown ``sides`` or method,
        "cylinder" without ``mu_water``.

    References
    ----------
    B. Ohnesorge et al., Med. Phys. 27, 39, 2000, doi:10.1118/1.598855 (mirror).
    J. Hsieh et al., Med. Phys. 31, 2385, 2004, doi:10.1118/1.1776673 (cylinder).

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
    extend = _extension(edge.xp, geometry, added, method, mu_water)
    left, right = added * (sides != "right"), added * (sides != "left")
    scan = _widened(geometry, left, right)
    if not edge.on_gpu:
        require_memory(
            "the extended projections", lines.nbytes // width * scan.columns, "use fewer columns"
        )
    wide = edge.xp.empty((*lines.shape[:-1], scan.columns), dtype=lines.dtype)
    wide[..., left : left + width] = lines
    if left:
        wide[..., :left] = extend(lines)[..., ::-1]
    if right:
        wide[..., left + width :] = extend(lines[..., ::-1])
    return edge.answer(wide), scan


def _extension(
    xp: Any, geometry: Beam, added: int, method: str, mu_water: float | None
) -> Callable[[Any], Any]:
    """Function from lines to what lies beyond their column 0, from the nearest on."""
    choice("method", method, ("mirror", "cylinder"))
    if method == "mirror":
        return lambda lines: _mirrored(xp, lines, added)
    if mu_water is None:
        raise DataError("method is 'cylinder'; it needs mu_water")
    mu = positive("mu_water", mu_water)
    near, far = getattr(geometry, "source_origin", 1.0), getattr(geometry, "source_detector", 1.0)
    pitch = geometry.pixel[-1] * near / far  # at the axis
    return lambda lines: _cylinder(xp, lines, added, pitch, mu)


def _mirrored(xp: Any, lines: Any, added: int) -> Any:
    mirrored = 2 * lines[..., :1] - lines[..., 1 : added + 1]
    taper = np.cos(0.5 * np.pi * np.arange(1, added + 1) / (added + 1)).astype(lines.dtype)
    return xp.maximum(mirrored, 0) * xp.asarray(taper)


def _cylinder(xp: Any, lines: Any, added: int, pitch: float, mu: float) -> Any:
    """``2 mu sqrt(R^2 - (h + x)^2)`` at x beyond the edge, h from the axis of the cylinder.

    Value p and slope p' of the outermost columns give ``h = -p p' / (4 mu^2)`` and R.
    """
    fitted = min(lines.shape[-1], max(3, lines.shape[-1] // 50))
    at = -pitch * np.arange(fitted)  # outward is positive
    away = at - at.mean()
    outer = lines[..., :fitted]
    slope = (outer * xp.asarray((away / (away @ away)).astype(lines.dtype))).sum(axis=-1)
    value = xp.maximum(outer.mean(axis=-1), 0)
    h = xp.maximum(-value * slope / lines.dtype.type(4 * mu**2), 0)[..., None]
    radius2 = h**2 + (value / lines.dtype.type(2 * mu))[..., None] ** 2
    h = h - lines.dtype.type(at.mean())  # from the middle of the columns to the edge
    beyond = xp.asarray((pitch * np.arange(1, added + 1)).astype(lines.dtype))
    return lines.dtype.type(2 * mu) * xp.sqrt(xp.maximum(radius2 - (h + beyond) ** 2, 0))


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
