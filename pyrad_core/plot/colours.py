"""From values to colours: windows and colour maps. "gray" and "heat" are built in."""

from __future__ import annotations

import functools

import numpy as np

from .._checks import choice, number
from ..errors import MissingDependencyError


def levels(values: np.ndarray, limits: tuple[float, float]) -> np.ndarray:
    """0..255 between the two limits."""
    low, high = (number("window", v) for v in limits)
    scaled = (np.nan_to_num(values, nan=low, posinf=high, neginf=low) - low) * (
        255.0 / ((high - low) or 1.0)
    )
    return np.clip(np.rint(scaled), 0, 255).astype(np.uint8)


def window_of(values: np.ndarray, low: float = 0.5, high: float = 99.5) -> tuple[float, float]:
    """Two percentiles of the finite values."""
    finite = values[np.isfinite(values)]
    if finite.size == 0:
        return 0.0, 1.0
    first, last = (float(v) for v in np.percentile(finite, (low, high)))
    if last > first:
        return first, last
    return float(finite.min()), float(finite.max())


@functools.cache
def colour_table(name: str) -> np.ndarray:
    """256 colours, uint8."""
    if name == "gray":
        return np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
    if name == "heat":
        return _heat()
    try:
        import matplotlib
    except ImportError as error:
        raise MissingDependencyError(
            f"the colour map {name!r} needs matplotlib; pip install 'pyrad_core[plot]'"
        ) from error
    known = matplotlib.colormaps
    return (known[choice("cmap", name, list(known))](np.arange(256))[:, :3] * 255).astype(np.uint8)


def _heat() -> np.ndarray:
    """Dark violet over red and orange to pale yellow; CIE lightness grows evenly, so equal steps
    of value look equal and the map survives a grey print."""
    from skimage.color import lab2rgb

    t = np.linspace(0.0, 1.0, 256)
    lightness = 8.0 + 88.0 * t
    hue = np.deg2rad(-62.0 + 162.0 * t**0.85)
    chroma = 30.0 + 42.0 * np.sin(np.pi * t**0.9)
    lab = np.stack([lightness, chroma * np.cos(hue), chroma * np.sin(hue)], axis=-1)
    return np.rint(np.clip(lab2rgb(lab[None])[0], 0, 1) * 255).astype(np.uint8)
