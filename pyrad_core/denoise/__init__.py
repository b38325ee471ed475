"""Denoising: total (generalised) variation, non-local means, wavelet shrinkage, noise level."""

from __future__ import annotations

from .gibbs import gibbs
from .mppca import MPPCAInfo, mppca
from .nlm import nlm
from .noise_level import estimate_sigma
from .tgv import TGVInfo, tgv
from .tv import TVInfo, tv
from .variance_stabilisation import stabilise_poisson, unstabilise_poisson
from .wavelet import wavelet

__all__ = [
    "MPPCAInfo",
    "TGVInfo",
    "TVInfo",
    "estimate_sigma",
    "gibbs",
    "mppca",
    "nlm",
    "stabilise_poisson",
    "tgv",
    "tv",
    "unstabilise_poisson",
    "wavelet",
]
