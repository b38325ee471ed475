"""MR reconstruction: from k-space to images.

k-space is ``(coil, ...)`` with DC at ``n // 2``; transforms are unitary; coordinates are cycles per
field of view, ``(..., samples, dims)``, in the order of the image axes.
"""

from .cg_sense import cg_sense
from .coils import combine_coils, prewhiten
from .compressed_sensing import compressed_sensing
from .density import density_compensation
from .epi_ghost import correct_epi_ghost, ramp_positions, regrid_readout
from .espirit import espirit
from .fourier import fft, ifft
from .grappa import Grappa, grappa
from .masks import caipi_mask, partial_fourier_mask, poisson_mask, regular_mask
from .nufft import NUFFT
from .oversampling import remove_oversampling, zero_fill
from .phase_sensitive import phase_sensitive
from .sense import Sense
from .spiral import GradientLimits, readout_times, spiral
from .toeplitz import Toeplitz
from .trajectories import epi, golden_angle, golden_radial, kooshball, radial, rosette, stack
from .walsh import walsh
from .window import window

__all__ = [
    "GradientLimits",
    "Grappa",
    "NUFFT",
    "Sense",
    "Toeplitz",
    "caipi_mask",
    "cg_sense",
    "combine_coils",
    "compressed_sensing",
    "correct_epi_ghost",
    "density_compensation",
    "epi",
    "espirit",
    "fft",
    "golden_angle",
    "golden_radial",
    "grappa",
    "ifft",
    "kooshball",
    "partial_fourier_mask",
    "phase_sensitive",
    "poisson_mask",
    "prewhiten",
    "radial",
    "ramp_positions",
    "readout_times",
    "regrid_readout",
    "regular_mask",
    "remove_oversampling",
    "rosette",
    "spiral",
    "stack",
    "walsh",
    "window",
    "zero_fill",
]
