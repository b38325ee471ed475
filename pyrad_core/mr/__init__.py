"""MR reconstruction: from k-space to images.

k-space is ``(coil, ...)`` with DC at ``n // 2``; transforms are unitary; coordinates are cycles per
field of view, ``(..., samples, dims)``, in the order of the image axes.
"""

from .nufft import NUFFT

__all__ = ["NUFFT"]
