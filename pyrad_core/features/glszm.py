"""Features of the grey level size zone matrix (GLSZM)."""

from __future__ import annotations

from typing import Any

from ._names import Entry
from ._run import family_result
from ._sizes import mean_features, named
from ._zones import SIZE, zone_tables
from .region import Region
from .result import Features
from .settings import Settings

__all__ = ["glszm"]


def glszm(
    image: Any,
    mask: Any,
    *,
    settings: Settings | None = None,
    spacing: Any = None,
    label: int | None = None,
) -> Features:
    """Grey level size zone features: how many voxels of one level hang together.

    Arguments, errors and dtype rules as :func:`~pyrad_core.features.first_order`. The settings
    ``discretisation`` and ``aggregation`` (2D, 2.5D or 3D) apply.

    Notes
    -----
    Zones are connected through 26 neighbours in 3D, through 8 in the slice otherwise; 2D averages
    the features over the slices, 2.5D merges the slices' tables.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.array([[[1, 1, 2, 1]]], np.float32)
    >>> settings = Settings(discretisation=None)
    >>> glszm(image, np.ones_like(image), settings=settings)["ZonePercentage"]
    0.75

    References
    ----------
    Thibault et al., Int. J. Pattern Recogn. Artif. Intell. 27 (2013) 1357002,
    doi:10.1142/S0218001413570024.
    IBSI reference manual, section 3.8 (9SAK), doi:10.1148/radiol.2020191145.
    """
    return family_result("glszm", image, mask, settings, spacing, label)


def compute(region: Region) -> tuple[dict[Entry, float], dict[str, str]]:
    """(values, reasons) of the family's entries."""
    columns = mean_features(region, zone_tables(region, SIZE))
    return named("glszm", columns, region.settings.conventions), {}
