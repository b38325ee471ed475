"""Iterative SENSE reconstruction by conjugate gradients."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from .._checks import at_least, whole
from .._kernels.select import edge_of
from .._memory import require_memory
from ..errors import DataError, PyradWarning, ShapeError
from .conjugate_gradients import ConjugateGradients
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
    x0: Any = None,
    b0: Any = None,
    readout_times: Any = None,
    r2: Any = None,
    dims: int | None = None,
    normal: str = "auto",
    eps: float = 1e-3,
    callback: Any = None,
) -> Any:
    """Minimise ``sum_c ||W^(1/2) (F s_c x - y_c)||^2 + regularization ||x||^2``.

    Parameters
    ----------
    kspace : complex array (coil, ...)
        Cartesian k-space (coil, y, x) or (coil, z, y, x) with DC at ``n // 2``, or non-Cartesian
        samples ``(coil, *samples)`` at ``coordinates``. Leading axes are frames or slices, each
        for itself: (slices, coil, ...).
    maps : complex array (coil, ...)
        Sensitivities, for example of :func:`~pyrad_core.mr.espirit`; shared by all frames, or
        (slices, coil, ...) where k-space has slices. Several sets (maps, coil, ...) for k-space
        (coil, ...) are soft-SENSE: the result is (maps, ...), one image for each set.
    coordinates : array (..., samples, dims), optional
        Cycles per field of view.
    mask : bool array, optional
        Cartesian samples that were measured; by default those where any coil is not exactly 0.
    weights : real array of the samples' shape, optional
        Density weights (``|k|`` for radial sampling); they speed up convergence.
    iterations : int
        At most so many.
    regularization : float
        Weight of ``||x||^2``, in units of ``sum_c |s_c|^2`` times the mean weight per pixel.
    tolerance : float
        Stop when the relative residual of the normal equations falls to this (the largest of all
        slices and frames).
    x0 : complex array of the result's shape, optional
        Start; zero by default.
    b0, readout_times, r2
        Off-resonance in Hz, times of the samples in seconds and relaxation rate in 1 / s, see
        :class:`~pyrad_core.mr.Sense`.
    dims : int, optional
        Axes of one image; needed for Cartesian slices or frames, (slices, coil, y, x): ``dims=2``.
    normal : {"auto", "toeplitz", "nufft"}
        Route of the normal equations, see :class:`~pyrad_core.mr.Sense`.
    eps : float
        Accuracy of the non-Cartesian transform.
    callback : callable, optional
        ``callback(k, x, residual)`` after every iteration; True stops.

    Returns
    -------
    complex array of the image's shape ([frames or slices,] [maps,] *image) and k-space's precision.

    Raises
    ------
    ShapeError
        Coil counts or shapes differ (both are in the text).
    DataError
        NaN (with count and first index), real or all-zero k-space, zero weights.
    DeviceMemoryError
        The maps, k-space and images of the iteration do not fit into free memory.

    References
    ----------
    Pruessmann et al., Magn. Reson. Med. 46 (2001), doi:10.1002/mrm.1241.

    Examples
    --------
    >>> maps = prc.mr.espirit(kspace)
    >>> image = prc.mr.cg_sense(kspace, maps, iterations=30, regularization=1e-3)
    """
    edge = edge_of(
        kspace=kspace, maps=maps, coordinates=coordinates, mask=mask, weights=weights, x0=x0
    )
    y = edge.complex("kspace")
    s = edge.complex("maps", dtype=y.dtype)
    limit = whole("iterations", iterations, 1)
    bound = at_least("tolerance", tolerance, 0)
    if callback is not None and not callable(callback):
        raise DataError(f"callback is a {type(callback).__name__}; expected a callable or None")
    if not y.any():
        raise DataError("kspace holds only zeros")
    count = _image_axes(y, s, coordinates, dims)
    sample_axes = count if coordinates is None else np.ndim(coordinates) - 1
    lead = y.ndim - 1 - sample_axes
    slices = lead > 0 and s.ndim - 1 - count > 0
    _require_coils(y, s, lead, count)
    given = {name: edge.arrays.get(name) for name in ("mask", "coordinates", "weights")}
    if coordinates is None and mask is None:
        given["mask"] = _measured(edge.xp, y, lead)
    require_memory(
        "maps, k-space and the vectors of conjugate gradients",
        s.nbytes + y.nbytes + 4 * _image_bytes(y, s, lead, count),
        "compress the coils or reconstruct fewer slices at a time",
        edge,
    )
    operator = Sense(
        s,
        b0=b0,
        readout_times=readout_times,
        r2=r2,
        dims=count,
        slices=slices,
        normal=normal,
        eps=eps,
        **given,
    )
    if tuple(y.shape[y.ndim - len(operator.range_shape) :]) != operator.range_shape:
        raise ShapeError(
            f"kspace has shape {y.shape}, but maps and sampling ask for {operator.range_shape}"
        )
    if operator.weights is not None:
        y = y * edge.xp.sqrt(operator.weights).astype(np.dtype(y.real.dtype))
    start = edge.arrays.get("x0")
    solver = ConjugateGradients(operator, y, regularization=regularization, x0=start)
    _iterate(solver, limit, bound, callback)
    return edge.answer(solver.x)


def _iterate(solver: ConjugateGradients, limit: int, tolerance: float, callback: Any) -> None:
    """Steps until the limit; residuals are fetched only where somebody looks at them."""
    watched = callback is not None or tolerance > 0 or isinstance(solver.x, np.ndarray)
    for k in range(1, limit + 1):
        solver.step()
        if not watched:
            continue
        residual = float(solver.residuals().max())
        if not math.isfinite(residual):
            warnings.warn(
                f"diverged at iteration {k}: the residual is not finite", PyradWarning, stacklevel=3
            )
            return
        if callback is not None and callback(k, solver.x, residual) is True:
            return
        if residual <= tolerance or solver.solved():
            return


def _image_axes(y: Any, s: Any, coordinates: Any, dims: int | None) -> int:
    """Axes of one image."""
    if coordinates is not None:
        shape = np.shape(coordinates)
        if len(shape) < 2:
            raise ShapeError(f"coordinates has shape {shape}; expected (..., samples, dims)")
        return int(shape[-1])
    if dims is not None:
        return whole("dims", dims, 1)
    if s.ndim == y.ndim + 1:  # soft-SENSE
        return y.ndim - 1
    return s.ndim - 1


def _require_coils(y: Any, s: Any, lead: int, count: int) -> None:
    at = s.ndim - 1 - count
    if lead < 0 or at < 0 or at > 2:
        raise ShapeError(
            f"kspace has shape {y.shape}, but maps {s.shape}; non-Cartesian k-space needs "
            "coordinates, slices or frames need dims="
        )
    if y.shape[lead] != s.shape[at]:
        raise ShapeError(
            f"kspace has {y.shape[lead]} coils, but maps has {s.shape[at]} "
            f"(shapes {y.shape} and {s.shape})"
        )


def _image_bytes(y: Any, s: Any, lead: int, count: int) -> int:
    """Of the result: an image per frame or slice, and set of maps."""
    at = s.ndim - 1 - count
    sets = s.shape[at - 1] if at > (1 if lead else 0) else 1
    return math.prod((*y.shape[:lead], sets, *s.shape[at + 1 :])) * y.dtype.itemsize


def _measured(xp: Any, y: Any, lead: int) -> Any:
    """The samples where any coil is not 0; None for all of them."""
    measured = xp.any(y != 0, axis=lead)
    first = measured.reshape(-1, *measured.shape[lead:])
    if bool((first != first[0]).any()):
        raise DataError(
            "slices or frames of kspace differ in the samples that are 0; give mask= if they were "
            "sampled alike, or reconstruct them one by one"
        )
    return None if bool(measured.all()) else first[0]
