"""The filtered images that features are computed on, with PyRadiomics' names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from .. import _checks

__all__ = ["filtered_images"]


def filtered_images(
    image: Any, filters: Mapping[str, Mapping[str, Any]], xp: Any
) -> Iterator[tuple[str, Any]]:
    """(name, image) for every filter, in the order of the mapping."""
    for name, options in filters.items():
        if name == "original":
            yield "original", image
        else:
            yield from _wavelet(image, dict(options), xp)


def _wavelet(image: Any, options: dict[str, Any], xp: Any) -> Iterator[tuple[str, Any]]:
    """Undecimated wavelet sub-bands, named by the filter (L, H) of each axis, x first.

    Odd axes are extended by one voxel, periodically, and cut back. A further level is the first
    level's filters on the approximation (no dilation), as PyRadiomics has it.
    """
    from .. import wavelet

    _checks.known_names("wavelet setting", options, ("wavelet", "level", "start_level"))
    name = options.get("wavelet", "coif1")
    level = _checks.whole("level", options.get("level", 1), 1)
    start = _checks.whole("start_level", options.get("start_level", 0))
    axes = tuple(d for d in (2, 1, 0) if image.shape[d] > 1)
    cut = tuple(slice(0, n) for n in image.shape)
    pad = [(0, n % 2 if d in axes else 0) for d, n in enumerate(image.shape)]
    data = xp.pad(image.astype(np.float64), pad, mode="wrap")
    for step in range(start + level):
        bands = wavelet.swtn(data, name, level=1, axes=axes)[0]
        data = bands["a" * len(axes)]
        if step < start:
            continue
        number = step - start + 1
        title = "wavelet" if number == 1 else f"wavelet{number}"
        for band, values in bands.items():
            if "d" in band:
                yield f"{title}-{band.replace('a', 'L').replace('d', 'H')}", values[cut]
    title = "wavelet" if level == 1 else f"wavelet{level}"
    yield f"{title}-{'L' * len(axes)}", data[cut]
