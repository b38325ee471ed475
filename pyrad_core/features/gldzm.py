"""Features of the grey level distance zone matrix (GLDZM)."""

from __future__ import annotations

from typing import Any

from ._names import Entry
from ._run import family_result
from ._sizes import mean_features, named
from ._zones import DISTANCE, zone_tables
from .region import Region
from .result import Features
from .settings import Settings

__all__ = ["gldzm"]


def gldzm(
    image: Any,
    mask: Any,
    *,
    settings: Settings | None = None,
    spacing: Any = None,
    label: int | None = None,
) -> Features:
    """Grey level distance zone features: how far zones of one level lie from the region's border.

    Arguments, errors and dtype rules as :func:`~pyrad_core.features.first_order`. The settings
    ``discretisation`` and ``aggregation`` (2D, 2.5D or 3D) apply.

    Notes
    -----
    Zones as for :func:`~pyrad_core.features.glszm`. A zone's distance is the smallest city-block
    distance of its voxels to the outside of the morphological mask (before re-segmentation): 1 at
    the border; outside the image is outside. In 2D and 2.5D distances stay in the slice.
    PyRadiomics has no such family.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.ones((5, 5, 5), np.float32)
    >>> image[2, 2, 2] = 2
    >>> settings = Settings(discretisation=None)
    >>> gldzm(image, np.ones_like(image), settings=settings)["LargeDistanceEmphasis"]
    5.0

    References
    ----------
    Thibault, Angulo & Meyer, IEEE Trans. Biomed. Eng. 61 (2014) 630,
    doi:10.1109/TBME.2013.2284600.
    IBSI reference manual, section 3.9 (VMDZ), doi:10.1148/radiol.2020191145.
    """
    return family_result("gldzm", image, mask, settings, spacing, label)


def compute(region: Region) -> tuple[dict[Entry, float], dict[str, str]]:
    """(values, reasons) of the family's entries."""
    columns = mean_features(region, zone_tables(region, DISTANCE))
    return named("gldzm", columns, region.settings.conventions), {}
