"""Computed tomography: line integrals, reconstruction, and what comes before it."""

from .center import find_center
from .dose import simulate_dose
from .fbp import fbp
from .hounsfield import from_hu, to_hu
from .preprocess import normalize
from .projector import Projector
from .recon import recon
from .rings import remove_rings

__all__ = [
    "Projector",
    "fbp",
    "find_center",
    "from_hu",
    "normalize",
    "recon",
    "remove_rings",
    "simulate_dose",
    "to_hu",
]
