"""fastMRI HDF5: ``kspace`` (slice, [coil,] readout, phase encode), ``ismrmrd_header``, ``mask``."""

from __future__ import annotations

from typing import Any

import numpy as np

from .containers import KSpace
from .files import refused
from .hdf5 import Tree, text
from .ismrmrd_header import describe, parse_header


def read(tree: Tree) -> KSpace:
    data = tree.read("kspace")
    if data is None or data.dtype.kind != "c" or data.ndim not in (3, 4):
        found = "nothing" if data is None else f"{data.dtype} {data.shape}"
        raise refused(tree.path, f"kspace is {found}; expected complex (slice, [coil,] y, x)")
    data = data[:, None] if data.ndim == 3 else data
    data = np.ascontiguousarray(np.moveaxis(data, 0, 1))
    axes = ["coil", "slice", "y", "x"]
    if data.shape[1] == 1:
        data, axes = data[:, 0], ["coil", "y", "x"]
    matrix = data.shape[-2:]
    header: dict[str, Any] = {
        "format": "fastMRI",
        "axes": tuple(axes),
        "matrix": matrix,
        "recon_matrix": matrix,
        "field_of_view": None,
        "readout_axis": -2,
        "trajectory": "cartesian",
    }
    if tree.has("ismrmrd_header"):
        described = describe(*parse_header(tree.path, text(tree.read("ismrmrd_header"))))
        # the dataset stores the readout as rows; ISMRMRD calls the readout x
        small, fov = described["recon_matrix"][-2:][::-1], described["field_of_view"][-2:][::-1]
        header["recon_matrix"] = tuple(min(a, b) for a, b in zip(small, matrix, strict=True))
        header["field_of_view"] = tuple(
            f * n / s for f, n, s in zip(fov, header["recon_matrix"], small, strict=True)
        )
        # images are cropped from the grid of the array, whose voxels are the reconstruction's
        header["encoded_field_of_view"] = tuple(
            f * n / s
            for f, n, s in zip(header["field_of_view"], matrix, header["recon_matrix"], strict=True)
        )
        header["slice_thickness"] = described["slice_thickness"]
    mask = _mask(tree, data)
    return KSpace(data, None, mask, None, header)


def _mask(tree: Tree, data: np.ndarray) -> np.ndarray | None:
    """Sampled columns from the file's mask; without one, from the samples that are not zero."""
    columns = tree.read("mask") if tree.has("mask") else None
    if columns is not None:
        columns = np.asarray(columns).reshape(-1).astype(bool)
        if columns.size != data.shape[-1]:
            raise refused(
                tree.path, f"mask has {columns.size} columns, kspace has {data.shape[-1]}"
            )
        return None if columns.all() else np.broadcast_to(columns, data.shape[-2:]).copy()
    measured = (data != 0).any(axis=tuple(range(data.ndim - 2)))
    return None if measured.all() else measured
