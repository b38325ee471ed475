"""NeXus tomography (.nxs, .h5): frames with an image_key 0 projection, 1 flat, 2 dark.

Frames and angles may sit in another file behind an external link; that is refused unless
``allow_external`` names the folder that holds it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import FileFormatError
from . import geometry_file
from .containers import Projections
from .files import refused
from .hdf5 import Tree, open_hdf5, text

_ENTRIES = ("entry1/tomo_entry", "entry", "entry1", "tomo_entry")
_PLAIN = ("entry/detector/detector", "entry/data/data", "entry1/data/data")


def entry_of(tree: Tree) -> str | None:
    return next((name for name in _ENTRIES if tree.has(name)), None)


def read(tree: Tree, entry: str) -> Projections:
    detectors = _detectors(tree, entry)
    if not detectors:
        return _plain(tree)
    keys, frames = _keyed_frames(tree, entry, detectors)
    if frames.ndim != 3 or len(frames) != keys.size:
        raise refused(tree.path, f"{keys.size} image keys for frames of shape {frames.shape}")
    unknown = sorted(set(keys.tolist()) - {0, 1, 2, 3})
    if unknown or not np.any(keys == 0):
        raise refused(
            tree.path,
            f"image_key has {unknown or 'no projection (0)'}; "
            "known are 0 projection, 1 flat, 2 dark, 3 invalid",
        )
    data, flat, dark = (frames[keys == k] if np.any(keys == k) else None for k in (0, 1, 2))
    assert data is not None
    angles = _angles(tree, entry, keys)
    geometry = None
    if angles is not None:
        geometry = geometry_file.build({"angles": angles}, data.shape)
    header = {
        "format": "NeXus",
        "quantity": "counts",
        "pixel_known": False,
        "image_key": keys,
        "title": text(tree.read(f"{entry}/title")) if tree.has(f"{entry}/title") else None,
    }
    return Projections(data, flat, dark, geometry, header)


def _detectors(tree: Tree, entry: str) -> list[str]:
    """The groups with an image_key under entry/instrument; a scan may name several."""
    place = f"{entry}/instrument"
    if not tree.has(place):
        return []
    names = [f"{place}/{name}" for name in tree.children(place)]
    return [name for name in names if tree.holds(name, "image_key")]


def _keyed_frames(tree: Tree, entry: str, detectors: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Image keys and frames of the first detector whose frames can be read."""
    first_error = None
    for name in detectors:
        try:
            keys = tree.read(f"{name}/image_key")
            frames = _frames(tree, [f"{name}/data", f"{entry}/data/data"])
        except FileFormatError as error:
            first_error = first_error or error
            continue
        if keys is not None:
            return np.asarray(keys).reshape(-1), frames
    raise first_error or tree.missing(f"{detectors[0]}/image_key")


def _frames(tree: Tree, places: list[str]) -> np.ndarray:
    for name in places:
        if tree.has(name):
            found, _ = _here_or_linked(tree, name)
            if found is not None:
                return found
    raise tree.missing(" or ".join(places))


def _here_or_linked(tree: Tree, name: str) -> tuple[np.ndarray | None, str]:
    """Values and unit of a dataset, in this file or where an allowed external link leads."""
    outside = tree.external(name)
    if outside is None:
        found = tree.read(name)
        return found, "" if found is None else str(tree.attribute(name, "units") or "")
    path, inner = outside
    with open_hdf5(path) as file:
        other = Tree(file, path, tree.max_bytes)
        found = other.read(inner)
        if found is None:
            raise other.missing(inner)
        return found, str(other.attribute(inner, "units") or "")


def _angles(tree: Tree, entry: str, keys: np.ndarray) -> dict[str, Any] | None:
    """Angles of the projections, where the file stores them or links to them."""
    for name in (f"{entry}/sample/rotation_angle", f"{entry}/data/rotation_angle"):
        if not tree.has(name):
            continue
        found, unit = _here_or_linked(tree, name)
        if found is None:
            continue
        values = np.asarray(found, np.float64).reshape(-1)
        if values.size != keys.size:
            raise refused(tree.path, f"{values.size} angles, {keys.size} frames")
        radians = unit.lower().startswith("rad")
        return {"values": values[keys == 0], "unit": "radians" if radians else "degrees"}
    return None


def _plain(tree: Tree) -> Projections:
    """Frames without image keys, as a detector writes them."""
    for name in _PLAIN:
        if tree.has(name):
            data = tree.read(name)
            if data is not None and data.ndim == 3:
                header = {"format": "NeXus", "quantity": "counts", "pixel_known": False}
                return Projections(data, None, None, None, header)
    raise tree.missing("tomography frames (an instrument with image_key, or entry/data/data)")
