"""Filtered backprojection for cone beams: circles, helices and free orbits."""

from __future__ import annotations

from typing import Any

from .._checks import same_shape
from .._kernels.select import Edge, edge_of
from ..errors import GeometryError
from ..geometry import Beam, ConeBeam, Volume
from ._fdk_free import free
from ._fdk_helix import helix
from ._fdk_turn import as_turn, circle

__all__ = ["fdk"]


def fdk(
    projections: Any,
    geometry: ConeBeam,
    volume: Volume,
    *,
    filter: str = "ram-lak",
    cutoff: float = 1.0,
    out: Any = None,
) -> Any:
    """Filtered backprojection of a cone beam: circle, helix, or any poses.

    Parameters
    ----------
    projections : array, shape ``geometry.projection_shape``
        Line integrals (not counts: see :func:`normalize`); float32 or float64, integers become
        float32.
    geometry : ConeBeam
        The method follows from it:

        * circle: Feldkamp, Davis and Kress's over a full turn, with Parker's weights for a short
          scan and Wang's for a detector shifted sideways in a full turn (its rows are widened with
          zeros);
        * helix (``pitch``): weighted filtered backprojection. Fan rays are rebinned to parallel
          ones and every angle modulo half a turn counts once per voxel, shared smoothly among the
          views that see it, so that the amplitude is right at any pitch; a detector shifted
          sideways has Wang's weights, its angles count modulo a whole turn, which allows half the
          pitch;
        * ``from_vectors``: poses that form an upright circle or helix are recognised; others are
          taken by projection matrices, each view for its share of one turn about z, with full
          turn, short-scan and displaced weights as for a circle.
    volume : Volume
        Grid (nz, ny, nx) to reconstruct on; any spacing, origin and size, so that a large volume
        can be made in slabs. A stack that does not fit into memory may be an ``out`` of
        ``numpy.memmap``.
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
        The beam is no cone, the volume is 2D or does not fit the geometry, or a helix covers less
        than half a turn and its fan.
    DataError
        NaN or Inf in the projections, an unknown filter, an unusable ``out``.
    DeviceMemoryError
        The volume and half a GiB of scratch exceed the free memory.

    Warns
    -----
    PyradWarning
        The scan leaves angles unseen: a circle of less than a short scan, a helix beyond whose
        ends the volume reaches, or one with gaps between its turns.

    See Also
    --------
    extend_truncated : widens rows that end within the object before they are filtered.

    Notes
    -----
    Projections are interpolated linearly. The result is the same for any number of threads.

    References
    ----------
    L. A. Feldkamp, L. C. Davis, J. W. Kress, J. Opt. Soc. Am. A 1, 612, 1984,
    doi:10.1364/JOSAA.1.000612.
    D. L. Parker, Medical Physics 9, 254, 1982, doi:10.1118/1.595078.
    G. Wang, Medical Physics 29, 1634, 2002, doi:10.1118/1.1489043.
    K. Stierstorfer et al., Physics in Medicine and Biology 49, 2209, 2004,
    doi:10.1088/0031-9155/49/11/007.

    Examples
    --------
    >>> import numpy as np, pyrad_core as prc
    >>> turn = np.linspace(0, 2 * np.pi, 180, endpoint=False)
    >>> scan = prc.ConeBeam(turn, (64, 96), 1.0, 200, 300)
    >>> ball = prc.phantom.Ellipsoids([[0.02, 15, 15, 15, 0, 0, 0, 0]])
    >>> image = prc.ct.fdk(ball.project(scan), scan, prc.Volume((33, 48, 48)))
    >>> bool(abs(image[16, 24, 24] / 0.02 - 1) < 0.02)
    True
    """
    check_cone(geometry, volume)
    edge = edge_of(projections=projections, out=out)
    same_shape("projections", edge["projections"].shape, "geometry", geometry.projection_shape)
    rows = edge.real("projections")
    window = {"filter": filter, "cutoff": cutoff}
    result = reconstruct(edge, rows, geometry, volume, window)
    return out if out is not None else edge.answer(result)


def check_cone(geometry: Beam, volume: Volume) -> None:
    if not isinstance(geometry, ConeBeam):
        raise GeometryError(
            f"geometry is {type(geometry).__name__}; fdk takes a ConeBeam, use fbp for parallel "
            "and fan beams"
        )
    geometry.check_volume(volume)
    if volume.ndim != 3:
        raise GeometryError(
            f"volume has shape {volume.shape}; fdk reconstructs (nz, ny, nx), use nz = 1 for one "
            "slice"
        )


def reconstruct(
    edge: Edge, rows: Any, geometry: ConeBeam, volume: Volume, window: dict[str, Any]
) -> Any:
    """The volume by the geometry's method; ``rows`` may be RowsOnDemand."""
    if geometry.vectors is not None:
        turn = as_turn(geometry)
        if turn is None:
            return free(edge, rows, geometry, volume, window)
        geometry, height = turn
        origin = (volume.origin[0] - height, *volume.origin[1:])
        volume = Volume(volume.shape, volume.spacing, origin)
    method = helix if geometry.pitch else circle
    return method(edge, rows, geometry, volume, window)
