"""NIfTI-1 and NIfTI-2 (.nii, .nii.gz), headers by nibabel.

sform and qform: the sform is taken when both are set, and a warning says when they disagree.
``scl_slope`` 0 or NaN means "not scaled" (the NIfTI rule); a non-finite ``scl_inter`` beside a
usable slope is an error. Scaled integers become float32 (64-bit integers float64).
"""

from __future__ import annotations

import gzip
import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import PyradWarning
from .containers import Image
from .files import (
    atomic_write,
    check_dims,
    check_size,
    gunzip,
    refused,
    shown,
    starts_with,
    truncated,
)

_NUMERIC = "fiuc"


def read(path: Path, max_bytes: int | None) -> Image:
    import nibabel

    packed = starts_with(path, 2) == b"\x1f\x8b"
    head = _head(path, packed)
    header = _header(nibabel, path, head)
    dtype = _dtype(path, header)
    shape = _shape(path, header)
    offset = int(header["vox_offset"]) or int(header["sizeof_hdr"])
    asked = check_dims(path, shape, dtype.itemsize)
    stored = path.stat().st_size
    check_size(
        path, asked, max_bytes, f"shape {shape} of {dtype}", stored=stored if packed else None
    )
    if not packed and stored < offset + asked:
        raise truncated(path, offset + asked, stored, f"shape {shape} of {dtype}")
    raw = (
        _unpack(path, offset, asked)
        if packed
        else np.fromfile(path, dtype, asked // dtype.itemsize, offset=offset)
    )
    data: Any = raw.view(dtype).reshape(shape[::-1])
    slope, inter = _scaling(path, header)
    if (slope, inter) != (1.0, 0.0):
        wide = np.float64 if dtype.itemsize == 8 else np.float32
        data = data.astype(wide) * slope + inter
    elif not dtype.isnative:
        data = data.astype(dtype.newbyteorder("="))
    affine = _affine(path, header)
    spacing = _spacing(header, affine)[::-1]
    info = {"format": "NIfTI", "dtype": str(dtype), "intent": int(header["intent_code"])}
    return Image(data, spacing[-min(data.ndim, 3) :], affine, info)


def _head(path: Path, packed: bool) -> bytes:
    if not packed:
        return starts_with(path, 540)
    head = b""
    for piece in gunzip(path, 1 << 62):
        head += piece
        if len(head) >= 540:
            break
    return head[:540]


def _header(nibabel: Any, path: Path, head: bytes) -> Any:
    little, big = (int.from_bytes(head[:4], order) for order in ("little", "big"))
    for size, kind in ((348, nibabel.Nifti1Header), (540, nibabel.Nifti2Header)):
        if size not in (little, big):
            continue
        if len(head) < size:
            raise truncated(path, size, len(head), "the NIfTI header")
        magic = head[344:348] if size == 348 else head[4:8]
        if magic[:3] not in (b"n+1", b"n+2"):
            raise refused(path, f"magic {magic!r} is not that of a single-file NIfTI (.nii)")
        return kind.from_fileobj(io.BytesIO(head[:size]), check=False)
    raise refused(path, "is no NIfTI file (expected .nii or .nii.gz content)")


def _dtype(path: Path, header: Any) -> np.dtype:
    code = int(header["datatype"])
    try:
        dtype = header.get_data_dtype()
    except Exception:  # nibabel raises its own class for unknown codes
        raise refused(path, f"unknown NIfTI datatype code {code}") from None
    if (
        dtype.kind not in _NUMERIC
        or dtype.itemsize > 16
        or dtype.kind == "f"
        and dtype.itemsize > 8
    ):
        name = {128: "RGB24", 2304: "RGBA32", 1536: "float128", 2048: "complex256"}.get(
            code, str(dtype)
        )
        raise refused(path, f"NIfTI datatype {name} (code {code}) is not supported")
    return dtype


def _shape(path: Path, header: Any) -> tuple[int, ...]:
    dim = [int(n) for n in header["dim"]]
    if not 1 <= dim[0] <= 7:
        raise refused(path, f"the header declares {dim[0]} dimensions")
    shape = dim[1 : 1 + dim[0]]
    check_dims(path, shape, 1)
    while len(shape) > 3 and shape[-1] == 1:
        shape.pop()
    return tuple(shape)


def _unpack(path: Path, offset: int, asked: int) -> np.ndarray:
    """The voxels of a gzip file, straight into one buffer of the declared size."""
    out, at = np.empty(asked, np.uint8), -offset
    slack = 1 << 20  # files may carry padding after the voxels
    for piece in gunzip(path, offset + asked + slack):
        start, part = max(at, 0), piece[max(-at, 0) :]
        if part and start < asked:
            take = np.frombuffer(part, np.uint8)[: asked - start]
            out[start : start + take.size] = take
        at += len(piece)
    if at < asked:
        raise truncated(path, offset + asked, offset + at, "the voxels (unpacked)")
    return out


def _scaling(path: Path, header: Any) -> tuple[float, float]:
    slope, inter = float(header["scl_slope"]), float(header["scl_inter"])
    if slope == 0.0 or not np.isfinite(slope):
        if np.isinf(slope):
            raise refused(path, f"scl_slope is {slope}")
        return 1.0, 0.0
    if not np.isfinite(inter):
        raise refused(path, f"scl_inter is {inter} while scl_slope is {slope}")
    return slope, inter


def _affine(path: Path, header: Any) -> np.ndarray:
    """sform if set, else qform, else spacing alone."""
    try:
        sform = header.get_sform() if int(header["sform_code"]) > 0 else None
        qform = header.get_qform() if int(header["qform_code"]) > 0 else None
        base = header.get_base_affine()
    except Exception as error:  # nibabel raises several classes on a damaged quaternion
        raise refused(path, f"the affine cannot be built ({error})") from None
    affine = next((a for a in (sform, qform) if a is not None), base)
    affine = np.asarray(affine, np.float64)
    check_affine(path, affine)
    if sform is not None and qform is not None:
        reach = np.max(np.abs(sform - qform))
        if reach > 1e-2 * np.max(np.linalg.norm(affine[:3, :3], axis=0)):
            warnings.warn(
                f"{shown(path)}: sform and qform disagree (up to {reach:.3g}); the sform is used",
                PyradWarning,
                stacklevel=4,
            )
    return affine


def _spacing(header: Any, affine: np.ndarray) -> tuple[float, ...]:
    """Voxel size in (x, y, z): pixdim, unless the affine means another one."""
    lengths = np.linalg.norm(affine[:3, :3], axis=0)
    zooms = np.asarray((*header.get_zooms()[:3], 1.0, 1.0)[:3], np.float64)
    same = np.allclose(lengths, zooms, rtol=1e-4, atol=0)
    return tuple(float(v) for v in (zooms if same else lengths))


def check_affine(path: Path, affine: np.ndarray) -> None:
    if not np.all(np.isfinite(affine)):
        raise refused(path, f"the affine holds NaN or Inf:\n{affine}")
    if abs(np.linalg.det(affine[:3, :3])) < 1e-12:
        raise refused(path, f"the affine is singular:\n{affine}")


def write(path: Path, data: np.ndarray, affine: np.ndarray) -> None:
    import nibabel

    if data.dtype == bool:
        data = data.astype(np.uint8)
    image = nibabel.Nifti1Image(np.ascontiguousarray(data).T, affine, dtype=data.dtype)
    image.header.set_xyzt_units("mm")
    stream: Any
    with atomic_write(path) as stream:
        if str(path).lower().endswith(".gz"):
            # no name and no time in the gzip header: equal volumes give equal files
            with gzip.GzipFile("", "wb", compresslevel=4, fileobj=stream, mtime=0) as packed:
                image.to_stream(packed)
        else:
            image.to_stream(stream)
