"""Density compensation: areas, one scale, duplicates, the right amplitude."""

import numpy as np
import pytest
from helpers import relative_error

import pyrad_core as prc
from pyrad_core import mr

N = 48
DISC = np.pi * (N / 2) ** 2
TRAJECTORIES = {
    "radial": (mr.radial(75, 96, N), ("pipe-menon", "voronoi", "ramp")),
    "golden": (mr.golden_radial(89, 96, N), ("pipe-menon", "voronoi", "ramp")),
    "spiral": (mr.spiral(12, 400, N), ("pipe-menon", "voronoi", "spiral")),
    "dense": (mr.spiral(12, 400, N, density=2, inward=True), ("pipe-menon", "voronoi", "spiral")),
    "rosette": (mr.rosette(32, 800, N), ("pipe-menon", "voronoi")),
}
CASES = [(name, method) for name, (_, methods) in TRAJECTORIES.items() for method in methods]


@pytest.mark.parametrize("name, method", CASES)
def test_weights_are_the_area_covered(name, method):
    k = TRAJECTORIES[name][0]
    w = mr.density_compensation(k, (N, N), method=method)
    assert w.shape == k.shape[:-1] and w.dtype == np.float32 and (w >= 0).all()
    assert w.sum() == pytest.approx(DISC, rel=0.08 if method == "pipe-menon" else 0.02)


@pytest.mark.parametrize("name, method", CASES)
def test_weighted_adjoint_has_the_right_amplitude(name, method):
    k = TRAJECTORIES[name][0]
    y = np.arange(N) - N // 2
    image = np.exp(-(y[:, None] ** 2 + y**2) / (2 * (N / 8) ** 2)).astype(np.complex64)
    nufft = mr.NUFFT(k, (N, N))
    weights = mr.density_compensation(k, (N, N), method=method)
    back = nufft.adjoint(weights * nufft.forward(image))
    middle = np.abs(image) > 0.2
    assert relative_error(back[middle], image[middle]) < 0.04


@pytest.mark.parametrize("method", ["pipe-menon", "voronoi", "ramp"])
def test_radial_ramp(method):
    k = mr.radial(101, 128, 64)
    w = mr.density_compensation(k, (64, 64), method=method)
    radius = np.linalg.norm(k, axis=-1)
    ring = (radius > 8) & (radius < 26)
    expected = radius * (np.pi / 101) * (64 / 128)
    assert relative_error(w[ring], expected[ring]) < (0.03 if method == "pipe-menon" else 1e-3)


def test_voronoi_of_a_grid_is_one():
    grid = np.stack(np.meshgrid(np.arange(-8, 8.0), np.arange(-5, 6.0), indexing="ij"), -1)
    assert np.allclose(mr.density_compensation(grid, (16, 11), method="voronoi"), 1, atol=1e-5)
    cube = np.stack(np.meshgrid(*[np.arange(-3, 3.0)] * 3, indexing="ij"), -1)
    assert np.allclose(mr.density_compensation(cube, (6, 6, 6), method="voronoi"), 1, atol=1e-5)
    line = np.array([-4.0, -3, -2, -2, 0, 1])[:, None]
    expected = [1, 1, 0.75, 0.75, 1.5, 1]
    assert np.allclose(mr.density_compensation(line, (8,), method="voronoi"), expected)


def test_duplicates_share_their_cell():
    rng = np.random.default_rng(0)
    k = (rng.random((400, 2)) - 0.5) * 30
    once = mr.density_compensation(k, (32, 32), method="voronoi")
    twice = mr.density_compensation(np.concatenate([k, k[:100]]), (32, 32), method="voronoi")
    assert np.allclose(twice[:100], once[:100] / 2) and np.allclose(twice[400:], once[:100] / 2)
    assert np.allclose(twice[100:400], once[100:])


@pytest.mark.parametrize("order", ["golden", "spiral"])
def test_kooshball_volume(order):
    k = mr.kooshball(300, 48, 24, order=order)
    ball = 4 / 3 * np.pi * 12**3
    ramp = mr.density_compensation(k, (24, 24, 24), method="ramp")
    assert ramp.sum() == pytest.approx(ball, rel=0.02)
    half = mr.kooshball(300, 24, 24, order=order, centre_out=True)
    ramp = mr.density_compensation(half, (24, 24, 24), method="ramp")
    assert ramp.sum() == pytest.approx(ball * (11.75 / 12) ** 3, rel=0.01)
    few = mr.kooshball(60, 24, 24, order=order)
    cells = mr.density_compensation(few, (24, 24, 24), method="voronoi")
    assert 0.9 * ball < cells.sum() < 1.05 * ball


def test_wrong_trajectory_for_a_closed_form():
    spiral, spokes = mr.spiral(4, 100, 32), mr.radial(5, 32, 32)
    with pytest.raises(prc.DataError, match="not spokes through the centre"):
        mr.density_compensation(spiral, (32, 32), method="ramp")
    with pytest.raises(prc.DataError, match="not turned copies of one spiral"):
        mr.density_compensation(spokes, (32, 32), method="spiral")
    with pytest.raises(prc.DataError, match="have no area"):
        mr.density_compensation(spokes[0], (32, 32), method="voronoi")
    with pytest.raises(prc.DataError, match="did you mean 'voronoi'"):
        mr.density_compensation(spokes, (32, 32), method="voronoy")
