"""Removal of Gibbs ringing by local subvoxel shifts."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from .._checks import entries, whole
from .._kernels.cuda.runtime import fft_module
from .._kernels.fft import fft_options
from .._kernels.select import Edge, edge_of
from .._memory import require_memory
from ..errors import DataError, ShapeError
from ._common import axes_of, result_like

__all__ = ["gibbs"]

_CHUNK, _DEVICE_CHUNK = 1 << 21, 1 << 26  # samples that go through all steps together


def gibbs(
    image: Any,
    *,
    axes: Sequence[int] = (-2, -1),
    shifts: int = 20,
    window: tuple[int, int] = (1, 3),
    out: Any = None,
) -> Any:
    """Image without the ringing that the end of k-space leaves beside edges.

    Along every axis a sample is taken from that subvoxel shift of its line in which the total
    variation on one side of it is least, where the sampled ringing pattern passes through its
    zeros; the shifted line is interpolated linearly back to the grid. Each axis sees the part of
    the image to which its ringing belongs: with ``c_a = 1 + cos k_a``, the frequencies weighted by
    ``prod(c_b, b != a) / sum_a prod(c_b, b != a)``.

    Use it on images as the scanner's Fourier transform made them: after denoising, before any
    interpolation, and not on data of which k-space was sampled in part.

    Parameters
    ----------
    image : array
        Real or complex, of any number of dimensions; integers become float32. Of complex images
        the variations of real and imaginary part are added.
    axes : sequence of int
        The axes that were sampled in k-space: two for slices (the default: the last two), all
        three, ``(-3, -2, -1)``, for scans encoded in three dimensions, or one. The function
        goes through everything else: slices, volumes, directions. Axes of one sample are left out.
    shifts : int
        Number of shifts to either side, of which the farthest is half a sample; at most 128.
    window : (int, int)
        Nearest and farthest difference, in samples, that belong to the variation at a sample;
        at most 128.
    out : array, optional
        Where to put the result, of the shape and dtype of the result; may be ``image``.

    Returns
    -------
    array, shape and precision of ``image``

    Raises
    ------
    DataError
        NaN or Inf, half precision, ``shifts`` or ``window`` out of range, a window that does not
        rise, an axis that does not exist or appears twice, more than three axes.
    ShapeError
        An empty image; ``out`` of another shape.

    Notes
    -----
    The defaults are those of MRtrix3 3.0.3 ``mrdegibbs``, with which real images agree to
    rounding (its axes 0 and 1 are the last two here). Shifts are those of double precision
    whatever the input's: where two ripple almost alike, rounding would decide between them.

    References
    ----------
    E. Kellner, B. Dhital, V. G. Kiselev, M. Reisert, Magn. Reson. Med. 76, 1574, 2016,
    doi:10.1002/mrm.26054.
    T. Bautista, J. O'Muircheartaigh, J. V. Hajnal, J.-D. Tournier, Proc. ISMRM 29, 3535, 2021
    (three dimensions).

    Examples
    --------
    >>> import numpy as np
    >>> import pyrad_core as prc
    >>> square = np.zeros((192, 192))
    >>> square[60:130, 50:140] = 1.0
    >>> low = np.fft.fftshift(np.fft.fft2(square))[64:128, 64:128]
    >>> ringing = np.fft.ifft2(np.fft.ifftshift(low)).real / 9
    >>> calm = prc.denoise.gibbs(ringing)
    >>> bool(calm[:16].std() < 0.2 * ringing[:16].std())
    True
    """
    edge = edge_of(image=image, out=out)
    is_complex = edge["image"].dtype.kind == "c"
    x = edge.complex("image") if is_complex else edge.real("image")
    if x.size == 0 or x.ndim == 0:
        raise ShapeError(f"image has shape {tuple(x.shape)}; expected at least one sample")
    along = [axis for axis in _axes(axes, x.ndim) if x.shape[axis] > 1]
    single = x.dtype in (np.float32, np.complex64) and 1e-20 < float(abs(x).max()) < 1e30
    search = _up_to_128("shifts", shifts, 1), *_window(window), single
    result = result_like(edge, x, out)
    if not along:
        result[...] = x
        return out if out is not None else edge.answer(result)
    _require_memory(edge, x, along)
    ends = range(x.ndim - len(along), x.ndim)
    given, target = edge.xp.moveaxis(x, along, ends), edge.xp.moveaxis(result, along, ends)
    sizes = given.shape[x.ndim - len(along) :]
    parts = edge.xp.ascontiguousarray(given).reshape(-1, *sizes)
    in_place = target.flags.c_contiguous
    calm = target.reshape(parts.shape) if in_place else edge.xp.empty_like(parts)
    weights = _weights(edge, sizes, is_complex)
    wide = np.complex128 if is_complex else np.float64
    step = max(1, (_DEVICE_CHUNK if edge.on_gpu else _CHUNK) // math.prod(sizes))
    for first in range(0, len(parts), step):
        chunk = parts[first : first + step].astype(wide)
        calm[first : first + step] = _unrung(edge, chunk, weights, search)
    if not in_place:
        target[...] = calm.reshape(target.shape)
    return out if out is not None else edge.answer(result)


def _unrung(edge: Edge, parts: Any, weights: Any, search: tuple[int, int, int, bool]) -> Any:
    """Images (part, *axes) in double precision: the sum of what each axis makes of its share."""
    fft, axes, sizes = fft_module(parts), range(1, parts.ndim), parts.shape[1:]
    options = fft_options(parts)
    shares: Iterable[Any] = [parts]
    if len(sizes) > 1 and parts.dtype.kind == "c":
        spectrum = fft.fftn(parts, axes=axes, **options)
        shares = (fft.ifftn(spectrum * w, axes=axes, overwrite_x=True, **options) for w in weights)
    elif len(sizes) > 1:
        spectrum = fft.rfftn(parts, axes=axes, **options)
        shares = (
            fft.irfftn(spectrum * w, sizes, axes=axes, overwrite_x=True, **options) for w in weights
        )
    total = None
    for axis, share in enumerate(shares):
        share = edge.xp.ascontiguousarray(share)
        outer, inner = math.prod(share.shape[: axis + 1]), math.prod(sizes[axis + 1 :])
        edge.kernels.gibbs_lines(share.reshape(outer, sizes[axis], inner), *search)
        total = share if total is None else edge.xp.add(total, share, out=total)
    return total


def _weights(edge: Edge, sizes: tuple[int, ...], is_complex: bool) -> list[Any]:
    """Of every axis at the frequencies of the (real) transform; 0 where none is defined."""
    factors = []
    for axis, n in enumerate(sizes):
        count = n // 2 + 1 if axis == len(sizes) - 1 and not is_complex else n
        c = 1 + np.cos(2 * np.pi * np.arange(count) / n)
        if n % 2 == 0:
            c[n // 2] = 0
        factors.append(c.reshape([-1 if a == axis else 1 for a in range(len(sizes))]))
    products = [
        math.prod(c for b, c in enumerate(factors) if b != axis) for axis in range(len(sizes))
    ]
    total = np.asarray(sum(products))
    share = np.divide(1.0, total, out=np.zeros(total.shape), where=total > 0)
    return [edge.xp.asarray(p * share) for p in products]


def _axes(axes: Sequence[int], ndim: int) -> list[int]:
    found = axes_of("axes", axes, ndim)
    if len(found) > 3:
        raise DataError(f"axes is {tuple(axes)}; expected one to three")
    return found


def _window(window: tuple[int, int]) -> tuple[int, int]:
    given = entries(window)
    if given is None or len(given) != 2:
        raise DataError(f"window is {window!r}; expected the nearest and the farthest difference")
    near, far = (_up_to_128("window", w, 0) for w in given)
    if far < near:
        raise DataError(f"window is {window}; expected the nearest difference first")
    return near, far


def _up_to_128(name: str, value: Any, minimum: int) -> int:
    number = whole(name, value, minimum)
    if number > 128:
        raise DataError(f"{name} is {value}; expected at most 128")
    return number


def _require_memory(edge: Edge, x: Any, along: list[int]) -> None:
    one = math.prod(x.shape[axis] for axis in along)
    chunk = min(x.size, max(one, _DEVICE_CHUNK if edge.on_gpu else _CHUNK))
    asked = x.nbytes + 5 * chunk * (16 if x.dtype.kind == "c" else 8)
    require_memory(
        "the unrung image and its spectra", asked, "unring fewer volumes at a time", edge
    )
