"""HDF5 files damaged by h5py itself: shapes, types, links, storage, filters and attributes."""

from __future__ import annotations

import contextlib
import random
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from fuzz_damage import FLOATS, any_bytes, bomb

_MAGIC = b"\x89HDF\r\n\x1a\n"  # behind a user block in MATLAB's files
_TYPES = (
    "f2", "f4", "f8", ">f4", "i1", "u1", "<u2", ">i4", "u8", "c8", "c16", "?", "S3", "V5", "g",
    [("real", "f4"), ("imag", "f4")], [("real", "f8"), ("imag", "f4")], [("head", "i4")],
    ("f4", (2, 3)),
)  # fmt: skip
_SIZES = (0, 1, 2, 3, 5, 6, 100, 2**16, 2**31, 2**40)
_UNITS = ("rad", "", "degree\0", "x" * 3000, 3, np.nan, [1, 2], b"\xff\xfe", np.array([], "f4"))


def damage(content: bytes, rng: random.Random) -> bytes:
    """One to three changes of objects; at times any bytes on top. It may end the process."""
    import h5py

    with h5py.File(h5py.h5f.open_file_image(content, 1)) as file:
        for _ in range(rng.choice((1, 1, 2, 3))):
            names: list[str] = []
            file.visit(names.append)
            if names:
                _change(file, rng.choice(names), rng)
        file.flush()
        made = content[: content.index(_MAGIC)] + bytes(file.id.get_file_image())
    return any_bytes(made, rng) if rng.random() < 0.1 else made


def _change(file: Any, name: str, rng: random.Random) -> None:
    ways = (
        _reshape, _retype, _relink, _relink, _outside, _chunk, _chunk, _attribute, _values, _drop,
        _copies,
    )  # fmt: skip
    with contextlib.suppress(Exception):  # HDF5 does not make everything
        rng.choice(ways)(file, name, rng)


def _again(file: Any, name: str, **given: Any) -> Any:
    del file[name]
    return file.create_dataset(name, **given)


def _reshape(file: Any, name: str, rng: random.Random) -> None:
    shape = list(getattr(file[name], "shape", (3,)) or (3,))
    shape[rng.randrange(len(shape))] = rng.choice(_SIZES)
    if rng.random() < 0.3:
        shape = shape[1:] if rng.random() < 0.5 else [1, *shape]
    dtype = getattr(file[name], "dtype", "f4")
    if rng.random() < 0.1:
        import h5py

        _again(file, name, data=h5py.Empty(dtype))
    elif np.prod(np.asarray(shape, float)) < 1e5 and rng.random() < 0.7:
        _again(file, name, data=np.ones(shape, dtype))
    else:
        _again(file, name, shape=shape, dtype=dtype)  # never written


def _retype(file: Any, name: str, rng: random.Random) -> None:
    import h5py

    shape = getattr(file[name], "shape", (3,)) or ()
    kind = rng.randrange(len(_TYPES) + 4)
    if kind < len(_TYPES):
        _again(file, name, shape=shape, dtype=np.dtype(_TYPES[kind]), data=None, fillvalue=None)
        return
    special = (
        h5py.string_dtype(), h5py.vlen_dtype(np.float32), h5py.ref_dtype,
        h5py.enum_dtype({"A": 1, "B": 2}),
    )[kind - len(_TYPES)]  # fmt: skip
    made = _again(file, name, shape=shape, dtype=special)
    if kind == len(_TYPES) and shape and np.prod(shape) < 1e4:
        made[...] = "text"


def _relink(file: Any, name: str, rng: random.Random) -> None:
    """Soft links to itself, to its group, to nothing, many after each other; external links."""
    import h5py

    parent = name.rpartition("/")[0] or "/"
    del file[name]
    kind = rng.randrange(5)
    if kind == 0:
        file[name] = h5py.SoftLink(rng.choice((f"/{name}", ".", parent, "/nothing", "")))
    elif kind == 1:
        for i in range(30):  # each leads to the next one twice
            file[parent][f"l{i}"] = h5py.SoftLink(f"l{i + 1}/l{i + 1}")
        file[parent]["l30"] = h5py.SoftLink(parent if parent.startswith("/") else "/" + parent)
        file[name] = h5py.SoftLink("l0")
    elif kind == 2:
        file[name] = file[parent]  # a group that holds itself
    else:
        where = rng.choice(("canary.h5", "../canary.h5", "./canary.h5", "/dev/zero", ""))
        file[name] = h5py.ExternalLink(where, rng.choice(("/canary", "/", f"/{name}")))


def _outside(file: Any, name: str, rng: random.Random) -> None:
    """Data kept in another file, or assembled from one."""
    import h5py

    shape = getattr(file[name], "shape", None) or (3,)
    dtype = getattr(file[name], "dtype", np.dtype("f4"))
    if rng.random() < 0.5:
        size = int(np.prod(shape)) * dtype.itemsize
        _again(file, name, shape=shape, dtype=dtype, external=[("canary.bin", 0, size)])
        return
    source = rng.choice(("canary.h5", ".", "/dev/zero"))
    layout = h5py.VirtualLayout(shape, dtype)
    layout[...] = h5py.VirtualSource(source, rng.choice(("canary", name)), shape=shape)
    del file[name]
    file.create_virtual_dataset(name, layout)


def _chunk(file: Any, name: str, rng: random.Random) -> None:
    """Chunks larger than the dataset, packed twice, bombs, lying streams, only some written."""
    shape = tuple(getattr(file[name], "shape", None) or (3,))
    dtype = getattr(file[name], "dtype", np.dtype("f4"))
    if np.prod(np.asarray(shape, float)) > 1e5:
        shape = (3,) * len(shape)
    wide = [max(1, n) for n in shape]
    if rng.random() < 0.5:
        wide[rng.randrange(len(wide))] = rng.choice((1, 2, 1000, 10**6, 10**8))
    made = _again(file, name, shape=shape, dtype=dtype, chunks=tuple(wide),
                  maxshape=(None,) * len(shape), compression="gzip",
                  shuffle=rng.random() < 0.3)  # fmt: skip
    place = (0,) * len(shape)
    size = int(np.prod(np.asarray(wide, float))) * dtype.itemsize
    lengths = (size, size - 1, 10**5, 3 * 10**7)
    length = min(max(rng.choice(lengths), 0), 3 * 10**7)
    made.id.write_direct_chunk(place, bomb(length, zlib.compress), rng.choice((0, 0, 1)))


def _attribute(file: Any, name: str, rng: random.Random) -> None:
    if name in file and file.get(name, getclass=True) is not None:
        for key in ("units", "MATLAB_class"):
            file[name].attrs[key] = rng.choice(_UNITS)


def _values(file: Any, name: str, rng: random.Random) -> None:
    data = file[name]
    if not getattr(data, "shape", None):
        return
    at = tuple(rng.randrange(n) for n in data.shape)
    if data.dtype.kind in "fiu":
        value = rng.choice(FLOATS if data.dtype.kind == "f" else (0, 1, 7, 127))
        data[at] = np.asarray(value, "f8").astype(data.dtype)
    elif data.dtype.kind == "O":
        data[at] = rng.choice(("", "<a>" * 3000, "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"))
    elif data.dtype.names and "head" in data.dtype.names:
        row = data[at]
        row["head"] = np.frombuffer(
            any_bytes(row["head"].tobytes(), rng)[: row["head"].nbytes].ljust(
                row["head"].nbytes, b"\0"
            ),
            row["head"].dtype,
        )[0]
        data[at] = row


def _drop(file: Any, name: str, rng: random.Random) -> None:
    del file[name]
    if rng.random() < 0.3:
        file.create_group(name)


def _copies(file: Any, name: str, rng: random.Random) -> None:
    """Many names of one object."""
    parent = file[name.rpartition("/")[0] or "/"]
    for i in range(rng.choice((2, 300))):
        parent[f"copy{i}"] = file[name]


class Pool:
    """Damaged files made by another process, since HDF5 itself dies of some; then any bytes.

    A pool's files are damaged at random, too, and every so often there is a new pool.
    """

    def __init__(self, name: str):
        self.name, self.files, self.left = name, [b""], 0

    def __call__(self, content: bytes, rng: random.Random) -> bytes:
        if self.left == 0:
            self._fill(rng.randrange(2**31))
        self.left -= 1
        file = rng.choice(self.files)
        return any_bytes(file, rng) if rng.random() < 0.5 else file

    def _fill(self, seed: int) -> None:
        script = Path(__file__).with_name("fuzz_readers.py")
        with tempfile.TemporaryDirectory() as folder:
            words = [sys.executable, "-W", "ignore", str(script), self.name, "--pool", folder]
            with contextlib.suppress(subprocess.TimeoutExpired):
                quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
                subprocess.run([*words, "--seed", str(seed)], timeout=20, **quiet)
            made = [p.read_bytes() for p in Path(folder).iterdir() if p.stat().st_size]
        self.files = made or self.files
        self.left = 8 * len(self.files)


def write_pool(content: bytes, folder: Path, seed: int, count: int = 200) -> None:
    rng = random.Random(seed)
    for i in range(count):
        (folder / f"{i}").write_bytes(damage(content, rng))


def write_canary(folder: Any) -> None:
    """What no reader may give: files beside the one that is named."""
    import h5py

    content = np.full(4096, 1234.5, np.float32)
    (folder / "canary.bin").write_bytes(content.tobytes())
    with h5py.File(folder / "canary.h5", "w") as file:
        file["canary"] = content.reshape(1, 1, -1)
