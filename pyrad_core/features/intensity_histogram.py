"""Intensity histogram features: statistics of the grey levels of a region."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._names import Entry, entries
from ._run import family_result
from .first_order import QUANTILES, Sums, shares
from .region import Region
from .result import Features
from .settings import Settings

__all__ = ["intensity_histogram"]


def intensity_histogram(
    image: Any,
    mask: Any,
    *,
    settings: Settings | None = None,
    spacing: Any = None,
    label: int | None = None,
) -> Features:
    """Statistics of the discretised intensities, and of their histogram's shape (IBSI: ZVCW).

    Arguments, errors and dtype rules as :func:`~pyrad_core.features.first_order`; the grey levels
    come from ``settings.discretisation``. Levels count from 1; ties of the mode go to the level
    nearest to the mean. Of a single level, the histogram's gradient is NaN.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.array([[[1, 1, 2, 3]]], np.float32)
    >>> settings = Settings(discretisation=None)
    >>> intensity_histogram(image, np.ones_like(image), settings=settings)["ih_mode"]
    1.0

    References
    ----------
    IBSI reference manual, section 3.5, doi:10.1148/radiol.2020191145.
    """
    return family_result("intensity_histogram", image, mask, settings, spacing, label)


def compute(region: Region) -> tuple[dict[Entry, float], dict[str, str]]:
    """(values, reasons) of the family's entries."""
    levels = region.levels(0)
    found = _level_sums(levels.counts)
    found.entropy, found.uniformity = shares(levels.counts)
    values = found.values(excess=3.0, flat=np.nan)
    values["Mode"] = _mode(levels.counts, found.mean)
    reasons: dict[str, str] = {}
    if found.constant:
        reasons["Skewness"] = reasons["Kurtosis"] = "all grey levels are equal"
    if np.isnan(values["RobustMeanAbsoluteDeviation"]):
        reasons["RobustMeanAbsoluteDeviation"] = (
            "no level lies between the 10th and 90th percentiles"
        )
    gradient = _gradient(levels.counts)
    for name, pick in (("Maximum", np.argmax), ("Minimum", np.argmin)):
        at = int(pick(gradient)) if gradient.size else -1
        values[f"{name}Gradient"] = float(gradient[at]) if gradient.size else np.nan
        values[f"{name}GradientIntensity"] = at + 1.0 if gradient.size else np.nan
        if not gradient.size:
            reasons[f"{name}Gradient"] = "the histogram has a single bin"
            reasons[f"{name}GradientIntensity"] = "the histogram has a single bin"
    chosen = entries("intensity_histogram", region.settings.conventions)
    return {entry: values[entry.name] for entry in chosen}, reasons


def _level_sums(counts: np.ndarray) -> Sums:
    """The sums of first_order over the levels, from their counts."""
    level = np.flatnonzero(counts) + 1.0
    weight = counts[counts > 0].astype(np.float64)
    n = weight.sum()
    mean = float(weight @ level / n)
    p10, p25, median, p75, p90 = _quantiles(level, weight)
    second, third, fourth = (float(weight @ (level - mean) ** k) for k in (2, 3, 4))
    inner = (level >= p10) & (level <= p90)
    robust = np.nan
    if inner.any():
        kept, among = weight[inner], level[inner]
        robust = float(kept @ np.abs(among - kept @ among / kept.sum()) / kept.sum())
    return Sums(
        float(n), mean, level[0], level[-1], float(weight @ level**2), second, third, fourth,
        float(weight @ np.abs(level - mean)), float(weight @ np.abs(level - median)),
        p10, p25, median, p75, p90, robust,
    )  # fmt: skip


def _quantiles(level: np.ndarray, weight: np.ndarray) -> tuple[float, ...]:
    """Linear interpolation between the two nearest ranks, as in first_order."""
    last = np.cumsum(weight)  # ranks below last[k] have at most the k-th level
    at = np.array(QUANTILES) * (last[-1] - 1)
    below = np.floor(at)
    left, right = (
        level[np.searchsorted(last, rank, side="right")]
        for rank in (below, np.minimum(below + 1, last[-1] - 1))
    )
    return tuple(float(v) for v in left + (right - left) * (at - below))


def _mode(counts: np.ndarray, mean: float) -> float:
    """The most frequent level; of several, the one nearest to the mean, then the lower."""
    best = np.flatnonzero(counts == counts.max()) + 1
    return float(best[np.argmin(np.abs(best - mean))])


def _gradient(counts: np.ndarray) -> np.ndarray:
    """Central differences of the counts, one-sided at both ends, for levels 1 .. ng."""
    return np.gradient(counts.astype(np.float64)) if len(counts) > 1 else np.empty(0)
