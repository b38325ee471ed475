"""read_mask: regions of interest of label images and of DICOM RTSTRUCT and SEG files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..errors import DataError
from . import dicom, rtstruct, seg
from .containers import Image
from .dicom_elements import open_dicom
from .files import PathLike, existing, reader, refused
from .image import read_image

__all__ = ["mask_names", "read_mask"]

_CLASSES = {
    "1.2.840.10008.5.1.4.1.1.481.3": rtstruct,
    "1.2.840.10008.5.1.4.1.1.66.4": seg,
}


@reader
def read_mask(
    path: PathLike,
    image: Image | None = None,
    *,
    region: str | int | None = None,
    max_bytes: int | None = None,
) -> Image:
    """Read a mask: a label image of any format of :func:`read_image`, or a DICOM RTSTRUCT or SEG.

    Parameters
    ----------
    path
        The file, or a folder that holds a single RTSTRUCT or SEG file.
    image
        The image whose grid the mask takes; needed for RTSTRUCT, and for SEG optional (its own
        grid otherwise).
    region
        Name or number of the region of interest (RTSTRUCT) or segment (SEG). Its voxels become 1.
        Without it all are read, each with its number as label; overlapping ones are an error then.
    max_bytes
        As in :func:`read_image`.

    Returns
    -------
    Image
        Labels, uint8 or uint16, with ``header["regions"]``: number -> name.

    Raises
    ------
    FileFormatError
        Missing or damaged file, no contours, contours that do not lie in the image's slices.
    DataError
        Unknown region (the message lists those present), or overlapping ones.

    Notes
    -----
    Contours of an RTSTRUCT: each closed planar contour belongs to the slice of the image it lies
    in (within a quarter of the slice distance, else it is an error). A voxel is inside if its
    centre is; a contour within another cuts a hole (exclusive or). Contours must be parallel to
    the image's slices, whatever their orientation in the patient. Slices between contours stay
    empty. Fractional SEGs count from one half on.

    Examples
    --------
    >>> image = read_image("ct_series")                                     # doctest: +SKIP
    >>> mask = read_mask("rs.dcm", image, region="GTV-1")                   # doctest: +SKIP
    """
    found = _single(existing(path, folder_ok=True), max_bytes)
    kind = _dicom_kind(found, max_bytes)
    if kind is None:
        if region is not None and not isinstance(region, int):
            raise DataError(f"region {region!r}: a label image has numbers; choose by label")
        return read_image(found, max_bytes=max_bytes)
    data, affine, names = kind.read(found, image, region, max_bytes)
    spacing = tuple(float(v) for v in np.linalg.norm(affine[:3, :3], axis=0))[::-1]
    header = {"format": kind.NAME, "dtype": str(data.dtype), "regions": names}
    return Image(data, spacing, affine, header)


@reader
def mask_names(path: PathLike) -> dict[int, str]:
    """Number -> name of the regions of an RTSTRUCT or SEG file; empty for a label image."""
    found = _single(existing(path, folder_ok=True))
    kind = _dicom_kind(found)
    return {} if kind is None else kind.names(found, open_dicom(found))


def _single(path: Path, max_bytes: int | None = None) -> Path:
    """The file itself, or the one RTSTRUCT or SEG file of a folder."""
    if not path.is_dir():
        return path
    files = [p for p in sorted(path.iterdir()) if p.is_file() and dicom.is_dicom(p)]
    masks = [p for p in files if _dicom_kind(p, max_bytes) is not None]
    if len(masks) > 1:
        raise refused(path, f"holds {len(masks)} RTSTRUCT or SEG files; name one of them")
    return masks[0] if masks else path


def _dicom_kind(path: Path, max_bytes: int | None = None) -> Any:
    if path.is_dir() or not dicom.is_dicom(path):
        return None
    head = open_dicom(path, max_bytes, stop_before_pixels=True, specific_tags=["SOPClassUID"])
    return _CLASSES.get(str(head.get("SOPClassUID", "")))
