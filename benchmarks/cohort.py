"""Cohort runs: cost per case, memory, and what is left after processes are killed.

``python -m benchmarks.cohort scale [--cases 1000]`` compares a run of two workers with the sum of
the single cases; ``kill [--moments 20]`` kills client, worker and scheduler at random moments and
resumes; ``nodes`` compares one local cluster with two separate ones joined to a scheduler. Each
prints a table, and ``--save`` puts it beside those of ``benchmarks.report``.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from distributed import Client
from rich.console import Console

from pyrad_core import cohort, features, io, set_num_threads

from . import report

SETTINGS = {"discretisation": ["fbn", 32], "filters": {"original": {}, "wavelet": {}}}
QUICK = {"discretisation": ["fbn", 16], "families": ["first_order", "glcm"]}

Groups = dict[str, list[dict[str, Any]]]


def make_cases(folder: Path, count: int, side: int) -> Path:
    """Noise with a ball as region; a table of ``count`` cases."""
    rng = np.random.default_rng(0)
    grid = np.indices((side,) * 3) - (side - 1) / 2
    ball = (np.square(grid).sum(axis=0) < (0.35 * side) ** 2).astype(np.uint8)
    io.write_image(folder / "mask.nii.gz", ball, spacing=(1.0, 1.0, 1.0))
    lines = ["id,image,mask"]
    for number in range(count):
        noise = rng.normal(100, 30, ball.shape).astype(np.float32)
        io.write_image(folder / f"{number}.nii", noise, spacing=(1.0, 1.0, 1.0))
        lines.append(f"c{number},{number}.nii,mask.nii.gz")
    table = folder / "cases.csv"
    table.write_text("\n".join(lines) + "\n")
    return table


def single_cases(folder: Path, numbers: Sequence[int]) -> list[tuple[float, float]]:
    """(seconds, processor seconds) of each case, as a user's own loop computes it."""
    chosen = features.Settings(**SETTINGS)
    taken = []
    for number in (0, *numbers):  # the first one warms up
        start = time.perf_counter(), time.process_time()
        case = io.Case(folder / f"{number}.nii", folder / "mask.nii.gz")
        image, mask, label = case.load()
        features.extract(image, mask, label=label, settings=chosen)
        taken.append((time.perf_counter() - start[0], time.process_time() - start[1]))
    return taken[1:]


class Loops:
    """One loop and two at once, of processes that wait between measurements."""

    def __init__(self, folder: Path):
        self._folder, self._taken = folder, {1: [], 2: []}
        others = children()
        self._pool = multiprocessing.get_context("spawn").Pool(2, set_num_threads, (1,))
        self.processes = [process for process in children() if process not in others]

    def measure(self, numbers: Sequence[int]) -> None:
        for count, taken in self._taken.items():
            each = [(self._folder, numbers)] * count
            taken.append(np.mean(self._pool.starmap(single_cases, each, chunksize=1), axis=(0, 1)))

    def mean(self, count: int) -> tuple[float, float]:
        """(seconds, processor seconds) a case of so many loops at once."""
        seconds, processor = np.mean(self._taken[count], axis=0)
        return float(seconds), float(processor)

    def close(self) -> None:
        self._pool.terminate()


def children(besides: Sequence[psutil.Process] = ()) -> list[psutil.Process]:
    """Living processes below this one; takes milliseconds."""
    return [p for p in psutil.Process().children(recursive=True) if p not in besides]


def processor_time(processes: Sequence[psutil.Process]) -> float:
    """Seconds of this process and others."""
    return sum(sum(p.cpu_times()[:2]) for p in (psutil.Process(), *processes))


@contextlib.contextmanager
def paused(processes: Sequence[psutil.Process]) -> Iterator[None]:
    """Leave the processors to others."""
    for process in processes:
        process.suspend()
    try:
        yield
    finally:
        for process in processes:
            process.resume()


def scale(cases: int, side: int) -> Groups:
    """Wall time against the sum of single calls, and the workers' memory as the run goes on.

    The single case is one of a plain loop in a warm process with one thread; two such loops at once
    tell what the machine's processors give without Dask. Both are measured before and after the
    run, and while it is paused at each twentieth of its cases: processors of a shared host change
    their pace by a quarter within a minute.
    """
    with tempfile.TemporaryDirectory() as place, contextlib.ExitStack() as stack:
        folder = Path(place)
        table = make_cases(folder, cases, side)
        loops = stack.enter_context(contextlib.closing(Loops(folder)))
        memory: dict[int, int] = {}
        marks: list[tuple[float, float]] = []
        pauses = 0.0

        def mark(_: str = "") -> None:
            marks.append((time.perf_counter(), processor_time(children(loops.processes))))

        def compare(number: int) -> None:
            loops.measure(range(number, min(number + 10, cases)))

        def watch(done: object, number: int, total: int) -> None:
            nonlocal pauses
            if number in (cases // 10, cases):
                workers = children(loops.processes)
                memory[number] = max(w.memory_info().rss for w in workers) >> 20
            if number == total:
                mark()
            elif number % max(1, cases // 20) == 0:
                begun = time.perf_counter()
                with paused(children(loops.processes)):
                    compare(number)
                pauses += time.perf_counter() - begun

        compare(0)
        mark()
        outcome = cohort.run(
            table, settings=SETTINGS, out=folder / "out", workers=2, progress=watch, log=mark
        )
        end = time.perf_counter()
        compare(0)
    (single, single_cpu), (pair, pair_cpu) = loops.mean(1), loops.mean(2)
    ready, computed = marks[-2], marks[-1]
    wall = end - ready[0] - pauses
    cpu = (computed[1] - ready[1]) / cases
    title = f"cohort: features of {cases} cases of {side}^3, wavelets, two workers"
    assert outcome.computed == cases
    half = cases / 2 / wall
    shares = (
        f"{100 * half * single:.0f} % of a loop's pace, {100 * half * pair:.0f} % of two loops'"
    )
    overhead = f"overhead {1e3 * (2 * wall / cases - single):.1f} ms a case"
    held = " to ".join(f"{m} MiB after {n}" for n, m in memory.items())
    start = ready[0] - marks[0][0]
    around = f"tables {end - computed[0]:.1f} s; not in the time: start {start:.1f} s"
    load = f"load {os.getloadavg()[0]:.1f}"
    return {
        title: [
            row("pyrad_core", 2, 1e3 * wall / cases, f"{shares}; {overhead}; worker {held}"),
            row("pyrad_core, processor time", 2, 1e3 * cpu, f"{around}; {load}"),
            row("pyrad_core in a loop", 1, 1e3 * single, f"processor {1e3 * single_cpu:.1f} ms"),
            row("pyrad_core in two loops", 2, 1e3 * pair / 2, f"processor {1e3 * pair_cpu:.1f} ms"),
        ]
    }


def row(who: str, threads: int, ms: float | None, quality: str) -> dict[str, Any]:
    """A row of the tables of ``benchmarks.report``: milliseconds a case."""
    empty = dict.fromkeys(report.COLUMNS)
    return {**empty, "who": who, "threads": threads, "ms": ms, "quality": quality}


# --- faults --------------------------------------------------------------------------------------


class Cluster:
    """A scheduler and two workers as processes of their own."""

    def __init__(self, folder: Path):
        self.file = folder / f"scheduler-{time.monotonic_ns()}.json"
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        env = {**os.environ, "OMP_NUM_THREADS": "1"}
        address = ("--scheduler-file", str(self.file))
        self.scheduler = subprocess.Popen(
            [*_dask("scheduler"), *address, "--port", "0", "--dashboard-address", "127.0.0.1:0"],
            env=env, **quiet,
        )  # fmt: skip
        while not self.file.exists() or not self.file.read_text():
            time.sleep(0.05)
        self.address = json.loads(self.file.read_text())["address"]
        self.workers = [
            subprocess.Popen(
                [*_dask("worker"), *address, "--host", host, "--nthreads", "1", "--no-dashboard"],
                start_new_session=True, env=env, **quiet,
            )
            for host in ("127.0.0.2", "127.0.0.3")
        ]  # fmt: skip
        self.ready()

    def ready(self) -> None:
        """Wait for both workers, which may have been killed."""
        with Client(self.address) as client:
            client.wait_for_workers(2)

    def processes(self, worker: int) -> list[int]:
        """The process that computes: the child of the nanny."""
        nanny = psutil.Process(self.workers[worker].pid)
        return [p.pid for p in nanny.children() if "spawn_main" in " ".join(p.cmdline())]

    def processor_times(self) -> list[float]:
        """Seconds that each worker has computed."""
        pids = [pid for number in (0, 1) for pid in self.processes(number)]
        return [sum(psutil.Process(pid).cpu_times()[:2]) for pid in pids]

    def close(self) -> None:
        self.scheduler.kill()
        self.scheduler.wait()
        for nanny in self.workers:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(nanny.pid, signal.SIGKILL)
            nanny.wait()


def _dask(part: str) -> list[str]:
    return [sys.executable, "-m", f"distributed.cli.dask_{part}"]


@contextlib.contextmanager
def cluster_of(folder: Path) -> Iterator[Cluster]:
    made = Cluster(folder)
    try:
        yield made
    finally:
        made.close()


def client_of(table: Path, out: Path, settings: Path, address: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "pyrad_core", "cohort", str(table), "--out", str(out)]
    return subprocess.Popen(
        [*command, "--settings", str(settings), "--scheduler", address],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def reached(client: subprocess.Popen[bytes], out: Path, cases: int) -> None:
    """Wait until the run has its folder and so many cases are done, or its client has ended."""
    while client.poll() is None:
        if (out / "cases").exists() and len(list((out / "cases").glob("c*.json"))) >= cases:
            return
        time.sleep(0.005)


def records_of(out: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in (out / "cases").glob("[!.]*.json")}


def kill(moments: int, cases: int, targets: Sequence[str]) -> Groups:
    """Every record that exists after a kill is right, and the next run completes."""
    rng = random.Random(0)
    title = f"cohort: {cases} cases, processes killed (kill -9) at random moments, then resumed"
    rows = []
    with tempfile.TemporaryDirectory() as place, cluster_of(Path(place)) as healthy:
        folder = Path(place)
        table = make_cases(folder, cases, 24)
        settings = folder / "settings.yaml"
        settings.write_text(json.dumps(QUICK))
        cohort.run(table, settings=QUICK, out=folder / "reference", scheduler=healthy.address)
        reference = records_of(folder / "reference")
        assert len(reference) == cases, "the reference is not complete"
        for target in targets:
            left, waited = [], 0.0
            for moment in range(moments):
                out = folder / f"{target}-{moment}"
                with contextlib.ExitStack() as stack:
                    cluster = healthy
                    if target == "scheduler":
                        cluster = stack.enter_context(cluster_of(folder))
                    else:
                        healthy.ready()
                    client = client_of(table, out, settings, cluster.address)
                    reached(client, out, rng.randrange(cases))
                    time.sleep(rng.uniform(0, 0.1))
                    waited = max(waited, struck(target, cluster, client, rng))
                before = records_of(out)
                wrong = [n for n, text in before.items() if text != reference[n]]
                outcome = cohort.run(table, settings=QUICK, out=out, scheduler=healthy.address)
                missing = outcome.kept < len(before) or records_of(out) != reference
                if wrong or missing or list(out.glob("*/.*")):
                    raise SystemExit(f"{target} {moment}: {wrong or 'records differ'}")
                left.append(len(before))
                shutil.rmtree(out)
            done = f"{moments} kills with {min(left)} to {max(left)} cases done"
            quality = (
                f"{done}: none lost, none different, all completed; "
                f"the client ended within {waited:.0f} s"
            )
            rows.append(row(f"pyrad_core, {target} killed", 2, None, quality))
            print(rows[-1]["who"], quality, flush=True)
    return {title: rows}


def struck(
    target: str, cluster: Cluster, client: subprocess.Popen[bytes], rng: random.Random
) -> float:
    """Kill the target; seconds until the client has ended, which must not hang."""
    victims = {
        "client": [client.pid],
        "scheduler": [cluster.scheduler.pid],
        "worker": cluster.processes(rng.randrange(2)),
    }[target]
    start = time.perf_counter()
    for pid in victims:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    try:
        _, log = client.communicate(timeout=120)
    except subprocess.TimeoutExpired:
        raise SystemExit(f"{target}: the client hangs") from None
    if target == "worker" and client.returncode != 0:
        raise SystemExit(f"worker: exit code {client.returncode}: {log.decode()[-500:]}")
    return time.perf_counter() - start


def nodes(cases: int) -> Groups:
    """One local cluster, and two hosts (addresses of the loopback) that join a scheduler."""
    title = f"cohort: {cases} cases on one node, and on two that join a scheduler"
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        table = make_cases(folder, cases, 24)
        cohort.run(table, settings=SETTINGS, out=folder / "one", workers=1)
        with cluster_of(folder) as cluster:
            before = cluster.processor_times()
            cohort.run(table, settings=SETTINGS, out=folder / "two", scheduler=cluster.address)
            shares = np.subtract(cluster.processor_times(), before)
            assert shares.min() > 0.2 * shares.max(), "only one node took part"
        same = records_of(folder / "one") == records_of(folder / "two")
        tables = [(folder / n / "results.csv").read_bytes() for n in ("one", "two")]
        assert len(records_of(folder / "one")) == cases, "not all cases were computed"
        records, table_of = (
            "equal" if equal else "DIFFER" for equal in (same, len(set(tables)) == 1)
        )
    quality = f"records {records}, tables {table_of}, byte for byte"
    return {title: [row("pyrad_core", 2, None, quality)]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["scale", "kill", "nodes"])
    parser.add_argument("--cases", type=int)
    parser.add_argument("--side", type=int, default=32)
    parser.add_argument("--moments", type=int, default=20)
    parser.add_argument("--targets", default="client,worker,scheduler", help="of kill")
    parser.add_argument("--save", action="store_true", help="write to benchmarks/results")
    given = parser.parse_args()
    if given.what == "scale":
        groups = scale(given.cases or 1000, given.side)
    elif given.what == "kill":
        groups = kill(given.moments, given.cases or 300, given.targets.split(","))
    else:
        groups = nodes(given.cases or 40)
    console = Console(width=None if sys.stdout.isatty() else 160)
    for title, rows in groups.items():
        for entry in rows:
            entry["x ours"] = entry["ms"] and entry["ms"] / rows[0]["ms"]
        console.print(report.as_table(title, rows))
    if given.save:
        stem = report.results_stem()
        report.save(report.of_that_day(stem) | groups, len(os.sched_getaffinity(0)), stem)


if __name__ == "__main__":
    main()
