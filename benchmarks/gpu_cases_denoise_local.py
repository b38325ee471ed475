"""GPU cases of the denoisers that look at a window or at neighbours; see gpu_cases.py."""

from __future__ import annotations

import numpy as np

from pyrad_core.denoise import anisotropic_diffusion, bilateral, gaussian, median

from .gpu_cases import case, job


def _volume(tiny):
    shape = (4, 5, 33) if tiny else (256, 256, 256)
    return {"image": np.random.default_rng(0).normal(0, 1, shape).astype(np.float32)}


@case("denoise.median float32, 3^3")
def _(tiny):
    return job(median, _volume(tiny))


@case("denoise.median float32, 5^3")
def _(tiny):
    return job(lambda image: median(image, size=(1, 3, 5) if tiny else 5), _volume(tiny))


@case("denoise.gaussian float32, sigma 1")
def _(tiny):
    return job(lambda image: gaussian(image, sigma=1.0), _volume(tiny))


@case("denoise.bilateral float32, 7^3")
def _(tiny):
    radius = 1 if tiny else 3
    return job(
        lambda image: bilateral(image, sigma_space=1.0, sigma_range=0.5, radius=radius),
        _volume(tiny),
    )


@case("denoise.anisotropic_diffusion float32, 5 iterations")
def _(tiny):
    return job(anisotropic_diffusion, _volume(tiny))


@case("denoise.anisotropic_diffusion float32, curvature, 5 iterations")
def _(tiny):
    return job(lambda image: anisotropic_diffusion(image, method="curvature"), _volume(tiny))


@case("denoise.anisotropic_diffusion float32, edge, 5 iterations")
def _(tiny):
    return job(lambda image: anisotropic_diffusion(image, method="edge"), _volume(tiny))


@case("denoise.anisotropic_diffusion float32, coherence, 5 iterations")
def _(tiny):
    return job(lambda image: anisotropic_diffusion(image, method="coherence"), _volume(tiny))
