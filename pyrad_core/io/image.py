"""read_image, write_image: one door to every image format."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..errors import DataError, ShapeError
from . import dicom, itk, nifti, npy
from .containers import Image
from .files import PathLike, atomic_write, existing, extension, reader, refused

_ITK = (".nrrd", ".nhdr", ".mha", ".mhd")


@reader
def read_image(path: PathLike, *, max_bytes: int | None = None, series: str | None = None) -> Image:
    """Read NIfTI, NRRD, MetaImage, DICOM (a file or a folder with one series) or ``.npy``.

    Parameters
    ----------
    path
        Exactly this file is opened. The format follows from its first bytes, not its name.
    max_bytes
        Cap on the voxels (default 16 GiB, and 200 times the size of a compressed file).
    series
        SeriesInstanceUID, where a DICOM folder holds several.

    Returns
    -------
    Image
        ``data`` in ``(z, y, x)`` order with the file's dtype (scaled integers are float32),
        ``spacing`` in the same order (mm), ``affine`` from (x, y, z) index to RAS mm. ``.npy``
        has unit spacing.

    Raises
    ------
    FileFormatError
        Missing, damaged, truncated, of another format, or larger than the cap.
    MissingDependencyError
        SimpleITK or pydicom is needed (``pyrad_core[io]``).

    Examples
    --------
    >>> image = read_image("t1.nii.gz")                                  # doctest: +SKIP
    >>> image.data.shape, image.spacing                                  # doctest: +SKIP
    ((25, 256, 256), (6.5, 0.78125, 0.78125))
    """
    found = existing(path, folder_ok=True)
    if found.is_dir() or dicom.is_dicom(found):
        return dicom.read(found, max_bytes, series)
    kind = extension(found)
    if kind in (".nii", ".nii.gz"):
        return nifti.read(found, max_bytes)
    if kind in _ITK:
        return itk.read(found, max_bytes)
    if kind == ".npy":
        return _from_npy(found, max_bytes)
    if kind in (".hdr", ".img"):
        raise refused(found, "NIfTI and Analyze pairs are not read; use .nii")
    raise refused(
        found,
        "unknown image format; accepted are .nii, .nii.gz, .nrrd, .nhdr, .mha, "
        ".mhd, .npy, DICOM files and folders",
    )


def _from_npy(path: Path, max_bytes: int | None) -> Image:
    data = npy.read_npy(path, max_bytes)
    if not 2 <= data.ndim <= 4 or data.dtype.kind not in "fiubc":
        raise refused(path, f"shape {data.shape} of {data.dtype} is no image")
    spacing = (1.0,) * min(data.ndim, 3)
    return Image(data, spacing, np.eye(4), {"format": "NumPy", "dtype": str(data.dtype)})


def write_image(
    path: PathLike,
    image: Any,
    *,
    spacing: Any = None,
    affine: Any = None,
) -> Path:
    """Write NIfTI (.nii, .nii.gz), NRRD, MetaImage (.mha) or ``.npy``, atomically.

    Parameters
    ----------
    path
        Its ending chooses the format. An existing file is replaced only by a complete one.
    image
        An :class:`Image`, or an array ``(z, y, x)``, ``(y, x)`` or ``(t, z, y, x)``.
    spacing
        mm, scalar or one value per image axis, same order as the array. Default 1.
    affine
        4x4 from (x, y, z) index to RAS mm; goes before ``spacing``. Without it the image is
        centred on the origin.

    Returns
    -------
    Path
        The file written. No patient data is in it.
    """
    if isinstance(path, (np.ndarray, Image)):
        raise DataError("write_image takes the path first: write_image(path, image)")
    target = Path(path)
    data = image.data if isinstance(image, Image) else image
    data = np.asarray(data.get() if hasattr(data, "get") else data)
    if isinstance(image, Image) and spacing is None and affine is None:
        spacing, affine = image.spacing, image.affine
    if not 2 <= data.ndim <= 4:
        raise ShapeError(f"image has shape {data.shape}; expected 2 to 4 dimensions")
    if data.dtype.kind not in "fiubc" or data.dtype.itemsize == 2 and data.dtype.kind == "f":
        raise DataError(f"image has dtype {data.dtype}; accepted are float32, float64, integers")
    matrix, steps = _place(data, spacing, affine)
    kind = extension(target)
    if kind in (".nii", ".nii.gz"):
        nifti.write(target, data, matrix)
    elif kind in (".nrrd", ".mha"):
        itk.write(target, data, matrix, steps)
    elif kind == ".npy":
        with atomic_write(target) as stream:
            np.save(stream, data, allow_pickle=False)
    else:
        raise refused(target, "unknown image format; accepted are .nii, .nii.gz, .nrrd, .mha, .npy")
    return target


def _place(data: np.ndarray, spacing: Any, affine: Any) -> tuple[np.ndarray, tuple[float, ...]]:
    """The affine to write and the spacing it means."""
    n = min(data.ndim, 3)
    if affine is not None:
        matrix = np.asarray(affine, np.float64)
        if matrix.shape != (4, 4):
            raise ShapeError(f"affine has shape {matrix.shape}; expected (4, 4)")
        nifti.check_affine(Path("affine"), matrix)
    else:
        steps = np.broadcast_to(np.asarray(1.0 if spacing is None else spacing, float), (n,))
        if not np.all(np.isfinite(steps)) or np.any(steps <= 0):
            raise DataError(f"spacing is {tuple(steps)}; expected numbers > 0")
        matrix = np.eye(4)
        for i, (step, length) in enumerate(zip(steps[::-1], data.shape[::-1], strict=False)):
            matrix[i, i], matrix[i, 3] = step, -step * (length - 1) / 2
    lengths = np.linalg.norm(matrix[:3, :3], axis=0)
    return matrix, tuple(float(v) for v in lengths[:n][::-1])
