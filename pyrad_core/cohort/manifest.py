"""The folder of a run: what it computes, the lock, and where the results of a case are."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .._version import __version__
from ..cli.common import plain
from ..errors import DataError
from ..io.files import atomic_write, refused

__all__ = ["Manifest", "locked", "read_record", "write_record"]

_NAME, _SETTINGS, _LOCK = "manifest.json", "settings.yaml", ".lock"
_DISK = ThreadPoolExecutor(1, "records-to-disk")


@dataclass(frozen=True)
class Manifest:
    """What every case of a run shares: verb, settings, options, and the folder."""

    out: Path
    verb: str
    settings: Mapping[str, Any] | None
    arguments: tuple[str, ...]

    @property
    def content(self) -> dict[str, Any]:
        shared = {"verb": self.verb, "settings": self.settings, "arguments": list(self.arguments)}
        return {"pyrad_core": __version__, **shared}

    @functools.cached_property
    def digest(self) -> str:
        """Of everything but the inputs that decides the results."""
        text = json.dumps(self.content, sort_keys=True, default=plain)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def settings_file(self) -> Path:
        return self.out / _SETTINGS

    def record(self, case: str) -> Path:
        return self.out / "cases" / f"{case}.json"

    def product(self, case: str, ending: str = "") -> Path:
        return self.out / "files" / f"{case}{ending}"

    def begin(self) -> None:
        """Write what the run is; refuse a folder that holds a run of something else."""
        for folder in (self.out / "cases", self.out / "files"):
            folder.mkdir(parents=True, exist_ok=True)
            for left in folder.glob(".*.part"):  # by workers that were killed while writing
                left.unlink(missing_ok=True)
        path = self.out / _NAME
        if path.exists():
            self._same_as(path)
            return
        if self.settings is not None:
            import yaml

            with atomic_write(self.settings_file) as stream:
                stream.write(yaml.safe_dump(dict(self.settings), sort_keys=False).encode())
        write_json(path, self.content)

    def _same_as(self, path: Path) -> None:
        try:
            former = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise refused(path, f"is no manifest of a cohort ({error})") from None
        here = json.loads(json.dumps(self.content, default=plain))
        changed = [_difference(name, former.get(name), now) for name, now in here.items()]
        changed = [text for text in changed if text]
        if changed:
            raise DataError(
                f"{self.out} holds a run of something else ({'; '.join(changed)}); "
                "use another folder, or the former settings"
            )


def _difference(name: str, former: Any, now: Any) -> str:
    if former == now:
        return ""
    if isinstance(former, dict) and isinstance(now, dict):
        names = [key for key in {**former, **now} if former.get(key) != now.get(key)]
        return f"{name}: {', '.join(names[:5])} changed"
    return f"{name} was {former!r}, is {now!r}"


@contextlib.contextmanager
def locked(out: Path) -> Iterator[None]:
    """Hold the folder against a second run; a killed run holds it no longer."""
    out.mkdir(parents=True, exist_ok=True)
    handle = os.open(out / _LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise DataError(f"another run is at work in {out}; wait for it or stop it") from None
        yield
    finally:
        os.close(handle)


def write_json(path: Path, content: Mapping[str, Any], *, sync: bool = True) -> None:
    """NaN and infinite numbers, which JSON does not know, are null."""
    with atomic_write(path, sync=sync) as stream:
        stream.write(_spelled(content))


def _spelled(content: Any) -> bytes:
    import orjson

    try:
        return orjson.dumps(content, plain, orjson.OPT_SERIALIZE_NUMPY)
    except TypeError:  # bytes of a name outside UTF-8, or keys that are no texts
        text = json.dumps(content, default=plain, ensure_ascii=False).encode(errors="replace")
        return orjson.dumps(json.loads(text))


def write_record(path: Path, record: Mapping[str, Any]) -> None:
    """Write a case's record: safe from killed processes at once, from power failures soon.

    The disk is waited for in a thread, so that the next case need not.
    """
    write_json(path, record, sync=False)
    _DISK.submit(_to_disk, path)


def _to_disk(path: Path) -> None:
    with contextlib.suppress(OSError), open(path, "rb") as stream:
        os.fsync(stream.fileno())


def read_record(path: Path) -> dict[str, Any] | None:
    """A case's record; None where there is none, or none that can be read."""
    import orjson

    try:
        record = orjson.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return record if isinstance(record, dict) and "status" in record else None
