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

_SLOW = 4.0  # seconds; above it one run has to do
_ROUNDS = 5


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
    once to warm up, when its memory is read off as well, then up to five times (once where it
    takes long, and under --quick). An entry of many seconds may do without: ``warm_up=False``.
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
            rounds = 1 if quick or seconds > _SLOW else _ROUNDS
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


class RadialProblem:
    """12 coils, 256 x 256, radial: 402 spokes of 512 samples, random complex data."""

    def __init__(self, spokes: int = 402):
        angles = np.arange(spokes) * np.pi / spokes
        radius = (np.arange(512) - 256) / 512 * 256  # cycles per field of view
        direction = np.stack([np.sin(angles), np.cos(angles)], axis=-1)
        self.shape = (256, 256)
        self.coordinates = (direction[:, None] * radius[:, None]).astype(np.float32)
        rng = np.random.default_rng(0)
        self.images = _complex(rng, (12, *self.shape))
        self.samples = _complex(rng, (12, *self.coordinates.shape[:-1]))
        self._some = rng.choice(self.coordinates.size // 2, 400, replace=False)
        self._reference: np.ndarray | None = None

    def quality(self, samples) -> str:
        """Relative error on 400 samples against the direct sum in double precision."""
        if self._reference is None:
            k = self.coordinates.reshape(-1, 2)[self._some].astype(np.float64)
            n = np.arange(256) - 128
            rows, columns = (np.exp(-2j * np.pi / 256 * k[:, d, None] * n) for d in (0, 1))
            images = self.images.astype(np.complex128)
            self._reference = np.einsum("sy,cyx,sx->cs", rows, images, columns, optimize=True) / 256
        got = np.asarray(samples).reshape(12, -1)[:, self._some]
        error = np.linalg.norm(got - self._reference) / np.linalg.norm(self._reference)
        return f"error {error:.1e}"


def rmse(a, b) -> float:
    return float(np.sqrt(np.mean((np.asarray(a, np.float64) - b) ** 2)))


def _complex(rng, shape):
    return (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)).astype(np.complex64)


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


@pytest.fixture(scope="session")
def radial_problem() -> RadialProblem:
    return RadialProblem()
