"""Field of view and grid of k-space along single axes: oversampling removed, zeros filled in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .._checks import whole
from .._kernels.select import edge_of
from .._memory import require_memory
from ..errors import DataError, ShapeError
from .fourier import fft_of_axes

__all__ = ["remove_oversampling", "zero_fill"]


def remove_oversampling(
    kspace: Any, *, axis: int = -1, factor: int = 2, keep: int | None = None
) -> Any:
    """Keep the central part of the field of view along one axis, usually the readout.

    Parameters
    ----------
    kspace : complex array
        DC at ``n // 2`` along ``axis``.
    axis : int
        Axis to shorten.
    factor : int
        Oversampling, 2 on most scanners; it divides the axis' length.
    keep : int, optional
        Samples to keep instead of ``n // factor``, for other ratios.

    Returns
    -------
    array with ``n // factor`` (or ``keep``) samples along the axis, of k-space's dtype
        The same noise level per sample; image pixels keep their values and the pixel ``n // 2``
        goes to ``keep // 2``.

    Raises
    ------
    ShapeError
        A length that ``factor`` does not divide, or shorter than ``keep``.
    DataError
        NaN, real k-space, an axis that does not exist.

    Examples
    --------
    >>> import numpy as np, pyrad_core as prc
    >>> prc.mr.remove_oversampling(np.ones((2, 160, 320), np.complex64)).shape
    (2, 160, 160)
    """
    edge = edge_of(kspace=kspace)
    y = edge.complex("kspace")
    factor = whole("factor", factor, 1)
    if not -y.ndim <= axis < y.ndim:
        raise DataError(f"axis is {axis}, but kspace has {y.ndim} dimensions")
    n = y.shape[axis]
    if keep is None:
        if n % factor:
            raise ShapeError(
                f"kspace has {n} samples along axis {axis}, not a multiple of {factor}; say by "
                "keep how many to keep"
            )
        keep = n // factor
    keep = whole("keep", keep, 1)
    if keep > n:
        raise ShapeError(f"keep is {keep}, but kspace has {n} samples along axis {axis}")
    xp = edge.xp
    image = fft_of_axes(xp.fft.ifftshift(y, axes=axis), (axis,), True, "ortho")
    image = xp.roll(image, keep // 2, axis=axis)  # pixel 0 of the new field of view comes first
    central = xp.take(image, xp.arange(keep), axis=axis)
    small = fft_of_axes(xp.fft.ifftshift(central, axes=axis), (axis,), False, "ortho")
    return edge.answer(xp.ascontiguousarray(xp.fft.fftshift(small, axes=axis)))


def zero_fill(kspace: Any, shape: Sequence[int], *, axes: Sequence[int] | None = None) -> Any:
    """Surround k-space with zeros: the same image on a finer grid (sinc interpolation).

    Parameters
    ----------
    kspace : complex array
        DC at ``n // 2`` along the axes.
    shape : sequence of int
        New lengths, none shorter than the old.
    axes : sequence of int, optional
        The axes they belong to; by default the last ``len(shape)``.

    Returns
    -------
    complex array
        DC at ``n // 2``; scaled so that image values stay what they were.

    Raises
    ------
    ShapeError
        A new length below the old one.

    Examples
    --------
    >>> import numpy as np, pyrad_core as prc
    >>> k = prc.mr.fft(np.ones((4, 6)))
    >>> float(abs(prc.mr.ifft(prc.mr.zero_fill(k, (8, 12)))[4, 6]).round(4))
    1.0
    """
    edge = edge_of(kspace=kspace)
    y = edge.complex("kspace")
    sizes = [whole("shape", n, 1) for n in shape]
    given = range(y.ndim - len(sizes), y.ndim) if axes is None else axes
    places = [int(axis) for axis in given]
    if len(places) != len(sizes) or not all(-y.ndim <= axis < y.ndim for axis in places):
        raise DataError(f"axes {tuple(places)} do not fit shape {tuple(sizes)} and {y.shape}")
    full = list(y.shape)
    cut = [slice(None)] * y.ndim
    scale = 1.0
    for axis, new in zip(places, sizes, strict=True):
        old = y.shape[axis]
        if new < old:
            raise ShapeError(f"shape asks for {new} samples along axis {axis}, kspace has {old}")
        first = new // 2 - old // 2
        full[axis], cut[axis] = new, slice(first, first + old)
        scale *= new / old
    count = y.itemsize
    for length in full:
        count *= length
    require_memory("zero-filled k-space", count, "ask for a smaller grid")
    out = edge.xp.zeros(tuple(full), y.dtype)
    out[tuple(cut)] = y * y.real.dtype.type(scale**0.5)
    return edge.answer(out)
