"""Family name -> the function that computes it; how one family and how all of them are run."""

from __future__ import annotations

import functools
import importlib
import math
from typing import Any

from .. import _checks
from .._version import __version__
from ._deprecated import with_deprecated
from ._names import Entry
from .preprocess import Prepared, prepare
from .region import Region
from .result import Features
from .settings import Settings

PEAK_RADIUS_MM = 10 * (3 / (4 * math.pi)) ** (1 / 3)
"""Radius of a sphere of 1 cm^3."""
_OF_THE_MASK = ("shape", "shape2d")  # one result for all filters

__all__ = [
    "PEAK_RADIUS_MM",
    "add_region",
    "all_results",
    "family_result",
    "margin_of",
    "provenance",
    "settings_of",
]


def settings_of(settings: Settings | None, label: int | None) -> tuple[Settings, int]:
    """Settings and label of a call: an explicit label goes before the settings' one."""
    settings = settings if settings is not None else Settings()
    return settings, settings.label if label is None else _checks.whole("label", label, 1)


def family_result(
    family: str, image: Any, mask: Any, settings: Settings | None, spacing: Any, label: int | None
) -> Features:
    """One family of every filtered image."""
    settings, label = settings_of(settings, label)
    return all_results(image, mask, settings, spacing, label, (family,))


def all_results(
    image: Any,
    mask: Any,
    settings: Settings,
    spacing: Any,
    label: int,
    families: tuple[str, ...],
    morphological_mask: Any = None,
) -> Features:
    """The families of every filtered image, in order."""
    prepared = prepare(
        image, mask, settings=settings, spacing=spacing, label=label,
        margin_mm=margin_of(families), morphological_mask=morphological_mask,
    )  # fmt: skip
    result = Features(settings)
    voxels = 0
    for name, region in prepared.regions():
        voxels = region.count
        add_region(result, name, region, families)
    result.provenance = provenance(prepared, label, voxels)
    return result


def margin_of(families: tuple[str, ...]) -> float:
    """Millimetres around a region that its families look at."""
    return PEAK_RADIUS_MM if "local_intensity" in families else 0.0


def add_region(result: Features, name: str, region: Region, families: tuple[str, ...]) -> None:
    """Append the families of one filtered image; those of the mask with the first one only."""
    first = not result
    region.families = families
    for family in families:
        of_the_mask = family in _OF_THE_MASK
        if of_the_mask and not first:
            continue
        values, reasons = _compute(family, region)
        title = "original" if of_the_mask else name
        result.add(title, family, _selected(values, family, result.settings), reasons)


def _compute(family: str, region: Region) -> tuple[dict[Entry, float], dict[str, str]]:
    values, reasons = _module(family).compute(region)
    return values, reasons


@functools.cache
def _module(family: str) -> Any:
    return importlib.import_module(f".{family}", __package__)


def _selected(values: dict[Entry, float], family: str, settings: Settings) -> dict[Entry, float]:
    wanted = (settings.features or {}).get(family)
    if not wanted:
        return values
    values = with_deprecated(values, family, wanted)
    _checks.known_names(f"feature of {family}", wanted, [entry.name for entry in values])
    return {entry: value for entry, value in values.items() if entry.name in wanted}


def provenance(prepared: Prepared, label: int, voxels: int) -> dict[str, object]:
    """What a result says about its region."""
    return {
        "version": __version__,
        "label": label,
        "grid_shape": prepared.grid_shape,
        "spacing": prepared.spacing,
        "box": prepared.box,
        "voxels": voxels,
        "voxels_morphological": prepared.count,
    }
