"""How much memory a case may take, told from its files before anything is read."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .table import Case
from .verbs import Verb

__all__ = ["bytes_per_case"]

_PROCESS = 300 << 20  # interpreter, libraries and scratch of a worker
_PACKED = 4  # what medical images unpack to, where the header does not tell
# Copies of the inputs, as single or double precision, that a verb holds at its peak.
_COPIES = {"features": 6, "maps": 12, "denoise": 8, "recon ct": 4, "recon mr": 8}
_LOOKED_AT = 200


def bytes_per_case(verb: Verb, cases: Iterable[Case]) -> int:
    """The largest estimate over (at most 200 of) the cases: copies x unpacked bytes + process."""
    cases = list(cases)
    step = math.ceil(len(cases) / _LOOKED_AT)
    largest = max(
        sum(_unpacked(Path(path)) for path in case.inputs.values()) for case in cases[::step]
    )
    return _PROCESS + _COPIES[verb.name] * largest


def _unpacked(path: Path) -> int:
    """Bytes of the array as 32-bit numbers or wider; 0 for what cannot be opened."""
    try:
        if path.is_dir():
            return 2 * sum(p.stat().st_size for p in path.rglob("*") if p.is_file())
        size = path.stat().st_size
        if path.name.lower().endswith((".nii", ".nii.gz")):
            return _nifti(path) or _PACKED * size
        return (_PACKED if path.suffix.lower() in (".gz", ".nrrd", ".npz", ".h5") else 2) * size
    except OSError:
        return 0


def _nifti(path: Path) -> int:
    import nibabel

    try:
        header: Any = nibabel.load(path).header
        voxels = math.prod(map(int, header.get_data_shape()))
        return int(max(4, header.get_data_dtype().itemsize) * voxels)
    except Exception:  # damaged: the case itself will say how
        return 0
