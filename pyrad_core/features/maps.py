"""Voxel-wise feature maps: the features of a small window around every voxel of the region."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from .. import _checks
from .._kernels.select import edge_of
from ..errors import DataError
from ._custom import LOCAL_FEATURE, compute_custom, custom_features, inside_levels
from ._image import take_pair
from ._names import CLASS_NAMES, ENTRIES, entries
from ._run import settings_of
from ._windows import COMPUTE, Compute, Window, columns_of
from .glcm import SAME_AS
from .preprocess import Prepared, prepare
from .region import Region
from .settings import Settings

__all__ = ["LOCAL_FEATURE", "maps"]

_MOST_RADIUS = 15
_BATCH_BYTES = 256 << 20


def maps(
    image: Any,
    mask: Any,
    *,
    family: str | None = None,
    features: Iterable[str] | str | Mapping[str, Any] | None = None,
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
        Left out for local features of your own.
    features : names, or dict of functions, optional
        The features wanted: short names ("Contrast"), IBSI tags or codes; all of the family's under
        the settings' conventions by default. Or local features of your own: name ->
        ``numba.cfunc`` (or ctypes function) of the signature ``features.LOCAL_FEATURE``, called
        with (values, count, window, shape, spacing) from several threads at once, without the GIL:
        the ``count`` intensities of the window inside the region, in C order; all of the window's
        with NaN outside the region; its sides (z, y, x); its voxel size in mm (NaN where unknown).
        Both arrays are copies that the function may change.
    radius : int, optional
        The window spans 2 * radius + 1 voxels per axis (in the plane only, for 2D and 2.5D
        aggregations). ``settings.kernel_radius``, or 1, by default.

    Returns
    -------
    dict
        Name as :func:`extract` gives it (``original_local_<name>`` for one of your own) -> array of
        the image's shape (after resampling: of the new grid), NaN outside the mask; float64 for
        float64 images, else float32.

    Raises
    ------
    DataError, ShapeError
        As :func:`extract`; unknown family or feature; asymmetric co-occurrence tables; weighted
        co-occurrence or run length tables; a function of another signature, or on a GPU.

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

    A feature of your own, the range of the values:

    >>> from numba import carray, cfunc
    >>> @cfunc(LOCAL_FEATURE)
    ... def spread(values, count, window, shape, spacing):
    ...     inside = carray(values, count)
    ...     return inside.max() - inside.min()
    >>> found = maps(image, mask, features={"Spread": spread}, radius=2)
    >>> float(found["original_local_Spread"][0, 0, 0])
    42.0
    """
    settings, label = settings_of(settings, label)
    own = custom_features(features) if isinstance(features, Mapping) else {}
    if own and family is not None:
        raise DataError(f"family is {family!r}, but features are functions; leave family out")
    title = "local" if own else _checks.choice("family", family, tuple(COMPUTE))
    radius = _radius(settings.kernel_radius or 1 if radius is None else radius)
    if family == "glcm" and not settings.symmetric:
        raise DataError("feature maps count pairs in both directions; set symmetric=True")
    if family in ("glcm", "glrlm") and settings.weighting not in (None, "no_weighting"):
        raise DataError("feature maps have no weighting; set weighting=None")
    wanted = own or _wanted(title, features, settings)
    taken, _ = take_pair(image, mask, spacing, settings.correct_mask)
    prepared = prepare(
        image, mask, settings=settings, spacing=spacing, label=label, keep_whole=True
    )
    if settings.conventions == "pyradiomics":
        title = CLASS_NAMES.get(title, title)
    result = {}
    for source, region in prepared.regions(margin=radius):
        columns = _columns(family, region, radius, wanted)
        volumes = _volumes(prepared, region, columns, taken.flat)
        for name, volume in zip(wanted, volumes, strict=True):
            result[f"{source}_{title}_{name}"] = volume
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


def _columns(family: str | None, region: Region, radius: int, wanted: Any) -> list[Any]:
    """One 1-D array per name: the values at the voxels of the region, in C order."""
    mask = region.mask
    if not region.settings.masked_kernel:
        region.mask = region.xp.ones_like(mask)
        for known in ("intensities", "count", "_range", "sums"):
            region.__dict__.pop(known, None)
        region.require_finite()
    if family is None:
        levels = inside_levels(region, radius)
    else:
        levels = region.levels(max(radius, *region.settings.distances))
    xp, pad, shape = region.xp, levels.pad, levels.packed.shape
    at = xp.argwhere(mask != 0) + pad
    centres = (at[:, 0] * shape[1] + at[:, 1]) * shape[2] + at[:, 2]
    window = Window(region, levels, radius)
    if family is None:
        computes = [compute_custom(window, address) for address in wanted.values()]
        return [_in_batches(xp, compute, centres, 1)[0] for compute in computes]
    order = columns_of(family)
    chosen = [order.index(SAME_AS.get(name, name)) for name in wanted]
    columns = _in_batches(xp, COMPUTE[family](window, wanted), centres, len(order), chosen)
    return list(columns)


def _in_batches(
    xp: Any, compute: Compute, centres: Any, width: int, chosen: Sequence[int] = (0,)
) -> Any:
    """The chosen columns, (columns, centres), of the `width` that a kernel writes."""
    parts = []
    whole = list(chosen) == list(range(width))
    batch = max(1, _BATCH_BYTES // (8 * width))
    for begin in range(0, len(centres), batch):
        some = xp.ascontiguousarray(centres[begin : begin + batch])
        out = xp.empty((len(some), width), np.float64)
        compute(some, out)
        parts.append(out if whole else out[:, list(chosen)])
    return (parts[0] if len(parts) == 1 else xp.concatenate(parts)).T


def _volumes(
    prepared: Prepared, region: Region, columns: Sequence[Any], was_flat: bool
) -> Iterator[Any]:
    """Volumes of the grid, NaN outside the region; with the axes of the given image."""
    xp, shape, axis = region.xp, prepared.grid_shape, prepared.settings.slice_axis
    dtype = np.float64 if prepared.image.dtype == np.float64 else np.float32
    crop = tuple(
        slice(start, start + n) for start, n in zip(region.origin, region.values.shape, strict=True)
    )
    inside = xp.zeros(shape, bool)
    inside[crop] = prepared.mask[crop] != 0
    at = xp.flatnonzero(inside)
    for column in columns:
        flat = xp.full(inside.size, np.nan, dtype)
        flat[at] = column
        volume = flat.reshape(shape)
        if axis:
            volume = xp.ascontiguousarray(xp.moveaxis(volume, 0, axis))
        yield volume[0] if was_flat else volume
