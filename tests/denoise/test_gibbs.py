"""Gibbs unringing against MRtrix, the formulas written out, and what must hold for any data."""

from __future__ import annotations

import shutil
import subprocess
import sys

import numpy as np
import pytest
from helpers import data_path, relative_error
from hypothesis import given, settings
from hypothesis import strategies as st

import pyrad_core as prc
from pyrad_core._kernels import cpu
from pyrad_core.denoise import gibbs
from pyrad_core.errors import DataError, ShapeError


def lines_by_formula(x, shifts, near, far):
    """Lines along the last axis, as csrc/denoise/gibbs_math.hpp defines their unringing."""
    n = x.shape[-1]
    spectrum, k = np.fft.fft(x, axis=-1), np.fft.fftfreq(n, 1 / n)
    least = np.full(x.shape, np.inf)
    result = np.zeros(x.shape, complex)
    for j in sorted(range(-shifts, shifts + 1), key=lambda j: (abs(j), -j)):
        s = j / (2 * shifts)
        moved = spectrum * np.exp(2j * np.pi * k * s / n)
        if n % 2 == 0 and j != 0:
            moved[..., n // 2] = 0
        line = np.fft.ifft(moved, axis=-1)
        step = line - np.roll(line, 1, -1)
        size = abs(step.real) + (abs(step.imag) if np.iscomplexobj(x) else 0)
        left = sum(np.roll(size, t, -1) for t in range(near, far + 1))
        right = sum(np.roll(size, -t - 1, -1) for t in range(near, far + 1))
        ripple = np.minimum(left, right)
        back = (1 - abs(s)) * line + abs(s) * np.roll(line, 1 if j > 0 else -1, -1)
        better = ripple < least
        least[better], result[better] = ripple[better], back[better]
    return result if np.iscomplexobj(x) else result.real


def by_formula(x, axes, shifts=20, near=1, far=3):
    """Unringing along several axes of one image, and of all others one by one."""
    cosines = []
    for axis in axes:
        n, shape = x.shape[axis], [1] * x.ndim
        shape[axis] = n
        c = 1 + np.cos(2 * np.pi * np.fft.fftfreq(n))
        c[np.fft.fftfreq(n) == -0.5] = 0
        cosines.append(c.reshape(shape))
    products = [np.ones(1) for _ in axes]
    for a in range(len(axes)):
        for b in range(len(axes)):
            if a != b:
                products[a] = products[a] * cosines[b]
    total = sum(products)
    result = np.zeros(x.shape, x.dtype)
    for axis, product in zip(axes, products, strict=True):
        weight = np.divide(product, total, out=np.zeros(total.shape), where=total > 0)
        share = np.fft.ifftn(np.fft.fftn(x, axes=axes) * weight, axes=axes)
        share = share if np.iscomplexobj(x) else share.real
        moved = lines_by_formula(np.moveaxis(share, axis, -1), shifts, near, far)
        result += np.moveaxis(moved, -1, axis)
    return result


def _noise(shape, dtype=np.float64, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(3, 1, shape)
    if np.dtype(dtype).kind == "c":
        x = x + 1j * rng.normal(0, 1, shape)
    return x.astype(dtype)


def _mrdegibbs(image, folder, *options):
    """mrdegibbs of an image (..., y, x)."""
    nibabel = pytest.importorskip("nibabel")
    if shutil.which("mrdegibbs") is None:
        pytest.skip("mrdegibbs of MRtrix3 is not installed")
    source, target = folder / "in.nii", folder / "out.nii"
    nibabel.save(nibabel.Nifti1Image(image.T, np.eye(4)), source)
    subprocess.run(
        ["mrdegibbs", source, target, "-quiet", "-datatype", "float64", *options],
        check=True,
        timeout=120,
    )
    return nibabel.load(target).get_fdata().T


def test_real_data_mrtrix(tmp_path):
    nibabel = pytest.importorskip("nibabel")
    file = nibabel.load(data_path("denoise", "dipy", "S0_10slices.nii.gz"))
    image = np.asarray(file.dataobj).T[0]  # (z, y, x) of uint16
    expected = _mrdegibbs(image.astype(np.float32), tmp_path)
    assert abs(expected - image).max() > 100
    got = gibbs(image)
    assert got.dtype == np.float32
    assert abs(got - expected).max() < 1e-3  # the field's tolerance is 0.2


@pytest.mark.parametrize(
    ("options", "arguments"),
    [
        ((), {}),
        (("-nshifts", "9"), {"shifts": 9}),
        (("-minW", "2", "-maxW", "6"), {"window": (2, 6)}),
        (("-minW", "0", "-maxW", "2"), {"window": (0, 2)}),
        (("-axes", "0,2"), {"axes": (-1, -3)}),
        (("-axes", "1,2"), {"axes": (1, 0)}),
    ],
)
@pytest.mark.parametrize("shape", [(12, 31, 45), (9, 32, 44)])
def test_options_mrtrix(options, arguments, shape, tmp_path):
    x = 100 * _noise(shape)
    expected = _mrdegibbs(x, tmp_path, *options)
    assert relative_error(gibbs(x, **arguments), expected) < 1e-12


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64, np.complex128])
@pytest.mark.parametrize(
    ("shape", "axes"),
    [
        ((37,), (0,)),
        ((3, 16), (-1,)),
        ((12, 17), (0, 1)),
        ((2, 9, 16, 2), (1, 2)),
        ((8, 10, 14), (0, 1, 2)),
        ((2, 9, 10, 7), (-3, -2, -1)),
    ],
)
def test_formula(shape, axes, dtype):
    x = _noise(shape, dtype)
    wide = x.astype(np.complex128 if x.dtype.kind == "c" else np.float64)
    got = gibbs(x, axes=axes, shifts=6)
    assert got.dtype == dtype
    tolerance = 1e-6 if x.real.dtype == np.float32 else 1e-13
    assert relative_error(got, by_formula(wide, axes, shifts=6)) < tolerance


@settings(max_examples=15, deadline=None)
@given(
    st.integers(2, 40),
    st.integers(1, 20),
    st.integers(1, 5),
    st.integers(0, 3),
    st.integers(0, 4),
)
def test_lines_of_any_length(length, count, shifts, near, more):
    x = _noise((count, length), seed=length)
    lines = x.reshape(count, length, 1).copy()
    cpu.gibbs_lines(lines, shifts, near, near + more, False)
    expected = lines_by_formula(x, shifts, near, near + more)
    different = abs(lines[:, :, 0] - expected) > 1e-11
    if length >= 2 * (near + more) + 8:  # windows that see samples twice find exact ties
        assert not different.any()


@pytest.mark.parametrize("dtype", [np.float64, np.complex128])
def test_single_precision_takes_the_shifts_of_double(dtype):
    rng = np.random.default_rng(0)
    x = _noise((60, 64, 40), dtype) * rng.choice([0.01, 1, 30], (60, 1, 40))
    exact, single = x.copy(), x.copy()
    cpu.gibbs_lines(exact, 20, 1, 3, False)
    cpu.gibbs_lines(single, 20, 1, 3, True)
    assert abs(single - exact).max() < 3e-5 * abs(x).max()
    assert not np.array_equal(single, exact)


def _square(n, high=6):
    """A square of which k-space ends at n samples, and the same without ringing."""
    full = np.zeros((high * n, high * n))
    full[2 * n : 4 * n + 7, n + 5 : 3 * n] = 1
    k = np.fft.fftshift(np.fft.fft2(full))
    cut = slice(high * n // 2 - n // 2, high * n // 2 + n // 2)
    ringing = np.fft.ifft2(np.fft.ifftshift(k[cut, cut])).real / high**2
    return ringing, full[::high, ::high]


def test_ringing_of_a_square_goes():
    ringing, truth = _square(64)
    calm = gibbs(ringing)
    flat = np.ones(truth.shape, bool)  # away from the edges, where nothing but ringing is
    for axis in (0, 1):
        edges = np.abs(np.diff(truth, axis=axis, append=0)).max(axis=1 - axis) > 0
        near = np.convolve(edges, np.ones(7), "same") > 0
        flat &= ~np.expand_dims(near, 1 - axis)
    assert (calm - truth)[flat].std() < 0.25 * (ringing - truth)[flat].std()
    assert abs(calm.mean() - ringing.mean()) < 1e-2 * ringing.mean()


def test_volume_calms_the_axis_that_slices_leave():
    full = np.zeros((96, 96, 96))
    full[30:67, 22:60, 35:70] = 1
    k = np.fft.fftshift(np.fft.fftn(full))[36:60, 36:60, 36:60]
    ringing = np.fft.ifftn(np.fft.ifftshift(k)).real / 64
    outside = np.s_[:6, 8:13, 10:15]  # before the face that the first axis crosses
    ripples = [
        abs(np.diff(x[outside], axis=0)).sum()
        for x in (ringing, gibbs(ringing, axes=(1, 2)), gibbs(ringing, axes=(0, 1, 2)))
    ]
    assert ripples[1] > 0.9 * ripples[0]
    assert ripples[2] < 0.5 * ripples[0]


@pytest.mark.parametrize("dtype", [np.float32, np.complex64])
def test_series_are_their_slices(dtype):
    x = _noise((2, 3, 18, 21), dtype)
    together = gibbs(x)
    for index in np.ndindex(2, 3):
        np.testing.assert_allclose(together[index], gibbs(x[index]), rtol=1e-6)


def test_axes_in_any_place():
    x = _noise((18, 5, 21))
    expected = np.moveaxis(gibbs(np.moveaxis(x, 1, 0)), 0, 1)
    for axes in ((0, 2), (2, 0), (-1, -3)):
        np.testing.assert_allclose(gibbs(x, axes=axes), expected, atol=1e-13)


def test_scale_and_flips_commute():
    x = _noise((2, 23, 20))
    calm = gibbs(x)
    np.testing.assert_allclose(gibbs(3 * x), 3 * calm, atol=1e-12)
    np.testing.assert_allclose(gibbs(x[:, ::-1, ::-1]), calm[:, ::-1, ::-1], atol=1e-12)
    np.testing.assert_allclose(gibbs(x.transpose(0, 2, 1)), calm.transpose(0, 2, 1), atol=1e-12)


def test_lines_join_real_and_imaginary_part():
    x = _noise((20, 24))
    np.testing.assert_allclose(gibbs(x * (1 + 0j)).real, gibbs(x), atol=1e-12)
    turned = gibbs(x * 1j)
    np.testing.assert_allclose(turned.imag, gibbs(x), atol=1e-12)
    assert abs(turned.real).max() < 1e-12


def test_constant_unchanged_67():
    x = np.full((16, 19), 7.25, np.float32)
    np.testing.assert_allclose(gibbs(x), x, rtol=1e-7)
    assert not gibbs(np.zeros((16, 19))).any()


def test_integers_68_69():
    x = np.random.default_rng(0).integers(0, 65535, (2, 20, 24)).astype(np.uint16)
    got = gibbs(x)
    assert got.dtype == np.float32
    np.testing.assert_array_equal(got, gibbs(x.astype(np.float32)))
    huge = (3e38 * np.sin(np.arange(480.0)).reshape(20, 24)).astype(np.float32)
    np.testing.assert_allclose(gibbs(huge), gibbs(huge.astype(np.float64)), rtol=1e-5, atol=1e31)
    high = np.full((8, 9), np.iinfo(np.int32).max)
    np.testing.assert_allclose(gibbs(high), high.astype(np.float32))


def test_axes_of_one_sample_66():
    x = _noise((1, 20, 24))
    np.testing.assert_array_equal(gibbs(x, axes=(0, 1, 2)), gibbs(x))
    np.testing.assert_array_equal(gibbs(x[:, :, :1], axes=(0, 2)), x[:, :, :1])
    assert gibbs(_noise((1, 1))).shape == (1, 1)
    two = _noise((2, 2))
    np.testing.assert_allclose(gibbs(two), by_formula(two, (0, 1)), atol=1e-14)


def test_not_finite_62():
    x = _noise((10, 12))
    x[3, 4] = np.nan
    with pytest.raises(DataError, match=r"image holds 1 NaN or Inf .* \(3, 4\)"):
        gibbs(x)
    with pytest.raises(DataError, match="image"):
        gibbs(_noise((4, 5)).astype(np.float16))


def test_empty_70():
    with pytest.raises(ShapeError, match=r"\(0, 5\)"):
        gibbs(np.zeros((0, 5)))
    with pytest.raises(ShapeError, match="image"):
        gibbs(np.float64(3))


@pytest.mark.parametrize(
    "arguments",
    [
        {"shifts": 0},
        {"shifts": 2.5},
        {"shifts": 129},
        {"window": (3, 1)},
        {"window": (-1, 1)},
        {"window": (1, 2, 3)},
        {"window": (1, 200)},
        {"axes": (0, 0)},
        {"axes": (1, -1)},
        {"axes": (0, 5)},
        {"axes": ()},
        {"axes": (0, -3)},
    ],
)
def test_bad_arguments(arguments):
    with pytest.raises(DataError, match=next(iter(arguments))):
        gibbs(_noise((10, 12)), **arguments)


def test_out_and_strides():
    x = _noise((3, 20, 25), np.float32)
    expected, before = gibbs(x), x.copy()
    np.testing.assert_array_equal(x, before)
    out = np.empty_like(x)
    assert gibbs(x, out=out) is out
    np.testing.assert_array_equal(out, expected)
    strided = np.repeat(x, 2, axis=2)[:, :, ::2]
    strided.flags.writeable = False
    np.testing.assert_array_equal(gibbs(strided), expected)
    np.testing.assert_allclose(gibbs(np.asfortranarray(x)), expected)
    gibbs(x, out=x)
    np.testing.assert_array_equal(x, expected)
    with pytest.raises(ShapeError):
        gibbs(x, out=out[:2])
    y = np.zeros((20, 3, 25), np.float32)
    gibbs(before.transpose(1, 0, 2), axes=(0, 2), out=y)
    np.testing.assert_allclose(y, expected.transpose(1, 0, 2), atol=1e-5)


def test_chunks_do_not_show(monkeypatch):
    x = _noise((7, 20, 24), np.float32)
    expected = gibbs(x)
    monkeypatch.setattr(sys.modules[gibbs.__module__], "_CHUNK", 1000)
    np.testing.assert_array_equal(gibbs(x), expected)


@pytest.mark.parametrize("dtype", [np.float64, np.complex128])
def test_threads_give_the_same_bits(dtype, thread_count):
    x = _noise((4, 23, 40), dtype)
    results = []
    for threads in (1, 2, 3):
        prc.set_num_threads(threads)
        results.append(gibbs(x))
    np.testing.assert_array_equal(results[0], results[1])
    np.testing.assert_array_equal(results[0], results[2])


@pytest.mark.sanitize
def test_vector_widths_agree():
    x = _noise((2, 23, 40))
    expected = gibbs(x)
    before = cpu.limit_vector_width(8)
    try:
        for width in (8, 0):
            cpu.limit_vector_width(width)
            np.testing.assert_allclose(gibbs(x), expected, atol=1e-12)
    finally:
        cpu.limit_vector_width(before)


@pytest.mark.parametrize("dtype", [np.float64, np.complex128])
@pytest.mark.parametrize(
    ("shape", "search"),
    [
        ((2, 9, 5), (3, 1, 3)),
        ((3, 12, 1), (11, 0, 2)),
        ((1, 270, 1), (2, 1, 3)),
        ((2, 2, 3), (1, 1, 1)),
    ],
)
def test_lines_parity(device, dtype, shape, search):
    x = _noise(shape, dtype)
    expected, got = x.copy(), device.array(x)
    cpu.gibbs_lines(expected, *search, False)
    device.kernels.gibbs_lines(got, *search, False)
    np.testing.assert_allclose(device.numpy(got), expected, atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.complex64])
def test_parity(device, dtype):
    x = _noise((2, 9, 12), dtype)
    for axes in ((-2, -1), (0, 1, 2)):
        expected = gibbs(x, axes=axes, shifts=4)
        with device:
            got = gibbs(device.array(x), axes=axes, shifts=4)
        assert got.dtype == dtype
        np.testing.assert_allclose(device.numpy(got), expected, rtol=1e-6)
