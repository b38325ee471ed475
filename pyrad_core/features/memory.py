"""Refuse a large allocation before it is made."""

from __future__ import annotations

import os

from ..errors import DeviceMemoryError

__all__ = ["require_memory"]

_SMALL = 256 << 20


def require_memory(what: str, bytes_asked: int) -> None:
    """Raise DeviceMemoryError if ``what`` does not fit into the free memory."""
    if bytes_asked <= _SMALL:
        return
    try:
        free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        with open("/proc/meminfo", encoding="ascii") as file:
            for line in file:
                if line.startswith("MemAvailable:"):
                    free = int(line.split()[1]) * 1024
    except (OSError, ValueError):
        return
    if bytes_asked > free:
        raise DeviceMemoryError(
            f"{what} need {bytes_asked / 2**30:.2f} GiB, free are {free / 2**30:.2f} GiB; "
            "use fewer grey levels"
        )
