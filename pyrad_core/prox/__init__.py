"""Proximal operators of penalties g, for the solvers.

``prox(x, step)`` is argmin_u ``0.5 ||u - x||^2 + step g(u)``, and ``value(x)`` is g(x); solvers
take any object with these two methods. ``EdgePreserving`` is a smooth penalty with a gradient
instead of a proximal operator.
"""

from .base import Prox
from .elementwise import L1, Box, GroupL1, NonNegative, Pointwise, Support
from .low_rank import LocallyLowRank
from .smooth import EdgePreserving
from .tgv import TGV
from .tv import TV
from .wavelet import WaveletL1

__all__ = [
    "L1",
    "TGV",
    "TV",
    "Box",
    "EdgePreserving",
    "GroupL1",
    "LocallyLowRank",
    "NonNegative",
    "Pointwise",
    "Prox",
    "Support",
    "WaveletL1",
]
