"""Objects with closed-form images, projections and k-space: the truth of tests and benchmarks."""

from .coils import coil_maps
from .ellipsoids import Ellipsoids, shepp_logan
from .lesions import textured_lesions
from .noise import rician_noise

__all__ = ["Ellipsoids", "coil_maps", "rician_noise", "shepp_logan", "textured_lesions"]
