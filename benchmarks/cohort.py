"""Cohort runs: cost per case, memory, and what is left after processes are killed.

``python -m benchmarks.cohort scale [--cases 1000]`` compares a run of two workers with the sum of
the single cases; ``kill [--moments 20]`` kills client, worker and scheduler at random moments and
resumes; ``nodes`` compares one local cluster with two separate ones joined to a scheduler.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from distributed import Client

from pyrad_core import cohort, features, io, set_num_threads

SETTINGS = {"discretisation": ["fbn", 32], "filters": {"original": {}, "wavelet": {}}}
QUICK = {"discretisation": ["fbn", 16], "families": ["first_order", "glcm"]}


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


def scale(cases: int, side: int) -> None:
    """Wall time against the sum of single calls, and the workers' memory as the run goes on."""
    import psutil

    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        table = make_cases(folder, cases, side)
        chosen = features.Settings(**SETTINGS)
        sample = range(0, cases, max(1, cases // 100))
        set_num_threads(1)
        taken = []
        for number in (0, *sample):
            start = time.perf_counter()
            case = io.Case(folder / f"{number}.nii", folder / "mask.nii.gz")
            image, mask, label = case.load()
            features.extract(image, mask, label=label, settings=chosen)
            taken.append(time.perf_counter() - start)
        single = float(np.mean(taken[1:]))
        memory: dict[int, int] = {}

        def watch(done: object, number: int, total: int) -> None:
            if number in (cases // 10, cases):
                workers = psutil.Process().children(recursive=True)
                memory[number] = max(w.memory_info().rss for w in workers) >> 20

        marks: list[float] = []

        def mark(text: str) -> None:
            marks.append(time.perf_counter())

        outcome = cohort.run(
            table, settings=chosen, out=folder / "out", workers=2, progress=watch, log=mark
        )
        wall = time.perf_counter() - marks[-1]  # from the moment when the workers are ready
        ideal = cases * single / 2
        print(f"{cases} cases of {side}^3, {outcome.computed} computed")
        print(f"a single call {single * 1e3:.1f} ms")
        print(f"two workers {wall:.1f} s, half the sum {ideal:.1f} s: {100 * ideal / wall:.0f} %")
        print(f"overhead {1e3 * (2 * wall / cases - single):.1f} ms a case and worker")
        print("largest worker: " + ", ".join(f"{m} MiB after {n}" for n, m in memory.items()))


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
                [*_dask("worker"), *address, "--nthreads", "1", "--no-dashboard"],
                start_new_session=True, env=env, **quiet,
            )
            for _ in range(2)
        ]  # fmt: skip
        with Client(self.address) as client:
            client.wait_for_workers(2)

    def processes(self, worker: int) -> list[int]:
        """The process that computes: the child of the nanny."""
        import psutil

        nanny = psutil.Process(self.workers[worker].pid)
        return [p.pid for p in nanny.children() if "spawn_main" in " ".join(p.cmdline())]

    def close(self) -> None:
        for process in (self.scheduler, *self.workers):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(
                    process.pid, signal.SIGKILL
                ) if process in self.workers else process.kill()
            process.wait()


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


def records_of(out: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in (out / "cases").glob("[!.]*.json")}


def kill(moments: int, cases: int) -> None:
    """Every record that exists after a kill is right, and the next run completes."""
    rng = random.Random(0)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        table = make_cases(folder, cases, 24)
        settings = folder / "settings.yaml"
        settings.write_text(json.dumps(QUICK))
        with cluster_of(folder) as cluster:
            start = time.perf_counter()
            cohort.run(table, settings=QUICK, out=folder / "reference", scheduler=cluster.address)
            span = time.perf_counter() - start
        reference = records_of(folder / "reference")
        for target in ("client", "worker", "scheduler"):
            left, kept = [], 0
            for moment in range(moments):
                out = folder / f"{target}-{moment}"
                with cluster_of(folder) as cluster:
                    client = client_of(table, out, settings, cluster.address)
                    while not (out / "cases").exists() and client.poll() is None:
                        time.sleep(0.02)
                    time.sleep(rng.uniform(0, span))
                    victims = {
                        "client": [client.pid],
                        "scheduler": [cluster.scheduler.pid],
                        "worker": cluster.processes(rng.randrange(2)),
                    }[target]
                    for pid in victims:
                        with contextlib.suppress(ProcessLookupError):
                            os.kill(pid, signal.SIGKILL)
                    try:
                        client.communicate(timeout=120)
                    except subprocess.TimeoutExpired:
                        raise SystemExit(f"{target} {moment}: the client hangs") from None
                    if target == "worker" and client.returncode != 0:
                        raise SystemExit(f"worker {moment}: exit code {client.returncode}")
                before = records_of(out)
                wrong = [n for n, text in before.items() if text != reference[n]]
                with cluster_of(folder) as cluster:
                    outcome = cohort.run(table, settings=QUICK, out=out, scheduler=cluster.address)
                if wrong or records_of(out) != reference or outcome.kept < len(before):
                    raise SystemExit(f"{target} {moment}: {wrong or 'records differ'}")
                left.append(len(before))
                kept += outcome.kept
            print(
                f"{target} killed {moments} times with {min(left)} to {max(left)} of {cases} cases "
                f"done: none lost, none different, every run completed"
            )


def nodes(cases: int) -> None:
    """Two workers joined to a scheduler by its address, as two machines would, and one cluster."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        table = make_cases(folder, cases, 24)
        cohort.run(table, settings=SETTINGS, out=folder / "one", workers=1)
        with cluster_of(folder) as cluster:
            cohort.run(table, settings=SETTINGS, out=folder / "two", scheduler=cluster.address)
        same = records_of(folder / "one") == records_of(folder / "two")
        tables = [(folder / n / "results.csv").read_bytes() for n in ("one", "two")]
        records, table_of = (
            "equal" if equal else "DIFFER" for equal in (same, len(set(tables)) == 1)
        )
        print(f"{cases} cases: records {records}, tables {table_of}, byte for byte")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["scale", "kill", "nodes"])
    parser.add_argument("--cases", type=int)
    parser.add_argument("--side", type=int, default=32)
    parser.add_argument("--moments", type=int, default=20)
    given = parser.parse_args()
    if given.what == "scale":
        scale(given.cases or 1000, given.side)
    elif given.what == "kill":
        kill(given.moments, given.cases or 40)
    else:
        nodes(given.cases or 40)


if __name__ == "__main__":
    main()
