"""Denoising: total variation, non-local means, noise level."""

from __future__ import annotations

from .tv import TVInfo, tv

__all__ = ["TVInfo", "tv"]
