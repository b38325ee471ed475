"""Filtered backprojection for parallel and fan beams."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._checks import same_shape
from .._kernels.select import Edge, edge_of
from ..geometry import FanBeam, ParallelBeam, Volume
from . import _tables
from ._results import result_array
from .ramp import ramp_response
from .redundancy import Redundancy, fan_angles, fan_weights, parallel_weights

__all__ = ["fbp"]


def fbp(
    projections: Any,
    geometry: ParallelBeam | FanBeam,
    volume: Volume,
    *,
    filter: str = "ram-lak",
    cutoff: float = 1.0,
    out: Any = None,
) -> Any:
    """Filtered backprojection.

    Parameters
    ----------
    projections : array, shape ``geometry.projection_shape``
        Line integrals (not counts: see :func:`normalize`); float32 or float64, integers become
        float32.
    geometry : ParallelBeam or FanBeam
        Parallel beams may have rows: then every detector row is one slice of a 3D volume. Half
        turns, full turns, uneven angles, short scans of a fan (Parker's weights) and detectors
        shifted sideways in a full turn (Wang's weights) are told from the geometry.
    volume : Volume
        Grid to reconstruct on.
    filter : {"ram-lak", "shepp-logan", "cosine", "hamming", "hann"}
        Apodisation of the ramp.
    cutoff : float
        Fraction of the detector's Nyquist frequency, in (0, 1], at which the apodisation ends and
        beyond which nothing passes.
    out : array, optional
        Where to put the result: C-contiguous, of the volume's shape and the projections' dtype.

    Returns
    -------
    array, shape ``volume.shape``
        Attenuation in 1/mm, in the precision of the projections.

    Raises
    ------
    ShapeError
        The projections do not match the geometry.
    GeometryError
        The volume does not fit the geometry, or the beam is a cone.
    DataError
        NaN or Inf in the projections, an unknown filter, a cutoff outside (0, 1], an unusable
        ``out``.

    Notes
    -----
    The ramp is applied by a zero-padded convolution with its band-limited samples, projections
    are interpolated linearly. The result is the same for any number of threads.

    References
    ----------
    A. C. Kak, M. Slaney, Principles of Computerized Tomographic Imaging, 1988, chapter 3,
    doi:10.1137/1.9780898719277.

    Examples
    --------
    >>> import numpy as np, pyrad_core as prc
    >>> scan = prc.ParallelBeam(np.arange(180) * np.pi / 180, 96)
    >>> disc = 2 * np.sqrt(np.maximum(0, 30.0**2 - scan.column_positions() ** 2))
    >>> image = prc.ct.fbp(np.tile(disc, (180, 1)), scan, prc.Volume((64, 64)))
    >>> bool(abs(image[32, 32] - 1) < 0.01)
    True
    """
    _tables.check_scan(geometry, volume)
    edge = edge_of(projections=projections, out=out)
    same_shape("projections", edge["projections"].shape, "geometry", geometry.projection_shape)
    rows = edge.real("projections")
    result = result_array(edge, rows, volume)
    window = {"filter": filter, "cutoff": cutoff}
    if isinstance(geometry, FanBeam):
        _fan(edge, rows, geometry, volume, window, result)
    else:
        _parallel(edge, rows, geometry, volume, window, result)
    return out if out is not None else edge.answer(result)


def _parallel(
    edge: Edge,
    rows: Any,
    geometry: ParallelBeam,
    volume: Volume,
    window: dict[str, Any],
    out: Any,
) -> None:
    weights = parallel_weights(geometry, volume)
    width = geometry.columns + sum(weights.pad)
    response = ramp_response(width, geometry.pixel[-1], **window)
    filtered = _filter(edge, rows, weights, response)
    table = _tables.parallel_columns(geometry, volume)
    table[:, 2] += weights.pad[0]
    stack = filtered.reshape(geometry.views, geometry.rows, width)
    edge.kernels.backproject_parallel(stack, table, out.reshape(-1, *volume.shape[-2:]))


def _fan(
    edge: Edge,
    rows: Any,
    geometry: FanBeam,
    volume: Volume,
    window: dict[str, Any],
    out: Any,
) -> None:
    near, far, pixel = geometry.source_origin, geometry.source_detector, geometry.pixel[0]
    weights = fan_weights(geometry, volume)
    weights = weights._replace(rays=weights.rays * np.cos(fan_angles(geometry)))
    width = geometry.columns + sum(weights.pad)
    if geometry.curved:
        response = ramp_response(width, pixel / far, angular=True, **window) / near
    else:
        response = ramp_response(width, pixel * near / far, **window)
    filtered = _filter(edge, rows, weights, response)
    table, centre, magnify = _tables.fan_pixels(geometry, volume)
    centre += weights.pad[0]
    edge.kernels.backproject_fan(filtered, table, centre, magnify, near, geometry.curved, out)


def _filter(edge: Edge, rows: Any, weights: Redundancy, response: np.ndarray) -> Any:
    """Weighted, widened and filtered copy of the projections as (views * rows, columns)."""
    xp, dtype = edge.xp, rows.dtype
    flat = rows.reshape(-1, rows.shape[-1])
    filtered = xp.empty((flat.shape[0], flat.shape[1] + sum(weights.pad)), dtype=dtype)
    rays = xp.asarray(np.atleast_2d(weights.rays), dtype=dtype)
    repeats = flat.shape[0] // weights.views.size
    scale = xp.asarray(np.repeat(weights.views, repeats), dtype=dtype)
    response = xp.asarray(response, dtype=dtype)
    edge.kernels.filter_rows(flat, rays, weights.pad[0], response, scale, filtered)
    return filtered
