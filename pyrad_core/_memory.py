"""Refuse a large allocation before it is made."""

from __future__ import annotations

import os

from .errors import DeviceMemoryError

__all__ = ["require_memory"]

_SMALL = 256 << 20


def require_memory(what: str, bytes_asked: int, remedy: str) -> None:
    """Raise DeviceMemoryError if ``what`` does not fit into the host's free memory."""
    if bytes_asked <= _SMALL:
        return
    free = _free_bytes()
    if free is not None and bytes_asked > free:
        raise DeviceMemoryError(
            f"{what} need {bytes_asked / 2**30:.2f} GiB, free are {free / 2**30:.2f} GiB; {remedy}"
        )


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
