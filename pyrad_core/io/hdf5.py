"""HDF5, opened so that no file can make us read another one.

External links, external storage and virtual datasets are refused, and every path is resolved link
by link. HDF5 itself is read by h5py.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import FileFormatError
from .files import check_dims, check_size, existing, needed, refused, shown
from .hdf5_chunks import LZF, check_chunks, read_chunks
from .hdf5_heaps import check_entries, check_heaps, contiguous, entry_type, varies
from .hdf5_objects import MAGIC, Objects

__all__ = ["MAGIC", "Tree", "open_hdf5", "text"]


@contextlib.contextmanager
def open_hdf5(path: Path) -> Iterator[Any]:
    """The file, opened read-only; a damaged one raises FileFormatError."""
    h5py = needed("h5py")
    Objects(path).check_root()
    try:
        file = h5py.File(os.fsencode(path), "r")
    except OSError as error:
        raise _damaged(path, error) from None
    with file:
        check_heaps(path)
        try:
            yield file
        except FileFormatError:
            raise
        except (OSError, RuntimeError) as error:  # h5py raises both for damaged objects
            raise _damaged(path, error) from None


def _damaged(path: Path, error: Exception) -> FileFormatError:
    text = str(error)
    stored = re.search(r"eof = (\d+).*stored_eof = (\d+)", text)
    if stored:
        got, expected = stored.groups()
        return refused(path, f"is truncated: expected {expected} bytes, got {got}")
    return refused(path, f"is no readable HDF5 file ({text})")


def link_of(group: Any, name: str) -> Any:
    """h5py's link to a child, or the child's address; None where there is none. Opens nothing."""
    import h5py

    links, key = group.id.links, name.encode("utf-8", "surrogateescape")
    if not links.exists(key):
        return None
    about = links.get_info(key)
    if about.type == h5py.h5l.TYPE_HARD:
        return about.u
    if about.type == h5py.h5l.TYPE_SOFT:
        return h5py.SoftLink(links.get_val(key).decode("utf-8", "surrogateescape"))
    if about.type == h5py.h5l.TYPE_EXTERNAL:
        return h5py.ExternalLink(*(os.fsdecode(part) for part in links.get_val(key)))
    raise OSError(f"a link of an unknown kind ({about.type})")


class Tree:
    """Looks objects up in one open HDF5 file without leaving it.

    Parameters
    ----------
    file, path
        The open file and its name.
    max_bytes
        Cap on one dataset.
    allow_external
        Folder whose files external links may reach; None refuses all of them.
    """

    def __init__(self, file: Any, path: Path, max_bytes: int | None, allow_external: Any = None):
        self.file, self.path, self.max_bytes = file, path, max_bytes
        self.folder = None if allow_external is None else existing(allow_external, folder_ok=True)
        self._objects = Objects(path)
        self._links = 0  # followed since the last name was asked for

    def has(self, name: str) -> bool:
        """Whether an object or a link of that name stands there (the link may be refused later)."""
        group, _, last = name.strip("/").rpartition("/")
        parent = self.find(group) if group else self.file
        return hasattr(parent, "keys") and link_of(parent, last) is not None

    def children(self, name: str = "/") -> list[str]:
        group = self.find(name)
        return list(group.keys()) if hasattr(group, "keys") else []

    def holds(self, name: str, child: str) -> bool:
        """Whether a group of this very file has that child; links elsewhere count as no."""
        try:
            return child in self.children(name)
        except FileFormatError:
            return False

    def link(self, name: str) -> Any:
        group, _, last = name.strip("/").rpartition("/")
        return link_of(self.find(group) if group else self.file, last)

    def attribute(self, name: str, key: str) -> Any:
        found = self.find(name)
        if found is None or key not in found.attrs:
            return None
        about = found.attrs.get_id(key)
        if not _usual(about.get_type()) or prod(about.shape or ()) != 1:
            raise refused(self.path, f"the attribute {key} of {name} is no single value")
        value = found.attrs[key]
        return value.decode("utf-8", "replace") if isinstance(value, bytes) else value

    def find(self, name: str) -> Any:
        """The object at ``name``, or None; links that leave the file or loop are refused."""
        self._links = 0
        return self._find(name)

    def _find(self, name: str) -> Any:
        h5py = needed("h5py")
        here, so_far = self.file, ""
        for part in (p for p in name.split("/") if p not in ("", ".")):
            so_far += "/" + part
            if not isinstance(here, h5py.Group):
                return None
            link = link_of(here, part)
            if link is None:
                return None
            if isinstance(link, h5py.ExternalLink):
                raise refused(
                    self.path,
                    f"{so_far} is an external link to {link.filename!r}; "
                    "links to other files are refused",
                )
            if isinstance(link, h5py.SoftLink):
                base = so_far.rpartition("/")[0]
                target = link.path if link.path.startswith("/") else f"{base}/{link.path}"
                self._links += 1
                if self._links > _MOST_LINKS:
                    raise refused(self.path, f"the link {so_far[:99]} refers to itself")
                here = self._find(target)
            else:
                self._objects.check(link, so_far[:99])
                here = here[part]
        return here

    def dataset(self, name: str) -> Any:
        """The h5py dataset at ``name``, checked; None where there is nothing."""
        found = self.find(name)
        if found is None or not hasattr(found, "shape"):
            return None
        if found.external:
            raise refused(
                self.path,
                f"{name} keeps its data in another file "
                f"({found.external[0][0]!r}); external storage is refused",
            )
        return found

    def read(self, name: str, selection: Any = ()) -> np.ndarray | None:
        """The values at ``name`` after the size checks; None where there is no dataset."""
        data = self.dataset(name)
        if data is None:
            return None
        codes = self._checked(name, data)
        if varies(data.id.get_type()):
            self._check_entries(name, data, codes)
            return data[selection]
        if not data.shape or codes is None or LZF in codes:
            return data[selection]
        return read_chunks(self.path, name, data, codes, data.dtype)[selection]

    def _checked(self, name: str, data: Any) -> list[int] | None:
        """What may make the library read, allocate or convert too much; the filters of chunks."""
        if data.shape is None:
            raise refused(self.path, f"{name} is empty")
        if not _usual(data.id.get_type()):
            raise refused(self.path, f"{name} is of a damaged or unusual number type")
        if data.shape:
            asked = check_dims(self.path, data.shape, data.dtype.itemsize)
            stored = data.id.get_storage_size()
            check_size(self.path, asked, self.max_bytes, f"{name} {data.shape}", stored=stored)
            self._complete(name, data, asked, stored)
        if data.chunks is None:
            return None
        return check_chunks(self.path, name, data, self.max_bytes)

    def _check_entries(self, name: str, data: Any, codes: list[int] | None) -> None:
        """Values of variable length: the entries that lead to them, before any is followed."""
        kind = data.id.get_type()
        dtype, entries = entry_type(kind), None
        if dtype is not None and codes is not None and LZF not in codes:
            entries = read_chunks(self.path, name, data, codes, dtype)
        elif dtype is not None and codes is None:
            entries = contiguous(self.path, data, dtype)
        if entries is None:
            raise refused(self.path, f"{name} keeps values of variable length in a way not read")
        base = self.file.userblock_size
        asked = check_entries(self.path, name, kind, entries, base)
        check_size(self.path, asked, self.max_bytes, f"{name} {data.shape}")

    def _complete(self, name: str, data: Any, asked: int, stored: int) -> None:
        """A dataset whose chunks were never written would read as zeros."""
        if data.chunks is not None:
            want = int(np.prod([-(-n // c) for n, c in zip(data.shape, data.chunks, strict=True)]))
            have = data.id.get_num_chunks()
            if have < want:
                raise refused(
                    self.path, f"{name} is incomplete: {have} of {want} chunks were written"
                )
        elif stored < asked:
            raise refused(self.path, f"{name} is incomplete: expected {asked} bytes, got {stored}")

    def external(self, name: str) -> tuple[Path, str] | None:
        """File and object of an external link, when it stays inside ``allow_external``."""
        h5py = needed("h5py")
        link = self.link(name)
        if not isinstance(link, h5py.ExternalLink):
            return None
        if self.folder is None:
            raise refused(
                self.path,
                f"{name} is an external link to {link.filename!r}; links to "
                "other files are refused unless allow_external (--allow-external) names the folder "
                "that holds them",
            )
        root = self.folder.resolve()
        for candidate in (root / link.filename, root / Path(link.filename).name):
            resolved = candidate.resolve()
            if resolved.is_relative_to(root) and resolved.is_file():
                return resolved, link.path
        raise refused(
            self.path, f"{name} links to {link.filename!r}, which is not in {shown(root)}"
        )

    def missing(self, wanted: str) -> FileFormatError:
        """The error for an absent object; lists what is present."""
        present = ", ".join(self.children()[:20]) or "nothing"
        return refused(self.path, f"has no {wanted}; present: {present}")


def text(value: Any) -> str | None:
    """A string out of what HDF5 stores for one."""
    if value is None:
        return None
    value = np.asarray(value).reshape(-1)
    if value.size == 0:
        return None
    first = value[0]
    return first.decode("utf-8", "replace") if isinstance(first, bytes) else str(first)


def _usual(kind: Any) -> bool:
    """Whether HDF5 knows the type by itself; on made-up ones its conversions may never end."""
    from h5py import h5t

    if isinstance(kind, h5t.TypeCompoundID):
        return all(_usual(kind.get_member_type(i)) for i in range(kind.get_nmembers()))
    if isinstance(kind, h5t.TypeVlenID):
        return not varies(kind.get_super()) and _usual(kind.get_super())
    if isinstance(kind, (h5t.TypeArrayID, h5t.TypeEnumID)):
        return _usual(kind.get_super())
    if isinstance(kind, h5t.TypeStringID):
        return True
    sizes, prefixes = {
        h5t.FLOAT: ((2, 4, 8), ("IEEE_F",)),
        h5t.INTEGER: ((1, 2, 4, 8), _WHOLE),
    }.get(kind.get_class(), ((), ()))
    size = kind.get_size()
    return size in sizes and any(
        kind == getattr(h5t, f"{prefix}{8 * size}{order}")
        for prefix in prefixes
        for order in ("LE", "BE")
    )


_WHOLE = ("STD_I", "STD_U")
_MOST_LINKS = 64  # soft links on the way to one object
