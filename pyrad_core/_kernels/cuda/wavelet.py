"""CUDA launchers of csrc/wavelet; names and signatures are those of the CPU extension."""

from __future__ import annotations

__all__: list[str] = []
