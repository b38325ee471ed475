"""TIFF stacks: one multi-page file, or a folder of single pages in natural order (tifffile)."""

from __future__ import annotations

import lzma
import re
import struct
import zlib
from collections.abc import Sequence
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from .files import check_dims, check_size, existing, needed, refused, truncated

ENDINGS = (".tif", ".tiff")
_MOST_TAGS = 4096
_PLAIN, _SHORT_RUNS = 1, (5, 32773)  # LZW and PackBits
_UNPACKERS: dict[int, Any] = {
    8: zlib.decompressobj,
    32946: zlib.decompressobj,
    34925: lzma.LZMADecompressor,
}
_PIECE = 1 << 20


def pages_of(folder: Path, but: Sequence[Path] = ()) -> list[Path]:
    """TIFF files of a folder, numbers in their names counted as numbers."""
    found = [p for p in folder.iterdir() if p.suffix.lower() in ENDINGS and p.is_file()]
    if but:
        found = [p for p in found if p.resolve() not in but]
    return sorted(
        found, key=lambda p: [int(t) if t.isdigit() else t for t in re.split(r"(\d+)", p.name)]
    )


def read_stack(path: Path, max_bytes: int | None, but: Sequence[Path] = ()) -> np.ndarray:
    """(pages, rows, columns) with the file's dtype; ``but`` are files of the folder to pass by."""
    files = pages_of(path, but) if path.is_dir() else [path]
    if not files:
        raise refused(path, "is a directory without TIFF files")
    shapes = [_declared(p) for p in files]
    if len({s[1:] for s in shapes}) > 1:
        raise refused(path, f"pages differ in shape or dtype: {sorted(set(shapes), key=str)[:4]}")
    pages, rows, columns, dtype = sum(s[0] for s in shapes), *shapes[0][1:]
    asked = check_dims(path, (pages, rows, columns), np.dtype(dtype).itemsize)
    check_size(
        path, asked, max_bytes, f"{pages} pages", stored=sum(p.stat().st_size for p in files)
    )
    out = np.empty((pages, rows, columns), dtype)
    at = 0
    for file, shape in zip(files, shapes, strict=True):
        out[at : at + shape[0]] = _pages(file).reshape(shape[:3])
        at += shape[0]
    return out


def _check_chain(path: Path) -> None:
    """Pages follow each other within the file, none twice: tifffile would go round for ever."""
    size = path.stat().st_size
    with open(path, "rb") as stream:
        head = stream.read(16)
        order = {b"II": "<", b"MM": ">"}.get(head[:2], "")
        version = struct.unpack(f"{order}H", head[2:4])[0] if order and len(head) >= 8 else 0
        if version not in (42, 43) or len(head) < (16 if version == 43 else 8):
            raise refused(path, "is no TIFF file")
        big = version == 43
        count_form, entry, link_form = ("Q", 20, "Q") if big else ("H", 12, "I")
        at = struct.unpack(order + link_form, head[8:16] if big else head[4:8])[0]
        seen = set()
        while at:
            if at in seen:
                raise refused(path, "is damaged: its pages lead back to an earlier one")
            seen.add(at)
            stream.seek(min(at, size))
            raw = stream.read(struct.calcsize(count_form))
            entries = struct.unpack(order + count_form, raw)[0] if at + len(raw) < size else 0
            after = at + len(raw) + entries * entry
            if not 0 < entries <= _MOST_TAGS or after + struct.calcsize(link_form) > size:
                raise refused(
                    path, f"is damaged: a page at byte {at} of {size} with {entries} tags"
                )
            stream.seek(after)
            at = struct.unpack(order + link_form, stream.read(struct.calcsize(link_form)))[0]


def _declared(path: Path) -> tuple[int, int, int, str]:
    tifffile = needed("tifffile")
    _check_chain(existing(path))
    try:
        with tifffile.TiffFile(path) as file:
            series = file.series[0]
            shape, dtype = series.shape, series.dtype
            packed = [
                (int(page.compression), segment)
                for page in series.pages
                for segment in zip(page.dataoffsets, page.databytecounts, strict=True)
                if int(page.compression) != _PLAIN
            ]
            ends = (
                offset + count
                for page in series.pages
                for offset, count in zip(page.dataoffsets, page.databytecounts, strict=True)
            )
            end = max(ends, default=0)
    except Exception as error:  # tifffile raises many classes on damaged files
        raise refused(path, f"is no readable TIFF file ({error})") from None
    if end > path.stat().st_size:
        raise truncated(path, end, path.stat().st_size, "its pages")
    if dtype is None or dtype.kind not in "fiu" or len(shape) not in (2, 3) or shape[-1] in (3, 4):
        raise refused(path, f"TIFF pages of {dtype} {shape} are no projections")
    _check_packed(path, packed, prod(shape) * dtype.itemsize)
    return (1, *shape, str(dtype)) if len(shape) == 2 else (*shape, str(dtype))


def _check_packed(path: Path, packed: list[Any], asked: int) -> None:
    """Strips and tiles together unpack to no more than the pages hold."""
    unknown = {kind for kind, _ in packed} - {*_UNPACKERS, *_SHORT_RUNS}
    if unknown:
        raise refused(path, f"pages packed by method {min(unknown)}; accepted are deflate and LZW")
    room = 2 * asked + _PIECE  # tiles reach beyond the edges
    with open(path, "rb") as stream:
        for kind, (offset, count) in packed:
            if kind in _SHORT_RUNS:
                continue
            stream.seek(offset)
            room -= _unpacked_size(path, _UNPACKERS[kind](), stream.read(count), room)


def _unpacked_size(path: Path, unpacker: Any, pending: bytes, room: int) -> int:
    total = 0
    try:
        while not unpacker.eof:
            piece = unpacker.decompress(pending, _PIECE)
            pending = getattr(unpacker, "unconsumed_tail", b"")
            total += len(piece)
            if total > room:
                raise refused(path, f"its pages unpack to more than {total} bytes")
            if not piece and not pending:
                break
    except (zlib.error, lzma.LZMAError) as error:
        raise refused(path, f"its pages cannot be unpacked ({error})") from None
    return total


def _pages(path: Path) -> np.ndarray:
    tifffile = needed("tifffile")
    try:
        return np.asarray(tifffile.imread(path))
    except Exception as error:
        raise refused(path, f"is damaged or truncated ({error})") from None
