"""Dart throwing: on the host, since every dart depends on those before it."""

from __future__ import annotations

from typing import Any

from ..select import cpu_kernels

__all__ = ["throw_darts"]


def throw_darts(order: Any, limits: Any, mask: Any) -> int:
    """Pixels of mask (ny, nx) taken in order unless an earlier one is nearer than the root of
    its limit; returns how many are 1."""
    return cpu_kernels().throw_darts(order, limits, mask)
