"""BART .cfl/.hdr pairs: complex64, first axis fastest, a text header with up to 16 lengths.

Axes 0-2 are x, y, z (non-Cartesian: 1, sample, spoke), axis 3 is the coil, the rest are frames.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import DataError
from .containers import KSpace
from .files import PathLike, atomic_write, check_dims, check_size, existing, refused, truncated

_PLACES = {
    "x": 0, "y": 1, "z": 2, "sample": 1, "spoke": 2, "coil": 3, "map": 4, "contrast": 5,
    "coefficient": 6, "repetition": 10, "phase": 11, "slice": 13, "set": 14,
}  # fmt: skip
_NAMES = {5: "contrast", 10: "repetition", 11: "phase", 13: "slice", 14: "set"}


def read_cfl(path: Path, max_bytes: int | None) -> np.ndarray:
    """The array with BART's axes reversed, so that the last one is axis 0 of the file."""
    stem = path.with_suffix("")
    header = existing(stem.with_suffix(".hdr") if stem.suffix == "" else Path(f"{stem}.hdr"))
    body = existing(Path(f"{stem}.cfl"))
    words = header.read_text("utf-8", "replace").split("\n")
    try:
        at = next(i for i, line in enumerate(words) if line.strip() == "# Dimensions")
        dims = [int(n) for n in words[at + 1].split()]
    except (StopIteration, IndexError, ValueError):
        raise refused(header, "no '# Dimensions' line of a BART header") from None
    if not 1 <= len(dims) <= 32:
        raise refused(header, f"{len(dims)} dimensions")
    asked = check_dims(header, dims, 8)
    check_size(body, asked, max_bytes, f"dimensions {dims}")
    got = body.stat().st_size
    if got != asked:
        raise truncated(body, asked, got, f"dimensions {dims}")
    return np.fromfile(body, "<c8").reshape(dims[::-1])


def read(path: Path, max_bytes: int | None, coordinates: np.ndarray | None) -> KSpace:
    data = read_cfl(path, max_bytes)
    dims = list(data.shape[::-1]) + [1] * (16 - data.ndim)
    data = data.reshape(dims[::-1])
    if dims[4] > 1:
        raise refused(path, f"{dims[4]} sets of maps (axis 4); this is no k-space")
    frames = [i for i in range(15, 4, -1) if dims[i] > 1]
    names = [_NAMES.get(i) for i in frames]
    if None in names:
        raise refused(path, f"BART axes {frames} are not read")
    radial = coordinates is not None
    z, y, x = data.shape[-3:]
    inner = (z, y) if radial else ((z, y, x) if z > 1 else (y, x))
    if radial and x != 1:
        raise refused(path, f"axis 0 has {x} entries; non-Cartesian data have 1")
    # (frames slowest first, coil, z, y, x) -> (coil, frames, inner)
    shape = (*(dims[i] for i in frames), dims[3], *inner)
    data = np.moveaxis(data.reshape(shape), len(frames), 0)
    last = ("spoke", "sample") if radial else (("z", "y", "x") if z > 1 else ("y", "x"))
    data = np.ascontiguousarray(data)
    header = {
        "format": "BART",
        "axes": ("coil", *names, *last),
        "matrix": None if radial else inner,
        "recon_matrix": None if radial else inner,
        "field_of_view": None,
        "readout_axis": None if radial else -1,
        "trajectory": "other" if radial else "cartesian",
    }
    if radial:
        return KSpace(data, coordinates, None, None, header)
    measured = (data != 0).any(axis=tuple(range(data.ndim - len(inner))))
    return KSpace(data, None, None if measured.all() else measured, None, header)


def trajectory(path: Path, max_bytes: int | None) -> np.ndarray:
    """A BART trajectory (3, sample, spoke) as (spoke, sample, dims), order as the image axes."""
    data = read_cfl(path, max_bytes).real
    data = np.squeeze(data.reshape(data.shape[-3:]) if data.ndim > 3 else data)
    if data.ndim != 3 or data.shape[-1] != 3:
        raise refused(path, f"dimensions {data.shape[::-1]} are no BART trajectory")
    flat = not np.any(data[..., 2])
    return np.ascontiguousarray(data[..., 1::-1] if flat else data[..., ::-1])


def write_cfl(path: PathLike, data: Any, *, axes: Sequence[str] | None = None) -> Path:
    """Write an array as a BART pair of ``.cfl`` and ``.hdr``.

    Parameters
    ----------
    path
        With or without one of the two endings.
    data
        A :class:`KSpace`, or an array of up to 16 dimensions; stored as complex64.
    axes
        Name of every axis of the array, as ``KSpace.axes``: "coil", "map", "z", "y", "x" (or
        "spoke", "sample"), "contrast", "coefficient", "repetition", "phase", "slice", "set". By
        default the axes are taken in reverse, the last one as BART's first. The axes "dim",
        "sample", "spoke" in any order make a trajectory: (kx, ky, kz) from the package's last
        axis first, two-dimensional ones with kz = 0.

    Returns
    -------
    Path
        The ``.cfl`` written.

    Raises
    ------
    DataError
        An unknown or repeated axis, or names that do not fit the array.

    Examples
    --------
    >>> write_cfl("maps", maps, axes=("coil", "y", "x"))                 # doctest: +SKIP
    >>> write_cfl("traj", coordinates, axes=("spoke", "sample", "dim"))  # doctest: +SKIP
    """
    names = axes
    if isinstance(data, KSpace):
        names, data = axes or data.axes, data.data
    array = np.asarray(data.get() if hasattr(data, "get") else data)
    if array.ndim > 16 or array.dtype.kind not in "fiubc" or array.size == 0:
        raise DataError(f"data is {array.dtype} {array.shape}; expected numbers, at most 16 axes")
    if names is None:
        dims = [*array.shape[::-1], *[1] * (16 - array.ndim)]
        ordered = array
    else:
        ordered, dims = _placed(array, list(names))
    stem = Path(path)
    stem = stem.with_suffix("") if stem.suffix in (".cfl", ".hdr") else stem
    body, header = Path(f"{stem}.cfl"), Path(f"{stem}.hdr")
    with atomic_write(body) as stream:
        stream.write(np.ascontiguousarray(ordered, np.complex64).tobytes())
    with atomic_write(header) as stream:
        stream.write(("# Dimensions\n" + " ".join(map(str, dims)) + " \n").encode("ascii"))
    return body


def _placed(array: np.ndarray, names: list[str]) -> tuple[np.ndarray, list[int]]:
    """The array with BART's slowest axis first, and BART's sixteen lengths."""
    places = {**_PLACES, "dim": 0} if "dim" in names else _PLACES
    unknown = [name for name in names if name not in places]
    if unknown or len(names) != array.ndim or len({places[n] for n in names}) != len(names):
        raise DataError(
            f"axes {tuple(names)} do not name the {array.ndim} axes of {array.shape} once each; "
            f"accepted are {', '.join(_PLACES)} and dim"
        )
    if "dim" in names:
        at = names.index("dim")
        array = np.flip(array.real, axis=at)
        missing = 3 - array.shape[at]
        if missing < 0:
            raise DataError(f"the axis dim of {array.shape} has more than 3 entries")
        array = np.pad(array, [(0, missing if i == at else 0) for i in range(array.ndim)])
    dims = [1] * 16
    for name, length in zip(names, array.shape, strict=True):
        dims[places[name]] = length
    order = sorted(range(len(names)), key=lambda i: -places[names[i]])
    return array.transpose(order), dims
