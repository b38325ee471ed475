"""FDK of the cone problem, 128^3 and 256^3 from 360 views, against RTK on the CPU; its scaling.

The floor of the backprojection is 14 instructions of 512 bits per 16 updates at two per cycle of
3 GHz: position and its split into row and fraction (5), blend of two detector columns over a
window of two registers (4), two permutations, interpolation and sum (3).
"""

from __future__ import annotations

import numpy as np
import pytest

import pyrad_core as prc

from . import peers

CYCLES, CLOCK = 7 / 16, 3e9  # per update


@pytest.fixture(params=["one thread", "all threads"])
def our_threads(request, threads):
    count = 1 if request.param == "one thread" else threads
    with prc.set_num_threads(count):
        yield count


def floor_ms(geometry, volume, threads):
    return geometry.views * volume.size * CYCLES / CLOCK * 1e3 / threads


def ours(problem, threads, measure):
    measure(
        lambda: prc.ct.fdk(problem.projections, problem.geometry, problem.volume),
        threads=threads,
        quality=problem.quality,
        floor_ms=floor_ms(problem.geometry, problem.volume, threads),
    )


def rtk(problem, threads, measure):
    run = peers.rtk_fdk(problem.projections, problem.geometry, problem.volume, threads)
    measure(run, who="RTK", threads=threads, quality=problem.quality, warm_up=False)


@pytest.mark.benchmark(group="fdk 128^3 x 360 x 256^2")
class TestFdk128:
    def bench_fdk(self, cone_problem_128, our_threads, measure):
        ours(cone_problem_128, our_threads, measure)

    def bench_fdk_rtk(self, cone_problem_128, threads, measure):
        rtk(cone_problem_128, threads, measure)


@pytest.mark.benchmark(group="fdk 256^3 x 360 x 384^2")
class TestFdk256:
    def bench_fdk(self, cone_problem_256, our_threads, measure):
        ours(cone_problem_256, our_threads, measure)

    def bench_fdk_rtk(self, cone_problem_256, threads, measure):
        rtk(cone_problem_256, threads, measure)


@pytest.mark.benchmark(group="fdk scaling, 360 views")
class TestScaling:
    """The same field of view in finer voxels and pixels; noise, since only speed is looked at."""

    @pytest.mark.parametrize("size", [128, 256, 512])
    def bench_fdk(self, size, threads, measure):
        turn = np.linspace(0, 2 * np.pi, 360, endpoint=False)
        pixels = size * 3 // 2
        geometry = prc.ConeBeam(turn, (pixels, pixels), 460.8 / pixels, 1000.0, 1536.0)
        volume = prc.Volume((size,) * 3, 256 / size)
        rows = np.random.default_rng(0).standard_normal(geometry.projection_shape, np.float32)
        updates = geometry.views * volume.size
        measure(
            lambda: prc.ct.fdk(rows, geometry, volume),
            threads=threads,
            quality=f"{updates / 1e9:.2f} G updates",
            floor_ms=floor_ms(geometry, volume, threads),
        )


@pytest.mark.benchmark(group="helical fdk 64 x 256^2, 1440 views x 32 x 368")
class TestHelix:
    """Rebinning, filter and weighted backprojection; no peer has helical FBP on the CPU."""

    def bench_helix(self, our_threads, measure):
        angles = np.arange(-720, 720) * 2 * np.pi / 360
        beam = prc.ConeBeam(angles, (32, 368), (2.2, 2.6), 570.0, 1040.0, curved=True, pitch=40.0)
        volume = prc.Volume((64, 256, 256), (1.5, 1.6, 1.6))
        body = prc.phantom.Ellipsoids([[0.02, 150, 100, 500, 10, -5, 0, 0]])
        z, y, x = np.meshgrid(*volume.axes(), indexing="ij")
        inside = ((x - 10) / 140) ** 2 + ((y + 5) / 90) ** 2 < 1

        def amplitude(image):
            part = image[inside] / 0.02
            return f"mean {part.mean():.4f}, deviation {part.std():.4f}"

        rows = body.project(beam)
        measure(
            lambda: prc.ct.fdk(rows, beam, volume),
            threads=our_threads,
            quality=amplitude,
        )
