"""Windows, oversampling, zero filling and phase-sensitive combination."""

import numpy as np
import pytest
import scipy.signal
from helpers import relative_error
from hypothesis import given, settings
from hypothesis import strategies as st

from pyrad_core import mr
from pyrad_core.errors import DataError, ShapeError
from pyrad_core.mr.window import WINDOWS

RNG = np.random.default_rng(5)


def random(*shape, dtype=np.complex128):
    return (RNG.standard_normal(shape) + 1j * RNG.standard_normal(shape)).astype(dtype)


@pytest.mark.parametrize(
    ("kind", "parameter", "oracle"),
    [
        ("hann", None, "hann"),
        ("hamming", None, None),
        ("blackman", None, "blackman"),
        ("tukey", 0.3, ("tukey", 0.3)),
        ("kaiser", 5.0, ("kaiser", 5.0)),
        ("gauss", 0.4, ("gaussian", 0.4 * 32)),
        ("cosine", None, None),
        ("lanczos", None, None),
    ],
)
def test_kinds_are_the_known_windows(kind, parameter, oracle):
    """SciPy's periodic windows of an even length have their peak at n // 2, as k-space has."""
    got = mr.window(np.ones((1, 64), complex), kind=kind, axes=(-1,), parameter=parameter)[0].real
    r = np.abs(np.arange(64) - 32) / 32
    formulas = {
        "hamming": 0.54 + 0.46 * np.cos(np.pi * r),
        "cosine": np.cos(np.pi * r / 2),
        "lanczos": np.sinc(r),
    }
    if oracle is None:
        expected = formulas[kind]
    elif kind == "tukey":  # SciPy's edge lies one sample further out
        expected = scipy.signal.get_window(oracle, 65, fftbins=False)[:64]
    else:
        expected = scipy.signal.get_window(oracle, 64)
    assert np.allclose(got, expected, atol=1e-12)


@pytest.mark.parametrize("kind", WINDOWS)
@pytest.mark.parametrize("radial", [False, True])
def test_dc_stays_and_edges_fall(kind, radial):
    k = np.ones((2, 15, 16), np.complex64)
    got = mr.window(k, kind=kind, radial=radial)
    assert got.dtype == np.complex64 and got[1, 7, 8] == 1
    assert got.real.min() >= 0 and got[0, 7, 0].real < 0.3
    assert np.allclose(got[0, 1:14], got[0, 13:0:-1])  # even about DC


def test_less_ringing_and_the_same_mean():
    image = np.zeros((128, 128))
    image[40:90, 40:90] = 1
    low = mr.fft(image)[32:96, 32:96] / 2  # unitary on 64 of 128 points
    plain = mr.ifft(mr.zero_fill(low, (128, 128)))
    calm = mr.ifft(mr.zero_fill(mr.window(low, kind="hamming"), (128, 128)))
    assert np.isclose(plain.sum(), image.sum()) and np.isclose(calm.sum(), image.sum())
    assert calm.real.max() - 1 < 0.02 < 0.1 < plain.real.max() - 1
    half = mr.window(np.ones((1, 64), complex), axes=(1,), cutoff=0.5)[0].real
    assert half[:17].max() == 0 and half[32] == 1


@given(
    n=st.integers(2, 40), factor=st.integers(1, 3), odd=st.integers(0, 1), axis=st.integers(0, 2)
)
@settings(max_examples=20, deadline=None)
def test_oversampling_crops_the_image(n, factor, odd, axis):
    """Against a crop in image space about pixel n // 2."""
    full = n * factor + (odd if factor == 1 else 0)
    shape = [3, 4, 5]
    shape[axis] = full
    image = RNG.standard_normal(shape) + 0j
    keep = full // factor
    first = full // 2 - keep // 2
    expected = np.take(image, range(first, first + keep), axis=axis)
    small = mr.remove_oversampling(mr.fft(image, axes=(axis,)), axis=axis, factor=factor)
    assert relative_error(mr.ifft(small, axes=(axis,)), expected) < 1e-12


def test_oversampling_by_any_ratio():
    image = random(2, 7, 30)
    small = mr.remove_oversampling(mr.fft(image, axes=(-1,)), keep=21)
    assert relative_error(mr.ifft(small, axes=(-1,)), image[..., 5:26]) < 1e-12
    with pytest.raises(ShapeError, match="keep is 31, but kspace has 30"):
        mr.remove_oversampling(image, keep=31)
    with pytest.raises(ShapeError, match="not a multiple of 4"):
        mr.remove_oversampling(image, factor=4)


@given(n=st.integers(1, 9), extra=st.integers(0, 9), m=st.integers(1, 9))
@settings(max_examples=20, deadline=None)
def test_zero_filling_interpolates(n, extra, m):
    """The band-limited image at the new pixels, from a direct sum."""
    k = np.exp(1j * np.outer(np.arange(1, n + 1) ** 2, np.arange(1, m + 1)))
    size = n + extra
    got = mr.ifft(mr.zero_fill(k, (size,), axes=(0,)), axes=(0,))
    frequency, pixel = np.arange(n) - n // 2, np.arange(size) - size // 2
    waves = np.exp(2j * np.pi * np.outer(pixel, frequency) / size) / np.sqrt(n)
    assert relative_error(got, waves @ k) < 1e-12


def test_zero_filling_refuses_smaller_grids():
    with pytest.raises(ShapeError, match="asks for 4 samples along axis 1, kspace has 5"):
        mr.zero_fill(random(5, 5), (8, 4), axes=(0, 1))


def test_phase_sensitive_keeps_signs_and_scale():
    truth = RNG.standard_normal((12, 10))
    coils = random(4, 12, 10)
    reference = 3 * coils
    got = mr.phase_sensitive(truth * coils, reference)
    assert np.allclose(got, truth * np.sqrt((np.abs(coils) ** 2).sum(0)))
    assert np.allclose(mr.phase_sensitive(truth * coils, coils, normalize=True), truth)
    assert got.dtype == np.float64
    reference[:, 3, 4] = 0
    assert mr.phase_sensitive(truth * coils, reference)[3, 4] == 0


def test_phase_sensitive_smoothing_tames_a_noisy_reference():
    y, x = np.mgrid[:64, :64] / 64
    phase = np.exp(2j * (x + y))[None]
    signs = np.where((x - 0.5) ** 2 + (y - 0.5) ** 2 < 0.1, -1.0, 1.0)
    noisy = phase + 0.8 * random(1, 64, 64)
    wrong = [
        np.mean(mr.phase_sensitive(signs * phase, noisy, smoothing=s) * signs < 0)
        for s in (0.0, 2.0)
    ]
    assert wrong[1] < 1e-3 < 0.1 < wrong[0]


def test_on_a_device(device):
    k = random(2, 16, 16, dtype=np.complex64)
    jobs = (
        lambda k: mr.window(k, kind="tukey", radial=True),
        lambda k: mr.remove_oversampling(k),
        lambda k: mr.zero_fill(k, (20, 24)),
        lambda k: mr.phase_sensitive(k, k[::-1], smoothing=1.0),
        lambda k: mr.regrid_readout(k, np.linspace(-8, 7, 16)),
    )
    for job in jobs:
        expected = job(k)
        with device:
            got = job(device.array(k))
        assert relative_error(device.numpy(got), expected) < 1e-5


def test_refused():
    k = random(2, 8, 8)
    with pytest.raises(DataError, match="did you mean 'hann'"):
        mr.window(k, kind="hanning")
    with pytest.raises(DataError, match="takes none"):
        mr.window(k, parameter=3.0)
    with pytest.raises(DataError, match="cutoff is 1.5"):
        mr.window(k, cutoff=1.5)
    with pytest.raises(DataError, match=r"tapers a part in \[0, 1\]"):
        mr.window(k, kind="tukey", parameter=2)
    with pytest.raises(ShapeError, match=r"\(1, 8, 8\), but images"):
        mr.phase_sensitive(k, k[:1])
    with pytest.raises(DataError, match="only zeros"):
        mr.phase_sensitive(k, 0 * k)
