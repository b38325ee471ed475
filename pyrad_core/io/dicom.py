"""DICOM images: one file, or the slices of one series in a folder (pydicom, SimpleITK).

Only geometry, modality and rescaling are kept; nothing that names a patient leaves this module.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from .containers import Image
from .dicom_elements import open_dicom
from .files import check_dims, check_size, needed, refused, starts_with, utf8_name
from .itk import to_image

_TAGS = ["SeriesInstanceUID", "Rows", "Columns", "BitsAllocated", "SamplesPerPixel", "Modality",
         "ImagePositionPatient", "ImageOrientationPatient", "NumberOfFrames"]  # fmt: skip


def is_dicom(path: Path) -> bool:
    return starts_with(path, 132)[128:] == b"DICM"


def read(path: Path, max_bytes: int | None, series: str | None = None) -> Image:
    """A DICOM file or a folder of them. ``series`` chooses where a folder holds several."""
    sitk = needed("SimpleITK")
    alone = path.is_file()
    heads = {path: _head(path, max_bytes)} if alone else _one_series(path, series, max_bytes)
    first = next(iter(heads.values()))
    if int(first.get("SamplesPerPixel", 1)) != 1:
        raise refused(next(iter(heads)), "colour DICOM images are not supported")
    frames = int(first.get("NumberOfFrames", 1) or 1)
    shape = (len(heads) * frames, int(first.Rows), int(first.Columns))
    asked = check_dims(path, shape, max(int(first.BitsAllocated) // 8, 1))
    stored = sum(p.stat().st_size for p in heads)
    check_size(path, asked, max_bytes, f"shape {shape}", stored=stored)
    try:
        names = [utf8_name(p) for p in (heads if len(heads) == 1 else _in_order(path, heads))]
        itk = sitk.ReadImage(names if len(names) > 1 else names[0], imageIO="GDCMImageIO")
    except RuntimeError as error:
        reason = str(error).strip().splitlines()[-1]
        raise refused(path, f"GDCM cannot read it ({reason})") from None
    header = {"format": "DICOM", "modality": str(first.get("Modality", "")), "slices": shape[0]}
    image = to_image(path, itk, header)
    if image.data.shape[-2:] != shape[-2:]:
        raise refused(path, f"read {image.data.shape}, the header says {shape}")
    return image


def _head(path: Path, max_bytes: int | None) -> Any:
    head = open_dicom(path, max_bytes, stop_before_pixels=True, specific_tags=_TAGS)
    if "Rows" not in head or "Columns" not in head or "BitsAllocated" not in head:
        raise refused(path, "a DICOM file without an image")
    return head


def _one_series(folder: Path, series: str | None, max_bytes: int | None) -> dict[Path, Any]:
    """The heads of the files of a series."""
    found: dict[str, dict[Path, Any]] = {}
    for path in sorted(p for p in folder.iterdir() if p.is_file()):
        if is_dicom(path):
            head = _head(path, max_bytes)
            found.setdefault(str(head.get("SeriesInstanceUID", "")), {})[path] = head
    if not found:
        raise refused(folder, "is a directory without DICOM files")
    if series is None and len(found) == 1:
        return next(iter(found.values()))
    if series in found:
        return found[series]
    listed = ", ".join(f"{uid} ({len(heads)} files)" for uid, heads in found.items())
    raise refused(folder, f"holds several series; choose one by series=: {listed}")


def _in_order(folder: Path, heads_by_path: dict[Path, Any]) -> list[Path]:
    """Slices along their normal; a gap, a double or a tilted slice is an error."""
    paths, heads = list(heads_by_path), list(heads_by_path.values())
    for path, head in zip(paths, heads, strict=True):
        for name in ("Rows", "Columns", "BitsAllocated", "SamplesPerPixel", "NumberOfFrames"):
            if head.get(name) != heads[0].get(name):
                raise refused(
                    path, f"{name} is {head.get(name)}, in the others {heads[0].get(name)}"
                )
    try:
        turned = np.asarray([h.ImageOrientationPatient for h in heads], float)
        place = np.asarray([h.ImagePositionPatient for h in heads], float)
    except (AttributeError, ValueError):
        raise refused(folder, "slices without position or orientation") from None
    if np.max(np.abs(turned - turned[0])) > 1e-3:
        raise refused(folder, "the slices of the series have several orientations")
    along = place @ np.cross(turned[0, :3], turned[0, 3:])
    order = np.argsort(along, kind="stable")
    steps = np.diff(along[order])
    if np.min(steps) < 1e-3:
        raise refused(folder, "two slices stand at the same position")
    if np.max(np.abs(steps - np.median(steps))) > 0.02 * np.median(steps):
        at = int(np.argmax(np.abs(steps - np.median(steps))))
        raise refused(
            folder,
            f"slice distance {steps[at]:.3f} mm after slice {at} where "
            f"{np.median(steps):.3f} mm is usual; a slice is missing",
        )
    return [paths[i] for i in order]
