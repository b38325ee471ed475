"""Siemens TWIX (.dat) of software VB, VD, VE and XA, whose lines are read by twixtools.

Lines read backwards (EPI) are turned round. ``header["reflected"]`` flags them per ky, as
``correct_epi_ghost`` needs, and ``header["navigators"]`` holds the phase-correction lines. Slices
are sorted by their position.
"""

from __future__ import annotations

import contextlib
import io
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from .containers import FRAMES, KSpace
from .files import needed, refused
from .lines import Line, assemble, line_record, reflected_rows
from .twix_blocks import check_blocks
from .twix_protocol import grid_and_header, is_volume, slice_places
from .twix_text import read_protocol

_SKIPPED = ("RTFEEDBACK", "HPFEEDBACK", "REFPHASESTABSCAN", "PHASESTABSCAN", "SYNCDATA", "ACQEND")


def read(path: Path, max_bytes: int | None, coordinates: np.ndarray | None = None) -> KSpace:
    """A Cartesian scan, or with coordinates (spoke, sample, dims) one of any trajectory."""
    scan, noise = _scans(path, check_blocks(path))
    mdbs = [m for m in scan["mdb"] if not any(m.is_flag_set(f) for f in _SKIPPED[2:])]
    image = [m for m in mdbs if _is_image(m)]
    if not image:
        raise refused(path, "holds no image lines")
    orientation, order = slice_places(image, is_volume(scan["hdr"]))
    navigators = [m for m in mdbs if m.is_flag_set("PHASCOR") and not m.is_flag_set("PATREFSCAN")]
    reference = [
        m
        for m in mdbs
        if m.is_flag_set("PATREFSCAN") and not m.is_flag_set("PATREFANDIMASCAN")
        and not m.is_flag_set("PHASCOR") and not m.is_flag_set("NOISEADJSCAN")
    ]  # fmt: skip
    lines = [_line(path, m, order) for m in image]
    free = coordinates is not None
    grid, header = grid_and_header(path, scan["hdr"], image, lines, free)
    if coordinates is not None:
        return _spokes(path, lines, coordinates, noise, {**header, "orientation": orientation})
    data, mask, axes = assemble(path, lines, grid, max_bytes)
    extra = [_line(path, m, order) for m in reference if int(m.cSlc) in order]
    header |= {
        "axes": axes,
        "orientation": orientation,
        "reflected": reflected_rows(lines, grid),
        "navigators": [
            line_record(_line(path, m, order)) for m in navigators if int(m.cSlc) in order
        ],
        "calibration": [line_record(line) for line in extra],
    }
    if extra:
        header["calibration_kspace"] = assemble(path, extra, grid, max_bytes)[0]
    return KSpace(data, None, mask, noise, header)


def _spokes(
    path: Path, lines: list[Line], coordinates: np.ndarray, noise: np.ndarray | None,
    header: dict[str, Any],
) -> KSpace:  # fmt: skip
    """Lines in the order of their counter as (coil, [frames], spoke, sample)."""
    if not coordinates.ndim == 3 or coordinates.shape[2] not in (2, 3):
        raise refused(path, f"coordinates {coordinates.shape} are not (spoke, sample, dims)")
    spokes, samples = coordinates.shape[:2]
    frames = [n for n in FRAMES if any(line.frame[n] for line in lines)]
    widths = sorted({line.samples.shape[1] for line in lines})
    ordered = sorted(lines, key=lambda one: (*(one.frame[n] for n in frames), one.z, one.y))
    shape = tuple(1 + max(line.frame[n] for line in lines) for n in frames)
    if len(lines) != spokes * prod(shape) or any(n != samples for n in widths):
        raise refused(
            path,
            f"coordinates {coordinates.shape} do not fit {len(lines)} lines of {widths} samples in "
            f"{prod(shape)} frames",
        )
    data = np.stack([line.samples for line in ordered], axis=1)
    # spokes have no lines along y: the readout's size and field of view hold in the plane
    side, wide = header["recon_matrix"][-1], header["field_of_view"][-1]
    matrix, fov = header["recon_matrix"][:-2], header["field_of_view"][:-2]
    header = {
        **header,
        "axes": ("coil", *frames, "spoke", "sample"),
        "matrix": (*matrix, side, side),
        "recon_matrix": (*matrix, side, side),
        "field_of_view": (*fov, wide, wide),
        "readout_axis": None,
        "trajectory": "other",
    }
    data = np.ascontiguousarray(data.reshape(data.shape[0], *shape, spokes, samples))
    return KSpace(data, np.ascontiguousarray(coordinates), None, noise, header)


def _scans(path: Path, last: int) -> tuple[dict[str, Any], np.ndarray | None]:
    """The last measurement (the image scan, at byte ``last``) and the noise of any of them."""
    twixtools = needed("twixtools")
    protocol = read_protocol(path, last)
    if "MeasYaps" not in protocol:
        raise refused(path, "holds no protocol (section MeasYaps)")
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # twixtools prints its warnings
            scans = twixtools.read_twix(
                str(path), parse_prot=False, parse_pmu=False, parse_geometry=False, verbose=False
            )
        scan = {"hdr": protocol, "mdb": scans[-1]["mdb"]}
        noise = [m.data for s in scans for m in s["mdb"] if _is_noise(m)]
    except Exception as error:  # twixtools raises many classes on damaged files
        raise refused(path, f"twixtools cannot read it ({error})") from None
    if not noise:
        return scan, None
    return scan, np.concatenate([np.atleast_2d(n) for n in noise], axis=1).astype(np.complex64)


def _is_noise(mdb: Any) -> bool:
    """Blocks of other kinds may be shorter than a line's header, behind which samples are read."""
    return mdb.is_flag_set("NOISEADJSCAN") and not any(
        mdb.is_flag_set(flag) for flag in ("SYNCDATA", "ACQEND")
    )


def _is_image(mdb: Any) -> bool:
    outside = (*_SKIPPED, "PHASCOR", "NOISEADJSCAN")
    if any(mdb.is_flag_set(flag) for flag in outside):
        return False
    return not mdb.is_flag_set("PATREFSCAN") or mdb.is_flag_set("PATREFANDIMASCAN")


def _line(path: Path, mdb: Any, order: dict[int, int]) -> Line:
    try:
        samples = np.atleast_2d(np.asarray(mdb.data, np.complex64))
    except Exception as error:
        raise refused(path, f"a line cannot be read ({error})") from None
    before, after = int(mdb.mdh.CutOff.Pre), int(mdb.mdh.CutOff.Post)
    center = int(mdb.mdh.CenterCol) - before
    samples = samples[:, before : samples.shape[1] - after]
    frame = {"slice": order[int(mdb.cSlc)], "contrast": mdb.cEco, "phase": mdb.cPhs,
             "repetition": mdb.cRep, "set": mdb.cSet}  # fmt: skip
    return Line(samples, int(mdb.cLin), int(mdb.cPar), {k: int(v) for k, v in frame.items()},
                center, mdb.is_flag_set("REFLECT"))  # fmt: skip
