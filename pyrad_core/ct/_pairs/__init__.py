"""Matched pairs of forward and adjoint kernels, one class per kernel family.

A pair knows one model on one kind of scan; :class:`~pyrad_core.ct.Projector` picks it by model and
by whether the scan falls apart into slices, checks the arrays and does everything else.
"""

from __future__ import annotations

from ...errors import GeometryError
from ...geometry import Beam, Volume
from .._tables import falls_into_slices
from .base import Pair
from .footprint2d import Footprint2D
from .footprint3d import Footprint3D
from .joseph2d import Joseph2D
from .joseph3d import Joseph3D

__all__ = ["MODELS", "Pair", "choose_pair"]

# By model: the pair of scans that fall into slices, and the pair of all others.
_PAIRS: dict[str, dict[int, type[Pair]]] = {
    "joseph": {2: Joseph2D, 3: Joseph3D},
    "separable_footprint": {2: Footprint2D, 3: Footprint3D},
}
MODELS = tuple(_PAIRS)


def choose_pair(model: str, geometry: Beam, volume: Volume) -> type[Pair]:
    """The pair that handles this scan, or a GeometryError that says why there is none."""
    dimensions = 2 if falls_into_slices(geometry, volume) else 3
    try:
        return _PAIRS[model][dimensions]
    except KeyError:
        raise GeometryError(
            f"model {model!r} has no {dimensions}D kernels for {type(geometry).__name__}"
        ) from None
