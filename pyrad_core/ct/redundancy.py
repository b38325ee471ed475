"""How much every view and ray counts, so that each line of the object is counted once.

* :func:`angular_weights`: the angle a view stands for, for any order and spacing of views.
* :func:`short_scan_weights`: Parker's weights for a fan that turns by less than a full turn.
* :func:`displaced_weights`: Wang's weights for a full turn with a detector shifted sideways.
"""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np

from ..errors import PyradWarning
from ..geometry import ConeBeam, FanBeam, ParallelBeam, Volume

__all__ = [
    "Redundancy",
    "angular_weights",
    "displaced_weights",
    "fan_weights",
    "is_displaced",
    "mirrored_columns",
    "free_weights",
    "parallel_weights",
    "short_scan_weights",
]

# A gap of more than this many median steps, and of more than 5 degrees, is a missing wedge.
_WEDGE, _WEDGE_ANGLE = 4.0, np.radians(5.0)


class Redundancy(NamedTuple):
    """What the rows are multiplied by, and how many zero columns are put beside them."""

    views: np.ndarray  # (V,): the angle a view stands for
    rays: np.ndarray  # (C,) or (V, C)
    pad: tuple[int, int] = (0, 0)  # columns before and behind


def parallel_weights(geometry: ParallelBeam, volume: Volume) -> Redundancy:
    position, step = geometry.column_positions(), geometry.pixel[-1]
    if is_displaced(position, step, volume.radius):
        weights, wedge = angular_weights(geometry.angles, 2 * np.pi)
        if not wedge:
            pad = mirrored_columns(position, step)
            return Redundancy(weights, displaced_weights(position, step), pad)
    weights, wedge = angular_weights(geometry.angles, np.pi)
    if wedge:
        _warn_of_wedge(wedge)
    return Redundancy(weights, np.ones(geometry.columns))


def fan_weights(geometry: FanBeam | ConeBeam, volume: Volume) -> Redundancy:
    """Redundancy without the cosine that every ray of a fan is multiplied by."""
    gamma = fan_angles(geometry)
    step = geometry.pixel[-1] / geometry.source_detector
    weights, wedge = angular_weights(geometry.angles, 2 * np.pi)
    reach = float(np.arcsin(volume.radius / geometry.source_origin))
    if not wedge:
        if is_displaced(gamma, step, reach):
            pad = mirrored_columns(geometry.column_positions(), geometry.pixel[-1])
            return Redundancy(weights, displaced_weights(gamma, step), pad)
        return Redundancy(weights, np.full(gamma.size, 0.5))
    return Redundancy(weights, _short_scan(geometry.angles, gamma, reach))


def free_weights(angles: np.ndarray, gamma: np.ndarray, radius: float, near: float) -> Redundancy:
    """As :func:`fan_weights` for detectors in any pose: gamma (V, C) holds the fan angles of every
    view, ``near`` is the least distance of the source from the axis."""
    weights, wedge = angular_weights(angles, 2 * np.pi)
    reach = float(np.arcsin(min(radius / near, 1.0)))
    if wedge:
        return Redundancy(weights, _short_scan(angles, gamma, reach))
    typical = np.median(gamma, axis=0)
    turned = typical[0] > typical[-1]  # the columns run the other way
    position = np.tan(typical[::-1] if turned else typical)
    step = float(position[-1] - position[0]) / max(position.size - 1, 1)
    if position.size < 2 or not is_displaced(np.arctan(position), np.arctan(step), reach):
        return Redundancy(weights, np.full(typical.size, 0.5))
    rays, pad = displaced_weights(position, step), mirrored_columns(position, step)
    return Redundancy(weights, rays[::-1], pad[::-1]) if turned else Redundancy(weights, rays, pad)


def _short_scan(angles: np.ndarray, gamma: np.ndarray, reach: float) -> np.ndarray:
    """Parker's weights (V, C); warns if the views do not suffice."""
    start, length = _longest_arc(angles)
    needed = np.pi + 2 * min(reach, float(np.abs(gamma).max()))
    if length < needed:
        warnings.warn(
            f"the views cover {np.degrees(length):.1f} degrees, a short scan of this fan needs "
            f"{np.degrees(needed):.1f}; expect limited-angle artefacts",
            PyradWarning,
            stacklevel=5,
        )
    return short_scan_weights(np.mod(angles - start, 2 * np.pi), gamma, length)


def angular_weights(angles: np.ndarray, period: float) -> tuple[np.ndarray, float]:
    """Half the distance to both neighbours modulo ``period``, and the largest missing wedge.

    Repeated angles share their weight. A gap of more than four median steps and 5 degrees is a
    missing wedge (returned in radians, else 0): its neighbours get a median step for it.
    """
    if angles.size == 1:
        return np.array([period]), 0.0
    folded = np.mod(angles, period)
    folded[period - folded < 1e-9] = 0.0
    order = np.argsort(folded, kind="stable")
    distinct, members, counts = np.unique(
        np.round(folded[order], 12), return_inverse=True, return_counts=True
    )
    if distinct.size == 1:
        return np.full(angles.size, period / angles.size), 0.0
    gaps = np.diff(distinct, append=distinct[0] + period)
    step = float(np.median(gaps))
    missing = gaps > max(_WEDGE * step, _WEDGE_ANGLE)
    wedge = float(gaps[missing].max()) if missing.any() else 0.0
    gaps[missing] = step
    share = 0.5 * (gaps + np.roll(gaps, 1)) / counts
    weights = np.empty_like(folded)
    weights[order] = share[members]
    return weights, wedge


def short_scan_weights(beta: np.ndarray, gamma: np.ndarray, length: float) -> np.ndarray:
    """Parker's weights (V, C) for source angles beta in [0, length] and ray angles gamma, (C,) or
    (V, C).

    Written for any ``length`` between ``pi + 2 max(gamma)`` and a full turn; rays measured twice
    have weights that add up to one.

    References
    ----------
    D. L. Parker, Medical Physics 9, 254, 1982, doi:10.1118/1.595078.
    """
    excess = 0.5 * (length - np.pi)
    beta, gamma = beta[:, None], np.atleast_2d(gamma)
    tiny = 1e-12
    rise = beta / np.maximum(excess + gamma, tiny)
    fall = (length - beta) / np.maximum(excess - gamma, tiny)
    return np.sin(0.25 * np.pi * np.clip(np.minimum(rise, fall), 0.0, 2.0)) ** 2


def displaced_weights(position: np.ndarray, step: float) -> np.ndarray:
    """Weights (C,) of a full turn whose detector covers more on one side of the axis.

    Smooth over the part that both sides see, one beyond it; rays measured twice have weights that
    add up to one. ``position`` is the column's distance from the central ray (or its angle).

    References
    ----------
    G. Wang, Medical Physics 29, 1634, 2002, doi:10.1118/1.1489043.
    """
    low, high = position[0] - 0.5 * step, position[-1] + 0.5 * step
    overlap = max(min(-low, high), 0.5 * step)
    side = 1.0 if high > -low else -1.0
    return 0.5 * (1.0 + np.sin(0.5 * np.pi * np.clip(side * position / overlap, -1.0, 1.0)))


def fan_angles(geometry: FanBeam | ConeBeam) -> np.ndarray:
    """Angle of every column's ray with the central ray."""
    position = geometry.column_positions() / geometry.source_detector
    return position if geometry.curved else np.arctan(position)


def is_displaced(position: np.ndarray, step: float, reach: float) -> bool:
    """The detector misses part of the volume on one side and sees more on the other."""
    left, right = -(position[0] - 0.5 * step), position[-1] + 0.5 * step
    return min(left, right) < reach and abs(right - left) > 2 * step


def mirrored_columns(position: np.ndarray, step: float) -> tuple[int, int]:
    """Columns to add on the short side so that both reach equally far: the filtered row goes on
    there, although nothing was measured."""
    missing = round((position[-1] + position[0]) / step)
    return max(missing, 0), max(-missing, 0)


def _longest_arc(angles: np.ndarray) -> tuple[float, float]:
    """Start and length of the scan: what is left of a turn without its largest gap."""
    ordered = np.unique(np.mod(angles, 2 * np.pi))
    gaps = np.diff(ordered, append=ordered[0] + 2 * np.pi)
    widest = int(np.argmax(gaps))
    step = float(np.median(gaps))
    start = ordered[(widest + 1) % ordered.size] - 0.5 * step
    length = 2 * np.pi - float(gaps[widest]) + step
    return float(start), length


def _warn_of_wedge(wedge: float) -> None:
    warnings.warn(
        f"the views leave {np.degrees(wedge):.1f} degrees of half a turn unseen; expect "
        "limited-angle artefacts",
        PyradWarning,
        stacklevel=4,
    )
