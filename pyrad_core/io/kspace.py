"""read_kspace: one door to every k-space format, and k-space in plain array files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..errors import FileFormatError
from . import bart, fastmri, ismrmrd, mat, npy, twix
from .containers import KSpace
from .files import PathLike, existing, extension, reader, refused, starts_with
from .hdf5 import MAGIC, Tree, open_hdf5
from .twix_blocks import is_twix

_DATA = ("kspace", "ksp", "k_space", "rawdata", "raw", "kdata", "data")
_COORDINATES = ("coordinates", "coord", "coords", "trajectory", "traj", "k")


@reader
def read_kspace(
    path: PathLike,
    *,
    coordinates: Any = None,
    max_bytes: int | None = None,
    encoding: int = 0,
) -> KSpace:
    """Read k-space: ISMRMRD, fastMRI HDF5, BART, Siemens TWIX, ``.npy``, ``.npz``, ``.mat``.

    Parameters
    ----------
    path
        Exactly this file is opened (BART: its .cfl or .hdr, both are needed). The format follows
        from its content.
    coordinates
        Trajectory for files that hold none: an array ``(..., samples, dims)`` in cycles per field
        of view, or the path of a ``.npy`` or BART trajectory.
    max_bytes
        Cap on any array (default 16 GiB).
    encoding
        Which encoding of an ISMRMRD file that has several.

    Returns
    -------
    KSpace
        ``data`` is coil first with DC at ``n // 2``; complex64 unless the file holds complex128.
        Array files use the names ``kspace``/``ksp``/``rawdata``/``data``, ``coordinates``/
        ``traj``/``k``, ``mask`` and ``noise``. ``.mat`` arrays are ``(sample, spoke, coil)``, or
        Cartesian ``(y, x, [z,] coil)``, and are reordered. Complex coordinates are
        ``kx + 1j ky``; those within +-0.5 are cycles per voxel.

    Raises
    ------
    FileFormatError
        Missing, damaged, truncated, hostile or of another format.
    MissingDependencyError
        h5py, ismrmrd, defusedxml or twixtools is needed (``pyrad_core[io]``).

    Examples
    --------
    >>> scan = read_kspace("gre.dat")                                     # doctest: +SKIP
    >>> scan.data.shape, scan.axes                                        # doctest: +SKIP
    ((2, 160, 320), ('coil', 'y', 'x'))
    """
    found = existing(path)
    given = _given(coordinates, max_bytes)
    kind, head = extension(found), starts_with(found, 16)
    if kind in (".cfl", ".hdr"):
        return bart.read(found, max_bytes, given)
    if kind == ".mat":
        return _from_mat(found, max_bytes, given)
    if head[:8] == MAGIC:
        return _from_hdf5(found, max_bytes, encoding)
    if head[:6] == npy.NPY_MAGIC:
        arrays = {"data": npy.read_npy(found, max_bytes)}
        return _from_arrays(found, arrays, given, "NumPy")
    if head[:4] == npy.ZIP_MAGIC:
        return _from_npz(found, max_bytes, given)
    if kind == ".dat" or is_twix(head):
        return twix.read(found, max_bytes, given)
    raise refused(
        found,
        "unknown k-space format; accepted are ISMRMRD and fastMRI HDF5, BART "
        ".cfl/.hdr, Siemens TWIX .dat, .npy, .npz, .mat",
    )


def _from_hdf5(path: Path, max_bytes: int | None, encoding: int) -> KSpace:
    with open_hdf5(path) as file:
        tree = Tree(file, path, max_bytes)
        if tree.has("kspace"):
            return fastmri.read(tree)
        group = ismrmrd.group_of(tree)
        if group is not None:
            return ismrmrd.read(tree, group, encoding)
        raise tree.missing(
            "k-space (fastMRI 'kspace' or ISMRMRD 'dataset/data' with 'dataset/xml')"
        )


def _given(coordinates: Any, max_bytes: int | None) -> np.ndarray | None:
    if coordinates is None or isinstance(coordinates, np.ndarray):
        return coordinates
    path = existing(coordinates)
    if extension(path) in (".cfl", ".hdr"):
        return bart.trajectory(path, max_bytes)
    return npy.read_npy(path, max_bytes)


def _from_npz(path: Path, max_bytes: int | None, given: np.ndarray | None) -> KSpace:
    archive = npy.Npz(path, max_bytes)
    wanted = (*_DATA, *_COORDINATES, "mask", "noise")
    arrays = {name: archive.read(name) for name in archive.names() if name in wanted}
    if not arrays:
        raise _no_kspace(path, archive.names())
    return _from_arrays(path, arrays, given, "NumPy")


def _from_mat(path: Path, max_bytes: int | None, given: np.ndarray | None) -> KSpace:
    variables = mat.read_mat(path, max_bytes)
    wanted = (*_DATA, *_COORDINATES, "mask", "noise")
    arrays = {n: v for n, v in variables.items() if n in wanted and isinstance(v, np.ndarray)}
    if not any(name in arrays for name in _DATA):
        raise _no_kspace(path, list(variables))
    cartesian = given is None and not any(name in arrays for name in _COORDINATES)
    turned = {
        name: _coil_first(v) if cartesian else mat.reversed_axes(v) for name, v in arrays.items()
    }
    for name in _COORDINATES:
        if name in turned and turned[name].dtype.kind != "c":
            turned[name] = _dims_last(path, turned[name])
    return _from_arrays(path, turned, given, "MATLAB")


def _coil_first(array: np.ndarray) -> np.ndarray:
    """MATLAB's (y, x, [z,] coil) as (coil, [z,] y, x); masks (y, x) stay."""
    if array.ndim < 3:
        return array
    return np.ascontiguousarray(array.transpose(*range(array.ndim - 1, 1, -1), 0, 1))


def _dims_last(path: Path, turned: np.ndarray) -> np.ndarray:
    """Real MATLAB coordinates, axes reversed already: the axis of 2 or 3 entries goes last."""
    if turned.shape[0] in (2, 3):
        return np.ascontiguousarray(np.moveaxis(turned, 0, -1))
    if turned.shape[-1] in (2, 3):
        return turned
    raise refused(path, f"coordinates {turned.shape} have no axis of 2 or 3 entries")


def _no_kspace(path: Path, names: list[str]) -> FileFormatError:
    return refused(
        path,
        f"holds no k-space; present: {', '.join(names) or 'nothing'}; "
        f"expected one of {', '.join(_DATA)}",
    )


def _from_arrays(
    path: Path, arrays: dict[str, np.ndarray], given: np.ndarray | None, kind: str
) -> KSpace:
    data = next((arrays[name] for name in _DATA if name in arrays), None)
    if data is None:
        raise _no_kspace(path, list(arrays))
    if data.dtype.kind != "c" or data.dtype.itemsize not in (8, 16):
        raise refused(
            path, f"k-space has dtype {data.dtype}; accepted are complex64 and complex128"
        )
    coordinates = given
    if coordinates is None:
        coordinates = next((arrays[name] for name in _COORDINATES if name in arrays), None)
    header: dict[str, Any] = {"format": kind, "field_of_view": None}
    noise = arrays.get("noise")
    if coordinates is not None:
        return _radial(path, data, coordinates, noise, header)
    if not 2 <= data.ndim <= 4:
        raise refused(path, f"k-space {data.shape}; expected (coil, [z,] y, x)")
    data = data[None] if data.ndim == 2 else data
    mask = arrays.get("mask")
    if mask is None:
        mask = (data != 0).any(axis=0)
    if mask.shape != data.shape[1:]:
        raise refused(path, f"mask {mask.shape} does not fit k-space {data.shape}")
    mask = mask.astype(bool)
    header |= {
        "axes": ("coil", *("z", "y", "x")[-(data.ndim - 1) :]),
        "matrix": data.shape[1:],
        "recon_matrix": data.shape[1:],
        "readout_axis": None,
        "trajectory": "cartesian",
    }
    return KSpace(data, None, None if mask.all() else mask, noise, header)


def _radial(
    path: Path, data: np.ndarray, coordinates: np.ndarray, noise: np.ndarray | None,
    header: dict[str, Any],
) -> KSpace:  # fmt: skip
    if coordinates.dtype.kind == "c":
        coordinates = np.stack([coordinates.imag, coordinates.real], axis=-1)
    samples = coordinates.shape[:-1]
    data = data[None] if data.shape == samples else data
    if data.shape[data.ndim - len(samples) :] != samples or data.ndim <= len(samples):
        raise refused(path, f"k-space {data.shape} and coordinates {coordinates.shape} do not fit")
    if not np.all(np.isfinite(coordinates)):
        count = int(np.count_nonzero(~np.isfinite(coordinates)))
        raise refused(path, f"coordinates hold {count} NaN or Inf values")
    reach = float(np.max(np.abs(coordinates)))
    if reach <= 0.5 + 1e-6:  # cycles per voxel of a grid with as many voxels as samples
        matrix = (data.shape[-1],) * coordinates.shape[-1]
        coordinates = coordinates * data.shape[-1]
    else:
        matrix = (2 * int(np.ceil(reach - 1e-6)),) * coordinates.shape[-1]
    inner = ("spoke", "sample")[-len(samples) :] if len(samples) <= 2 else None
    if inner is None or data.ndim != len(samples) + 1:
        raise refused(
            path, f"k-space {data.shape}; expected (coil, spoke, sample) or (coil, sample)"
        )
    wide = np.float64 if data.dtype == np.complex128 else np.float32
    header |= {
        "axes": ("coil", *inner),
        "matrix": matrix,
        "recon_matrix": matrix,
        "readout_axis": None,
        "trajectory": "other",
    }
    return KSpace(data, np.ascontiguousarray(coordinates, wide), None, noise, header)
