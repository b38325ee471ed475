"""What the bench files share: the timing fixture and the problems' data."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

import numpy as np
import pytest

import pyrad_core as prc
from pyrad_core import phantom

from .cone_problem import ConeProblem

_ROUNDS = 5
_SPENT = 5.0  # seconds; fewer rounds where five would take longer


@pytest.fixture(scope="session")
def threads() -> int:
    """Threads to give to every entry that can use more than one."""
    return int(os.environ.get("PYRAD_BENCH_THREADS") or prc.num_threads())


@pytest.fixture
def with_threads(threads):
    """``with_threads(1)`` runs our entry on so many threads, ``None``: on all that it may have."""

    def use(count: int | None) -> int:
        used = threads if count is None else count
        if count is not None and threads == count and count != 1:
            pytest.skip("the same as all threads")
        prc.set_num_threads(used)
        return used

    yield use
    prc.set_num_threads(threads)


@pytest.fixture
def measure(benchmark):
    """Time one entry: ``measure(run, who="peer", threads=1, quality=rmse_of)``.

    ``run`` takes nothing and returns the answer; what is not to be timed happens before. It runs
    once to warm up, when its memory is read off as well, then up to five times (less often where it
    takes long, once under --quick). An entry of many seconds may do without: ``warm_up=False``.
    ``quality`` turns the answer into text; ``floor_ms`` is the time that memory or arithmetic
    alone would take, given for our entries. Returns the answer.
    """

    def run_entry(run, *, who="pyrad_core", threads=1, quality=None, floor_ms=None, warm_up=True):
        if warm_up:
            with _PeakMemory() as memory:
                start = time.perf_counter()
                answer = run()
                seconds = time.perf_counter() - start
            quick = bool(os.environ.get("PYRAD_BENCH_QUICK"))
            rounds = 1 if quick else min(max(int(_SPENT / seconds), 1), _ROUNDS)
            benchmark.pedantic(run, rounds=rounds, iterations=1)
        else:
            with _PeakMemory() as memory:
                answer = benchmark.pedantic(run, rounds=1, iterations=1)
        benchmark.extra_info.update(
            who=who,
            threads=threads,
            quality=quality(answer) if callable(quality) else quality or "",
            peak_mib=memory.mib,
        )
        if floor_ms is not None:
            benchmark.extra_info["floor_ms"] = round(float(floor_ms), 3)
        return answer

    return run_entry


class _PeakMemory:
    """Growth of the resident set to its peak within the block, where the kernel tells."""

    mib: float | None = None

    def __enter__(self):
        try:
            Path("/proc/self/clear_refs").write_text("5")
            self._before = _status("VmRSS")
        except OSError:
            self._before = None
        return self

    def __exit__(self, *_):
        if self._before is not None:
            self.mib = round((_status("VmHWM") - self._before) / 1024, 1)


def _status(field: str) -> int:
    text = Path("/proc/self/status").read_text()
    return int(re.search(rf"^{field}:\s+(\d+) kB", text, re.M).group(1))


class ParallelProblem:
    """2D parallel beam: 512 x 512 voxels, 720 views of 736 pixels, closed-form sinogram."""

    def __init__(self, *, integer_centre: bool = False):
        # scikit-image rotates about pixel n // 2, everyone else about (n - 1) / 2
        shift = -0.5 if integer_centre else 0.0
        angles = np.arange(720) * np.pi / 720
        self.geometry = prc.ParallelBeam(angles, 736, 1.0, offset=shift)
        self.volume = prc.Volume((512, 512), 1.0, (-255.5 + shift,) * 2)
        head = phantom.shepp_logan(2, radius=0.95 * 256)
        self.sinogram = head.project(self.geometry)
        self.truth = head.raster(self.volume)
        y, x = np.meshgrid(*self.volume.axes(), indexing="ij")
        self.inside = np.hypot(x, y) < 0.98 * 256

    def quality(self, image) -> str:
        return f"rmse {rmse(image[self.inside], self.truth[self.inside]):.4f}"


def rmse(a, b) -> float:
    return float(np.sqrt(np.mean((np.asarray(a, np.float64) - b) ** 2)))


@pytest.fixture(scope="session")
def parallel_problem() -> ParallelProblem:
    return ParallelProblem()


@pytest.fixture(scope="session")
def parallel_problem_integer_centre() -> ParallelProblem:
    return ParallelProblem(integer_centre=True)


@pytest.fixture(scope="session")
def cone_problem_128() -> ConeProblem:
    return ConeProblem(128)


@pytest.fixture(scope="session")
def cone_problem_256() -> ConeProblem:
    return ConeProblem(256)
