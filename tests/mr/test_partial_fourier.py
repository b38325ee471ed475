"""Homodyne and POCS: exact for real objects, measured on the brain, against BART."""

import shutil
import subprocess

import numpy as np
import pytest
import scipy.io
from helpers import data_path, relative_error
from hypothesis import given, settings
from hypothesis import strategies as st

import pyrad_core as prc
from pyrad_core import mr
from pyrad_core._kernels import cpu

from .oracles import complex_normal

METHODS = ("homodyne", "pocs")


def cut_off(kspace, *ranges):
    """Zero outside the ranges (low, high), one per axis after the coils'."""
    out = np.zeros_like(kspace)
    box = (slice(None), *(slice(low, high) for low, high in ranges))
    out[box] = kspace[box]
    return out


def images_of(kspace):
    return mr.ifft(kspace, axes=tuple(range(1, kspace.ndim)))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("transition", [0.0, 0.5, 1.0])
@pytest.mark.parametrize(
    "shape, ranges",
    [
        ((20, 24), ((0, 13), (0, 24))),  # Nyquist line measured, or odd sizes
        ((21, 24), ((8, 21), (0, 24))),
        ((21, 24), ((0, 14), (0, 24))),
        ((20, 25), ((0, 20), (10, 25))),
        ((7, 15, 16), ((0, 5), (0, 15), (0, 16))),
    ],
)
def test_real_objects_are_recovered(method, transition, shape, ranges):
    image = np.random.default_rng(0).standard_normal((2, *shape)) * np.array([1, 1j]).reshape(
        2, *[1] * len(shape)
    )
    full = mr.fft(image, axes=tuple(range(1, image.ndim)))
    options = {"transition": transition} if method == "homodyne" else {"iterations": 15}
    got = mr.partial_fourier(cut_off(full, *ranges), method=method, **options)
    assert relative_error(got, full) < 1e-12


def test_tolerance_stops_early():
    kspace = cut_off(
        mr.fft(np.random.default_rng(0).standard_normal((1, 33, 16))), (0, 20), (0, 16)
    )
    options = {"method": "pocs", "relaxation": 1}
    stopped = mr.partial_fourier(kspace, iterations=50, tolerance=0.1, **options)
    assert np.array_equal(stopped, mr.partial_fourier(kspace, iterations=3, **options))


def test_pocs_halves_the_error_of_a_real_object():
    full = mr.fft(np.random.default_rng(0).standard_normal((1, 33, 16)))
    kspace = cut_off(full, (0, 20), (0, 16))
    errors = [
        relative_error(mr.partial_fourier(kspace, method="pocs", iterations=n, relaxation=1), full)
        for n in (1, 2, 3)
    ]
    start = relative_error(kspace, full)
    assert np.allclose(errors, [start / 2, start / 4, start / 8], rtol=1e-10)


def test_magnitude_constraint_recovers_positive_objects():
    image = np.random.default_rng(0).random((1, 25, 16)) + 1.0
    full = mr.fft(image)
    kspace = cut_off(full, (0, 18), (0, 16))
    got = mr.partial_fourier(kspace, method="pocs", constraint="magnitude", iterations=100)
    assert relative_error(got, full) < 1e-9


@pytest.mark.parametrize("method", METHODS)
def test_two_one_sided_axes(method):
    full = mr.fft(np.random.default_rng(0).standard_normal((1, 21, 23)))
    got = mr.partial_fourier(cut_off(full, (0, 14), (9, 23)), method=method, iterations=15)
    y, x = np.indices((21, 23))
    inside = (y < 14) & (x >= 9)
    known = inside | inside[::-1, ::-1]  # there the sample or its mirror image was measured
    assert relative_error(got[:, known], full[:, known]) < 1e-12
    assert np.abs(got[:, ~known]).max() < 1e-12


@pytest.mark.parametrize("method", METHODS)
def test_smooth_phase_is_followed(method):
    y, x = np.indices((64, 64)) / 64 - 0.5
    shape = np.exp(-20 * (x**2 + y**2)) * (1.5 + np.cos(60 * y))
    image = (shape * np.exp(1j * (0.5 + 3 * y + 2 * x + 2 * y**2)))[None]
    full = mr.fft(image)
    kspace = cut_off(full, (0, 42), (0, 64))
    got = images_of(mr.partial_fourier(kspace, method=method))
    assert relative_error(got, image) < 0.3 * relative_error(images_of(kspace), image)


def test_only_as_far_as_the_longer_side():
    """Zero-padded k-space with an asymmetric echo is completed, its padding left alone."""
    full = mr.fft(np.random.default_rng(0).standard_normal((1, 40, 8)))
    band = cut_off(full, (8, 33), (0, 8))  # -12 .. 12
    for method in METHODS:
        got = mr.partial_fourier(cut_off(full, (8, 26), (0, 8)), method=method, iterations=15)
        assert relative_error(got, band) < 1e-12
    assert np.array_equal(mr.partial_fourier(band), band)  # nothing is one-sided


@pytest.mark.parametrize("dtype", [np.complex64, np.complex128])
def test_pocs_keeps_what_was_measured(dtype):
    full = complex_normal(np.random.default_rng(0), (3, 30, 31), dtype)
    kspace = cut_off(full, (0, 19), (12, 31))
    got = mr.partial_fourier(kspace, method="pocs", iterations=7)
    assert got.dtype == dtype
    assert np.array_equal(got[:, :19, 12:], full[:, :19, 12:])
    assert mr.partial_fourier(kspace).dtype == dtype


@pytest.mark.parametrize("method", METHODS)
def test_mask_and_fraction_say_the_same_as_zeros(method):
    full = complex_normal(np.random.default_rng(0), (2, 24, 20))
    expected = mr.partial_fourier(cut_off(full, (0, 15), (0, 20)), method=method)
    mask = np.zeros((24, 1), bool)
    mask[:15] = True
    assert np.array_equal(mr.partial_fourier(full, method=method, mask=mask), expected)
    assert np.array_equal(mr.partial_fourier(full, method=method, fraction=5 / 8), expected)
    late = mr.partial_fourier(cut_off(full, (0, 24), (7, 20)), method=method)
    got = mr.partial_fourier(full, method=method, fraction=-0.65, axis=2)
    assert np.array_equal(got, late)


@settings(max_examples=20, deadline=None)
@given(
    st.integers(5, 24),
    st.integers(5, 24),
    st.floats(0.55, 1.0),
    st.booleans(),
    st.floats(0, 1),
    st.integers(0, 2**32 - 1),
)
def test_homodyne_of_real_objects_of_any_size(ny, nx, part, from_end, transition, seed):
    full = mr.fft(np.random.default_rng(seed).standard_normal((1, ny, nx)))
    count = max(int(np.ceil(part * ny)), ny // 2 + 2)
    low, high = (ny - count, ny) if from_end else (0, count)
    got = mr.partial_fourier(cut_off(full, (low, high), (0, nx)), transition=transition)
    alone = low > 0 and ny % 2 == 0  # frequency -n/2 has no other half
    rows = slice(1, None) if alone else slice(None)
    assert relative_error(got[:, rows], full[:, rows]) < 1e-12


@pytest.fixture(scope="module")
def brain():
    images = scipy.io.loadmat(data_path("mr", "gpunufft", "img_brain_4ch.mat"))["img"]
    return mr.fft(np.ascontiguousarray(np.moveaxis(images, -1, 0))).astype(np.complex64)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("lines", [160, 192])
def test_brain_beside_zero_filling(brain, method, lines):
    kspace = cut_off(brain, (0, lines), (0, 256))
    truth = mr.combine_coils(mr.ifft(brain))
    zero_filled = relative_error(mr.combine_coils(mr.ifft(kspace)), truth)
    got = mr.partial_fourier(kspace, method=method)
    assert relative_error(mr.combine_coils(mr.ifft(got)), truth) < 0.8 * zero_filled


@pytest.mark.skipif(shutil.which("bart") is None, reason="BART is not installed")
def test_homodyne_bart(brain, tmp_path):
    kspace = cut_off(brain, (0, 160), (0, 256))
    data = np.ascontiguousarray(kspace.transpose(1, 2, 0)[:, :, None])  # y, x, 1, coil
    (tmp_path / "k.hdr").write_text("# Dimensions\n" + " ".join(map(str, data.shape)) + "\n")
    data.ravel(order="F").tofile(tmp_path / "k.cfl")
    command = ["bart", "homodyne", "0", str(160 / 256), "k", "image"]
    if subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode:
        pytest.skip("this BART has no homodyne of that form")
    image = np.fromfile(tmp_path / "image.cfl", np.complex64).reshape(data.shape, order="F")
    theirs = np.linalg.norm(image[:, :, 0], axis=-1)
    truth = mr.combine_coils(mr.ifft(brain))
    ours = mr.combine_coils(mr.ifft(mr.partial_fourier(kspace)))
    assert relative_error(ours, truth) < 1.05 * relative_error(theirs, truth)


@pytest.mark.parametrize("dtype", [np.complex64, np.complex128])
@pytest.mark.parametrize("magnitude", [False, True])
def test_constrain_phase_parity(device, magnitude, dtype):
    rng = np.random.default_rng(0)
    x, p = complex_normal(rng, 1000, dtype), complex_normal(rng, 1000, dtype)
    p /= np.abs(p)
    expected = (np.abs(x) if magnitude else (x * p.conj()).real) * p
    got = x.copy()
    cpu.constrain_phase(p, magnitude, got)
    tolerance = 1e-6 if dtype == np.complex64 else 1e-14
    assert relative_error(got, expected) < tolerance
    with device:
        there = device.array(x)
        device.kernels.constrain_phase(device.array(p), magnitude, there)
    assert relative_error(device.numpy(there), expected) < tolerance


@pytest.mark.parametrize("method", METHODS)
def test_partial_fourier_parity(device, method):
    full = complex_normal(np.random.default_rng(0), (2, 16, 15))
    kspace = cut_off(full, (0, 11), (4, 15))
    expected = mr.partial_fourier(kspace, method=method, iterations=5)
    with device:
        got = device.numpy(mr.partial_fourier(device.array(kspace), method=method, iterations=5))
    assert relative_error(got, expected) < 1e-5


def test_same_bits_for_any_number_of_threads():
    kspace = cut_off(complex_normal(np.random.default_rng(0), (4, 64, 62)), (0, 40), (0, 62))
    results = []
    for threads in (1, 3):
        with prc.set_num_threads(threads):
            results.append(mr.partial_fourier(kspace, method="pocs"))
    assert np.array_equal(*results)


def test_bad_input_all_zero_and_nan():
    with pytest.raises(prc.DataError, match="only zeros"):
        mr.partial_fourier(np.zeros((2, 8, 8), np.complex64))
    kspace = np.ones((2, 8, 8), np.complex64)
    kspace[1, 2, 3] = np.inf
    with pytest.raises(prc.DataError, match=r"first at index \(1, 2, 3\)"):
        mr.partial_fourier(kspace)


@pytest.mark.parametrize("dtype", [np.float64, np.float16])
def test_bad_input_54_61_dtypes(dtype):
    with pytest.raises(prc.DataError, match=f"dtype {np.dtype(dtype)}; accepted are complex64"):
        mr.partial_fourier(np.ones((2, 8, 8), dtype))


def test_bad_input_60_missing_lines():
    kspace = np.ones((2, 32, 32), np.complex64)
    kspace[:, 20:] = 0
    kspace[:, 5:7] = 0
    with pytest.raises(prc.DataError, match=r"gaps \(2\) within its measured part"):
        mr.partial_fourier(kspace)


def test_bad_arguments():
    kspace = np.ones((2, 32, 32), np.complex64)
    with pytest.raises(prc.DataError, match="did you mean 'pocs'"):
        mr.partial_fourier(kspace, method="poc")
    with pytest.raises(prc.DataError, match="fraction is 0.4"):
        mr.partial_fourier(kspace, fraction=0.4)
    with pytest.raises(prc.DataError, match="relaxation is 2"):
        mr.partial_fourier(kspace, method="pocs", relaxation=2)
    with pytest.raises(prc.DataError, match="axis is 0"):
        mr.partial_fourier(kspace, fraction=0.7, axis=0)
    with pytest.raises(prc.DataError, match="mask or fraction"):
        mr.partial_fourier(kspace, fraction=0.7, mask=np.ones((32, 32)))
    with pytest.raises(prc.ShapeError, match="mask has shape"):
        mr.partial_fourier(kspace, mask=np.ones((32, 31)))
    with pytest.raises(prc.DataError, match="both sides of DC at 16"):
        mr.partial_fourier(cut_off(kspace, (0, 16), (0, 32)))
