"""Rules every reader and writer follows: what may be opened, how much, and how to write.

Caps: nothing larger than ``max_bytes`` (default 16 GiB) is allocated, and a compressed file may
not unpack to more than 200 times its size (from 256 MiB on). Both are checked from headers,
before allocation. A ``max_bytes`` given by the caller replaces both.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import os
import re
import secrets
import zlib
from collections.abc import Callable, Iterator
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

from ..errors import DataError, FileFormatError, MissingDependencyError, PyradError

DEFAULT_MAX_BYTES = 16 * 2**30
GZIP_RATIO = 200
GZIP_FLOOR = 256 * 2**20

PathLike = str | os.PathLike[str]


class MissingFileError(FileFormatError, FileNotFoundError):
    """The named file does not exist."""


def shown(path: PathLike) -> str:
    """The path as printable text, also when its bytes are no UTF-8."""
    return os.fsdecode(path).encode("utf-8", "backslashreplace").decode("utf-8")


def utf8_name(path: PathLike) -> str:
    """The path for libraries that crash on names outside UTF-8."""
    text = os.fsdecode(path)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise refused(path, "this format needs a file name in UTF-8; rename it") from None
    return text


def existing(path: PathLike, *, folder_ok: bool = False) -> Path:
    """The path of exactly the named file, which exists, is no folder and is not empty."""
    try:
        path = Path(path)
        if not path.exists():
            raise MissingFileError(f"{shown(path)}: no such file")
        if path.is_dir():
            if folder_ok:
                return path
            raise refused(path, "is a directory; name a file")
        if not path.is_file():
            raise refused(path, "is no regular file")
        size = path.stat().st_size
    except ValueError as error:  # NUL in the name
        raise FileFormatError(f"{str(path)!r} is no usable file name ({error})") from None
    if size == 0:
        raise refused(path, "is empty (0 bytes)")
    return path


def starts_with(path: Path, count: int) -> bytes:
    with open(path, "rb") as stream:
        return stream.read(count)


def extension(path: PathLike) -> str:
    """Lower-case file ending; ``.nii.gz`` counts as one."""
    name = os.fsdecode(path).lower()
    return ".nii.gz" if name.endswith(".nii.gz") else Path(name).suffix


def check_dims(path: Path, shape: Any, itemsize: int) -> int:
    """Bytes of an array that a header declares; negative and zero lengths are refused."""
    if any(int(n) <= 0 for n in shape):
        raise refused(path, f"the header declares shape {tuple(shape)}")
    return prod(int(n) for n in shape) * int(itemsize)


def check_size(
    path: Path, asked: int, max_bytes: int | None, what: str, *, stored: int | None = None
) -> None:
    """Refuse to allocate ``asked`` bytes above the cap, or above the ratio cap over ``stored``."""
    cap = DEFAULT_MAX_BYTES if max_bytes is None else max_bytes
    hint = "if that is right, raise max_bytes (--max-bytes)"
    if asked > cap:
        raise refused(path, f"{what} asks for {asked} bytes, the cap is {cap}; {hint}")
    if max_bytes is None and stored is not None and asked > max(GZIP_FLOOR, GZIP_RATIO * stored):
        raise refused(
            path, f"{what} unpacks {stored} bytes to {asked}, more than {GZIP_RATIO} times; {hint}"
        )


def refused(path: PathLike, why: str) -> FileFormatError:
    """The error that says which file, and why."""
    return FileFormatError(f"{shown(path)}: {why}")


def truncated(path: Path, expected: int, got: int, what: str = "the data") -> FileFormatError:
    return refused(path, f"is truncated: expected {expected} bytes for {what}, got {got}")


def gunzip(path: Path, limit: int) -> Iterator[bytes]:
    """Unpacked pieces of a gzip file, stopping with an error above ``limit`` bytes in total.

    Several members in a row are one stream, as gzip defines; anything else after it is refused.
    """
    total = 0
    with open(path, "rb") as stream:
        unpacker, fresh = zlib.decompressobj(wbits=31), True
        pending = b""
        while pending or (pending := stream.read(1 << 18)):
            if fresh and not pending.startswith(b"\x1f\x8b"[: len(pending)]):
                raise refused(path, "trailing garbage after the gzip stream")
            fresh = False
            try:
                piece = unpacker.decompress(pending, 1 << 22)
            except zlib.error as error:
                raise refused(path, f"damaged gzip stream ({error})") from None
            total += len(piece)
            if total > limit:
                raise FileFormatError(
                    f"{shown(path)} unpacks to more than the {limit} bytes its header declares"
                )
            yield piece
            pending = unpacker.unconsumed_tail
            if unpacker.eof:
                pending = unpacker.unused_data
                unpacker, fresh = zlib.decompressobj(wbits=31), True
        if not fresh:
            yield unpacker.flush()
        if not fresh and not unpacker.eof:
            raise refused(path, f"is truncated: the gzip stream ends early after {total} bytes")


def reader(read: Callable[..., Any]) -> Callable[..., Any]:
    """A reader whose every failure on a file is a PyradError that names the file."""

    @functools.wraps(read)
    def guarded(path: PathLike, *args: Any, **named: Any) -> Any:
        try:
            return read(path, *args, **named)
        except (PyradError, PermissionError):
            raise
        except Exception as error:  # packages that parse a format have classes of their own
            why = f"{type(error).__name__}: {' '.join(str(error).split())}"
            raise refused(path, f"is damaged, or of a kind that is not read ({why})") from error

    return guarded


def needed(module: str, extra: str = "io") -> Any:
    """Import an optional package, or say what to install."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingDependencyError(
            f"{module.partition('.')[0]} is needed for this file; "
            f"pip install 'pyrad_core[{extra}]' ({error})"
        ) from error


@contextlib.contextmanager
def atomic_write(path: PathLike, *, sync: bool = True) -> Iterator[BinaryIO]:
    """A stream to a temporary file of the same folder, renamed to ``path`` on success.

    On failure the old file stays as it was and the temporary is removed. Without ``sync`` the file
    outlives its process, but maybe not a power failure of the next seconds.
    """
    target = Path(path)
    if target.is_dir():
        raise refused(target, "is a directory; name a file to write")
    scratch = target.with_name(f".{target.name[:100]}.{secrets.token_hex(6)}.part")
    with writing(target):
        try:
            with open(scratch, "xb") as stream:
                yield stream
                stream.flush()
                if sync:
                    os.fsync(stream.fileno())
            os.replace(scratch, target)
        finally:
            with contextlib.suppress(OSError):
                scratch.unlink(missing_ok=True)


@contextlib.contextmanager
def writing(target: Path) -> Iterator[None]:
    """A system's error in here is one that names the file to be written."""
    try:
        yield
    except OSError as error:
        if isinstance(error, FileFormatError):
            raise
        raise FileFormatError(
            f"cannot write {shown(target)}: {error.strerror or error}; an older file is untouched"
        ) from error


_RESERVED = {"con", "prn", "aux", "nul", *(f"{p}{i}" for p in ("com", "lpt") for i in range(1, 10))}


def safe_name(name: str) -> str:
    """A file name built from data (an id, a feature), or an error; never a path.

    Refused: separators, ``..``, NUL and control characters, absolute paths, names that
    some system reserves, and more than 200 bytes.
    """
    text = str(name)
    bad = (
        not text
        or text in (".", "..")
        or bool(re.search(r'[\x00-\x1f\x7f/\\:*?"<>|]', text))
        or ".." in text
        or text.split(".")[0].lower() in _RESERVED
        or text != text.strip()
        or len(os.fsencode(text)) > 200
    )
    if bad:
        raise DataError(f"{text!r} cannot be used in a file name")
    return text
