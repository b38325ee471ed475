"""One region of one (filtered) image: what every family starts from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from .._kernels.select import host_array
from ..errors import DataError
from .settings import MAX_LEVELS, Settings

__all__ = ["Levels", "Region", "uniform_rule"]


@dataclass
class Levels:
    """Grey levels 1 .. ng, 0 outside the region and in a margin of ``pad`` voxels (u8 or u16)."""

    packed: Any
    pad: int
    ng: int
    counts: np.ndarray  # voxels per level 1 .. ng
    kind: str  # "fbs", "fbn" or "none"

    @property
    def inner(self) -> Any:
        """The levels without the margin."""
        cut = slice(self.pad, -self.pad or None)
        return self.packed[cut, cut, cut]

    def part(self, packed: Any) -> Levels:
        """The same levels of a slab of the packed volume."""
        return Levels(packed, self.pad, self.ng, self.counts, self.kind)


@dataclass
class Region:
    """Intensities and masks, cropped to the region's box; ``origin`` is the box's first voxel."""

    xp: Any
    kernels: Any
    values: Any
    mask: Any
    morphological: Any
    spacing: tuple[float, float, float] | None
    origin: tuple[int, ...]
    lower: float | None
    settings: Settings
    around: Any = None  # the image with what is known beyond the box
    inner: tuple[int, ...] = (0, 0, 0)  # the box's first voxel in it
    families: tuple[str, ...] = ()  # what is computed on this region

    @cached_property
    def count(self) -> int:
        """Voxels of the intensity mask."""
        return int(self.kernels.mask_bounds(self.mask, 1)[2])

    def require_finite(self) -> None:
        """Raise DataError with the number and the first index of NaN and Inf in the region."""
        if self._range[0] == 0:
            return
        count, first = self.kernels.count_nonfinite(self.intensities)
        voxel = self.xp.flatnonzero(self.mask.reshape(-1))[first]
        local = np.unravel_index(int(voxel), self.mask.shape)
        index = tuple(int(i) + start for i, start in zip(local, self.origin, strict=True))
        raise DataError(
            f"image holds {count} NaN or Inf values inside the mask, the first at {index}"
        )

    @cached_property
    def _range(self) -> tuple[int, float, float]:
        return self.kernels.masked_range(self.values, self.mask)

    @property
    def extremes(self) -> tuple[float, float]:
        """Minimum and maximum."""
        return self._range[1:]

    @cached_property
    def intensities(self) -> Any:
        """Intensities of the region, 1-D in C order."""
        out = self.xp.empty(self.count, self.values.dtype)
        self.kernels.gather(self.values, self.mask, out)
        return out

    @cached_property
    def sums(self) -> tuple[float, float, float, float]:
        """Sum, minimum, maximum, sum of squares (shifted by settings.voxel_array_shift)."""
        out = self.xp.empty(4, np.float64)
        self.kernels.value_sums(self.intensities, float(self.settings.voxel_array_shift), out)
        total, low, high, squares = (float(v) for v in out)
        return total, low, high, squares

    def levels(self, pad: int) -> Levels:
        """Grey levels with a margin of at least ``pad`` voxels; computed once."""
        pad = max(pad, 1)  # what most families need
        known = self.__dict__.get("_levels")
        if known is None or known.pad < pad:
            known = self.__dict__["_levels"] = _discretised(self, pad)
        return known


def uniform_rule(region: Region) -> tuple[int, float, float, float, int, str] | None:
    """(kind, low or first edge, width or step, scale, levels, "fbs" | "fbn" | "none").

    Kind 0: IBSI's rule, 1: edges at equal steps. None: edges that are not at equal steps.
    """
    rule = region.settings.discretisation
    if rule is None or region.settings.bin_edges != "pyradiomics":
        low, width, scale, ng = _uniform_bins(region, rule)
        return 0, low, width, scale, ng, rule[0] if rule else "none"
    edges = _pyradiomics_edges(region, rule)
    ng = _top_level(region, edges)
    first, step = float(edges[0]), float(edges[1] - edges[0])
    if np.array_equal(first + np.arange(ng) * step, edges[:ng]):
        return 1, first, step, 0.0, ng, rule[0]
    return None


def _discretised(region: Region, pad: int) -> Levels:
    values, mask, kernels = region.values, region.mask, region.kernels
    rule = uniform_rule(region)
    if rule is None:
        given = region.settings.discretisation
        assert given is not None
        edges = _pyradiomics_edges(region, given)
        ng, title = _top_level(region, edges), given[0]
        packed = _empty(region, pad, ng)
        kernels.discretise_edges(values, mask, region.xp.asarray(edges[:ng]), pad, packed)
        return _counted(region, packed, pad, ng, title)
    kind, low, width, scale, ng, title = rule
    packed = _empty(region, pad, ng)
    if kind == 0:
        kernels.discretise_uniform(values, mask, low, width, scale, ng, pad, packed)
    else:
        kernels.discretise_steps(values, mask, low, width, ng, pad, packed)
    return _counted(region, packed, pad, ng, title)


def _uniform_bins(
    region: Region, rule: tuple[str, float] | None
) -> tuple[float, float, float, int]:
    """(low, width, scale, levels) of IBSI's rules."""
    minimum, maximum = region.extremes
    if rule is None:
        return _whole_levels(region, minimum, maximum)
    kind, size = rule
    if kind == "fbn":
        width = maximum - minimum
        return (minimum, width, size, int(size)) if width > 0 else (minimum, 1.0, 1.0, 1)
    low = minimum if region.lower is None else min(region.lower, minimum)
    return low, size, 1.0, _bin_count((maximum - low) / size, size)


def _whole_levels(
    region: Region, minimum: float, maximum: float
) -> tuple[float, float, float, int]:
    values = region.intensities
    if minimum < 1 or not bool((region.xp.rint(values) == values).all()):
        raise DataError(
            f"without discretisation intensities must be whole numbers from 1; the region holds "
            f"{minimum:g} to {maximum:g}. Set discretisation=('fbs', width) or ('fbn', bins)"
        )
    if maximum > MAX_LEVELS:
        raise DataError(f"the region holds levels up to {maximum:g}; at most {MAX_LEVELS}")
    return 1.0, 1.0, 1.0, int(maximum)


def _bin_count(position: float, width: float) -> int:
    if position >= MAX_LEVELS:
        raise DataError(
            f"bin width {width:g} gives {position + 1:.6g} bins; at most {MAX_LEVELS} are possible"
        )
    return int(np.floor(position)) + 1


def _pyradiomics_edges(region: Region, rule: tuple[str, float]) -> np.ndarray:
    minimum, maximum = region.extremes
    kind, size = rule
    if kind == "fbn":
        edges = np.histogram_bin_edges(np.array([minimum, maximum]), int(size))
        edges[-1] += 1
        return edges
    _bin_count((maximum - minimum) / size, size)
    edges = np.arange(minimum - minimum % size, maximum + 2 * size, size)
    return edges if len(edges) > 1 else np.array([edges[0] - 0.5, edges[0] + 0.5])


def _top_level(region: Region, edges: np.ndarray) -> int:
    """The highest level is that of the maximum, as PyRadiomics counts them."""
    return int(np.searchsorted(edges, region.extremes[1], side="right"))


def _empty(region: Region, pad: int, ng: int) -> Any:
    shape = tuple(n + 2 * pad for n in region.values.shape)
    return region.xp.empty(shape, np.uint8 if ng <= 255 else np.uint16)


def _counted(region: Region, packed: Any, pad: int, ng: int, kind: str) -> Levels:
    counts = region.xp.empty(ng + 1, np.int64)
    region.kernels.level_histogram(packed, counts)
    host = host_array(counts)
    return Levels(packed, pad, ng, host[1:], kind)
