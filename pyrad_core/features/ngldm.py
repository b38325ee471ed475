"""Features of the neighbouring grey level dependence matrix (NGLDM; PyRadiomics: GLDM)."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._names import Entry
from ._neighbourhood import neighbourhood_tables
from ._run import family_result
from ._sizes import host, mean_features, named
from .region import Region
from .result import Features
from .settings import Settings

__all__ = ["ngldm"]


def ngldm(
    image: Any,
    mask: Any,
    *,
    settings: Settings | None = None,
    spacing: Any = None,
    label: int | None = None,
) -> Features:
    """Grey level dependence features: how many neighbours resemble a voxel.

    Arguments, errors and dtype rules as :func:`~pyrad_core.features.first_order`. The settings
    ``discretisation``, ``aggregation`` (2D, 2.5D or 3D), ``distances``, ``neighbourhood_norm`` and
    ``gldm_alpha`` apply.

    Notes
    -----
    A neighbour depends on a voxel if their levels differ by at most ``gldm_alpha``; the dependence
    count includes the voxel itself, so it begins at 1. IBSI's neighbourhood holds all voxels up to
    the distance, PyRadiomics' those at the listed distances.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.array([[[1, 1, 2]]], np.float32)
    >>> settings = Settings(discretisation=None)
    >>> ngldm(image, np.ones_like(image), settings=settings)["LargeDependenceEmphasis"]
    3.0

    References
    ----------
    Sun & Wee, CVGIP 23 (1983) 341, doi:10.1016/0734-189X(83)90032-4.
    IBSI reference manual, section 3.11 (REK0), doi:10.1148/radiol.2020191145.
    """
    return family_result("ngldm", image, mask, settings, spacing, label)


def compute(region: Region) -> tuple[dict[Entry, float], dict[str, str]]:
    """(values, reasons) of the family's entries."""
    dimension = region.settings.dimension
    _, tables = neighbourhood_tables(region, dimension == "2D", dimension != "3D")
    tables = tables if tables.ndim == 3 else tables[None]
    sizes = np.arange(1.0, tables.shape[-1] + 1)
    voxels = tables.sum(axis=(1, 2)).astype(np.float64)
    columns = mean_features(region, [(tables, sizes, host(voxels))])
    return named("ngldm", columns, region.settings.conventions), {}
