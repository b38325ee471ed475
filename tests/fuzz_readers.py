"""Fuzz the readers: ``python tests/fuzz_readers.py [FORMAT ...] [--seconds 600] [--guided]``.

Every format is read in a process of its own, which is started again when it dies. Files are
damaged by the format's structure and at random; with ``--guided`` (``pip install atheris``)
coverage chooses what is damaged further. Findings are: any exception but PyradError, a process that
dies, more than ten seconds of processor time for one file, memory beyond the cap, and values of a
file that was not named. The damaged files are kept in build/fuzz; the last line of each format is
a row of a table: format, way, seconds, files, files that could be read, findings, date.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import types
from pathlib import Path
from typing import Any

from fuzz_formats import FORMATS
from fuzz_hdf5 import Pool, write_pool
from fuzz_target import Target, limit_memory

KEPT = Path("build") / "fuzz"
_COUNTED = ("pyrad_core.io", "twixtools", "nibabel.nifti", "tifffile.tifffile", "zipfile")
STUCK = 120.0  # seconds without a new file, beside the limit on processor time


def by_chance(target: Target, seconds: float, seed: int) -> None:
    rng, end = random.Random(seed), time.monotonic() + seconds
    damage = Pool(target.name) if "h5py" in target.kind.needs else target.kind.damage
    while time.monotonic() < end:
        target(damage(target.seed, rng))


def by_coverage(target: Target, seconds: float, seed: int) -> None:
    import atheris

    corpus = Path(tempfile.mkdtemp(prefix="corpus-"))
    (corpus / "whole").write_bytes(target.seed)

    def mutate(data: bytes, most: int, number: int) -> bytes:
        if number % 2 or "h5py" in target.kind.needs:
            return atheris.Mutate(data, most)
        try:
            return target.kind.damage(data, random.Random(number))[:most]
        except Exception:  # too damaged to be taken apart
            return atheris.Mutate(data, most)

    if "h5py" in target.kind.needs:
        pool = Pool(target.name)
        pool(target.seed, random.Random(seed))
        for i, content in enumerate(pool.files):
            (corpus / f"{i}").write_bytes(content)
    words = [sys.argv[0], str(corpus), f"-max_total_time={int(seconds)}", "-verbosity=0"]
    words += [f"-max_len={max(4 * len(target.seed), 100_000)}", f"-seed={seed + 1}"]
    _instrument(atheris)
    atheris.Setup([*words, "-rss_limit_mb=0", "-timeout=0"], target, custom_mutator=mutate)
    atheris.Fuzz()


def _instrument(atheris: Any) -> None:
    """Count the branches of the readers and of the packages that parse in Python."""
    for name, module in list(sys.modules.items()):
        if not name.startswith(_COUNTED):
            continue
        classes = [c for c in vars(module).values() if isinstance(c, type)]
        for holder in (module, *(c for c in classes if c.__module__ == name)):
            for function in list(vars(holder).values()):
                if isinstance(function, types.FunctionType) and function.__module__ == name:
                    atheris.instrument_func(function)


def child(name: str, seconds: float, seed: int, guided: bool, report: Path) -> None:
    target = Target(name, FORMATS[name], report, KEPT)
    limit_memory()
    (by_coverage if guided else by_chance)(target, seconds, seed)


def campaign(name: str, seconds: float, seed: int, guided: bool) -> int:
    """All processes of one format; prints the findings and the row, and gives their number."""
    report = Path(tempfile.mkdtemp(prefix="fuzz-")) / "report"
    begin, died, files, read = time.monotonic(), [], 0, 0
    known: set[str] = set()
    while (left := seconds - (time.monotonic() - begin)) > 1:
        report.write_text("")
        words = [sys.executable, __file__, name, "--report", str(report), "--seconds", str(left)]
        words += ["--seed", str(seed), *(["--guided"] if guided else [])]
        code = _watched(words, report)
        content = [json.loads(line) for line in report.read_text().splitlines()]
        files += max((c["files"] for c in content if "files" in c), default=0)
        read += max((c["read"] for c in content if "files" in c), default=0)
        for finding in (c for c in content if "finding" in c):
            if finding["finding"] not in known:
                known.add(finding["finding"])
                print(f"{name}: {finding['finding']}\n  {finding['kept']}", flush=True)
        if code:
            died.append(_keep_last(name, report, code))
            print(f"{name}: {died[-1]}", flush=True)
            if len(died) >= 50 or not files:
                break
        seed += 1
    took, today = time.monotonic() - begin, datetime.date.today()
    count = len(known) + len(died)
    way = "guided" if guided else "by chance"
    print(f"| {name} | {way} | {took:.0f} | {files} | {read} | {count} | {today} |", flush=True)
    return count


def _watched(words: list[str], report: Path) -> int:
    """The exit status of a process that goes on writing its report."""
    process, seen, since = subprocess.Popen(words), -1, time.monotonic()
    while True:
        try:
            return process.wait(5)
        except subprocess.TimeoutExpired:
            size = report.stat().st_mtime_ns
            if size != seen:
                seen, since = size, time.monotonic()
            elif time.monotonic() - since > STUCK:
                process.kill()
                process.wait()
                return -signal.SIGALRM


def _keep_last(name: str, report: Path, code: int) -> str:
    """The file that was being read when the process died."""
    reasons = {-signal.SIGPROF: "hangs", -signal.SIGALRM: "hangs", 70: "hangs"}
    why = reasons.get(code, f"the process ended with {code}")
    last = report.with_name("last")
    if not last.exists():
        return why
    KEPT.mkdir(parents=True, exist_ok=True)
    kept = KEPT / f"{name.replace(' ', '-')}-died-{time.time_ns() % 10**9}"
    kept.write_bytes(last.read_bytes())
    return f"{why}\n  {kept}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("formats", nargs="*", metavar="FORMAT", help=", ".join(FORMATS))
    parser.add_argument("--seconds", type=float, default=60.0, help="for each format")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--guided", action="store_true", help="by atheris")
    parser.add_argument("--report", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--pool", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.pool:
        folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
        whole, pool = FORMATS[given.formats[0]].write(folder).read_bytes(), given.pool.resolve()
        os.chdir(folder)  # storage outside a file is written beside the process
        limit_memory()
        write_pool(whole, pool, given.seed)
        return 0
    if given.report:
        child(given.formats[0], given.seconds, given.seed, given.guided, given.report)
        return 0
    names = given.formats or list(FORMATS)
    found = sum(campaign(n, given.seconds, given.seed, given.guided) for n in names)
    print(f"{found} findings" if found else "nothing found")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
