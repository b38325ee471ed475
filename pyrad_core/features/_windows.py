"""Windows around voxels, and what the maps' kernels do with them: one function per family."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from .._memory import require_memory
from ._names import ENTRIES
from .first_order import kurtosis_rule
from .glcm import COLUMNS
from .offsets import half_offsets, neighbourhood_offsets
from .region import Levels, Region

__all__ = ["COMPUTE", "Window", "columns_of"]

_SIZE_COLUMNS = 17


class Window:
    """The box of voxels around a centre, which reaches ``reach`` (z, y, x) from it."""

    def __init__(self, region: Region, levels: Levels, radius: int) -> None:
        self.region, self.levels = region, levels
        self.flat = not region.settings.aggregation.startswith("3D")
        self.reach = np.array([0 if self.flat else radius, radius, radius])

    @functools.cached_property
    def steps(self) -> Any:
        """Steps from a centre to each voxel within the packed levels, in C order."""
        _, ny, nx = self.levels.packed.shape
        z, y, x = (np.arange(-n, n + 1) for n in self.reach)
        steps = (z[:, None, None] * ny + y[:, None]) * nx + x
        return self.region.xp.asarray(steps.ravel())

    def merged(self) -> bool:
        """Whether all directions share one table."""
        aggregation = self.region.settings.aggregation
        merges = aggregation.endswith("merged") and aggregation != "2.5D_direction_merged"
        return merges or self.region.settings.weighting is not None


Compute = Callable[[Any, Any], None]
"""(centres, out): writes the columns of the family."""

_OF_HISTOGRAMS = {
    *("DifferenceEntropy", "JointEnergy", "JointEntropy", "Imc1", "Imc2", "MaximumProbability"),
    *("SumEntropy", "MCC"),
}
"""Co-occurrence features that are no sums over pairs."""


def columns_of(family: str) -> list[str]:
    """Names of the columns that a family's kernel writes; "" for those without a name."""
    if family == "glcm":
        return list(COLUMNS)
    names = [entry.name for entry in ENTRIES[family]]
    if family in ("glrlm", "glszm", "ngldm"):
        names += [""] * (_SIZE_COLUMNS - len(names))
    return names


def _glcm(window: Window, names: list[str]) -> Compute:
    region, levels = window.region, window.levels
    settings, xp, mcc = region.settings, region.xp, "MCC" in names
    histograms = not _OF_HISTOGRAMS.isdisjoint(names)
    offsets = half_offsets(settings.distances, in_plane=window.flat).astype(np.int32)
    starts = np.arange(len(offsets) + 1, dtype=np.int32)
    if window.merged():
        starts = starts[[0, -1]]
    offsets, starts = xp.asarray(offsets), xp.asarray(starts)
    reach = [int(n) for n in window.reach]
    ibsi = settings.rule("undefined") == "nan"

    def from_sums(centres: Any, out: Any) -> None:
        region.kernels.local_pair_sums(
            levels.packed, centres, offsets, starts, reach, levels.ng, ibsi, out
        )

    if not histograms:
        return from_sums

    def compute(centres: Any, out: Any) -> None:
        region.kernels.local_glcm(
            levels.packed, centres, offsets, starts, reach, levels.ng, ibsi, True, mcc, out
        )
        if mcc and int(np.count_nonzero(levels.counts)) == 1:
            defined = ~xp.isnan(out[:, COLUMNS.index("Contrast")])
            out[defined, COLUMNS.index("MCC")] = 1.0

    return compute


def _first_order(window: Window, names: list[str]) -> Compute:
    region, levels = window.region, window.levels
    settings = region.settings
    volume = np.nan if region.spacing is None else float(np.prod(region.spacing))
    values = region.xp.pad(region.values, levels.pad)
    excess, flat = kurtosis_rule(settings)
    reach = [int(n) for n in window.reach]

    def compute(centres: Any, out: Any) -> None:
        region.kernels.local_first_order(
            values, levels.packed, centres, reach, levels.ng, settings.voxel_array_shift, volume,
            excess, flat, out,
        )  # fmt: skip

    return compute


def _glrlm(window: Window, names: list[str]) -> Compute:
    region, levels = window.region, window.levels
    offsets = region.xp.asarray(half_offsets((1,), in_plane=window.flat).astype(np.int32))
    reach = [int(n) for n in window.reach]
    merged = window.merged()
    left_out = region.settings.rule("empty_directions") == "left_out"

    def compute(centres: Any, out: Any) -> None:
        region.kernels.local_glrlm(
            levels.packed, centres, offsets, reach, levels.ng, merged, left_out, out
        )

    return compute


def _glszm(window: Window, names: list[str]) -> Compute:
    region, levels = window.region, window.levels
    size = int(np.prod(2 * window.reach + 1))
    counters = 4 * size * min(levels.ng, size)  # per thread
    require_memory("the zone counters", counters, "use fewer grey levels or a smaller radius")
    offsets = region.xp.asarray(half_offsets((1,), in_plane=window.flat))
    reach = [int(n) for n in window.reach]

    def compute(centres: Any, out: Any) -> None:
        region.kernels.local_glszm(levels.packed, centres, offsets, reach, levels.ng, out)

    return compute


def _neighbours(window: Window) -> Any:
    """The steps to neighbours that come later, so that each pair of neighbours counts once."""
    offsets = neighbourhood_offsets(window.region.settings, window.flat)
    later = [o for o in offsets.tolist() if o > [0, 0, 0]]
    return window.region.xp.asarray(np.array(later, dtype=np.int32).reshape(-1, 3))


def _ngldm(window: Window, names: list[str]) -> Compute:
    region, levels, offsets = window.region, window.levels, _neighbours(window)
    alpha, reach = region.settings.gldm_alpha, [int(n) for n in window.reach]

    def compute(centres: Any, out: Any) -> None:
        region.kernels.local_ngldm(levels.packed, centres, offsets, reach, levels.ng, alpha, out)

    return compute


def _ngtdm(window: Window, names: list[str]) -> Compute:
    region, levels, offsets = window.region, window.levels, _neighbours(window)
    alone = region.settings.rule("lone_voxels") == "counted"
    reach = [int(n) for n in window.reach]

    def compute(centres: Any, out: Any) -> None:
        region.kernels.local_ngtdm(levels.packed, centres, offsets, reach, levels.ng, alone, out)

    return compute


COMPUTE: dict[str, Callable[[Window, list[str]], Compute]] = {
    "first_order": _first_order,
    "glcm": _glcm,
    "glrlm": _glrlm,
    "glszm": _glszm,
    "ngtdm": _ngtdm,
    "ngldm": _ngldm,
}
"""Family -> function of (window, names of the wanted features) that prepares its kernel."""
