"""DICOM-CT-PD: CT projections, one DICOM file per view (pydicom).

The format of Chen et al., Medical Physics 42, 6964, 2015, doi:10.1118/1.4935406, in which the
TCIA collection LDCT-and-Projection-data and the Low Dose CT Grand Challenge are published; the
tags stand in :mod:`._ct_pd_tags`.

The format's cylindrical coordinates (rho, phi, z) are left-handed: seen from the patient table,
phi = 0 is twelve o'clock, phi grows counter-clockwise, z points into the gantry, and
``x = -rho sin phi``, ``y = rho cos phi``. With the detector at six o'clock the farthest row is row
1 and the leftmost column is column 1; the central element counts from 1. Here y points down
instead, which makes the axes right-handed:

* angle ``t = -phi``: the source then stands at ``-source_origin * d`` as in
  :mod:`pyrad_core.geometry`, and columns keep their order;
* rows are read from the last to the first, so that they grow with z;
* ``header["orientation"]`` names which way x, y and z grow in the patient ("LPS" head first
  supine), and ``header["z_origin"]`` is the axial position of our z = 0.

A regular helix or circle becomes a ConeBeam with a pitch. A flying focal spot becomes poses per
view where the detector is flat; on a curved one the views are interpolated to what the detector's
focal centre would have seen (:mod:`._ct_pd_focus`). Any other motion needs a flat detector. Only
the elements listed are read: nothing that names a patient leaves the file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..errors import FileFormatError
from . import _ct_pd_tags as tags
from ._ct_pd_focus import centred
from ._ct_pd_geometry import geometry_of
from ._ct_pd_tags import Element
from .containers import Projections
from .dicom import is_dicom
from .dicom_elements import check_elements
from .files import check_dims, check_size, needed, refused, starts_with, truncated

_PLAIN = {"1.2.840.10008.1.2": False, "1.2.840.10008.1.2.1": True}  # explicit VR?
_SCAN: tuple[Element, ...] = (
    tags.IMAGE_ROWS, tags.IMAGE_COLUMNS, tags.ROWS, tags.COLUMNS, tags.COLUMN_PITCH,
    tags.ROW_PITCH, tags.SHAPE, tags.DISTANCE, tags.CENTRAL,
)  # fmt: skip
_VIEW: tuple[Element, ...] = (
    tags.NUMBER, tags.SLOPE, tags.INTERCEPT, tags.ANGLE, tags.AXIAL, tags.RADIAL,
)  # fmt: skip
_SHIFTS = (tags.RADIAL_SHIFT, tags.ANGLE_SHIFT, tags.AXIAL_SHIFT)
_OPTIONAL: tuple[Element, ...] = (
    *_SHIFTS, tags.FOCAL_SPOT, tags.STEPS, tags.SPECTRUM, tags.PHOTONS, tags.TYPE, tags.PROJECTION,
    tags.WATER, tags.HU_FACTOR, tags.KVP, tags.POSITION, tags.SAMPLES, tags.BITS, tags.SIGNED,
    *tags.FLAGS.values(),
)  # fmt: skip
_WANTED = [e.tag for e in (tags.SERIES, *_SCAN, *_VIEW, *_OPTIONAL)]
_COUNT = {tags.CENTRAL: 2, tags.PHOTONS: None}  # other numbers stand alone
_PACKED = {"FL": "<f4", "FD": "<f8", "US": "<u2", "SS": "<i2", "UL": "<u4", "SL": "<i4"}
_SAME = 1e-4  # mm or rad: what counts as no difference


class View(NamedTuple):
    """One file: its elements, and where its pixels lie."""

    path: Path
    series: str
    values: dict[Element, Any]
    start: int

    def number(self, element: Element) -> float:
        return float(self.values[element][0])


def holds(folder: Path) -> bool:
    """Whether a folder has DICOM files at all."""
    return any(p.is_file() and is_dicom(p) for p in folder.iterdir())


def read(folder: Path, max_bytes: int | None, series: str | None = None) -> Projections:
    """The scan in a folder: float32 ``(views, rows, columns)`` in the order of acquisition."""
    views = _ordered(folder, _one_series(folder, series))
    first = views[0]
    rows, columns = (int(first.number(e)) for e in (tags.ROWS, tags.COLUMNS))
    asked = check_dims(folder, (len(views), rows, columns), 4)
    stored = sum(v.path.stat().st_size for v in views)
    check_size(folder, asked, max_bytes, f"{len(views)} views of {rows} x {columns}", stored=stored)
    data = np.empty((len(views), rows, columns), np.float32)
    for view, out in zip(views, data, strict=True):
        _pixels(view, out)
    geometry, place, shifts = geometry_of(folder, views)
    if shifts is not None:
        data, place["focal_spot_positions"] = centred(folder, data, geometry, shifts)
    return Projections(data, None, None, geometry, {**_header(views), **place})


def _header(views: list[View]) -> dict[str, Any]:
    first = views[0].values
    flags = {name: _text(first[e]) == "YES" for name, e in tags.FLAGS.items() if e in first}
    position = _text(first.get(tags.POSITION, ""))
    central = first[tags.CENTRAL]
    header: dict[str, Any] = {
        "format": "DICOM-CT-PD",
        "quantity": "line integrals" if flags.get("log", True) else "counts",
        "pixel_known": True,
        "mu_water": _water(views[0]),
        "orientation": tags.ORIENTATION.get(position),
        "flying_focal_spot": _text(first.get(tags.FOCAL_SPOT, "")) or None,
        "scan_type": _text(first.get(tags.TYPE, "")) or None,
        "central_element": (float(central[1]), float(central[0])),
        "corrections": flags,
    }
    for name, element in (("kvp", tags.KVP), ("views_per_turn", tags.STEPS)):
        if element in first:
            header[name] = views[0].number(element)
    if all(tags.PHOTONS in v.values for v in views):
        photons = [v.values[tags.PHOTONS] for v in views]
        if {p.size for p in photons} == {int(views[0].number(tags.COLUMNS))}:
            header["photons"] = np.asarray(photons, np.float32)
    return header


def _water(view: View) -> float | None:
    """Attenuation of water in 1/mm, or None; a value that no X-ray tube explains warns."""
    element = tags.WATER if tags.WATER in view.values else tags.HU_FACTOR
    if element not in view.values:
        return None
    value = view.number(element)
    if 0.01 <= value <= 0.1:
        return value
    import warnings

    from ..errors import PyradWarning

    warnings.warn(
        f"{element} is {value:g}; water has 0.01 to 0.1 per mm, so it is not used",
        PyradWarning,
        stacklevel=5,
    )
    return None


def _one_series(folder: Path, series: str | None) -> list[View]:
    found: dict[str, list[View]] = {}
    for path in sorted(p for p in folder.iterdir() if p.is_file()):
        if is_dicom(path):
            view = _view(path)
            found.setdefault(view.series, []).append(view)
    if series is None and len(found) == 1:
        return next(iter(found.values()))
    if series in found:
        return found[series]
    listed = ", ".join(f"{uid} ({len(views)} files)" for uid, views in found.items())
    raise refused(folder, f"holds several series; choose one by series=: {listed}")


def _view(path: Path) -> View:
    """The elements wanted of one file, which must be uncompressed and little-endian."""
    pydicom = needed("pydicom")
    try:
        check_elements(path)
        meta = pydicom.filereader.read_file_meta_info(path)
        syntax = str(meta.get("TransferSyntaxUID", ""))
        if syntax not in _PLAIN:
            raise refused(
                path,
                f"transfer syntax {syntax or 'absent'}; expected plain little-endian pixels "
                "(explicit or implicit)",
            )
        with open(path, "rb") as stream:
            data = pydicom.dcmread(stream, stop_before_pixels=True, specific_tags=_WANTED)
            start = _pixel_start(path, stream, _PLAIN[syntax])
        known = (tags.SERIES, *_SCAN, *_VIEW, *_OPTIONAL)
        values = {e: _value(path, e, data.get_item(e.tag)) for e in known if e.tag in data}
    except FileFormatError:
        raise
    except Exception as error:  # pydicom raises many classes on damaged files
        raise refused(path, f"is no readable DICOM file ({error})") from None
    return View(path, values.pop(tags.SERIES, ""), values, start)


def _pixel_start(path: Path, stream: Any, explicit: bool) -> int:
    """Where the pixels begin; the stream stands before their element."""
    at = stream.tell()
    head = stream.read(12)
    size = 12 if explicit else 8
    if len(head) < size or head[:4] != b"\xe0\x7f\x10\x00":
        raise refused(path, "is no DICOM-CT-PD projection: it has no PixelData (7FE0,0010)")
    length = int.from_bytes(head[size - 4 : size], "little")
    got = path.stat().st_size - at - size
    if length == 0xFFFFFFFF:
        raise refused(path, "PixelData (7FE0,0010) is encapsulated (compressed)")
    if got < length:
        raise truncated(path, at + size + length, path.stat().st_size, "PixelData (7FE0,0010)")
    return at + size


def _value(path: Path, element: Element, stored: Any) -> Any:
    """An element as text or as an array of finite numbers, whatever VR the file gives it."""
    value = b"" if stored.value is None else stored.value
    if element.vr in ("CS", "UI"):
        return _text(value)
    vr = stored.VR if stored.VR in _PACKED or stored.VR in ("DS", "IS") else element.vr
    try:
        if isinstance(value, bytes) and vr in _PACKED:
            numbers = np.frombuffer(value, _PACKED[vr]).astype(np.float64)
        else:
            given = _text(value).split("\\") if isinstance(value, (bytes, str)) else value
            numbers = np.atleast_1d(np.asarray(given, np.float64))
    except (TypeError, ValueError):
        raise refused(path, f"{element} is {value!r}; expected {element.vr}") from None
    count = _COUNT.get(element, 1)
    if numbers.ndim != 1 or numbers.size == 0 or (count is not None and numbers.size != count):
        raise refused(path, f"{element} holds {numbers.size} numbers; expected {count or 'some'}")
    if not np.isfinite(numbers).all():
        raise refused(path, f"{element} holds NaN or Inf")
    return numbers


def _text(value: Any) -> str:
    text = value.decode("ascii", "replace") if isinstance(value, bytes) else str(value)
    return text.strip("\0 ")


def _ordered(folder: Path, views: list[View]) -> list[View]:
    """By instance number; each view complete, all of one scan, none missing or twice."""
    for view in views:
        _check(view)
    views = sorted(views, key=lambda v: v.number(tags.NUMBER))
    numbers = [int(v.number(tags.NUMBER)) for v in views]
    steps = np.diff(numbers)
    if np.any(steps == 0):
        at = int(np.argmin(steps))
        raise refused(
            folder,
            f"{views[at].path.name} and {views[at + 1].path.name} are both view {numbers[at]}",
        )
    if steps.size and steps.max() != steps.min():
        at = int(np.argmax(steps))
        raise refused(folder, f"views are missing between {numbers[at]} and {numbers[at + 1]}")
    first = views[0]
    for view in views[1:]:
        for element in (*_SCAN, tags.SPECTRUM, tags.LOG, tags.WATER):
            a, b = (v.values.get(element) for v in (first, view))
            if not _equal(a, b):
                raise refused(
                    view.path, f"{element} is {_shown(b)}, in {first.path.name} {_shown(a)}"
                )
    return views


def _equal(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        return a.shape == b.shape and bool(np.all(np.abs(a - b) <= _SAME))
    return type(a) is type(b) and bool(a == b)


def _shown(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return ", ".join(f"{v:g}" for v in value)
    return "absent" if value is None else str(value)


def _check(view: View) -> None:
    """What one file must say to be a projection that can be used."""
    values, path = view.values, view.path
    for element in (*_SCAN, *_VIEW):
        if element not in values:
            raise refused(path, f"is no DICOM-CT-PD projection: it lacks {element}")
    for element, wanted in ((tags.SAMPLES, 1), (tags.BITS, 16), (tags.SIGNED, 0)):
        if view.values.get(element, [wanted])[0] != wanted:
            raise refused(path, f"{element} is {_shown(values[element])}; expected {wanted}")
    image = [int(view.number(e)) for e in (tags.IMAGE_ROWS, tags.IMAGE_COLUMNS)]
    detector = [int(view.number(e)) for e in (tags.ROWS, tags.COLUMNS)]
    if sorted(image) != sorted(detector):
        raise refused(
            path,
            f"the image is {image[0]} x {image[1]}, the detector {detector[0]} x {detector[1]}",
        )
    if values[tags.SHAPE] not in ("CYLINDRICAL", "FLAT"):
        raise refused(
            path, f"{tags.SHAPE} is {values[tags.SHAPE]!r}; accepted are CYLINDRICAL and FLAT"
        )
    geometry = values.get(tags.PROJECTION, "FANBEAM")  # of the third generation, with many rows
    if geometry not in ("FANBEAM", "CONEBEAM"):
        raise refused(path, f"{tags.PROJECTION} is {geometry!r}; accepted are FANBEAM and CONEBEAM")
    if view.number(tags.SLOPE) == 0:
        raise refused(path, f"{tags.SLOPE} is 0")
    if view.number(tags.RADIAL) <= 0:
        raise refused(path, f"{tags.RADIAL} is {view.number(tags.RADIAL):g}; expected > 0 mm")
    asked = check_dims(path, detector, 2)
    got = path.stat().st_size - view.start
    if got < asked:
        raise truncated(path, view.start + asked, path.stat().st_size, "PixelData (7FE0,0010)")


def _pixels(view: View, out: np.ndarray) -> None:
    """Rescaled pixels, rows growing with z. Files hold rows x columns, or the transpose."""
    stored = [int(view.number(e)) for e in (tags.IMAGE_ROWS, tags.IMAGE_COLUMNS)]
    with open(view.path, "rb") as stream:
        stream.seek(view.start)
        raw = np.frombuffer(stream.read(2 * stored[0] * stored[1]), "<u2").reshape(stored)
    detector = raw if tuple(stored) == out.shape else raw.T
    np.multiply(detector[::-1], np.float32(view.number(tags.SLOPE)), out=out)
    out += np.float32(view.number(tags.INTERCEPT))


def is_projection(path: Path) -> bool:
    """Whether the DICOM file holds one projection of a scan."""
    if starts_with(path, 132)[128:] != b"DICM":
        return False
    try:
        return tags.ANGLE in _view(path).values
    except FileFormatError:
        return False
