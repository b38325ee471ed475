"""2D parallel-beam CT, 720 views of 736 pixels onto 512 x 512, against ASTRA and scikit-image.

Both peers use one thread, so our entries stand with one thread and with all of them. The floor of
a backprojection is one multiply-add, one permutation of samples and one of slopes per 16 pixels and
view at three 512-bit instructions in two cycles of 3 GHz; projector and adjoint count one gather of
two samples per 16 rays and row more.
"""

from __future__ import annotations

import numpy as np
import pytest

import pyrad_core as prc

from . import peers

UPDATES = 512 * 512 * 720
FLOOR_MS = UPDATES / 16 * 2 / 3e9 * 1e3
ADJOINT_QUALITY = "matched to {:.0e}"


@pytest.fixture(params=["one thread", "all threads"])
def our_threads(request, threads):
    count = 1 if request.param == "one thread" else threads
    with prc.set_num_threads(count):
        yield count


@pytest.fixture(scope="module")
def scan(parallel_problem):
    """Sinogram and truth in float32, and the projector, set up once."""
    p = parallel_problem
    p.rows = p.sinogram.astype(np.float32)
    p.image = p.truth.astype(np.float32)
    p.projector = prc.ct.Projector(p.geometry, p.volume)
    return p


def against_closed_form(scan):
    """Quality of a forward projection; the floor of 1e-2 is the rasterised phantom's."""
    return lambda rows: f"error {relative(rows, scan.sinogram):.4f}"


def relative(got, expected):
    return float(np.linalg.norm(got - expected) / np.linalg.norm(expected))


@pytest.mark.benchmark(group="fbp 512x720x736")
class TestFbp:
    def bench_fbp(self, scan, our_threads, measure):
        measure(
            lambda: prc.ct.fbp(scan.rows, scan.geometry, scan.volume),
            threads=our_threads,
            quality=scan.quality,
            floor_ms=FLOOR_MS / our_threads,
        )

    @pytest.mark.parametrize("kernel", ["linear", "strip"])
    def bench_fbp_astra(self, scan, kernel, measure):
        run = peers.astra_fbp(scan.rows, scan.geometry, scan.volume, kernel)
        measure(run, who=f"ASTRA {kernel}", quality=scan.quality)

    def bench_fbp_skimage(self, parallel_problem_integer_centre, measure):
        p = parallel_problem_integer_centre
        rows = p.sinogram.astype(np.float32)
        run = peers.skimage_iradon(rows, p.geometry.angles, 512)
        measure(run, who="scikit-image", quality=p.quality)


@pytest.mark.benchmark(group="forward 512x720x736")
class TestForward:
    def bench_forward(self, scan, our_threads, measure):
        measure(
            lambda: scan.projector.forward(scan.image),
            threads=our_threads,
            quality=against_closed_form(scan),
            floor_ms=FLOOR_MS / our_threads,
        )

    @pytest.mark.parametrize("kernel", ["linear", "line"])
    def bench_forward_astra(self, scan, kernel, measure):
        run = peers.astra_forward(scan.image, scan.geometry, scan.volume, kernel)
        measure(run, who=f"ASTRA {kernel}", quality=against_closed_form(scan))

    def bench_forward_skimage(self, parallel_problem_integer_centre, measure):
        p = parallel_problem_integer_centre
        run = peers.skimage_radon(p.truth.astype(np.float32), p.geometry.angles, 736)
        measure(run, who="scikit-image", quality=against_closed_form(p))


@pytest.mark.benchmark(group="adjoint 512x720x736")
class TestAdjoint:
    def bench_adjoint(self, scan, our_threads, measure):
        forward = scan.projector.forward(scan.image).astype(np.float64)

        def matched(back):
            left, right = np.vdot(forward, scan.rows), np.vdot(scan.image, back.astype(np.float64))
            return ADJOINT_QUALITY.format(abs(left / right - 1))

        measure(
            lambda: scan.projector.adjoint(scan.rows),
            threads=our_threads,
            quality=matched,
            floor_ms=FLOOR_MS / our_threads,
        )

    @pytest.mark.parametrize("kernel", ["linear", "line"])
    def bench_adjoint_astra(self, scan, kernel, measure):
        run = peers.astra_adjoint(scan.rows, scan.geometry, scan.volume, kernel)
        project = peers.astra_forward(scan.image, scan.geometry, scan.volume, kernel)
        forward = project().astype(np.float64)

        def matched(back):
            left, right = np.vdot(forward, scan.rows), np.vdot(scan.image, back.astype(np.float64))
            return ADJOINT_QUALITY.format(abs(left / right - 1))

        measure(run, who=f"ASTRA {kernel}", quality=matched)


@pytest.mark.benchmark(group="matched pair 512x720x736")
class TestPair:
    """Forward and adjoint together: what an iteration of a gradient method costs."""

    def bench_pair(self, scan, our_threads, measure):
        measure(
            lambda: scan.projector.adjoint(scan.projector.forward(scan.image)),
            threads=our_threads,
            quality=symmetric(scan.projector.forward(scan.image), scan.image),
            floor_ms=2 * FLOOR_MS / our_threads,
        )

    @pytest.mark.parametrize("kernel", ["linear", "line"])
    def bench_pair_astra(self, scan, kernel, measure):
        project = peers.astra_forward(scan.image, scan.geometry, scan.volume, kernel)
        rows = project().copy()
        back = peers.astra_adjoint(rows, scan.geometry, scan.volume, kernel)
        measure(
            lambda: (project(), back())[1],
            who=f"ASTRA {kernel}",
            quality=symmetric(rows, scan.image),
        )


def symmetric(rows, image):
    """Quality of a pair: <A x, A x> = <x, A^T A x>."""
    left = np.vdot(rows.astype(np.float64), rows)
    return lambda back: ADJOINT_QUALITY.format(
        abs(np.vdot(image.astype(np.float64), back) / left - 1)
    )
