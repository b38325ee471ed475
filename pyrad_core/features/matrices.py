"""The raw count matrices behind the texture families."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._neighbourhood import neighbourhood_tables, tone_differences
from ._run import settings_of
from ._zones import DISTANCE, SIZE, zone_table, zones_of
from .glcm import count_tables
from .glrlm import count_runs, longest_run
from .offsets import half_offsets
from .preprocess import prepare
from .region import Region
from .settings import Settings

__all__ = ["glcm", "gldzm", "glrlm", "glszm", "ngldm", "ngtdm"]


def glcm(
    image: Any,
    mask: Any,
    *,
    settings: Settings | None = None,
    spacing: Any = None,
    label: int | None = None,
    by_slice: bool = False,
) -> tuple[Any, np.ndarray]:
    """Co-occurrence counts of a region, not normalised.

    Parameters
    ----------
    image, mask, settings, spacing, label
        As :func:`pyrad_core.features.extract`; filters do not apply.
    by_slice : bool
        Count the in-plane offsets per slice of the region's box.

    Returns
    -------
    counts : array (offset, ng, ng), or (slice, offset, ng, ng)
        uint32 (uint64 from 2^31 voxels on); ``counts[..., i - 1, j - 1]`` pairs of levels i and j;
        symmetric if ``settings.symmetric``.
    offsets : array (offset, 3)
        Steps (z, y, x) in voxels from i to j: half of the directions.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.array([[[1, 2, 2]]], np.float32)
    >>> counts, offsets = glcm(image, np.ones_like(image), settings=Settings(discretisation=None))
    >>> counts[(offsets == (0, 0, 1)).all(axis=1)][0].tolist()
    [[0, 1], [1, 2]]
    """
    region = _region(image, mask, settings, spacing, label)
    settings = region.settings
    flat = by_slice or not settings.aggregation.startswith("3D")
    offsets = half_offsets(settings.distances, in_plane=flat)
    levels = region.levels(max(settings.distances))
    counts = count_tables(region, levels, offsets, by_slice)
    if settings.symmetric:
        counts = counts + counts.swapaxes(-1, -2)
    return counts, offsets.copy()


def glrlm(
    image: Any,
    mask: Any,
    *,
    settings: Settings | None = None,
    spacing: Any = None,
    label: int | None = None,
    by_slice: bool = False,
) -> tuple[Any, np.ndarray]:
    """Run length counts of a region.

    Parameters
    ----------
    image, mask, settings, spacing, label
        As :func:`pyrad_core.features.extract`; filters do not apply.
    by_slice : bool
        Count the in-plane directions per slice of the region's box.

    Returns
    -------
    counts : array (offset, ng, length), or (slice, offset, ng, length)
        uint64; ``counts[..., i - 1, r - 1]`` runs of level i and length r.
    offsets : array (offset, 3)
        Directions (z, y, x).

    Examples
    --------
    >>> import numpy as np
    >>> image = np.array([[[1, 2, 2]]], np.float32)
    >>> counts, offsets = glrlm(image, np.ones_like(image), settings=Settings(discretisation=None))
    >>> counts[(offsets == (0, 0, 1)).all(axis=1)][0].tolist()
    [[1, 0, 0], [0, 1, 0]]
    """
    region = _region(image, mask, settings, spacing, label)
    flat = by_slice or not region.settings.aggregation.startswith("3D")
    offsets = half_offsets((1,), in_plane=flat)
    levels = region.levels(1)
    counts = count_runs(region, levels, offsets, by_slice, longest_run(levels, by_slice))
    return counts, offsets.copy()


def ngtdm(
    image: Any,
    mask: Any,
    *,
    settings: Settings | None = None,
    spacing: Any = None,
    label: int | None = None,
    by_slice: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """Neighbourhood grey tone differences of a region.

    Arguments as :func:`glcm`; ``by_slice`` takes the neighbours in the slice, per slice.

    Returns
    -------
    number : array (ng,) or (slice, ng)
        Voxels n_i of level i that have a neighbour in the region (PyRadiomics: all voxels).
    difference : array (ng,) or (slice, ng)
        Their sum s_i of |i - mean of the neighbours|, float64.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.array([[[1, 2, 2]]], np.float32)
    >>> ngtdm(image, np.ones_like(image), settings=Settings(discretisation=None))
    (array([1, 2], dtype=uint64), array([1. , 0.5]))
    """
    region = _region(image, mask, settings, spacing, label)
    flat = by_slice or region.settings.dimension != "3D"
    tones, _ = neighbourhood_tables(region, by_slice, flat)
    return tone_differences(tones, region.settings.rule("lone_voxels") == "counted")


def ngldm(
    image: Any,
    mask: Any,
    *,
    settings: Settings | None = None,
    spacing: Any = None,
    label: int | None = None,
    by_slice: bool = False,
) -> Any:
    """Dependence counts of a region: (ng, n + 1) or (slice, ng, n + 1) for n neighbours, uint64.

    Arguments as :func:`glcm`; ``by_slice`` takes the neighbours in the slice, per slice.
    ``counts[..., i - 1, k - 1]`` voxels of level i have k - 1 neighbours like them.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.array([[[1, 2, 2]]], np.float32)
    >>> counts = ngldm(image, np.ones_like(image), settings=Settings(discretisation=None))
    >>> counts[:, :3].tolist()
    [[1, 0, 0], [0, 2, 0]]
    """
    region = _region(image, mask, settings, spacing, label)
    flat = by_slice or region.settings.dimension != "3D"
    return neighbourhood_tables(region, by_slice, flat)[1]


def glszm(
    image: Any,
    mask: Any,
    *,
    settings: Settings | None = None,
    spacing: Any = None,
    label: int | None = None,
    by_slice: bool = False,
) -> tuple[Any, np.ndarray]:
    """Zone counts of a region, by level and size.

    Arguments as :func:`glcm`; ``by_slice`` finds zones in the slices and counts them per slice.

    Returns
    -------
    counts : array (ng, m) or (slice, ng, m)
        uint64; ``counts[..., i - 1, c]`` zones of level i with ``sizes[c]`` voxels.
    sizes : array (m,)
        The zone sizes that occur.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.array([[[1, 2, 2, 1]]], np.float32)
    >>> counts, sizes = glszm(image, np.ones_like(image), settings=Settings(discretisation=None))
    >>> counts.tolist(), sizes.tolist()
    ([[2, 0], [0, 1]], [1, 2])
    """
    return _zone_matrix(_region(image, mask, settings, spacing, label), SIZE, by_slice)


def gldzm(
    image: Any,
    mask: Any,
    *,
    settings: Settings | None = None,
    spacing: Any = None,
    label: int | None = None,
    by_slice: bool = False,
) -> tuple[Any, np.ndarray]:
    """Zone counts of a region, by level and distance to the border: as :func:`glszm`.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.array([[[1, 2, 2, 1]]], np.float32)
    >>> settings = Settings(discretisation=None)
    >>> counts, distances = gldzm(image, np.ones_like(image), settings=settings)
    >>> counts.tolist(), distances.tolist()
    ([[2], [1]], [1])
    """
    return _zone_matrix(_region(image, mask, settings, spacing, label), DISTANCE, by_slice)


def _zone_matrix(region: Region, column: int, by_slice: bool) -> tuple[Any, np.ndarray]:
    in_plane = by_slice or region.settings.dimension != "3D"
    zones, ng = zones_of(region, in_plane, column == DISTANCE), region.levels(1).ng
    shape: tuple[int, ...] = (ng, -1)
    if by_slice:
        slices = region.mask.shape[0]
        zones = zones.copy()
        zones[:, 0] += zones[:, 3] * ng
        ng, shape = slices * ng, (slices, ng, -1)
    counts, values = zone_table(zones, column, ng)
    return region.xp.asarray(counts.reshape(shape)), values


def _region(
    image: Any, mask: Any, settings: Settings | None, spacing: Any, label: int | None
) -> Region:
    settings, label = settings_of(settings, label)
    settings = settings.replace(filters={"original": {}})
    prepared = prepare(image, mask, settings=settings, spacing=spacing, label=label)
    return next(prepared.regions())[1]
