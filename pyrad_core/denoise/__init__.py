"""Denoising: non-local means, total (generalised) variation, wavelets, local filters, diffusion."""

from __future__ import annotations

from .bilateral import bilateral
from .bm4d import bm3d, bm4d
from .diffusion import anisotropic_diffusion
from .gaussian import gaussian
from .gibbs import gibbs
from .median import median, percentile, rank
from .mppca import MPPCAInfo, mppca
from .nlm import NLMInfo, nlm
from .noise_level import estimate_sigma
from .piesno import piesno
from .rician import (
    from_rician_moments,
    stabilise_rician,
    unbias_rician,
    unstabilise_rician,
)
from .subbands import mix_subbands
from .tgv import TGVInfo, tgv
from .tv import TVInfo, tv
from .variance_stabilisation import stabilise_poisson, unstabilise_poisson
from .wavelet import wavelet

__all__ = [
    "MPPCAInfo",
    "NLMInfo",
    "TGVInfo",
    "TVInfo",
    "anisotropic_diffusion",
    "bilateral",
    "bm3d",
    "bm4d",
    "estimate_sigma",
    "gaussian",
    "from_rician_moments",
    "gibbs",
    "mppca",
    "median",
    "mix_subbands",
    "nlm",
    "percentile",
    "rank",
    "piesno",
    "stabilise_poisson",
    "stabilise_rician",
    "tgv",
    "tv",
    "unbias_rician",
    "unstabilise_poisson",
    "unstabilise_rician",
    "wavelet",
]
