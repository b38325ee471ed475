"""The structure of a MATLAB 5 file, checked before SciPy's compiled reader sees it.

SciPy trusts type codes and sizes and may crash on damaged ones. Layout: MathWorks, "MAT-File
Format", chapter 1: elements are a tag (type, bytes) and data padded to 8 bytes; a matrix holds the
elements flags, dimensions, name, and its numbers, cells or fields.
"""

from __future__ import annotations

import struct
import zlib
from math import prod
from pathlib import Path
from typing import BinaryIO

from ..errors import FileFormatError
from .files import check_size, refused, truncated

__all__ = ["check_file"]

_MATRIX, _COMPRESSED = 14, 15
_BYTES = {1: 1, 2: 1, 3: 2, 4: 2, 5: 4, 6: 4, 7: 4, 9: 8, 12: 8, 13: 8, 16: 1, 17: 2, 18: 4}
_CELL, _STRUCT, _CHAR, _NUMBERS = 1, 2, 4, range(6, 16)
_DEEPEST, _MOST_AXES, _MOST_PARTS = 16, 32, 1 << 17
_PIECE = 1 << 20


class _Source:
    """Bytes read in order, plain or unpacked on the way, up to a known or unknown end."""

    def __init__(self, stream: BinaryIO, count: int, path: Path):
        self.path, self.read_so_far, self.parts = path, 0, 0
        self._stream, self._left = stream, count

    def take(self, count: int) -> bytes:
        if count > self._left:
            raise truncated(self.path, self.read_so_far + count, self.read_so_far + self._left)
        self._left -= count
        self.read_so_far += count
        return self._stream.read(count)

    def skip(self, count: int) -> None:
        while count > 0:
            count -= len(self.take(min(count, _PIECE)))

    def at_end(self) -> bool:
        return self._left == 0


class _Unpacked(_Source):
    """The same of a compressed element, never more of it at a time than asked for."""

    def __init__(self, source: _Source, count: int, max_bytes: int | None):
        self.path, self.read_so_far, self.parts = source.path, 0, source.parts
        self._source, self._packed, self._stored = source, count, count
        self._unpacker, self._buffer, self._cap = zlib.decompressobj(), b"", max_bytes

    def _fill(self, count: int) -> None:
        while len(self._buffer) < count and not self._unpacker.eof:
            pending = self._unpacker.unconsumed_tail
            if not pending:
                if not self._packed:
                    return
                pending = self._source.take(min(self._packed, _PIECE))
                self._packed -= len(pending)
            try:
                self._buffer += self._unpacker.decompress(pending, _PIECE)
            except zlib.error as error:
                raise refused(self.path, f"damaged compressed variable ({error})") from None

    def take(self, count: int) -> bytes:
        self._fill(count)
        if len(self._buffer) < count:
            got = self.read_so_far + len(self._buffer)
            raise truncated(self.path, self.read_so_far + count, got, "a compressed variable")
        taken, self._buffer = self._buffer[:count], self._buffer[count:]
        self.read_so_far += count
        check_size(self.path, self.read_so_far, self._cap, "a variable", stored=self._stored)
        return taken

    def close(self) -> None:
        """What is left of the packed bytes, so that the next element follows."""
        self._source.skip(self._packed)


def check_file(path: Path, order: str, max_bytes: int | None) -> None:
    """Raise FileFormatError unless every element is what its tag and flags say."""
    with open(path, "rb") as stream:
        stream.seek(128)
        source = _Source(stream, path.stat().st_size - 128, path)
        while not source.at_end():
            kind, count = struct.unpack(order + "II", source.take(8))
            wanted, size = 128 + source.read_so_far + count, path.stat().st_size
            if wanted > size:
                raise truncated(path, wanted, size, "a variable")
            if kind == _COMPRESSED:
                inner = _Unpacked(source, count, max_bytes)
                inner_kind, inner_count = struct.unpack(order + "II", inner.take(8))
                _element(inner, inner_kind, inner_count, order, 0)
                inner.close()
                source.parts = inner.parts
            else:
                check_size(path, count, max_bytes, "a variable")
                _element(source, kind, count, order, 0)


def _element(source: _Source, kind: int, count: int, order: str, depth: int) -> None:
    if kind != _MATRIX:
        raise _damaged(source.path, f"a variable of type {kind}")
    end = source.read_so_far + count
    if count:
        _matrix(source, end, order, depth)
    source.skip(end - source.read_so_far)


def _matrix(source: _Source, end: int, order: str, depth: int) -> None:
    if depth > _DEEPEST:
        raise _damaged(source.path, f"more than {_DEEPEST} nested levels")
    flags = _small(source, end, order, 6, 8)
    word = struct.unpack(order + "II", flags)[0]
    class_, is_complex = word & 0xFF, bool(word & 0x800)
    sizes = _small(source, end, order, 5, 4 * _MOST_AXES)
    shape = struct.unpack(f"{order}{len(sizes) // 4}i", sizes[: len(sizes) // 4 * 4])
    if len(shape) < 2 or min(shape) < 0:
        raise _damaged(source.path, f"shape {shape}")
    _small(source, end, order, 1, 256)  # the name
    if class_ in _NUMBERS or class_ == _CHAR:
        for _ in range(2 if is_complex else 1):
            _numbers(source, end, order, prod(shape))
    elif class_ == _CELL:
        _nested(source, end, order, depth, shape)
    elif class_ == _STRUCT:
        length = struct.unpack(order + "i", _small(source, end, order, 5, 4)[:4])[0]
        names = _small(source, end, order, 1, 1 << 16)
        if length < 1 or len(names) % length:
            raise _damaged(source.path, f"field names of {length} bytes")
        _nested(source, end, order, depth, shape, len(names) // length)
    else:
        raise _damaged(source.path, f"a variable of class {class_}; save plain arrays and structs")


def _nested(
    source: _Source, end: int, order: str, depth: int, shape: tuple[int, ...], fields: int = 1
) -> None:
    """Cells, or fields of structs: objects of Python each, so they are counted."""
    count = prod(shape) * max(fields, 1)
    source.parts += count
    if source.parts > _MOST_PARTS:
        raise _damaged(source.path, f"{source.parts} cells or fields (at most {_MOST_PARTS})")
    for _ in range(count if fields else 0):
        kind, size, _ = _tag(source, end, order)
        if source.read_so_far + size > end:
            raise _damaged(source.path, "a field that is larger than its variable")
        _element(source, kind, size, order, depth + 1)


def _numbers(source: _Source, end: int, order: str, count: int) -> None:
    kind, size, inside = _tag(source, end, order)
    if kind not in _BYTES or size != count * _BYTES[kind]:
        raise _damaged(source.path, f"{size} bytes of type {kind} for {count} numbers")
    if inside is None:
        source.skip(size + -size % 8)


def _small(source: _Source, end: int, order: str, kind: int, most: int) -> bytes:
    """The data of a short element of a known type."""
    found, size, inside = _tag(source, end, order)
    if found != kind or size > most:
        raise _damaged(source.path, f"{size} bytes of type {found} where type {kind} belongs")
    if inside is not None:
        return inside[:size]
    return source.take(size + -size % 8)[:size]


def _tag(source: _Source, end: int, order: str) -> tuple[int, int, bytes | None]:
    """(type, bytes, the data where it stands in the tag itself)."""
    raw = source.take(8)
    first, second = struct.unpack(order + "II", raw)
    size, inside = second, None
    if first >> 16:
        first, size, inside = first & 0xFFFF, first >> 16, raw[4:]
        if size > 4:
            raise _damaged(source.path, f"{size} bytes in a tag")
    elif source.read_so_far + size > end:
        raise _damaged(source.path, "an element that is larger than its variable")
    return first, size, inside


def _damaged(path: Path, what: str) -> FileFormatError:
    return refused(path, f"is damaged, or of a kind that is not read: {what}")
