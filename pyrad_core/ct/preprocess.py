"""From detector counts to line integrals."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._checks import number, positive
from .._kernels.select import Edge, edge_of
from ..errors import DataError, ShapeError
from ._bad_pixels import bad_pixel_mask, replace_pixels
from ._results import result_like

__all__ = ["normalize"]


def normalize(
    counts: Any,
    flat: Any,
    dark: Any = 0.0,
    *,
    floor: float | None = None,
    bad_pixels: Any = None,
    air: Any = None,
    out: Any = None,
) -> Any:
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
    bad_pixels : None, array or "auto"
        Pixels to replace in every view by interpolating the line integrals of the nearest good
        pixels along columns and rows: a boolean frame, or "auto" for dead, stuck, hot and
        miscalibrated pixels told from ``flat`` and ``dark`` (see Notes). A warning says how many.
    air : slice or sequence of int, optional
        Columns that only air reaches in every view. Each view is scaled so that their mean
        transmission is 1, which takes out the drift of the source.
    out : array, optional
        Where to put the result: C-contiguous, of the shape of ``counts`` and the result's dtype.

    Returns
    -------
    array, shape of ``counts``
        Line integrals without unit, as :func:`fbp` and :class:`Projector` use them.

    Raises
    ------
    ShapeError
        Frames of another shape than the views.
    DataError
        NaN or Inf, dead pixels or counts at or below the dark level without a ``floor`` (unless
        they are ``bad_pixels``), no good pixel at all, ``air`` without columns or without beam.

    Warns
    -----
    PyradWarning
        With the number of bad pixels that were replaced.

    Notes
    -----
    ``bad_pixels="auto"`` takes a pixel whose gain (flat minus dark) or dark level differs from the
    median of its neighbourhood by more than 8 robust standard deviations (1.4826 times the median
    absolute deviation over the frame) and by more than 10 % of the gain (2 % for the dark level),
    a pixel without gain, and one that reads the same in every one of at least 5 flats where the
    others fluctuate.

    Examples
    --------
    >>> import numpy as np
    >>> float(normalize(np.full((1, 1), 110.0), np.full((1, 1), 210.0), 10.0)[0, 0])
    0.6931471805599453
    """
    edge = edge_of(counts=counts, flat=flat, dark=None if _is_number(dark) else dark, out=out)
    given = _counts(edge)
    dtype = given.dtype if given.dtype.kind == "f" else "float32"
    shape = tuple(given.shape[1:])
    open_beam = _frame(edge, "flat", shape, dtype)
    if _is_number(dark):
        offset = edge.xp.full(shape, number("dark", dark), dtype)
    else:
        offset = _frame(edge, "dark", shape, dtype)
    smallest = 0.0 if floor is None else positive("floor", floor)
    bad = bad_pixel_mask(edge, bad_pixels, open_beam, offset, flat)
    gain = _inverse_gain(edge, open_beam - offset, bad, floor)
    scale = _air_scale(edge, given, offset, gain, air)
    lines = result_like(edge, given, dtype)
    views = given.shape[0]
    unusable = edge.kernels.normalize_counts(
        given.reshape(views, -1),
        offset.reshape(-1),
        gain.reshape(-1),
        scale,
        smallest,
        lines.reshape(views, -1),
    )
    if unusable:
        if given.dtype.kind == "f":
            edge.check_finite("counts", given)
        opaque = (given <= offset) & (gain > 0)
        raise DataError(_places(edge, "counts are not above dark", opaque) + "; give a floor")
    if bad is not None and bad.any():
        replace_pixels(edge, lines, bad)
    return out if out is not None else edge.answer(lines)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.number)


def _counts(edge: Edge) -> Any:
    """uint16 as it is, everything else by the dtype rule; the kernel looks for NaN."""
    counts = edge["counts"]
    if counts.dtype == "uint16" and counts.ndim in (2, 3):
        return edge.xp.ascontiguousarray(counts)
    return edge.real("counts", ndim=(2, 3), finite=False)


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


def _inverse_gain(edge: Edge, gain: Any, bad: Any, floor: float | None) -> Any:
    """1 / gain, and 0 for the pixels that have none."""
    xp = edge.xp
    dead = gain <= 0
    if bad is not None:
        void = dead | xp.asarray(bad)
        dead = dead & ~xp.asarray(bad)
    else:
        void = dead
    if floor is None and bool(dead.any()):
        raise DataError(_places(edge, "flat is not above dark", dead) + "; give a floor")
    return xp.where(void, 0, 1 / xp.where(void, 1, gain)).astype(gain.dtype)


def _air_scale(edge: Edge, counts: Any, dark: Any, gain: Any, air: Any) -> Any:
    """Factor of every view that makes the mean transmission of the air columns 1."""
    xp = edge.xp
    if air is None:
        return xp.ones(counts.shape[0], dtype=gain.dtype)
    columns = _air_columns(air, counts.shape[-1])
    usable = gain[..., columns] > 0
    if not bool(usable.any()):
        raise DataError("air holds only dead or bad pixels; choose other columns")
    part = counts[..., columns].astype("float64") - dark[..., columns]
    part = (part * gain[..., columns]).reshape(counts.shape[0], -1)
    mean = part.sum(axis=1) / usable.sum()
    dim = ~(mean > 0)
    if bool(dim.any()):
        edge.check_finite("counts", counts)
        raise DataError(_places(edge, "air has no beam", dim))
    return (1 / mean).astype(gain.dtype)


def _air_columns(air: Any, columns: int) -> list[int]:
    if isinstance(air, slice):
        chosen = list(range(columns))[air]
    else:
        try:
            chosen = [int(c) for c in air]
        except (TypeError, ValueError):
            raise DataError(f"air is {air!r}; expected a slice or column numbers") from None
    if not chosen or min(chosen) < 0 or max(chosen) >= columns:
        raise DataError(f"air is {air!r}; expected some of the {columns} columns")
    return chosen


def _places(edge: Edge, what: str, where: Any) -> str:
    first = tuple(int(i) for i in edge.xp.argwhere(where)[0])
    return f"{what} in {int(where.sum())} places, the first at index {first}"
