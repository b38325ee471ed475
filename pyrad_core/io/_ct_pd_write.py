"""Simulated scans as DICOM-CT-PD files, for tests and the demo; equal scans give equal files."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from .._checks import choice, same_shape
from ..errors import DataError
from . import _ct_pd_tags as tags
from .files import PathLike, needed

_CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"
_EXPLICIT, _IMPLICIT = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2"


def write_scan(
    folder: PathLike,
    projections: np.ndarray,
    geometry: Any,
    *,
    mu_water: float = 0.02,
    z_origin: float = 0.0,
    position: str = "HFS",
    shifts: Any = None,
    photons: Any = None,
    transposed: bool = True,
    explicit: bool = True,
) -> list[Path]:
    """One file a view in an existing folder, the inverse of :mod:`.dicom_ct_pd`.

    ``projections`` are line integrals ``(views, rows, columns)``, ``geometry`` a ConeBeam without
    vectors, ``shifts`` the focal spot's (radial mm, angular rad, axial mm) per view, ``photons``
    the open beam per column. ``transposed`` stores pixels column by column, as the scanners'
    files of the TCIA collection do.
    """
    same_shape("projections", projections.shape, "geometry", geometry.projection_shape)
    if geometry.vectors is not None:
        raise DataError("a scan made by from_vectors has no turns; DICOM-CT-PD needs them")
    choice("position", position, tags.ORIENTATION)
    low, high = float(projections.min()), float(projections.max())
    slope = (high - low) / 65535 or 1.0
    moved = np.zeros((geometry.views, 3)) if shifts is None else np.asarray(shifts, np.float64)
    same_shape("shifts", moved.shape, "geometry", (geometry.views, 3))
    common = _scan(geometry, mu_water, position)
    seed = hashlib.sha256(np.ascontiguousarray(projections).tobytes() + repr(geometry).encode())
    series = _uid(seed.hexdigest())
    axial = z_origin + geometry.pitch * geometry.angles / (2 * np.pi)
    phi = np.mod(-geometry.angles, 2 * np.pi)
    written = []
    for i in range(geometry.views):
        stored = np.rint((projections[i, ::-1] - low) / slope).astype("<u2")
        stored = np.ascontiguousarray(stored.T if transposed else stored)
        values = {
            **common,
            tags.SERIES: series,
            tags.NUMBER: i + 1,
            tags.IMAGE_ROWS: stored.shape[0],
            tags.IMAGE_COLUMNS: stored.shape[1],
            tags.SLOPE: f"{slope:.9e}",
            tags.INTERCEPT: f"{low:.9e}",
            tags.ANGLE: phi[i],
            tags.AXIAL: axial[i],
            tags.RADIAL: geometry.source_origin,
        }
        for element, value in zip(
            (tags.RADIAL_SHIFT, tags.ANGLE_SHIFT, tags.AXIAL_SHIFT), moved[i], strict=True
        ):
            values[element] = value
        if photons is not None:
            values[tags.PHOTONS] = np.broadcast_to(photons, geometry.columns).astype(float).tolist()
        path = Path(folder) / f"view_{i + 1:05d}.dcm"
        _write(path, values, stored.tobytes(), f"{series}.{i + 1}", explicit)
        written.append(path)
    return written


def _scan(geometry: Any, mu_water: float, position: str) -> dict[tags.Element, Any]:
    """The elements that every view repeats."""
    turn = abs(float(geometry.angles[-1] - geometry.angles[0])) if geometry.views > 1 else 0.0
    steps = round(2 * np.pi * (geometry.views - 1) / turn) if turn else 1
    (rows, columns), (dv, du) = geometry.detector, geometry.pixel
    central = (
        (columns + 1) / 2 - geometry.offset[1] / du,
        (rows + 1) / 2 + geometry.offset[0] / dv,
    )
    return {
        tags.POSITION: position,
        tags.SAMPLES: 1,
        tags.BITS: 16,
        tags.SIGNED: 0,
        tags.COLUMN_PITCH: du,
        tags.ROW_PITCH: dv,
        tags.SHAPE: "CYLINDRICAL" if geometry.curved else "FLAT",
        tags.ROWS: rows,
        tags.COLUMNS: columns,
        tags.DISTANCE: geometry.source_detector,
        tags.CENTRAL: list(central),
        tags.FOCAL_SPOT: "FFSNONE",
        tags.STEPS: min(steps, 65535),
        tags.SPECTRA: 1,
        tags.SPECTRUM: 1,
        tags.TYPE: "HELICAL" if geometry.pitch else "AXIAL",
        tags.PROJECTION: "FANBEAM",
        tags.WATER: f"{mu_water:.8g}",
        **{flag: "YES" for flag in tags.FLAGS.values()},
    }


def _write(
    path: Path, values: dict[tags.Element, Any], pixels: bytes, instance: str, explicit: bool
) -> None:
    pydicom = needed("pydicom")
    data = pydicom.Dataset()
    data.SOPClassUID, data.SOPInstanceUID, data.Modality = _CT_IMAGE, instance, "CT"
    data.PhotometricInterpretation, data.BitsStored, data.HighBit = "MONOCHROME2", 16, 15
    for group, name in tags.CREATORS.items():
        data.add_new(group << 16 | 0x0010, "LO", name)
    for element, value in values.items():
        data.add_new(element.tag, element.vr, value)
    data.add_new(0x7FE00010, "OW", pixels)
    meta = pydicom.dataset.FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = _CT_IMAGE, instance
    meta.TransferSyntaxUID = _EXPLICIT if explicit else _IMPLICIT
    data.file_meta = meta
    pydicom.dcmwrite(path, data, enforce_file_format=True)


def _uid(digest: str) -> str:
    """A DICOM identifier out of a hash, under the root for such identifiers."""
    return f"2.25.{int(digest[:24], 16)}"
