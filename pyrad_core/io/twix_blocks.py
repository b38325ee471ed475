"""The blocks of a Siemens TWIX file, walked through before any parser trusts them."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from .files import refused, truncated

__all__ = ["check_blocks", "is_twix"]

_RAID_ENTRY = np.dtype([("ids", "<u4", 2), ("offset", "<u8"), ("length", "<u8"), ("names", "V128")])
_ACQEND, _SYNCDATA = 1 << 0, 1 << 5
_MOST = 64  # measurements of a file, sections of a header


class _Layout(NamedTuple):
    """Sizes in a line's header: of itself, of one channel's, and where its fields stand."""

    scan: int
    channel: int
    mask: int
    samples: int


_NEW = _Layout(192, 32, 40, 48)  # VD, VE, XA: one header per line, one per channel
_OLD = _Layout(0, 128, 20, 28)  # VB: the line's header is repeated for each channel


def is_twix(head: bytes) -> bool:
    """Whether a file begins like one of software VD or newer; VB has no such mark."""
    first, second = np.frombuffer(head[:8], "<u4") if len(head) >= 8 else (0, 0)
    return bool(first < 10000 and 0 < second <= _MOST)


def check_blocks(path: Path) -> int:
    """Every measurement and every line of it lies inside the file; where the last one begins."""
    size = path.stat().st_size
    with open(path, "rb") as stream:
        head = stream.read(8)
        if len(head) < 8:
            raise refused(path, "is too short for a Siemens TWIX file")
        first, count = (int(n) for n in np.frombuffer(head, "<u4"))
        if not 0 < count <= _MOST or (first >= 10000 and first > size):
            raise refused(path, "is no Siemens TWIX file (.dat of software VB, VD, VE or XA)")
        if first >= 10000:
            _walk(path, stream, 0, size, _OLD)
            return 0
        block = stream.read(count * _RAID_ENTRY.itemsize)
        if len(block) < count * _RAID_ENTRY.itemsize:
            asked = 8 + count * _RAID_ENTRY.itemsize
            raise truncated(path, asked, size, "the list of measurements")
        for entry in np.frombuffer(block, _RAID_ENTRY):
            start, length = int(entry["offset"]), int(entry["length"])
            if start + length > size:
                raise truncated(path, start + length, size, "its measurements")
            _walk(path, stream, start, start + length if length else size, _NEW)
        return start


def _walk(path: Path, stream: object, start: int, stop: int, layout: _Layout) -> None:
    """From line to line up to the one that ends the measurement."""
    read, seek = stream.read, stream.seek  # type: ignore[attr-defined]
    seek(start)
    init = read(8)
    length = int(np.frombuffer(init, "<u4")[0]) if len(init) == 8 else 0
    if not 8 <= length <= stop - start:
        raise refused(path, f"a measurement declares a header of {length} bytes")
    at, smallest = start + length, layout.scan or layout.channel
    while at + 128 < stop:
        seek(at)
        head = read(smallest)
        if len(head) < smallest:
            raise truncated(path, at + smallest, at + len(head), "a line's header")
        mask = int.from_bytes(head[layout.mask : layout.mask + 8], "little")
        samples = int.from_bytes(head[layout.samples : layout.samples + 2], "little")
        channels = int.from_bytes(head[layout.samples + 2 : layout.samples + 4], "little")
        if mask & (_ACQEND | _SYNCDATA):
            size = int.from_bytes(head[:4], "little") & 0x1FFFFFF
        else:
            size = layout.scan + channels * (layout.channel + 8 * samples)
        if size < 16:
            raise refused(path, f"a line at byte {at} declares {size} bytes")
        if mask & _ACQEND:
            return
        at += size
        if at > stop:
            raise truncated(path, at, stop, "a line")
    if layout is _OLD:
        raise truncated(path, at + 128, stop, "the mark that ends the measurement")
