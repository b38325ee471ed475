"""Data Exchange HDF5 (APS and other synchrotrons): exchange/data, data_white, data_dark, theta."""

from __future__ import annotations

import warnings

import numpy as np

from ..errors import PyradWarning
from . import geometry_file
from .containers import Projections
from .files import refused, shown
from .hdf5 import Tree, text

_GROUP = "exchange"


def read(tree: Tree) -> Projections:
    """Parallel beam; counts when white frames are present. ``theta`` is in degrees."""
    data = tree.read(f"{_GROUP}/data")
    if data is None or data.ndim != 3:
        found = "absent" if data is None else f"of shape {data.shape}"
        raise refused(
            tree.path,
            f"{_GROUP}/data is {found}; expected (views, rows, columns); "
            f"present: {', '.join(tree.children(_GROUP)) or 'nothing'}",
        )
    flat, dark = (_frames(tree, name, data.shape) for name in ("data_white", "data_dark"))
    theta = tree.read(f"{_GROUP}/theta")
    geometry = None
    if theta is not None:
        unit = tree.attribute(f"{_GROUP}/theta", "units") or "degrees"
        radians = str(unit).lower().startswith("rad")
        entry = {"values": theta, "unit": "radians" if radians else "degrees"}
        geometry = geometry_file.build({"angles": entry}, data.shape)
    else:
        warnings.warn(f"{shown(tree.path)} has no {_GROUP}/theta", PyradWarning, stacklevel=4)
    header = {
        "format": "Data Exchange",
        "quantity": "counts" if flat is not None else "line integrals",
        "pixel_known": False,
        "title": text(tree.read(f"{_GROUP}/title")),
        "sample": text(tree.read("measurement/sample/name")),
    }
    return Projections(data, flat, dark, geometry, header)


def _frames(tree: Tree, name: str, shape: tuple[int, ...]) -> np.ndarray | None:
    frames = tree.read(f"{_GROUP}/{name}")
    if frames is None:
        return None
    if frames.ndim == 2:
        frames = frames[None]
    if frames.shape[1:] != shape[1:]:
        raise refused(tree.path, f"{name} has shape {frames.shape}, the projections {shape}")
    return frames
