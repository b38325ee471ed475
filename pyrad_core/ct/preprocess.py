"""From detector counts to line integrals."""

from __future__ import annotations

from typing import Any

from .._checks import number, positive
from .._kernels.select import Edge, edge_of
from ..errors import DataError, ShapeError

__all__ = ["normalize"]


def normalize(counts: Any, flat: Any, dark: Any = 0.0, *, floor: float | None = None) -> Any:
    """Line integrals ``-log((counts - dark) / (flat - dark))``.

    Parameters
    ----------
    counts : array, shape (views, columns) or (views, rows, columns)
        Detector readings; float32 or float64, integers become float32.
    flat : array
        Open-beam readings: one frame (the shape of a view) or a stack of frames, which is
        averaged.
    dark : array or float
        Readings without beam, likewise; default 0.
    floor : float, optional
        Smallest transmission accepted, for example 1e-4. Transmissions below it are raised to it,
        and pixels whose flat field is not above the dark one (dead pixels) count as open beam.
        Without a floor both are errors: nothing is clamped in silence.

    Returns
    -------
    array, shape of ``counts``
        Line integrals without unit, as :func:`fbp` and :class:`Projector` use them.

    Raises
    ------
    ShapeError
        Frames of another shape than the views.
    DataError
        NaN or Inf, dead pixels or counts at or below the dark level without a ``floor``.

    Examples
    --------
    >>> import numpy as np
    >>> float(normalize(np.full((1, 1), 110.0), np.full((1, 1), 210.0), 10.0)[0, 0])
    0.6931471805599453
    """
    edge = edge_of(counts=counts, flat=flat, dark=None if _is_number(dark) else dark)
    given = edge.real("counts", ndim=(2, 3))
    shape = tuple(given.shape[1:])
    open_beam = _frame(edge, "flat", shape, given.dtype)
    offset = number("dark", dark) if _is_number(dark) else _frame(edge, "dark", shape, given.dtype)
    gain = open_beam - offset
    dead = gain <= 0
    if bool(dead.any()):
        if floor is None:
            raise DataError(_places(edge, "flat is not above dark", dead) + "; give a floor")
        gain = edge.xp.where(dead, 1, gain).astype(given.dtype)
    transmission = given - offset
    transmission /= gain
    if floor is not None:
        smallest = positive("floor", floor)
        edge.xp.maximum(transmission, transmission.dtype.type(smallest), out=transmission)
        transmission[:, dead] = 1
    else:
        opaque = transmission <= 0
        if bool(opaque.any()):
            raise DataError(_places(edge, "counts are not above dark", opaque) + "; give a floor")
    edge.xp.log(transmission, out=transmission)
    edge.xp.negative(transmission, out=transmission)
    return edge.answer(transmission)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float)


def _frame(edge: Edge, name: str, shape: tuple[int, ...], dtype: Any) -> Any:
    """One frame of the given shape: the array itself or the mean of a stack."""
    frames = edge.real(name, dtype=dtype)
    if tuple(frames.shape) == shape:
        return frames
    if frames.ndim == len(shape) + 1 and tuple(frames.shape[1:]) == shape:
        return frames.mean(axis=0, dtype="float64").astype(dtype)
    raise ShapeError(
        f"{name} has shape {tuple(frames.shape)}, but a view has shape {shape}; expected one "
        "frame or a stack of frames"
    )


def _places(edge: Edge, what: str, where: Any) -> str:
    first = tuple(int(i) for i in edge.xp.argwhere(where)[0])
    return f"{what} in {int(where.sum())} places, the first at index {first}"
