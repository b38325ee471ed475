"""Features that PyRadiomics computes only where they are asked for by name.

Each follows from others of its family, which is why it is not part of the default set.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from ._names import Entry

__all__ = ["DEPRECATED", "with_deprecated"]

_Values = dict[str, float]


def _compactness1(v: _Values) -> float:
    return v["MeshVolume"] / (math.sqrt(math.pi) * v["SurfaceArea"] ** 1.5)


def _compactness2(v: _Values) -> float:
    return 36 * math.pi * v["MeshVolume"] ** 2 / v["SurfaceArea"] ** 3


DEPRECATED: dict[str, dict[str, Callable[[_Values], float]]] = {
    "first_order": {"StandardDeviation": lambda v: math.sqrt(v["Variance"])},
    "shape": {
        "Compactness1": _compactness1,
        "Compactness2": _compactness2,
        "SphericalDisproportion": lambda v: 1 / v["Sphericity"],
    },
    "shape2d": {"SphericalDisproportion": lambda v: 1 / v["Sphericity"]},
}


def with_deprecated(
    values: dict[Entry, float], family: str, wanted: tuple[str, ...]
) -> dict[Entry, float]:
    """The values with those of DEPRECATED that are wanted and missing."""
    known = {entry.name: value for entry, value in values.items()}
    more = {
        Entry(name): formula(known)
        for name, formula in DEPRECATED.get(family, {}).items()
        if name in wanted and name not in known
    }
    return {**values, **more}
