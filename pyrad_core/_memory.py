"""Refuse a large allocation before it is made."""

from __future__ import annotations

import math
import os
from typing import Any

import numpy as np

from .errors import DeviceMemoryError

__all__ = ["free_bytes", "is_small", "new_array", "require_memory"]

_SMALL = 256 << 20


def require_memory(what: str, bytes_asked: int, remedy: str, edge: Any = None) -> None:
    """Raise DeviceMemoryError if ``what`` does not fit into the free memory of the edge's arrays.

    Without an edge it is the host's.
    """
    if is_small(bytes_asked):
        return
    free = _free_bytes() if edge is None else free_bytes(edge)
    if free is not None and bytes_asked > free:
        asked = min(bytes_asked, 1 << 90)  # beyond it a float may not hold the number
        raise DeviceMemoryError(
            f"{what} need {asked / 2**30:.2f} GiB, free are {free / 2**30:.2f} GiB; {remedy}"
        )


def new_array(edge: Any, what: str, shape: tuple[int, ...], dtype: Any, remedy: str) -> Any:
    """An empty array where the edge's arrays are, refused if there is no memory for it."""
    bytes_asked = math.prod(shape) * np.dtype(dtype).itemsize
    require_memory(f"{what} of shape {shape}", bytes_asked, remedy, edge)
    return edge.xp.empty(shape, dtype)


def is_small(bytes_asked: int) -> bool:
    """Whether it is not worth asking the system for its free memory."""
    return bytes_asked <= _SMALL


def free_bytes(edge: Any) -> int | None:
    """Free memory where the arrays of this call are; None where it cannot be told."""
    if not edge.on_gpu:
        return _free_bytes()
    try:
        free, _ = edge.xp.cuda.runtime.memGetInfo()
        return int(free) + int(edge.xp.get_default_memory_pool().free_bytes())
    except AttributeError:
        return None


def _free_bytes() -> int | None:
    """Memory that can be had without swapping; None where the system does not tell."""
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            for line in file:
                if line.startswith("MemAvailable:"):
                    return int(line.split()[1]) * 1024
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return None
