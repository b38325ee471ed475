"""SIRT and CGLS from zero on the 2D parallel problem: ours and ASTRA's.

20 iterations; 4 under --quick, which are enough for the ratio.
"""

import os

import pytest

import pyrad_core as prc
from benchmarks import peers
from pyrad_core import solvers

ITERATIONS = 4 if os.environ.get("PYRAD_BENCH_QUICK") else 20
SIRT = pytest.mark.benchmark(group=f"sirt x{ITERATIONS} 512x720x736")
CGLS = pytest.mark.benchmark(group=f"cgls x{ITERATIONS} 512x720x736")


def ours(solver, problem):
    projector = prc.ct.Projector(problem.geometry, problem.volume)
    return lambda: solver(projector, problem.sinogram, iterations=ITERATIONS).x


def astra(method, problem):
    return peers.astra_iterate(
        method, problem.sinogram, problem.geometry, problem.volume, ITERATIONS
    )


@SIRT
def test_sirt(measure, parallel_problem, threads):
    run = ours(solvers.sirt, parallel_problem)
    measure(run, threads=threads, quality=parallel_problem.quality, warm_up=False)


@SIRT
def test_sirt_astra(measure, parallel_problem):
    run = astra("SIRT", parallel_problem)
    measure(run, who="ASTRA linear", quality=parallel_problem.quality, warm_up=False)


@CGLS
def test_cgls(measure, parallel_problem, threads):
    run = ours(solvers.cgls, parallel_problem)
    measure(run, threads=threads, quality=parallel_problem.quality, warm_up=False)


@CGLS
def test_cgls_astra(measure, parallel_problem):
    run = astra("CGLS", parallel_problem)
    measure(run, who="ASTRA linear", quality=parallel_problem.quality, warm_up=False)
