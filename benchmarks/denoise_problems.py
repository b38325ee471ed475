"""Noisy phantoms of the denoising benchmarks, and the quality of an answer as text."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable

import numpy as np

import pyrad_core as prc
from pyrad_core import phantom

from .quality import psnr, ssim

__all__ = ["copy_gbs", "noisy", "quality_to", "tv_objective"]


@functools.lru_cache(maxsize=2)
def noisy(shape: tuple[int, ...], sigma: float) -> tuple[np.ndarray, np.ndarray]:
    """(clean, noisy) Shepp-Logan in float32, faces of the grid at -1 and 1.

    Point sampled on ``linspace(-1, 1, n)``; noise of ``default_rng(0).normal(0, sigma)``.
    """
    n = shape[0]
    volume = prc.Volume(shape, 2 / (n - 1))
    clean = phantom.shepp_logan(len(shape), radius=1.0).raster(volume, supersample=1)
    noise = np.random.default_rng(0).normal(0, sigma, shape).astype(np.float32)
    clean = clean.astype(np.float32)
    return clean, clean + noise


def quality_to(clean: np.ndarray, before: str = "") -> Callable[[np.ndarray], str]:
    """PSNR with peak 1 and SSIM with data range 1."""

    def text(image: np.ndarray) -> str:
        return f"{before}{psnr(image, clean):.2f} dB, SSIM {ssim(image, clean):.3f}"

    return text


def tv_objective(u: np.ndarray, f: np.ndarray, weight: float) -> float:
    """``0.5 ||u - f||^2 + weight TV(u)``, isotropic, in double precision."""
    u = u.astype(np.float64)
    squares = np.zeros(u.shape)
    for axis in range(u.ndim):
        ahead = np.diff(u, axis=axis, append=u.take([-1], axis=axis))
        squares += ahead * ahead
    return float(0.5 * ((u - f) ** 2).sum() + weight * np.sqrt(squares).sum())


@functools.lru_cache(maxsize=1)
def copy_gbs() -> float:
    """Bandwidth of a copy on one thread, bytes read and written."""
    source, target = np.ones(1 << 24, np.float32), np.zeros(1 << 24, np.float32)
    times = []
    for _ in range(5):
        start = time.perf_counter()
        np.copyto(target, source)
        times.append(time.perf_counter() - start)
    return 2 * source.nbytes / min(times) / 1e9
