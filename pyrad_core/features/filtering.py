"""The filtered images that features are computed on, with PyRadiomics' names.

A filter is defined on the whole image, but computed in a window around the region and the halo
that its values there depend on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import DataError
from .settings import Settings

__all__ = ["Source", "filtered_images", "within"]

Window = tuple[slice, slice, slice]


@dataclass
class Source:
    """The image (z, y, x) that filters start from, and where their values are wanted."""

    xp: Any
    kernels: Any
    image: Any
    spacing: tuple[float, float, float] | None
    settings: Settings
    window: Window
    inside: Any  # the region's mask, of the image's shape
    pixel_type: np.dtype  # of the image as it was given, or float64 after normalisation
    flat: bool  # given as one slice (y, x)

    @property
    def by_slice(self) -> bool:
        """2D aggregations: filters stay within the slices."""
        return not self.settings.aggregation.startswith("3D")

    def wide(self, halo: tuple[int, int, int]) -> tuple[Any, Window]:
        """The image in the window plus a halo, clipped to the image; the window in that."""
        crop = tuple(
            slice(max(0, part.start - reach), min(n, part.stop + reach))
            for part, reach, n in zip(self.window, halo, self.image.shape, strict=True)
        )
        return self.image[crop], within(self.window, crop)

    def millimetres(self, filter_name: str) -> tuple[float, float, float]:
        if self.spacing is None:
            raise DataError(f"the filter {filter_name} needs the voxel size; pass spacing= in mm")
        return self.spacing


def within(window: Any, crop: Any) -> Window:
    """A window of the image, counted from the first voxel of a crop."""
    z, y, x = (
        slice(part.start - cut.start, part.stop - cut.start)
        for part, cut in zip(window, crop, strict=True)
    )
    return z, y, x


def filtered_images(source: Source) -> Iterator[tuple[str, Any, Settings]]:
    """(name, image in the window, settings of its features) for every filter, in order."""
    from . import _filters

    for name, options in source.settings.filters.items():
        own = dict(options)
        changes = own.pop("settings", None)
        settings = source.settings.replace(**changes) if changes else source.settings
        function: Callable[..., Iterator[tuple[str, Any]]] = getattr(_filters, name)
        for title, image in function(source, **own):
            yield title, image, settings
