"""Computed tomography: line integrals, reconstruction, and what comes before it."""

from .beam_hardening import correct_beam_hardening
from .center import find_center, find_offset
from .count_denoising import denoise_counts, noise_map
from .dose import simulate_dose
from .fbp import fbp
from .fdk import fdk
from .hounsfield import from_hu, to_hu
from .metal import reduce_metal
from .preprocess import normalize
from .projector import Projector
from .recon import recon
from .rings import remove_rings
from .sinogram_denoising import denoise_projections
from .truncation import extend_truncated

__all__ = [
    "Projector",
    "correct_beam_hardening",
    "denoise_counts",
    "denoise_projections",
    "extend_truncated",
    "fbp",
    "fdk",
    "find_center",
    "find_offset",
    "from_hu",
    "noise_map",
    "normalize",
    "recon",
    "reduce_metal",
    "remove_rings",
    "simulate_dose",
    "to_hu",
]
