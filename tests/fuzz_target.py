"""What one damaged file may do to a reader, and how it is found out."""

from __future__ import annotations

import faulthandler
import json
import resource
import signal
import tempfile
import time
import traceback
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from fuzz_formats import Format
from fuzz_hdf5 import write_canary

from pyrad_core.errors import PyradError

CAP = 1_000_000  # bytes that a reader may give
MARGIN = 768 << 20  # bytes of addresses that libraries may take beside it
PEAK = 64 << 20  # bytes of memory that reading one file may take
SLOW = 10.0  # seconds of processor time
EVERY = 2.0  # seconds between two counts in the report
_CANARY = np.full(2, 1234.5, np.float32).tobytes()


class Finding(Exception):
    """What a reader did wrong."""


class Target:
    """One format: takes the bytes of a damaged file. Findings go to the report, once each."""

    def __init__(self, name: str, kind: Format, report: Path, kept: Path):
        self.name, self.kind, self.report, self.kept = name, kind, report, kept
        self.folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
        self.file = kind.write(self.folder)
        if "h5py" in kind.needs:
            write_canary(self.folder)
        (self.folder / "canary.bin").write_bytes(_CANARY * 4096)
        self.given = kind.target(self.file)
        self.seed = self.file.read_bytes()
        self.last = report.with_name("last")
        self.files = self.read = 0
        self.known: set[str] = set()
        self.counted = 0.0
        assert kind.reader(self.given, max_bytes=CAP) is not None
        self._status = open("/proc/self/status", encoding="ascii")  # noqa: SIM115
        faulthandler.register(signal.SIGPROF, all_threads=False, chain=True)

    def __call__(self, content: bytes) -> None:
        self.file.write_bytes(content)
        self.last.write_bytes(content)
        self.files += 1
        signal.setitimer(signal.ITIMER_PROF, SLOW)  # dumps the stack and ends the process
        before = self._memory(reset=True)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self._read()
        except BaseException as error:
            self._report(error, content)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
        grown = self._memory() - before
        if grown > PEAK:
            self._report(Finding(f"took {grown >> 20} MiB"), content)
        if time.monotonic() > self.counted + EVERY:
            self._write({"files": self.files, "read": self.read})
            self.counted = time.monotonic()

    def _read(self) -> None:
        try:
            found = self.kind.reader(self.given, max_bytes=CAP)
        except PyradError as error:
            if not str(error):
                raise Finding("an error without words") from error
            if _ran_out(error):
                raise Finding("ran out of memory") from error
            return
        self.read += 1
        for array in _arrays(found):
            if array.nbytes > 8 * CAP:
                raise Finding(f"gave {array.nbytes} bytes")
            if array.dtype.kind == "f" and _CANARY in array.tobytes():
                raise Finding("gave values of another file")

    def _memory(self, reset: bool = False) -> int:
        """The most memory since the last reset, which may be now."""
        if reset:
            Path("/proc/self/clear_refs").write_text("5")
        self._status.seek(0)
        content = self._status.read()
        return int(content[content.index("VmHWM:") + 6 :].split()[0]) << 10

    def _report(self, error: BaseException, content: bytes) -> None:
        """One finding for each kind of error and place that raised it."""
        first = error
        while first.__cause__ is not None:
            first = first.__cause__
        frames = traceback.extract_tb(first.__traceback__)
        ours = [f for f in frames if "pyrad_core" in f.filename] or frames
        at = f" at {Path(ours[-1].filename).name}:{ours[-1].name}" if ours else ""
        kind = f"{type(error).__name__}{at}"
        if kind in self.known:
            return
        self.known.add(kind)
        self.kept.mkdir(parents=True, exist_ok=True)
        name = f"{self.name.replace(' ', '-')}-{zlib.crc32(content):08x}{self.file.suffix}"
        (self.kept / name).write_bytes(content)
        text = f"{kind}: {str(error)[:200]}"
        self._write({"finding": text, "kept": str(self.kept / name)})

    def _write(self, content: dict[str, Any]) -> None:
        with open(self.report, "a", encoding="utf-8") as stream:
            stream.write(json.dumps(content) + "\n")


def limit_memory() -> None:
    with open("/proc/self/statm", encoding="ascii") as file:
        now = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + MARGIN, now + MARGIN))


def _ran_out(error: BaseException | None) -> bool:
    """Whether an error hides that memory could not be had."""
    while error is not None:
        words = str(error).lower()
        if isinstance(error, MemoryError) or "bad_alloc" in words or "unable to allocate" in words:
            return True
        if "memory allocation" in words or "failed to allocate" in words:
            return True
        error = error.__cause__ or error.__context__
    return False


def _arrays(found: Any) -> list[np.ndarray]:
    """Everything that a reader gave as an array."""
    values = [
        getattr(found, name, None) for name in ("data", "coordinates", "flat", "dark", "mask")
    ]
    return [v for v in values if isinstance(v, np.ndarray)]
