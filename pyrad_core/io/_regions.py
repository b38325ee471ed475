"""What RTSTRUCT and SEG have in common: named, numbered regions that become one label image."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import DataError
from .files import refused

__all__ = ["LPS_TO_RAS", "chosen", "join", "named"]

LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


def named(path: Path, items: Any, number: str, name: str) -> dict[int, str]:
    """Number -> name of the items of a sequence; labels are 16 bits wide."""
    found = {int(getattr(item, number)): str(item.get(name, "")) for item in items}
    if not all(0 < n < 1 << 16 for n in found):
        raise refused(path, f"regions have the numbers {sorted(found)[:9]}; expected 1 to 65535")
    return found


def chosen(path: Path, names: dict[int, str], region: str | int | None) -> list[int]:
    """Numbers of the regions asked for."""
    if region is None:
        return sorted(names)
    by_name = [number for number, name in names.items() if name == region]
    if isinstance(region, int) and region in names:
        return [region]
    if len(by_name) == 1:
        return by_name
    listed = ", ".join(f"{number} {name!r}" for number, name in sorted(names.items()))
    why = "several have that name" if by_name else "not found"
    raise DataError(f"{path.name}: region {region!r}: {why}; present: {listed or 'none'}")


def join(
    path: Path, parts: Iterable[tuple[int, np.ndarray]], shape: Any, one: bool, most: int
) -> np.ndarray:
    """A volume of labels: 1 for a single region that was asked for, else the regions' numbers.

    ``parts`` are made one after the other, so that only one volume of a region is held; ``most`` is
    the largest number among them.
    """
    labels = np.zeros(shape, np.uint8 if one or most < 256 else np.uint16)
    for number, inside in parts:
        if (labels[inside] != 0).any():
            other = int(labels[inside].max())
            raise DataError(
                f"{path.name}: regions {other} and {number} overlap; read them one by one "
                "(region=, --region NAME, or --all-labels for features)"
            )
        labels[inside] = 1 if one else number
    return labels
