"""MR reconstruction: from k-space to images.

k-space is ``(coil, ...)`` with DC at ``n // 2``; transforms are unitary; coordinates are cycles per
field of view, ``(..., samples, dims)``, in the order of the image axes.
"""

from .cg_sense import cg_sense
from .coils import combine_coils, prewhiten, remove_oversampling
from .compressed_sensing import compressed_sensing
from .density import density_compensation
from .espirit import espirit
from .fourier import fft, ifft
from .masks import caipi_mask, partial_fourier_mask, poisson_mask, regular_mask
from .nufft import NUFFT
from .sense import Sense
from .spiral import GradientLimits, readout_times, spiral
from .toeplitz import Toeplitz
from .trajectories import epi, golden_angle, golden_radial, kooshball, radial, rosette, stack
from .walsh import walsh

__all__ = [
    "GradientLimits",
    "NUFFT",
    "Sense",
    "Toeplitz",
    "caipi_mask",
    "cg_sense",
    "combine_coils",
    "compressed_sensing",
    "density_compensation",
    "epi",
    "espirit",
    "fft",
    "golden_angle",
    "golden_radial",
    "ifft",
    "kooshball",
    "partial_fourier_mask",
    "poisson_mask",
    "prewhiten",
    "radial",
    "readout_times",
    "regular_mask",
    "remove_oversampling",
    "rosette",
    "spiral",
    "stack",
    "walsh",
]
