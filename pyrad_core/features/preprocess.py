"""From image and mask to the region that features are computed on.

Order (IBSI's, and PyRadiomics'): normalisation, resampling, rounding, re-segmentation, filters,
crop. Re-segmentation looks at the unfiltered image and changes the intensity mask only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._kernels.select import edge_of
from ..errors import DataError
from ._boxes import box_of, label_box, union
from ._image import take_pair
from .filtering import Source, filtered_images, within
from .region import Region
from .resample import centre_axes, corner_axes, interpolate, require_spacing
from .settings import Settings

__all__ = ["Prepared", "prepare", "regions_of"]


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
    pixel_type: np.dtype  # of the image as it was given, float64 after normalisation
    margin: tuple[int, ...] = (0, 0, 0)  # voxels around the box that some family looks at
    whole: bool = False  # the image is the whole grid, whatever the mask

    def regions(self, margin: int = 0) -> Iterator[tuple[str, Region]]:
        """The region in each filtered image, cropped to its box plus a margin."""
        crop, inner, window = self._places(margin)
        for name, image, settings in self._filtered(window):
            yield name, self._region(name, image, settings, inner, window, crop)

    def _places(self, margin: int = 0) -> tuple[Any, Any, Any]:
        """(crop in the grid, the same in the image, what filters are wanted in)."""
        crop, around = (
            tuple(
                slice(max(first, begin - m), min(first + n, end + m))
                for (begin, end), first, n, m in zip(
                    self.box, self.start, self.image.shape, margins, strict=True
                )
            )
            for margins in ((margin,) * 3, tuple(max(margin, m) for m in self.margin))
        )
        inner, window = (
            tuple(
                slice(part.start - first, part.stop - first)
                for part, first in zip(parts, self.start, strict=True)
            )
            for parts in (crop, around)
        )
        return crop, inner, window

    def _filtered(self, window: Any) -> Iterator[tuple[str, Any, Settings]]:
        """Filtered images in a window, with the slices' axis in front."""
        for name, image, settings in filtered_images(self._source(window)):
            yield name, self.xp.moveaxis(image, self.settings.slice_axis, 0), settings

    def _source(self, window: tuple[slice, ...]) -> Source:
        """What filters start from, with the axes in the image's order."""
        axis, back = self.settings.slice_axis, self.xp.moveaxis
        order = [0, 1, 2]
        order.insert(axis, order.pop(0))
        spacing: Any = self.spacing and tuple(self.spacing[d] for d in order)
        z, y, x = (window[d] for d in order)
        return Source(
            self.xp, self.kernels, back(self.image, 0, axis), spacing, self.settings, (z, y, x),
            back(self.mask, 0, axis), self.pixel_type, self.flat,
        )  # fmt: skip

    def _region(
        self, name: str, image: Any, settings: Settings, inner: Any, window: Any, crop: Any
    ) -> Region:
        xp = self.xp
        place = within(inner, window)
        region = Region(
            xp=xp,
            kernels=self.kernels,
            values=xp.ascontiguousarray(image[place]),
            mask=xp.ascontiguousarray(self.mask[inner]),
            morphological=xp.ascontiguousarray(self.morphological[inner]),
            spacing=self.spacing,
            origin=tuple(part.start for part in crop),
            lower=self.lower if name == "original" else None,
            settings=settings,
            around=image,
            inner=tuple(part.start for part in place),
        )
        if self.mask is self.morphological:
            region.count = self.count
        try:
            region.require_finite()
        except DataError as error:
            if name == "original":
                raise
            raise DataError(f"filter {name}: {error}; is the image finite around it?") from None
        return region


def regions_of(several: Sequence[Prepared]) -> Iterator[tuple[str, list[Region]]]:
    """The regions of several masks of one image, which is filtered once for all of them.

    They come from :func:`prepare` with one ``shared``; each region is what ``regions()`` gives.
    """
    places = [p._places() for p in several]
    of_the_mask = "lbp3d" in several[0].settings.filters
    if of_the_mask or not all(p.whole for p in several):  # images of their own
        for name_and_region in zip(*(p.regions() for p in several), strict=True):
            yield name_and_region[0][0], [region for _, region in name_and_region]
        return
    z, y, x = (
        slice(min(w[d].start for _, _, w in places), max(w[d].stop for _, _, w in places))
        for d in range(3)
    )
    for name, image, settings in several[0]._filtered((z, y, x)):
        yield (
            name,
            [
                p._region(name, image[within(window, (z, y, x))], settings, inner, window, crop)
                for p, (crop, inner, window) in zip(several, places, strict=True)
            ],
        )


def prepare(
    image: Any,
    mask: Any,
    *,
    settings: Settings,
    spacing: Any = None,
    label: int = 1,
    keep_whole: bool = False,
    margin_mm: float = 0.0,
    morphological_mask: Any = None,
    known: tuple[tuple[tuple[int, int], ...], int] | None = None,
    shared: dict[str, Any] | None = None,
) -> Prepared:
    """Check, resample, re-segment; the image stays cropped to the region if nothing needs more.

    ``margin_mm``: what is kept around the region's box, where the voxel size is known.
    ``morphological_mask``: the mask of the shape, if it is not the one of the intensities.
    ``known``: box and voxels of the label in a mask that was looked through already.
    ``shared``: what several calls with the same image and settings have in common.
    """
    taken, roi = take_pair(image, mask, spacing, settings.correct_mask)
    other = None
    if morphological_mask is not None:
        other = take_pair(image, morphological_mask, spacing, settings.correct_mask)[1]
    edge = edge_of(image=taken.data, mask=roi.data, morphological_mask=other and other.data)
    xp, raw = edge.xp, edge["image"]
    _check_dtype(raw)
    if settings.correct_mask:  # what is known of the mask may be of another grid
        known = None
    box, count = known or label_box(edge, label)
    masks = [edge["mask"]]
    if other is not None:
        whole_box, count = label_box(edge, label, "morphological_mask")
        box = union(box, whole_box)
        masks.append(edge["morphological_mask"])
    voxel_size = taken.spacing
    start: tuple[int, ...] = (0, 0, 0)
    shape, pixel_type = tuple(raw.shape), _pixel_type(raw, settings)
    margin = _margin(_new_spacing(voxel_size, settings), margin_mm)
    shared = {} if shared is None else shared
    if settings.normalize:
        raw = _once(shared, "normalized", lambda: _normalized(xp, raw, settings))
    kept = _kept_margin(settings, margin, keep_whole)
    if kept is not None:
        crop, start = _crop(box, shape, kept)
        raw, masks = raw[crop], [m[crop] for m in masks]
    masks = [m == label for m in masks]
    if settings.resample is not None:
        raw, masks, voxel_size, box = _resampled(xp, raw, masks, voxel_size, box, settings, shared)
        shape, count = tuple(raw.shape), int(masks[-1].sum())
    if kept is None and settings.resample is None:
        values = _once(shared, "values", lambda: _floats(xp, raw))
    else:
        values = _floats(xp, raw)
    inside, *rest = (xp.ascontiguousarray(m).view(np.uint8) for m in masks)
    intensity, lower = _resegmented(xp, values, inside, settings)
    _check_size(xp, intensity, settings)
    result = Prepared(
        xp, edge.kernels, values, intensity, rest[0] if rest else inside, count, voxel_size, box,
        lower, settings, start, shape, taken.flat, pixel_type, margin,
        kept is None and (settings.resample is None or settings.grid == "centre"),
    )  # fmt: skip
    return _across_slices(result, settings.slice_axis)


def _once(shared: dict[str, Any], name: str, make: Callable[[], Any]) -> Any:
    if name not in shared:
        shared[name] = make()
    return shared[name]


def _pixel_type(image: Any, settings: Settings) -> np.dtype:
    """What filters that depend on it take: the image's own type, as far as it is kept."""
    kept = not settings.normalize and (settings.resample is None or settings.grid == "corner")
    dtype = np.dtype(image.dtype.name)
    if not kept:
        return np.dtype(np.float64)
    return np.dtype(np.uint8) if dtype.kind == "b" else dtype


def _margin(spacing: Any, margin_mm: float) -> tuple[int, ...]:
    steps = spacing or (np.inf,) * 3
    return tuple(int(margin_mm / step) + 1 if margin_mm else 0 for step in steps)


def _new_spacing(spacing: Any, settings: Settings) -> Any:
    if spacing is None or settings.resample is None:
        return spacing
    return tuple(new or old for new, old in zip(settings.resample, spacing, strict=True))


def _kept_margin(
    settings: Settings, margin: tuple[int, ...], keep_whole: bool
) -> tuple[int, ...] | None:
    """Voxels to keep around the region's box, or None for the whole image."""
    if keep_whole or settings.resample is not None:
        return None
    if settings.crop_margin is not None:
        return (settings.crop_margin,) * 3
    return margin if set(settings.filters) == {"original"} else None


def _crop(
    box: Any, shape: tuple[int, ...], margin: tuple[int, ...]
) -> tuple[tuple[slice, ...], tuple[int, ...]]:
    """(the box with its margin, clipped to the grid; its first voxel)."""
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
    p.margin = tuple(p.margin[d] for d in order)
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
    xp: Any,
    image: Any,
    masks: list[Any],
    spacing: Any,
    box: Any,
    settings: Settings,
    shared: dict[str, Any],
) -> tuple[Any, list[Any], tuple[float, float, float], Any]:
    old = require_spacing(spacing)
    target = list(settings.resample or old)
    if settings.resample_in_plane:
        target[settings.slice_axis] = 0
    if settings.grid == "corner":
        axes = corner_axes(image.shape, old, target, box, settings.resample_margin)
    else:
        axes = centre_axes(image.shape, old, target)
    own: dict[str, Any] = {} if settings.grid == "corner" else shared  # grids by the mask's box
    values = _once(own, "resampled", lambda: _resampled_image(xp, image, axes, settings))
    found = []
    for mask in masks:
        partial = interpolate(xp, mask.astype(np.float64), axes, settings.mask_interpolation)
        found.append(partial >= settings.mask_threshold)
        if not bool(found[-1].any()):
            raise DataError(f"the region vanishes when resampled to {settings.resample} mm")
    z, y, x = (axis.spacing for axis in axes)
    new_box = box_of(xp, found[0])
    return values, found, (z, y, x), union(new_box, box_of(xp, found[-1]))


def _resampled_image(xp: Any, image: Any, axes: Any, settings: Settings) -> Any:
    values = interpolate(xp, image.astype(np.float64), axes, settings.interpolation)
    if _rounds(xp, image, settings):
        values = xp.rint(values)
    if settings.grid == "corner" and image.dtype.kind in "iu":
        limits = np.iinfo(image.dtype)
        values = xp.trunc(xp.clip(values, limits.min, limits.max))
    return values


def _rounds(xp: Any, image: Any, settings: Settings) -> bool:
    if settings.round_intensities is not None:
        return settings.round_intensities
    if settings.grid == "corner":
        return False
    return image.dtype.kind in "iub" or bool((xp.rint(image) == image).all())


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
        extents = [end - begin for begin, end in box_of(xp, mask != 0)]
        thick = sum(extent > 1 for extent in extents)
        if thick < settings.minimum_roi_dimensions:
            raise DataError(
                f"the region extends along {thick} axes; minimum_roi_dimensions asks for "
                f"{settings.minimum_roi_dimensions}"
            )
