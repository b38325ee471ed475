"""MATLAB files: version 5 by SciPy, version 7.3 (HDF5) by h5py.

Arrays are returned as the file indexes them, in MATLAB's order of axes; :func:`reversed_axes`
turns ``(sample, spoke, coil)`` into ``(coil, spoke, sample)``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from .files import check_size, refused, starts_with
from .hdf5 import MAGIC, Tree, open_hdf5
from .mat5 import check_file


def read_mat(path: Path, max_bytes: int | None) -> dict[str, Any]:
    """All numeric variables and structs, structs as dicts."""
    head = starts_with(path, 520)
    if head[:8] == MAGIC or head[512:520] == MAGIC:
        return _version_73(path, max_bytes)
    # SciPy takes a zero among the first four bytes for the mark of version 4
    if head[124:128] not in (b"\x00\x01IM", b"\x01\x00MI") or 0 in head[:4]:
        raise refused(path, "is no MATLAB file (expected version 5 or 7.3)")
    check_file(path, "<" if head[126:128] == b"IM" else ">", max_bytes)
    from scipy.io import loadmat

    try:
        found = loadmat(path, simplify_cells=True)
    except Exception as error:  # SciPy raises many classes on damaged files
        raise refused(path, f"SciPy cannot read it ({error})") from None
    return {name: value for name, value in found.items() if not name.startswith("__")}


def _version_73(path: Path, max_bytes: int | None) -> dict[str, Any]:
    """Datasets at the top; HDF5 shows MATLAB's axes reversed, which is undone here."""
    found: dict[str, Any] = {}
    total = 0
    with open_hdf5(path) as file:
        tree = Tree(file, path, max_bytes)
        for name in tree.children():
            data = tree.dataset(name)
            if data is None or data.dtype.kind not in "fiubV":
                continue
            value = tree.read(name)
            total += 0 if value is None else value.nbytes
            check_size(path, total, max_bytes, "all variables together")
            if value is not None and value.dtype.names == ("real", "imag"):
                value = value["real"] + 1j * value["imag"]
            if value is not None:
                found[name] = value.T
    return found


def reversed_axes(array: Any) -> np.ndarray:
    """First axis last and contiguous again."""
    return np.ascontiguousarray(np.asarray(array).T)
