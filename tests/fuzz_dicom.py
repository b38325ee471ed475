"""DICOM files taken apart into elements, damaged there, and put together again."""

from __future__ import annotations

import random
import struct
import zlib
from typing import Any

from fuzz_damage import FLOATS, WORDS, any_bytes, whole

_LONG = (b"OB", b"OW", b"OF", b"OD", b"SQ", b"UN", b"UC", b"UR", b"UT")
_START = 132
_SYNTAX = b"\x02\x00\x10\x00"
_SYNTAXES = (
    b"1.2.840.10008.1.2", b"1.2.840.10008.1.2.1", b"1.2.840.10008.1.2.2", b"1.2.840.10008.1.2.5",
    b"1.2.840.10008.1.2.4.50", b"1.2.840.10008.1.2.4.70", b"1.2.840.10008.1.2.4.80",
    b"1.2.840.10008.1.2.4.90", b"1.2.840.10008.1.2.1.99", b"1.2.3", b"",
)  # fmt: skip


class Element:
    """Tag, value representation and value (bytes, or the items of a sequence)."""

    def __init__(self, tag: bytes, vr: bytes, value: Any):
        self.tag, self.vr, self.value, self.lie = tag, vr, value, None

    def packed(self) -> bytes:
        value = self.value
        if isinstance(value, list):
            parts = (b"".join(e.packed() for e in item) for item in value)
            value = b"".join(b"\xfe\xff\x00\xe0" + struct.pack("<I", len(p)) + p for p in parts)
        size = len(value) if self.lie is None else self.lie
        if self.vr in _LONG:
            return self.tag + self.vr + b"\0\0" + struct.pack("<I", size & 0xFFFFFFFF) + value
        return self.tag + self.vr + struct.pack("<H", size & 0xFFFF) + value


def taken_apart(content: bytes, start: int = _START, stop: int | None = None) -> list[Element]:
    """Elements of an explicit little-endian file; undefined lengths are left as bytes."""
    at, stop, found = start, len(content) if stop is None else stop, []
    while at + 8 <= stop:
        tag, vr = content[at : at + 4], content[at + 4 : at + 6]
        long = vr in _LONG
        begin = at + (12 if long else 8)
        size = int.from_bytes(content[begin - (4 if long else 2) : begin], "little")
        if size == 0xFFFFFFFF:
            size = stop - begin
        value: Any = content[begin : begin + size]
        if vr == b"SQ" and size:
            value = _items(content, begin, begin + size)
        found.append(Element(tag, vr, value))
        at = begin + size
    return found


def _items(content: bytes, at: int, stop: int) -> list[list[Element]]:
    items = []
    while at + 8 <= stop:
        size = int.from_bytes(content[at + 4 : at + 8], "little")
        items.append(taken_apart(content, at + 8, at + 8 + size))
        at += 8 + size
    return items


def together(content: bytes, elements: list[Element]) -> bytes:
    return content[:_START] + b"".join(e.packed() for e in elements)


def damage(content: bytes, rng: random.Random) -> bytes:
    """Some elements changed, dropped, doubled, nested or given another length or type."""
    elements = taken_apart(content)
    for _ in range(rng.choice((1, 1, 2, 4))):
        holder = _holder(elements, rng)
        if holder:
            _change(holder, rng)
    made = together(content, elements)
    kind = rng.random()
    if kind < 0.1:
        made = _another_syntax(content, elements, rng)
    elif kind < 0.2:
        made = any_bytes(made, rng)
    return made


def _holder(elements: list[Element], rng: random.Random) -> list[Element]:
    """The list that an element to be changed stands in; as likely deep as not."""
    while True:
        deeper = [e for e in elements if isinstance(e.value, list) and e.value]
        if not deeper or rng.random() < 0.3:
            return elements
        elements = rng.choice(rng.choice(deeper).value)


def _change(holder: list[Element], rng: random.Random) -> None:
    at = rng.randrange(len(holder))
    element, kind = holder[at], rng.randrange(12)
    if kind == 0:
        del holder[at]
    elif kind == 1:
        holder.insert(at, element)
    elif kind == 2:
        element.lie = rng.choice((0, 1, 2**16 - 1, 2**31, 2**32 - 1, 2**32 - 2, 100))
    elif kind == 3:
        element.vr = rng.choice((b"DS", b"IS", b"US", b"SQ", b"UN", b"FL", b"OW", b"\0\0", b"PN"))
    elif kind == 4:
        holder[at] = nested(element, rng.choice((2, 30, 400, 3000)))
    elif isinstance(element.value, list):
        if kind == 5:
            element.value = []
        elif kind <= 7:
            element.value = element.value * rng.choice((2, 50))
        elif element.value:
            element.value.pop(rng.randrange(len(element.value)))
    else:
        element.value = _value(element, rng)


def _value(element: Element, rng: random.Random) -> bytes:
    value = element.value
    if element.vr in (b"US", b"SS", b"UL", b"SL", b"AT"):
        return whole(rng, 2 if element.vr[1:] == b"S" else 4)
    if element.vr in (b"FL", b"FD"):
        number = rng.choice(FLOATS)
        return struct.pack("<f", min(number, 3e38)) if element.vr == b"FL" else struct.pack(
            "<d", number
        )  # fmt: skip
    if element.vr in (b"OB", b"OW", b"UN"):
        return rng.choice((b"", value[: len(value) // 2], value * 2, any_bytes(value, rng)))
    words = value.split(b"\\")
    words[rng.randrange(len(words))] = rng.choice(WORDS).encode("utf-8")
    joined = b"\\".join(words)[:65534]
    return joined + b" " * (len(joined) % 2)


def nested(element: Element, depth: int) -> Element:
    """The element at the bottom of sequences within sequences."""
    body = element.packed()
    for _ in range(depth):
        item = b"\xfe\xff\x00\xe0" + struct.pack("<I", len(body)) + body
        body = b"\x08\x00\x40\x11SQ\0\0" + struct.pack("<I", len(item)) + item
    made = Element(b"\x08\x00\x40\x11", b"SQ", body[12:])
    return made


def _another_syntax(content: bytes, elements: list[Element], rng: random.Random) -> bytes:
    meta = [e for e in elements if e.tag[:2] == b"\x02\x00"]
    rest = [e for e in elements if e.tag[:2] != b"\x02\x00"]
    syntax = rng.choice(_SYNTAXES)
    for element in meta:
        if element.tag == _SYNTAX:
            element.value = syntax + b"\0" * (len(syntax) % 2)
    body = b"".join(e.packed() for e in rest)
    if syntax.endswith(b".99"):
        more = bytes(rng.choice((0, 0, 0, 3 * 10**7)))
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        body = packer.compress(body + more) + packer.flush()
    return together(content, meta) + body
