"""Voxel-wise feature maps: the features of a small window around every voxel of the region."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

import numpy as np

from .. import _checks
from .._kernels.select import edge_of
from ..errors import DataError
from ._image import take_pair
from ._names import CLASS_NAMES, ENTRIES, entries
from ._run import settings_of
from .first_order import kurtosis_rule
from .glcm import COLUMNS, SAME_AS
from .offsets import half_offsets
from .preprocess import Prepared, prepare
from .region import Region
from .settings import Settings

__all__ = ["maps"]

MAP_FAMILIES = ("first_order", "glcm")
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
    family : {"glcm", "first_order"}
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
        As :func:`extract`; unknown family or feature; asymmetric or weighted co-occurrence tables.

    Notes
    -----
    As PyRadiomics' voxel-based extraction: windows are cut at the region's border
    (``settings.masked_kernel``), co-occurrence features are averaged over the directions that have
    pairs in the window, and NaN where none has (PyRadiomics gives NaN for JointAverage where any
    direction has none, and no MCC then). With a merging aggregation all directions share one table.

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
    _checks.choice("family", family, MAP_FAMILIES)
    radius = _radius(settings.kernel_radius or 1 if radius is None else radius)
    if family == "glcm" and not settings.symmetric:
        raise DataError("feature maps count pairs in both directions; set symmetric=True")
    if family == "glcm" and settings.weighting not in (None, "no_weighting"):
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
    pad = levels.pad
    xp = region.xp
    shape = levels.packed.shape
    at = xp.argwhere(mask != 0) + pad
    centres = (at[:, 0] * shape[1] + at[:, 1]) * shape[2] + at[:, 2]
    voxels = _window(radius, flat=not region.settings.aggregation.startswith("3D"))
    window = xp.asarray(voxels @ np.array([shape[1] * shape[2], shape[2], 1]))
    compute = _glcm_values if family == "glcm" else _first_order_values
    order = COLUMNS if family == "glcm" else [entry.name for entry in ENTRIES["first_order"]]
    at_column = [order.index(SAME_AS.get(name, name)) for name in names]
    parts = []
    batch = max(1, _BATCH_BYTES // (8 * len(order)))
    for begin in range(0, len(centres), batch):
        some = xp.ascontiguousarray(centres[begin : begin + batch])
        out = xp.empty((len(some), len(order)), np.float64)
        compute(region, levels, some, voxels, window, "MCC" in names, out)
        parts.append(out[:, at_column])
    return list(xp.concatenate(parts).T)


def _window(radius: int, flat: bool) -> np.ndarray:
    span = range(-radius, radius + 1)
    return np.array(list(itertools.product((0,) if flat else span, span, span)), dtype=np.int64)


def _pairs(voxels: np.ndarray, offsets: np.ndarray, merged: bool) -> tuple[np.ndarray, np.ndarray]:
    """Positions in the window of the pairs of each offset, and where each offset's pairs start."""
    position = {tuple(voxel): k for k, voxel in enumerate(voxels.tolist())}
    groups = []
    for offset in offsets:
        pairs = [
            (k, position[tuple(other)])
            for k, other in enumerate((voxels + offset).tolist())
            if tuple(other) in position
        ]
        groups.append(np.array(pairs, dtype=np.int32).reshape(-1, 2))
    starts = np.cumsum([0, *(len(group) for group in groups)])
    if merged:
        starts = starts[[0, -1]]
    return np.concatenate(groups), starts.astype(np.int32)


def _glcm_values(
    region: Region, levels: Any, centres: Any, voxels: np.ndarray, window: Any, mcc: bool, out: Any
) -> None:
    settings, xp = region.settings, region.xp
    flat = not settings.aggregation.startswith("3D")
    merged = settings.aggregation.endswith("merged") and settings.aggregation != (
        "2.5D_direction_merged"
    )
    offsets = half_offsets(settings.distances, in_plane=flat)
    pairs, starts = _pairs(voxels, offsets, merged or settings.weighting is not None)
    ibsi = settings.rule("undefined") == "nan"
    region.kernels.local_glcm(
        levels.packed, centres, window, xp.asarray(pairs), xp.asarray(starts), levels.ng, ibsi, mcc,
        out,
    )  # fmt: skip
    if mcc and int(np.count_nonzero(levels.counts)) == 1:
        defined = ~xp.isnan(out[:, COLUMNS.index("Contrast")])
        out[defined, COLUMNS.index("MCC")] = 1.0


def _first_order_values(
    region: Region, levels: Any, centres: Any, voxels: np.ndarray, window: Any, mcc: bool, out: Any
) -> None:
    settings = region.settings
    volume = np.nan if region.spacing is None else float(np.prod(region.spacing))
    values = region.xp.pad(region.values, levels.pad)
    excess, flat = kurtosis_rule(settings)
    region.kernels.local_first_order(
        values,
        levels.packed,
        centres,
        window,
        settings.voxel_array_shift,
        volume,
        excess,
        flat,
        out,
    )


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
