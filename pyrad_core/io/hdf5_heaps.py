"""Global heaps of an HDF5 file, checked before the library walks them.

Texts and samples of variable length lie in heaps ("GCOL"): objects of (number, references, size)
behind each other. On sizes that do not add up the library may go round for ever. Layout: HDF5 File
Format Specification, III.E.
"""

from __future__ import annotations

import mmap
import struct
from pathlib import Path

from .files import refused

__all__ = ["check_heaps"]

_SIGNATURE = b"GCOL\x01\x00\x00\x00"
_HEAD = struct.Struct("<HHIQ")


def check_heaps(path: Path) -> None:
    """Raise FileFormatError unless the objects of every heap fill it."""
    with (
        open(path, "rb") as stream,
        mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content,
    ):
        at = content.find(_SIGNATURE)
        while at >= 0:
            at = content.find(_SIGNATURE, _end_of_heap(path, content, at))


def _end_of_heap(path: Path, content: mmap.mmap, start: int) -> int:
    first = start + 16
    if first > len(content):
        raise _damaged(path, start)
    end = start + int.from_bytes(content[start + 8 : first], "little")
    if not first <= end <= len(content):
        raise _damaged(path, start)
    at = first
    while at + _HEAD.size <= end:
        number, _, _, size = _HEAD.unpack_from(content, at)
        if number == 0:  # what is left; its size counts its head, too
            if size != end - at:
                raise _damaged(path, start)
            return end
        at += _HEAD.size + size + -size % 8
        if at > end:
            raise _damaged(path, start)
    return end


def _damaged(path: Path, start: int) -> Exception:
    return refused(path, f"is damaged: the heap at byte {start} does not add up")
