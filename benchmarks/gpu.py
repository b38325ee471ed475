"""Build, test and time the CUDA kernels on a machine with a GPU; one JSON of results.

    python benchmarks/gpu.py                # on the GPU machine, in a source tree
    python benchmarks/gpu.py --emulated     # dry run without a GPU: tiny sizes, no times

Needs Python, a C++ compiler, CUDA with CuPy, pybind11, cmake, ninja, pytest and the packages that
``import pyrad_core`` needs; no network. The steps: build in place, ``pytest -m gpu``, copy
bandwidth of the device, every case of ``gpu_cases.py``. Times are medians of CUDA events around a
call that takes arrays on the device and leaves its answer there; the first call, which compiles,
is not counted. ``share`` is the traffic no implementation can avoid (inputs read once, results
written once) over time, as a share of the bandwidth that a plain copy reaches. ``kernels`` lists
the CUDA kernels that one call launches, how often, and their milliseconds together.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import json
import re
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
if not __package__:
    sys.path.insert(0, str(ROOT))

ROUNDS = 20
COPY_BYTES = 1 << 30


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("cases", nargs="*", help="beginnings of case names; default all")
    parser.add_argument("--emulated", action="store_true", help="tiny sizes on the CPU emulator")
    parser.add_argument("--no-build", action="store_true")
    parser.add_argument("--no-tests", action="store_true")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results")
    options = parser.parse_args(arguments)
    if not (options.no_build or options.emulated):
        build()
    results = describe_emulator() if options.emulated else describe_gpu()
    if not (options.no_tests or options.emulated):
        results["tests"] = run_tests()
    copy = results.get("copy_gb_per_s")
    results["cases"] = run_cases(options.cases, options.emulated, copy)
    path = write(results, options.out)
    print(f"wrote {path}")
    failed = [case["name"] for case in results["cases"] if "failed" in case]
    tests_failed = results.get("tests", {}).get("status", 0)
    return 1 if failed or tests_failed else 0


def build() -> None:
    command = [sys.executable, "setup.py", "-q", "build_ext", "--inplace"]
    subprocess.run(command, cwd=ROOT, check=True)


def run_tests() -> dict[str, Any]:
    """Counts of ``pytest -m gpu``, and the lines that name what failed."""
    command = [sys.executable, "-m", "pytest", "-m", "gpu", "-q", "--continue-on-collection-errors"]
    begin = time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    print(done.stdout[-6000:], done.stderr[-2000:])
    counts = re.findall(
        r"(\d+) (passed|failed|skipped|errors?)", done.stdout.rstrip().split("\n")[-1]
    )
    return {
        "status": done.returncode,
        "seconds": round(time.perf_counter() - begin, 1),
        **{kind.rstrip("s") if kind == "errors" else kind: int(n) for n, kind in counts},
        "not_passed": re.findall(r"^(?:FAILED|ERROR) .*", done.stdout, re.M),
    }


def describe_emulator() -> dict[str, Any]:
    return {**_when(), "device": "emulated"}


def describe_gpu() -> dict[str, Any]:
    import cupy

    runtime = cupy.cuda.runtime
    properties = runtime.getDeviceProperties(cupy.cuda.Device().id)
    return {
        **_when(),
        "device": properties["name"].decode(),
        "compute_capability": f"{properties['major']}.{properties['minor']}",
        "driver": runtime.driverGetVersion(),
        "cuda": runtime.runtimeGetVersion(),
        "cupy": cupy.__version__,
        "copy_gb_per_s": round(copy_bandwidth(cupy), 1),
    }


def _when() -> dict[str, Any]:
    git = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    return {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "commit": git.stdout.strip() or None,
        "python": sys.version.split()[0],
    }


def copy_bandwidth(cupy: Any) -> float:
    """GB/s of a copy within the device's memory, reads and writes counted."""
    source = cupy.ones(COPY_BYTES, np.uint8)
    target = cupy.empty_like(source)
    ms = median(time_on_gpu(cupy, lambda: cupy.copyto(target, source)))
    return 2 * COPY_BYTES / ms / 1e6


def time_on_gpu(cupy: Any, call: Any) -> list[float]:
    """Milliseconds of each round, by events on the current stream."""
    call()
    call()
    times = []
    for _ in range(ROUNDS):
        begin, end = cupy.cuda.Event(), cupy.cuda.Event()
        begin.record()
        call()
        end.record()
        end.synchronize()
        times.append(cupy.cuda.get_elapsed_time(begin, end))
    return times


def run_cases(names: list[str], emulated: bool, copy: float | None) -> list[dict[str, Any]]:
    from benchmarks.gpu_cases import CASES

    chosen = [n for n in CASES if not names or any(n.startswith(name) for name in names)]
    rows = []
    for name in chosen:
        try:
            row = run_case(name, emulated, copy)
        except Exception as error:  # one bad kernel must not cost the others' results
            traceback.print_exc()
            row = {"name": name, "failed": f"{type(error).__name__}: {error}"[:2000]}
        print(json.dumps(row))
        rows.append(row)
    return rows


def run_case(name: str, emulated: bool, copy: float | None = None) -> dict[str, Any]:
    """Compare one case with the CPU and, on a GPU, time it."""
    from benchmarks.gpu_cases import CASES
    from pyrad_core._kernels import cpu

    problem = CASES[name](emulated)
    begin = time.perf_counter()
    expected = problem.run(cpu, _copies(problem.arrays))
    cpu_ms = 1e3 * (time.perf_counter() - begin)
    row = {"name": name, "problem": problem.text, "bytes": problem.bytes}
    if emulated:
        got = _run_emulated(problem, row)
    else:
        got = _run_on_gpu(problem, row)
        row["cpu_ms"] = round(cpu_ms, 3)
        if copy:
            row["share"] = round(problem.bytes / (row["ms"] * 1e6) / copy, 3)
    row["error"] = relative_error(got, expected)
    if not row["error"] <= problem.tolerance:
        row["failed"] = f"error {row['error']:.2e} against the CPU, allowed {problem.tolerance:.0e}"
    return row


def _copies(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {key: array.copy() for key, array in arrays.items()}


def _run_emulated(problem: Any, row: dict[str, Any]) -> Any:
    from pyrad_core._kernels import cuda, select

    with select.emulated(), recorded_launches() as launches:
        got = problem.run(cuda, _copies(problem.arrays))
    row["kernels"] = {kernel: {"launches": len(events)} for kernel, events in launches.items()}
    return got


def _run_on_gpu(problem: Any, row: dict[str, Any]) -> Any:
    import cupy

    from pyrad_core._kernels import cuda

    device = {key: cupy.asarray(array) for key, array in problem.arrays.items()}
    got = [cupy.asnumpy(part) for part in _parts(problem.run(cuda, device))]
    times = time_on_gpu(cupy, lambda: problem.run(cuda, device))
    row |= {"ms": round(median(times), 4), "ms_min": round(min(times), 4)}
    with recorded_launches(cupy) as launches:
        problem.run(cuda, device)
        cupy.cuda.Device().synchronize()
    row["kernels"] = {
        kernel: {
            "launches": len(events),
            "ms": round(sum(cupy.cuda.get_elapsed_time(*pair) for pair in events), 4),
        }
        for kernel, events in launches.items()
    }
    device.clear()
    cupy.get_default_memory_pool().free_all_blocks()
    return got


@contextlib.contextmanager
def recorded_launches(cupy: Any = None) -> Iterator[dict[str, list[Any]]]:
    """Kernel name -> one entry per launch within the block: the events before and after it."""
    from pyrad_core._kernels.cuda import runtime

    launch, seen = runtime.launch, {}

    def recording(source: str, kernel: str, *args: Any, **keywords: Any) -> None:
        begin, end = (cupy.cuda.Event(), cupy.cuda.Event()) if cupy else (None, None)
        if cupy:
            begin.record()
        launch(source, kernel, *args, **keywords)
        if cupy:
            end.record()
        seen.setdefault(kernel, []).append((begin, end))

    runtime.launch = recording
    try:
        yield seen
    finally:
        runtime.launch = launch


def _parts(result: Any) -> list[Any]:
    if isinstance(result, Mapping):
        return [part for value in result.values() for part in _parts(value)]
    if isinstance(result, (tuple, list)):
        return [part for value in result for part in _parts(value)]
    return [result]


def relative_error(got: Any, expected: Any) -> float:
    """Largest relative L2 error of the parts; infinite unless NaN stands in the same places."""
    worst = 0.0
    for ours, truth in zip(_parts(got), _parts(expected), strict=True):
        truth, ours = np.asarray(truth), np.asarray(ours)
        if truth.shape != ours.shape or not np.array_equal(np.isfinite(truth), np.isfinite(ours)):
            return float("inf")
        inside = np.isfinite(truth)
        wide = np.complex128 if truth.dtype.kind == "c" else np.float64
        truth, ours = truth[inside].astype(wide), ours[inside].astype(wide)
        scale = np.linalg.norm(truth) or 1.0
        worst = max(worst, float(np.linalg.norm(ours - truth) / scale))
    return worst


def write(results: dict[str, Any], folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    device = re.sub(r"[^a-z0-9]+", "-", results["device"].lower()).strip("-")
    path = folder / f"gpu-{device}-{results['date'][:10]}.json"
    path.write_text(json.dumps(results, indent=1) + "\n")
    return path


if __name__ == "__main__":
    sys.exit(main())
