"""NumPy files: .npy and .npz, read by NumPy after their headers were checked. Never unpickled."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from ..errors import FileFormatError
from .files import check_dims, check_size, refused, truncated

NPY_MAGIC = b"\x93NUMPY"
ZIP_MAGIC = b"PK\x03\x04"
_LONGEST_HEADER = 1 << 16
_DEEPEST = 32  # brackets in a header
_PLAIN = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # how NumPy packs


def read_npy(path: Path, max_bytes: int | None) -> np.ndarray:
    """One array; a truncated or lying header is refused before allocation."""
    with open(path, "rb") as stream:
        asked = _declared(path, stream, "the array", max_bytes)
        start = stream.tell()
        got = path.stat().st_size - start
        if got < asked:
            raise truncated(path, start + asked, start + got, "the array")
        stream.seek(0)
        return _array(path, stream)


class Npz:
    """The arrays of a .npz, each read on request."""

    def __init__(self, path: Path, max_bytes: int | None):
        self.path, self.max_bytes = path, max_bytes
        try:
            with zipfile.ZipFile(path) as archive:
                members = archive.infolist()
        except (zipfile.BadZipFile, OSError, ValueError) as error:
            raise refused(path, f"is no readable .npz file ({error})") from None
        other = [m.filename for m in members if m.compress_type not in _PLAIN]
        if other:
            raise refused(path, f"{other[0]!r} is packed in a way that NumPy does not use")
        self.members = {m.filename.removesuffix(".npy"): m for m in members}
        total = sum(m.file_size for m in members)
        check_size(path, total, max_bytes, "the archive", stored=path.stat().st_size)

    def __contains__(self, name: str) -> bool:
        return name in self.members

    def names(self) -> list[str]:
        return list(self.members)

    def read(self, name: str) -> np.ndarray:
        member = self.members[name]
        try:
            with zipfile.ZipFile(self.path) as archive:
                with archive.open(member) as stream:
                    asked = _declared(self.path, stream, name, self.max_bytes)
                    if member.file_size - stream.tell() < asked:
                        raise truncated(self.path, asked, member.file_size - stream.tell(), name)
                with archive.open(member) as stream:
                    return _array(self.path, stream)
        except FileFormatError:
            raise
        except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError) as error:
            raise refused(self.path, f"{name} is damaged ({error})") from None


def _declared(path: Path, stream: Any, what: str, max_bytes: int | None) -> int:
    """Bytes that the .npy header declares; the stream stands behind the header afterwards."""
    try:
        version = np.lib.format.read_magic(stream)
        _check_header(path, stream, version, what)
        if version == (1, 0):
            shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
        else:
            shape, _, dtype = np.lib.format.read_array_header_2_0(stream)
    except FileFormatError:
        raise
    except Exception as error:  # NumPy parses the header as Python text; many classes
        raise refused(path, f"{what} has no usable .npy header ({error})") from None
    if dtype.hasobject:
        raise refused(path, f"{what} is a pickled object array; refused")
    if not dtype.itemsize:
        raise refused(path, f"{what}, shape {shape}, is of values without size ({dtype.str})")
    asked = check_dims(path, shape, dtype.itemsize) if shape else dtype.itemsize
    check_size(path, asked, max_bytes, f"{what}, shape {shape} of {dtype},")
    return asked


def _check_header(path: Path, stream: Any, version: tuple[int, int], what: str) -> None:
    """NumPy reads as many bytes of header as the file says."""
    if version not in ((1, 0), (2, 0), (3, 0)):
        raise refused(path, f"{what} has version {version} of the .npy format")
    start = stream.tell()
    length = int.from_bytes(stream.read(2 if version == (1, 0) else 4), "little")
    if length > _LONGEST_HEADER:
        raise refused(path, f"{what} has a .npy header of {length} bytes")
    depth, deepest = 0, 0
    for letter in stream.read(length):  # Python's parser gives up on deep nesting as out of memory
        depth += (letter in b"[({") - (letter in b"])}")
        deepest = max(deepest, depth)
    if deepest > _DEEPEST:
        raise refused(path, f"{what} has a .npy header of {deepest} nested brackets")
    stream.seek(start)


def _array(path: Path, stream: BinaryIO | Any) -> np.ndarray:
    try:
        array = np.lib.format.read_array(stream, allow_pickle=False)
    except (ValueError, OSError) as error:
        raise refused(path, f"damaged array ({error})") from None
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))
