"""Fan beams onto 512 x 512, 720 views of 736 pixels over a full turn, flat and curved; stacks.

ASTRA has fans on flat detectors only and no fan FBP on the CPU: for FBP its adjoint is the anchor.
"""

from __future__ import annotations

import numpy as np
import pytest

import pyrad_core as prc
from pyrad_core import phantom

from . import peers
from .bench_ct import symmetric

FLAT = prc.FanBeam(np.arange(720) * 2 * np.pi / 720, 736, 1.6, 1000.0, 1536.0)
BEAMS = {"flat": FLAT, "curved": FLAT.replace(curved=True)}


@pytest.fixture(params=["one thread", "all threads"])
def our_threads(request, threads):
    count = 1 if request.param == "one thread" else threads
    with prc.set_num_threads(count):
        yield count


def rows_of(beam):
    return phantom.shepp_logan(2, radius=0.95 * 256).project(beam).astype(np.float32)


@pytest.mark.benchmark(group="fan fbp 512x720x736")
class TestFanFbp:
    @pytest.mark.parametrize("detector", BEAMS)
    def bench_fan_fbp(self, parallel_problem, detector, our_threads, measure):
        beam, volume = BEAMS[detector], parallel_problem.volume
        rows = rows_of(beam)
        measure(
            lambda: prc.ct.fbp(rows, beam, volume),
            who=f"pyrad_core {detector}",
            threads=our_threads,
            quality=parallel_problem.quality,
        )

    def bench_fan_adjoint_astra(self, parallel_problem, measure):
        run = peers.astra_adjoint(rows_of(FLAT), FLAT, parallel_problem.volume, "line")
        measure(run, who="ASTRA line adjoint")


@pytest.mark.benchmark(group="fan matched pair 512x720x736")
class TestFanPair:
    @pytest.mark.parametrize("detector", BEAMS)
    def bench_fan_pair(self, parallel_problem, detector, our_threads, measure):
        image = parallel_problem.truth.astype(np.float32)
        projector = prc.ct.Projector(BEAMS[detector], parallel_problem.volume)
        measure(
            lambda: projector.adjoint(projector.forward(image)),
            who=f"pyrad_core {detector}",
            threads=our_threads,
            quality=symmetric(projector.forward(image), image),
        )

    def bench_fan_pair_astra(self, parallel_problem, measure):
        image, volume = parallel_problem.truth.astype(np.float32), parallel_problem.volume
        project = peers.astra_forward(image, FLAT, volume, "line")
        rows = project().copy()
        back = peers.astra_adjoint(rows, FLAT, volume, "line")
        measure(
            lambda: (project(), back())[1],
            who="ASTRA line_fanflat",
            quality=symmetric(rows, image),
        )


@pytest.mark.benchmark(group="parallel stack 16 x 512x720x736")
class TestStack:
    """Sixteen slices at once; cost per slice is that of one slice where the ratio is 16."""

    @pytest.mark.parametrize("slices", [1, 16])
    def bench_stack_fbp(self, parallel_problem, slices, our_threads, measure):
        angles = parallel_problem.geometry.angles
        beam = prc.ParallelBeam(angles, (slices, 736))
        volume = prc.Volume((slices, 512, 512))
        rows = np.repeat(parallel_problem.sinogram.astype(np.float32)[:, None], slices, axis=1)
        measure(
            lambda: prc.ct.fbp(rows, beam, volume),
            who=f"pyrad_core {slices} slices",
            threads=our_threads,
            quality=lambda stack: parallel_problem.quality(stack[-1]),
        )
