"""Headers of HDF5 objects: whole files pass, headers that lie are refused before the library."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from pyrad_core.errors import FileFormatError
from pyrad_core.io.hdf5 import Tree, open_hdf5
from pyrad_core.io.hdf5_objects import MAGIC, Objects

h5py = pytest.importorskip("h5py")

_CONTINUATION = bytes.fromhex("1000100000000000")  # head of such a message in old headers


def write(path, **options):
    """Datasets of several layouts, types that are objects, and groups in heaps."""
    with h5py.File(path, "w", **options) as file:
        file["group/plain"] = np.arange(6.0).reshape(2, 3)
        file["type"] = np.dtype("<i2")
        typed = file.create_dataset("typed", (4,), file["type"])
        typed.attrs.create("kind", 7, dtype=file["type"])
        file.create_dataset("chunks", (8, 8), "f4", chunks=(4, 4), compression="gzip")[...] = 2
        file.create_dataset("texts", data=["a", "bc"], dtype=h5py.string_dtype())
        for i in range(20):
            file[f"many/n{i}"] = i
            typed.attrs[f"about {i}"] = "word " * i
        del file["many/n3"], file["many/n11"]
        file["soft"] = h5py.SoftLink("group/plain")
    return path


@pytest.mark.parametrize(
    "options",
    [{}, {"libver": "latest"}, {"libver": "v108"}, {"userblock_size": 512}, {"track_order": True}],
)
def test_whole_files_pass(tmp_path, options):
    path = write(tmp_path / "a.h5", **options)
    with open_hdf5(path) as file:
        tree = Tree(file, path, None)
        seen: list[str] = []
        file.visit(seen.append)
        assert len(seen) > 20
        assert all(tree.find(name) is not None for name in seen)
        assert tree.find("soft") == tree.find("./group/plain")
        assert tree.read("chunks").sum() == 128
        assert tree.read("texts").tolist() == [b"a", b"bc"]
        assert tree.attribute("typed", "kind") == 7
        assert tree.find("many/n3") is None and not tree.has("many/n3")


def damaged(path, place, new):
    content = bytearray(path.read_bytes())
    content[place : place + len(new)] = new
    path.write_bytes(content)


def refused(path, name, match="does not add up"):
    with (
        pytest.raises(FileFormatError, match=match),
        open_hdf5(path) as file,
    ):
        Tree(file, path, None).find(name)


@pytest.mark.parametrize("kind", ["itself", "its beginning", "outside", "empty"])
def test_headers_that_go_on(tmp_path, kind):
    """The library follows a header that goes on in itself until memory ends."""
    path = write(tmp_path / "a.h5")
    content = path.read_bytes()
    with h5py.File(path) as file:
        header = file.id.links.get_info(b"typed").u
    at = content.index(_CONTINUATION, header)
    begin, length = struct.unpack_from("<QQ", content, at + 8)
    new = {
        "itself": None,
        "its beginning": (header + 16, length),
        "outside": (begin, len(content)),
        "empty": (begin, 0),
    }[kind]
    if new is None:  # a message in the part that leads to this part
        damaged(path, begin, _CONTINUATION + struct.pack("<QQ", begin, length))
    else:
        damaged(path, at + 8, struct.pack("<QQ", *new))
    refused(path, "typed")


@pytest.mark.parametrize("free", [8, 1 << 40])
def test_heaps_of_names(tmp_path, free):
    """A chain of free places that leads to itself, or out of the heap."""
    path = write(tmp_path / "a.h5")
    content = path.read_bytes()
    with h5py.File(path) as file:
        header = file.id.links.get_info(b"many").u
    heap = struct.unpack_from("<Q", content, header + 32)[0]  # of the only message
    assert content[heap : heap + 4] == b"HEAP"
    names = struct.unpack_from("<Q", content, heap + 24)[0]
    damaged(path, heap + 16, struct.pack("<Q", free))
    damaged(path, names + 8, struct.pack("<QQ", 8, 16))
    refused(path, "many")


@pytest.mark.parametrize(
    ("signature", "at"), [(b"FRHP", 16 + 12 * 8), (b"FRHP", 16 + 13 * 8), (b"BTHD", 6)]
)
def test_blocks_of_any_size(tmp_path, signature, at):
    path = write(tmp_path / "a.h5", libver="latest")
    content, place = path.read_bytes(), -1
    while (place := content.find(signature, place + 1)) >= 0:
        damaged(path, place + at, struct.pack("<I", 1 << 30))
    with open_hdf5(path) as file:
        tree = Tree(file, path, None)
        for name in ("many", "typed"):
            with pytest.raises(FileFormatError, match=f"the header of /{name} does not add up"):
                tree.find(name)


def test_first_blocks(tmp_path):
    path = write(tmp_path / "a.h5", libver="latest")
    damaged(path, 8, b"\x09")
    refused(path, "/", "of a kind not read")
    path.write_bytes(b"text " * 300)
    refused(path, "/", "signature not found")
    path.write_bytes(MAGIC)
    refused(path, "/", "first block does not add up")
    whole = write(path).read_bytes()
    path.write_bytes(whole[:-100])
    refused(path, "/", "is truncated: expected")


def test_virtual_datasets_are_not_opened(tmp_path):
    """Their mapping, which the library trusts, may crash it."""
    path = tmp_path / "a.h5"
    for options in ({}, {"libver": "latest"}):
        with h5py.File(path, "w", **options) as file:
            file["x"] = np.zeros(4)
            layout = h5py.VirtualLayout((4,), "f8")
            layout[...] = h5py.VirtualSource(".", "x", shape=(4,))
            file.create_virtual_dataset("v", layout)
            place = file.id.links.get_info(b"v").u
        with pytest.raises(FileFormatError, match="/v is a virtual dataset"):
            Objects(path).check(place, "/v")
        refused(path, "v", "/v is a virtual dataset")
