"""What RTSTRUCT and SEG have in common: named, numbered regions that become one label image."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..errors import DataError
from .files import needed, refused

__all__ = ["LPS_TO_RAS", "chosen", "dataset", "join"]

LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


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


def join(path: Path, parts: dict[int, np.ndarray], shape: Any, one: bool) -> np.ndarray:
    """A volume of labels: 1 for a single region that was asked for, else the regions' numbers."""
    labels = np.zeros(shape, np.uint8 if one or max(parts, default=0) < 256 else np.uint16)
    for number, inside in parts.items():
        if (labels[inside] != 0).any():
            other = int(labels[inside].max())
            raise DataError(
                f"{path.name}: regions {other} and {number} overlap; read them one by one (region=)"
            )
        labels[inside] = 1 if one else number
    return labels


def dataset(path: Path) -> Any:
    pydicom = needed("pydicom")
    try:
        return pydicom.dcmread(path)
    except Exception as error:  # pydicom raises many classes on damaged files
        raise refused(path, f"is no readable DICOM file ({error})") from None
