"""MATLAB files: version 5 by SciPy, version 7.3 (HDF5) by h5py.

Arrays are returned as the file indexes them, in MATLAB's order of axes; :func:`reversed_axes`
turns ``(sample, spoke, coil)`` into ``(coil, spoke, sample)``.
"""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from .files import check_size, refused, starts_with, truncated
from .hdf5 import MAGIC, Tree, open_hdf5

_COMPRESSED = 15


def read_mat(path: Path, max_bytes: int | None) -> dict[str, Any]:
    """All numeric variables and structs, structs as dicts."""
    head = starts_with(path, 520)
    if head[:8] == MAGIC or head[512:520] == MAGIC:
        return _version_73(path, max_bytes)
    if head[124:128] not in (b"\x00\x01IM", b"\x01\x00MI"):
        raise refused(path, "is no MATLAB file (expected version 5 or 7.3)")
    _check_elements(path, "<" if head[126:128] == b"IM" else ">", max_bytes)
    from scipy.io import loadmat

    try:
        found = loadmat(path, simplify_cells=True)
    except Exception as error:  # SciPy raises many classes on damaged files
        raise refused(path, f"SciPy cannot read it ({error})") from None
    return {name: value for name, value in found.items() if not name.startswith("__")}


def _check_elements(path: Path, order: str, max_bytes: int | None) -> None:
    """Every top-level element lies in the file, and none unpacks beyond the caps."""
    size, at = path.stat().st_size, 128
    with open(path, "rb") as stream:
        while at < size:
            stream.seek(at)
            tag = stream.read(8)
            if len(tag) < 8:
                raise truncated(path, at + 8, size, "a variable")
            kind, count = struct.unpack(order + "II", tag)
            if at + 8 + count > size:
                raise truncated(path, at + 8 + count, size, "a variable")
            if kind == _COMPRESSED:
                _check_unpacked(path, stream.read(count), max_bytes)
            at += 8 + count


def _check_unpacked(path: Path, packed: bytes, max_bytes: int | None) -> None:
    unpacker, total, pending = zlib.decompressobj(), 0, packed
    try:
        while pending and not unpacker.eof:
            total += len(unpacker.decompress(pending, 1 << 22))
            pending = unpacker.unconsumed_tail
            check_size(path, total, max_bytes, "a variable", stored=len(packed))
    except zlib.error as error:
        raise refused(path, f"damaged compressed variable ({error})") from None


def _version_73(path: Path, max_bytes: int | None) -> dict[str, Any]:
    """Datasets at the top; HDF5 shows MATLAB's axes reversed, which is undone here."""
    found: dict[str, Any] = {}
    with open_hdf5(path) as file:
        tree = Tree(file, path, max_bytes)
        for name in tree.children():
            data = tree.dataset(name)
            if data is None or data.dtype.kind not in "fiubV":
                continue
            value = tree.read(name)
            if value is not None and value.dtype.names == ("real", "imag"):
                value = value["real"] + 1j * value["imag"]
            if value is not None:
                found[name] = value.T
    return found


def reversed_axes(array: Any) -> np.ndarray:
    """First axis last and contiguous again."""
    return np.ascontiguousarray(np.asarray(array).T)
