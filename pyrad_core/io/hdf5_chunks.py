"""Chunks of an HDF5 dataset, read and unpacked here.

The library allocates a chunk whole, however little of it the dataset uses, unpacks a deflated
stream to its end, however long that is, and reads past the end of one that is too short. Layout:
HDF5 File Format Specification, IV.A.2.l; the checksum is Fletcher's, of 16-bit words.
"""

from __future__ import annotations

import zlib
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import FileFormatError
from .files import check_size, refused

__all__ = ["LZF", "check_chunks", "read_chunks"]

_DEFLATE, _SHUFFLE, _CHECKSUM, LZF = 1, 2, 3, 32000
_FILTERS = (_DEFLATE, _SHUFFLE, _CHECKSUM, LZF)
_ROOM = 16 << 20  # bytes that a chunk may always have


def check_chunks(path: Path, name: str, data: Any, max_bytes: int | None) -> list[int]:
    """The filters of the dataset; chunks beyond the caps and unknown filters are refused."""
    size = prod(data.chunks) * data.dtype.itemsize
    if size > _ROOM:
        stored = data.id.get_storage_size()
        check_size(path, size, max_bytes, f"a chunk {data.chunks} of {name}", stored=stored)
    properties = data.id.get_create_plist()
    filters = [properties.get_filter(i) for i in range(properties.get_nfilters())]
    codes = [code for code, *_ in filters]
    unknown = [str(code) for code in codes if code not in _FILTERS]
    if unknown:
        raise refused(
            path, f"{name} is packed by filter {', '.join(unknown)}; accepted are gzip and lzf"
        )
    if len(set(codes)) < len(codes) or {_DEFLATE, LZF} <= set(codes):
        raise refused(path, f"{name} is packed more than once (filters {codes})")
    for code, _, values, _ in filters:
        if code == LZF and (len(values) < 3 or values[2] != size):
            raise refused(path, f"{name} is damaged: its filter lzf has the parameters {values}")
    return codes


def read_chunks(path: Path, name: str, data: Any, codes: list[int], dtype: np.dtype) -> np.ndarray:
    """All values, as the bytes of the file are (``dtype`` says what they mean)."""
    out = np.empty(data.shape, dtype)
    size, found = prod(data.chunks) * dtype.itemsize, []
    data.id.chunk_iter(lambda chunk: found.append(chunk))
    found = _inside(path, name, data, found)
    whole = path.stat().st_size
    for chunk in found:
        if chunk.size > whole:
            raise _damaged(path, name, whole, chunk.size)
        mask, raw = data.id.read_direct_chunk(chunk.chunk_offset)
        used = [c for i, c in enumerate(codes) if not mask >> i & 1]
        raw = _plain(path, name, raw, used, size, dtype.itemsize)
        values = np.frombuffer(raw, dtype).reshape(data.chunks)
        place = tuple(
            slice(first, min(first + length, end))
            for first, length, end in zip(chunk.chunk_offset, data.chunks, data.shape, strict=True)
        )
        out[place] = values[tuple(slice(p.stop - p.start) for p in place)]
    return out


def _inside(path: Path, name: str, data: Any, found: list[Any]) -> list[Any]:
    """The chunks within the dataset, which may have been made smaller; each must be there once."""
    kept = [
        chunk
        for chunk in found
        if all(at < end for at, end in zip(chunk.chunk_offset, data.shape, strict=True))
    ]
    places = {chunk.chunk_offset for chunk in kept}
    odd = any(at % n for place in places for at, n in zip(place, data.chunks, strict=True))
    want = prod(-(-end // n) for end, n in zip(data.shape, data.chunks, strict=True))
    if odd or not len(places) == len(kept) == want:
        raise refused(path, f"{name} is incomplete: {len(places)} of {want} chunks are in place")
    return kept


def _plain(path: Path, name: str, raw: bytes, codes: list[int], size: int, itemsize: int) -> bytes:
    """The bytes of one chunk with its filters undone, the last one first."""
    for code in reversed(codes):
        if code == _CHECKSUM:
            raw, stored = raw[:-4], raw[-4:]
            if _fletcher(raw) != _reduced(int.from_bytes(stored, "little")):
                raise refused(path, f"{name} is damaged: the checksum of a chunk does not fit")
        elif code == _DEFLATE:
            raw = _inflated(path, name, raw, size + 4)
        elif code == _SHUFFLE and itemsize > 1:
            whole = len(raw) // itemsize * itemsize
            planes = np.frombuffer(raw, np.uint8, whole).reshape(itemsize, -1)
            turned = np.empty(planes.shape[::-1], np.uint8)
            for place, plane in enumerate(planes):
                turned[:, place] = plane
            raw = turned.tobytes() + raw[whole:]
    if len(raw) != size:
        raise _damaged(path, name, len(raw), size)
    return raw


def _inflated(path: Path, name: str, raw: bytes, most: int) -> bytes:
    unpacker = zlib.decompressobj()
    try:
        plain = unpacker.decompress(raw, most)
    except zlib.error as error:
        raise refused(path, f"{name} is damaged: a chunk cannot be unpacked ({error})") from None
    if not unpacker.eof and unpacker.decompress(unpacker.unconsumed_tail, 1):
        raise refused(path, f"{name} is damaged: a chunk unpacks to more than {most} bytes")
    return plain


def _damaged(path: Path, name: str, got: int, size: int) -> FileFormatError:
    return refused(path, f"{name} is damaged: a chunk holds {got} bytes, expected {size}")


def _fletcher(raw: bytes) -> tuple[int, int]:
    """Both sums modulo 65535."""
    words = np.frombuffer(raw + bytes(len(raw) % 2), ">u2").astype(np.int64)
    weights = np.arange(words.size, 0, -1) % 65535
    return int(words.sum() % 65535), int((words * weights).sum() % 65535)


def _reduced(stored: int) -> tuple[int, int]:
    return (stored & 0xFFFF) % 65535, (stored >> 16) % 65535
