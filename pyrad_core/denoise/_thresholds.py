"""Thresholds of wavelet bands, and what shrinks them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from .._kernels.select import Edge

__all__ = ["Shrinkage", "mad"]

_MAD_OF_NORMAL = 0.6744897501960817  # median of |x| for x ~ N(0, 1)


def mad(xp: Any, band: Any, largest: float) -> float:
    """Noise level from the finest diagonal details of an image whose largest value is given.

    Zeros (a masked background, the mirrored end of an odd axis) are no noise; rounding makes them
    a few units in the last place of the image.
    """
    values = band.reshape(-1)
    if values.dtype.kind == "c":
        values = values.view(values.real.dtype)
    values = abs(values)
    values = values[values > 8 * float(xp.finfo(values.dtype).eps) * largest]
    return float(xp.median(values)) / _MAD_OF_NORMAL if values.size else 0.0


class Shrinkage:
    """Thresholds of one image's bands.

    Parameters
    ----------
    method
        "bayes", "visu" or "sure".
    kind
        "soft", "hard" or "garrote".
    sigma
        Noise level of real values, and of real and imaginary parts.
    voxels
        Of the image: what the universal threshold of "visu" counts.
    """

    def __init__(self, edge: Edge, method: str, kind: str, sigma: float, voxels: int):
        self.edge, self.xp, self.method, self.kind = edge, edge.xp, method, kind
        self.sigma, self.voxels = sigma, voxels

    def bands(self, details: Mapping[str, Any], factor: int = 1) -> dict[str, Any]:
        """Every band shrunk, times ``factor``."""
        shrunk = {name: self.shrunk(band, self.threshold(band)) for name, band in details.items()}
        if factor != 1:
            for band in shrunk.values():
                band *= band.real.dtype.type(factor)
        return shrunk

    def threshold(self, band: Any) -> float:
        if self.sigma == 0 or band.size == 0:
            return 0.0
        if self.method == "visu":
            return self.sigma * math.sqrt(2 * math.log(self.voxels))
        if self.method == "sure":
            return self.sigma * self._sure(band)
        parts = 2 if band.dtype.kind == "c" else 1
        signal = math.sqrt(max(self._power(band) / (parts * band.size) - self.sigma**2, 0.0))
        return self.sigma**2 / signal if signal > 0 else math.inf

    def _power(self, band: Any) -> float:
        """Sum of squares, in double precision."""
        if band.dtype.kind == "c":
            return self._power(band.real) + self._power(band.imag)
        with np.errstate(over="ignore"):
            power = float(self.xp.square(band).sum(dtype="float64"))
        if math.isfinite(power):
            return power
        return float(self.xp.square(band, dtype="float64").sum())

    def _sure(self, band: Any) -> float:
        """Threshold over sigma of least risk among the details themselves, hybrid rule.

        Risk of soft thresholding at t, over sigma^2, for z of d = 1 (real) or 2 (complex) parts of
        variance 1: ``d n`` plus the sum of ``|z|^2 - 2 d`` where |z| <= t and of
        ``t^2 - 2 (d - 1) t / |z|`` elsewhere.
        """
        xp, n = self.xp, band.size
        parts = 2 if band.dtype.kind == "c" else 1
        universal = math.sqrt(2 * math.log(n)) if n > 1 else 0.0
        excess = self._power(band) / (n * self.sigma**2) - parts
        if n < 2 or excess <= math.log2(n) ** 1.5 / math.sqrt(n):
            return universal
        sizes = xp.sort(abs(band).reshape(-1)).astype(np.float64) / self.sigma
        squares = sizes * sizes
        below = xp.arange(1, n + 1)
        risk = xp.cumsum(squares) - 2 * parts * below + (n - below) * squares
        if parts == 2:
            inverse = 1 / xp.where(sizes > 0, sizes, 1)
            risk -= 2 * sizes * (inverse.sum() - xp.cumsum(inverse))
        risk = xp.where(sizes <= universal, risk, math.inf)
        best = int(xp.argmin(risk))
        return float(sizes[best]) if float(risk[best]) < 0 else 0.0

    def shrunk(self, band: Any, threshold: float) -> Any:
        xp = self.xp
        if threshold == 0:
            return band.copy()
        if not math.isfinite(threshold):
            return xp.zeros_like(band)
        if self.kind == "soft":
            band = xp.ascontiguousarray(band)
            out = xp.empty_like(band)
            self.edge.kernels.soften(band.reshape(-1), threshold, out.reshape(-1))
            return out
        sizes = abs(band)
        if self.kind == "hard":
            return xp.where(sizes >= threshold, band, 0).astype(band.dtype, copy=False)
        ratio = threshold / xp.maximum(sizes, sizes.dtype.type(threshold))
        return band * (1 - ratio * ratio).astype(sizes.dtype, copy=False)
