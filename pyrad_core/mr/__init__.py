"""MR reconstruction: from k-space to images.

k-space is ``(coil, ...)`` with DC at ``n // 2``; transforms are unitary; coordinates are cycles per
field of view, ``(..., samples, dims)``, in the order of the image axes.
"""

from .cg_sense import cg_sense
from .coils import combine_coils, prewhiten, remove_oversampling
from .density import density_compensation
from .espirit import espirit
from .fourier import fft, ifft
from .nufft import NUFFT
from .sense import Sense
from .toeplitz import Toeplitz
from .trajectories import golden_radial, poisson_mask, radial
from .walsh import walsh

__all__ = [
    "NUFFT",
    "Sense",
    "Toeplitz",
    "cg_sense",
    "combine_coils",
    "density_compensation",
    "espirit",
    "fft",
    "golden_radial",
    "ifft",
    "poisson_mask",
    "prewhiten",
    "radial",
    "remove_oversampling",
    "walsh",
]
