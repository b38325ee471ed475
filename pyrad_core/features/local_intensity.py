"""Local intensity: mean intensities of spheres of 1 cm^3."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from ._names import ENTRIES, Entry
from ._run import PEAK_RADIUS_MM, family_result
from .region import Region
from .result import Features
from .settings import Settings

__all__ = ["local_intensity"]


def local_intensity(
    image: Any,
    mask: Any,
    *,
    settings: Settings | None = None,
    spacing: Any = None,
    label: int | None = None,
) -> Features:
    """Local and global intensity peak: largest mean of a sphere of 1 cm^3 (radius 6.2 mm).

    Arguments, errors and dtype rules as :func:`~pyrad_core.features.first_order`; the voxel size
    must be known (else NaN with a reason).

    Notes
    -----
    A sphere holds the voxels whose centres lie within its radius, also those outside the region,
    as far as the image goes; NaN outside the region is left out. LocalPeak is centred on the
    voxel of the largest intensity (of several, the highest mean counts), GlobalPeak on any voxel of
    the region. The region is the intensity mask.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.full((9, 9, 9), 3.0)
    >>> local_intensity(image, np.ones((9, 9, 9), np.uint8), spacing=2.0)["GlobalPeak"]
    3.0

    References
    ----------
    IBSI reference manual, section 3.2 (9ST6), doi:10.1148/radiol.2020191145.
    """
    return family_result("local_intensity", image, mask, settings, spacing, label)


def compute(region: Region) -> tuple[dict[Entry, float], dict[str, str]]:
    """(values, reasons) of the family's entries."""
    chosen = ENTRIES["local_intensity"]
    if region.spacing is None:
        reason = "the voxel size is unknown; pass spacing="
        return dict.fromkeys(chosen, np.nan), {entry.name: reason for entry in chosen}
    xp = region.xp
    means = xp.empty(region.count, np.float64)
    chords = xp.asarray(sphere_chords(region.spacing, PEAK_RADIUS_MM))
    around = xp.ascontiguousarray(region.around)
    region.kernels.sphere_means(around, region.mask, region.inner, chords, means)
    top = region.intensities == region.intensities.max()
    peaks = float(means[top].max()), float(means.max())
    return dict(zip(chosen, peaks, strict=True)), {}


def sphere_chords(spacing: tuple[float, float, float], radius: float) -> np.ndarray:
    """(n, 3) int32 of (dz, dy, h): voxels x - h .. x + h of these rows lie in the sphere."""
    dz, dy, dx = spacing
    square = radius**2 * (1 + 1e-12)
    chords = []
    reach = int(radius / dz), int(radius / dy)
    for z, y in itertools.product(*(range(-n, n + 1) for n in reach)):
        rest = square - (z * dz) ** 2 - (y * dy) ** 2
        if rest >= 0:
            chords.append((z, y, int(np.sqrt(rest) / dx)))
    return np.array(chords, dtype=np.int32)
