"""Cartesian sampling masks: regular, CAIPI, variable-density Poisson disc, partial Fourier.

Masks are bool arrays with DC at ``n // 2``; lines count from DC, so that DC is always sampled.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .._checks import at_least, number, whole
from .._kernels.select import cpu_kernels
from ..errors import DataError, ShapeError

__all__ = ["caipi_mask", "partial_fourier_mask", "poisson_mask", "regular_mask"]


def regular_mask(
    shape: Sequence[int],
    acceleration: int | Sequence[int],
    *,
    calibration: int | Sequence[int] = 24,
) -> np.ndarray:
    """Every R-th line along each axis, and a fully sampled centre.

    Parameters
    ----------
    shape : sequence of int
        Mask shape.
    acceleration : int or sequence of int
        R for each axis; one number is for the first axis alone (the last one is the readout).
    calibration : int or sequence of int
        Side of the fully sampled centre; one number is for each axis that is accelerated, and the
        others are then sampled throughout. 0 for none.

    Returns
    -------
    bool array of that shape.

    Examples
    --------
    >>> mask = prc.mr.regular_mask((256, 256), 3, calibration=24)
    >>> mask = prc.mr.regular_mask((128, 96), (2, 2), calibration=(20, 24))
    """
    sizes = _sizes(shape)
    rates = _per_axis("acceleration", acceleration, sizes, 1, fill=1)
    mask = np.ones(sizes, bool)
    for axis, (n, rate) in enumerate(zip(sizes, rates, strict=True)):
        mask &= _along((np.arange(n) - n // 2) % rate == 0, axis, len(sizes))
    return mask | _centre(sizes, rates, calibration)


def caipi_mask(
    shape: Sequence[int],
    acceleration: Sequence[int],
    *,
    shift: int = 1,
    calibration: int | Sequence[int] = 24,
) -> np.ndarray:
    """2D CAIPIRINHA: along the second axis, each sampled line is shifted against the one before.

    Parameters
    ----------
    shape : (n1, n2)
        The two phase-encoding axes.
    acceleration : (R1, R2)
        R1 R2 is the total acceleration outside the centre.
    shift : int
        Samples by which successive lines move along the second axis, 0 to R2 - 1; 0 is the
        regular pattern.
    calibration : int or sequence of int
        As of :func:`regular_mask`.

    Returns
    -------
    bool array of that shape.

    References
    ----------
    Breuer et al., Magn. Reson. Med. 55 (2006), doi:10.1002/mrm.20787.

    Examples
    --------
    >>> mask = prc.mr.caipi_mask((128, 96), (2, 2), shift=1)
    """
    sizes = _sizes(shape)
    if len(sizes) != 2:
        raise ShapeError(f"shape is {sizes}; expected the two phase-encoding axes")
    first, second = _per_axis("acceleration", acceleration, sizes, 1, fill=1)
    move = whole("shift", shift, 0)
    if move >= max(second, 2):
        raise DataError(f"shift is {shift}; with an acceleration of {second} use 0 to {second - 1}")
    y, x = (np.arange(n) - n // 2 for n in sizes)
    lines = y % first == 0
    mask = lines[:, None] & ((x - move * (y // first)[:, None]) % second == 0)
    return mask | _centre(sizes, (first, second), calibration)


def partial_fourier_mask(
    shape: Sequence[int], fraction: float, *, axis: int = -2, first: bool = False
) -> np.ndarray:
    """The last ``fraction`` of the lines along one axis (asymmetric coverage beyond DC).

    Parameters
    ----------
    shape : sequence of int
    fraction : float
        Between 1/2 and 1, for example 6 / 8; rounded up to whole lines.
    axis : int
        Axis that is cut short.
    first : bool
        Keep the first lines instead of the last.

    Returns
    -------
    bool array of that shape.

    Examples
    --------
    >>> mask = prc.mr.partial_fourier_mask((256, 256), 5 / 8)
    """
    sizes = _sizes(shape)
    share = number("fraction", fraction)
    if not 0.5 <= share <= 1:
        raise DataError(f"fraction is {fraction}; expected 1/2 to 1, or DC would not be sampled")
    if not -len(sizes) <= axis < len(sizes):
        raise DataError(f"axis is {axis}, but shape has {len(sizes)} axes")
    axis %= len(sizes)
    n = sizes[axis]
    lines = max(math.ceil(share * n - 1e-9), n // 2 + 1)
    kept = np.arange(n) < lines if first else np.arange(n) >= n - lines
    return np.broadcast_to(_along(kept, axis, len(sizes)), sizes).copy()


def poisson_mask(
    shape: Sequence[int],
    acceleration: float,
    *,
    calibration: int | Sequence[int] = 24,
    density: float = 2.0,
    elliptical: bool = False,
    seed: int = 0,
) -> np.ndarray:
    """Random sampling mask with a minimum distance that grows towards the edge of k-space.

    Parameters
    ----------
    shape : (ny, nx)
        Mask shape, DC at ``n // 2``.
    acceleration : float
        Pixels of the whole mask per sample, reached to one sample.
    calibration : int or (int, int)
        Side of the fully sampled centre.
    density : float
        How much larger the minimum distance is at the edge than at the centre, less one; 0 gives
        a uniform density.
    elliptical : bool
        Leave the corners of k-space out.
    seed : int
        Same seed, same mask.

    Returns
    -------
    bool array of that shape.

    Raises
    ------
    DataError
        The calibration region alone holds more samples than the acceleration allows, or the
        ellipse fewer than it asks for.

    Notes
    -----
    Darts are thrown at all pixels in random order; one that lies too close to an earlier one is
    left out. The distance is the largest that leaves enough samples, and a few drawn at random
    are then dropped, which keeps the distance.

    References
    ----------
    Vasanawala et al., Magn. Reson. Med. 64 (2010), doi:10.1002/mrm.22460 (supplement).

    Examples
    --------
    >>> mask = prc.mr.poisson_mask((256, 256), 4, calibration=24)
    """
    sizes = _sizes(shape)
    if len(sizes) != 2:
        raise ShapeError(f"shape is {sizes}; expected two axes")
    rate = at_least("acceleration", acceleration, 1)
    growth = at_least("density", density, 0)
    rng = np.random.default_rng(whole("seed", seed))
    centre = _centre(sizes, (2, 2), calibration)
    wanted = round(centre.size / rate)
    if centre.sum() > wanted:
        raise DataError(
            f"acceleration is {acceleration}: {wanted} samples, but the calibration region of "
            f"{calibration} alone has {int(centre.sum())}"
        )
    axes = [(np.arange(n) - n // 2) / (n / 2) for n in sizes]
    radius = np.hypot(axes[0][:, None], axes[1])
    open_ = radius <= 1 if elliptical else np.ones(sizes, bool)
    if (open_ | centre).sum() < wanted:
        raise DataError(
            f"acceleration is {acceleration}: {wanted} samples, but the ellipse holds only "
            f"{int((open_ | centre).sum())}"
        )
    order = rng.permutation(centre.size).astype(np.int64, copy=False)
    order = order[open_.reshape(-1)[order]]
    mask = _densest(order, centre, 1 + growth * radius, wanted, rate)
    surplus = int(mask.sum()) - wanted
    loose = np.flatnonzero(mask & ~centre)
    mask.reshape(-1)[rng.choice(loose, surplus, replace=False)] = False
    return mask


def _densest(
    order: np.ndarray, centre: np.ndarray, growth: np.ndarray, wanted: int, rate: float
) -> np.ndarray:
    """Darts at the largest distance that leaves at least `wanted` samples, within 1 %."""
    low, high = 0.0, 2 * math.sqrt(rate)
    best, _ = _throw_darts(order, centre, low * growth)  # every pixel
    for _ in range(14):
        middle = (low + high) / 2
        mask, taken = _throw_darts(order, centre, middle * growth)
        if taken >= wanted:
            best, low = mask, middle
            if taken <= 1.01 * wanted:
                break
        else:
            high = middle
    return best


def _throw_darts(
    order: np.ndarray, centre: np.ndarray, reach: np.ndarray
) -> tuple[np.ndarray, int]:
    """Pixels taken in the given order, but not too close to one before; and their number."""
    mask = centre.astype(np.uint8)
    whole_mask = sum(n * n for n in centre.shape)  # no squared distance is larger
    limits = np.ceil(np.minimum(reach**2, whole_mask)).astype(np.int64)
    taken = cpu_kernels().throw_darts(order, limits, mask)
    return mask.view(bool), taken


def _sizes(shape: Sequence[int]) -> tuple[int, ...]:
    sizes = tuple(whole("shape", n, 1) for n in shape)
    if not sizes:
        raise ShapeError("shape is (); expected at least one axis")
    return sizes


def _per_axis(
    name: str, value: Any, sizes: tuple[int, ...], minimum: int, fill: int
) -> tuple[int, ...]:
    """One whole number per axis; a single one is the first axis's."""
    if np.ndim(value) == 0:
        return whole(name, value, minimum), *[fill] * (len(sizes) - 1)
    numbers = tuple(whole(name, n, minimum) for n in value)
    if len(numbers) != len(sizes):
        raise ShapeError(f"{name} is {numbers}, but shape is {sizes}")
    return numbers


def _centre(sizes: tuple[int, ...], rates: tuple[int, ...], calibration: Any) -> np.ndarray:
    """The fully sampled block around DC."""
    if np.ndim(calibration) == 0:
        side = whole("calibration", calibration, 0)
        accelerated = [side == 0 or rate > 1 for rate in rates]
        sides = tuple(side if cut else n for n, cut in zip(sizes, accelerated, strict=True))
    else:
        sides = _per_axis("calibration", calibration, sizes, 0, fill=0)
    mask = np.zeros(sizes, bool)
    blocks = (
        slice(max(0, n // 2 - side // 2), max(0, n // 2 - side // 2 + side))
        for n, side in zip(sizes, sides, strict=True)
    )
    mask[tuple(blocks)] = True
    return mask


def _along(values: np.ndarray, axis: int, ndim: int) -> np.ndarray:
    shape = [1] * ndim
    shape[axis] = values.size
    return values.reshape(shape)
