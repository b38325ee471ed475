"""Total variation as a proximal operator."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._checks import at_least, whole
from .._kernels.select import Edge
from ..denoise import tv
from ..operators import FiniteDifference
from .base import Prox, total

__all__ = ["TV"]


class TV(Prox):
    """``weight * TV(x)``, solved by :func:`denoise.tv`; real and imaginary part share edges.

    The dual field of one call is the start of the next, so that inside a solver a few iterations
    are enough.

    Parameters
    ----------
    weight : float
        >= 0.
    tol : float
        Relative duality gap of every solve.
    max_iterations : int
        Of every solve.
    spacing : float or one per axis
        Voxel size.
    isotropic : bool
        Euclidean length of the gradient, or (False) the sum of its absolute components.
    """

    def __init__(
        self,
        weight: float,
        *,
        tol: float = 1e-4,
        max_iterations: int = 100,
        spacing: Any = 1.0,
        isotropic: bool = True,
    ):
        self.weight = at_least("weight", weight, 0)
        self._options = {
            "tol": at_least("tol", tol, 0),
            "max_iterations": whole("max_iterations", max_iterations, 1),
            "spacing": spacing,
            "isotropic": bool(isotropic),
        }
        self._dual: Any = None
        self._dual_of: Any = None

    def _prox(self, edge: Edge, x: Any, step: float) -> Any:
        weight = self.weight * step
        if weight == 0:
            return x.copy()
        place = (x.shape, x.dtype, edge.on_gpu)
        start = self._dual if place == self._dual_of else None
        result, info = tv(x, weight=weight, dual=start, return_info=True, **self._options)
        self._dual, self._dual_of = info.dual, place
        return result

    def _value(self, edge: Edge, x: Any) -> float:
        spacing = self._options["spacing"]
        steps = spacing if np.ndim(spacing) == 0 else tuple(spacing)
        gradient = FiniteDifference(x.shape, spacing=steps)._forward(x)
        if not self._options["isotropic"]:
            return self.weight * total(edge.xp.hypot(gradient.real, gradient.imag))
        squares = gradient.real**2 + gradient.imag**2
        return self.weight * total(edge.xp.sqrt(squares.sum(axis=0)))
