"""Beam hardening of simulated polychromatic closed forms: cups, dark bands, tables."""

import numpy as np
import pytest

import pyrad_core as prc
from pyrad_core._kernels.select import cpu_kernels
from pyrad_core.errors import DataError, ShapeError
from pyrad_core.phantom import Ellipsoids

ENERGY = np.arange(30.0, 121.0, 5.0)
WEIGHT = np.exp(-(((ENERGY - 62) / 24) ** 2))
# photoelectric and Compton parts, close to water and cortical bone, 1/mm
WATER = 0.0017 * (60 / ENERGY) ** 3 * 2 + 0.0172 * (60 / ENERGY) ** 0.3
BONE = 0.035 * (60 / ENERGY) ** 3 + 0.030 * (60 / ENERGY) ** 0.3
SPECTRUM = {"energies": ENERGY, "weights": WEIGHT, "mu": WATER}


def poly_lines(water, bone=0.0):
    """Direct sum over the energies."""
    table = zip(WEIGHT / WEIGHT.sum(), WATER, BONE, strict=True)
    return -np.log(sum(w * np.exp(-m * water - b * bone) for w, m, b in table))


def scan_of(views=240, columns=161):
    return prc.ParallelBeam(np.arange(views) * np.pi / views, columns, 2.0)


def lengths(bodies, scan):
    return Ellipsoids(bodies).project(scan).astype(np.float64)


def cupping(image, volume, radius):
    """Rise of the mean from the centre to near the rim, relative to the mean."""
    y, x = np.meshgrid(*volume.axes(), indexing="ij")
    r = np.hypot(x, y)
    centre, rim = image[r < 0.2 * radius].mean(), image[(r > 0.8 * radius) & (r < 0.92 * radius)]
    return (rim.mean() - centre) / image[r < 0.92 * radius].mean()


@pytest.mark.parametrize("reference", [None, 60.0])
def test_water_cylinder_loses_its_cup(reference):
    scan, volume = scan_of(), prc.Volume((128, 128), 2.0)
    water = lengths([[1.0, 100, 100, 0, 0, 0]], scan)
    lines = poly_lines(water)
    mono = WEIGHT @ WATER / WEIGHT.sum() if reference is None else WATER[ENERGY == 60][0]
    fixed = prc.ct.correct_beam_hardening(lines, **SPECTRUM, reference=reference)
    np.testing.assert_allclose(fixed, mono * water, atol=2e-6)
    ideal = prc.ct.fbp(mono * water, scan, volume)
    before = cupping(prc.ct.fbp(lines, scan, volume), volume, 100)
    image = prc.ct.fbp(fixed, scan, volume)
    after = cupping(image, volume, 100)
    assert before > 0.04 and abs(after - cupping(ideal, volume, 100)) < 1e-4 and abs(after) < 0.01
    assert image[64, 64] == pytest.approx(mono, rel=0.01)


def test_polynomial_numpy():
    lines = np.random.default_rng(0).uniform(-0.1, 6, (5, 3, 7))
    c = [1.0, 0.03, -0.001, 2e-4]
    expected = sum(k * lines ** (i + 1) for i, k in enumerate(c))
    np.testing.assert_allclose(
        prc.ct.correct_beam_hardening(lines, coefficients=c), expected, rtol=1e-14, atol=1e-15
    )
    low = prc.ct.correct_beam_hardening(lines.astype(np.float32), coefficients=c)
    assert low.dtype == np.float32
    np.testing.assert_allclose(low, expected, rtol=1e-5, atol=1e-6)


def test_noise_below_zero_and_thick_paths():
    """Negative line integrals go on straight with the slope at zero; 25 is beyond any table."""
    fixed = prc.ct.correct_beam_hardening(np.array([[-0.05, 0.0, 25.0]]), **SPECTRUM)
    assert fixed[0, 0] == pytest.approx(-0.05, rel=1e-2) and abs(fixed[0, 1]) < 1e-12
    mono = WEIGHT @ WATER / WEIGHT.sum()
    assert poly_lines(fixed[0, 2] / mono) == pytest.approx(25.0, rel=1e-6)


@pytest.fixture(scope="module")
def head():
    """Water with two bones: a dark band runs between them."""
    scan, volume = scan_of(), prc.Volume((160, 160), 1.6)
    skull = [[1.0, 10, 10, -45, 0, 0], [1.0, 10, 10, 45, 0, 0]]
    bone = lengths(skull, scan)
    water = lengths([[1.0, 90, 75, 0, 0, 0]], scan) - bone
    return scan, volume, water, bone


def test_two_materials_lose_the_dark_band(head):
    scan, volume, water, bone = head
    lines = poly_lines(water, bone)
    share = WEIGHT / WEIGHT.sum()
    ideal = prc.ct.fbp((share @ WATER) * water + (share @ BONE) * bone, scan, volume)
    one = prc.ct.correct_beam_hardening(lines, **SPECTRUM)
    settings = {"mu_second": BONE, "threshold": 0.03}
    two = prc.ct.correct_beam_hardening(lines, scan, volume, **SPECTRUM, **settings)
    y, x = np.meshgrid(*volume.axes(), indexing="ij")
    band = (np.abs(x) < 25) & (np.abs(y) < 8)

    def error(projections):
        image = prc.ct.fbp(projections, scan, volume)
        return abs(image[band].mean() - ideal[band].mean()) / ideal[band].mean()

    assert 0.2 * error(one) > error(two) and error(one) > 0.012


def test_two_material_rays_direct_sum():
    """The kernel's Newton iteration inverts the sum over energies."""
    rng = np.random.default_rng(1)
    water, bone = rng.uniform(0, 300, 500), rng.uniform(0, 40, 500)
    share = WEIGHT / WEIGHT.sum()
    out = np.empty(500)
    table = np.ascontiguousarray([share, WATER, BONE])
    mono = share @ WATER, share @ BONE
    cpu_kernels().two_material_lines(poly_lines(water, bone), bone, table, *mono, out)
    np.testing.assert_allclose(out, mono[0] * water + mono[1] * bone, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_beam_hardening_on_device(device, dtype):
    lines = np.random.default_rng(2).uniform(-0.1, 5, (6, 31)).astype(dtype)
    scan, volume = prc.ParallelBeam(np.arange(6) * 0.5, 31), prc.Volume((16, 16))
    two = {"geometry": scan, "volume": volume, "mu_second": BONE, "threshold": 0.03}
    tolerance = 2e-5 if dtype == np.float32 else 1e-10
    for settings in ({"coefficients": [1.0, 0.1]}, SPECTRUM, SPECTRUM | two):
        expected = prc.ct.correct_beam_hardening(lines, **settings)
        with device:
            got = prc.ct.correct_beam_hardening(device.array(lines), **settings)
        np.testing.assert_allclose(device.numpy(got), expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(
    ("settings", "error", "text"),
    [
        ({}, DataError, "either coefficients or"),
        (SPECTRUM | {"coefficients": [1.0]}, DataError, "either coefficients or"),
        ({"coefficients": []}, ShapeError, "coefficients has shape"),
        ({"coefficients": [1.0, np.nan]}, DataError, "coefficients holds NaN"),
        ({"energies": ENERGY, "mu": WATER}, DataError, "weights is missing"),
        (SPECTRUM | {"mu": WATER[1:]}, ShapeError, r"mu has shape \(18,\)"),
        (SPECTRUM | {"mu": -WATER}, DataError, "mu is -.* at index 0"),
        (SPECTRUM | {"weights": 0 * WEIGHT}, DataError, "all 0"),
        (SPECTRUM | {"energies": ENERGY[::-1]}, DataError, "increase"),
        (SPECTRUM | {"reference": 10.0}, DataError, "reference is 10 keV"),
        (SPECTRUM | {"mu_second": BONE}, DataError, "needs geometry"),
    ],
)
def test_beam_hardening_bad_inputs(settings, error, text):
    with pytest.raises(error, match=text):
        prc.ct.correct_beam_hardening(np.ones((4, 5)), **settings)


def test_beam_hardening_bad_threshold(head):
    scan, volume, water, bone = head
    settings = SPECTRUM | {"mu_second": BONE, "threshold": 0.001}
    with pytest.raises(DataError, match=r"threshold is 0.001 1/mm"):
        prc.ct.correct_beam_hardening(poly_lines(water, bone), scan, volume, **settings)
    with pytest.raises(ShapeError, match="geometry"):
        prc.ct.correct_beam_hardening(np.ones((4, 5)), scan, volume, **settings | {"threshold": 1})
