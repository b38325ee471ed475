"""Scan geometry as plain values: a YAML sidecar, or the entries of an array file.

Schema (lengths mm)::

    type: fan                      # parallel (default), fan, cone
    angles: {start: 0, step: 0.5, unit: degrees}   # or {values: [...]}, or {stop: 180}
    pixel: 0.2                     # or [row, column]
    source_origin: 410.66          # fan and cone
    source_detector: 553.74
    curved: false
    offset: 0.0                    # or [row, column]
    pitch: 0.0                     # cone
    quantity: line integrals       # or counts
    flat: flat.tif                 # open-beam and beam-off frames, beside the sidecar
    dark: dark.tif
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from .._checks import choice, known_names, number
from ..errors import FileFormatError
from .files import existing, refused, shown

_KEYS = ("type", "angles", "pixel", "source_origin", "source_detector", "curved", "offset", "pitch",
         "quantity", "flat", "dark")  # fmt: skip


def load(path: Path) -> dict[str, Any]:
    """The entries of a YAML sidecar, names checked."""
    import yaml

    existing(path)
    if path.stat().st_size > 64 * 2**20:
        raise refused(path, f"a geometry sidecar of {path.stat().st_size} bytes")
    try:
        entries = yaml.safe_load(path.read_text("utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise refused(path, f"is no readable YAML ({error})") from None
    if not isinstance(entries, dict):
        raise refused(path, "expected 'key: value' lines")
    known_names(f"entry of {shown(path)}", entries, _KEYS)
    return entries


def sidecar_of(path: Path) -> Path | None:
    """``scan.yaml`` beside ``scan.npz``, or ``geometry.yaml`` in a folder."""
    stems = [path / "geometry"] if path.is_dir() else [path.with_suffix("")]
    for stem in stems:
        for ending in (".yaml", ".yml"):
            candidate = stem.with_name(stem.name + ending)
            if candidate.is_file():
                return candidate
    return None


def angles_of(entry: Any, views: int) -> np.ndarray:
    """Radians, one per view."""
    entry = entry if isinstance(entry, dict) else {"values": entry}
    known_names("entry of angles", entry, ("start", "step", "stop", "values", "unit"))
    unit = choice("unit of angles", entry.get("unit", "degrees"), ("degrees", "radians"))
    if "values" in entry:
        try:
            angles = np.asarray(entry["values"], np.float64).reshape(-1)
        except (TypeError, ValueError):
            raise FileFormatError("angles of the geometry are no numbers") from None
    else:
        start = number("start of angles", entry.get("start", 0.0))
        if "step" in entry:
            step = number("step of angles", entry["step"])
        else:  # the end is excluded
            step = (number("stop of angles", entry.get("stop", 180.0)) - start) / views
        angles = np.asarray(start + step * np.arange(views), np.float64)
    if angles.size != views:
        raise FileFormatError(f"the geometry has {angles.size} angles, the data {views} views")
    return np.deg2rad(angles) if unit == "degrees" else angles


def build(entries: dict[str, Any], shape: tuple[int, ...]) -> Any:
    """The geometry that the entries describe, for data of shape (views, [rows,] columns)."""
    from ..geometry import ConeBeam, FanBeam, ParallelBeam

    kind = choice("type of geometry", entries.get("type", "parallel"), ("parallel", "fan", "cone"))
    if "angles" not in entries:
        raise FileFormatError("the geometry lacks its angles")
    angles = angles_of(entries["angles"], shape[0])
    detector: Any = shape[1] if len(shape) == 2 else (shape[1], shape[2])
    common: dict[str, Any] = {
        "pixel": _pair(entries.get("pixel", 1.0)),
        "offset": _pair(entries.get("offset", 0.0)),
    }
    if kind == "parallel":
        return ParallelBeam(angles, detector, **common)
    for name in ("source_origin", "source_detector"):
        if name not in entries:
            raise FileFormatError(f"the geometry lacks {name} (mm)")
        common[name] = number(name, entries[name])
    common["curved"] = bool(entries.get("curved", False))
    if kind == "fan":
        return FanBeam(angles, detector if len(shape) == 2 else shape[2], **common)
    common["pitch"] = number("pitch", entries.get("pitch", 0.0))
    return ConeBeam(angles, detector, **common)


def _pair(value: Any) -> Any:
    return tuple(float(v) for v in value) if isinstance(value, (list, tuple)) else float(value)
