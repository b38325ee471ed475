"""Metal artefact reduction on simulated, photon-starved scans with closed-form truth."""

import numpy as np
import pytest

import pyrad_core as prc
from pyrad_core.errors import DataError, ShapeError
from pyrad_core.phantom import Ellipsoids

BODY = [
    [0.02, 90, 70, 0, 0, 0],
    [0.02, 12, 14, -30, -38, 0],  # bone
    [-0.018, 8, 20, 38, 30, 20],  # gas
    [0.003, 10, 10, 0, -30, 0],
]
METAL = [[0.4, 6, 6, -35, 12, 0], [0.4, 5, 7, 40, -10, 0]]


def starved(bodies, scan, photons=2e4):
    return prc.ct.simulate_dose(Ellipsoids(bodies).project(scan).astype(np.float32), photons, 5.0)


class Case:
    def __init__(self, scan, volume, metal=METAL, body=BODY):
        self.scan, self.volume = scan, volume
        self.lines = starved(body + metal, scan)
        self.truth = Ellipsoids(body).raster(volume)
        self.metal = Ellipsoids(metal).raster(volume) > 0.02
        y, x = np.meshgrid(*volume.axes()[-2:], indexing="ij")
        self.inside = (np.hypot(x / 92, y / 72) < 1) & ~self.metal

    def error(self, lines):
        image = prc.ct.fbp(lines, self.scan, self.volume)
        return np.sqrt(np.mean((image - self.truth)[self.inside] ** 2))


@pytest.fixture(scope="module", params=["parallel", "fan"])
def case(request):
    turn = np.arange(360) * np.pi / 360
    if request.param == "parallel":
        scan = prc.ParallelBeam(turn, 241, 1.0)
    else:
        scan = prc.FanBeam(2 * turn, 301, 1.4, 400.0, 700.0)
    return Case(scan, prc.Volume((192, 192), 1.05))


def test_metal_error_falls_li_and_nmar(case):
    """Outside the metal: LI is far below the uncorrected image, NMAR is better still."""
    plain = case.error(case.lines)
    li = case.error(
        prc.ct.reduce_metal(case.lines, case.scan, case.volume, threshold=0.1, method="li")
    )
    nmar = case.error(prc.ct.reduce_metal(case.lines, case.scan, case.volume, threshold=0.1))
    assert li < 0.6 * plain and nmar < 0.9 * li
    known = prc.ct.reduce_metal(
        case.lines, case.scan, case.volume, metal=case.metal, classes=(0.01, 0.028)
    )
    assert case.error(known) < 1.1 * nmar


def test_metal_goes_back_and_other_rays_stay(case):
    corrected, metal = prc.ct.reduce_metal(
        case.lines, case.scan, case.volume, threshold=0.1, return_metal=True
    )
    assert metal.shape == case.volume.shape and metal.dtype == np.float32
    assert np.count_nonzero((metal > 0) != case.metal) < 0.3 * case.metal.sum()
    clear = Ellipsoids([[1.0, 9, 9, *m[3:]] for m in METAL]).project(case.scan) == 0
    np.testing.assert_array_equal(corrected[clear], case.lines[clear])
    image = np.where(metal > 0, metal, prc.ct.fbp(corrected, case.scan, case.volume))
    assert image[case.metal].mean() > 0.2


def test_slices_are_treated_alone():
    turn = np.arange(120) * np.pi / 120
    flat = Case(prc.ParallelBeam(turn, 161, 1.5), prc.Volume((96, 96), 2.0))
    scan = prc.ParallelBeam(turn, (2, 161), 1.5)
    lines = np.stack([flat.lines, starved(BODY, flat.scan)], axis=1)
    volume = prc.Volume((2, 96, 96), (1.5, 2.0, 2.0))
    both = prc.ct.reduce_metal(lines, scan, volume, threshold=0.1, method="li")
    one = prc.ct.reduce_metal(flat.lines, flat.scan, flat.volume, threshold=0.1, method="li")
    np.testing.assert_allclose(both[:, 0], one, atol=1e-5)
    np.testing.assert_array_equal(both[:, 1], lines[:, 1])


def test_cone_metal():
    """A ball of metal in a ball of tissue, rows interpolated one by one."""
    scan = prc.ConeBeam(np.arange(90) * np.pi / 45, (40, 60), 3.0, 300.0, 450.0)
    volume = prc.Volume((32, 48, 48), 2.0)
    body, pin = [0.02, 36, 36, 28, 0, 0, 0, 0], [0.5, 4, 4, 4, 15, 5, 0, 0]
    lines = starved([body, pin], scan)
    truth = Ellipsoids([body]).raster(volume)
    z, y, x = np.meshgrid(*volume.axes(), indexing="ij")
    inside = (np.hypot(x, y) < 30) & (np.abs(z) < 16) & (np.hypot(x - 15, y - 5) > 6)

    def error(projections):
        image = prc.ct.fdk(projections, scan, volume)
        return np.sqrt(np.mean((image - truth)[inside] ** 2))

    plain = error(lines)
    for method in ("li", "nmar"):
        mended = prc.ct.reduce_metal(lines, scan, volume, threshold=0.1, method=method)
        assert error(mended) < 0.5 * plain


@pytest.mark.parametrize("method", ["li", "nmar"])
def test_metal_on_device(device, method):
    scan = prc.ParallelBeam(np.arange(24) * np.pi / 24, 61, 4.0)
    case = Case(scan, prc.Volume((40, 40), 5.0))
    settings = {"method": method, "return_metal": True, "threshold": 0.08}
    expected = prc.ct.reduce_metal(case.lines, scan, case.volume, **settings)
    with device:
        got = prc.ct.reduce_metal(device.array(case.lines), scan, case.volume, **settings)
    for a, b in zip(got, expected, strict=True):
        np.testing.assert_allclose(device.numpy(a), b, atol=2e-4)


def test_metal_bad_inputs(case):
    def call(**settings):
        return prc.ct.reduce_metal(case.lines, case.scan, case.volume, **settings)

    with pytest.raises(DataError, match="either threshold or metal"):
        call()
    with pytest.raises(DataError, match="threshold is 99 1/mm, but the image reaches"):
        call(threshold=99)
    with pytest.raises(DataError, match="marks no voxel"):
        call(metal=np.zeros(case.volume.shape, bool))
    with pytest.raises(DataError, match="float64"):
        call(metal=np.zeros(case.volume.shape))
    with pytest.raises(ShapeError, match=r"metal has shape \(3, 3\)"):
        call(metal=np.ones((3, 3), bool))
    with pytest.raises(DataError, match="'mar'"):
        call(threshold=0.1, method="mar")
    with pytest.raises(DataError, match="air < bone"):
        call(threshold=0.1, classes=(0.3, 0.1))
    with pytest.raises(DataError, match="metal in every column"):
        call(metal=np.ones(case.volume.shape, bool))
    with pytest.raises(ShapeError, match="projections has shape"):
        prc.ct.reduce_metal(case.lines[1:], case.scan, case.volume, threshold=0.1)
