"""Local filters and diffusion of SciPy, SimpleITK, OpenCV and scikit-image."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .need import need


def scipy_filter(name: str, image: Any, **options: Any) -> Callable:
    run = getattr(need("scipy.ndimage"), name)
    return lambda: run(image, **options)


def sitk_filter(name: str, image: Any, threads: int, *arguments: Any) -> Callable:
    """The copy of the result into an array is part of the timed call."""
    sitk = need("SimpleITK")
    source, run = sitk.GetImageFromArray(image), getattr(sitk, name)

    def call():
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(threads)
        return sitk.GetArrayFromImage(run(source, *arguments))

    return call


def opencv_bilateral(
    image: Any, threads: int, width: int, sigma_range: float, sigma_space: float
) -> Callable:
    cv2 = need("cv2")

    def call():
        cv2.setNumThreads(threads)
        return cv2.bilateralFilter(image, width, sigma_range, sigma_space)

    return call


def skimage_bilateral(
    image: Any, *, width: int, sigma_range: float, sigma_space: float
) -> Callable:
    restoration = need("skimage.restoration")
    return lambda: restoration.denoise_bilateral(
        image, win_size=width, sigma_color=sigma_range, sigma_spatial=sigma_space
    )
