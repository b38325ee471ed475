"""Gabor filters in planes."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from .. import _checks
from .._kernels.cuda.runtime import fft_module
from ..errors import DataError
from ._image import Image, take
from ._rotation import POOLINGS, pool
from ._spectrum import around, fft_options

__all__ = ["envelope_reach", "gabor", "respond"]

_TAIL = 1e-6  # of the envelope, where the filter ends
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
    """A response per angle: one transform of slices with margins, one back for each filter."""
    xp, fft, (first, second) = image.edge.xp, fft_module(image.data), image.axes
    sigma, wavelength, aspect = shape[0] / image.spacing[0], shape[1] / image.spacing[0], shape[2]
    reach = math.ceil(envelope_reach(sigma, aspect))
    wide = image.data[tuple(slice(None) if d in image.axes else w for d, w in enumerate(window))]
    for axis in image.axes:
        wide = around(image, wide, axis, window[axis], reach)
    size = [fft.next_fast_len(wide.shape[axis]) for axis in image.axes]
    options = {"s": size, "axes": image.axes, **fft_options(image.data)}
    spectrum = fft.fft2(wide, **options)
    a, b = np.meshgrid(*(np.arange(-reach, reach + 1),) * 2, indexing="ij")
    inner = [slice(None)] * image.data.ndim
    for axis in image.axes:
        inner[axis] = slice(2 * reach, wide.shape[axis])
    layout = [1] * image.data.ndim
    layout[first], layout[second] = len(a), len(a)
    for angle in angles:
        along = a * math.cos(angle) + b * math.sin(angle)
        across = b * math.cos(angle) - a * math.sin(angle)
        envelope = np.exp(-(along**2 + (aspect * across) ** 2) / (2 * sigma**2))
        taps = envelope * np.exp(2j * math.pi / wavelength * along)
        kernel = xp.asarray((taps.T if first > second else taps).reshape(layout), spectrum.dtype)
        filtered = fft.ifft2(
            spectrum * fft.fft2(kernel, **options), axes=image.axes, **fft_options(wide)
        )
        yield _part(xp, filtered[tuple(inner)], response).astype(image.data.dtype)


def _part(xp: Any, z: Any, response: str) -> Any:
    if response == "modulus":
        return abs(z)
    if response == "phase":
        return xp.angle(z)
    return z.real if response == "real" else z.imag
