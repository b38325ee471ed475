"""Checks of the numbers that make a geometry; every failure is a GeometryError."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from .._checks import number, positive, whole
from ..errors import GeometryError, PyradWarning

__all__ = [
    "angle_array",
    "finite_vectors",
    "per_axis",
    "positive_per_axis",
    "refuse_nonfinite",
    "sizes",
    "warn_of_angles",
]


def sizes(name: str, value: Any, lengths: tuple[int, ...]) -> tuple[int, ...]:
    """Whole numbers >= 1; a plain number is a tuple of one."""
    given = (value,) if np.ndim(value) == 0 else tuple(value)
    if len(given) not in lengths:
        wanted = " or ".join(str(n) for n in lengths)
        raise GeometryError(f"{name} is {value!r}; expected {wanted} sizes")
    return tuple(whole(name, n, 1, GeometryError) for n in given)


def per_axis(name: str, value: Any, axes: int) -> tuple[float, ...]:
    """One finite number per axis; a single number holds for all of them."""
    given = (value,) * axes if np.ndim(value) == 0 else tuple(value)
    if len(given) != axes:
        raise GeometryError(f"{name} is {value!r}; expected one number or {axes}")
    return tuple(number(name, x, GeometryError) for x in given)


def positive_per_axis(name: str, value: Any, axes: int) -> tuple[float, ...]:
    return tuple(positive(name, x, GeometryError) for x in per_axis(name, value, axes))


def angle_array(value: Any) -> np.ndarray:
    """Read-only float64 angles; warns of degrees and of views that repeat an angle."""
    try:
        angles = np.array(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise GeometryError(f"angles are {type(value).__name__}; expected numbers") from None
    if angles.ndim != 1:
        raise GeometryError(f"angles have shape {angles.shape}; expected one dimension")
    if angles.size == 0:
        raise GeometryError("angles are empty; expected at least one view")
    refuse_nonfinite("angles", angles)
    angles.flags.writeable = False
    return angles


def warn_of_angles(angles: np.ndarray, turns: bool = False) -> None:
    """Suspicious angles: beyond 4 pi (degrees?) unless many turns are expected, and repeats."""
    largest = float(np.abs(angles).max())
    if not turns and largest > 4 * np.pi:
        warnings.warn(
            f"angles reach {largest:g} rad, more than two turns; were degrees passed as radians?",
            PyradWarning,
            stacklevel=5,
        )
    _, first, counts = np.unique(angles, return_index=True, return_counts=True)
    if counts.max() > 1:
        repeated = np.setdiff1d(np.arange(angles.size), first)
        shown = ", ".join(str(i) for i in repeated[:8]) + (", ..." if repeated.size > 8 else "")
        warnings.warn(
            f"angles repeat at {repeated.size} indices ({shown}); every view counts as given, "
            "analytic methods share the angle's weight among them",
            PyradWarning,
            stacklevel=5,
        )


def finite_vectors(name: str, value: Any) -> np.ndarray:
    """Read-only float64 array (views, 3)."""
    try:
        vectors = np.array(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise GeometryError(f"{name} is {type(value).__name__}; expected numbers") from None
    if vectors.ndim != 2 or vectors.shape[1] != 3:
        raise GeometryError(f"{name} has shape {vectors.shape}; expected (views, 3)")
    if vectors.shape[0] == 0:
        raise GeometryError(f"{name} is empty; expected at least one view")
    refuse_nonfinite(name, vectors)
    return vectors


def refuse_nonfinite(name: str, values: np.ndarray) -> None:
    bad = ~np.isfinite(values)
    if bad.any():
        first = tuple(int(i) for i in np.argwhere(bad)[0])
        at = first[0] if len(first) == 1 else first
        raise GeometryError(
            f"{name} hold {int(bad.sum())} NaN or Inf values, the first at index {at}"
        )
