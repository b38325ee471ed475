"""BART .cfl/.hdr pairs: complex64, first axis fastest, a text header with up to 16 lengths.

Axes 0-2 are x, y, z (non-Cartesian: 1, sample, spoke), axis 3 is the coil, the rest are frames.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .containers import KSpace
from .files import check_dims, check_size, existing, refused, truncated

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
