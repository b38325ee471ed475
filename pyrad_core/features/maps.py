"""Voxel-wise feature maps: the features of a small window around every voxel of the region."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from .. import _checks
from .._kernels.select import edge_of
from ..errors import DataError
from ._image import take_pair
from ._names import CLASS_NAMES, ENTRIES, entries
from ._run import settings_of
from ._windows import COMPUTE, Window, columns_of
from .glcm import SAME_AS
from .preprocess import Prepared, prepare
from .region import Region
from .settings import Settings

__all__ = ["maps"]

_MOST_RADIUS = 15
_BATCH_BYTES = 256 << 20


def maps(
    image: Any,
    mask: Any,
    *,
    family: str,
    features: Iterable[str] | str | None = None,
    radius: int | None = None,
    settings: Settings | None = None,
    spacing: Any = None,
    label: int | None = None,
) -> dict[str, Any]:
    """Feature maps: each feature of the window around every voxel of a mask.

    Parameters
    ----------
    image, mask, settings, spacing, label
        As :func:`pyrad_core.features.extract`. Grey levels are those of the whole region.
    family : {"first_order", "glcm", "glrlm", "glszm", "ngtdm", "ngldm"}
    features : names, optional
        The features wanted: short names ("Contrast"), IBSI tags or codes; all of the family's under
        the settings' conventions by default.
    radius : int, optional
        The window spans 2 * radius + 1 voxels per axis (in the plane only, for 2D and 2.5D
        aggregations). ``settings.kernel_radius``, or 1, by default.

    Returns
    -------
    dict
        Name as :func:`extract` gives it -> array of the image's shape (after resampling: of the new
        grid), NaN outside the mask; float64 for float64 images, else float32.

    Raises
    ------
    DataError, ShapeError
        As :func:`extract`; unknown family or feature; asymmetric co-occurrence tables; weighted
        co-occurrence or run length tables.

    Notes
    -----
    As PyRadiomics' voxel-based extraction: windows are cut at the region's border
    (``settings.masked_kernel``), co-occurrence features are averaged over the directions that have
    pairs in the window, and NaN where none has (PyRadiomics gives NaN for JointAverage where any
    direction has none, and no MCC then). With a merging aggregation all directions share one table.
    Runs, zones and neighbourhoods end at the window's border too: a voxel's neighbours are those
    inside the window. The other conventions are those of the family's whole-region function.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.arange(64, dtype=np.float32).reshape(4, 4, 4)
    >>> mask = np.ones((4, 4, 4), np.uint8)
    >>> settings = Settings(discretisation=("fbs", 8))
    >>> found = maps(image, mask, family="glcm", features=["Contrast"], settings=settings)
    >>> found["original_glcm_Contrast"].shape
    (4, 4, 4)
    """
    settings, label = settings_of(settings, label)
    _checks.choice("family", family, tuple(COMPUTE))
    radius = _radius(settings.kernel_radius or 1 if radius is None else radius)
    if family == "glcm" and not settings.symmetric:
        raise DataError("feature maps count pairs in both directions; set symmetric=True")
    if family in ("glcm", "glrlm") and settings.weighting not in (None, "no_weighting"):
        raise DataError("feature maps have no weighting; set weighting=None")
    names = _wanted(family, features, settings)
    taken, _ = take_pair(image, mask, spacing, settings.correct_mask)
    prepared = prepare(
        image, mask, settings=settings, spacing=spacing, label=label, keep_whole=True
    )
    title = CLASS_NAMES.get(family, family) if settings.conventions == "pyradiomics" else family
    result = {}
    for source, region in prepared.regions(margin=radius):
        columns = _columns(family, region, radius, names)
        for name, column in zip(names, columns, strict=True):
            result[f"{source}_{title}_{name}"] = _map(prepared, region, column, taken.flat)
    edge = edge_of(image=taken.data)
    return {name: edge.answer(array) for name, array in result.items()}


def _radius(radius: Any) -> int:
    value = _checks.whole("radius", radius, 1)
    if value > _MOST_RADIUS:
        raise DataError(f"radius is {value}; at most {_MOST_RADIUS}")
    return value


def _wanted(family: str, features: Iterable[str] | str | None, settings: Settings) -> list[str]:
    """Names of the wanted features, in the order of the family."""
    own = entries(family, settings.conventions)
    if features is None:
        features = (settings.features or {}).get(family)
    if features is None:
        return [entry.name for entry in own]
    wanted = [features] if isinstance(features, str) else list(features)
    aliases = {key: e.name for e in ENTRIES[family] for key in (e.name, e.tag, e.code) if key}
    _checks.known_names(f"feature of {family}", wanted, aliases)
    return list(dict.fromkeys(aliases[name] for name in wanted))


def _columns(family: str, region: Region, radius: int, names: list[str]) -> list[Any]:
    """One 1-D array per name: the values at the voxels of the region, in C order."""
    mask = region.mask
    if not region.settings.masked_kernel:
        region.mask = region.xp.ones_like(mask)
        for known in ("intensities", "count", "_range", "sums"):
            region.__dict__.pop(known, None)
        region.require_finite()
    levels = region.levels(max(radius, *region.settings.distances))
    xp, pad, shape = region.xp, levels.pad, levels.packed.shape
    at = xp.argwhere(mask != 0) + pad
    centres = (at[:, 0] * shape[1] + at[:, 1]) * shape[2] + at[:, 2]
    compute = COMPUTE[family](Window(region, levels, radius), names)
    order = columns_of(family)
    at_column = [order.index(SAME_AS.get(name, name)) for name in names]
    parts = []
    batch = max(1, _BATCH_BYTES // (8 * len(order)))
    for begin in range(0, len(centres), batch):
        some = xp.ascontiguousarray(centres[begin : begin + batch])
        out = xp.empty((len(some), len(order)), np.float64)
        compute(some, out)
        parts.append(out[:, at_column])
    return list(xp.concatenate(parts).T)


def _map(prepared: Prepared, region: Region, column: Any, was_flat: bool) -> Any:
    """A volume of the grid, NaN outside the region; with the axes of the given image."""
    xp = region.xp
    dtype = np.float64 if prepared.image.dtype == np.float64 else np.float32
    volume = xp.full(prepared.grid_shape, np.nan, dtype)
    crop = tuple(
        slice(start, start + n) for start, n in zip(region.origin, region.values.shape, strict=True)
    )
    volume[crop][prepared.mask[crop] != 0] = column
    volume = xp.moveaxis(volume, 0, prepared.settings.slice_axis)
    return volume[0] if was_flat else xp.ascontiguousarray(volume)
