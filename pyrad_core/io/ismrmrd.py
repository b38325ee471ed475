"""ISMRMRD (.h5): acquisitions by h5py, the XML header by the ismrmrd package.

Trajectories that stay within +-0.5 are cycles per voxel and are scaled by the encoded matrix;
others are cycles per field of view.

Directions: x, y and z of the image grow along ``read_dir``, ``phase_dir`` and ``slice_dir``. In
files converted from Siemens scanners they grow against ``read_dir`` and ``phase_dir`` (and, in
3D, ``slice_dir``), because those scanners' signal has the opposite sign; the header's
``systemVendor`` tells.
"""

from __future__ import annotations

from dataclasses import replace
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from .containers import KSpace
from .files import check_size, refused
from .hdf5 import Tree, text
from .ismrmrd_header import describe, grid_of, parse_header
from .lines import Grid, Line, assemble, line_record, reflected_rows
from .orientation import oriented

_NOISE, _CALIBRATION, _CALIBRATION_AND_IMAGE, _REVERSE = 19, 20, 21, 22
_NAVIGATION, _PHASECORR, _DUMMY, _RTFEEDBACK = 23, 24, 27, 28
_FRAMES = ("slice", "contrast", "phase", "repetition", "set")


def group_of(tree: Tree) -> str | None:
    """The group that holds ``xml`` and ``data``, usually "dataset"."""
    for name in tree.children():
        if tree.has(f"{name}/xml") and tree.has(f"{name}/data"):
            return name
    return None


def read(tree: Tree, group: str, encoding: int = 0) -> KSpace:
    path = tree.path
    described, chosen = parse_header(path, text(tree.read(f"{group}/xml")), encoding)
    table = tree.read(f"{group}/data")
    if table is None or table.dtype.names is None or "head" not in table.dtype.names:
        raise refused(path, f"{group}/data holds no ISMRMRD acquisitions")
    heads = table["head"]
    flags = heads["flags"].astype(np.uint64)

    def flagged(bit: int) -> np.ndarray:
        return (flags & np.uint64(1 << (bit - 1))) != 0

    noise = _samples(path, table, np.flatnonzero(flagged(_NOISE)))
    unused = flagged(_NOISE) | flagged(_DUMMY) | flagged(_RTFEEDBACK)
    unused |= heads["encoding_space_ref"] != encoding
    navigator = flagged(_NAVIGATION) | flagged(_PHASECORR)
    calibration = flagged(_CALIBRATION) & ~flagged(_CALIBRATION_AND_IMAGE)
    image = np.flatnonzero(~(unused | navigator | calibration))
    if image.size == 0:
        here = sorted({int(n) for n in heads["encoding_space_ref"]})
        raise refused(path, f"holds no image acquisitions of encoding {encoding} (present: {here})")
    header = {"format": "ISMRMRD", "readout_axis": -1, **describe(described, chosen)}
    header["encodings"] = len(described.encoding)
    header["orientation"], order = _orientation(heads[image], header)
    grid = grid_of(chosen)
    dwell = float(heads["sample_time_us"][image[0]])
    if np.isfinite(dwell) and dwell > 0:
        header["dwell"] = dwell * 1e-6
    if int(heads["trajectory_dimensions"][image[0]]) > 0 and header["trajectory"] != "cartesian":
        data, coordinates, axes = _spokes(tree, table, image, grid, order)
        header |= {"axes": axes, "readout_axis": None}
        return KSpace(data, coordinates, None, noise, header)
    reverse = flagged(_REVERSE)

    def lines_of(chosen: np.ndarray) -> list[Line]:
        found = [_line(path, table[i], bool(reverse[i]), order) for i in np.flatnonzero(chosen)]
        return [line for line in found if line.frame["slice"] >= 0]

    lines = lines_of(~(unused | navigator | calibration))
    if "ramp" in header:  # the readout becomes evenly spaced later; all its samples are kept
        grid = replace(grid, x=max(line.samples.shape[1] for line in lines))
    data, mask, axes = assemble(path, lines, grid, tree.max_bytes)
    phase_correction = flagged(_PHASECORR) & ~unused
    kept = phase_correction if phase_correction.any() else flagged(_NAVIGATION) & ~unused
    header["navigators"] = [line_record(line) for line in lines_of(kept & ~calibration)]
    extra = lines_of(calibration & ~unused & ~navigator)
    header["calibration"] = [line_record(line) for line in extra]
    if extra:
        header["calibration_kspace"] = assemble(path, extra, grid, tree.max_bytes)[0]
    header |= {"axes": axes, "reflected": reflected_rows(lines, grid)}
    return KSpace(data, None, mask, noise, header)


def _orientation(heads: np.ndarray, header: dict[str, Any]) -> tuple[Any, dict[int, int]]:
    """Directions and positions of the first acquisition of every slice."""
    sign = np.ones((3, 1))
    if str(header.get("vendor", "")).lower().startswith("siemens"):
        sign = np.array([[-1.0], [-1.0], [-1.0 if len(header["matrix"]) == 3 else 1.0]])
    numbers = heads["idx"]["slice"].astype(int)
    axes, positions = {}, {}
    for number in np.unique(numbers):
        head = heads[np.flatnonzero(numbers == number)[0]]
        frame = np.stack([head["read_dir"], head["phase_dir"], head["slice_dir"]])
        axes[int(number)] = sign * frame.astype(np.float64)
        positions[int(number)] = head["position"].astype(np.float64)
    found, order = oriented(axes, positions)
    whole = {n: n for n in range(max(order) + 1)} if found is None else order
    return found, whole


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


def _line(path: Path, row: Any, reflected: bool, order: dict[int, int]) -> Line:
    head, samples = row["head"], _coils(path, row)
    before, after = int(head["discard_pre"]), int(head["discard_post"])
    samples = samples[:, before : samples.shape[1] - after]
    index = head["idx"]
    frame = {name: int(index[name]) for name in _FRAMES}
    frame["slice"] = order.get(frame["slice"], -1)
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
    tree: Tree, table: np.ndarray, chosen: np.ndarray, grid: Grid, order: dict[int, int]
) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """Non-Cartesian acquisitions as (coil, [frames], spoke, sample) with their coordinates."""
    path, heads = tree.path, table["head"][chosen]
    sizes = {(int(h["active_channels"]), int(h["number_of_samples"])) for h in heads}
    dims = {int(h["trajectory_dimensions"]) for h in heads}
    if len(sizes) > 1 or len(dims) > 1 or next(iter(dims)) not in (2, 3):
        raise refused(path, f"spokes differ in coils, samples {sorted(sizes)} or dimensions {dims}")
    (coils, samples), dim = sizes.pop(), dims.pop()
    keys = [
        (order[int(h["idx"]["slice"])], *(int(h["idx"][name]) for name in _FRAMES[1:]))
        for h in heads
    ]
    frames = sorted(set(keys))
    used = [i for i in range(len(_FRAMES)) if len({k[i] for k in frames}) > 1]
    spokes = len(chosen) // len(frames)
    if any(keys.count(f) != spokes for f in frames):
        raise refused(path, "the frames have different numbers of spokes")
    shape = tuple(len({k[i] for k in frames}) for i in used)
    if prod(shape) != len(frames):
        raise refused(path, f"some combinations of {[_FRAMES[i] for i in used]} are missing")
    check_size(path, 8 * coils * spokes * samples * len(frames), tree.max_bytes, "k-space")
    sequence = sorted(range(len(chosen)), key=lambda i: keys[i])
    data = np.stack([_coils(path, table[chosen[i]]) for i in sequence], axis=1)
    data = data.reshape(coils, *shape, spokes, samples)
    first = [np.asarray(table[chosen[i]]["traj"], np.float32) for i in sequence[:spokes]]
    if any(t.size != samples * dim for t in first):
        raise refused(path, f"trajectories do not hold {dim} x {samples} values")
    coordinates = np.stack([t.reshape(samples, dim)[:, ::-1] for t in first])
    if np.max(np.abs(coordinates), initial=0.0) <= 0.5 + 1e-6:
        coordinates = coordinates * np.asarray((grid.z, grid.y, grid.x)[-dim:], np.float32)
    names = ("coil", *(_FRAMES[i] for i in used), "spoke", "sample")
    return np.ascontiguousarray(data), np.ascontiguousarray(coordinates), names
