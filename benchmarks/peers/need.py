"""Import of a peer, which may be missing."""

from __future__ import annotations

import importlib
from typing import Any

import pytest

__all__ = ["need"]


def need(name: str) -> Any:
    """The peer's module; skips the benchmark where it is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        pytest.skip(f"{name} is not installed ({error})")
