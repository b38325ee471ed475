"""Headers of NRRD and MetaImage files, held against their grammar.

SimpleITK's parsers of both formats keep words in buffers of fixed length and write past them, so no
line that they do not expect reaches them. Grammars: teem's NRRD definition (version 5) and MetaIO's
tags.
"""

from __future__ import annotations

import re
from pathlib import Path

from .files import refused, starts_with

__all__ = ["meta_fields", "nrrd_fields"]

_LONGEST = 1 << 16
_NUMBER = r"[-+]?(?:\d{1,30}(?:\.\d{0,30})?|\.\d{1,30})(?:[eE][-+]?\d{1,3})?"
_NUMBERS = rf"{_NUMBER}(?:\s+{_NUMBER}){{0,99}}"
_WHOLES = r"\d{1,20}(?:\s+\d{1,20}){0,15}"
_VECTOR = rf"(?:none|\(\s*{_NUMBER}(?:\s*,\s*{_NUMBER}){{0,7}}\s*\))"
_VECTORS = rf"{_VECTOR}(?:\s+{_VECTOR}){{0,15}}"
_WORDS, _LOGICAL = r"[\x20-\x7e]{0,200}", r"(?i:true|false|0|1)"

_NRRD = {
    **dict.fromkeys(("type", "encoding", "endian", "space"), r"[A-Za-z0-9_\- ]{1,60}"),
    **dict.fromkeys(("dimension", "space dimension"), r"\d{1,2}"),
    "sizes": _WHOLES,
    **dict.fromkeys(("space directions", "measurement frame"), _VECTORS),
    "space origin": _VECTOR,
    **dict.fromkeys(
        ("spacings", "thicknesses", "axis mins", "axismins", "axis maxs", "axismaxs"),
        rf"(?:nan|NaN|{_NUMBER})(?:\s+(?:nan|NaN|{_NUMBER})){{0,15}}",
    ),
    **dict.fromkeys(("data file", "datafile"), _WORDS),
    **dict.fromkeys(("byte skip", "byteskip"), r"-1|\d{1,18}"),
    **dict.fromkeys(("line skip", "lineskip"), "0"),
    **dict.fromkeys(("kinds", "labels", "units", "space units", "centers", "centerings"), _WORDS),
    **dict.fromkeys(("content", "sample units", "sampleunits"), _WORDS),
    **dict.fromkeys(("min", "max", "old min", "oldmin", "old max", "oldmax"), _NUMBER),
}
_META = {
    "objecttype": "Image",
    "ndims": r"\d{1,2}",
    "dimsize": _WHOLES,
    "elementnumberofchannels": "1",
    "headersize": r"-1|\d{1,18}",
    "compresseddatasize": r"\d{1,18}",
    "compressionlevel": r"\d{1,2}",
    "elementtype": r"MET_[A-Z_]{1,20}",
    **dict.fromkeys(
        ("binarydata", "binarydatabyteordermsb", "elementbyteordermsb", "compresseddata"), _LOGICAL
    ),
    **dict.fromkeys(
        ("transformmatrix", "rotation", "orientation", "offset", "position", "origin",
         "centerofrotation", "elementspacing", "elementsize", "elementmin", "elementmax",
         "sequenceid", "color"),
        _NUMBERS,
    ),
    **dict.fromkeys(
        ("comment", "acquisitiondate", "objectsubtype", "transformtype", "name", "id", "parentid",
         "distanceunits", "anatomicalorientation", "modality", "imageposition", "elementnbits",
         "elementtointensityfunctionslope", "elementtointensityfunctionoffset", "elementdatafile"),
        _WORDS,
    ),
}  # fmt: skip
# Any other name is one that programs add for themselves: NRRD_kinds[0], 0008|0060, ...
_OTHER = r"[^\x00-\x08\x0a-\x1f\x7f]{0,4000}"
_PER_AXIS = ("offset", "position", "origin", "centerofrotation", "elementspacing", "elementsize")
_TAG = re.compile(r"[^\x00-\x1f\x7f:=]{1,60}")


def nrrd_fields(path: Path) -> tuple[dict[str, str], int]:
    """Fields of a NRRD header (names in lower case), and where the voxels begin."""
    head = starts_with(path, _LONGEST)
    ends = [m.end() for m in (re.search(end, head) for end in (rb"\n\n", rb"\r\n\r\n")) if m]
    start = min(ends, default=len(head))
    fields: dict[str, str] = {}
    for line in head[:start].decode("utf-8", "replace").splitlines()[1:]:
        if not line or line.startswith("#") or ":=" in line.partition(": ")[0]:
            continue
        name, _, value = line.partition(":")
        _add(path, fields, name.lower(), value.strip(), _NRRD.get(name.lower()))
    if start == _LONGEST:
        raise refused(path, f"has a header of more than {_LONGEST} bytes")
    dims = len(fields.get("sizes", "").split())
    if fields.get("dimension") != str(dims) and dims:
        raise refused(path, f"declares dimension {fields.get('dimension')} and {dims} sizes")
    return fields, start


def meta_fields(path: Path) -> tuple[dict[str, str], int]:
    """Fields of a MetaImage header (names in lower case), and where voxels in it begin."""
    fields: dict[str, str] = {}
    head, start = starts_with(path, _LONGEST), 0
    while "elementdatafile" not in fields:
        end = head.find(b"\n", start)
        stop = end if end >= 0 else len(head)
        name, found, value = head[start:stop].decode("utf-8", "replace").partition("=")
        name, start = name.strip(), stop + 1
        if not name and not value.strip() and end >= 0:
            continue
        if not found or _TAG.fullmatch(name) is None:
            raise refused(path, f"is no MetaImage: a line of its header is {name[:40]!r}")
        _add(path, fields, name.lower(), value.strip(), _META.get(name.lower(), _OTHER))
        if end < 0 and "elementdatafile" not in fields:
            raise refused(path, "is no MetaImage: it has no ElementDataFile")
    dims = len(fields.get("dimsize", "").split())
    for name in ("ndims", *_PER_AXIS):
        given = fields.get(name, str(dims)) if name == "ndims" else fields.get(name)
        count = given if name == "ndims" or given is None else str(len(given.split()))
        if count is not None and count != str(dims):
            raise refused(path, f"declares {dims} sizes and {name} {given}")
    for name in ("transformmatrix", "rotation", "orientation"):
        if name in fields and len(fields[name].split()) != dims * dims:
            raise refused(path, f"declares {dims} sizes and {name} {fields[name]}")
    return fields, start


def _add(path: Path, fields: dict[str, str], name: str, value: str, form: str | None) -> None:
    if form is None:
        raise refused(path, f"has an unknown field {name[:40]!r}")
    if name in fields:
        raise refused(path, f"has the field {name!r} twice")
    if re.fullmatch(form, value) is None:
        raise refused(path, f"field {name!r} is {value[:80]!r}")
    fields[name] = value
