"""Quality of denoised images, the same for every benchmark: PSNR, SSIM, noise power, sharpness."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["edge_frequency", "noise_frequency", "psnr", "ssim"]


def psnr(image: Any, truth: Any, *, peak: float = 1.0, inside: Any = None) -> float:
    """Peak signal to noise ratio in dB, nothing clipped."""
    error = np.asarray(image, np.float64) - truth
    error = error if inside is None else error[inside]
    return float(20 * np.log10(peak) - 10 * np.log10(np.mean(error**2)))


def ssim(image: Any, truth: Any, *, peak: float = 1.0, inside: Any = None) -> float:
    """Mean structural similarity (scikit-image, Gaussian window of the paper)."""
    from skimage.metrics import structural_similarity

    a, b = (np.asarray(x, np.float64) for x in (image, truth))
    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    _, local = structural_similarity(a, b, data_range=peak, full=True, **options)
    return float(np.mean(local if inside is None else local[inside]))


def noise_frequency(noise: Any, spacing: float) -> float:
    """Mean frequency of the noise power spectrum of a square patch, in cycles/mm."""
    patch = np.asarray(noise, np.float64)
    power = abs(np.fft.fft2(patch - patch.mean())) ** 2
    f = np.hypot(*np.meshgrid(*(np.fft.fftfreq(n, spacing) for n in patch.shape), indexing="ij"))
    return float((f * power).sum() / power.sum())


def edge_frequency(image: Any, distance: Any, reach: float) -> float:
    """Frequency in cycles per unit of distance at which the MTF of a round edge falls to one half.

    ``distance`` is that of each voxel from the edge, negative inside; an error function is fitted
    to voxels closer than ``reach``.
    """
    from scipy.optimize import curve_fit
    from scipy.special import erf

    near = np.abs(distance) < reach
    r, values = distance[near], np.asarray(image, np.float64)[near]

    def profile(r: Any, high: float, low: float, at: float, width: float) -> Any:
        return low + 0.5 * (high - low) * (1 - erf((r - at) / (np.sqrt(2) * width)))

    start = (values[r < 0].mean(), values[r > 0].mean(), 0.0, reach / 5)
    least = 0.01 * reach
    bounds = ([-np.inf, -np.inf, -reach, least], [np.inf, np.inf, reach, reach])
    (_, _, _, width), _ = curve_fit(profile, r, values, p0=start, bounds=bounds)
    return float(np.sqrt(2 * np.log(2)) / (2 * np.pi * width))
