"""PyRadiomics' image filters, each (name, image in the window) for one or several images.

Those of IBSI 2 stand in _standard_filters.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .. import _checks
from ..errors import DataError
from ._lbp import lbp2d, lbp3d
from ._log import log
from ._standard_filters import (
    gabor,
    laplacian_of_gaussian,
    laws,
    mean,
    nonseparable_wavelet,
    riesz,
    separable_wavelet,
)
from .filtering import Source, within

__all__ = [
    "exponential",
    "gabor",
    "gradient",
    "laplacian_of_gaussian",
    "laws",
    "lbp2d",
    "lbp3d",
    "log",
    "logarithm",
    "mean",
    "nonseparable_wavelet",
    "original",
    "riesz",
    "separable_wavelet",
    "square",
    "squareroot",
    "wavelet",
]

Filtered = Iterator[tuple[str, Any]]


def original(source: Source) -> Filtered:
    yield "original", source.image[source.window]


def wavelet(
    source: Source, wavelet: str = "coif1", level: int = 1, start_level: int = 0
) -> Filtered:
    """Undecimated wavelet sub-bands, named by the filter (L, H) of each axis, x first.

    Odd axes are extended by one voxel, periodically, and cut back. A further level is the first
    level's filters on the approximation (no dilation), as PyRadiomics has it.
    """
    from .. import wavelet as transforms

    level = _checks.whole("level", level, 1)
    start = _checks.whole("start_level", start_level)
    image, xp = source.image, source.xp
    kept = slice(1, 3) if source.by_slice else slice(0, 3)
    axes = _slice_axes(source)[kept][::-1]
    if source.flat or source.settings.conventions == "ibsi":
        axes = tuple(d for d in axes if image.shape[d] > 1)
    if not axes:
        raise DataError("the filter wavelet needs an axis of more than one voxel")
    taps = transforms.Wavelet(wavelet).decomposition.shape[1]
    crop = _periodic_crop(source, (taps - 1) * (start + level), axes)
    cut = within(source.window, crop)
    data = image[crop]
    pad = [(0, n % 2 if d in axes else 0) for d, n in enumerate(data.shape)]
    data = xp.pad(data.astype(np.float64), pad, mode="wrap")
    for step in range(start + level):
        bands = transforms.swtn(data, wavelet, level=1, axes=axes)[0]
        data = bands["a" * len(axes)]
        if step < start:
            continue
        number = step - start + 1
        title = "wavelet" if number == 1 else f"wavelet{number}"
        for band, values in bands.items():
            if "d" in band:
                yield f"{title}-{band.replace('a', 'L').replace('d', 'H')}", values[cut]
    title = "wavelet" if level == 1 else f"wavelet{level}"
    yield f"{title}-{'L' * len(axes)}", data[cut]


def _slice_axes(source: Source) -> tuple[int, ...]:
    """The axis across the slices, then the others."""
    axis = source.settings.slice_axis
    return (axis, *(d for d in range(3) if d != axis))


def _periodic_crop(source: Source, reach: int, axes: tuple[int, ...]) -> tuple[slice, ...]:
    """Window plus halo, of even size; the whole axis where the halo meets the image's border."""
    crop = []
    for d, (part, n) in enumerate(zip(source.window, source.image.shape, strict=True)):
        begin, end = part.start - reach, part.stop + reach
        end += (end - begin) % 2
        if d not in axes:
            begin, end = part.start, part.stop
        elif begin < 0 or end > n:
            begin, end = 0, n
        crop.append(slice(begin, end))
    return tuple(crop)


def _pointwise(source: Source) -> tuple[Any, float]:
    """(image in the window, largest absolute value of the whole image), double precision."""
    xp = source.xp
    top = float(xp.abs(source.image).max())
    if not np.isfinite(top):
        raise DataError("square, squareroot, logarithm and exponential need an image without NaN")
    return source.image[source.window].astype(np.float64), top


def square(source: Source) -> Filtered:
    """(c x)^2 with c = 1 / sqrt(max |x|)."""
    x, top = _pointwise(source)
    yield "square", (x * (1 / np.sqrt(top) if top else 0.0)) ** 2


def squareroot(source: Source) -> Filtered:
    """sign(x) sqrt(c |x|) with c = max |x|."""
    x, top = _pointwise(source)
    xp = source.xp
    yield "squareroot", xp.sign(x) * xp.sqrt(xp.abs(x) * top)


def logarithm(source: Source) -> Filtered:
    """sign(x) c log(|x| + 1) with c = max |x| / log(max |x| + 1)."""
    x, top = _pointwise(source)
    xp = source.xp
    yield "logarithm", xp.sign(x) * xp.log(xp.abs(x) + 1) * (top / np.log(top + 1) if top else 0.0)


def exponential(source: Source) -> Filtered:
    """exp(c x) with c = log(max |x|) / max |x|."""
    x, top = _pointwise(source)
    yield "exponential", source.xp.exp(x * (np.log(top) / top if top else 0.0))


def gradient(source: Source, use_spacing: bool = True) -> Filtered:
    """Magnitude of the gradient by central differences; the image goes on with its edge values."""
    xp = source.xp
    steps = source.millimetres("gradient") if use_spacing else (1.0, 1.0, 1.0)
    data, cut = source.wide((1, 1, 1))
    data = data.astype(np.float64)
    if source.flat:
        steps = (np.inf, *steps[1:])
    total = 0.0
    for axis, step in enumerate(steps):
        wide = xp.pad(data, [(int(d == axis),) * 2 for d in range(3)], mode="edge")
        n = data.shape[axis]
        after = xp.take(wide, xp.arange(2, n + 2), axis=axis)
        before = xp.take(wide, xp.arange(n), axis=axis)
        total = total + ((after - before) * (0.5 / step)) ** 2
    yield "gradient", xp.sqrt(total).astype(np.float32)[cut]
