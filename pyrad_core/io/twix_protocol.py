"""What a Siemens protocol says about the grid, the field of view and the slices.

The line headers' quaternion turns (phase, read, slice) into patient directions. The signal's sign
is such that x and y of the image, and z in 3D, grow against read, phase and slice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .files import refused
from .lines import Grid, Line
from .orientation import oriented, quaternion_axes

__all__ = ["grid_and_header", "slice_places"]


def slice_places(image: Sequence[Any], volume: bool) -> tuple[Any, dict[int, int]]:
    """The header's orientation and the sorted place of every slice number."""
    axes: dict[int, np.ndarray] = {}
    positions: dict[int, np.ndarray] = {}
    for mdb in image:
        number = int(mdb.cSlc)
        if number in axes:
            continue
        data = mdb.mdh.SliceData
        phase, read, normal = quaternion_axes(*(float(q) for q in data.Quaternion))
        axes[number] = np.stack([-read, -phase, -normal if volume else normal])
        place = data.SlicePos
        positions[number] = np.array([place.Sag, place.Cor, place.Tra], np.float64)
    found, order = oriented(axes, positions)
    return found, {n: n for n in range(max(order) + 1)} if found is None else order


def is_volume(header: Mapping[str, Any]) -> bool:
    return int(_number(header["MeasYaps"].get("sKSpace", {}), "ucDimension", 2)) == 4


def grid_and_header(
    path: Path, header: Any, image: Sequence[Any], lines: Sequence[Line], free: bool = False
) -> tuple[Grid, dict[str, Any]]:
    """The encoded grid and the plain header, from the protocol ("MeasYaps" and "Meas")."""
    yaps, meas = header["MeasYaps"], header.get("Meas", {})
    try:
        kspace, first = yaps["sKSpace"], yaps["sSliceArray"]["asSlice"][0]
        base, phase = int(kspace["lBaseResolution"]), int(kspace["lPhaseEncodingLines"])
        thick, high, wide = (
            float(first[name]) for name in ("dThickness", "dPhaseFOV", "dReadoutFOV")
        )
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise refused(path, f"the protocol lacks {error}") from None
    if base < 1 or phase < 1 or min(thick, high, wide) <= 0:
        raise refused(path, f"the protocol declares base {base}, lines {phase}, {wide} x {high} mm")
    if int(_number(kspace, "ucTrajectory", 1)) != 1 and not free:
        raise refused(
            path, "is no Cartesian TWIX scan; give its trajectory by coordinates (--coordinates)"
        )
    ramp = _ramp(meas)
    measured = max(line.samples.shape[1] for line in lines)
    width = int(ramp.pop("samples")) if ramp else measured
    oversampling = max(1, round(width / base))
    width = max(width, base * oversampling)
    more_y = 1 + max(0.0, _number(kspace, "dPhaseOversamplingForDialog", 0))
    more_z = 1 + max(0.0, _number(kspace, "dSliceOversamplingForDialog", 0))
    rows = int(_number(meas, "iPEFTLength", 0)) or phase
    rows, center_y = _covering(rows, image[0].mdh.CenterLin, [line.y for line in lines])
    depth = 1
    if is_volume(header):
        depth = int(_number(meas, "i3DFTLength", 0)) or int(_number(kspace, "lPartitions", 1))
    depth, center_z = _covering(depth, image[0].mdh.CenterPar, [line.z for line in lines])
    skip = 0 if depth > 1 else 1
    plain = {
        "format": "Siemens TWIX",
        "matrix": (depth, rows, width)[skip:],
        "recon_matrix": (round(depth / more_z), round(rows / more_y), width // oversampling)[skip:],
        "encoded_field_of_view": (thick * more_z, high * more_y, wide * width / base)[skip:],
        "field_of_view": (thick, high, wide)[skip:],
        "slice_thickness": thick,
        "readout_axis": -1,
        "trajectory": "cartesian",
        "vendor": "SIEMENS",
    }
    if ramp:
        plain["ramp"] = ramp
        plain["readout_shift"] = float(image[0].mdh.ReadOutOffcentre) / (wide * width / base)
    dwell = _number(yaps.get("sRXSPEC", {}), "alDwellTime", 0)  # ns
    if dwell > 0:
        plain["dwell"] = dwell * 1e-9
    pat = yaps.get("sPat", {})
    if isinstance(pat, Mapping):
        plain["acceleration"] = (
            int(_number(pat, "lAccelFactPE", 1)), int(_number(pat, "lAccelFact3D", 1))
        )  # fmt: skip
    # ramps: the grid keeps every measured sample until the readout is made even
    return Grid(depth, rows, measured if ramp else width, center_y, center_z), plain


def _covering(declared: int, center: int, numbers: Sequence[int]) -> tuple[int, int]:
    """A length that holds all lines with the centre at its middle, and the centre's number."""
    first, last = min(numbers), max(numbers)
    if last == 0 and declared <= 1:
        return 1, 0
    center = int(center) or max(declared, last + 1) // 2
    return max(declared, 2 * (center - first), 2 * (last - center) + 1), center


def _number(group: Any, name: str, otherwise: float) -> float:
    """A number of the protocol; what is absent, empty or text counts as ``otherwise``."""
    value = group.get(name, otherwise) if isinstance(group, Mapping) else otherwise
    if isinstance(value, Mapping):
        value = value.get(0, otherwise)
    if isinstance(value, list):
        value = value[0] if value else otherwise
    try:
        found = float(value)
    except (TypeError, ValueError):
        return otherwise
    return found if np.isfinite(found) else otherwise


def _ramp(meas: Any) -> dict[str, Any] | None:
    """Timing of a readout that samples on the gradient's ramps, in microseconds."""
    shape = {2: "trapezoid", 4: "sinusoid"}.get(int(_number(meas, "alRegridMode", 1)))
    names = {
        "ramp_up": "alRegridRampupTime",
        "flat_top": "alRegridFlattopTime",
        "ramp_down": "alRegridRampdownTime",
        "delay": "alRegridDelaySamplesTime",
        "duration": "aflRegridADCDuration",
        "samples": "alRegridDestSamples",
    }
    found = {name: _number(meas, key, 0) for name, key in names.items()}
    if shape is None or found["duration"] <= 0 or found["samples"] < 2:
        return None
    return {**found, "shape": shape}
