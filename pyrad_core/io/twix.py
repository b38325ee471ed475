"""Siemens TWIX (.dat), parsed by twixtools.

Lines read backwards (EPI) are turned round. ``header["reflected"]`` flags them per ky, as
``correct_epi_ghost`` needs, and ``header["navigators"]`` holds the phase-correction lines.
"""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import Any

import numpy as np

from .containers import KSpace
from .files import needed, refused, truncated
from .lines import Grid, Line, assemble, line_record

_RAID_ENTRY = np.dtype([("ids", "<u4", 2), ("offset", "<u8"), ("length", "<u8"), ("names", "V128")])
_SKIPPED = ("RTFEEDBACK", "HPFEEDBACK", "REFPHASESTABSCAN", "PHASESTABSCAN", "SYNCDATA", "ACQEND")


def is_twix(path: Path, head: bytes) -> bool:
    first, second = np.frombuffer(head[:8], "<u4") if len(head) >= 8 else (0, 0)
    return first < 10000 and 0 < second <= 64


def read(path: Path, max_bytes: int | None) -> KSpace:
    _check_extent(path)
    scan, noise = _scans(path)
    mdbs = [m for m in scan["mdb"] if not any(m.is_flag_set(f) for f in _SKIPPED[2:])]
    navigators = [_line(path, m) for m in mdbs if m.is_flag_set("PHASCOR")]
    image = [m for m in mdbs if _is_image(m)]
    if not image:
        raise refused(path, "holds no image lines")
    reference = [
        _line(path, m)
        for m in mdbs
        if m.is_flag_set("PATREFSCAN") and not m.is_flag_set("PATREFANDIMASCAN")
        and not m.is_flag_set("PHASCOR") and not m.is_flag_set("NOISEADJSCAN")
    ]  # fmt: skip
    lines = [_line(path, m) for m in image]
    grid, header = _protocol(path, scan["hdr"], image, lines)
    data, mask, axes = assemble(path, lines, grid, max_bytes)
    reflected = np.zeros(grid.y, bool)
    for line in lines:
        reflected[line.y - grid.center_y + grid.y // 2] = line.reflected
    header |= {
        "axes": axes,
        "reflected": reflected if reflected.any() else None,
        "navigators": [line_record(line) for line in navigators],
        "calibration": [line_record(line) for line in reference],
    }
    return KSpace(data, None, mask, noise, header)


def _check_extent(path: Path) -> None:
    """The measurements named in the file's first block lie inside the file."""
    size = path.stat().st_size
    with open(path, "rb") as stream:
        head = stream.read(8)
        count = int(np.frombuffer(head, "<u4")[1]) if len(head) == 8 else 0
        if not 0 < count <= 64:
            raise refused(path, "is no Siemens TWIX file of software VD/VE or newer")
        block = stream.read(count * _RAID_ENTRY.itemsize)
    if len(block) < count * _RAID_ENTRY.itemsize:
        raise truncated(path, 8 + count * _RAID_ENTRY.itemsize, size, "the list of measurements")
    for entry in np.frombuffer(block, _RAID_ENTRY):
        stop = int(entry["offset"]) + int(entry["length"])
        if stop > size:
            raise truncated(path, stop, size, "its measurements")


def _scans(path: Path) -> tuple[dict[str, Any], np.ndarray | None]:
    """The last measurement (the image scan) and the noise of any of them."""
    twixtools = needed("twixtools")
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # twixtools prints its warnings
            scans = twixtools.read_twix(
                str(path), parse_pmu=False, parse_geometry=False, verbose=False
            )
        scan = scans[-1]
        noise = [m.data for s in scans for m in s["mdb"] if m.is_flag_set("NOISEADJSCAN")]
        scan["hdr"]["MeasYaps"]
    except Exception as error:  # twixtools raises many classes on damaged files
        raise refused(path, f"twixtools cannot read it ({error})") from None
    if not noise:
        return scan, None
    return scan, np.concatenate([np.atleast_2d(n) for n in noise], axis=1).astype(np.complex64)


def _is_image(mdb: Any) -> bool:
    outside = (*_SKIPPED, "PHASCOR", "NOISEADJSCAN")
    if any(mdb.is_flag_set(flag) for flag in outside):
        return False
    return not mdb.is_flag_set("PATREFSCAN") or mdb.is_flag_set("PATREFANDIMASCAN")


def _line(path: Path, mdb: Any) -> Line:
    try:
        samples = np.atleast_2d(np.asarray(mdb.data, np.complex64))
    except Exception as error:
        raise refused(path, f"a line cannot be read ({error})") from None
    before, after = int(mdb.mdh.CutOff.Pre), int(mdb.mdh.CutOff.Post)
    center = int(mdb.mdh.CenterCol) - before
    samples = samples[:, before : samples.shape[1] - after]
    frame = {"slice": mdb.cSlc, "contrast": mdb.cEco, "phase": mdb.cPhs, "repetition": mdb.cRep,
             "set": mdb.cSet}  # fmt: skip
    return Line(samples, int(mdb.cLin), int(mdb.cPar), {k: int(v) for k, v in frame.items()},
                center, mdb.is_flag_set("REFLECT"))  # fmt: skip


def _protocol(
    path: Path, header: Any, image: list[Any], lines: list[Line]
) -> tuple[Grid, dict[str, Any]]:
    """The encoded grid and the plain header, from the protocol ("MeasYaps")."""
    yaps = header["MeasYaps"]
    try:
        kspace, first = yaps["sKSpace"], yaps["sSliceArray"]["asSlice"][0]
        base, phase = int(kspace["lBaseResolution"]), int(kspace["lPhaseEncodingLines"])
        fov = [float(first["dThickness"]), float(first["dPhaseFOV"]), float(first["dReadoutFOV"])]
        volume = int(kspace.get("ucDimension", 2)) == 4
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise refused(path, f"the protocol lacks {error}") from None
    if int(kspace.get("ucTrajectory", 1)) != 1:
        raise refused(path, "only Cartesian TWIX scans are read")
    width = max(line.samples.shape[1] for line in lines)
    oversampling = max(1, round(width / base))
    width = max(width, base * oversampling)
    center_y, center_z = int(image[0].mdh.CenterLin), int(image[0].mdh.CenterPar)
    rows = max(phase, 1 + max(line.y for line in lines))
    depth = 1 + max(line.z for line in lines)
    if volume:
        depth = max(depth, int(kspace.get("lPartitions", 1)))
    center_y = center_y or rows // 2
    center_z = center_z or depth // 2
    grid = Grid(depth, rows, width, center_y, center_z)
    matrix = grid.shape
    recon = (*matrix[:-1], width // oversampling)
    plain = {
        "format": "Siemens TWIX",
        "matrix": matrix,
        "recon_matrix": recon,
        "field_of_view": tuple(fov[-len(matrix) :]),
        "slice_thickness": fov[0],
        "readout_axis": -1,
        "trajectory": "cartesian",
    }
    return grid, plain
