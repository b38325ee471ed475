"""Image filters as IBSI 2 standardises them, in 2D and 3D.

Letters of a filter's name act on x, y and z in this order: on the last axis first. Lengths are in
mm where ``spacing`` is given (z, y, x), else in voxels. ``boundary`` says what stands beyond the
image: ``"zero"``, ``"nearest"``, ``"periodic"`` or ``"mirror"``. With ``by_slice`` a volume is
filtered slice by slice.
"""

from .gabor import gabor
from .laplacian_of_gaussian import laplacian_of_gaussian
from .laws import laws
from .mean import mean
from .nonseparable_wavelet import nonseparable_wavelet
from .riesz import riesz
from .separable_wavelet import separable_wavelet

__all__ = [
    "gabor",
    "laplacian_of_gaussian",
    "laws",
    "mean",
    "nonseparable_wavelet",
    "riesz",
    "separable_wavelet",
]
