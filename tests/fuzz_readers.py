"""Fuzz the readers: ``python tests/fuzz_readers.py [FORMAT ...] [--seconds 600]``.

Every format runs in a process of its own. With ``--guided`` (``pip install atheris``) changes are
guided by coverage, else bytes are changed at random. A failure is any exception but PyradError, a
crash, an answer after more than ten seconds, or memory beyond the cap; the damaged file is kept in
build/fuzz or, after a crash, in the folder that was named.
"""

from __future__ import annotations

import argparse
import faulthandler
import random
import resource
import subprocess
import sys
import tempfile
import time
import warnings
import zlib
from pathlib import Path

from fuzz_seeds import FORMATS, Format, mutated

from pyrad_core.errors import PyradError

CAP = 1_000_000  # bytes that a reader may give
MARGIN = 1 << 30  # bytes that libraries may take beside it
SLOW = 10.0
KEPT = Path("build") / "fuzz"


class Target:
    """One format: takes the bytes of a damaged file."""

    def __init__(self, name: str, kind: Format):
        self.name, self.kind = name, kind
        self.folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
        self.file = kind.write(self.folder)
        self.given = kind.target(self.file)
        self.seed = self.file.read_bytes()
        self.runs = self.read = 0
        self.kind.reader(self.given, max_bytes=CAP)

    def __call__(self, content: bytes) -> None:
        self.file.write_bytes(content)
        self.runs += 1
        faulthandler.dump_traceback_later(SLOW, exit=True)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self.kind.reader(self.given, max_bytes=CAP)
            self.read += 1
        except PyradError as error:
            assert str(error)
        except BaseException:
            print(f"{self.name}: {self.keep(content)}", flush=True)
            raise
        finally:
            faulthandler.cancel_dump_traceback_later()

    def keep(self, content: bytes) -> Path:
        KEPT.mkdir(parents=True, exist_ok=True)
        name = f"{self.name.replace(' ', '-')}-{zlib.crc32(content):08x}{self.file.suffix}"
        path = KEPT / name
        path.write_bytes(content)
        return path


def limit_memory() -> None:
    with open("/proc/self/statm", encoding="ascii") as file:
        now = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + MARGIN, now + MARGIN))


def by_chance(target: Target, seconds: float, seed: int) -> None:
    rng, end = random.Random(seed), time.monotonic() + seconds
    while time.monotonic() < end:
        target(mutated(target.seed, rng))


def by_coverage(target: Target, seconds: float) -> None:
    import atheris

    corpus = Path(tempfile.mkdtemp(prefix="corpus-"))
    (corpus / "whole").write_bytes(target.seed)
    words = [sys.argv[0], str(corpus), f"-max_total_time={int(seconds)}", "-verbosity=0"]
    atheris.instrument_all()
    atheris.Setup([*words, f"-max_len={4 * len(target.seed)}", "-rss_limit_mb=4096"], target)
    atheris.Fuzz()


def one(name: str, seconds: float, seed: int, guided: bool) -> None:
    target = Target(name, FORMATS[name])
    print(f"{name}: in {target.folder}", flush=True)
    if guided:
        by_coverage(target, seconds)
    else:
        limit_memory()
        by_chance(target, seconds, seed)
        print(f"{name}: {target.runs} damaged files, {target.read} could be read", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("formats", nargs="*", metavar="FORMAT", help=", ".join(FORMATS))
    parser.add_argument("--seconds", type=float, default=60.0, help="for each format")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--guided", action="store_true", help="by atheris")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.here:
        one(given.formats[0], given.seconds, given.seed, given.guided)
        return 0
    failed = []
    for name in given.formats or FORMATS:
        words = [sys.executable, __file__, name, "--here", "--seconds", str(given.seconds)]
        words += ["--seed", str(given.seed), *(["--guided"] if given.guided else [])]
        if subprocess.run(words).returncode:
            failed.append(name)
    print("failed: " + ", ".join(failed) if failed else "nothing found")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
