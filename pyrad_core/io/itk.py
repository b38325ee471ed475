"""NRRD (.nrrd, .nhdr) and MetaImage (.mha, .mhd), read and written by SimpleITK.

SimpleITK fills a truncated file with zeros, so the text header is checked first: sizes, bytes
present, and that a detached data file lies beside its header.
"""

from __future__ import annotations

import os
import secrets
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import FileFormatError
from .containers import Image
from .files import (
    check_dims,
    check_size,
    gunzip,
    needed,
    refused,
    shown,
    starts_with,
    truncated,
    utf8_name,
)
from .itk_header import meta_fields, nrrd_fields
from .nifti import check_affine

_NRRD_BYTES = {
    1: "signed char,int8,int8_t,uchar,unsigned char,uint8,uint8_t",
    2: "short,short int,signed short,signed short int,int16,int16_t,ushort,unsigned short,"
    "unsigned short int,uint16,uint16_t",
    4: "int,signed int,int32,int32_t,uint,unsigned int,uint32,uint32_t,float",
    8: "longlong,long long,long long int,signed long long,signed long long int,int64,int64_t,"
    "ulonglong,unsigned long long,unsigned long long int,uint64,uint64_t,double",
}
_META_BYTES = {"CHAR": 1, "UCHAR": 1, "SHORT": 2, "USHORT": 2, "INT": 4, "UINT": 4, "FLOAT": 4,
               "LONG_LONG": 8, "ULONG_LONG": 8, "DOUBLE": 8}  # fmt: skip
_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


def read(path: Path, max_bytes: int | None) -> Image:
    name = utf8_name(path)
    if starts_with(path, 4) == b"NRRD":
        kind, reader, check = "NRRD", "NrrdImageIO", _check_nrrd
    elif b"ObjectType" in starts_with(path, 4096) or b"NDims" in starts_with(path, 4096):
        kind, reader, check = "MetaImage", "MetaImageIO", _check_meta
    else:
        raise refused(path, "is neither NRRD nor MetaImage")
    check(path, max_bytes)
    sitk = needed("SimpleITK")
    try:
        itk = sitk.ReadImage(name, imageIO=reader)
    except RuntimeError as error:
        reason = str(error).strip().splitlines()[-1]
        raise refused(path, f"SimpleITK cannot read it ({reason})") from None
    return to_image(path, itk, {"format": kind})


def to_image(path: Path, itk: Any, header: dict[str, Any]) -> Image:
    """A SimpleITK image as ours: (z, y, x), affine in RAS."""
    sitk = needed("SimpleITK")
    if itk.GetNumberOfComponentsPerPixel() != 1:
        raise refused(
            path,
            f"pixels of {itk.GetNumberOfComponentsPerPixel()} components "
            f"({itk.GetPixelIDTypeAsString()}) are not supported",
        )
    data = sitk.GetArrayFromImage(itk)
    affine = affine_of(itk)
    check_affine(path, affine)
    spacing = tuple(float(s) for s in itk.GetSpacing())[::-1]
    return Image(data, spacing[-3:], affine, {**header, "dtype": str(data.dtype)})


def affine_of(itk: Any) -> np.ndarray:
    """ITK keeps LPS; NIfTI and we keep RAS."""
    n = min(itk.GetDimension(), 3)
    size = itk.GetDimension()
    direction = np.asarray(itk.GetDirection()).reshape(size, size)[:n, :n]
    affine = np.eye(4)
    affine[:n, :n] = direction * np.asarray(itk.GetSpacing())[:n]
    affine[:n, 3] = np.asarray(itk.GetOrigin())[:n]
    return _LPS_TO_RAS @ affine


def write(path: Path, data: np.ndarray, affine: np.ndarray, spacing: tuple[float, ...]) -> None:
    """Written beside its place and renamed; MetaImage as one file (.mha)."""
    sitk = needed("SimpleITK")
    utf8_name(path)
    if np.iscomplexobj(data):
        raise refused(path, "complex images go to .nii or .npy")
    itk = sitk.GetImageFromArray(data.astype(np.uint8) if data.dtype == bool else data)
    lps, n = _LPS_TO_RAS @ affine, itk.GetDimension()
    itk.SetSpacing([float(s) for s in spacing[::-1]])
    itk.SetOrigin([float(v) for v in lps[:n, 3]])
    itk.SetDirection((lps[:n, :n] / np.asarray(spacing[::-1])).ravel().tolist())
    scratch = path.with_name(f".{secrets.token_hex(6)}.part{path.suffix.lower()}")
    try:
        sitk.WriteImage(itk, str(scratch), useCompression=True)
        with open(scratch, "rb+") as stream:
            os.fsync(stream.fileno())
        os.replace(scratch, path)
    except (OSError, RuntimeError) as error:
        reason = str(error).strip().splitlines()[-1]
        raise FileFormatError(f"cannot write {shown(path)}: {reason}") from error
    finally:
        scratch.unlink(missing_ok=True)


def _check_nrrd(path: Path, max_bytes: int | None) -> None:
    fields, start = nrrd_fields(path)
    sizes = _sizes(path, fields.get("sizes"))
    kind = fields.get("type", "")
    itemsize = next((n for n, names in _NRRD_BYTES.items() if kind in names.split(",")), None)
    if itemsize is None:
        raise refused(path, f"NRRD type {kind!r} is not supported")
    name = fields.get("data file") or fields.get("datafile")
    encoding = fields.get("encoding", "raw").lower()
    packed = {"gzip": "gzip", "gz": "gzip", "raw": ""}.get(encoding)
    if packed is None:
        raise refused(path, f"NRRD encoding {encoding!r} is not supported")
    skip = int(fields.get("byte skip", fields.get("byteskip", "0")))
    _check_data(path, sizes, itemsize, name, start, skip, packed, max_bytes)


def _check_meta(path: Path, max_bytes: int | None) -> None:
    fields, start = meta_fields(path)
    sizes = _sizes(path, fields.get("dimsize"))
    kind = fields.get("elementtype", "")
    itemsize = _META_BYTES.get(kind.removeprefix("MET_"))
    if itemsize is None:
        raise refused(path, f"MetaImage type {kind!r} is not supported")
    name = fields.get("elementdatafile", "")
    packed = "zlib" if fields.get("compresseddata", "").lower() == "true" else ""
    name = "" if name.upper() == "LOCAL" else name
    skip = int(fields.get("headersize", "0")) if name else 0
    _check_data(path, sizes, itemsize, name, start, skip, packed, max_bytes)
    body = _body(path, name)
    stated, there = int(fields.get("compresseddatasize", "0")), body.stat().st_size
    if stated > there:
        raise truncated(body, stated, there, "CompressedDataSize")


def _sizes(path: Path, text: str | None) -> list[int]:
    try:
        sizes = [int(n) for n in (text or "").split()]
    except ValueError:
        sizes = []
    if not sizes:
        raise refused(path, f"no image size in the header ({text!r})")
    return sizes


def _check_data(
    path: Path, sizes: list[int], itemsize: int, name: str | None, start: int, skip: int,
    packed: str, max_bytes: int | None,
) -> None:  # fmt: skip
    asked = check_dims(path, sizes, itemsize)
    body = _body(path, name)
    if name:
        start = 0
    if skip and packed:
        raise refused(path, f"skips {skip} bytes of compressed data, which is not read")
    stored = body.stat().st_size - start - max(skip, 0)
    check_size(path, asked, max_bytes, f"size {sizes}", stored=stored if packed else None)
    got = _unpacked(body, start, packed, asked) if packed else stored
    if got < asked:
        raise truncated(path, asked, got, f"size {sizes}")


def _body(path: Path, name: str | None) -> Path:
    """Where the voxels are: in the file itself, or in one beside it."""
    if name and (Path(name).name != name or not (path.parent / name).is_file()):
        raise refused(path, f"its data file {name!r} must be one file in the same folder")
    return path.parent / name if name else path


def _unpacked(body: Path, start: int, packed: str, limit: int) -> int:
    """Bytes that the compressed voxels really unpack to."""
    if packed == "gzip" and start == 0:
        return sum(len(piece) for piece in gunzip(body, limit + (1 << 20)))
    unpacker, total = zlib.decompressobj(wbits=47), 0
    with open(body, "rb") as stream:
        stream.seek(start)
        while (pending := stream.read(1 << 18)) and not unpacker.eof:
            try:
                while pending and not unpacker.eof and total <= limit:
                    total += len(unpacker.decompress(pending, 1 << 22))
                    pending = unpacker.unconsumed_tail
            except zlib.error as error:
                raise refused(body, f"damaged compressed data ({error})") from None
    return total + len(unpacker.flush())
