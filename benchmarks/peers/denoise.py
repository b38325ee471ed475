"""scikit-image (one thread) and PyWavelets (one thread)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .need import need

__all__ = [
    "dipy_nlm",
    "opencv_nlm",
    "pywt_roundtrip",
    "pywt_stationary",
    "skimage_nlm",
    "skimage_tv_chambolle",
    "skimage_wavelet",
]


def skimage_nlm(
    image: Any, *, sigma: float, patch: int, distance: int, h: float, fast: bool = True
) -> Callable:
    """Non-local means; ``distance`` is the search radius."""
    restoration = need("skimage.restoration")
    return lambda: restoration.denoise_nl_means(
        image, patch_size=patch, patch_distance=distance, h=h, sigma=sigma, fast_mode=fast
    )


def opencv_nlm(image: Any, *, patch: int, search: int, h: float, threads: int) -> Callable:
    """Non-local means of 8-bit grey levels, 0..1 as 0..255."""
    cv2 = need("cv2")
    cv2.setNumThreads(threads)
    grey = (image.clip(0, 1) * 255).round().astype("uint8")
    run = cv2.fastNlMeansDenoising
    return lambda: run(grey, None, h, patch, search).astype("float32") / 255


def dipy_nlm(
    image: Any, *, sigma: float, patch: int, search: int, method: str, threads: int
) -> Callable:
    """Non-local means with Gaussian noise; the strength follows from sigma."""
    nlmeans = need("dipy.denoise.nlmeans").nlmeans
    options = {"patch_radius": patch // 2, "block_radius": search // 2, "rician": False}
    return lambda: nlmeans(image, sigma, method=method, num_threads=threads, **options)


def skimage_tv_chambolle(image: Any, *, weight: float, iterations: int) -> Callable:
    """Chambolle's TV at the same objective as ours, with its early stop turned off."""
    restoration = need("skimage.restoration")
    return lambda: restoration.denoise_tv_chambolle(
        image, weight=weight, eps=0, max_num_iter=iterations
    )


def skimage_wavelet(
    image: Any, *, sigma: float, wavelet: str, method: str, spins: int = 0
) -> Callable:
    """Wavelet shrinkage; ``spins`` > 0 averages over all shifts by 0 to so many voxels."""
    restoration = need("skimage.restoration")
    options = {
        "sigma": sigma,
        "wavelet": wavelet,
        "method": {"bayes": "BayesShrink", "visu": "VisuShrink"}[method],
        "rescale_sigma": False,
    }
    if not spins:
        return lambda: restoration.denoise_wavelet(image, **options)
    return lambda: restoration.cycle_spin(
        image, restoration.denoise_wavelet, spins, func_kw=options, workers=1
    )


def pywt_roundtrip(
    image: Any, *, wavelet: str, level: int, mode: str = "periodization"
) -> tuple[Callable, Callable]:
    """Forward and inverse multilevel transform, each a callable."""
    pywt = need("pywt")
    coefficients = pywt.wavedecn(image, wavelet, mode=mode, level=level)
    return (
        lambda: pywt.wavedecn(image, wavelet, mode=mode, level=level),
        lambda: pywt.waverecn(coefficients, wavelet, mode=mode),
    )


def pywt_stationary(image: Any, *, wavelet: str, level: int) -> tuple[Callable, Callable]:
    """Forward and inverse stationary transform, each a callable."""
    pywt = need("pywt")
    coefficients = pywt.swtn(image, wavelet, level)
    return (
        lambda: pywt.swtn(image, wavelet, level),
        lambda: pywt.iswtn(coefficients, wavelet),
    )
