"""SciPy (one thread) and SimpleITK."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .need import need

__all__ = ["itk_log", "scipy_gabor", "scipy_log", "scipy_separable"]


def scipy_log(image: Any, *, sigma: float, truncate: float) -> Callable:
    ndimage = need("scipy.ndimage")
    return lambda: ndimage.gaussian_laplace(image, sigma, truncate=truncate)


def itk_log(image: Any, *, sigma: float, threads: int) -> Callable:
    """Recursive Gaussians, the filter that PyRadiomics calls."""
    sitk = need("SimpleITK")
    taken = sitk.GetImageFromArray(image)

    def run() -> Any:
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(threads)
        return sitk.GetArrayFromImage(sitk.LaplacianRecursiveGaussian(taken, sigma))

    return run


def scipy_separable(image: Any, taps: Sequence[Any]) -> Callable:
    """One filter per axis, by mirrors."""
    ndimage = need("scipy.ndimage")

    def run() -> Any:
        x = image
        for axis, line in enumerate(taps):
            x = ndimage.convolve1d(x, line, axis=axis, mode="reflect")
        return x

    return run


def scipy_gabor(image: Any, kernel: Any, *, threads: int) -> Callable:
    """Modulus over axial slices, mirrored at the edges."""
    signal, fft = need("scipy.signal"), need("scipy.fft")
    reach = kernel.shape[0] // 2

    def run() -> Any:
        wide = np.pad(image, ((0, 0), (reach, reach), (reach, reach)), mode="symmetric")
        with fft.set_workers(threads):
            return abs(signal.fftconvolve(wide, kernel[None], mode="valid", axes=(1, 2)))

    return run
