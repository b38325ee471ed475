"""Total generalised variation as a proximal operator."""

from __future__ import annotations

from typing import Any

from .._checks import at_least, positive, whole
from .._kernels.select import Edge
from ..denoise import tgv
from ..denoise.tgv import minimal_fields
from .base import Prox

__all__ = ["TGV"]


class TGV(Prox):
    """Second-order total generalised variation, solved by :func:`denoise.tgv`.

    ``TGV(x) = min over w of weight * sum |grad x - w| + ratio * weight * sum |E w|``: edges stay
    and slopes do not become staircases. Real and imaginary part share edges. The fields of one
    call are the start of the next, so that inside a solver a few iterations are enough.

    Parameters
    ----------
    weight : float
        alpha1 >= 0.
    ratio : float
        alpha0 / alpha1 > 0.
    tol : float
        Relative duality gap of every solve; also of ``value``, which is a minimisation over w.
    max_iterations : int
        Of every solve, at most.
    spacing : float or one per axis
        Voxel size.

    References
    ----------
    Bredies, Kunisch, Pock, SIAM J. Imaging Sci. 3 (2010) 492, doi:10.1137/090769521; Knoll et al.,
    Magn. Reson. Med. 65 (2011) 480, doi:10.1002/mrm.22595.

    Examples
    --------
    >>> import numpy as np
    >>> import pyrad_core as prc
    >>> slope = np.add.outer(np.arange(8.0), np.arange(9.0))
    >>> bool(prc.prox.TGV(1.0).value(slope) < 1e-9)
    True
    """

    def __init__(
        self,
        weight: float,
        ratio: float = 2.0,
        *,
        tol: float = 1e-3,
        max_iterations: int = 200,
        spacing: Any = 1.0,
    ):
        self.weight = at_least("weight", weight, 0)
        self._options = {
            "ratio": positive("ratio", ratio),
            "tol": at_least("tol", tol, 0),
            "max_iterations": whole("max_iterations", max_iterations, 1),
            "spacing": spacing,
        }
        self._state: Any = None
        self._state_of: Any = None

    def _prox(self, edge: Edge, x: Any, step: float) -> Any:
        weight = self.weight * step
        if weight == 0:
            return x.copy()
        start = self._known(edge, x)
        result, info = tgv(x, weight=weight, state=start, return_info=True, **self._options)
        self._state, self._state_of = info.state, _place(edge, x)
        return result

    def _value(self, edge: Edge, x: Any) -> float:
        if self.weight == 0:
            return 0.0
        start = self._known(edge, x)
        if start is not None:
            start = tuple(part.copy() for part in start)
        options = {"weight": self.weight, **self._options}
        return minimal_fields(edge, x, state=start, **options).primal

    def _known(self, edge: Edge, x: Any) -> Any:
        """Fields of the last solve, if they fit."""
        return self._state if _place(edge, x) == self._state_of else None


def _place(edge: Edge, x: Any) -> Any:
    return x.shape, x.dtype, edge.on_gpu
