"""The centre of k-space: cut out, fitted to non-Cartesian samples, and as low-resolution maps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import solvers
from .._checks import at_least, choice, whole
from .._kernels.select import edge_of
from ..errors import DataError, ShapeError
from .coordinates import check_coordinates
from .fourier import fft, ifft
from .nufft import NUFFT

__all__ = ["calibrate", "calibration_region", "low_resolution_maps"]

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
    kspace : complex array ``(coil, *samples)``
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
    complex array ``(coil, *shape)``
        k-space with DC at ``n // 2``, zero outside the central region.

    Raises
    ------
    ShapeError
        Samples and coordinates that do not fit each other or ``shape``.
    DataError
        NaN, coordinates beyond ``shape``, fewer samples near the centre than the region has
        points.

    Examples
    --------
    >>> centre = prc.mr.calibrate(samples, coordinates, (256, 256))
    >>> maps = prc.mr.espirit(centre)
    """
    edge = edge_of(kspace=kspace, coordinates=coordinates)
    y = edge.complex("kspace")
    target = tuple(whole("shape", n, 1) for n in shape)
    _, k = check_coordinates(coordinates, target)
    dims = len(target)
    if tuple(y.shape[1:]) != tuple(k.shape[:-1]):
        raise ShapeError(
            f"kspace has shape {tuple(y.shape)}, but coordinates {tuple(k.shape)}; expected "
            "(coil, *samples) and (*samples, dims)"
        )
    side = min(whole("size", size, 1), *target)
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
    place = tuple(slice(n // 2 - side // 2, n // 2 - side // 2 + side) for n in target)
    out = edge.xp.zeros((y.shape[0], *target), y.dtype)
    out[(slice(None), *place)] = centre[(slice(None), *inner)]
    return edge.answer(out)


def low_resolution_maps(
    kspace: Any,
    *,
    calibration: int | Sequence[int] = 24,
    window: str = "hann",
    threshold: float = 0.05,
) -> Any:
    """Coil maps from the windowed centre of k-space, divided by its sum of squares.

    Parameters
    ----------
    kspace : complex array (coil, y, x) or (coil, z, y, x)
        DC at ``n // 2``; only the central region is read.
    calibration : int or one per axis
        Size of the region.
    window : "hann", "hamming" or "box"
        What the region is multiplied by; without one ("box") maps ring along edges.
    threshold : float
        Maps are 0 where the sum of squares is below ``threshold`` times its maximum.

    Returns
    -------
    complex array (coil, ...)
        Unit norm over the coils where not 0. The image's own low-resolution phase is part of them.

    Raises
    ------
    DataError
        Real, non-finite or all-zero k-space.
    ShapeError
        A region larger than k-space.

    References
    ----------
    McKenzie et al., Magn. Reson. Med. 47 (2002), doi:10.1002/mrm.10087.

    Examples
    --------
    >>> maps = prc.mr.low_resolution_maps(kspace, calibration=32)
    """
    edge = edge_of(kspace=kspace)
    y = edge.complex("kspace", ndim=(3, 4))
    window, xp = choice("window", window, ("hann", "hamming", "box")), edge.xp
    threshold = at_least("threshold", threshold, 0)
    centre = calibration_region(y, calibration)
    shaped = centre.copy()
    place = [slice(None)]
    for axis, (n, size) in enumerate(zip(centre.shape[1:], y.shape[1:], strict=True), start=1):
        base = {"hann": 0.5, "hamming": 0.54, "box": 1.0}[window]
        k = np.arange(n) - n // 2
        taper = base + (1 - base) * np.cos(2 * math.pi * k / max(n, 2))
        by = xp.asarray(taper, y.real.dtype)
        shaped *= by.reshape([-1 if i == axis else 1 for i in range(y.ndim)])
        place.append(slice(size // 2 - n // 2, size // 2 - n // 2 + n))
    small = xp.zeros_like(y)
    small[tuple(place)] = shaped
    images = xp.ascontiguousarray(ifft(small, axes=tuple(range(1, y.ndim))))
    root = xp.empty(math.prod(y.shape[1:]), y.real.dtype)
    edge.kernels.combine_squares(images.reshape(y.shape[0], -1), root)
    root = root.reshape(y.shape[1:])
    inside = root > max(threshold * float(root.max()), 0.0)
    images *= inside / xp.where(inside, root, 1)
    return edge.answer(images)


def calibration_region(y: Any, calibration: int | Sequence[int], kernel: int = 1) -> Any:
    """The centre of k-space (coil, ...) that coil maps are estimated from; checked."""
    sizes = y.shape[1:]
    asked: list[Any] = list(calibration) if isinstance(calibration, Sequence) else []
    asked = asked or [calibration] * len(sizes)
    if len(asked) != len(sizes):
        raise ShapeError(f"calibration is {calibration}, but k-space has {len(sizes)} axes")
    wanted = [whole("calibration", n, 1) for n in asked]
    if any(n > size for n, size in zip(wanted, sizes, strict=True)):
        raise ShapeError(
            f"calibration {tuple(wanted)} is larger than k-space {tuple(sizes)}; give a size per "
            "axis that fits"
        )
    if min(wanted) < kernel:
        raise ShapeError(f"calibration {tuple(wanted)} is smaller than the kernel of {kernel}")
    first = [size // 2 - n // 2 for n, size in zip(wanted, sizes, strict=True)]
    cut = tuple(slice(f, f + n) for f, n in zip(first, wanted, strict=True))
    centre = y[(slice(None), *cut)]
    if not centre.any():
        raise DataError(
            f"kspace holds only zeros in the calibration region {tuple(wanted)} around index "
            f"{tuple(size // 2 for size in sizes)}"
        )
    return centre
