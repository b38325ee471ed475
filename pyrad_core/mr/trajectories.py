"""Sampling patterns: radial trajectories and Poisson-disc masks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .._checks import at_least, number, whole
from ..errors import DataError, ShapeError

__all__ = ["golden_radial", "poisson_mask", "radial"]

_GOLDEN_ANGLE = np.pi * (np.sqrt(5) - 1) / 2  # 111.246 degrees


def radial(
    spokes: int, samples: int, size: int, *, first_angle: float = 0.0, turn: float = np.pi
) -> np.ndarray:
    """Equally spaced diametral spokes.

    Parameters
    ----------
    spokes, samples : int
        Number of spokes, samples along each.
    size : int
        Image size N: the spokes run from ``-N / 2`` to just below ``N / 2``, with a sample at the
        centre for an even number of samples.
    first_angle, turn : float
        Angle of the first spoke and the range that the spokes share, radians; an angle of 0 lies
        along the last image axis.

    Returns
    -------
    float64 array (spokes, samples, 2)
        Cycles per field of view, in the order of the image axes (y, x).

    Examples
    --------
    >>> A = prc.mr.NUFFT(prc.mr.radial(96, 512, 256), (256, 256))
    """
    spokes = whole("spokes", spokes, 1)
    angles = number("first_angle", first_angle) + number("turn", turn) * np.arange(spokes) / spokes
    return _spokes(angles, samples, size)


def golden_radial(spokes: int, samples: int, size: int, *, first_angle: float = 0.0) -> np.ndarray:
    """Spokes turned by the golden angle (111.25 degrees) each: any run of them covers k-space.

    Arguments and result as of :func:`radial`.

    References
    ----------
    Winkelmann et al., IEEE Trans. Med. Imaging 26 (2007), doi:10.1109/TMI.2006.885337.

    Examples
    --------
    >>> coordinates = prc.mr.golden_radial(34, 512, 256)
    """
    spokes = whole("spokes", spokes, 1)
    return _spokes(
        number("first_angle", first_angle) + _GOLDEN_ANGLE * np.arange(spokes), samples, size
    )


def _spokes(angles: np.ndarray, samples: int, size: int) -> np.ndarray:
    samples, size = whole("samples", samples, 1), whole("size", size, 1)
    radius = (np.arange(samples) - samples // 2) * (size / samples)
    return radius[:, None] * np.stack([np.sin(angles), np.cos(angles)], axis=-1)[:, None]


def poisson_mask(
    shape: Sequence[int],
    acceleration: float,
    *,
    calibration: int = 24,
    density: float = 2.0,
    seed: int = 0,
) -> np.ndarray:
    """Random sampling mask with a minimum distance that grows towards the edge of k-space.

    Parameters
    ----------
    shape : (ny, nx)
        Mask shape, DC at ``n // 2``.
    acceleration : float
        Pixels per sample, reached within 2 %.
    calibration : int
        Side of the fully sampled centre.
    density : float
        How much larger the minimum distance is at the edge than at the centre, less one; 0 gives
        a uniform density.
    seed : int
        Same seed, same mask.

    Returns
    -------
    bool array of that shape.

    Raises
    ------
    DataError
        The calibration region alone holds more samples than the acceleration allows.

    References
    ----------
    Vasanawala et al., Magn. Reson. Med. 64 (2010), doi:10.1002/mrm.22460 (supplement).

    Examples
    --------
    >>> mask = prc.mr.poisson_mask((256, 256), 4, calibration=24)
    """
    sizes = tuple(whole("shape", n, 1) for n in shape)
    if len(sizes) != 2:
        raise ShapeError(f"shape is {sizes}; expected two axes")
    rate = at_least("acceleration", acceleration, 1)
    centre = np.zeros(sizes, bool)
    side = whole("calibration", calibration, 0)
    centre[tuple(slice(max(0, n // 2 - side // 2), n // 2 - side // 2 + side) for n in sizes)] = (
        True
    )
    wanted = centre.size / rate
    if centre.sum() > wanted:
        raise DataError(
            f"acceleration is {acceleration}: {wanted:.0f} samples, but the calibration region of "
            f"{calibration} alone has {int(centre.sum())}"
        )
    growth = at_least("density", density, 0)
    low, high, mask = 0.0, 4 * np.sqrt(rate), centre
    for _ in range(12):
        middle = (low + high) / 2
        mask = _throw_darts(sizes, centre, middle, growth, whole("seed", seed))
        if abs(mask.sum() - wanted) <= 0.01 * wanted:
            break
        low, high = (middle, high) if mask.sum() > wanted else (low, middle)
    return mask


def _throw_darts(
    shape: tuple[int, ...], centre: np.ndarray, distance: float, growth: float, seed: int
) -> np.ndarray:
    """Visits all pixels in random order; one too close to a sample already taken is left out."""
    axes = [(np.arange(n) - n // 2) / (n / 2) for n in shape]
    radius = np.sqrt(axes[0][:, None] ** 2 + axes[1] ** 2)
    reach = distance * (1 + growth * radius)
    blocked, mask = centre.copy(), centre.copy()
    order = np.random.default_rng(seed).permutation(mask.size)
    offsets = np.arange(-int(reach.max()) - 1, int(reach.max()) + 2)
    squares = offsets[:, None] ** 2 + offsets**2
    far = len(offsets) // 2
    for y, x in zip(*np.unravel_index(order, shape), strict=True):
        if blocked[y, x]:
            continue
        mask[y, x] = True
        r = int(reach[y, x])
        y0, y1 = max(0, y - r), min(shape[0], y + r + 1)
        x0, x1 = max(0, x - r), min(shape[1], x + r + 1)
        near = squares[far + y0 - y : far + y1 - y, far + x0 - x : far + x1 - x]
        blocked[y0:y1, x0:x1] |= near < reach[y, x] ** 2
        blocked[y, x] = True
    return mask
