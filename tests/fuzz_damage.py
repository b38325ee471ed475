"""Ways to damage a file: any bytes, words of a text, numbers at known places, packed content.

A damage is a function ``(content, rng) -> content``. It always changes what it is given.
"""

from __future__ import annotations

import functools
import gzip
import io
import random
import struct
import zipfile
from collections.abc import Callable, Sequence

Damage = Callable[[bytes, random.Random], bytes]

NUMBERS = (0, 1, -1, 2, 3, 255, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1, 2**62, 2**63 - 1)
FLOATS = (0.0, -1.0, 1e-320, 1e-30, 0.5, 1e30, 1e300, float("nan"), float("inf"), -float("inf"))
WORDS = (
    "", "0", "-1", "-0", "1", "2", "1e400", "-1e-400", "nan", "NaN", "inf", "-inf", "0x10", "1_0",
    "99999999999999999999", "2147483648", "4294967296", "1e9", "30000", "1.5", "true", "null",
    "~", "\0", "a\0b", "..", "../canary.bin", "/etc/passwd", "LIST", "LOCAL", "%03d.raw 1 9 1",
    "\u0661\u0662", "\ufffd", "\\", "\\1\\2", "'", '"', "[", "]", "{", "}", "x" * 5000, "9" * 5000,
)  # fmt: skip


def any_bytes(content: bytes, rng: random.Random) -> bytes:
    """A few bytes changed, runs repeated, moved or cut, and numbers that headers dislike."""
    data = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 3, 6))):
        place = rng.randrange(max(1, len(data)))
        kind = rng.randrange(6)
        if kind <= 1:
            data[place : place + 1] = bytes([rng.randrange(256)])
        elif kind == 2:
            width = rng.choice((2, 4, 8))
            data[place : place + width] = whole(rng, width, rng.choice("<>"))
        elif kind == 3:
            run = data[place : place + rng.choice((1, 8, 64))]
            data[place:place] = run * rng.choice((1, 2, 50))
        elif kind == 4:
            del data[place : place + rng.choice((1, 8, 64, 4096))]
        elif data:
            data[place] ^= 1 << rng.randrange(8)
    return bytes(data)


def whole(rng: random.Random, width: int, order: str = "<") -> bytes:
    """A whole number that headers dislike."""
    number = rng.choice(NUMBERS) % 2 ** (8 * width)
    return number.to_bytes(width, "little" if order == "<" else "big")


def either(*ways: Damage, rest: float = 0.3) -> Damage:
    """One of the ways, or (with that probability) any bytes; now and then both."""

    def damage(content: bytes, rng: random.Random) -> bytes:
        if rng.random() < rest:
            return any_bytes(content, rng)
        content = rng.choice(ways)(content, rng)
        return any_bytes(content, rng) if rng.random() < 0.1 else content

    return damage


def fields(*places: tuple[int, str], order: str = "<") -> Damage:
    """Numbers at (offset, struct code) replaced, or all of them in the other byte order."""

    def damage(content: bytes, rng: random.Random) -> bytes:
        data = bytearray(content)
        turned = rng.random() < 0.1
        for at, code in places if turned else rng.choices(places, k=rng.choice((1, 1, 2, 4))):
            size = struct.calcsize(code)
            if turned:
                data[at : at + size] = data[at : at + size][::-1]
            elif code in "fd":
                data[at : at + size] = struct.pack(order + code, _fitting(code, rng))
            else:
                data[at : at + size] = whole(rng, size, order)
        return bytes(data)

    return damage


def _fitting(code: str, rng: random.Random) -> float:
    value = rng.choice(FLOATS)
    return value if code == "d" or not 1e38 < abs(value) < 1e308 else 3e38


def text(*snippets: str, stop: bytes | None = None) -> Damage:
    """Words and lines of a text changed, doubled, moved or dropped; ``stop`` ends the text."""

    def damage(content: bytes, rng: random.Random) -> bytes:
        end = len(content) if stop is None else content.find(stop) % (len(content) + 1)
        lines = content[:end].decode("latin-1").split("\n")
        for _ in range(rng.choice((1, 1, 2, 4))):
            _change_line(lines, rng, snippets)
        return "\n".join(lines).encode("utf-8", "replace") + content[end:]

    return damage


def _change_line(lines: list[str], rng: random.Random, snippets: Sequence[str]) -> None:
    at, kind = rng.randrange(len(lines)), rng.randrange(10)
    if kind == 0 and len(lines) > 1:
        del lines[at]
    elif kind == 1:
        lines.insert(rng.randrange(len(lines) + 1), lines[at])
    elif kind == 2 and snippets:
        lines.insert(at, rng.choice(snippets))
    elif kind == 3:
        lines[at] = lines[at] * rng.choice((2, 30))
    else:
        cuts = [i for i, c in enumerate(lines[at]) if c in " ,:=;<>[]{}\"'"]
        first = rng.choice(cuts) + 1 if cuts else 0
        later = [i for i in cuts if i > first]
        last = later[0] if later else len(lines[at])
        lines[at] = lines[at][:first] + rng.choice(WORDS) + lines[at][last:]


def gzipped(inner: Damage) -> Damage:
    """The content of a gzip file damaged and packed again; now and then padded or doubled."""

    def damage(content: bytes, rng: random.Random) -> bytes:
        packed = gzip.compress(inner(gzip.decompress(content), rng), 6, mtime=0)
        if rng.random() < 0.1:  # another member of the same stream
            packed += bomb(rng.choice((1, 10**6, 3 * 10**7)), gzip.compress)
        return packed * 2 if rng.random() < 0.05 else packed

    return damage


def tail_packed(inner: Damage, stop: bytes, pack: Callable[[bytes], bytes]) -> Damage:
    """A text header up to ``stop``, and packed voxels that hold too few or far too many bytes."""

    def damage(content: bytes, rng: random.Random) -> bytes:
        content = inner(content, rng)
        end = content.find(stop)
        if end < 0 or rng.random() < 0.5:
            return content
        voxels = bomb(rng.choice((0, 1, 119, 120, 121, 10**5, 3 * 10**7)), pack)
        return content[: end + len(stop)] + voxels

    return damage


def archive(member: Damage) -> Damage:
    """A zip file whose members are damaged, bombs, doubled, or packed in another way."""

    def damage(content: bytes, rng: random.Random) -> bytes:
        with zipfile.ZipFile(io.BytesIO(content)) as whole_file:
            members = [(m.filename, whole_file.read(m)) for m in whole_file.infolist()]
        at = rng.randrange(len(members))
        name, data = members[at]
        kind = rng.randrange(5)
        if kind == 0:
            data += bytes(rng.choice((10**5, 10**6, 10**6, 10**6, 3 * 10**7)))
        elif kind == 1:
            members.append((name, data))
        elif kind == 2:
            name = rng.choice(("flat.npy", "x/../a.npy", "a\0.npy", "", "dark", "mask.npy"))
        else:
            data = member(data, rng)
        members[at] = (name, data)
        out = io.BytesIO()
        kinds = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2)
        with zipfile.ZipFile(out, "w", rng.choice(kinds)) as packed:
            for key, value in members:
                packed.writestr(key or "x", value)
        made = out.getvalue()
        return any_bytes(made, rng) if rng.random() < 0.2 else made

    return damage


def npy(content: bytes, rng: random.Random) -> bytes:
    """The dictionary in front of an array, its length kept right more often than not."""
    size = int.from_bytes(content[8:10], "little")
    head, body = content[10 : 10 + size], content[10 + size :]
    dtypes = ("'|V0'", "'|S0'", "'<U9'", "'|O'", "[('a', '<f4')]", "'>f8'", "'<M8[s]'", "'?'")
    shapes = ("(0,)", "()", "(-1, 3)", "(10**6,)", "(1000000, 1000000)", "(3,)*9", "(2**64,)")
    dtype, shape = rng.choice(dtypes), rng.choice(shapes)
    kind = rng.randrange(4)
    if kind == 0:
        head = b"{'descr': %b, 'fortran_order': False, 'shape': (3, 4), }\n" % dtype.encode()
    elif kind == 1:
        head = b"{'descr': '<f4', 'fortran_order': True, 'shape': %b, }\n" % shape.encode()
    elif kind == 2:
        head = b"{'descr': %b, 'fortran_order': False, 'shape': %b, }\n" % (
            dtype.encode(), shape.encode(),
        )  # fmt: skip
    else:
        head = text("(" * 90, "[" * 3000, "#")(head, rng)
    length = len(head) if rng.random() < 0.9 else rng.choice((0, 1, 65535))
    return content[:8] + min(length, 65535).to_bytes(2, "little") + head + body


@functools.cache
def bomb(size: int, pack: Callable[[bytes], bytes]) -> bytes:
    """So many zeros, packed."""
    return pack(bytes(size))
