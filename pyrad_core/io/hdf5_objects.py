"""Object headers of an HDF5 file, checked before the library reads them.

The library allocates what a header states before it looks at the file's end, follows headers that
go on in themselves for ever, and trusts the mapping of virtual datasets. Layout: HDF5 File Format
Specification, II.A (superblock), III (heaps, B-trees) and IV.A (headers).
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path

from .files import refused

__all__ = ["MAGIC", "Objects"]

MAGIC = b"\x89HDF\r\n\x1a\n"

_LINKS, _LAYOUT, _ATTRIBUTE, _SHARED_TABLE, _CONTINUATION = 0x02, 0x08, 0x0C, 0x0F, 0x10
_SYMBOLS, _ATTRIBUTES, _CACHE_IMAGE = 0x11, 0x15, 0x18
_VIRTUAL = 3
_END_OF_CHAIN = 1
_ROOM = 1 << 20  # bytes that a block of a heap or a node of a tree may always have


class Objects:
    """The headers of one file; ``check`` raises FileFormatError where one does not add up."""

    def __init__(self, path: Path):
        self.path = path
        with open(path, "rb") as stream:
            self._content = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        self._passed: set[int] = set()
        self._base, self._name = 0, "its first block"
        while self._content[self._base : self._base + 8] != MAGIC:
            self._base = max(512, 2 * self._base)
            if self._base >= len(self._content):
                raise refused(path, "is no readable HDF5 file (file signature not found)")
        self._version = self._number(self._base + 8, 1)
        at = self._base + (13 if self._version < 2 else 9)
        self._offset, self._length = self._number(at, 1), self._number(at + 1, 1)
        if self._version > 3 or {self._offset, self._length} - {2, 4, 8}:
            raise refused(path, f"is an HDF5 file of a kind not read (version {self._version})")

    def check_root(self) -> None:
        """The superblock and the root group."""
        begin = self._base + (24, 28, 12, 12)[self._version]
        first, second, third, last = self._addresses(begin, 4)
        end, beside = (third, last) if self._version < 2 else (third, second)
        if end - first + self._base > len(self._content):
            return  # the library says how many bytes are missing
        if self._version >= 2:
            if self._is_there(beside):
                self.check(beside, "what extends its first block")
            self.check(last, "/")
            return
        if self._is_there(beside):
            raise refused(self.path, "is one of the several files of an HDF5 file")
        entry = begin + 4 * self._offset
        self.check(self._addresses(entry, 2)[1], "/")
        entry += 2 * self._offset
        if self._number(entry, 4) == 1:  # the addresses of the group's tree and heap are kept here
            self._check_symbols(entry + 8)

    def check(self, address: int, name: str) -> None:
        """The header of an object at an address of the file, and what it says of other blocks."""
        if address in self._passed:
            return
        self._name = name
        self._passed.add(address)
        for kind, shared, at, size in self._messages(address):
            if shared:
                self._check_shared(at)
            elif kind == _LAYOUT:
                self._check_layout(at)
            elif kind == _SYMBOLS:
                self._check_symbols(at)
            elif kind in (_LINKS, _ATTRIBUTES):
                self._check_dense(at, 8 if kind == _LINKS else 2)
            elif kind == _ATTRIBUTE:
                self._check_attribute(at, size)
            elif kind in (_CACHE_IMAGE, _SHARED_TABLE):
                raise refused(self.path, f"{name} uses a storage not read (message {kind:#x})")

    def _messages(self, address: int) -> Iterator[tuple[int, bool, int, int]]:
        """(type, whether it lies elsewhere, place, size) of each message of a header."""
        place = self._base + address
        old = self._content[place : place + 4] != b"OHDR"
        if old:
            if self._number(place, 1) != 1:
                raise self._damaged()
            begin, size, ordered = place + 16, self._number(place + 8, 4), False
        else:
            flags = self._number(place + 5, 1)
            begin = place + 6 + (16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0)
            width = 1 << (flags & 3)
            size, ordered = self._number(begin, width), bool(flags & 4)
            begin += width
        parts, at_part = [(begin, begin + size)], 0
        while at_part < len(parts):
            begin, end = parts[at_part]
            at_part += 1
            self._within(begin, end - begin)
            head = 8 if old else 6 if ordered else 4
            while begin + head <= end:
                wide = 2 if old else 1
                kind, length = self._number(begin, wide), self._number(begin + wide, 2)
                shared = bool(self._number(begin + wide + 2, 1) & 2)
                if begin + head + length > end:
                    raise self._damaged()
                if kind == _CONTINUATION and not shared:
                    parts.append(self._continued(begin + head, old, parts))
                else:
                    yield kind, shared, begin + head, length
                begin += head + length

    def _continued(self, at: int, old: bool, parts: list[tuple[int, int]]) -> tuple[int, int]:
        """Begin and end of another part of a header, which may not overlap those known."""
        begin = self._base + self._number(at, self._offset)
        end = begin + self._number(at + self._offset, self._length)
        if any(begin < other[1] and other[0] < end for other in parts) or begin >= end:
            raise self._damaged()
        return (begin, end) if old else (begin + 4, end - 4)  # between signature and checksum

    def _check_shared(self, at: int) -> None:
        """A message that lies in the header of another object."""
        version, kind = self._number(at, 1), self._number(at + 1, 1)
        if version == 3 and kind == 1:
            raise refused(self.path, f"{self._name} keeps its header in a heap, which is not read")
        self.check(self._number(at + (8 if version == 1 else 2), self._offset), self._name)

    def _check_layout(self, at: int) -> None:
        version = self._number(at, 1)
        if self._number(at + (2 if version < 3 else 1), 1) == _VIRTUAL:
            raise refused(
                self.path,
                f"{self._name} is a virtual dataset, assembled from other files or datasets; "
                "refused: store it as a plain dataset",
            )

    def _check_symbols(self, at: int) -> None:
        """A group's heap of names, and the chain of what is free in it."""
        place = self._base + self._addresses(at, 2)[1] + 8
        size, free = (self._number(place + i * self._length, self._length) for i in (0, 1))
        names = self._base + self._number(place + 2 * self._length, self._offset)
        self._within(names, size)
        seen: set[int] = set()
        while free != _END_OF_CHAIN:
            if free in seen or free + 2 * self._length > size:
                raise self._damaged()
            seen.add(free)
            free = self._number(names + free, self._length)

    def _check_dense(self, at: int, width: int) -> None:
        """Links or attributes in a heap with a tree; ``width`` of the largest order of creation."""
        begin = at + 2 + (width if self._number(at + 1, 1) & 1 else 0)
        heap, tree = self._addresses(begin, 2)
        most = max(_ROOM, len(self._content))
        if self._is_there(heap):
            blocks = self._base + heap + 16 + 10 * self._length + 2 * self._offset
            sizes = [self._number(blocks + i * self._length, self._length) for i in (0, 1)]
            if max(sizes) > most:
                raise self._damaged()
        if self._is_there(tree) and self._number(self._base + tree + 6, 4) > most:
            raise self._damaged()

    def _check_attribute(self, at: int, size: int) -> None:
        """An attribute whose type is an object."""
        version, flags = self._number(at, 1), self._number(at + 1, 1)
        if version < 2 or not flags & 1:
            return
        begin = at + (9 if version > 2 else 8) + self._number(at + 2, 2)
        if begin + 2 + self._offset > at + size:
            raise self._damaged()
        self._check_shared(begin)

    def _addresses(self, at: int, count: int) -> list[int]:
        return [self._number(at + i * self._offset, self._offset) for i in range(count)]

    def _is_there(self, address: int) -> bool:
        return address != (1 << 8 * self._offset) - 1

    def _number(self, at: int, width: int) -> int:
        self._within(at, width)
        return int.from_bytes(self._content[at : at + width], "little")

    def _within(self, begin: int, size: int) -> None:
        if begin + size > len(self._content):
            raise self._damaged()

    def _damaged(self) -> Exception:
        return refused(self.path, f"is damaged: the header of {self._name} does not add up")
