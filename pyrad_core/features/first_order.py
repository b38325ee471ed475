"""First-order (intensity) statistics of a region."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ._names import Entry, entries
from ._run import family_result
from .region import Region
from .result import Features
from .settings import Settings

__all__ = ["first_order"]

_QUANTILES = (0.10, 0.25, 0.50, 0.75, 0.90)


def first_order(
    image: Any,
    mask: Any,
    *,
    settings: Settings | None = None,
    spacing: Any = None,
    label: int | None = None,
) -> Features:
    """Intensity statistics of the voxels of a mask.

    Parameters
    ----------
    image : array (z, y, x) or (y, x)
        float32, float64 or integers; or an object with ``.data`` and ``.spacing``.
    mask : array of the same shape
        Whole numbers >= 0.
    settings : Settings, optional
    spacing : (z, y, x), optional
        Voxel size in mm. TotalEnergy and resampling need it.
    label : int, optional
        Value of the region in the mask; ``settings.label`` (1) otherwise.

    Returns
    -------
    Features
        Float64 results. Sums run in double precision and do not depend on the number of threads.
        IBSI: 18 statistics, kurtosis is the excess; PyRadiomics: 18, kurtosis is not.
        Percentiles interpolate linearly between ranks. A constant region has skewness and kurtosis
        NaN (IBSI) or 0 (PyRadiomics), with the reason in ``.reasons``.

    Raises
    ------
    DataError
        Empty mask, absent label, NaN in the region, settings that make no sense.
    ShapeError
        Mask and image of different shapes.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.arange(27.0).reshape(3, 3, 3)
    >>> first_order(image, np.ones((3, 3, 3), np.uint8))["Mean"]
    13.0

    References
    ----------
    IBSI reference manual, section 3.4 (UHIW), doi:10.1148/radiol.2020191145.
    """
    return family_result("first_order", image, mask, settings, spacing, label)


@dataclass
class Statistics:
    """Sums and quantiles that the statistics are made of; values of x or of grey levels."""

    n: int
    mean: float
    minimum: float
    maximum: float
    squares: float
    moments: np.ndarray
    quantiles: tuple[float, ...]
    robust: float

    @property
    def variance(self) -> float:
        return self.moments[0] / self.n

    def values(self, excess: bool, flat: float) -> dict[str, float]:
        """Statistics by name; ``flat`` is skewness and kurtosis of a constant region."""
        p10, p25, median, p75, p90 = self.quantiles
        n, variance = self.n, self.variance
        m3, m4 = self.moments[1] / n, self.moments[2] / n
        varies = variance > 0
        return {
            "Mean": self.mean,
            "Variance": variance,
            "Skewness": m3 / variance**1.5 if varies else flat,
            "Kurtosis": m4 / variance**2 - (3 if excess else 0) if varies else flat,
            "Median": median,
            "Minimum": self.minimum,
            "10Percentile": p10,
            "90Percentile": p90,
            "Maximum": self.maximum,
            "InterquartileRange": p75 - p25,
            "Range": self.maximum - self.minimum,
            "MeanAbsoluteDeviation": self.moments[3] / n,
            "RobustMeanAbsoluteDeviation": self.robust,
            "MedianAbsoluteDeviation": self.moments[4] / n,
            "CoefficientOfVariation": np.sqrt(variance) / self.mean if self.mean else np.nan,
            "QuartileCoefficientOfDispersion": (p75 - p25) / (p75 + p25) if p75 + p25 else np.nan,
            "Energy": self.squares,
            "RootMeanSquared": np.sqrt(self.squares / n),
        }


def statistics(xp: Any, kernels: Any, values: Any, sums: tuple[float, ...]) -> Statistics:
    """Two more passes over contiguous values whose sum, extremes and squares are known."""
    total, low, high, squares = sums
    n = values.size
    mean = total / n
    if low == high:
        mean = low  # exact: the deviations of a constant region are 0
    quantiles = _quantiles(xp, kernels, values, low, high)
    p10, _, median, _, p90 = quantiles
    out = xp.empty(7, np.float64)
    kernels.value_moments(values, mean, median, p10, p90, out)
    moments = np.array([float(v) for v in out])
    kept, offset = moments[5], moments[6]
    centre = mean + offset / kept
    robust = kernels.value_deviation(values, centre, p10, p90) / kept
    return Statistics(n, mean, low, high, squares, moments, quantiles, robust)


def _quantiles(xp: Any, kernels: Any, values: Any, low: float, high: float) -> tuple[float, ...]:
    """Linear interpolation between the two nearest ranks (numpy.percentile's default)."""
    at = np.array(_QUANTILES) * (values.size - 1)
    below = np.floor(at).astype(np.int64)
    above = np.minimum(below + 1, values.size - 1)
    ranks = xp.asarray(np.concatenate([below, above]))
    out = xp.empty(ranks.size, np.float64)
    kernels.order_statistics(values, low, high, ranks, out)
    found = np.array([float(v) for v in out])
    left, right = found[: len(at)], found[len(at) :]
    part = at - below
    mixed = np.where(part < 0.5, left + (right - left) * part, right - (right - left) * (1 - part))
    return tuple(float(v) for v in mixed)


def compute(region: Region) -> tuple[dict[Entry, float], dict[str, str]]:
    """(values, reasons) of the family's entries."""
    settings = region.settings
    ibsi = settings.conventions == "ibsi"
    found = statistics(region.xp, region.kernels, region.intensities, region.sums)
    values = found.values(excess=ibsi, flat=np.nan if ibsi else 0.0)
    reasons: dict[str, str] = {}
    if not ibsi:
        share = region.levels(0).counts / found.n
        share = share[share > 0]
        values["Entropy"] = float(-(share * np.log2(share)).sum()) + 0.0
        values["Uniformity"] = float((share**2).sum())
        volume = np.nan if region.spacing is None else float(np.prod(region.spacing))
        values["TotalEnergy"] = found.squares * volume
        if region.spacing is None:
            reasons["TotalEnergy"] = "the voxel size is unknown; pass spacing="
    if not found.variance > 0:
        reasons["Skewness"] = reasons["Kurtosis"] = "all intensities are equal"
    for name, zero in (
        ("CoefficientOfVariation", "the mean is 0"),
        ("QuartileCoefficientOfDispersion", "the quartiles add to 0"),
    ):
        if np.isnan(values[name]):
            reasons[name] = zero
    chosen = entries("first_order", settings.conventions)
    return {entry: values[entry.name] for entry in chosen}, reasons
