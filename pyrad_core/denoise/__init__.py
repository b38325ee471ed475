"""Denoising: total variation, non-local means, noise level."""

from __future__ import annotations

from .nlm import nlm
from .noise_level import estimate_sigma
from .tv import TVInfo, tv

__all__ = ["TVInfo", "estimate_sigma", "nlm", "tv"]
