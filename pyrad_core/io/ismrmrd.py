"""ISMRMRD (.h5): acquisitions by h5py, the XML header by the ismrmrd package.

The XML goes through defusedxml first: entities and DTDs are refused. Trajectories that stay
within +-0.5 are cycles per voxel and are scaled by the encoded matrix; others are cycles per
field of view.
"""

from __future__ import annotations

from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from .containers import KSpace
from .files import check_size, needed, refused
from .hdf5 import Tree, text
from .lines import Grid, Line, assemble, line_record

_NOISE, _CALIBRATION, _CALIBRATION_AND_IMAGE, _REVERSE = 19, 20, 21, 22
_NAVIGATION, _PHASECORR, _DUMMY, _RTFEEDBACK = 23, 24, 27, 28
_FRAMES = ("slice", "contrast", "phase", "repetition", "set")


def group_of(tree: Tree) -> str | None:
    """The group that holds ``xml`` and ``data``, usually "dataset"."""
    for name in tree.children():
        if tree.has(f"{name}/xml") and tree.has(f"{name}/data"):
            return name
    return None


def read(tree: Tree, group: str) -> KSpace:
    path = tree.path
    encoding = parse_header(path, text(tree.read(f"{group}/xml")))
    table = tree.read(f"{group}/data")
    if table is None or table.dtype.names is None or "head" not in table.dtype.names:
        raise refused(path, f"{group}/data holds no ISMRMRD acquisitions")
    heads = table["head"]
    flags = heads["flags"].astype(np.uint64)

    def flagged(bit: int) -> np.ndarray:
        return (flags & np.uint64(1 << (bit - 1))) != 0

    noise = _samples(path, table, np.flatnonzero(flagged(_NOISE)))
    navigator = flagged(_NAVIGATION) | flagged(_PHASECORR)
    unused = flagged(_NOISE) | flagged(_DUMMY) | flagged(_RTFEEDBACK)
    calibration = flagged(_CALIBRATION) & ~flagged(_CALIBRATION_AND_IMAGE)
    image = np.flatnonzero(~(unused | navigator | calibration))
    if image.size == 0:
        raise refused(path, "holds no image acquisitions")
    grid, header = _plan(encoding)
    if int(heads["trajectory_dimensions"][image[0]]) > 0 and header["trajectory"] != "cartesian":
        data, coordinates, axes = _spokes(tree, table, image, grid)
        header |= {"axes": axes, "readout_axis": None}
        return KSpace(data, coordinates, None, noise, header)
    reverse = flagged(_REVERSE)
    lines = [_line(path, table[i], bool(reverse[i])) for i in image]
    data, mask, axes = assemble(path, lines, grid, tree.max_bytes)
    others = {"navigators": navigator & ~unused, "calibration": calibration & ~unused & ~navigator}
    for name, chosen in others.items():
        header[name] = [
            line_record(_line(path, table[i], bool(reverse[i]))) for i in np.flatnonzero(chosen)
        ]
    header["axes"] = axes
    return KSpace(data, None, mask, noise, header)


def parse_header(path: Path, xml: str | None) -> Any:
    """The first encoding of an ISMRMRD XML header."""
    if not xml:
        raise refused(path, "the ISMRMRD XML header is empty")
    safe_xml(path, xml)
    needed("ismrmrd")
    xsd = needed("ismrmrd.xsd")
    try:
        header = xsd.CreateFromDocument(xml)
    except Exception as error:  # xsdata raises many classes
        raise refused(path, f"unusable ISMRMRD XML header ({error})") from None
    if not header.encoding:
        raise refused(path, "the ISMRMRD XML header lacks the element <encoding>")
    encoding = header.encoding[0]
    for name in ("encodedSpace", "reconSpace", "encodingLimits"):
        if getattr(encoding, name, None) is None:
            raise refused(path, f"the ISMRMRD XML header lacks the element <{name}>")
    return encoding


def safe_xml(path: Path, xml: str) -> None:
    """Refuse entities, DTDs and broken XML before any other parser sees it."""
    defused = needed("defusedxml.ElementTree")
    try:
        defused.fromstring(xml.encode("utf-8"), forbid_dtd=True)
    except Exception as error:  # defusedxml: EntitiesForbidden, DTDForbidden; ParseError
        raise refused(
            path, f"the XML header is refused ({type(error).__name__}: {error})"
        ) from None


def space(encoding: Any) -> dict[str, Any]:
    """Matrix and field of view of an encoding, (z, y, x); one slice has (y, x)."""
    encoded, recon = encoding.encodedSpace, encoding.reconSpace
    full = tuple(int(getattr(encoded.matrixSize, a)) for a in "zyx")
    small = tuple(int(getattr(recon.matrixSize, a)) for a in "zyx")
    fov = tuple(float(getattr(recon.fieldOfView_mm, a)) for a in "zyx")
    skip = 0 if full[0] > 1 else 1
    return {
        "matrix": full[skip:],
        "recon_matrix": small[skip:],
        "field_of_view": fov[skip:],
        "slice_thickness": fov[0] / max(small[0], 1),
        "trajectory": str(getattr(encoding.trajectory, "value", encoding.trajectory)).lower(),
    }


def _plan(encoding: Any) -> tuple[Grid, dict[str, Any]]:
    header = {"format": "ISMRMRD", "readout_axis": -1, **space(encoding)}
    full = encoding.encodedSpace.matrixSize
    limits = encoding.encodingLimits

    def center(name: str, length: int) -> int:
        limit = getattr(limits, name, None)
        return length // 2 if limit is None else int(limit.center)

    z, y, x = int(full.z), int(full.y), int(full.x)
    step_1 = center("kspace_encoding_step_1", y)
    step_2 = center("kspace_encoding_step_2", z)
    return Grid(max(z, 1), max(y, 1), max(x, 1), step_1, step_2 if z > 1 else 0), header


def _coils(path: Path, row: Any) -> np.ndarray:
    """Samples (coil, n) of one acquisition, checked against its header."""
    head = row["head"]
    coils, count = int(head["active_channels"]), int(head["number_of_samples"])
    samples = np.asarray(row["data"], np.float32).reshape(-1)
    if samples.size != 2 * coils * count or samples.size == 0:
        raise refused(
            path,
            f"acquisition {int(head['scan_counter'])} declares {coils} coils x {count} "
            f"samples ({8 * coils * count} bytes) but holds {4 * samples.size} bytes",
        )
    return samples.view(np.complex64).reshape(coils, count)


def _samples(path: Path, table: np.ndarray, chosen: np.ndarray) -> np.ndarray | None:
    if chosen.size == 0:
        return None
    return np.concatenate([_coils(path, table[i]) for i in chosen], axis=1)


def _line(path: Path, row: Any, reflected: bool) -> Line:
    head, samples = row["head"], _coils(path, row)
    before, after = int(head["discard_pre"]), int(head["discard_post"])
    samples = samples[:, before : samples.shape[1] - after]
    index = head["idx"]
    frame = {name: int(index[name]) for name in _FRAMES}
    center = int(head["center_sample"]) - before
    return Line(
        samples,
        int(index["kspace_encode_step_1"]),
        int(index["kspace_encode_step_2"]),
        frame,
        center,
        reflected,
    )


def _spokes(
    tree: Tree, table: np.ndarray, chosen: np.ndarray, grid: Grid
) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """Non-Cartesian acquisitions as (coil, [frames], spoke, sample) with their coordinates."""
    path, heads = tree.path, table["head"][chosen]
    sizes = {(int(h["active_channels"]), int(h["number_of_samples"])) for h in heads}
    dims = {int(h["trajectory_dimensions"]) for h in heads}
    if len(sizes) > 1 or len(dims) > 1 or next(iter(dims)) not in (2, 3):
        raise refused(path, f"spokes differ in coils, samples {sorted(sizes)} or dimensions {dims}")
    (coils, samples), dim = sizes.pop(), dims.pop()
    keys = [tuple(int(h["idx"][name]) for name in _FRAMES) for h in heads]
    frames = sorted(set(keys))
    used = [i for i in range(len(_FRAMES)) if len({k[i] for k in frames}) > 1]
    spokes = len(chosen) // len(frames)
    if any(keys.count(f) != spokes for f in frames):
        raise refused(path, "the frames have different numbers of spokes")
    shape = tuple(len({k[i] for k in frames}) for i in used)
    if prod(shape) != len(frames):
        raise refused(path, f"some combinations of {[_FRAMES[i] for i in used]} are missing")
    check_size(path, 8 * coils * spokes * samples * len(frames), tree.max_bytes, "k-space")
    order = sorted(range(len(chosen)), key=lambda i: keys[i])
    data = np.stack([_coils(path, table[chosen[i]]) for i in order], axis=1)
    data = data.reshape(coils, *shape, spokes, samples)
    first = [np.asarray(table[chosen[i]]["traj"], np.float32) for i in order[:spokes]]
    if any(t.size != samples * dim for t in first):
        raise refused(path, f"trajectories do not hold {dim} x {samples} values")
    coordinates = np.stack([t.reshape(samples, dim)[:, ::-1] for t in first])
    if np.max(np.abs(coordinates), initial=0.0) <= 0.5 + 1e-6:
        coordinates = coordinates * np.asarray((grid.z, grid.y, grid.x)[-dim:], np.float32)
    names = ("coil", *(_FRAMES[i] for i in used), "spoke", "sample")
    return np.ascontiguousarray(data), np.ascontiguousarray(coordinates), names
