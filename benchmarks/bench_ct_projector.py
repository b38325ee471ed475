"""Matched 3D Joseph pair on circular cone beams, against RTK's (all threads).

Problem: 360 views of 256 x 256 through 128^3 voxels. A ray crosses 128 planes; sixteen rays of a
detector column cost nine vector instructions per plane (position, two permutations, interpolation),
two per cycle of 3 GHz: the floor. Errors are against the closed form, where the rasterised phantom
dominates. The scaling problems have half and a quarter of the voxel size and fewer views; times
over updates (voxels x views) are what to compare.
"""

from __future__ import annotations

import numpy as np
import pytest

import pyrad_core as prc

from . import peers

PLANES, RAYS = 128, 360 * 256 * 256
FLOOR_MS = RAYS * PLANES / 16 * 4.5 / 3e9 * 1e3
SCALES = {128: 360, 256: 180, 512: 45}  # side: views


@pytest.fixture(params=["one thread", "all threads"])
def our_threads(request, threads):
    count = 1 if request.param == "one thread" else threads
    with prc.set_num_threads(count):
        yield count


@pytest.fixture(scope="module")
def cone(cone_problem_128):
    p = cone_problem_128
    p.image, p.lines = p.truth.astype(np.float32), p.projections.astype(np.float32)
    p.projector = prc.ct.Projector(p.geometry, p.volume)
    return p


def relative(got, expected):
    return float(np.linalg.norm(got - expected) / np.linalg.norm(expected))


def against_closed_form(cone):
    return lambda lines: f"error {relative(lines, cone.projections):.4f}"


def matched(cone, forward):
    """How far <A x, y> and <x, A^T y> are apart."""
    left = np.vdot(forward.astype(np.float64), cone.lines)
    return lambda back: (
        f"matched to {abs(left / np.vdot(cone.image, back.astype(np.float64)) - 1):.0e}"
    )


@pytest.mark.benchmark(group="cone forward 128^3 x 360 x 256^2")
class TestForward:
    def bench_forward(self, cone, our_threads, measure):
        measure(
            lambda: cone.projector.forward(cone.image),
            threads=our_threads,
            quality=against_closed_form(cone),
            floor_ms=FLOOR_MS / our_threads,
        )

    def bench_forward_tilted(self, cone, our_threads, measure):
        """Every detector rolled by a degree: the general path."""
        rolled = prc.ct.Projector(cone.geometry.perturbed(roll=np.radians(1.0)), cone.volume)
        measure(lambda: rolled.forward(cone.image), who="pyrad_core, tilted", threads=our_threads)

    def bench_forward_rtk(self, cone, threads, measure):
        run = peers.rtk_forward(cone.image, cone.geometry, cone.volume, threads)
        measure(
            run,
            who="RTK Joseph",
            threads=threads,
            quality=against_closed_form(cone),
            warm_up=False,
        )


@pytest.mark.benchmark(group="cone adjoint 128^3 x 360 x 256^2")
class TestAdjoint:
    def bench_adjoint(self, cone, our_threads, measure):
        measure(
            lambda: cone.projector.adjoint(cone.lines),
            threads=our_threads,
            quality=matched(cone, cone.projector.forward(cone.image)),
            floor_ms=FLOOR_MS / our_threads,
        )

    def bench_adjoint_tilted(self, cone, our_threads, measure):
        rolled = prc.ct.Projector(cone.geometry.perturbed(roll=np.radians(1.0)), cone.volume)
        measure(
            lambda: rolled.adjoint(cone.lines),
            who="pyrad_core, tilted",
            threads=our_threads,
            quality=matched(cone, rolled.forward(cone.image)),
        )

    def bench_adjoint_rtk(self, cone, threads, measure):
        run = peers.rtk_adjoint(cone.lines, cone.geometry, cone.volume, threads)
        forward = peers.rtk_forward(cone.image, cone.geometry, cone.volume, threads)()
        measure(
            run, who="RTK Joseph", threads=threads, quality=matched(cone, forward), warm_up=False
        )


@pytest.mark.benchmark(group="cone scaling")
class TestScaling:
    @pytest.mark.parametrize("size", SCALES)
    @pytest.mark.parametrize("direction", ["forward", "adjoint"])
    def bench_scaling(self, size, direction, threads, measure):
        views, pixels = SCALES[size], {128: 256, 256: 384, 512: 768}[size]
        angles = np.arange(views) * 2 * np.pi / views
        beam = prc.ConeBeam(angles, (pixels, pixels), 460.8 / pixels, 1000.0, 1536.0)
        projector = prc.ct.Projector(beam, prc.Volume((size,) * 3, 256.0 / size))
        shape = projector.domain_shape if direction == "forward" else projector.range_shape
        given = np.random.default_rng(0).random(shape, dtype=np.float32)
        with prc.set_num_threads(threads):
            measure(
                lambda: getattr(projector, direction)(given),
                threads=threads,
                quality=f"{size**3 * views / 1e9:.2f} G updates",
            )
