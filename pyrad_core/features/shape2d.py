"""Shape of a region in one slice."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._kernels.select import cpu_kernels
from ._names import ENTRIES, Entry
from ._run import family_result
from .region import Region
from .result import Features
from .settings import Settings
from .shape import principal_moments, shape_mask

__all__ = ["shape2d"]


def shape2d(
    image: Any,
    mask: Any,
    *,
    settings: Settings | None = None,
    spacing: Any = None,
    label: int | None = None,
) -> Features:
    """Area, perimeter, diameter and axes of a region that lies in one slice.

    Arguments, errors and dtype rules as :func:`~pyrad_core.features.first_order`; the voxel size
    must be known, and the region one slice thick across ``settings.slice_axis`` (else NaN with a
    reason). Computed once, for the first image of ``settings.filters``.

    Notes
    -----
    The outline is marching squares at 0.5, where diagonal pixels stay apart. Definitions are
    PyRadiomics' (IBSI has no shape in two dimensions): MaximumDiameter is the largest distance of
    two vertices, axis lengths are 4 sqrt(eigenvalue) of the covariance of the pixel centres.

    Examples
    --------
    >>> import numpy as np
    >>> found = shape2d(np.ones((4, 4)), np.ones((4, 4), np.uint8), spacing=(1, 1))
    >>> found["PixelSurface"], found["MeshSurface"]
    (16.0, 15.5)

    References
    ----------
    van Griethuysen et al., Cancer Research 77 (2017) e104, doi:10.1158/0008-5472.CAN-17-0339.
    """
    return family_result("shape2d", image, mask, settings, spacing, label)


def compute(region: Region) -> tuple[dict[Entry, float], dict[str, str]]:
    """(values, reasons) of the family's entries."""
    chosen = ENTRIES["shape2d"]
    mask, _ = shape_mask(region)
    reason = "the region is a point"
    if region.spacing is None:
        reason = "the voxel size is unknown; pass spacing="
    elif mask.shape[0] > 1:
        reason = f"the region spans {mask.shape[0]} slices"
    if region.spacing is None or mask.shape[0] > 1:
        return dict.fromkeys(chosen, np.nan), {entry.name: reason for entry in chosen}
    values = _values(mask, region.spacing)
    reasons = {entry.name: reason for entry in chosen if np.isnan(values[entry.name])}
    return {entry: values[entry.name] for entry in chosen}, reasons


def _values(mask: np.ndarray, spacing: tuple[float, float, float]) -> dict[str, float]:
    surface, perimeter = _outline(mask[0] != 0, spacing[1], spacing[2])
    count, _, moments = principal_moments(mask, (1.0, *spacing[1:]))
    minor, major = 4 * np.sqrt(moments[1:])
    vertices = np.empty((6 * (2 * mask.shape[1] + 1), 3), np.int32)
    diameter = cpu_kernels().mesh_shape(mask, (1e-3, *spacing[1:]), vertices)[2]
    sphericity = 2 * np.sqrt(np.pi * surface) / perimeter
    return {
        "MeshSurface": surface,
        "PixelSurface": count * spacing[1] * spacing[2],
        "Perimeter": perimeter,
        "PerimeterSurfaceRatio": perimeter / surface,
        "Sphericity": float(sphericity),
        "MaximumDiameter": diameter,
        "MajorAxisLength": float(major),
        "MinorAxisLength": float(minor),
        "Elongation": float(minor / major) if major else np.nan,
    }


def _outline(inside: np.ndarray, height: float, width: float) -> tuple[float, float]:
    """(area, perimeter) of marching squares: each cell's share depends on its pattern alone."""
    m = np.pad(inside, 1).astype(np.int64)
    above, below = m[:-1, :-1] + m[:-1, 1:], m[1:, :-1] + m[1:, 1:]
    left = m[:-1, :-1] + m[1:, :-1]
    number = above + below
    two = number == 2
    lying = int((two & ((above == 2) | (below == 2))).sum())
    standing = int((two & ((left == 2) | (left == 0))).sum())
    diagonal = int(two.sum()) - lying - standing
    one, three, four = (int((number == k).sum()) for k in (1, 3, 4))
    cells = one / 8 + (lying + standing) / 2 + diagonal / 4 + three * 7 / 8 + four
    slanted = (one + three + 2 * diagonal) * np.hypot(height, width) / 2
    return cells * height * width, float(lying * width + standing * height + slanted)
