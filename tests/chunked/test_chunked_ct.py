"""Reconstruction and projection by slabs equal those of the whole volume."""

import numpy as np
import pytest

import pyrad_core as prc
from pyrad_core import chunked

pytest.importorskip("dask.array")

TURN = np.linspace(0, 2 * np.pi, 40, endpoint=False)
GRID = prc.Volume((150, 13, 17), (0.5, 1.0, 1.0), (-42.0, -6.0, -8.0))


def compute(lazy):
    return lazy.compute(scheduler="synchronous")


def circle(**changes):
    given = {"detector": (150, 40), "pixel": 1.1, "source_origin": 90, "source_detector": 140}
    return prc.ConeBeam(TURN, **(given | changes))


def free():
    """Poses that form no circle."""
    return circle().perturbed(
        roll=0.01 * np.sin(3 * TURN), tilt=0.02 * np.stack([np.cos(TURN), np.sin(TURN)], 1)
    )


def helix(curved=False):
    angles = np.arange(260) * 2 * np.pi / 40
    return prc.ConeBeam(angles, (24, 40), 1.1, 90, 140, curved=curved, pitch=14.0)


SCANS = {
    "circle": circle(),
    "curved": circle(curved=True, offset=(3.0, 0.4)),
    "short": prc.ConeBeam(np.linspace(0, 4.2, 30), (150, 40), 1.1, 90, 140),
    "displaced": circle(offset=(0.0, 13.0)),
    "vectors": prc.ConeBeam.from_vectors(*circle().frames()[:1], *(
        circle().frames().centre, circle().frames().u, circle().frames().v), detector=(150, 40)),
    "free": free(),
    "helix": helix(),
    "helix_curved": helix(True),
}  # fmt: skip


def rows_of(scan, dtype=np.float32):
    return np.random.default_rng(1).normal(size=scan.projection_shape).astype(dtype)


@pytest.mark.filterwarnings("ignore::pyrad_core.errors.PyradWarning")
@pytest.mark.parametrize("name", SCANS)
def test_fdk_in_memory(name, dtype=np.float32):
    scan = SCANS[name]
    rows = rows_of(scan, dtype)
    whole = prc.ct.fdk(rows, scan, GRID)
    for chunk in (17, 64):
        made = compute(chunked.fdk(rows, scan, GRID, chunk=chunk)[-60:])
        assert made.dtype == dtype
        if dtype == np.float32:
            np.testing.assert_array_equal(made, whole[-60:])
        np.testing.assert_allclose(made, whole[-60:], rtol=0, atol=1e-12 * abs(whole).max())


@pytest.mark.filterwarnings("ignore::pyrad_core.errors.PyradWarning")
@pytest.mark.parametrize("name", ["circle", "free", "helix"])
def test_fdk_in_memory_float64(name):
    test_fdk_in_memory(name, np.float64)


def test_fdk_reads_the_rows_that_it_needs():
    class Counted:
        def __init__(self, rows):
            self.rows, self.shape, self.dtype, self.read = rows, rows.shape, rows.dtype, 0

        def __getitem__(self, index):
            part = self.rows[index]
            self.read += part.size
            return part

    scan = circle(detector=(600, 40), pixel=(0.3, 1.1))
    rows = Counted(rows_of(scan))
    lazy = chunked.fdk(rows, scan, GRID, chunk=16)
    assert rows.read == 0
    compute(lazy[:16])
    assert 0 < rows.read < rows.rows.size / 3
    spiral = helix()
    rows = Counted(rows_of(spiral))
    compute(chunked.fdk(rows, spiral, prc.Volume((8, 8, 8), 0.1), chunk=8))
    assert 0 < rows.read < 0.7 * rows.rows.size


def test_fdk_through_zarr(tmp_path):
    zarr = pytest.importorskip("zarr")
    scan, da = circle(), pytest.importorskip("dask.array")
    rows = rows_of(scan)
    stored = zarr.open_array(
        str(tmp_path / "rows"), mode="w", shape=rows.shape, chunks=(8, 32, 40), dtype="f4"
    )
    stored[...] = rows
    image = chunked.to_zarr(chunked.fdk(stored, scan, GRID, chunk=64), tmp_path / "image")
    assert image.chunks == (16, 13, 17)
    whole = prc.ct.fdk(rows, scan, GRID)
    np.testing.assert_array_equal(image[...], whole)
    lazy = chunked.fdk(da.from_array(rows, chunks=(7, 30, 40)), scan, GRID, chunk=128)
    np.testing.assert_array_equal(compute(lazy), whole)


@pytest.mark.parametrize("model", ("joseph", "separable_footprint"))
def test_project_in_memory(model):
    dtype = np.float32 if model == "joseph" else np.float64
    parallel = prc.ParallelBeam(TURN, (29, 30))
    grid = prc.Volume((29, 13, 17))
    image = np.random.default_rng(2).random(grid.shape).astype(dtype)
    for scan in (parallel, circle(), helix(True) if model == "joseph" else helix()):
        whole = prc.ct.Projector(scan, grid, model).forward(image)
        for chunk, views in ((8, 17), (29, 100)):
            lazy = chunked.project(image, scan, grid, model=model, chunk=chunk, views=views)
            made = compute(lazy)
            assert made.dtype == dtype
            rounding = (5e-6 if dtype == np.float32 else 1e-14) * abs(whole).max()
            np.testing.assert_allclose(made, whole, rtol=0, atol=rounding)


@pytest.mark.parametrize(
    "call, text",
    [
        (lambda: chunked.fdk(rows_of(circle())[1:], circle(), GRID), "projections"),
        (lambda: chunked.fdk(rows_of(circle()).astype(complex), circle(), GRID), "complex"),
        (lambda: chunked.fdk(rows_of(circle()), prc.ParallelBeam(TURN, 9), GRID), "ConeBeam"),
        (lambda: chunked.project(np.ones((3, 4, 5)), circle(), GRID), "image"),
        (lambda: chunked.project(np.ones(GRID.shape), circle(), GRID, model="rays"), "model"),
    ],
)
def test_bad_arguments(call, text):
    with pytest.raises(prc.DataError, match=text):
        call()


def test_nan_in_projections_and_volume():
    rows, image = rows_of(circle()), np.ones(GRID.shape, np.float32)
    rows[3, 70, 5] = image[120, 2, 2] = np.nan
    with pytest.raises(prc.DataError, match="projections holds 1 NaN"):
        compute(chunked.fdk(rows, circle(), GRID, chunk=50))
    with pytest.raises(prc.DataError, match="in slices 100 to 149.*NaN"):
        compute(chunked.project(image, circle(), GRID, chunk=50))
