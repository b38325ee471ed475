"""Iterative SENSE reconstruction by conjugate gradients."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._kernels.select import edge_of
from ..errors import DataError, ShapeError
from ..solvers import cg
from .coils import require_coils
from .sense import Sense

__all__ = ["cg_sense"]


def cg_sense(
    kspace: Any,
    maps: Any,
    *,
    coordinates: Any = None,
    mask: Any = None,
    weights: Any = None,
    iterations: int = 20,
    regularization: float = 0.0,
    tolerance: float = 0.0,
    eps: float = 1e-3,
    callback: Any = None,
) -> Any:
    """Minimise ``sum_c ||W^(1/2) (F s_c x - y_c)||^2 + regularization ||x||^2``.

    Parameters
    ----------
    kspace : complex array (coil, ...)
        Cartesian k-space (coil, y, x) or (coil, z, y, x) with DC at ``n // 2``, or non-Cartesian
        samples (coil, *samples) at ``coordinates``.
    maps : complex array (coil, ...)
        Sensitivities, for example of :func:`~pyrad_core.mr.espirit`.
    coordinates : array (..., samples, dims), optional
        Cycles per field of view.
    mask : bool array, optional
        Cartesian samples that were measured; by default those where any coil is not exactly 0.
    weights : real array of the samples' shape, optional
        Density weights (|k| for radial sampling); they speed up convergence.
    iterations : int
        At most so many.
    regularization : float
        Weight of ``||x||^2``, in units of ``sum_c |s_c|^2`` times the mean weight per pixel.
    tolerance : float
        Stop when the relative residual of the normal equations falls to this.
    eps : float
        Accuracy of the non-Cartesian transform.
    callback : callable, optional
        ``callback(k, x, residual)`` after every iteration; True stops.

    Returns
    -------
    complex array of the image's shape and k-space's precision.

    Raises
    ------
    ShapeError
        Coil counts or shapes differ (both are in the text).
    DataError
        NaN (with count and first index), real or all-zero k-space, zero weights.

    References
    ----------
    Pruessmann et al., Magn. Reson. Med. 46 (2001), doi:10.1002/mrm.1241.

    Examples
    --------
    >>> maps = prc.mr.espirit(kspace)
    >>> image = prc.mr.cg_sense(kspace, maps, iterations=30, regularization=1e-3)
    """
    edge = edge_of(kspace=kspace, maps=maps, coordinates=coordinates, mask=mask, weights=weights)
    y = edge.complex("kspace")
    s = edge.complex("maps", dtype=y.dtype)
    require_coils("kspace", y, s)
    if not y.any():
        raise DataError("kspace holds only zeros")
    given = {name: edge.arrays.get(name) for name in ("mask", "coordinates", "weights")}
    if coordinates is None:
        if y.shape != s.shape:
            raise ShapeError(
                f"kspace has shape {y.shape}, but maps {s.shape}; non-Cartesian k-space needs "
                "coordinates"
            )
        if mask is None:
            measured = edge.xp.any(y != 0, axis=0)
            given["mask"] = None if bool(measured.all()) else measured
    operator = Sense(s, eps=eps, **given)
    if y.shape != operator.range_shape:
        raise ShapeError(
            f"kspace has shape {y.shape}, but maps and coordinates ask for {operator.range_shape}"
        )
    if operator.weights is not None:
        y = y * edge.xp.sqrt(operator.weights).astype(np.dtype(y.real.dtype))
    result = cg(
        operator,
        y,
        iterations=iterations,
        regularization=regularization,
        tolerance=tolerance,
        callback=callback,
    )
    return edge.answer(result.x)
