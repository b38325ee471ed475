"""Features of the neighbourhood grey tone difference matrix (NGTDM)."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._names import ENTRIES, Entry
from ._neighbourhood import neighbourhood_tables, tone_differences
from ._run import family_result
from .region import Region
from .result import Features
from .settings import Settings

__all__ = ["ngtdm"]


def ngtdm(
    image: Any,
    mask: Any,
    *,
    settings: Settings | None = None,
    spacing: Any = None,
    label: int | None = None,
) -> Features:
    """Neighbourhood grey tone differences: how much a level differs from its neighbours' mean.

    Arguments, errors and dtype rules as :func:`~pyrad_core.features.first_order`. The settings
    ``discretisation``, ``aggregation`` (2D, 2.5D or 3D), ``distances`` and ``neighbourhood_norm``
    apply.

    Notes
    -----
    With p_i the share of level i, s_i the sum of ``|i - mean of the neighbours|`` and N voxels:
    Coarseness = 1 / sum p_i s_i (10^6 where that sum is 0), Contrast = sum_ij p_i p_j (i - j)^2 /
    (g (g - 1)) * sum s_i / N with g levels present,
    ``Busyness = sum p_i s_i / sum_ij |i p_i - j p_j|``,
    ``Complexity = sum_ij |i - j| (p_i s_i + p_j s_j) / (p_i + p_j) / N``, Strength =
    sum_ij (p_i + p_j) (i - j)^2 / sum s_i. A region of one level has 0 in the last four.
    IBSI leaves out voxels without neighbours, PyRadiomics counts them. IBSI's neighbourhood holds
    all voxels up to the distance, PyRadiomics' those at the listed distances. Sums are exact
    integers per number of neighbours, so that they do not depend on threads or device.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.array([[[1, 2], [1, 2]]], np.float32)
    >>> settings = Settings(discretisation=None, aggregation="2D")
    >>> round(ngtdm(image, np.ones_like(image), settings=settings)["Coarseness"], 3)
    0.75

    References
    ----------
    Amadasun & King, IEEE Trans. SMC 19 (1989) 1264, doi:10.1109/21.44046.
    IBSI reference manual, section 3.10 (IPET), doi:10.1148/radiol.2020191145.
    """
    return family_result("ngtdm", image, mask, settings, spacing, label)


def compute(region: Region) -> tuple[dict[Entry, float], dict[str, str]]:
    """(values, reasons) of the family's entries."""
    settings = region.settings
    in_plane = settings.dimension != "3D"
    tones, _ = neighbourhood_tables(region, settings.dimension == "2D", in_plane)
    number, difference = tone_differences(tones, settings.rule("lone_voxels") == "counted")
    ng = number.shape[-1]
    rows = np.empty((number.size // ng, 5))
    region.kernels.ngtdm_features(
        np.ascontiguousarray(number.reshape(-1, ng), np.float64),
        np.ascontiguousarray(difference.reshape(-1, ng), np.float64),
        rows,
    )
    rows = rows[~np.isnan(rows[:, 0])]
    columns = np.mean(rows, axis=0) if len(rows) else np.full(5, np.nan)
    reasons: dict[str, str] = {}
    chosen = ENTRIES["ngtdm"]
    if not len(rows):
        reason = "no voxel of the region has a neighbour at these distances"
        reasons = {entry.name: reason for entry in chosen}
    elif not difference.any():
        reasons["Coarseness"] = "no voxel differs from its neighbours"
    return dict(zip(chosen, map(float, columns), strict=True)), reasons
