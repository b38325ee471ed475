"""The XML header of ISMRMRD, also carried by fastMRI files.

The text goes through defusedxml before the ismrmrd package parses it: entities and DTDs are
refused.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .files import needed, refused
from .lines import Grid

__all__ = ["Described", "describe", "grid_of", "parse_header", "safe_xml"]

Described = dict[str, Any]


def parse_header(path: Path, xml: str | None, encoding: int = 0) -> tuple[Any, Any]:
    """The header and one of its encodings, both checked."""
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
    if not 0 <= encoding < len(header.encoding):
        raise refused(
            path, f"has {len(header.encoding)} encodings; there is no encoding {encoding}"
        )
    chosen = header.encoding[encoding]
    for name in ("encodedSpace", "reconSpace", "encodingLimits"):
        if getattr(chosen, name, None) is None:
            raise refused(path, f"the ISMRMRD XML header lacks the element <{name}>")
    for space in (chosen.encodedSpace, chosen.reconSpace):
        sizes = [int(getattr(space.matrixSize, a)) for a in "xyz"]
        fov = [float(getattr(space.fieldOfView_mm, a)) for a in "xyz"]
        if min(sizes[:2]) < 1 or not all(0 < f < 1e6 for f in fov[:2]):
            raise refused(path, f"the XML header declares matrix {sizes} and field of view {fov}")
    return header, chosen


def safe_xml(path: Path, xml: str) -> None:
    """Refuse entities, DTDs and broken XML before any other parser sees it."""
    defused = needed("defusedxml.ElementTree")
    try:
        defused.fromstring(xml.encode("utf-8"), forbid_dtd=True)
    except Exception as error:  # defusedxml: EntitiesForbidden, DTDForbidden; ParseError
        raise refused(
            path, f"the XML header is refused ({type(error).__name__}: {error})"
        ) from None


def describe(header: Any, encoding: Any) -> Described:
    """Matrix and field of view of an encoding, (z, y, x); one slice has (y, x)."""
    encoded, recon = encoding.encodedSpace, encoding.reconSpace
    full = tuple(max(1, int(getattr(encoded.matrixSize, a))) for a in "zyx")
    small = tuple(max(1, int(getattr(recon.matrixSize, a))) for a in "zyx")
    wide = tuple(float(getattr(encoded.fieldOfView_mm, a)) for a in "zyx")
    fov = tuple(float(getattr(recon.fieldOfView_mm, a)) for a in "zyx")
    skip = 0 if full[0] > 1 else 1
    found = {
        "matrix": full[skip:],
        "recon_matrix": small[skip:],
        "encoded_field_of_view": wide[skip:],
        "field_of_view": fov[skip:],
        "slice_thickness": fov[0] / small[0],
        "trajectory": str(getattr(encoding.trajectory, "value", encoding.trajectory)).lower(),
    }
    system = getattr(header, "acquisitionSystemInformation", None)
    vendor = getattr(system, "systemVendor", None)
    if vendor:
        found["vendor"] = str(vendor)
    parallel = getattr(encoding, "parallelImaging", None)
    factor = getattr(parallel, "accelerationFactor", None)
    if factor is not None:
        found["acceleration"] = (
            int(factor.kspace_encoding_step_1), int(factor.kspace_encoding_step_2)
        )  # fmt: skip
    ramp = _ramp(encoding)
    if ramp is not None:
        found["ramp"] = ramp
    return found


def grid_of(encoding: Any) -> Grid:
    full, limits = encoding.encodedSpace.matrixSize, encoding.encodingLimits
    z, y, x = (max(1, int(getattr(full, a))) for a in "zyx")

    def center(name: str, length: int) -> int:
        limit = getattr(limits, name, None)
        return length // 2 if limit is None else int(limit.center)

    step_1 = center("kspace_encoding_step_1", y)
    step_2 = center("kspace_encoding_step_2", z)
    return Grid(z, y, x, step_1, step_2 if z > 1 else 0)


def _ramp(encoding: Any) -> dict[str, Any] | None:
    """Timing of a readout that samples on the gradient's ramps (EPI), in microseconds."""
    description = getattr(encoding, "trajectoryDescription", None)
    if description is None:
        return None
    named = [*description.userParameterLong, *description.userParameterDouble]
    values = {p.name: float(p.value) for p in named}
    wanted = ("rampUpTime", "rampDownTime", "flatTopTime", "acqDelayTime", "numSamples",
              "dwellTime")  # fmt: skip
    if any(name not in values for name in wanted):
        return None
    up, down, flat, delay, count, dwell = (values[name] for name in wanted)
    if delay >= up and delay + count * dwell <= up + flat:
        return None  # samples on the flat top only
    return {
        "ramp_up": up,
        "flat_top": flat,
        "ramp_down": down,
        "delay": delay,
        "duration": count * dwell,
        "shape": "trapezoid",
    }
