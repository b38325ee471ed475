"""Which volume a scan gets, which rows are used, and where the volume lies."""

import numpy as np
import pytest

from pyrad_core.cli._ct_grid import grid_of, place_of, rows_of
from pyrad_core.errors import DataError, GeometryError
from pyrad_core.geometry import ConeBeam, FanBeam, ParallelBeam, Volume
from pyrad_core.io import Projections
from pyrad_core.phantom import Ellipsoids

TURN = np.arange(36) * 2 * np.pi / 36


def helix(turns=3.0, pitch=20.0, curved=True, **more):
    angles = np.arange(int(turns * 36)) * 2 * np.pi / 36
    return ConeBeam(angles, (8, 60), (5.0, 10.0), 600, 1000, curved, pitch=pitch, **more)


def test_parallel_slices_are_the_detector_rows():
    beam = ParallelBeam(TURN / 2, (5, 40), (2.0, 1.5), offset=(3.0, 0.0))
    grid = grid_of(beam)
    assert grid.shape == (5, 40, 40) and grid.spacing == (2.0, 1.5, 1.5)
    assert np.allclose(grid.axes()[0], beam.row_positions())
    assert grid_of(beam, 20).spacing == (2.0, 3.0, 3.0)
    with pytest.raises(DataError, match="choose by --row"):
        grid_of(beam, depth=4.0)


def test_fan_pixels_at_the_axis():
    beam = FanBeam(TURN, 50, 2.0, 500, 1000)
    assert grid_of(beam) == Volume((50, 50), 1.0)
    assert grid_of(beam, voxel=0.5) == Volume((50, 50), 0.5)
    wide = FanBeam(TURN, 50, 2.0, 500, 1000, offset=40.0)  # 45 pixels to one side, 5 to the other
    assert grid_of(wide).shape == (90, 90)
    assert grid_of(FanBeam(TURN[:20], 50, 2.0, 500, 1000, offset=40.0)).shape == (50, 50)


def test_circle_is_as_high_as_the_detector_sees():
    beam = ConeBeam(TURN, (8, 60), (5.0, 10.0), 600, 1000, offset=(10.0, 0.0))
    grid = grid_of(beam)
    assert grid.shape == (8, 60, 60) and np.allclose(grid.spacing, (3.0, 6.0, 6.0))
    assert np.mean(grid.axes()[0]) == pytest.approx(6.0)
    tall = grid_of(beam, thickness=1.0, depth=10.0)
    assert tall.shape[0] == 10 and np.mean(tall.axes()[0]) == pytest.approx(6.0)


@pytest.mark.parametrize("curved", [True, False])
@pytest.mark.parametrize("pitch", [20.0, -20.0])
def test_helix_slices_have_a_short_scan_of_views(curved, pitch):
    beam = helix(pitch=pitch, curved=curved)
    source = beam.frames().source[:, 2]
    z = grid_of(beam).axes()[0]
    fan = 295.0 / 1000 if curved else np.arctan(0.295)
    short = abs(pitch) * (np.pi + 2 * fan) / (2 * np.pi)
    assert z[0] >= source.min() + 0.5 * short - 2 and z[-1] <= source.max() - 0.5 * short + 2
    assert np.mean(z) == pytest.approx(np.mean([source.min(), source.max()]))
    with pytest.raises(GeometryError, match="one slice needs"):
        grid_of(helix(turns=0.5))


def test_poses_per_view_like_the_helix_they_are_made_of():
    beam = helix(curved=False)
    frames = beam.frames()
    free = ConeBeam.from_vectors(
        frames.source, frames.centre, frames.u, frames.v, detector=beam.detector
    )
    ours, theirs = grid_of(free), grid_of(beam)
    assert ours.shape == theirs.shape and np.allclose(ours.origin, theirs.origin, atol=1e-6)


@pytest.mark.parametrize(
    "beam",
    [
        ParallelBeam(TURN / 2, (8, 60), (5.0, 10.0), offset=(1.0, 2.0)),
        helix(curved=True, offset=(1.0, 2.0)),
        "vectors",
    ],
)
def test_rows_stay_where_they_were(beam):
    """Projections of a phantom through the rows' geometry are the rows of its projections."""
    if beam == "vectors":
        frames = helix(curved=False).frames()
        beam = ConeBeam.from_vectors(*(frames[i] for i in (0, 2, 3, 4)), detector=(8, 60))
    phantom = Ellipsoids([[1.0, 80, 60, 30, 20, -10, 5, 30.0]])
    whole = phantom.project(beam)
    data, flat, dark, part = rows_of(Projections(whole, whole[:1], None, beam), slice(2, 5))
    assert dark is None and flat.shape == (1, 3, 60)
    assert np.allclose(phantom.project(part), data, atol=1e-3)


def test_one_row_of_a_stack_is_a_fan():
    beam = FanBeam(TURN, 60, 2.0, 500, 1000)
    data = np.arange(36 * 3 * 60, dtype=float).reshape(36, 3, 60)
    row, flat, _, same = rows_of(Projections(data, data[:2], None, beam), slice(1, 2))
    assert same is beam and np.array_equal(row, data[:, 1]) and flat.shape == (2, 60)
    with pytest.raises(DataError, match="choose one by --row"):
        rows_of(Projections(data, None, None, beam), slice(0, 3))


def test_place_of_the_volume():
    grid = Volume((4, 6, 8), (3.0, 2.0, 1.0), (10.0, -5.0, -3.5))
    first = np.array([0, 0, 0, 1])
    plain = place_of(grid, {})
    assert np.allclose(plain @ first, [-3.5, -5, 10, 1])
    supine = place_of(grid, {"orientation": "LPS", "z_origin": 100.0})
    assert np.allclose(supine @ first, [3.5, 5, 110, 1])
    assert np.allclose(supine @ [1, 1, 1, 1] - supine @ first, [-1, -2, 3, 0])
    feet_first = place_of(grid, {"orientation": "RPI", "z_origin": 100.0})
    assert np.allclose(feet_first @ first, [-3.5, 5, -110, 1])
    side = place_of(grid, {"orientation": "PRS"})
    assert np.allclose(side @ [1, 0, 0, 1] - side @ first, [0, -1, 0, 0])
    flat = place_of(Volume((6, 8), (2.0, 1.0)), {})
    assert np.allclose(flat, [[1, 0, 0, -3.5], [0, 2, 0, -5], [0, 0, 1, 0], [0, 0, 0, 1]])
    from pyrad_core.io._ct_pd_tags import ORIENTATION

    for letters in ORIENTATION.values():  # all of them right-handed, as R, A, S is
        assert np.linalg.det(place_of(grid, {"orientation": letters})[:3, :3]) > 0
