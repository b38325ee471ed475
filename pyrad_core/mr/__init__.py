"""MR reconstruction: from k-space to images.

k-space is ``(coil, ...)`` with DC at ``n // 2``; transforms are unitary; coordinates are cycles per
field of view, ``(..., samples, dims)``, in the order of the image axes.
"""

from .calibration import calibrate, low_resolution_maps
from .cg_sense import cg_sense
from .coils import combine_coils, noise_covariance, prewhiten
from .compressed_sensing import compressed_sensing
from .compression import apply_compression, compress_coils
from .conjugate_gradients import ConjugateGradients
from .density import density_compensation
from .dictionary import match_dictionary, subspace_basis
from .epi_ghost import correct_epi_ghost, epi_phase
from .espirit import espirit, espirit_memory
from .fourier import fft, ifft
from .gradient_delay import GradientDelay, correct_gradient_delay, estimate_gradient_delay
from .grappa import Grappa, grappa
from .inati import inati
from .jsense import jsense
from .masks import caipi_mask, partial_fourier_mask, poisson_mask, regular_mask
from .nlinv import nlinv
from .nufft import NUFFT
from .off_resonance import Segments, time_segments
from .oversampling import remove_oversampling, zero_fill
from .partial_fourier import partial_fourier
from .phase_sensitive import phase_sensitive
from .ramp_sampling import ramp_positions, regrid_readout
from .sense import Sense
from .spiral import GradientLimits, readout_times, spiral
from .spirit import spirit
from .subspace import subspace
from .subspace_sense import SubspaceSense
from .toeplitz import Toeplitz
from .trajectories import epi, golden_angle, golden_radial, kooshball, radial, rosette, stack
from .walsh import walsh
from .window import window

__all__ = [
    "NUFFT",
    "ConjugateGradients",
    "GradientDelay",
    "GradientLimits",
    "Grappa",
    "Segments",
    "Sense",
    "SubspaceSense",
    "Toeplitz",
    "apply_compression",
    "caipi_mask",
    "calibrate",
    "cg_sense",
    "combine_coils",
    "compress_coils",
    "compressed_sensing",
    "correct_epi_ghost",
    "correct_gradient_delay",
    "density_compensation",
    "epi",
    "epi_phase",
    "espirit",
    "espirit_memory",
    "estimate_gradient_delay",
    "fft",
    "golden_angle",
    "golden_radial",
    "grappa",
    "ifft",
    "inati",
    "jsense",
    "kooshball",
    "low_resolution_maps",
    "match_dictionary",
    "nlinv",
    "noise_covariance",
    "partial_fourier",
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
    "spirit",
    "stack",
    "subspace",
    "subspace_basis",
    "time_segments",
    "walsh",
    "window",
    "zero_fill",
]
