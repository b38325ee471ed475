"""SciPy (one thread), SimpleITK and MIRP (one thread)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .need import need

__all__ = [
    "itk_log",
    "mirp_filter",
    "scipy_gabor",
    "scipy_gabor_planes",
    "scipy_log",
    "scipy_riesz",
    "scipy_separable",
]


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


def scipy_gabor_planes(image: Any, kernels: Sequence[Any], *, threads: int) -> Callable:
    """Mean modulus over kernels in the planes (y, x), (z, x) and (z, y)."""
    slices = [image, np.moveaxis(image, 1, 0), np.moveaxis(image, 2, 0)]
    slices = [np.ascontiguousarray(x) for x in slices]

    def run() -> Any:
        total = np.zeros_like(image)
        for axis, x in enumerate(slices):
            for kernel in kernels:
                total += np.moveaxis(scipy_gabor(x, kernel, threads=threads)(), 0, axis)
        return total / (3 * len(kernels))

    return run


def scipy_riesz(image: Any, *, threads: int) -> Callable:
    """First order along x, by real transforms."""
    fft = need("scipy.fft")
    n = image.shape

    def run() -> Any:
        z, y = (2 * np.fft.fftfreq(n[d]).astype(np.float32) for d in (0, 1))
        x = 2 * np.fft.rfftfreq(n[2]).astype(np.float32)
        z, y = z[:, None, None], y[:, None]
        norm = np.sqrt(z**2 + y**2 + x**2)
        norm[0, 0, 0] = 1
        spectrum = fft.rfftn(image, workers=threads)
        spectrum *= -1j * x / norm
        return fft.irfftn(spectrum, s=n, overwrite_x=True, workers=threads)

    return run


def mirp_filter(image: Any, kernel: str, **options: Any) -> Callable:
    """One filtered image of MIRP's extract_images, whose own work takes some 2 % of this."""
    mirp = need("mirp")
    mask = np.ones(image.shape, np.uint8)

    def run() -> Any:
        images = mirp.extract_images(
            image=image,
            mask=mask,
            filter_kernels=kernel,
            image_export_format="numpy",
            write_images=False,
            export_images=True,
            export_masks=False,
            **options,
        )
        return images[0][0][-1]

    return run
