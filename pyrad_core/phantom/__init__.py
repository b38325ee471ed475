"""Objects with closed-form images, projections and k-space: the truth of tests and benchmarks."""

from .coils import coil_maps
from .ellipsoids import Ellipsoids, shepp_logan
from .lesions import textured_lesions

__all__ = ["Ellipsoids", "coil_maps", "shepp_logan", "textured_lesions"]
