"""The Cartesian centre of k-space from non-Cartesian samples, for coil maps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import solvers
from .._checks import whole
from .._kernels.select import edge_of
from ..errors import DataError
from .fourier import fft
from .nufft import NUFFT

__all__ = ["calibrate"]

_MARGIN = 8  # samples around the region, so that its border is as well determined as its centre


def calibrate(
    kspace: Any, coordinates: Any, shape: Sequence[int], *, size: int = 24, iterations: int = 15
) -> Any:
    """k-space on the central grid points, as :func:`~pyrad_core.mr.espirit` needs it.

    The samples near the centre are explained in the least-squares sense by a small image over the
    same field of view, whose Fourier transform is the answer. Gridding with density weights would
    carry its aliasing and weighting errors into the maps.

    Parameters
    ----------
    kspace : complex array (coil, *samples)
    coordinates : array (..., samples, dims)
        Cycles per field of view.
    shape : sequence of int
        Image shape N.
    size : int
        Side of the region; at most N.
    iterations : int
        Of CGLS; few, since they also regularise.

    Returns
    -------
    complex array (coil, *shape)
        k-space with DC at ``n // 2``, zero outside the central region.

    Raises
    ------
    DataError
        Fewer samples near the centre than the region has points.

    Examples
    --------
    >>> centre = calibrate(kspace, coordinates, (256, 256))              # doctest: +SKIP
    >>> maps = prc.mr.espirit(centre)                                    # doctest: +SKIP
    """
    edge = edge_of(kspace=kspace, coordinates=coordinates)
    y = edge.complex("kspace")
    k = edge.real("coordinates", dtype=y.real.dtype)
    dims = k.shape[-1]
    side = min(whole("size", size, 1), *shape)
    grid = side + _MARGIN
    near = (abs(k) < grid / 2).all(axis=-1)
    if int(near.sum()) < side**dims // 4:
        raise DataError(
            f"{int(near.sum())} samples lie near the centre of k-space; "
            f"a calibration region of {side} per axis needs more"
        )
    plan = NUFFT(k[near], (grid,) * dims, coils=y.shape[0], eps=1e-4)
    found = solvers.cgls(plan, edge.xp.ascontiguousarray(y[:, near]), iterations=iterations)
    centre = fft(found.x, axes=tuple(range(1, dims + 1)))
    first = grid // 2 - side // 2
    inner = (slice(first, first + side),) * dims
    place = tuple(slice(n // 2 - side // 2, n // 2 - side // 2 + side) for n in shape)
    out = edge.xp.zeros((y.shape[0], *shape), y.dtype)
    out[(slice(None), *place)] = centre[(slice(None), *inner)]
    return edge.answer(out)
