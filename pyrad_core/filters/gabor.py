"""Gabor filters in planes."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from .. import _checks
from .._kernels.cuda.runtime import fft_module
from .._kernels.fft import fft_options
from ..errors import DataError
from ._image import BOUNDARIES, Image, take
from ._rotation import POOLINGS, pool
from ._spectrum import around, slab_samples

__all__ = ["envelope_reach", "gabor", "respond"]

_TAIL = 1e-6  # of the envelope, where the filter ends
_ROUNDING = {4: 1e-7, 8: 1e-14}  # singular values below do not count, by bytes of a number
_MOST_TAPS = 120  # of all lines along an axis; with more a transform is faster
RESPONSES = ("modulus", "real", "imaginary", "phase")


def gabor(
    image: Any,
    *,
    sigma: float,
    wavelength: float,
    aspect: float = 1.0,
    angle: float = 0.0,
    angle_step: float | None = None,
    pooling: str = "mean",
    response: str = "modulus",
    planes: str = "axial",
    boundary: str = "mirror",
    spacing: float | Sequence[float] | None = None,
) -> Any:
    """Response to a Gabor filter in the axial plane, or pooled over angles and planes.

    ``g(a, b) = exp(-(a'^2 + aspect^2 b'^2) / (2 sigma^2) + 2 pi i a' / wavelength)`` with (a', b')
    the plane's axes (x before y before z) turned by ``angle``.

    Parameters
    ----------
    image : real array (z, y, x) or (y, x)
        float32 and float64 stay, integers become float32.
    sigma, wavelength : float
        In mm (voxels without ``spacing``).
    aspect : float
        Ratio of the envelope's axes.
    angle : float
        Radians, from a to b.
    angle_step : float, optional
        With it responses at angle, angle + step, ... up to a whole turn are pooled.
    pooling : {"mean", "max", "min"}
    response : {"modulus", "real", "imaginary", "phase"}
    planes : {"axial", "orthogonal"}
        Slices along the first axis, or the mean over slices along each of the three axes.
    boundary : {"mirror", "zero", "nearest", "periodic"}
    spacing : float or one per axis, optional
        Voxel size in mm, in the order of the image's axes; equal within a plane.

    Returns
    -------
    array of the image's shape

    Raises
    ------
    DataError
        Lengths not positive, unequal voxel sizes in a plane, unknown names, NaN or Inf.
    ShapeError
        An image that has neither 2 nor 3 axes.

    References
    ----------
    IBSI 2 reference manual, section 3.4 (Gabor filters), arXiv:2006.05470.

    Examples
    --------
    >>> import numpy as np
    >>> import pyrad_core as prc
    >>> stripes = np.tile(np.cos(np.arange(16) * np.pi / 2), (16, 1))
    >>> prc.filters.gabor(stripes, sigma=2, wavelength=4).shape
    (16, 16)
    """
    return respond(
        image, None, sigma=sigma, wavelength=wavelength, aspect=aspect, angle=angle,
        angle_step=angle_step, pooling=pooling, response=response, planes=planes,
        boundary=boundary, spacing=spacing,
    )  # fmt: skip


def respond(
    image: Any,
    window: Sequence[slice] | None,
    *,
    sigma: float,
    wavelength: float,
    aspect: float,
    angle: float,
    angle_step: float | None,
    pooling: str,
    response: str,
    planes: str,
    boundary: str,
    spacing: float | Sequence[float] | None,
) -> Any:
    """:func:`gabor` in a window of the image (all of it if None)."""
    taken = take(image, boundary, spacing=spacing)
    _checks.choice("pooling", pooling, POOLINGS)
    _checks.choice("response", response, RESPONSES)
    _checks.choice("planes", planes, ("axial", "orthogonal"))
    shape = tuple(
        _checks.positive(*item)
        for item in (("sigma", sigma), ("wavelength", wavelength), ("aspect", aspect))
    )
    angles = _angles(angle, angle_step)
    if len(angles) % 2 == 0 and response in ("modulus", "real"):
        angles = angles[: len(angles) // 2]  # half a turn further is the complex conjugate
    pairs = list(itertools.combinations(range(len(taken.axes)), 2))
    chosen = pairs if planes == "orthogonal" else pairs[:1]
    xp = taken.edge.xp
    within = tuple(slice(0, n) for n in taken.data.shape) if window is None else tuple(window)
    by_plane = (
        pool(xp, _responses(_plane(taken, pair), within, shape, angles, response), pooling)
        for pair in chosen
    )
    return taken.edge.answer(pool(xp, by_plane, "mean"))


def envelope_reach(sigma: float, aspect: float) -> float:
    """Where the filter ends."""
    return sigma * max(1, 1 / aspect) * math.sqrt(-2 * math.log(_TAIL))


def _angles(first: float, step: float | None) -> list[float]:
    start = _checks.number("angle", first)
    if step is None:
        return [start]
    count = 2 * math.pi / _checks.positive("angle_step", step)
    if abs(count - round(count)) > 1e-6:
        raise DataError(f"angle_step is {step}; expected a whole fraction of a turn, 2 pi / n")
    return [start + step * k for k in range(round(count))]


def _plane(image: Image, pair: tuple[int, int]) -> Image:
    steps = tuple(image.spacing[i] for i in pair)
    if abs(steps[0] - steps[1]) > 1e-3 * steps[0]:
        raise DataError(f"spacing is {steps} in a plane; resample to equal steps first")
    axes = tuple(image.axes[i] for i in pair)
    return Image(image.edge, image.data, axes, steps, image.boundary)


def _responses(
    image: Image,
    window: tuple[slice, ...],
    shape: tuple[float, ...],
    angles: Sequence[float],
    response: str,
) -> Iterator[Any]:
    """A response per angle: products of lines where a few do, else by a transform of slices."""
    sigma, wavelength, aspect = shape[0] / image.spacing[0], shape[1] / image.spacing[0], shape[2]
    reach = math.ceil(envelope_reach(sigma, aspect))
    x = image.data[tuple(slice(None) if d in image.axes else w for d, w in enumerate(window))]
    by_spectrum = None
    for angle in angles:
        lines = _lines(sigma, wavelength, aspect, angle, reach, image.data.dtype)
        if lines.shape[0] * lines.shape[2] <= _MOST_TAPS:
            yield _by_lines(image, x, window, lines, response)
            continue
        if by_spectrum is None:
            by_spectrum = _Spectrum(image, x, window, reach)
        yield by_spectrum.respond(_kernel(sigma, wavelength, aspect, angle, reach), response)


def _envelope(sigma: float, aspect: float, angle: float, reach: int) -> tuple[Any, Any]:
    """The Gaussian at whole voxels (a, b), and a turned by the angle."""
    a, b = np.meshgrid(*(np.arange(-reach, reach + 1),) * 2, indexing="ij")
    along = a * math.cos(angle) + b * math.sin(angle)
    across = b * math.cos(angle) - a * math.sin(angle)
    return np.exp(-(along**2 + (aspect * across) ** 2) / (2 * sigma**2)), along


def _kernel(sigma: float, wavelength: float, aspect: float, angle: float, reach: int) -> Any:
    envelope, along = _envelope(sigma, aspect, angle, reach)
    return envelope * np.exp(2j * math.pi / wavelength * along)


def _lines(
    sigma: float, wavelength: float, aspect: float, angle: float, reach: int, dtype: Any
) -> np.ndarray:
    """The filter as a sum of products of lines, to rounding: taps of the kernel gabor_planes.

    The wave is a product; the envelope's singular values fall like a geometric series, whose ratio
    depends on aspect and angle, not on sigma.
    """
    u, s, v = np.linalg.svd(_envelope(sigma, aspect, angle, reach)[0])
    rank = int(np.count_nonzero(s > _ROUNDING[np.dtype(dtype).itemsize] * s[0]))
    at = 2j * math.pi / wavelength * np.arange(-reach, reach + 1)
    first = u[:, :rank].T * s[:rank, None] * np.exp(at * math.cos(angle))
    second = v[:rank] * np.exp(at * math.sin(angle))
    parts = [first.real, first.imag, second.real, second.imag]
    return np.ascontiguousarray(np.stack(parts, axis=1), dtype)


def _by_lines(
    image: Image, x: Any, window: tuple[slice, ...], lines: np.ndarray, response: str
) -> Any:
    xp, (first, second) = image.edge.xp, image.axes
    if first > second:  # the kernel's second axis is the later one
        lines = np.ascontiguousarray(lines[:, [2, 3, 0, 1]])
    a, b = sorted(image.axes)
    shape = [window[d].stop - window[d].start for d in range(x.ndim)]
    out = xp.empty(shape, x.dtype)
    x = xp.ascontiguousarray(x)

    def about(array: Any) -> Any:
        n = array.shape
        outer, mid = math.prod(n[:a]), math.prod(n[a + 1 : b])
        return array.reshape(outer, n[a], mid, n[b], math.prod(n[b + 1 :]))

    image.edge.kernels.gabor_planes(
        about(x),
        xp.asarray(lines),
        BOUNDARIES.index(image.boundary),
        window[a].start,
        window[b].start,
        RESPONSES.index(response),
        about(out),
    )
    return out


class _Spectrum:
    """One transform of slices with margins, for any number of filters."""

    def __init__(self, image: Image, x: Any, window: tuple[slice, ...], reach: int):
        self._image, self._reach, fft = image, reach, fft_module(x)
        for axis in image.axes:
            x = around(image, x, axis, window[axis], reach)
        self._shape = list(x.shape)
        for axis in image.axes:
            self._shape[axis] -= 2 * reach
        size = [fft.next_fast_len(x.shape[axis]) for axis in image.axes]
        self._options = {"s": size, "axes": image.axes, **fft_options(x)}
        self._values = fft.fft2(x, **self._options)

    def respond(self, taps: np.ndarray, response: str) -> Any:
        xp, fft, axes = self._image.edge.xp, fft_module(self._values), self._image.axes
        first, second = axes
        layout = [1] * self._values.ndim
        layout[first] = layout[second] = len(taps)
        kernel = (taps.T if first > second else taps).reshape(layout)
        kernel = fft.fft2(xp.asarray(kernel, self._values.dtype), **self._options)
        out = xp.empty(self._shape, self._image.data.dtype)
        for slab in self._slabs():
            filtered = self._values[slab] * kernel
            for axis in axes:  # margins are cut off as soon as their axis is done
                filtered = fft.ifft(filtered, axis=axis, overwrite_x=True, **fft_options(out))
                inner = [slice(None)] * out.ndim
                inner[axis] = slice(2 * self._reach, 2 * self._reach + out.shape[axis])
                filtered = filtered[tuple(inner)]
            out[slab] = _part(xp, filtered, response)
        return out

    def _slabs(self) -> Iterator[tuple[slice, ...]]:
        """A few slices at a time: what a filter needs stays in the cache."""
        shape, axes = self._values.shape, self._image.axes
        across = next((d for d in range(len(shape)) if d not in axes), None)
        if across is None:
            yield (slice(None),)
            return
        step = max(1, slab_samples(self._values) * shape[across] // self._values.size)
        for begin in range(0, shape[across], step):
            yield (*(slice(None),) * across, slice(begin, begin + step))


def _part(xp: Any, z: Any, response: str) -> Any:
    if response == "modulus":
        return abs(z)
    if response == "phase":
        return xp.angle(z)
    return z.real if response == "real" else z.imag
