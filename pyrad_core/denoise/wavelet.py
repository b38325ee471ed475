"""Wavelet shrinkage: decimated, cycle-spun and stationary; Bayes, Visu and SURE thresholds."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .._checks import choice, entries, whole
from .._kernels.select import Edge, edge_of, host_array
from .._memory import require_memory
from ..errors import DataError, ShapeError
from ..wavelet import Wavelet, dwt_max_level, dwtn, idwtn, iswtn, swtn, wavedecn, waverecn
from ..wavelet import modes as extension_modes
from ..wavelet._arguments import wavelet_of
from ._common import axes_of, nonnegative, real_or_complex, result_like
from ._thresholds import Shrinkage, mad

__all__ = ["wavelet"]


def wavelet(
    image: Any,
    *,
    wavelet: Any = "db2",
    method: str = "bayes",
    sigma: Any = None,
    level: int | None = None,
    cycle_spins: int = 0,
    stationary: bool = False,
    threshold: str = "soft",
    mode: str | None = None,
    axes: Sequence[int] | None = None,
    out: Any = None,
) -> Any:
    """Shrink the wavelet details of an image by thresholds that follow from the noise level.

    Parameters
    ----------
    image : array, any dimensions
        float32, float64, complex64 or complex128; integers are converted to float32. The magnitude
        of complex details is shrunk, their phase kept.
    wavelet : str, Wavelet or four filters
        As in :func:`pyrad_core.wavelet.dwtn`; orthogonal ones keep the noise white.
    method : {"bayes", "visu", "sure"}
        "bayes": each band has its own threshold ``sigma^2 / s``, s^2 being the band's variance
        without noise. "visu": ``sigma * sqrt(2 log(voxels))`` for all, which removes almost all
        noise and smooths more. "sure": each band has the threshold of least estimated risk (SURE,
        of soft thresholding), or the universal one of its size where hardly any signal is in it.
    sigma : float or array, optional
        Standard deviation of the noise, in units of the image (of the real and of the imaginary
        part); a number, or one per image of the batch. By default the median absolute detail of
        the finest diagonal band over 0.6745.
    level : int, optional
        Number of levels; by default three fewer than the size allows, but at least one. Axes too
        short for a single one are then left out.
    cycle_spins : int
        Average over all shifts by 0 to this many voxels along every axis, ``(cycle_spins + 1) **
        axes`` of them: removes the pattern of the decimated transform. Shifts share what their
        transforms have in common.
    stationary : bool
        The undecimated transform: as many shifts as there are, ``2^level`` along every axis, with
        thresholds common to all. Needs memory for ``level * 2^axes`` images.
    threshold : {"soft", "hard", "garrote"}
        What happens to details above the threshold t: ``x - t sign(x)``, x, or ``x - t^2 / x``.
    mode : str, optional
        How the image goes on beyond its ends, as in :func:`pyrad_core.wavelet.dwtn`. Default
        "symmetric"; with shifts the image mirrored up to a multiple of ``2^level``, then periodic.
    axes : sequence of int, optional
        Axes of the transform, by default the last three (or all). The other ones are a batch of
        images (volumes of a series, channels), each with its own thresholds.
    out : array, optional
        Where to write the result.

    Returns
    -------
    array
        Denoised image, dtype as the image. A constant image is returned as it is.

    Raises
    ------
    DataError
        NaN or Inf in the image, an unknown wavelet, method or mode, a negative sigma, too deep a
        level, an image too small for the wavelet.
    DeviceMemoryError
        Not enough memory for the stationary transform.

    References
    ----------
    Chang, Yu, Vetterli, IEEE TIP 9 (2000) 1532, doi:10.1109/83.862633; Donoho, Johnstone,
    Biometrika 81 (1994) 425, doi:10.1093/biomet/81.3.425; Donoho, Johnstone, J. Am. Stat. Assoc.
    90 (1995) 1200, doi:10.1080/01621459.1995.10476626 (SURE); Coifman, Donoho (1995)
    doi:10.1007/978-1-4612-2544-7_9; Gao, J. Comput. Graph. Stat. 7 (1998) 469,
    doi:10.1080/10618600.1998.10474789 (garrote).

    Examples
    --------
    >>> import numpy as np
    >>> import pyrad_core as prc
    >>> noisy = 5 + np.random.default_rng(0).normal(0, 1.0, (64, 64))
    >>> bool(prc.denoise.wavelet(noisy, wavelet="haar").std() < 0.2)
    True
    """
    edge = edge_of(image=image)
    x = real_or_complex(edge, tuple(range(1, 33)))
    choice("method", method, ("bayes", "visu", "sure"))
    choice("threshold", threshold, ("soft", "hard", "garrote"))
    if mode is not None:
        choice("mode", mode, extension_modes)
    spins = whole("cycle_spins", cycle_spins)
    if stationary and (spins or mode is not None):
        raise DataError("stationary has shifts and ends of its own; leave out cycle_spins and mode")
    filters = wavelet_of(wavelet)
    transformed, batch = _axes(x, axes)
    moved = edge.xp.moveaxis(x, transformed, range(len(batch), x.ndim))
    levels = _levels(edge, sigma, moved.shape[: len(batch)])
    used, depth = _depth(moved.shape[len(batch) :], filters, level)
    result = result_like(edge, x, out)
    target = edge.xp.moveaxis(result, transformed, range(len(batch), x.ndim))
    for at in np.ndindex(moved.shape[: len(batch)]):
        part = edge.xp.ascontiguousarray(moved[at])
        if not used or not bool((part != part.reshape(-1)[0]).any()):
            target[at] = part
            continue
        if sigma is None:
            finest = dwtn(part, filters, mode or "symmetric", used)["d" * len(used)]
            noise = mad(edge.xp, finest, float(abs(part).max()))
        else:
            noise = float(levels[at])
        shrink = Shrinkage(edge, method, threshold, noise, part.size)
        how = _Transform(edge, filters, used, depth, mode or "symmetric", shrink)
        if stationary:
            target[at] = how.stationary(part)
        elif spins:
            target[at] = how.spun(part, spins, mode)
        else:
            target[at] = how.decimated(part, depth)
    return edge.answer(result) if out is None else out


def _axes(x: Any, axes: Sequence[int] | None) -> tuple[list[int], list[int]]:
    """Transformed axes in order, and the others."""
    if axes is None:
        chosen = list(range(max(x.ndim - 3, 0), x.ndim))
    else:
        chosen = axes_of("axes", axes, x.ndim)
    return chosen, [a for a in range(x.ndim) if a not in chosen]


def _levels(edge: Edge, sigma: Any, batch: tuple[int, ...]) -> Any:
    """Noise level of every image of the batch, on the host."""
    if sigma is None:
        return None
    if entries(sigma) is None:
        return np.full(batch, nonnegative("sigma", sigma))
    values = host_array(edge_of(sigma=sigma)["sigma"])
    if values.shape != batch:
        raise ShapeError(
            f"sigma has shape {values.shape}; expected a number, or one per image: {batch}"
        )
    return np.array([nonnegative("sigma", v) for v in values.ravel()]).reshape(batch)


def _depth(
    shape: tuple[int, ...], filters: Wavelet, level: int | None
) -> tuple[tuple[int, ...], int]:
    """The axes that take part, and the number of levels."""
    long = tuple(axis for axis, n in enumerate(shape) if n > 1)
    deepest = {axis: dwt_max_level(shape[axis], filters) for axis in long}
    if level is None:
        used = tuple(axis for axis in long if deepest[axis] > 0)
        if long and not used:
            raise DataError(
                f"image of shape {shape} is too small for {filters.name!r} of "
                f"{filters.dec_len} taps; choose a shorter wavelet or level=1"
            )
        return used, max(1, min((deepest[axis] for axis in used), default=4) - 3)
    level, most = whole("level", level, 1), min(deepest.values(), default=0)
    if long and level > most:
        raise DataError(
            f"level is {level}; image of shape {shape} with {filters.name!r} allows at most {most}"
        )
    return long, level


class _Transform:
    """Transforms of one image, each followed by shrinkage and the inverse."""

    def __init__(
        self, edge: Edge, filters: Wavelet, axes: tuple[int, ...], level: int, mode: str,
        shrink: Shrinkage,
    ):  # fmt: skip
        self.edge, self.xp, self.filters, self.axes = edge, edge.xp, filters, axes
        self.level, self.mode, self.shrink = level, mode, shrink

    def decimated(self, x: Any, level: int) -> Any:
        approximation, *details = wavedecn(x, self.filters, self.mode, level, self.axes)
        kept = [self.shrink.bands(bands) for bands in details]
        image = waverecn([approximation, *kept], self.filters, self.mode, self.axes)
        return image[tuple(slice(n) for n in x.shape)]

    def spun(self, x: Any, spins: int, mode: str | None) -> Any:
        """The average over all shifts by 0..spins."""
        counts = tuple(spins + 1 for _ in self.axes)
        y = x
        if mode is None:
            self.mode = "periodization"
            block = 1 << self.level
            pads = [(0, -n % block if a in self.axes else 0) for a, n in enumerate(x.shape)]
            y = self.xp.pad(x, pads, mode="symmetric") if any(p for _, p in pads) else x
        total = self._shifts(y, counts, self.level)[tuple(slice(n) for n in x.shape)]
        return total / total.real.dtype.type(math.prod(counts))

    def _shifts(self, x: Any, counts: tuple[int, ...], level: int) -> Any:
        """The sum over all shifts by 0..count - 1.

        Shifts by s and s + 2 have the same details, which are therefore made once for even and
        once for odd shifts; the approximation takes shifts of s // 2.
        """
        if level == 0:
            return x * x.real.dtype.type(math.prod(counts))
        shares = self.mode == "periodization" and all(x.shape[a] % 2 == 0 for a in self.axes)
        total = None
        for shift in itertools.product(*(range(min(c, 2) if shares else c) for c in counts)):
            y = self.xp.roll(x, shift, self.axes) if any(shift) else x
            if shares:
                left = tuple((c - s + 1) // 2 for c, s in zip(counts, shift, strict=True))
                bands = dwtn(y, self.filters, self.mode, self.axes)
                low = "a" * len(self.axes)
                approximation = self._shifts(bands.pop(low), left, level - 1)
                kept = self.shrink.bands(bands, math.prod(left))
                part = idwtn({low: approximation, **kept}, self.filters, self.mode, self.axes)
            else:
                part = self.decimated(y, level)
            part = self.xp.roll(part, [-s for s in shift], self.axes) if any(shift) else part
            total = part if total is None else total + part
        return total

    def stationary(self, x: Any) -> Any:
        """Mirrored beyond the reach of the coarsest filter, up to a multiple of 2^level."""
        reach = (self.filters.dec_len - 1) * ((1 << self.level) - 1)
        pads = []
        for axis, n in enumerate(x.shape):
            before = min(reach, n) if axis in self.axes else 0
            after = before + (-(n + 2 * before) % (1 << self.level) if axis in self.axes else 0)
            pads.append((before, after))
        size = math.prod(n + a + b for n, (a, b) in zip(x.shape, pads, strict=True))
        asked = size * x.itemsize * (self.level * (1 << len(self.axes)) + 2)
        require_memory("the stationary transform's bands", asked, "use cycle_spins", self.edge)
        y = self.xp.ascontiguousarray(self.xp.pad(x, pads, mode="symmetric"))
        approximation, *details = swtn(
            y, self.filters, self.level, axes=self.axes, trim_approx=True
        )
        kept = [self.shrink.bands(bands) for bands in details]
        image = iswtn([approximation, *kept], self.filters, self.axes)
        return image[tuple(slice(a, a + n) for n, (a, _) in zip(x.shape, pads, strict=True))]
