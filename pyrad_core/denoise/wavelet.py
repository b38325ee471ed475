"""Wavelet shrinkage with one threshold per band (Bayes) or one for all (Visu), cycle-spun."""

from __future__ import annotations

import itertools
import math
from typing import Any

from .._checks import choice, whole
from .._kernels.select import Edge, edge_of
from ..errors import DataError
from ..wavelet import dwt_max_level, wavedecn, waverecn
from ..wavelet import modes as extension_modes
from ._common import nonnegative, result_like

__all__ = ["wavelet"]

_MAD_OF_NORMAL = 0.6744897501960817  # median of |x| for x ~ N(0, 1)


def wavelet(
    image: Any,
    *,
    wavelet: Any = "db2",
    method: str = "bayes",
    sigma: float | None = None,
    level: int | None = None,
    cycle_spins: int = 0,
    threshold: str = "soft",
    mode: str = "symmetric",
    out: Any = None,
) -> Any:
    """Shrink the wavelet details of an image by thresholds that follow from the noise level.

    Parameters
    ----------
    image : array, any dimensions
        float32 or float64; integers are converted to float32.
    wavelet : str, Wavelet or four filters
        As in :func:`pyrad_core.wavelet.dwtn`; orthogonal ones keep the noise white.
    method : {"bayes", "visu"}
        "bayes": each band has its own threshold ``sigma^2 / s``, s^2 being the band's variance
        without noise. "visu": ``sigma * sqrt(2 log(voxels))`` for all, which removes almost all
        noise and smooths more.
    sigma : float, optional
        Standard deviation of the noise, in units of the image. By default the median absolute
        detail of the finest diagonal band over 0.6745.
    level : int, optional
        Number of levels; by default three fewer than possible, but at least one.
    cycle_spins : int
        Average over all shifts by 0 to this many voxels along every axis, ``(cycle_spins + 1) **
        ndim`` transforms: removes the pattern of the decimated transform.
    threshold : {"soft", "hard"}
        Whether details that stay are made smaller by the threshold.
    mode : str
        How the image goes on beyond its ends, as in :func:`pyrad_core.wavelet.dwtn`.
    out : array, optional
        Where to write the result.

    Returns
    -------
    array
        Denoised image, dtype as the image.

    Raises
    ------
    DataError
        NaN or Inf in the image, an unknown wavelet, method or mode, a negative sigma, too deep a
        level.

    References
    ----------
    Chang, Yu, Vetterli, IEEE TIP 9 (2000) 1532, doi:10.1109/83.862633; Donoho, Johnstone,
    Biometrika 81 (1994) 425, doi:10.1093/biomet/81.3.425; Coifman, Donoho (1995)
    doi:10.1007/978-1-4612-2544-7_9.

    Examples
    --------
    >>> import numpy as np
    >>> import pyrad_core as prc
    >>> noisy = 5 + np.random.default_rng(0).normal(0, 1.0, (64, 64))
    >>> bool(prc.denoise.wavelet(noisy, wavelet="haar").std() < 0.2)
    True
    """
    edge = edge_of(image=image)
    x = edge.real("image")
    choice("method", method, ("bayes", "visu"))
    choice("threshold", threshold, ("soft", "hard"))
    choice("mode", mode, extension_modes)
    spins = whole("cycle_spins", cycle_spins)
    if sigma is not None:
        sigma = nonnegative("sigma", sigma)
    if x.ndim < 1 or x.size == 0:
        raise DataError(f"image has shape {x.shape}; expected at least one voxel")
    if level is None:
        level = max(1, min(dwt_max_level(n, wavelet) for n in x.shape) - 3)
    shrink = _Shrinkage(edge, wavelet, method, sigma, level, threshold == "soft", mode)

    total = None
    shifts = list(itertools.product(range(spins + 1), repeat=x.ndim))
    axes = tuple(range(x.ndim))
    for shift in shifts:
        moved = edge.xp.roll(x, shift, axes) if any(shift) else x
        part = shrink(moved)
        if any(shift):
            part = edge.xp.roll(part, [-s for s in shift], axes)
        total = part if total is None else total + part
    result = result_like(edge, x, out)
    result[...] = total / x.dtype.type(len(shifts)) if len(shifts) > 1 else total
    return edge.answer(result)


class _Shrinkage:
    """One transform, shrinkage and inverse."""

    def __init__(
        self,
        edge: Edge,
        wavelet: Any,
        method: str,
        sigma: float | None,
        level: int,
        soft: bool,
        mode: str,
    ):
        self.edge, self.wavelet, self.method = edge, wavelet, method
        self.sigma, self.level, self.soft, self.mode = sigma, level, soft, mode

    def __call__(self, x: Any) -> Any:
        approximation, *levels = wavedecn(x, self.wavelet, self.mode, self.level)
        sigma = self.sigma
        if sigma is None:
            sigma = self._noise(levels[-1]["d" * x.ndim])
        for bands in levels:
            for name, band in bands.items():
                bands[name] = self._shrunk(band, self._threshold(band, sigma, x.size))
        image = waverecn([approximation, *levels], self.wavelet, self.mode)
        return image[tuple(slice(n) for n in x.shape)]

    def _noise(self, finest: Any) -> float:
        """From the finest diagonal details; exact zeros (a masked background) are no noise."""
        details = self.edge.xp.abs(finest[finest != 0])
        if details.size == 0:
            return 0.0
        return float(self.edge.xp.median(details)) / _MAD_OF_NORMAL

    def _threshold(self, band: Any, sigma: float, voxels: int) -> float:
        if self.method == "visu":
            return sigma * math.sqrt(2 * math.log(voxels))
        power = float(self.edge.xp.square(band).mean(dtype="float64"))
        signal = math.sqrt(max(power - sigma**2, 0.0))
        return sigma**2 / signal if signal > 0 else math.inf if sigma > 0 else 0.0

    def _shrunk(self, band: Any, threshold: float) -> Any:
        xp = self.edge.xp
        if self.soft:
            return band - xp.clip(band, -threshold, threshold)
        return xp.where(xp.abs(band) >= threshold, band, 0).astype(band.dtype, copy=False)
