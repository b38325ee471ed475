"""Contours of a DICOM RTSTRUCT on the grid of an image (pydicom)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..errors import DataError
from ._regions import LPS_TO_RAS, chosen, join, named
from .containers import Image
from .dicom_elements import open_dicom
from .files import refused

__all__ = ["NAME", "fill", "names", "read"]

NAME = "DICOM RTSTRUCT"
_BETWEEN = 0.25  # slices that a contour may lie beside a slice of the image
_TILT = 0.05  # slices that the points of one contour may differ by
_ON = 1e-3  # voxels within which a centre counts as lying on an outline
_CLOSED = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR")


def names(path: Path, structure: Any) -> dict[int, str]:
    """Number -> name of the regions of interest."""
    return named(path, structure.get("StructureSetROISequence", []), "ROINumber", "ROIName")


def read(
    path: Path, image: Image | None, region: str | int | None, max_bytes: int | None
) -> tuple[np.ndarray, np.ndarray, dict[int, str]]:
    """(labels, affine, number -> name of the regions in them)."""
    if image is None:
        raise DataError(f"{path.name}: contours need the image whose grid they are drawn on")
    if image.data.ndim != 3:
        raise DataError(f"{path.name}: contours need a volume, not shape {image.data.shape}")
    structure = open_dicom(path, max_bytes)
    known = names(path, structure)
    contours = {
        int(item.ReferencedROINumber): item.get("ContourSequence", []) or []
        for item in structure.get("ROIContourSequence", [])
    }
    wanted = chosen(path, known, region)
    if region is None:  # dose points and empty structures are no regions
        wanted = [n for n in wanted if _closed(contours.get(n, []))]
    if not wanted:
        raise refused(path, "holds no region with closed contours")

    def volume(number: int) -> np.ndarray:
        closed = _closed(contours.get(number, []))
        if not closed:
            raise refused(path, f"region {number} {known[number]!r} has no closed contours")
        return _volume(path, known[number], closed, image)

    parts = ((number, volume(number)) for number in wanted)
    labels = join(path, parts, image.data.shape, region is not None, max(wanted))
    return labels, image.affine, {n: known[n] for n in wanted}


def _closed(contours: Any) -> list[np.ndarray]:
    """(points, 3) of each closed contour, mm in the patient (LPS)."""
    return [
        np.asarray(item.ContourData, np.float64).reshape(-1, 3)
        for item in contours
        if str(item.get("ContourGeometricType", "CLOSED_PLANAR")) in _CLOSED
        and len(item.get("ContourData", None) or []) >= 9
    ]


def _volume(path: Path, name: str, contours: list[np.ndarray], image: Image) -> np.ndarray:
    """The region as a volume of bool; contours of one slice toggle inside and outside."""
    to_index = np.linalg.inv(image.affine) @ LPS_TO_RAS
    slices: dict[int, list[np.ndarray]] = {}
    for points in contours:
        at = points @ to_index[:3, :3].T + to_index[:3, 3]
        if not np.isfinite(at).all():
            raise refused(path, f"a contour of region {name!r} holds NaN or Inf")
        if np.ptp(at[:, 2]) > _TILT:
            raise refused(
                path,
                f"a contour of region {name!r} spans {np.ptp(at[:, 2]):.3g} slices: it is not "
                "parallel to the slices of the image",
            )
        place = float(at[:, 2].mean())
        number = round(place)
        if abs(place - number) > _BETWEEN or not 0 <= number < image.data.shape[0]:
            raise refused(
                path,
                f"a contour of region {name!r} lies at slice {place:.3f} of the image, which has "
                f"slices 0 to {image.data.shape[0] - 1}; it was drawn on another image",
            )
        slices.setdefault(number, []).append(at[:, :2])
    inside = np.zeros(image.data.shape, bool)
    for number, outlines in slices.items():
        inside[number] = fill(outlines, image.data.shape[1:])
    return inside


def fill(outlines: list[np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
    """Pixels (y, x) whose centres lie within an odd number of outlines, or on one.

    ``outlines``: closed polygons of (x, y) in pixels; whole numbers are the centres. A row's
    centres change sides where an edge crosses the row: even-odd by running sums.
    """
    height, width = shape
    flips = np.zeros((height, width + 1), np.int32)
    on = np.zeros(shape, bool)
    for points in outlines:
        ends = np.roll(points, -1, axis=0)
        for first, last, closed in ((points, ends, False), (points, ends, True)):
            x, y = _crossings(first, last, height, closed)
            if closed:
                near = np.rint(x)
                hit = (np.abs(x - near) < _ON) & (near >= 0) & (near < width)
                on[y[hit], near[hit].astype(np.int64)] = True
            else:
                at = np.clip(np.ceil(x), 0, width).astype(np.int64)
                np.add.at(flips, (y, at), 1)
        _lying(points, ends, on)
    return (np.cumsum(flips[:, :-1], axis=1) % 2 == 1) | on


def _crossings(
    first: np.ndarray, last: np.ndarray, height: int, closed: bool
) -> tuple[np.ndarray, np.ndarray]:
    """(x, row) where edges cross rows; half-open edges meet each row once, closed ones keep both
    ends (with the tolerance)."""
    low = np.minimum(first[:, 1], last[:, 1])
    high = np.maximum(first[:, 1], last[:, 1])
    reach = _ON if closed else 0.0
    begin = np.clip(np.ceil(low - reach), 0, height).astype(np.int64)
    end = np.floor(high + _ON) + 1 if closed else np.ceil(high)
    count = np.maximum(np.clip(end, 0, height).astype(np.int64) - begin, 0)
    count[high - low < (_ON if closed else 1e-300)] = 0
    edge = np.repeat(np.arange(len(first)), count)
    row = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count) + begin[edge]
    (x0, y0), (x1, y1) = first[edge].T, last[edge].T
    share = np.clip((row - y0) / (y1 - y0), 0, 1)
    return x0 + share * (x1 - x0), row


def _lying(first: np.ndarray, last: np.ndarray, on: np.ndarray) -> None:
    """Marks the centres on edges that run along a row."""
    row = np.rint(first[:, 1])
    flat = (np.abs(first[:, 1] - row) < _ON) & (np.abs(last[:, 1] - row) < _ON)
    for a, b, y in zip(first[flat, 0], last[flat, 0], row[flat].astype(int), strict=True):
        if 0 <= y < on.shape[0]:
            begin, end = np.ceil(min(a, b) - _ON), np.floor(max(a, b) + _ON) + 1
            on[y, max(0, int(begin)) : max(0, int(end))] = True
