"""Where labels lie: boxes (begin, end) per axis, and what a mask may hold."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import DataError
from ._sizes import host

__all__ = ["box_of", "label_box", "union"]

_MASK_DTYPES = ("uint8", "uint16", "int16", "int32", "int64", "float32", "float64")


def label_box(edge: Any, label: int, name: str = "mask") -> tuple[tuple[tuple[int, int], ...], int]:
    """Box and voxels of the label; a mask holds whole numbers >= 0, anything else is an error."""
    xp, mask = edge.xp, edge[name]
    if mask.dtype.kind not in "fiub" or mask.dtype.itemsize == 2 and mask.dtype.kind == "f":
        raise DataError(f"{name} has dtype {mask.dtype}; accepted are integers, bool and floats")
    if mask.dtype.kind == "b":
        mask = mask.view(np.uint8)
    elif mask.dtype.name not in _MASK_DTYPES:
        mask = mask.astype(np.int16 if mask.dtype.itemsize == 1 else np.int64)
    mask = xp.ascontiguousarray(mask)
    begin, end, count, invalid, first = edge.kernels.mask_bounds(mask, label)
    if invalid:
        index = tuple(int(i) for i in np.unravel_index(first, mask.shape))
        value = mask[index].item()
        raise DataError(
            f"{name} holds {invalid} values that are no labels (whole numbers >= 0), "
            f"the first {value} at index {index}"
        )
    if not count:
        present = [int(v) for v in xp.unique(mask).tolist() if v]
        if not present:
            raise DataError(f"{name} is empty: all its voxels are 0")
        raise DataError(f"label {label} is not in the {name}; labels present: {present[:20]}")
    return tuple((int(b), int(e)) for b, e in zip(begin, end, strict=True)), int(count)


def union(a: Any, b: Any) -> tuple[tuple[int, int], ...]:
    return tuple((min(p[0], q[0]), max(p[1], q[1])) for p, q in zip(a, b, strict=True))


def box_of(xp: Any, inside: Any) -> tuple[tuple[int, int], ...]:
    box = []
    for axis in range(3):
        others = tuple(d for d in range(3) if d != axis)
        at = np.flatnonzero(host(inside.any(axis=others)))
        box.append((int(at[0]), int(at[-1]) + 1))
    return tuple(box)
