"""From image and mask to the region that features are computed on.

Order (IBSI's, and PyRadiomics'): normalisation, resampling, rounding, re-segmentation, filters,
crop. Re-segmentation looks at the unfiltered image and changes the intensity mask only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._kernels.select import edge_of
from ..errors import DataError
from ._image import take_pair
from .filtering import filtered_images
from .region import Region
from .resample import centre_axes, corner_axes, interpolate, require_spacing
from .settings import Settings

__all__ = ["Prepared", "prepare"]


@dataclass
class Prepared:
    """Image and masks on the final grid; ``box`` holds (begin, end) of the region per axis."""

    xp: Any
    kernels: Any
    image: Any
    mask: Any
    morphological: Any
    count: int  # voxels of the morphological mask
    spacing: tuple[float, float, float] | None
    box: tuple[tuple[int, int], ...]
    lower: float | None
    settings: Settings
    start: tuple[int, ...]  # voxel of the grid that the image begins with
    grid_shape: tuple[int, ...]
    flat: bool

    def regions(self, margin: int = 0) -> Iterator[tuple[str, Region]]:
        """The region in each filtered image, cropped to its box plus a margin."""
        crop = tuple(
            slice(max(0, begin - margin), min(n, end + margin))
            for (begin, end), n in zip(self.box, self.grid_shape, strict=True)
        )
        inner = tuple(
            slice(part.start - first, part.stop - first)
            for part, first in zip(crop, self.start, strict=True)
        )
        for name, image in filtered_images(self.image, self.settings.filters, self.xp):
            yield name, self._region(name, image, inner, crop)

    def _region(self, name: str, image: Any, inner: Any, crop: Any) -> Region:
        xp = self.xp
        values = xp.ascontiguousarray(image[inner])
        mask = xp.ascontiguousarray(self.mask[inner])
        region = Region(
            xp=xp,
            kernels=self.kernels,
            values=values,
            mask=mask,
            morphological=xp.ascontiguousarray(self.morphological[inner]),
            spacing=self.spacing,
            origin=tuple(part.start for part in crop),
            lower=self.lower if name == "original" else None,
            settings=self.settings,
            around=image,
            inner=tuple(part.start for part in inner),
        )
        if self.mask is self.morphological:
            region.count = self.count
        region.require_finite()
        return region


def prepare(
    image: Any,
    mask: Any,
    *,
    settings: Settings,
    spacing: Any = None,
    label: int = 1,
    keep_whole: bool = False,
    margin_mm: float = 0.0,
) -> Prepared:
    """Check, resample, re-segment; the image stays cropped to the region if nothing needs more.

    ``margin_mm``: what is kept around the region's box, where the voxel size is known.
    """
    taken, roi = take_pair(image, mask, spacing)
    edge = edge_of(image=taken.data, mask=roi.data)
    xp, raw = edge.xp, edge["image"]
    _check_dtype(raw)
    box, count = _label_box(edge, label)
    labels, voxel_size, shape = edge["mask"], taken.spacing, tuple(raw.shape)
    whole = keep_whole or settings.normalize or settings.resample is not None
    whole = whole or set(settings.filters) != {"original"}
    start: tuple[int, ...] = (0, 0, 0)
    if not whole:
        crop, start = _crop(box, shape, voxel_size, margin_mm)
        raw, labels = raw[crop], labels[crop]
    inside = labels == label
    if settings.normalize:
        raw = _normalized(xp, raw, settings)
    if settings.resample is not None:
        raw, inside, voxel_size, box = _resampled(xp, raw, inside, voxel_size, box, settings)
        shape, count = tuple(raw.shape), int(inside.sum())
    values = _floats(xp, raw)
    morphological = xp.ascontiguousarray(inside).view(np.uint8)
    intensity, lower = _resegmented(xp, values, morphological, settings)
    _check_size(xp, intensity, settings)
    result = Prepared(
        xp, edge.kernels, values, intensity, morphological, count, voxel_size, box, lower, settings,
        start, shape, taken.flat,
    )  # fmt: skip
    return _across_slices(result, settings.slice_axis)


def _crop(
    box: Any, shape: tuple[int, ...], spacing: Any, margin_mm: float
) -> tuple[tuple[slice, ...], tuple[int, ...]]:
    """(the box with its margin, clipped to the grid; its first voxel)."""
    margin = [int(margin_mm / step) + 1 if margin_mm else 0 for step in spacing or (np.inf,) * 3]
    crop = tuple(
        slice(max(0, begin - m), min(n, end + m))
        for (begin, end), n, m in zip(box, shape, margin, strict=True)
    )
    return crop, tuple(part.start for part in crop)


def _across_slices(p: Prepared, axis: int) -> Prepared:
    """Bring the axis across the slices to the front."""
    if axis == 0:
        return p
    same = p.mask is p.morphological
    p.image, p.mask, p.morphological = (
        p.xp.moveaxis(a, axis, 0) for a in (p.image, p.mask, p.morphological)
    )
    if same:
        p.mask = p.morphological
    order = [axis, *(d for d in range(3) if d != axis)]
    p.box = tuple(p.box[d] for d in order)
    p.start = tuple(p.start[d] for d in order)
    p.grid_shape = tuple(p.grid_shape[d] for d in order)
    if p.spacing is not None:
        z, y, x = (p.spacing[d] for d in order)
        p.spacing = (z, y, x)
    return p


def _check_dtype(image: Any) -> None:
    kind = image.dtype.kind
    if kind not in "fiub" or (kind == "f" and image.dtype.itemsize not in (4, 8)):
        raise DataError(
            f"image has dtype {image.dtype}; accepted are float32, float64 and integers"
        )


def _floats(xp: Any, image: Any) -> Any:
    """float32 and float64 stay, small integers become float32, wide ones float64 (exact)."""
    kind, size = image.dtype.kind, image.dtype.itemsize
    dtype = image.dtype if kind == "f" else (np.float32 if size <= 2 else np.float64)
    return xp.ascontiguousarray(image, dtype=dtype)


_MASK_DTYPES = ("uint8", "uint16", "int16", "int32", "int64", "float32", "float64")


def _label_box(edge: Any, label: int) -> tuple[tuple[tuple[int, int], ...], int]:
    """Box and voxels of the label; a mask holds whole numbers >= 0, anything else is an error."""
    xp, mask = edge.xp, edge["mask"]
    if mask.dtype.kind not in "fiub" or mask.dtype.itemsize == 2 and mask.dtype.kind == "f":
        raise DataError(f"mask has dtype {mask.dtype}; accepted are integers, bool and floats")
    if mask.dtype.kind == "b":
        mask = mask.view(np.uint8)
    elif mask.dtype.name not in _MASK_DTYPES:
        mask = mask.astype(np.int16 if mask.dtype.itemsize == 1 else np.int64)
    mask = xp.ascontiguousarray(mask)
    begin, end, count, invalid, first = edge.kernels.mask_bounds(mask, label)
    if invalid:
        index = tuple(int(i) for i in np.unravel_index(first, mask.shape))
        value = mask[index].item()
        raise DataError(
            f"mask holds {invalid} values that are no labels (whole numbers >= 0), "
            f"the first {value} at index {index}"
        )
    if not count:
        present = [int(v) for v in xp.unique(mask).tolist() if v]
        if not present:
            raise DataError("mask is empty: all its voxels are 0")
        raise DataError(f"label {label} is not in the mask; labels present: {present[:20]}")
    return tuple((int(b), int(e)) for b, e in zip(begin, end, strict=True)), int(count)


def _normalized(xp: Any, image: Any, settings: Settings) -> Any:
    x = image.astype(np.float64)
    sd = float(xp.std(x, ddof=1))
    if not sd > 0:
        raise DataError("normalize needs an image that is not constant")
    x = (x - float(xp.mean(x))) / sd
    if settings.remove_outliers is not None:
        x = xp.clip(x, -settings.remove_outliers, settings.remove_outliers)
    return x * settings.normalize_scale


def _resampled(
    xp: Any, image: Any, inside: Any, spacing: Any, box: Any, settings: Settings
) -> tuple[Any, Any, tuple[float, float, float], Any]:
    old = require_spacing(spacing)
    target = list(settings.resample or old)
    if settings.resample_in_plane:
        target[settings.slice_axis] = 0
    if settings.grid == "corner":
        axes = corner_axes(image.shape, old, target, box, settings.resample_margin)
    else:
        axes = centre_axes(image.shape, old, target)
    values = interpolate(xp, image.astype(np.float64), axes, settings.interpolation)
    if _rounds(xp, image, settings):
        values = xp.rint(values)
    if settings.grid == "corner" and image.dtype.kind in "iu":
        limits = np.iinfo(image.dtype)
        values = xp.trunc(xp.clip(values, limits.min, limits.max))
    partial = interpolate(xp, inside.astype(np.float64), axes, settings.mask_interpolation)
    inside = partial >= settings.mask_threshold
    if not bool(inside.any()):
        raise DataError(f"the region vanishes when resampled to {settings.resample} mm")
    z, y, x = (axis.spacing for axis in axes)
    return values, inside, (z, y, x), _box_of(xp, inside)


def _rounds(xp: Any, image: Any, settings: Settings) -> bool:
    if settings.round_intensities is not None:
        return settings.round_intensities
    if settings.grid == "corner":
        return False
    return image.dtype.kind in "iub" or bool((xp.rint(image) == image).all())


def _box_of(xp: Any, inside: Any) -> tuple[tuple[int, int], ...]:
    box = []
    for axis in range(3):
        others = tuple(d for d in range(3) if d != axis)
        at = np.flatnonzero(_host(inside.any(axis=others)))
        box.append((int(at[0]), int(at[-1]) + 1))
    return tuple(box)


def _host(array: Any) -> np.ndarray:
    return array.get() if hasattr(array, "get") else np.asarray(array)


def _resegmented(xp: Any, values: Any, mask: Any, settings: Settings) -> tuple[Any, float | None]:
    """(intensity mask, lower end of the range); each rule looks at the region as it was given."""
    rules: tuple[Any, ...] = (
        settings.resegment_range,
        settings.resegment_sigma,
        settings.resegment_relative,
    )
    if all(rule is None for rule in rules):
        return mask, None
    region = values[mask != 0].astype(np.float64)
    mean, sd, top = (float(v) for v in (region.mean(), region.std(), region.max()))
    kept = mask != 0
    for rule, offset, scale in zip(rules, (0.0, mean, 0.0), (1.0, sd, top), strict=True):
        low, high = rule or (None, None)
        if low is not None:
            kept &= values >= offset + scale * low
        if high is not None:
            kept &= values <= offset + scale * high
    if not bool(kept.any()):
        raise DataError(
            f"re-segmentation leaves no voxel of the region, whose intensities are "
            f"{float(region.min()):g} to {top:g}"
        )
    lower = settings.resegment_range[0] if settings.resegment_range else None
    return kept.view(np.uint8), lower


def _check_size(xp: Any, mask: Any, settings: Settings) -> None:
    if settings.minimum_roi_size is not None:
        count = int((mask != 0).sum())
        if count <= settings.minimum_roi_size:
            raise DataError(
                f"the region has {count} voxels; minimum_roi_size asks for more than "
                f"{settings.minimum_roi_size}"
            )
    if settings.minimum_roi_dimensions > 1:
        extents = [end - begin for begin, end in _box_of(xp, mask != 0)]
        thick = sum(extent > 1 for extent in extents)
        if thick < settings.minimum_roi_dimensions:
            raise DataError(
                f"the region extends along {thick} axes; minimum_roi_dimensions asks for "
                f"{settings.minimum_roi_dimensions}"
            )
