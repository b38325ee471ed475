"""Global heaps of an HDF5 file and what refers to them, checked before the library reads them.

Texts and samples of variable length lie in heaps ("GCOL"): objects of (number, references, size)
behind each other. On sizes that do not add up the library may go round for ever; a dataset's
entries (length, heap, number) make it allocate whatever length they state, and may all name one
object. Layout: HDF5 File Format Specification, III.E.
"""

from __future__ import annotations

import mmap
import struct
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from .files import refused

__all__ = ["check_entries", "check_heaps", "contiguous", "entry_type", "varies"]

_SIGNATURE = b"GCOL\x01\x00\x00\x00"
_HEAD = struct.Struct("<HHIQ")
_ENTRY = np.dtype([("length", "<u4"), ("heap", "<u8"), ("number", "<u4")])

Heaps = dict[tuple[int, int], int]


def check_heaps(path: Path) -> Heaps:
    """Bytes of every object, by heap and number; FileFormatError where a heap does not add up."""
    found: Heaps = {}
    with (
        open(path, "rb") as stream,
        mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content,
    ):
        at = content.find(_SIGNATURE)
        while at >= 0:
            at = content.find(_SIGNATURE, _walk(path, content, at, found))
    return found


def _walk(path: Path, content: mmap.mmap, start: int, found: Heaps) -> int:
    """Behind the heap."""
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
        found[start, number] = size
        at += _HEAD.size + size + -size % 8
        if at > end:
            raise _damaged(path, start)
    return end


def _damaged(path: Path, start: int) -> Exception:
    return refused(path, f"is damaged: the heap at byte {start} does not add up")


def entry_type(kind: Any) -> np.dtype | None:
    """A dataset's entries as they lie in the file; None for what is not read.

    Read are texts, and compounds of fixed values with sequences of variable length.
    """
    from h5py import h5t

    if isinstance(kind, h5t.TypeStringID):
        return np.dtype([("", _ENTRY)])
    if not isinstance(kind, h5t.TypeCompoundID):
        return None
    members = [(i, kind.get_member_type(i)) for i in range(kind.get_nmembers())]
    varying = [(i, t) for i, t in members if isinstance(t, h5t.TypeVlenID)]
    if any(varies(t) for _, t in members if not isinstance(t, h5t.TypeVlenID)):
        return None
    return np.dtype(
        {
            "names": [f"{i}" for i, _ in varying],
            "formats": [_ENTRY] * len(varying),
            "offsets": [kind.get_member_offset(i) for i, _ in varying],
            "itemsize": kind.get_size(),
        }
    )


def varies(kind: Any) -> bool:
    """Whether values of the type differ in length."""
    from h5py import h5t

    if isinstance(kind, h5t.TypeCompoundID):
        return any(varies(kind.get_member_type(i)) for i in range(kind.get_nmembers()))
    if isinstance(kind, h5t.TypeArrayID):
        return varies(kind.get_super())
    if isinstance(kind, h5t.TypeStringID):
        return bool(kind.is_variable_str())
    return isinstance(kind, h5t.TypeVlenID)


def check_entries(path: Path, name: str, kind: Any, entries: np.ndarray, base: int) -> int:
    """Bytes that the entries ask for together; each within its object of a heap."""
    heaps, total = check_heaps(path), 0
    for field in entries.dtype.names or ():
        part, width = entries[field].reshape(-1), 1
        if field != "f0":
            width = kind.get_member_type(int(field)).get_super().get_size()
        part = part[part["length"] > 0]
        for length, heap, number in part.tolist():
            if length * width > heaps.get((heap + base, number), 0):
                raise refused(path, f"{name} is damaged: an entry of {length} values is not there")
        total += int(part["length"].sum(dtype=np.int64)) * width
    return total


def contiguous(path: Path, data: Any, dtype: np.dtype) -> np.ndarray | None:
    """The entries of a dataset that is no chunks, or None where they lie in its header."""
    begin = data.id.get_offset()  # in the file, whatever stands before the first block
    if begin is None:
        return None
    count = prod(data.shape)
    return np.fromfile(path, dtype, count, offset=begin)
