"""read_projections: one door to every projection format, and sinograms in array files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import FileFormatError, GeometryError
from . import data_exchange, dicom_ct_pd, geometry_file, htc, mat, nexus, npy, tiff
from .containers import Projections
from .files import PathLike, existing, extension, reader, refused, shown, starts_with
from .hdf5 import MAGIC, Tree, open_hdf5

_DATA = ("projections", "sinogram", "sino", "data")
_NAMES = {  # entries of array files and what they mean; suffixes tell the unit
    "angles": ("angles_rad", "angles", "theta"),
    "degrees": ("angles_deg", "theta_deg"),
    "pixel": ("pixel_mm", "pixel"),
    "source_origin": ("sod_mm", "source_origin"),
    "source_detector": ("sdd_mm", "source_detector"),
    "offset": ("offset_mm", "offset"),
    "pitch": ("pitch_mm", "pitch"),
    "curved": ("curved",),
}


@reader
def read_projections(
    path: PathLike,
    *,
    geometry: Any = None,
    allow_external: PathLike | None = None,
    max_bytes: int | None = None,
    series: str | None = None,
) -> Projections:
    """Read X-ray projections: Data Exchange HDF5, NeXus, DICOM-CT-PD, TIFF, ``.mat``, ``.npz``.

    Parameters
    ----------
    path
        Exactly this file is opened, or a folder of TIFF pages or of DICOM-CT-PD views.
    geometry
        A beam of :mod:`pyrad_core.geometry`, or the path of a YAML sidecar; it replaces what the
        file says. Default: the file itself, then ``<stem>.yaml`` (a folder: ``geometry.yaml``).
    allow_external
        Folder that external HDF5 links may reach; by default they are refused.
    max_bytes
        Cap on any array (default 16 GiB).
    series
        SeriesInstanceUID, where a DICOM folder holds several.

    Returns
    -------
    Projections
        ``data`` ``(views, rows, columns)`` or ``(views, columns)``, the file's dtype; angles in
        radians, lengths in mm. ``.npz``/``.mat`` use ``sinogram`` or ``projections`` with
        ``angles_rad`` or ``angles_deg``, ``pixel_mm``, ``sod_mm``, ``sdd_mm``, ``flat``, ``dark``,
        ``offset_mm``, ``pitch_mm``, ``curved``.
        DICOM-CT-PD adds ``mu_water`` (1/mm), ``orientation`` and ``z_origin`` to the header.

    Raises
    ------
    FileFormatError
        Missing, damaged, truncated, hostile or of another format.
    GeometryError
        A geometry that cannot exist.

    Examples
    --------
    >>> scan = read_projections("tooth.h5")                               # doctest: +SKIP
    >>> scan.data.shape, scan.geometry.angles[-1]                         # doctest: +SKIP
    ((181, 2, 640), 3.1242...)
    """
    found = existing(path, folder_ok=True)
    if geometry is not None and not isinstance(geometry, (str, Path)):
        scan = _read(found, allow_external, max_bytes, series)
        return replace(scan, geometry=geometry, header={**scan.header, "pixel_known": True})
    sidecar = Path(geometry) if geometry is not None else geometry_file.sidecar_of(found)
    if sidecar is None:
        return _read(found, allow_external, max_bytes, series)
    entries = geometry_file.load(sidecar)
    frames = {
        name: geometry_file.beside(sidecar.parent, entries[name], name)
        for name in ("flat", "dark")
        if name in entries
    }
    apart = [file.resolve() for file in frames.values()]
    scan = _read(found, allow_external, max_bytes, series, apart)
    return _with_sidecar(scan, sidecar, entries, frames, max_bytes)


def _read(
    path: Path,
    allow_external: Any,
    max_bytes: int | None,
    series: str | None,
    apart: Sequence[Path] = (),
) -> Projections:
    """``apart`` are files of the folder that are no projections."""
    if path.is_dir() and not tiff.pages_of(path):
        if not dicom_ct_pd.holds(path):
            raise refused(path, "is a directory without DICOM-CT-PD or TIFF files")
        return dicom_ct_pd.read(path, max_bytes, series)
    if path.is_dir() or extension(path) in tiff.ENDINGS:
        data = tiff.read_stack(path, max_bytes, apart)
        return Projections(data, None, None, None, _header("TIFF"))
    if dicom_ct_pd.is_projection(path):
        raise refused(path, "is one projection of a scan; name the folder that holds all of them")
    head = starts_with(path, 16)
    if head[:8] == MAGIC:
        if extension(path) == ".mat":
            return _from_variables(path, mat.read_mat(path, max_bytes), "MATLAB")
        return _from_hdf5(path, allow_external, max_bytes)
    if head[:6] == npy.NPY_MAGIC:
        return _from_variables(path, {"data": npy.read_npy(path, max_bytes)}, "NumPy")
    if head[:4] == npy.ZIP_MAGIC:
        archive = npy.Npz(path, max_bytes)
        return _from_variables(path, {n: archive.read(n) for n in archive.names()}, "NumPy")
    if extension(path) == ".mat":
        variables = mat.read_mat(path, max_bytes)
        struct = htc.struct_of(variables)
        if struct is not None:
            return htc.read(path, variables[struct])
        return _from_variables(path, variables, "MATLAB")
    raise refused(
        path,
        "unknown projection format; accepted are Data Exchange and NeXus HDF5, folders of "
        "DICOM-CT-PD files, TIFF files and folders, .mat, .npz, .npy",
    )


def _header(kind: str) -> dict[str, Any]:
    return {"format": kind, "quantity": "line integrals", "pixel_known": False}


def _from_hdf5(path: Path, allow_external: Any, max_bytes: int | None) -> Projections:
    with open_hdf5(path) as file:
        tree = Tree(file, path, max_bytes, allow_external)
        if tree.has("exchange"):
            return data_exchange.read(tree)
        entry = nexus.entry_of(tree)
        if entry is not None:
            return nexus.read(tree, entry)
        raise tree.missing("projections (Data Exchange 'exchange/data' or a NeXus 'entry')")


def _from_variables(path: Path, variables: dict[str, Any], kind: str) -> Projections:
    data = next((variables[n] for n in _DATA if isinstance(variables.get(n), np.ndarray)), None)
    if data is None or data.dtype.kind not in "fiu" or data.ndim not in (2, 3):
        what = "none" if data is None else f"{data.dtype} {data.shape}"
        raise refused(
            path,
            f"holds no projections (found {what}; present: "
            f"{', '.join(variables) or 'nothing'}); expected one of {', '.join(_DATA)}",
        )
    frames = {name: _frames(path, variables.get(name), data) for name in ("flat", "dark")}
    entries: dict[str, Any] = {}
    for meaning, names in _NAMES.items():
        value = next((variables[n] for n in names if n in variables), None)
        if value is not None:
            entries[meaning] = np.asarray(value).reshape(-1).tolist()
    header = _header(kind)
    header["quantity"] = "line integrals" if frames["flat"] is None else "counts"
    header["pixel_known"] = "pixel" in entries
    degrees = entries.pop("degrees", None)
    if degrees is None and "angles" not in entries:
        return Projections(data, frames["flat"], frames["dark"], None, header)
    unit = "radians" if degrees is None else "degrees"
    entries["angles"] = {"values": entries.get("angles", degrees), "unit": unit}
    for name in ("pixel", "source_origin", "source_detector", "offset", "pitch", "curved"):
        if name in entries and len(entries[name]) == 1:
            entries[name] = entries[name][0]
    if "source_origin" in entries:
        entries["type"] = "fan" if data.ndim == 2 else "cone"
    geometry = geometry_file.build(entries, data.shape)
    return Projections(data, frames["flat"], frames["dark"], geometry, header)


def _frames(path: Path, value: Any, data: np.ndarray) -> np.ndarray | None:
    if value is None:
        return None
    value = np.asarray(value)
    value = value[None] if value.ndim == data.ndim - 1 else value
    if value.shape[1:] != data.shape[1:]:
        raise refused(
            path, f"flat or dark frames {value.shape} do not fit projections {data.shape}"
        )
    return value


def _with_sidecar(
    scan: Projections,
    sidecar: Path,
    entries: dict[str, Any],
    frame_files: Mapping[Any, Path],
    max_bytes: int | None,
) -> Projections:
    try:
        beam = geometry_file.build(entries, scan.data.shape, sidecar.parent)
    except (GeometryError, FileFormatError) as error:
        where = "" if shown(sidecar.parent) in str(error) else f"{shown(sidecar)}: "
        raise type(error)(f"{where}{error}") from None
    frames = {}
    for name in ("flat", "dark"):
        frames[name] = getattr(scan, name)
        if name in frame_files:
            beside = frame_files[name]
            stack = (
                tiff.read_stack(existing(beside), max_bytes)
                if extension(beside) in tiff.ENDINGS
                else npy.read_npy(existing(beside), max_bytes)
            )
            frames[name] = _frames(beside, stack, scan.data)
    known = "pixel" in entries or "vectors" in entries or scan.header["pixel_known"]
    header = {**scan.header, "pixel_known": known}
    counts = "counts" if frames["flat"] is not None else header["quantity"]
    header["quantity"] = entries.get("quantity", counts)
    return replace(scan, geometry=beam, header=header, **frames)
