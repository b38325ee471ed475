"""FDK: incomplete scans and bad inputs."""

import numpy as np
import pytest
from cone_scans import GRID, PANEL, TURN, circles, poses

import pyrad_core as prc
from pyrad_core.errors import DataError, DeviceMemoryError, GeometryError, PyradWarning, ShapeError


def test_incomplete_scans_warn():
    rows = np.ones((100, 60, 112), np.float32)
    with pytest.warns(PyradWarning, match=r"cover 150\.0 degrees"):
        prc.ct.fdk(rows, prc.ConeBeam(TURN[:100], (60, 112), **PANEL), GRID)
    scan = prc.ConeBeam(np.arange(100) * 2 * np.pi / 40, (60, 112), pitch=50.0, **PANEL)
    with pytest.warns(PyradWarning, match="the helix sees z ="):
        prc.ct.fdk(rows, scan, GRID)
    steep = prc.ConeBeam(scan.angles, (60, 112), pitch=300.0, **PANEL)
    with pytest.warns(PyradWarning, match="not seen from every angle"):
        prc.ct.fdk(rows, steep, GRID)
    with pytest.raises(GeometryError, match=r"fdk needs .* \(half a turn and the fan\)"):
        prc.ct.fdk(rows[:20], scan.subset(slice(0, 20)), GRID)


def test_other_beams_and_slices_are_refused():
    for beam in (prc.ParallelBeam(TURN, (60, 112)), prc.FanBeam(TURN, 112, 1.0, 300, 500)):
        with pytest.raises(GeometryError, match="use fbp for parallel and fan beams"):
            prc.ct.fdk(np.zeros(beam.projection_shape, np.float32), beam, GRID)
    scan = circles()["turn"]
    rows = np.zeros(scan.projection_shape, np.float32)
    with pytest.raises(GeometryError, match=r"\(60, 57\); fdk reconstructs \(nz, ny, nx\)"):
        prc.ct.fdk(rows, scan, prc.Volume((60, 57)))
    with pytest.raises(GeometryError, match="looks away from the rotation axis"):
        frames = poses(scan, jitter=0.1).vectors.copy()
        arm = frames[3, 1] - frames[3, 0]
        frames[3, 1] = frames[3, 0] - arm
        away = prc.ConeBeam.from_vectors(*frames.transpose(1, 0, 2), detector=(60, 112))
        prc.ct.fdk(rows, away, GRID)
    with pytest.raises(DataError, match="did you mean 'ram-lak'"):
        prc.ct.fdk(rows, scan, GRID, filter="ramlak")


def test_bad_input_31_shape_of_projections():
    scan = circles()["turn"]
    with pytest.raises(ShapeError, match=r"\(240, 112, 60\).*\(240, 60, 112\)"):
        prc.ct.fdk(np.zeros((240, 112, 60), np.float32), scan, GRID)


def test_bad_input_36_38_source_inside_and_detector_beside():
    with pytest.raises(GeometryError, match="source runs inside the volume"):
        scan = prc.ConeBeam(TURN, (60, 112), 1.0, 80.0, 500.0)
        prc.ct.fdk(np.zeros(scan.projection_shape, np.float32), scan, GRID)
    scan = circles()["turn"]
    far_away = prc.Volume(GRID.shape, GRID.spacing, (900.0, -76.0, -76.0))
    with pytest.warns(PyradWarning, match="misses the volume"):
        image = prc.ct.fdk(np.ones(scan.projection_shape, np.float32), scan, far_away)
    assert not image.any()


def test_bad_input_39_nan_in_projections():
    scan = circles()["turn"].subset(slice(0, 20))
    rows = np.zeros(scan.projection_shape, np.float32)
    rows[7, 5, 3] = rows[9, 0, 0] = np.nan
    with pytest.raises(DataError, match=r"projections holds 2 NaN or Inf.*\(7, 5, 3\)"):
        prc.ct.fdk(rows, scan, GRID)


def test_bad_input_40_45_46_integers_strided_and_read_only():
    scan = circles()["turn"].subset(slice(0, None, 8))
    counts = np.random.default_rng(0).integers(0, 60000, (112, 60, 30)).astype(np.uint16).T
    expected = prc.ct.fdk(counts.astype(np.float32), scan, GRID)
    counts.flags.writeable = False
    got = prc.ct.fdk(counts, scan, GRID)
    assert got.dtype == np.float32
    np.testing.assert_array_equal(got, expected)
    with pytest.raises(DataError, match="float16"):
        prc.ct.fdk(counts.astype(np.float16), scan, GRID)


def test_bad_input_43_volume_larger_than_memory():
    scan = circles()["turn"].subset(slice(0, None, 60))
    vast = prc.Volume((10**4,) * 3, spacing=1e-3)
    with pytest.raises(DeviceMemoryError, match=r"need 3725\.\d+ GiB, free are"):
        prc.ct.fdk(np.zeros(scan.projection_shape, np.float32), scan, vast)


def test_bad_input_47_unusable_out():
    scan = circles()["turn"].subset(slice(0, None, 60))
    rows = np.zeros(scan.projection_shape, np.float32)
    out = np.zeros(GRID.shape, np.float32)
    out.flags.writeable = False
    with pytest.raises(DataError, match="read-only"):
        prc.ct.fdk(rows, scan, GRID, out=out)
    with pytest.raises(ShapeError, match=r"\(3, 3\).*\(23, 60, 57\)"):
        prc.ct.fdk(rows, scan, GRID, out=np.zeros((3, 3), np.float32))
