"""First-order (intensity) statistics of a region."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .._kernels.select import cpu_kernels
from ._names import ENTRIES, Entry, entries
from ._run import family_result
from .region import Region
from .result import Features
from .settings import Settings

__all__ = ["first_order"]

QUANTILES = (0.10, 0.25, 0.50, 0.75, 0.90)
_UNDEFINED = {
    "RobustMeanAbsoluteDeviation": "no intensity lies between the 10th and 90th percentiles",
    "CoefficientOfVariation": "the mean is 0",
    "QuartileCoefficientOfDispersion": "the quartiles add to 0",
}


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
class Sums:
    """What the statistics are made of: the fields of FirstOrderSums in csrc/texture, in order."""

    n: float
    mean: float
    minimum: float
    maximum: float
    squares: float
    second: float
    third: float
    fourth: float
    absolute: float
    about_median: float
    p10: float
    p25: float
    median: float
    p75: float
    p90: float
    robust: float
    entropy: float = np.nan
    uniformity: float = np.nan
    voxel_volume: float = np.nan

    @property
    def constant(self) -> bool:
        return not self.second > 0

    def values(self, excess: float, flat: float) -> dict[str, float]:
        """Statistics by name; ``flat`` is skewness and kurtosis of a constant region."""
        out = np.empty(len(ENTRIES["first_order"]))
        cpu_kernels().first_order_features(np.array(list(vars(self).values())), excess, flat, out)
        return {e.name: float(v) for e, v in zip(ENTRIES["first_order"], out, strict=True)}


def value_sums(xp: Any, kernels: Any, values: Any, sums: tuple[float, ...]) -> Sums:
    """Three more passes over contiguous values whose sum, extremes and squares are known."""
    total, low, high, squares = sums
    n = values.size
    mean = low if low == high else total / n  # exact: a constant region deviates by 0
    quantiles = _quantiles(xp, kernels, values, low, high)
    p10, _, median, _, p90 = quantiles
    out = xp.empty(7, np.float64)
    kernels.value_moments(values, mean, median, p10, p90, out)
    second, third, fourth, absolute, about_median, kept, offset = (float(v) for v in out)
    robust = np.nan
    if kept:
        robust = kernels.value_deviation(values, mean + offset / kept, p10, p90) / kept
    moments = (second, third, fourth, absolute, about_median)
    return Sums(*(float(n), mean, low, high, squares, *moments, *quantiles, robust))


def _quantiles(xp: Any, kernels: Any, values: Any, low: float, high: float) -> tuple[float, ...]:
    """Linear interpolation between the two nearest ranks (numpy.percentile's default)."""
    at = np.array(QUANTILES) * (values.size - 1)
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


def shares(counts: np.ndarray) -> tuple[float, float]:
    """(entropy in bits, uniformity) of the counts of grey levels."""
    share = counts[counts > 0] / counts.sum()
    return float(-(share * np.log2(share)).sum()) + 0.0, float((share**2).sum())


def compute(region: Region) -> tuple[dict[Entry, float], dict[str, str]]:
    """(values, reasons) of the family's entries."""
    settings = region.settings
    ibsi = settings.conventions == "ibsi"
    sums = value_sums(region.xp, region.kernels, region.intensities, region.sums)
    reasons: dict[str, str] = {}
    if not ibsi:
        sums.entropy, sums.uniformity = shares(region.levels(0).counts)
        if region.spacing is None:
            reasons["TotalEnergy"] = "the voxel size is unknown; pass spacing="
        else:
            sums.voxel_volume = float(np.prod(region.spacing))
    values = sums.values(*kurtosis_rule(settings))
    if sums.constant:
        reasons["Skewness"] = reasons["Kurtosis"] = "all intensities are equal"
    for name, reason in _UNDEFINED.items():
        if np.isnan(values[name]):
            reasons[name] = reason
    chosen = entries("first_order", settings.conventions)
    return {entry: values[entry.name] for entry in chosen}, reasons


def kurtosis_rule(settings: Settings) -> tuple[float, float]:
    """(what is subtracted, value of constant regions)."""
    excess = settings.rule("kurtosis") == "excess"
    return 3.0 if excess else 0.0, np.nan if settings.rule("undefined") == "nan" else 0.0
