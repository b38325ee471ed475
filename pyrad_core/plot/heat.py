"""A sheet of heat maps over an image, as a reader wants them: where it is, what it covers, how
large it is, which side is which."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from .._checks import at_least
from ..errors import DataError, ShapeError
from .colours import window_of
from .pictures import Panel, PathLike, _around, _displayed, _outline, _slice_index, panels

__all__ = ["heat_sheet"]

_COLUMNS = 3
_SIDE = 480  # pixels of the enlarged part
_WHITE: dict[str, Any] = {"alpha": 1.0, "over_window": (0.0, 1.0), "over_cmap": "gray"}


def heat_sheet(
    image: Any,
    maps: Mapping[str, Any],
    path: PathLike | None = None,
    *,
    spacing: Any = None,
    index: int | None = None,
    window: tuple[float, float] | None = None,
    alpha: float = 0.7,
    title: str = "",
) -> np.ndarray:
    """The slice with the region's place in it, the region's surroundings, and every map on them.

    Parameters
    ----------
    image
        ``(y, x)`` or ``(z, y, x)``, or a :class:`pyrad_core.io.Image`, which is turned to the
        radiological view (patient's right on the left) and marked R and L.
    maps
        Name -> map of the same shape; drawn where finite, inside a white outline, on a scale of
        its own from the 2nd to the 98th percentile of the slice.
    path
        PNG to write.
    index
        Slice along z; default the slice with most of the maps.
    window
        Values of the image shown black and white; default those about the region.
    alpha
        Opacity of the maps.
    title
        A line above the first panel; default the slice's number.

    Returns
    -------
    numpy.ndarray
        uint8 ``(rows, columns, 3)``.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.arange(400.0).reshape(20, 20)
    >>> heat = np.where(np.hypot(*np.ogrid[-9:11, -9:11]) < 4, image, np.nan)
    >>> heat_sheet(image, {"Contrast": heat}).ndim
    3
    """
    if not maps:
        raise DataError("maps is empty; give at least one")
    alpha = min(at_least("alpha", alpha, 0.0), 1.0)
    data, steps = _displayed(image, spacing)
    affine = getattr(image, "affine", None)
    drawn = {name: _displayed(m, None, affine)[0] for name, m in maps.items()}
    for name, values in drawn.items():
        if values.shape != data.shape:
            raise ShapeError(f"map {name!r} has shape {values.shape}, but image has {data.shape}")
    if data.ndim == 3:
        inside = sum(np.isfinite(values).sum(axis=(1, 2)) for values in drawn.values())
        z = int(np.argmax(inside)) if index is None else _slice_index(index, data.shape[0])
        title = f"{title}, slice {z}" if title else f"slice {z}"
        data, drawn, steps = data[z], {k: v[z] for k, v in drawn.items()}, steps[1:]
    known = np.isfinite(next(iter(drawn.values())))
    box = _around(known) or (slice(0, data.shape[0]), slice(0, data.shape[1]))
    frame = np.full(data.shape, np.nan)
    if data[box].shape != data.shape:
        _outline(frame, box)
    note = "" if affine is None else "R on the left, L on the right"
    aspect = steps[0] / steps[1]
    whole = Panel(data, title, note=note, over=frame, aspect=aspect, **_WHITE)
    unit = "voxels" if spacing is None and getattr(image, "spacing", None) is None else "mm"
    shown = window or _window_about(data[known] if known.any() else data)
    near = _near(data[box], {k: v[box] for k, v in drawn.items()}, shown, alpha, steps, unit)
    return panels([whole, *near], path, columns=_COLUMNS)


def _near(
    data: np.ndarray,
    maps: dict[str, np.ndarray],
    window: tuple[float, float],
    alpha: float,
    steps: tuple[float, ...],
    unit: str,
) -> list[Panel]:
    """The region's surroundings with the outline and a scale, and every map on them."""
    aspect = steps[0] / steps[1]
    factor = max(1, round(_SIDE / max(data.shape[0] * aspect, data.shape[1])))
    image = _enlarged(data, factor)
    edge = _border(_enlarged(np.isfinite(next(iter(maps.values()))), factor))
    common: dict[str, Any] = {"aspect": aspect, "factor": 1, "window": window}
    length = _bar_length(data.shape[1] * steps[1])
    marks = np.where(edge, 1.0, np.nan)
    marks[-16:-11, 14 : 14 + max(1, round(length * factor / steps[1]))] = 1
    note = f"bar {length:g} {unit}; white line: the mask"
    found = [Panel(image, "region", note=note, over=marks, **_WHITE, **common)]
    for name, values in maps.items():
        over = np.where(edge, np.nan, _enlarged(values, factor))
        scale = window_of(values, 2.0, 98.0)
        outlined = np.where(edge, window[1], image)
        found.append(
            Panel(outlined, name, bar=name, over=over, alpha=alpha, over_window=scale, **common)
        )
    return found


def _enlarged(values: np.ndarray, factor: int) -> np.ndarray:
    return np.repeat(np.repeat(values, factor, axis=0), factor, axis=1)


def _border(inside: np.ndarray) -> np.ndarray:
    """Pixels outside that touch the inside: a line two pixels wide."""
    grown = inside
    for _ in range(2):
        wide = np.pad(grown, 1)
        grown = wide[1:-1, 1:-1] | wide[:-2, 1:-1] | wide[2:, 1:-1] | wide[1:-1, :-2]
        grown = grown | wide[1:-1, 2:]
    return grown & ~inside


def _window_about(values: np.ndarray) -> tuple[float, float]:
    """The region's values and as much again below, where its surroundings mostly are."""
    low, high = window_of(values)
    return low - 0.6 * (high - low), high + 0.1 * (high - low)


def _bar_length(width: float) -> float:
    """1, 2 or 5 times a power of ten, about a quarter of the width."""
    power = 10.0 ** math.floor(math.log10(width / 4))
    return max(step * power for step in (1, 2, 5) if step * power <= width / 4)
