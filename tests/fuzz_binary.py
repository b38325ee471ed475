"""Siemens TWIX, TIFF and MATLAB 5 files damaged where their structure is."""

from __future__ import annotations

import lzma
import random
import struct
import zlib

from fuzz_damage import Damage, bomb, fields, text, whole

_RAID = 10240  # bytes of the list of measurements in front of them
_PROTOCOL = (
    "sKSpace.alFree[4000000000] = 1", "sSliceArray.asSlice[99999999999].dThickness = 5",
    "sKSpace = 3", "a.b.c.d.e.f.g.h = 1", "sSliceArray.asSlice[0][0][0] = 1", "x" * 40000,
    " " * 40000, "### ASCCONV BEGIN ###\n" * 300, "### ASCCONV END ###", '<ParamLong."a"> {' * 3000,
    "sKSpace.lBaseResolution = 4000000000", "sKSpace.lPhaseEncodingLines = -1",
    '<ParamLong."iPEFTLength"> { 4000000000 }', '<ParamLong."alRegridMode"> { 2 }',
    '<ParamDouble."aflRegridADCDuration"> { <Precision> 6 100.0 }',
    '<ParamLong."alRegridDestSamples"> { 4000000000 }', "sKSpace.ucDimension = 0x4",
)  # fmt: skip


def twix(lines: int) -> Damage:
    """Lengths and offsets of measurements, the protocol's text, and the headers of the lines."""
    raid = fields((0, "I"), (4, "I"), (16, "Q"), (24, "Q"), (168, "Q"), (176, "Q"))
    sections = fields((0, "I"), (4, "I"))
    protocol = text(*_PROTOCOL)
    line = fields(
        (0, "I"), (40, "Q"), (48, "H"), (50, "H"), *((52 + 2 * i, "H") for i in range(14)),
        (80, "H"), (82, "H"), (84, "H"), (90, "f"), (94, "I"), (98, "H"), (100, "H"),
        *((104 + 4 * i, "f") for i in range(7)),
    )  # fmt: skip

    def damage(content: bytes, rng: random.Random) -> bytes:
        kind = rng.randrange(5)
        if kind == 0:
            return raid(content, rng)
        size = int.from_bytes(content[_RAID : _RAID + 4], "little")
        head, body = content[_RAID : _RAID + size], content[_RAID + size :]
        if kind == 1:
            return content[:_RAID] + sections(head, rng) + body
        if kind <= 3:
            return content[:_RAID] + _with_text(protocol(head[8:], rng), rng) + body
        at = _RAID + size + rng.randrange(lines) * (len(body) // (lines + 1))
        return content[:at] + line(content[at:], rng)

    return damage


def _with_text(protocol: bytes, rng: random.Random) -> bytes:
    """The protocol behind its length, the lengths of its sections right again."""
    names = (b"MeasYaps\0", b"Meas\0")
    starts = sorted(at for at in (protocol.find(n) for n in names) if at >= 0)
    ends = [*starts[1:], len(protocol)] if starts else []
    parts = [protocol[a:b] for a, b in zip(starts, ends, strict=True)]
    made = b""
    for part in parts:
        name, _, rest = part.partition(b"\0")
        size = len(rest) - 4 if rng.random() < 0.95 else rng.choice((0, 2**31, 2**32 - 1))
        made += name + b"\0" + struct.pack("<I", size) + rest[4:]
    made += bytes(-len(made) % 32)
    return struct.pack("<II", len(made) + 8, len(parts)) + made


def tiff(content: bytes, rng: random.Random) -> bytes:
    """Entries of a page: tag, type, count, value; or pages packed as bombs."""
    data = bytearray(content)
    order = "<" if content[:2] == b"II" else ">"
    at = struct.unpack(order + "I", content[4:8])[0]
    count = struct.unpack(order + "H", content[at : at + 2])[0]
    if rng.random() < 0.25:
        return _packed_pages(data, order, at, count, rng)
    for _ in range(rng.choice((1, 1, 2, 3))):
        entry = at + 2 + 12 * rng.randrange(count)
        place, width = rng.choice(((0, 2), (2, 2), (4, 4), (8, 4), (8, 2)))
        value = whole(rng, width, order)
        if place == 0:
            tag = rng.choice((256, 257, 258, 259, 273, 277, 278, 279, 282, 320, 322, 330, 347))
            value = struct.pack(order + "H", tag)
        elif place == 8 and rng.random() < 0.5:
            value = struct.pack(order + "H", rng.choice((1, 2, 3, 5, 7, 8, 16, 64, 65, 50000)))
        data[entry + place : entry + place + len(value)] = value
    return bytes(data)


def _packed_pages(data: bytearray, order: str, at: int, count: int, rng: random.Random) -> bytes:
    """The pixels of the first page packed, to too few or far too many bytes."""
    method, pack = rng.choice(((8, zlib.compress), (32946, zlib.compress), (34925, lzma.compress)))
    pixels = bomb(rng.choice((0, 35, 36, 37, 10**5, 3 * 10**7)), pack)
    for i in range(count):
        entry = at + 2 + 12 * i
        tag = struct.unpack(order + "H", data[entry : entry + 2])[0]
        value = {259: method, 273: len(data), 279: len(pixels)}.get(tag)
        if value is not None:
            data[entry + 2 : entry + 12] = struct.pack(order + "HII", 4, 1, value)
    return bytes(data) + pixels


def mat5(content: bytes, rng: random.Random) -> bytes:
    """Words of the elements (type, size, class, lengths); variables packed, to bombs too."""
    data = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 3))):
        at = 128 + 4 * rng.randrange((len(data) - 128) // 4)
        if rng.random() < 0.5:
            data[at : at + 4] = struct.pack("<I", rng.choice((1, 2, 5, 6, 7, 9, 12, 14, 15, 16)))
        else:
            data[at : at + 4] = whole(rng, 4)
    if rng.random() < 0.4:
        plain = bytes(data[128:]) + bytes(rng.choice((0, 0, 10**6)))
        packed = zlib.compress(plain)
        return bytes(data[:128]) + struct.pack("<II", 15, len(packed)) + packed
    if rng.random() < 0.1:
        kind, count = rng.choice((1, 2)), rng.choice((3, 10**5, 10**9))
        return bytes(data[:128]) + many_cells(kind, count, min(count, 10**5))
    return bytes(data)


def many_cells(kind: int, count: int, there: int) -> bytes:
    """A cell array (1) or a struct without fields (2) that declares so many empty entries."""
    inner = struct.pack("<IIII", 6, 8, kind, 0) + struct.pack("<IIii", 5, 8, count, 1)
    inner += struct.pack("<II", 1, 6) + b"kspace\0\0"
    if kind == 2:
        inner += struct.pack("<HHi", 5, 4, 8) + struct.pack("<II", 1, 0)
    inner += struct.pack("<II", 14, 0) * there
    return struct.pack("<II", 14, len(inner)) + inner
