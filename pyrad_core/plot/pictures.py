"""Drawing: panels with titles, notes and colour bars, and what preview and overlay make."""

from __future__ import annotations

import functools
import os
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np

from .._checks import at_least
from ..errors import DataError, ShapeError
from .colours import colour_table, levels, window_of

__all__ = ["Panel", "middle_slice", "overlay", "panels", "preview", "shown_spacing"]

PathLike = str | os.PathLike[str]
_BACKGROUND, _TEXT, _FAINT = (17, 18, 22), (236, 236, 240), (150, 152, 160)
_MARGIN, _PANEL = 14, 512


@dataclass(frozen=True)
class Panel:
    """One picture of a row: a 2-D slice and how to show it.

    Attributes
    ----------
    image
        ``(rows, columns)``, real; NaN is shown black.
    title
        A line above the picture.
    note
        A smaller line below it, for a number.
    window
        ``(low, high)`` values shown black and white; default the 0.5 and 99.5 percentiles.
    cmap
        "gray", "heat", or the name of a matplotlib colour map.
    bar
        Label of a colour bar; None draws none.
    over, alpha, over_cmap, over_window
        A second ``(rows, columns)`` map drawn over the image where it is finite.
    aspect
        Height of a pixel divided by its width.
    factor
        Whole enlargement; default what makes the picture about 512 pixels large.
    """

    image: np.ndarray
    title: str = ""
    note: str = ""
    window: tuple[float, float] | None = None
    cmap: str = "gray"
    bar: str | None = None
    over: np.ndarray | None = None
    alpha: float = 0.75
    over_cmap: str = "heat"
    over_window: tuple[float, float] | None = None
    aspect: float = 1.0
    factor: int | None = None


def preview(
    volume: Any,
    path: PathLike | None = None,
    *,
    spacing: Any = None,
    index: int | None = None,
    window: tuple[float, float] | None = None,
    cmap: str = "gray",
    title: str = "",
    bar: str | None = None,
    planes: bool | None = None,
) -> np.ndarray:
    """Show a 2-D image, or the middle slices of a volume.

    Parameters
    ----------
    volume
        ``(y, x)`` or ``(z, y, x)``, real or complex (shown as magnitude): a NumPy or CuPy array, or
        a :class:`pyrad_core.io.Image`, which is turned to the radiological view (patient's right
        on the left).
    path
        PNG to write.
    spacing
        mm, one value per axis, so that planes keep their proportions.
    index
        Slice along z; default the middle one.
    window
        Values shown black and white; default the 0.5 and 99.5 percentiles.
    cmap, bar
        Colour map, and the label of a colour bar (None draws none).
    planes
        Show the three orthogonal planes; default when every side has at least 16 voxels.

    Returns
    -------
    numpy.ndarray
        uint8 ``(rows, columns, 3)``.

    Examples
    --------
    >>> import numpy as np
    >>> preview(np.eye(32)).dtype
    dtype('uint8')
    """
    data, steps = _displayed(volume, spacing)
    if data.ndim == 2:
        chosen = [(title, data, steps[0] / steps[1])]
    else:
        z = _slice_index(index, data.shape[0])
        wide = min(data.shape) >= 16 if planes is None else planes
        chosen = [
            (title or (f"slice {z}" if data.shape[0] > 1 else ""), data[z], steps[1] / steps[2])
        ]
        if wide:
            chosen += [
                ("coronal", data[:, data.shape[1] // 2], steps[0] / steps[2]),
                ("sagittal", data[:, :, data.shape[2] // 2], steps[0] / steps[1]),
            ]
    first = chosen[0][1].shape
    factor = _enlargement(first[0] * chosen[0][2], first[1])  # one scale for all planes
    shown = window or window_of(np.concatenate([s.ravel() for _, s, _ in chosen]))
    last = len(chosen) - 1
    return panels(
        [
            Panel(
                s,
                name,
                window=shown,
                cmap=cmap,
                bar=bar if i == last else None,
                aspect=aspect,
                factor=factor,
            )
            for i, (name, s, aspect) in enumerate(chosen)
        ],
        path,
    )


def overlay(
    image: Any,
    map: Any,  # noqa: A002 - the field's word
    path: PathLike | None = None,
    *,
    spacing: Any = None,
    index: int | None = None,
    window: tuple[float, float] | None = None,
    range: tuple[float, float] | None = None,  # noqa: A002
    cmap: str = "heat",
    alpha: float = 0.75,
    zoom: bool = True,
    title: str = "",
    label: str = "",
) -> np.ndarray:
    """Show a map (heat map, mask) in colour over a grey image.

    Parameters
    ----------
    image
        ``(y, x)`` or ``(z, y, x)``, or a :class:`pyrad_core.io.Image`.
    map
        Same shape; drawn where finite. A boolean mask is drawn where True.
    path
        PNG to write.
    index
        Slice along z; default the slice with most of the map.
    window, range
        Values of image and map at the ends of their scales; default their percentiles.
    alpha
        Opacity of the map, 0 to 1.
    zoom
        Show the map's surroundings only, beside the whole slice.
    title, label
        A line above, and the label of the colour bar.

    Returns
    -------
    numpy.ndarray
        uint8 ``(rows, columns, 3)``.
    """
    data, steps = _displayed(image, spacing)
    affine = getattr(image, "affine", None)
    values, _ = _displayed(_as_map(map), spacing if affine is None else None, affine)
    if values.shape != data.shape:
        raise ShapeError(f"map has shape {values.shape}, but image has {data.shape}")
    alpha = at_least("alpha", alpha, 0.0)
    if data.ndim == 3:
        inside = np.isfinite(values).sum(axis=(1, 2))
        z = int(np.argmax(inside)) if index is None else _slice_index(index, data.shape[0])
        title = title or f"slice {z}"
        data, values, steps = data[z], values[z], steps[1:]
    common: dict[str, Any] = {
        "window": window or window_of(data),
        "over_cmap": cmap,
        "over_window": range or window_of(values, 1.0, 99.0),
        "alpha": min(alpha, 1.0),
        "aspect": steps[0] / steps[1],
    }
    box = _around(np.isfinite(values)) if zoom else None
    if box is None:
        return panels([Panel(data, title, over=values, bar=label, **common)], path)
    frame = np.full(values.shape, np.nan)
    _outline(frame, box)
    whole = {**common, "over_window": (0.0, 1.0), "alpha": 1.0, "over_cmap": "gray"}
    return panels(
        [
            Panel(data, title, over=frame, **whole),
            Panel(data[box], label, over=values[box], bar=label, **common),
        ],
        path,
    )


def panels(
    rows: Sequence[Panel] | Sequence[Sequence[Panel]],
    path: PathLike | None = None,
    *,
    columns: int = 0,
) -> np.ndarray:
    """Draw panels side by side: one row, rows of ``columns`` panels, or the rows given.

    Small images are enlarged by a whole factor, so that pixels stay crisp.
    """
    from PIL import Image as Pillow

    given = [[row] if isinstance(row, Panel) else list(row) for row in rows]
    if not any(given):
        raise DataError("no panel to draw")
    if isinstance(rows[0], Panel):
        flat = [row[0] for row in given]
        count = columns or len(flat)
        given = [flat[i : i + count] for i in np.arange(0, len(flat), count)]
    lines = [[_drawn(panel) for panel in row] for row in given]
    widths = [sum(p.width for p in line) + _MARGIN * (len(line) + 1) for line in lines]
    heights = [max(p.height for p in line) for line in lines]
    size = (max(widths), sum(heights) + _MARGIN * (len(lines) + 1))
    canvas = Pillow.new("RGB", size, _BACKGROUND)
    top = _MARGIN
    for line, height in zip(lines, heights, strict=True):
        left = _MARGIN
        for picture in line:
            canvas.paste(picture, (left, top))
            left += picture.width + _MARGIN
        top += height + _MARGIN
    if path is not None:
        from ..io.files import atomic_write

        with atomic_write(path) as stream:
            canvas.save(stream, format="PNG", optimize=True)
    return np.asarray(canvas)


def middle_slice(volume: Any) -> np.ndarray:
    """The middle axial slice as it is shown: ``(rows, columns)``, real float64."""
    data, _ = _displayed(volume, None)
    return data if data.ndim == 2 else data[data.shape[0] // 2]


def shown_spacing(volume: Any) -> tuple[float, float]:
    """Distance of rows and of columns in :func:`middle_slice`."""
    steps = _displayed(volume, None)[1]
    return steps[-2], steps[-1]


def _drawn(panel: Panel) -> Any:
    """One panel with its title, note and colour bar as a Pillow image."""
    from PIL import Image as Pillow
    from PIL import ImageDraw

    if panel.image.ndim != 2:
        raise ShapeError(f"a panel has shape {panel.image.shape}; expected (rows, columns)")
    colours = _coloured(panel)
    factor = panel.factor or _enlargement(colours.shape[0] * panel.aspect, colours.shape[1])
    width = colours.shape[1] * factor
    height = max(1, round(colours.shape[0] * factor * panel.aspect))
    crisp = panel.aspect == 1.0 or height % colours.shape[0] == 0
    method = Pillow.Resampling.NEAREST if crisp else Pillow.Resampling.BICUBIC
    picture = Pillow.fromarray(colours).resize((width, height), method)
    bar = 0 if panel.bar is None else max(104, 24 + _text_width(panel.bar, 15))
    head, foot = (34 if panel.title else 0), (28 if panel.note else 0)
    out = Pillow.new("RGB", (width + bar, head + height + foot), _BACKGROUND)
    out.paste(picture, (0, head))
    pen = ImageDraw.Draw(out)
    if panel.title:
        pen.text((1, 5), panel.title, fill=_TEXT, font=_font(20))
    if panel.note:
        pen.text((1, head + height + 6), panel.note, fill=_FAINT, font=_font(17))
    if panel.bar is not None:
        _colour_bar(out, pen, panel, (width + 12, head + 26, height - 52))
    return out


def _enlargement(height: float, width: float) -> int:
    return max(1, ceil(_PANEL / max(height, width)))


def _colour_bar(out: Any, pen: Any, panel: Panel, place: tuple[int, int, int]) -> None:
    from PIL import Image as Pillow

    left, top, height = place
    over = panel.over is not None
    low, high = _limits(panel, over)
    ramp = np.linspace(255, 0, max(height, 2)).astype(np.uint8)
    table = colour_table(panel.over_cmap if over else panel.cmap)
    strip = np.repeat(table[ramp][:, None], 18, axis=1)
    out.paste(Pillow.fromarray(strip), (left, top))
    font = _font(15)
    for value, y in (
        (high, top - 6),
        ((low + high) / 2, top + height // 2 - 9),
        (low, top + height - 12),
    ):
        pen.text((left + 25, y), f"{value:.3g}", fill=_FAINT, font=font)
    if panel.bar:
        pen.text((left, top - 26), panel.bar, fill=_FAINT, font=font)


def _coloured(panel: Panel) -> np.ndarray:
    """uint8 (rows, columns, 3) of a panel at its own resolution."""
    colours = colour_table(panel.cmap)[levels(panel.image, _limits(panel, False))]
    colours[~np.isfinite(panel.image)] = 0
    if panel.over is None:
        return colours
    inside = np.isfinite(panel.over)
    top = colour_table(panel.over_cmap)[levels(panel.over, _limits(panel, True))]
    mixed = (1 - panel.alpha) * colours + panel.alpha * top
    return np.where(inside[..., None], np.rint(mixed), colours).astype(np.uint8)


def _limits(panel: Panel, over: bool) -> tuple[float, float]:
    if over:
        assert panel.over is not None
        return panel.over_window or window_of(panel.over, 1.0, 99.0)
    return panel.window or window_of(panel.image)


@functools.cache
def _font(size: int) -> Any:
    from PIL import ImageFont

    try:
        return ImageFont.load_default(size)
    except TypeError:  # Pillow < 10.1 has one size
        return ImageFont.load_default()


def _text_width(text: str, size: int) -> int:
    font = _font(size)
    return ceil(font.getlength(text)) if hasattr(font, "getlength") else 8 * len(text)


def _displayed(
    volume: Any, spacing: Any, affine: np.ndarray | None = None
) -> tuple[np.ndarray, tuple[float, ...]]:
    """Values on the host, real, 2-D or 3-D, in the order they are shown, with spacing."""
    if affine is None:
        affine = getattr(volume, "affine", None)
    steps = getattr(volume, "spacing", None) if spacing is None else spacing
    data = getattr(volume, "data", volume) if hasattr(volume, "affine") else volume
    data = np.asarray(data.get() if hasattr(data, "get") else data)
    data = np.abs(data) if np.iscomplexobj(data) else data
    data = data[0] if data.ndim == 4 else data
    if data.ndim not in (2, 3) or data.size == 0:
        raise ShapeError(f"volume has shape {data.shape}; expected (y, x) or (z, y, x)")
    data = data.astype(np.float64)
    sizes = np.broadcast_to(np.asarray(1.0 if steps is None else steps, float), (data.ndim,))
    if affine is None or data.ndim == 2:
        return data, tuple(float(s) for s in sizes)
    from nibabel import orientations

    now = orientations.io_orientation(affine)
    turn = orientations.ornt_transform(now, orientations.axcodes2ornt("LPI"))
    turned = orientations.apply_orientation(data.T, turn).T
    place = np.argsort(turn[:, 0].astype(int))
    return turned, tuple(float(sizes[::-1][i]) for i in place)[::-1]


def _as_map(values: Any) -> np.ndarray:
    values = getattr(values, "data", values) if hasattr(values, "affine") else values
    values = np.asarray(values.get() if hasattr(values, "get") else values)
    return np.where(values, 1.0, np.nan) if values.dtype == bool else values


def _slice_index(index: int | None, count: int) -> int:
    if index is None:
        return count // 2
    if not -count <= index < count:
        raise DataError(f"index is {index}, but the volume has {count} slices")
    return int(index) % count


def _around(inside: np.ndarray) -> tuple[slice, slice] | None:
    """A square box about the map with a margin; None where the map fills most of the slice."""
    if not inside.any():
        return None
    spans = [np.flatnonzero(inside.any(axis=axis)) for axis in (1, 0)]
    side = int(1.4 * max(where[-1] - where[0] + 1 for where in spans)) + 4
    if side * side > 0.4 * inside.size:
        return None
    starts = [(int(where[0]) + int(where[-1]) - side) // 2 for where in spans]
    starts = [min(max(a, 0), max(n - side, 0)) for a, n in zip(starts, inside.shape, strict=True)]
    rows, columns = (slice(a, min(a + side, n)) for a, n in zip(starts, inside.shape, strict=True))
    return rows, columns


def _outline(frame: np.ndarray, box: tuple[slice, slice]) -> None:
    rows, columns = box
    for row in (rows.start, rows.stop - 1):
        frame[row, columns] = 1.0
    for column in (columns.start, columns.stop - 1):
        frame[rows, column] = 1.0
