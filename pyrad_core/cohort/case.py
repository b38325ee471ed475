"""One case in a worker: the verb, and the one record that says how it went."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import threads
from ..cli.common import collecting
from ..errors import PyradError
from ..io.files import existing
from .manifest import Manifest, read_record, write_record
from .table import Case
from .verbs import VERBS

__all__ = ["Done", "Job", "failure", "run_case", "run_cases", "standing"]

# Verbs filter warnings and set threads for the whole process.
_ONE_AT_A_TIME = threading.Lock()
_COMPANIONS = {".cfl": ".hdr", ".hdr": ".cfl", ".mhd": ".raw", ".img": ".hdr"}
_EXPECTED = (PyradError, OSError, MemoryError)


@dataclass(frozen=True)
class Job:
    """A case with all it needs to be computed elsewhere."""

    manifest: Manifest
    case: Case
    arguments: tuple[str, ...]
    previews: bool
    threads: int | None


@dataclass(frozen=True)
class Done:
    """How a case went: "ok", "kept" (an earlier run's result stands), "error" or "crashed"."""

    id: str
    status: str
    reason: str
    seconds: float


def run_cases(jobs: Sequence[Job], seconds: float) -> list[Done]:
    """Run the first of the jobs, as many as begin within so many seconds, at least one."""
    begun = time.perf_counter()
    found: list[Done] = []
    for job in jobs:
        if found and time.perf_counter() - begun >= seconds:
            break
        found.append(run_case(job))
    return found


def run_case(job: Job) -> Done:
    """Compute a case unless its result is there, and write its record."""
    started = time.perf_counter()

    def done(status: str, reason: str = "") -> Done:
        return Done(job.case.id, status, reason, time.perf_counter() - started)

    with _ONE_AT_A_TIME:
        if job.threads is not None and threads.num_threads() != job.threads:
            threads.set_num_threads(job.threads)
        try:
            inputs = _digests(job)
            key = _key(job, inputs)
            if _stands(job, key):
                return done("kept")
            record = {"id": job.case.id, "status": "ok", "reason": "", "key": key, "inputs": inputs}
            record |= _compute(job)
            write_record(job.manifest.record(job.case.id), record)
        except Exception as error:
            # A worker that a former run left behind may be at the same case, and end before.
            return done("kept") if standing(job) else done("error", _failed(job, error))
    return done("ok")


def standing(job: Job) -> bool:
    """Whether the case has a result, of the inputs as they are now."""
    try:
        return _stands(job, _key(job, _digests(job)))
    except (PyradError, OSError):
        return False


def failure(job: Job, status: str, reason: str) -> None:
    """Write the record of a case that has no result."""
    record = {"id": job.case.id, "status": status, "reason": reason, "key": None}
    write_record(job.manifest.record(job.case.id), record)


def _failed(job: Job, error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    reason = text if isinstance(error, _EXPECTED) else f"unexpected {type(error).__name__}: {text}"
    try:
        failure(job, "error", reason)
    except OSError as second:  # a full disk: the row tells it, an older record stays
        reason = f"{reason}; {second}"
    return reason


def _compute(job: Job) -> dict[str, Any]:
    """Run the verb as a command; its results, warnings and products."""
    verb = VERBS[job.manifest.verb]
    words = list(job.arguments)
    products: list[Path] = []
    if job.manifest.settings is not None:
        words += ["--settings", str(job.manifest.settings_file)]
    if verb.leaves == "image":
        products.append(job.manifest.product(job.case.id, ".nii.gz"))
    elif verb.leaves == "folder":
        products.append(job.manifest.product(job.case.id))
    paths = [*job.case.inputs.values(), *map(str, products)]
    if job.previews and verb.leaves != "values":
        products.append(job.manifest.product(job.case.id, ".png"))
        words += ["--preview", str(products[-1])]
    with collecting() as collected:
        verb.run([*words, "--force"], paths)
    record: dict[str, Any] = {"warnings": collected.warnings}
    if verb.leaves == "values":
        return record | _values(collected.results)
    names = [str(p.relative_to(job.manifest.out)) for p in products]
    results = {k: _flat(v) for k, v in collected.results.items() if not isinstance(v, Path)}
    return record | {"values": results, "files": names}


def _values(found: Any) -> dict[str, Any]:
    """Those that are undefined, NaN, become null in the record."""
    return {
        "values": dict(found),
        "undefined": dict(found.reasons),
        "provenance": dict(found.provenance),
    }


def _flat(value: Any) -> Any:
    """A result as one cell of a table."""
    if isinstance(value, (tuple, list)):
        return " x ".join(str(_flat(item)) for item in value)
    return value if isinstance(value, (str, int, float)) else str(value)


def _stands(job: Job, key: str) -> bool:
    record = read_record(job.manifest.record(job.case.id))
    if record is None or record["status"] != "ok" or record.get("key") != key:
        return False
    return all((job.manifest.out / name).exists() for name in record.get("files", ()))


# --- content hashes ------------------------------------------------------------------------------


def _key(job: Job, inputs: Mapping[str, str]) -> str:
    """Hash of all that decides the result: inputs, settings, options and version."""
    parts = {"run": job.manifest.digest, "inputs": inputs, "arguments": _without_paths(job)}
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _without_paths(job: Job) -> list[str]:
    """The case's options; files among them count by content, so that folders may be moved."""
    paths = set(_files(job).values())
    return [word for word in job.arguments if word not in paths]


def _files(job: Job) -> dict[str, str]:
    own = {n: job.case.options[n] for n in VERBS[job.manifest.verb].paths if n in job.case.options}
    return {**job.case.inputs, **own}


def _digests(job: Job) -> dict[str, str]:
    """Column -> SHA-256 of the file, of all files of a folder, or of a file and its companion."""
    files = {column: existing(path, folder_ok=True) for column, path in _files(job).items()}
    return {column: _digest(path) for column, path in files.items()}


def _digest(path: Path) -> str:
    parts = [path]
    if path.is_dir():
        parts = sorted(p for p in path.rglob("*") if p.is_file())
    elif (other := _COMPANIONS.get(path.suffix.lower())) and path.with_suffix(other).is_file():
        parts.append(path.with_suffix(other))
    if len(parts) == 1:
        return _sha256(parts[0])
    total = hashlib.sha256()
    for part in parts:
        total.update(f"{part.relative_to(path.parent)}\0{_sha256(part)}\n".encode())
    return total.hexdigest()


def _sha256(path: Path) -> str:
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
