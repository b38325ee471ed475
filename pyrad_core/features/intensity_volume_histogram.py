"""Intensity-volume histogram: which part of the region has at least an intensity."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ._names import ENTRIES, Entry
from ._run import family_result
from ._sizes import host
from .region import Region
from .result import Features
from .settings import Settings

__all__ = ["intensity_volume_histogram"]

_MOST_LEVELS = 1 << 24


def intensity_volume_histogram(
    image: Any,
    mask: Any,
    *,
    settings: Settings | None = None,
    spacing: Any = None,
    label: int | None = None,
) -> Features:
    """Intensity-volume histogram features (IBSI: P88C).

    Arguments, errors and dtype rules as :func:`~pyrad_core.features.first_order`. The levels come
    from ``settings.ivh_discretisation``: None takes the intensities as they are, in steps of 1 if
    all are whole numbers; ("fbs", width) the centres of bins; ("fbn", bins) the bin numbers.

    Notes
    -----
    v(i) is the fraction of voxels with intensity i or more, the intensity fraction of i its place
    between the lowest and the highest level (those of the re-segmentation range, where it is
    given and the levels are intensities). VolumeAtIntensityFraction10 is v at the lowest level
    whose fraction is at least 0.10; IntensityAtVolumeFraction10 the lowest level with v at most
    0.10. AreaUnderCurve is the trapezoidal area under v over the intensity fraction, NaN for a
    single level; IBSI has not standardised it.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.array([[[1, 1, 2, 3, 4]]], np.float32)
    >>> found = intensity_volume_histogram(image, np.ones_like(image))
    >>> found["ivh_v10"], found["ivh_i90"]
    (0.6, 2.0)

    References
    ----------
    IBSI reference manual, section 3.5, doi:10.1148/radiol.2020191145.
    """
    return family_result("intensity_volume_histogram", image, mask, settings, spacing, label)


def compute(region: Region) -> tuple[dict[Entry, float], dict[str, str]]:
    """(values, reasons) of the family's entries."""
    levels, counts = _histogram(region)
    total = counts.sum()
    at_least = (total - np.concatenate([[0], np.cumsum(counts)[:-1]])) / total
    reach = levels[-1] - levels[0]
    fraction = (levels - levels[0]) / reach if reach > 0 else np.zeros(len(levels))

    def volume(x: float) -> float:
        return float(at_least[np.argmax(fraction >= x - 1e-12)]) if reach > 0 else np.nan

    def intensity(x: float) -> float:
        few = np.flatnonzero(at_least <= x + 1e-12)
        if len(few):
            return float(levels[few[0]])
        step = levels[-1] - levels[-2] if len(levels) > 1 else 1.0
        return float(levels[-1] + step)

    v10, v90, i10, i90 = volume(0.1), volume(0.9), intensity(0.1), intensity(0.9)
    area = float(np.trapezoid(at_least, fraction)) if reach > 0 else np.nan
    values = (v10, v90, i10, i90, v10 - v90, i10 - i90, area)
    chosen = ENTRIES["intensity_volume_histogram"]
    reason = "the histogram has a single level"
    reasons = {e.name: reason for e, v in zip(chosen, values, strict=True) if np.isnan(v)}
    return dict(zip(chosen, values, strict=True)), reasons


def _histogram(region: Region) -> tuple[np.ndarray, np.ndarray]:
    """(levels in ascending order, voxels of each)."""
    rule = region.settings.ivh_discretisation
    if rule is None:
        return _whole_steps(region)
    settings = region.settings.replace(discretisation=rule, bin_edges="ibsi")
    levels = replace(region, settings=settings).levels(0)
    number = np.arange(1.0, levels.ng + 1)
    kind, width = rule
    if kind == "fbn":
        return number, levels.counts
    minimum = region.sums[1]
    low = minimum if region.lower is None else min(region.lower, minimum)
    return _up_to_range(region, low + (number - 0.5) * width, levels.counts, width)


def _whole_steps(region: Region) -> tuple[np.ndarray, np.ndarray]:
    xp, values = region.xp, region.intensities
    _, low, high, _ = region.sums
    whole = bool((xp.rint(values) == values).all()) and high - low < _MOST_LEVELS
    if not whole:
        levels, counts = xp.unique(values, return_counts=True)
        return host(levels).astype(np.float64), host(counts)
    start = low if region.lower is None else min(low, np.ceil(region.lower))
    counts = host(xp.bincount((values - start).astype(np.int64)))
    return _up_to_range(region, start + np.arange(len(counts)), counts, 1.0)


def _up_to_range(
    region: Region, levels: np.ndarray, counts: np.ndarray, step: float
) -> tuple[np.ndarray, np.ndarray]:
    """Empty levels up to the upper end of the re-segmentation range."""
    top = (region.settings.resegment_range or (None, None))[1]
    if top is None or region.lower is None:
        return levels, counts
    missing = int(np.floor((top - levels[-1]) / step + 0.5))
    if missing <= 0:
        return levels, counts
    more = levels[-1] + step * np.arange(1, missing + 1)
    return np.concatenate([levels, more]), np.concatenate([counts, np.zeros(missing, int)])
