"""The elements of a DICOM file, walked through before any parser trusts their lengths.

pydicom reads as many bytes as a length says, GDCM descends into sequences by recursion, and both
unpack deflated files whole. Layout: DICOM PS3.5, chapters 7 and 10, annex A.
"""

from __future__ import annotations

import mmap
import struct
import zlib
from pathlib import Path
from typing import Any, NamedTuple

from .files import check_size, needed, refused, truncated

__all__ = ["check_elements", "open_dicom"]

_START = 132
_IMPLICIT, _BIG, _DEFLATED = "1.2.840.10008.1.2", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"
_LONG = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
_SHORT = frozenset(
    b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split()
)  # lengths of other types are read differently by different parsers
_SYNTAX, _PIXELS = (0x0002, 0x0010), (0x7FE0, 0x0010)
_ITEM, _ITEM_END, _SEQUENCE_END = (0xFFFE, 0xE000), (0xFFFE, 0xE00D), (0xFFFE, 0xE0DD)
_DEEPEST, _MOST = 32, 2_000_000  # nested sequences, elements
_UNDEFINED = 0xFFFFFFFF
_ONCE = (0x0028, 0x7FE0)  # groups whose elements decide how large an image is


def open_dicom(path: Path, max_bytes: int | None = None, **how: Any) -> Any:
    """The file as a pydicom data set, after :func:`check_elements`."""
    pydicom = needed("pydicom")
    check_elements(path, max_bytes)
    try:
        return pydicom.dcmread(path, **how)
    except Exception as error:  # pydicom raises many classes on damaged files
        raise refused(path, f"is no readable DICOM file ({error})") from None


def check_elements(path: Path, max_bytes: int | None = None) -> None:
    """Raise FileFormatError unless every element lies within the file and within its sequence."""
    size = path.stat().st_size
    if size < _START + 8:
        raise truncated(path, _START + 8, size, "a DICOM header")
    with (
        open(path, "rb") as stream,
        mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content,
    ):
        syntax, begin = _syntax(path, content)
        if syntax == _DEFLATED:
            body: Any = _inflated(path, content, begin, max_bytes)
            _Walk(path, body, "<", True).elements(0, len(body), 0)
        else:
            walk = _Walk(path, content, ">" if syntax == _BIG else "<", syntax != _IMPLICIT)
            walk.elements(begin, size, 0)


class _Head(NamedTuple):
    tag: tuple[int, int]
    vr: bytes
    begin: int
    length: int


class _Walk:
    """From element to element of one file, without looking at values."""

    def __init__(self, path: Path, content: Any, order: str, explicit: bool):
        self.path, self.content, self.count = path, content, 0
        self.explicit = explicit
        self.tag_form, self.short, self.long = (struct.Struct(order + f) for f in ("HH", "H", "I"))

    def head(self, at: int, stop: int, explicit: bool) -> _Head:
        """What stands in front of a value."""
        if at + 8 > stop:
            raise truncated(self.path, at + 8, stop, "an element")
        tag = self.tag_form.unpack_from(self.content, at)
        vr = bytes(self.content[at + 4 : at + 6]) if explicit and tag[0] != 0xFFFE else b""
        if not vr:
            return _Head(tag, vr, at + 8, self.long.unpack_from(self.content, at + 4)[0])
        if vr not in _SHORT and vr not in _LONG:
            raise refused(self.path, f"is damaged: an element of type {vr!r} at byte {at}")
        if vr not in _LONG:
            return _Head(tag, vr, at + 8, self.short.unpack_from(self.content, at + 6)[0])
        if at + 12 > stop:
            raise truncated(self.path, at + 12, stop, "an element")
        return _Head(tag, vr, at + 12, self.long.unpack_from(self.content, at + 8)[0])

    def elements(
        self, at: int, stop: int, depth: int, explicit: bool | None = None, until: Any = None
    ) -> int:
        """Up to ``stop``, or behind the element that ends the item."""
        explicit = self.explicit if explicit is None else explicit
        once = set()
        while at < stop:
            head = self.head(at, stop, explicit)
            if until is not None and head.tag == until:
                return head.begin
            self.count += 1
            if self.count > _MOST:
                raise refused(self.path, f"holds more than {_MOST} elements")
            if depth == 0 and head.tag[0] in _ONCE:
                if head.tag in once:
                    name = f"({head.tag[0]:04X},{head.tag[1]:04X})"
                    raise refused(self.path, f"is damaged: element {name} stands there twice")
                once.add(head.tag)
            at = self.value(head, stop, depth, explicit)
        if until is not None:
            raise truncated(self.path, stop + 8, stop, "the end of an item")
        return at

    def value(self, head: _Head, stop: int, depth: int, explicit: bool) -> int:
        """Behind the value; sequences are walked through."""
        if head.length == _UNDEFINED:
            if head.tag == _PIXELS:
                return self.fragments(head.begin, stop)
            # values of unknown type and undefined length are implicit (PS3.5, 6.2.2)
            return self.items(head.begin, stop, depth + 1, explicit and head.vr != b"UN", True)
        end = head.begin + head.length
        if end > stop:
            group, element = head.tag
            raise truncated(self.path, end, stop, f"element ({group:04X},{element:04X})")
        first = self.content[head.begin : head.begin + 4]
        nested = head.vr in (b"SQ", b"UN", b"") and len(first) == 4
        if nested and self.tag_form.unpack(first) == _ITEM and head.tag != _PIXELS:
            self.items(head.begin, end, depth + 1, explicit and head.vr != b"UN", False)
        elif head.vr == b"SQ" and head.length:
            raise refused(self.path, f"is damaged: a sequence at byte {head.begin} has no items")
        return end

    def items(self, at: int, stop: int, depth: int, explicit: bool, open_ended: bool) -> int:
        if depth > _DEEPEST:
            raise refused(self.path, f"is damaged: sequences are nested more than {_DEEPEST} deep")
        while at < stop:
            head = self.head(at, stop, explicit)
            if open_ended and head.tag == _SEQUENCE_END:
                return head.begin
            if head.tag != _ITEM:
                raise refused(self.path, f"is damaged: no item of a sequence at byte {at}")
            if head.length == _UNDEFINED:
                at = self.elements(head.begin, stop, depth, explicit, _ITEM_END)
                continue
            end = head.begin + head.length
            if end > stop:
                raise truncated(self.path, end, stop, "an item of a sequence")
            at = self.elements(head.begin, end, depth, explicit)
        if open_ended:
            raise truncated(self.path, stop + 8, stop, "the end of a sequence")
        return at

    def fragments(self, at: int, stop: int) -> int:
        """Pieces of compressed pixels."""
        while at < stop:
            head = self.head(at, stop, False)
            if head.tag == _SEQUENCE_END:
                return head.begin
            at = head.begin + head.length
            if head.tag != _ITEM or at > stop:
                raise refused(self.path, "is damaged: its compressed pixels end early")
        raise truncated(self.path, stop + 8, stop, "compressed pixels")


def _syntax(path: Path, content: Any) -> tuple[str, int]:
    """The transfer syntax, and where the elements that it describes begin."""
    walk, at, syntax = _Walk(path, content, "<", True), _START, ""
    while at + 8 <= len(content) and content[at : at + 2] == b"\x02\x00":
        head = walk.head(at, len(content), True)
        at = head.begin + head.length
        if at > len(content):
            raise truncated(path, at, len(content), "the file meta information")
        if head.tag == _SYNTAX:
            syntax = bytes(content[head.begin : at]).rstrip(b"\0 ").decode("ascii", "replace")
    if not syntax:
        raise refused(path, "is no DICOM file: it names no transfer syntax")
    return syntax, at


def _inflated(path: Path, content: Any, begin: int, max_bytes: int | None) -> bytearray:
    """The elements of a deflated file, unpacked as far as the caps allow."""
    unpacker, found, stored = zlib.decompressobj(-15), bytearray(), len(content) - begin
    pending = bytes(content[begin:])
    try:
        while pending and not unpacker.eof:
            found += unpacker.decompress(pending, 1 << 20)
            check_size(path, len(found), max_bytes, "its deflated part", stored=stored)
            pending = unpacker.unconsumed_tail
    except zlib.error as error:
        raise refused(path, f"is damaged: its deflated part cannot be unpacked ({error})") from None
    return found
