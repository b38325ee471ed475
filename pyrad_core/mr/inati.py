"""Coil sensitivities and phase-preserving combination by alternating smoothing (Inati)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .._checks import at_least, whole
from .._kernels.select import edge_of
from .walsh import box_of, volumes_of

__all__ = ["inati"]


def inati(
    images: Any,
    *,
    window: int | Sequence[int] = 5,
    iterations: int = 5,
    tolerance: float = 1e-3,
    return_image: bool = False,
) -> Any:
    """Coil sensitivity maps with smooth phase, from coil images.

    The maps are the coil images times the conjugate of the combined image, smoothed and normalised;
    the combined image is the coil images weighted by the maps. The two steps alternate, and every
    pixel's phase is fixed against the mean over the image.

    Parameters
    ----------
    images : complex array (coil, y, x) or (coil, z, y, x)
    window : int or one per axis
        Size of the smoothing box, pixels; cut at the faces.
    iterations : int
        At most so many.
    tolerance : float
        Stop when the combined image changes by less, relative to its norm.
    return_image : bool
        Also return the combined image.

    Returns
    -------
    maps : complex array (coil, ...)
        Unit norm over the coils.
    image : complex array (...), only with ``return_image``

    Raises
    ------
    DataError
        Real, non-finite or all-zero images.

    References
    ----------
    Inati, Hansen and Kellman, Proc. ISMRM 21 (2013) 2672 and 22 (2014) 4407.

    Examples
    --------
    >>> maps = prc.mr.inati(prc.mr.ifft(kspace))
    >>> maps, image = prc.mr.inati(coil_images, return_image=True)
    """
    edge = edge_of(images=images)
    m = volumes_of(edge)
    box = box_of(window, edge["images"].ndim - 1)
    iterations, tolerance = whole("iterations", iterations, 1), at_least("tolerance", tolerance, 0)
    xp, coils = edge.xp, m.shape[0]
    flat = m.reshape(coils, -1)
    ones = xp.ones(flat.shape[1], m.dtype)
    mean = _unit(xp, flat @ ones)
    combined = (mean.conj() @ flat).reshape(1, *m.shape[1:])
    chosen = np.stack([np.arange(coils), np.zeros(coils)], axis=-1).astype(np.int64)
    chosen = xp.asarray(chosen)
    maps = xp.empty_like(m)
    for _ in range(iterations):
        former = combined.copy()
        edge.kernels.local_products(m, combined, chosen, box, (0, 0, 0), maps)
        s, image = maps.reshape(coils, -1), combined.reshape(-1)
        edge.kernels.normalize_maps(flat, s, image)
        edge.kernels.turn_maps(_unit(xp, s @ image), s, image)
        if float(xp.linalg.norm(combined - former)) <= tolerance * float(xp.linalg.norm(combined)):
            break
    shape = edge["images"].shape
    found = edge.answer(maps.reshape(shape))
    return (found, edge.answer(combined.reshape(shape[1:]))) if return_image else found


def _unit(xp: Any, v: Any) -> Any:
    """v / |v|; without a direction, the first coil."""
    size = xp.linalg.norm(v)
    if float(size) > 0:
        return xp.ascontiguousarray(v / size)
    first = xp.zeros_like(v)
    first[0] = 1
    return first
