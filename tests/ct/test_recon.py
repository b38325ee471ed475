"""Every method through the one door: error against the truth, options, bad inputs."""

import numpy as np
import pytest
from helpers import relative_error

import pyrad_core as prc
from pyrad_core.ct.recon import METHODS
from pyrad_core.errors import DataError, GeometryError, ShapeError
from pyrad_core.phantom import shepp_logan

VIEWS = np.linspace(0, np.pi, 60, endpoint=False)
SCAN = prc.ParallelBeam(VIEWS, 100)
VOLUME = prc.Volume((64, 64), spacing=1.4)
HEAD = shepp_logan(2, radius=42)
LINES = HEAD.project(SCAN).astype(np.float32)
TRUTH = HEAD.raster(VOLUME, supersample=4)


@pytest.mark.parametrize(
    ("method", "options", "error"),
    [
        ("fbp", {}, 0.30),
        ("sirt", {"iterations": 60}, 0.28),
        ("os_sart", {"iterations": 6, "subsets": 6}, 0.28),
        ("cgls", {"iterations": 12}, 0.28),
        ("tv", {"iterations": 150, "weight": 0.5}, 0.25),
    ],
)
def test_methods_recover_the_phantom(method, options, error):
    image = prc.ct.recon(LINES, SCAN, VOLUME, method=method, **options)
    assert image.dtype == np.float32 and image.shape == VOLUME.shape
    assert relative_error(image, TRUTH) < error


def test_few_noisy_views_need_a_prior():
    few = SCAN.subset(slice(0, None, 3))
    noisy = prc.ct.simulate_dose(LINES[::3] / 42, 2e4, seed=1) * 42
    plain = prc.ct.recon(noisy, few, VOLUME, method="fbp")
    smooth = prc.ct.recon(noisy, few, VOLUME, method="tv", iterations=150)
    assert relative_error(smooth, TRUTH) < 0.6 * relative_error(plain, TRUTH)


def test_fan_beam_and_rows():
    fan = prc.FanBeam(2 * VIEWS, 120, 1.6, 120, 200)
    image = prc.ct.recon(
        HEAD.project(fan).astype(np.float64), fan, VOLUME, method="cgls", iterations=12
    )
    assert image.dtype == np.float64 and relative_error(image, TRUTH) < 0.3
    rows = prc.ParallelBeam(VIEWS, (2, 100))
    stack = np.stack([LINES, 0.5 * LINES], axis=1)
    volume = prc.Volume((2, 64, 64), spacing=(1.0, 1.4, 1.4))
    image = prc.ct.recon(stack, rows, volume, method="sirt", iterations=5)
    assert relative_error(image[1], 0.5 * image[0]) < 1e-5


def test_none_means_default():
    image = prc.ct.recon(LINES, SCAN, VOLUME, method="fbp", filter=None)
    np.testing.assert_array_equal(image, prc.ct.fbp(LINES, SCAN, VOLUME))


@pytest.mark.parametrize("bad", [0, -3, 2.5])
@pytest.mark.parametrize("method", [name for name in METHODS if METHODS[name].iterative])
def test_bad_input_44_iterations(method, bad):
    with pytest.raises(DataError, match=f"iterations is {bad}"):
        prc.ct.recon(LINES, SCAN, VOLUME, method=method, iterations=bad)


def test_bad_input_31_39_through_every_method():
    broken = LINES.copy()
    broken[3, 4] = np.nan
    for method in set(METHODS) - {"fdk"}:  # cones alone; in test_bad_inputs.py
        with pytest.raises(ShapeError, match=r"\(59, 100\).*\(60, 100\)"):
            prc.ct.recon(LINES[1:], SCAN, VOLUME, method=method)
        with pytest.raises(DataError, match=r"projections holds 1 NaN.*\(3, 4\)"):
            prc.ct.recon(broken, SCAN, VOLUME, method=method)


def test_direct_methods():
    """The functions themselves, with their options; nothing was iterated."""
    cone = prc.ConeBeam(2 * VIEWS, (6, 90), 1.8, 120, 200)
    volume = prc.Volume((3, 40, 40), spacing=2.0)
    ball = prc.phantom.Ellipsoids([[1.0, 20, 20, 20, 0, 0, 0, 0]]).project(cone)
    options = {"filter": "hann", "cutoff": 0.8}
    image, info = prc.ct.recon(ball, cone, volume, method="fdk", return_info=True, **options)
    np.testing.assert_array_equal(image, prc.ct.fdk(ball, cone, volume, **options))
    assert info.stop_reason == "direct" and info.iterations == len(info.residuals) == 0
    image = prc.ct.recon(LINES, SCAN, VOLUME, method="fbp", **options)
    np.testing.assert_array_equal(image, prc.ct.fbp(LINES, SCAN, VOLUME, **options))
    out = np.empty_like(image)
    assert prc.ct.recon(LINES, SCAN, VOLUME, out=out, **options) is out
    np.testing.assert_array_equal(out, image)
    with pytest.raises(ShapeError, match=r"\(59, 6, 90\).*\(60, 6, 90\)"):
        prc.ct.recon(ball[1:], cone, volume, method="fdk")
    with pytest.raises(DataError, match="unknown option of fbp 'iterations'"):
        prc.ct.recon(LINES, SCAN, VOLUME, method="fbp", iterations=3)


def test_unknown_method_and_option():
    with pytest.raises(DataError, match="did you mean 'sirt'"):
        prc.ct.recon(LINES, SCAN, VOLUME, method="srit")
    with pytest.raises(DataError, match="unknown option of cgls 'weight'"):
        prc.ct.recon(LINES, SCAN, VOLUME, method="cgls", weight=1.0)
    cone = prc.ConeBeam(VIEWS, (4, 8), 1.0, 100, 150)
    for method in METHODS:
        with pytest.raises(GeometryError, match="ParallelBeam and FanBeam|has rows|use nz = 1"):
            prc.ct.recon(np.zeros(cone.projection_shape), cone, VOLUME, method=method)
