"""Scan geometry as plain values: a YAML sidecar, or the entries of an array file.

Schema (lengths mm; ``docs/geometry_file.md`` explains each entry and shows examples)::

    type: fan                      # parallel (default), fan, cone
    angles: {start: 0, step: 0.5, unit: degrees}   # or {values: [...]}, or {stop: 180}
    detector: [64, 736]            # optional: rows and columns the data must have
    pixel: 0.2                     # or [row, column]
    source_origin: 410.66          # fan and cone
    source_detector: 553.74
    curved: false
    offset: 0.0                    # or [row, column]
    pitch: 0.0                     # cone: mm of travel per turn
    vectors: poses.npy             # parallel and cone: (views, 4, 3) instead of all of the above
    quantity: line integrals       # or counts
    flat: flat.tif                 # open-beam and beam-off frames, beside the sidecar
    dark: dark.tif
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from .._checks import choice, known_names, number
from .._yaml import load_yaml
from ..errors import DataError, FileFormatError
from .files import PathLike, atomic_write, existing, refused, shown

_BEAM = ("angles", "source_origin", "source_detector", "curved", "offset", "pitch")
_KEYS = ("type", "detector", "pixel", *_BEAM, "vectors", "quantity", "flat", "dark")


def load(path: Path) -> dict[str, Any]:
    """The entries of a YAML sidecar, names checked."""
    entries = load_yaml(existing(path))
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


def build(entries: dict[str, Any], shape: tuple[int, ...], folder: Path | None = None) -> Any:
    """The geometry that the entries describe, for data of shape (views, [rows,] columns).

    ``folder`` holds the file that ``vectors`` may name.
    """
    from ..geometry import ConeBeam, FanBeam, ParallelBeam

    kind = choice("type of geometry", entries.get("type", "parallel"), ("parallel", "fan", "cone"))
    detector: Any = shape[1] if len(shape) == 2 else (shape[1], shape[2])
    _same_detector(entries.get("detector"), shape[1:])
    if "vectors" in entries:
        return _from_vectors(kind, entries, shape, folder)
    if "angles" not in entries:
        raise FileFormatError("the geometry lacks its angles")
    angles = angles_of(entries["angles"], shape[0])
    common: dict[str, Any] = {
        "pixel": _pair("pixel", entries.get("pixel", 1.0)),
        "offset": _pair("offset", entries.get("offset", 0.0)),
    }
    if kind == "parallel":
        return ParallelBeam(angles, detector, **common)
    for name in ("source_origin", "source_detector"):
        if name not in entries:
            raise FileFormatError(f"the geometry lacks {name} (mm)")
        common[name] = number(name, entries[name])
    common["curved"] = bool(entries.get("curved", False))
    if kind == "fan":
        for name in ("pixel", "offset"):  # (row, column) of the detector whose row it is
            common[name] = np.ravel(common[name])[-1]
        return FanBeam(angles, shape[-1], **common)
    common["pitch"] = number("pitch", entries.get("pitch", 0.0))
    return ConeBeam(angles, detector if len(shape) == 3 else (1, detector), **common)


def _same_detector(given: Any, shape: tuple[int, ...]) -> None:
    if given is None:
        return
    declared = tuple(np.ravel(given).tolist())
    if declared[-len(shape) :] != shape or any(n != 1 for n in declared[: -len(shape)]):
        raise FileFormatError(
            f"the geometry is for a detector {declared}, but the data have {shape}"
        )


def _from_vectors(
    kind: str, entries: dict[str, Any], shape: tuple[int, ...], folder: Path | None
) -> Any:
    """A pose per view: source (or ray direction), detector centre, column step, row step."""
    from .. import geometry

    beams: dict[str, Any] = {"parallel": geometry.ParallelBeam, "cone": geometry.ConeBeam}
    beam = beams.get(kind)
    if beam is None:
        raise FileFormatError(f"a {kind} beam takes no vectors; accepted are parallel and cone")
    both = [name for name in _BEAM if name in entries]
    if both:
        raise FileFormatError(f"vectors stand instead of {', '.join(both)}; give one or the other")
    if len(shape) != 3:
        raise FileFormatError(
            f"vectors need data of shape (views, rows, columns), these have {shape}"
        )
    poses = _poses(entries["vectors"], folder)
    if poses.shape != (shape[0], 4, 3):
        raise FileFormatError(f"vectors have shape {poses.shape}; expected {(shape[0], 4, 3)}")
    pixel = _pair("pixel", entries["pixel"]) if "pixel" in entries else None
    return beam.from_vectors(*np.moveaxis(poses, 1, 0), detector=shape[1:], pixel=pixel)


def _poses(given: Any, folder: Path | None) -> np.ndarray:
    if isinstance(given, str):
        from .npy import read_npy

        return read_npy(existing(beside(folder, given, "vectors")), 2**30)
    try:
        return np.asarray(given, np.float64)
    except (TypeError, ValueError):
        raise FileFormatError("vectors of the geometry are no table of numbers") from None


def beside(folder: Path | None, name: Any, what: str) -> Path:
    """A file in the sidecar's own folder, and nowhere else."""
    path = (folder or Path()) / str(name)
    if folder is None or path.resolve().parent != folder.resolve():
        raise refused(path, f"{what} must be a file beside the sidecar")
    return path


def _pair(name: str, value: Any) -> Any:
    if isinstance(value, (list, tuple, np.ndarray)):
        return tuple(number(name, v) for v in value)
    return number(name, value)


def write_geometry(path: PathLike, geometry: Any, *, quantity: str = "line integrals") -> Path:
    """Write a scan geometry as the YAML sidecar that :func:`read_projections` takes.

    Parameters
    ----------
    path
        ``.yaml`` or ``.yml``; ``scan.yaml`` beside ``scan.npy`` is found without being named.
        Poses per view go to ``<stem>_vectors.npy`` beside it.
    geometry : ParallelBeam, FanBeam or ConeBeam
    quantity : {"line integrals", "counts"}
        What the projections hold.

    Returns
    -------
    Path
        The sidecar. Reading it gives an equal geometry, poses per view to rounding.

    Examples
    --------
    >>> import tempfile, pyrad_core as prc
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     beam = prc.FanBeam([0.0, 0.1, 0.2], 560, 0.2, 410.66, 553.74)
    ...     text = write_geometry(folder + "/scan.yaml", beam).read_text()
    >>> "source_origin: 410.66" in text
    True
    """
    import yaml

    from ..geometry import Beam, ConeBeam, FanBeam

    if not isinstance(geometry, Beam):
        raise DataError(f"geometry is {type(geometry).__name__}; expected a beam")
    target = Path(path)
    if target.suffix.lower() not in (".yaml", ".yml"):
        raise refused(target, "unknown ending; accepted are .yaml, .yml")
    choice("quantity", quantity, ("line integrals", "counts"))
    kind = {FanBeam: "fan", ConeBeam: "cone"}.get(type(geometry), "parallel")
    entries: dict[str, Any] = {"type": kind, "detector": _listed(geometry.detector)}
    vectors = getattr(geometry, "vectors", None)
    if vectors is not None:
        poses = target.with_name(f"{target.stem}_vectors.npy")
        with atomic_write(poses) as stream:
            np.save(stream, vectors, allow_pickle=False)
        entries["vectors"] = poses.name
    else:
        entries["angles"] = _angle_entry(geometry.angles)
        for name in ("pixel", "source_origin", "source_detector", "curved", "offset", "pitch"):
            if hasattr(geometry, name):
                entries[name] = _listed(getattr(geometry, name))
    entries["quantity"] = quantity
    text = "# lengths in mm; pairs are [row, column]\n"
    text += yaml.safe_dump(entries, sort_keys=False, default_flow_style=None, width=96)
    with atomic_write(target) as stream:
        stream.write(text.encode())
    return target


def _listed(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value) if len(value) > 1 else value[0]
    return value


def _angle_entry(angles: np.ndarray) -> dict[str, Any]:
    """Start and step where they give the same bits, else every value."""
    start = float(angles[0])
    step = float((angles[-1] - angles[0]) / max(angles.size - 1, 1))
    for candidate in (step, float(angles[1] - angles[0]) if angles.size > 1 else 0.0):
        if np.array_equal(start + candidate * np.arange(angles.size), angles):
            return {"start": start, "step": candidate, "unit": "radians"}
    return {"values": angles.tolist(), "unit": "radians"}
