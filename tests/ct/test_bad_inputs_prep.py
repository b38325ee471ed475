"""What every function before and after reconstruction refuses or accepts, by catalogue number."""

import numpy as np
import pytest

import pyrad_core as prc
from pyrad_core.errors import DataError, ShapeError

SCAN = prc.ParallelBeam(np.arange(24) * np.pi / 24, 33)
GRID = prc.Volume((24, 24))
BODY = prc.phantom.Ellipsoids([[0.05, 9, 9, 0, 0, 0], [0.5, 2, 2, 4, 0, 0]])

CALLS = {
    "normalize": lambda x: prc.ct.normalize(x + 1, np.full(33, 50.0, np.float32)),
    "remove_rings": prc.ct.remove_rings,
    "remove_rings wavelets": lambda x: prc.ct.remove_rings(
        x, method="wavelet_fourier", wavelet="db2"
    ),
    "remove_rings titarenko": lambda x: prc.ct.remove_rings(x, method="titarenko"),
    "correct_beam_hardening": lambda x: prc.ct.correct_beam_hardening(x, coefficients=[1, 0.1]),
    "reduce_metal": lambda x: prc.ct.reduce_metal(x, SCAN, GRID, threshold=0.2, method="li"),
    "extend_truncated": lambda x: prc.ct.extend_truncated(x, SCAN)[0],
    "simulate_dose": lambda x: prc.ct.simulate_dose(x, 1e4),
    "denoise_projections": lambda x: prc.ct.denoise_projections(x, photons=1e4, strength=100),
    "to_hu": lambda x: prc.ct.to_hu(x, 0.02),
    "from_hu": lambda x: prc.ct.from_hu(x, 0.02),
}


@pytest.fixture(scope="module")
def lines():
    return BODY.project(SCAN).astype(np.float32)


@pytest.fixture(params=CALLS)
def call(request):
    return CALLS[request.param]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_bad_input_39_not_finite(call, lines, value):
    bad = lines.copy()
    bad[5, 7] = bad[6, 0] = value
    before = bad.copy()
    with pytest.raises(DataError, match=r"2 NaN or Inf values, the first at index \(5, 7\)"):
        call(bad)
    np.testing.assert_array_equal(bad, before)


def test_bad_input_40_integers_become_float32(call, lines):
    whole = np.round(lines * 4).astype(np.int16)
    got = call(whole)
    assert got.dtype == np.float32
    np.testing.assert_array_equal(got, call(whole.astype(np.float32)))


def test_bad_input_40_half_precision_and_complex(call, lines):
    for dtype in (np.float16, np.complex64):
        with pytest.raises(DataError, match=np.dtype(dtype).name):
            call(lines.astype(dtype))


def test_bad_input_45_46_non_contiguous_and_read_only(call, lines):
    expected = call(lines)
    strided = np.repeat(lines, 2, axis=1)[:, ::2]
    strided.flags.writeable = False
    before = strided.copy()
    np.testing.assert_array_equal(call(strided), expected)
    np.testing.assert_array_equal(strided, before)
    np.testing.assert_array_equal(call(np.asfortranarray(lines)), expected)


@pytest.mark.parametrize("name", ["normalize", "remove_rings", "denoise_projections"])
def test_bad_input_31_one_dimension(name):
    with pytest.raises(ShapeError, match=r"\(33,\)"):
        CALLS[name](np.ones(33, np.float32))


def test_float64_stays(call, lines):
    assert call(lines.astype(np.float64)).dtype == np.float64


@pytest.mark.parametrize("name", ["normalize", "simulate_dose"])
def test_bad_input_47_out(name, lines):
    def into(out):
        if name == "normalize":
            return prc.ct.normalize(lines + 1, np.full(33, 50.0, np.float32), out=out)
        return prc.ct.simulate_dose(lines, 1e4, out=out)

    out = np.empty_like(lines)
    assert into(out) is out
    np.testing.assert_array_equal(out, CALLS[name](lines))
    with pytest.raises(ShapeError, match=r"out has shape \(3, 3\)"):
        into(np.empty((3, 3), np.float32))
    with pytest.raises(DataError, match="out has dtype float64"):
        into(np.empty(lines.shape))
    with pytest.raises(DataError, match="not C-contiguous"):
        into(np.empty_like(lines, order="F"))
    out.flags.writeable = False
    with pytest.raises(DataError, match="read-only"):
        into(out)
