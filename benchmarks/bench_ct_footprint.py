"""Separable footprints: parallel and fan against ASTRA's strips, cone against our Joseph pair.

ASTRA uses one thread, so our entries stand with one thread and with all of them. 2D: 720 views of
736 pixels onto 512 x 512; 3D: 360 views of 256^2 onto 128^3. Quality is the error of a projection
against the closed form, or how well forward and adjoint match. The floor of the parallel pair is
what a footprint of three edges costs, 40 instructions of 16 lanes, two per cycle of 3 GHz.
"""

from __future__ import annotations

import numpy as np
import pytest

import pyrad_core as prc
from pyrad_core import phantom

from . import peers
from .cone_problem import ConeProblem

FLOOR_MS = 512 * 512 * 720 / 16 * 20 / 3e9 * 1e3
MODEL = "separable_footprint"


@pytest.fixture(params=["one thread", "all threads"])
def our_threads(request, threads):
    count = 1 if request.param == "one thread" else threads
    with prc.set_num_threads(count):
        yield count


def relative(got, expected):
    return float(np.linalg.norm(got - expected) / np.linalg.norm(expected))


class Scan:
    """Object, closed-form projections and both projectors of one scan."""

    def __init__(self, geometry, volume, head, supersample):
        self.geometry, self.volume = geometry, volume
        self.projections = head.project(geometry).astype(np.float32)
        self.image = head.raster(volume, supersample)
        self.joseph = prc.ct.Projector(geometry, volume)
        self.footprint = prc.ct.Projector(geometry, volume, MODEL)

    def against_closed_form(self, projections):
        return f"error {relative(projections, self.projections):.4f}"

    def matched_to(self, project):
        forward = project().astype(np.float64)

        def quality(back):
            left = np.vdot(forward, self.projections)
            right = np.vdot(self.image, back.astype(np.float64))
            return f"matched to {abs(left / right - 1):.0e}"

        return quality


@pytest.fixture(scope="module")
def parallel(parallel_problem):
    head = phantom.shepp_logan(2, radius=0.95 * 256)
    return Scan(parallel_problem.geometry, parallel_problem.volume, head, 4)


@pytest.fixture(scope="module")
def fan(parallel_problem):
    beam = prc.FanBeam(np.arange(720) * 2 * np.pi / 720, 736, 1.6, 1000.0, 1536.0)
    head = phantom.shepp_logan(2, radius=0.95 * 256)
    return Scan(beam, parallel_problem.volume, head, 4)


@pytest.fixture(scope="module")
def cone():
    problem = ConeProblem(128)
    head = phantom.shepp_logan(3, radius=0.95 * 128)
    return Scan(problem.geometry, problem.volume, head, 3)


@pytest.fixture(params=["parallel", "fan"])
def plane(request):
    return request.getfixturevalue(request.param)


@pytest.mark.benchmark(group="footprint forward 512x720x736")
class TestForward:
    def bench_forward(self, plane, our_threads, measure):
        measure(
            lambda: plane.footprint.forward(plane.image),
            threads=our_threads,
            quality=plane.against_closed_form,
            floor_ms=FLOOR_MS / our_threads,
        )

    def bench_forward_astra(self, plane, measure):
        run = peers.astra_forward(plane.image, plane.geometry, plane.volume, "strip")
        measure(run, who="ASTRA strip", quality=plane.against_closed_form)


@pytest.mark.benchmark(group="footprint adjoint 512x720x736")
class TestAdjoint:
    def bench_adjoint(self, plane, our_threads, measure):
        quality = plane.matched_to(lambda: plane.footprint.forward(plane.image))
        measure(
            lambda: plane.footprint.adjoint(plane.projections),
            threads=our_threads,
            quality=quality,
            floor_ms=FLOOR_MS / our_threads,
        )

    def bench_adjoint_astra(self, plane, measure):
        given = (plane.geometry, plane.volume, "strip")
        run = peers.astra_adjoint(plane.projections, *given)
        quality = plane.matched_to(peers.astra_forward(plane.image, *given))
        measure(run, who="ASTRA strip", quality=quality)


@pytest.mark.benchmark(group="footprint cone 128^3 x 360 x 256^2")
class TestCone:
    @pytest.mark.parametrize("model", ["footprint", "joseph"])
    def bench_forward(self, cone, model, our_threads, measure):
        projector = getattr(cone, model)
        measure(
            lambda: projector.forward(cone.image),
            who=f"pyrad_core {model}",
            threads=our_threads,
            quality=cone.against_closed_form,
        )

    @pytest.mark.parametrize("model", ["footprint", "joseph"])
    def bench_adjoint(self, cone, model, our_threads, measure):
        projector = getattr(cone, model)
        measure(
            lambda: projector.adjoint(cone.projections),
            who=f"pyrad_core {model}",
            threads=our_threads,
            quality=cone.matched_to(lambda: projector.forward(cone.image)),
        )
