"""Centred unitary FFT."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .._kernels.cuda.runtime import fft_module
from .._kernels.fft import fft_options
from .._kernels.select import edge_of
from ..errors import DataError

__all__ = ["fft", "fft_of_axes", "ifft"]


def fft(image: Any, *, axes: Sequence[int] = (-2, -1)) -> Any:
    """Image to k-space, DC at ``n // 2`` on both sides.

    ``F[k] = sum_n x[n] exp(-2 pi i (k - N // 2)(n - N // 2) / N) / sqrt(N)`` along every axis of
    ``axes``.

    Parameters
    ----------
    image : array
        Real or complex; complex64 and float32 give complex64, double precision complex128,
        integers complex64.
    axes : sequence of int
        Axes to transform; the last two by default. Odd and even lengths alike.

    Returns
    -------
    array of the same shape.

    Raises
    ------
    DataError
        NaN or Inf, half precision, an axis that does not exist.

    Examples
    --------
    >>> kspace = prc.mr.fft(coil_images)                     # (coil, y, x)
    >>> kspace = prc.mr.fft(coil_volumes, axes=(-3, -2, -1))
    """
    return _centred("image", image, axes, inverse=False)


def ifft(kspace: Any, *, axes: Sequence[int] = (-2, -1)) -> Any:
    """k-space to image: the inverse, and adjoint, of :func:`fft`. Arguments as there.

    Examples
    --------
    >>> image = prc.mr.combine_coils(prc.mr.ifft(kspace))
    """
    return _centred("kspace", kspace, axes, inverse=True)


def fft_of_axes(x: Any, axes: Sequence[int], inverse: bool, norm: str) -> Any:
    """Plain FFT with DC first, by SciPy (all threads) or cuFFT; x may be overwritten."""
    fft = fft_module(x)
    call = fft.ifftn if inverse else fft.fftn
    return call(x, axes=axes, norm=norm, overwrite_x=True, **fft_options(x))


def _centred(name: str, array: Any, axes: Sequence[int], inverse: bool) -> Any:
    edge = edge_of(**{name: array})
    x = edge.complex(name, real_ok=True)
    axes = _checked_axes(name, x.ndim, axes)
    even = [axis for axis in axes if x.shape[axis] % 2 == 0]
    odd = tuple(axis for axis in axes if x.shape[axis] % 2)
    signs = _signs(edge.xp, x, even)
    # Moving the origin of an even axis by half its length is a change of signs on the other side.
    moved = edge.xp.fft.ifftshift(x * signs, axes=odd)
    y = fft_of_axes(moved, axes, inverse, "ortho")
    flips = sum(x.shape[axis] // 2 for axis in even)
    y = edge.xp.fft.fftshift(y, axes=odd)
    y *= signs if flips % 2 == 0 else -signs
    return edge.answer(y)


def _checked_axes(name: str, ndim: int, axes: Sequence[int]) -> tuple[int, ...]:
    taken = tuple(int(axis) for axis in axes)
    if not all(-ndim <= axis < ndim for axis in taken):
        raise DataError(f"axes is {taken}, but {name} has {ndim} dimensions")
    result = tuple(axis % ndim for axis in taken)
    if len(set(result)) != len(result):
        raise DataError(f"axes is {taken}; expected each axis once")
    return result


def _signs(xp: Any, x: Any, axes: list[int]) -> Any:
    """(-1)^n along the given axes, shaped to broadcast over x."""
    signs = xp.ones((1,) * x.ndim, x.real.dtype)
    for axis in axes:
        shape = [1] * x.ndim
        shape[axis] = x.shape[axis]
        signs = signs * (1 - 2 * (xp.arange(x.shape[axis]) % 2)).astype(x.real.dtype).reshape(shape)
    return signs
