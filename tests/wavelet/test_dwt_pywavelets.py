"""Decimated transforms against PyWavelets: every wavelet, mode, dtype, lengths, axes, inverse."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pyrad_core as prc
from pyrad_core import wavelet as prw

pywt = pytest.importorskip("pywt")

NAMES = pywt.wavelist(kind="discrete")
DTYPES = (np.float32, np.float64, np.complex64, np.complex128)
# Short and long filters, even and odd half lengths, orthogonal and not.
SOME = ("haar", "db2", "db4", "sym5", "coif1", "bior2.2", "rbio3.1", "dmey")


def draw(shape, dtype=np.float64, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(shape)
    if np.dtype(dtype).kind == "c":
        x = x + 1j * rng.standard_normal(shape)
    return x.astype(dtype)


def assert_close(got, expected, taps):
    """Within 1e-12 (double) or a few ulps per tap (single) of the largest value."""
    assert got.shape == expected.shape and got.dtype == expected.dtype
    eps = np.finfo(got.dtype).eps
    tolerance = 1e-12 if eps < 1e-10 else 3 * taps * eps
    assert np.abs(got - expected).max() <= tolerance * max(np.abs(expected).max(), 1.0)


def assert_close_bands(got, expected, taps):
    assert list(got) == list(expected)
    for name in expected:
        assert_close(got[name], expected[name], taps)


def test_names_and_filters_are_those_of_pywavelets():
    assert prw.wavelist() == NAMES
    assert len(NAMES) == 106
    assert set(prw.modes) == set(pywt.Modes.modes)
    assert prw.families() == pywt.families()[: len(prw.families())]
    assert prw.families(short=False) == pywt.families(short=False)[: len(prw.families())]
    for family in prw.families():
        assert prw.wavelist(family) == pywt.wavelist(family)
    for name in NAMES:
        ours, theirs = prw.Wavelet(name), pywt.Wavelet(name)
        assert ours.filter_bank == theirs.filter_bank, name
        assert (ours.orthogonal, ours.biorthogonal) == (theirs.orthogonal, theirs.biorthogonal)
        assert ours.short_family_name == theirs.short_family_name
        assert prw.dwt_max_level(100, name) == pywt.dwt_max_level(100, name)


@pytest.mark.parametrize("mode", prw.modes)
def test_every_wavelet_in_every_mode(mode):
    for name in NAMES:
        taps = pywt.Wavelet(name).dec_len
        for n in (taps, taps + 1):
            x = draw((2, n), seed=n)
            got, expected = prw.dwt(x, name, mode), pywt.dwt(x, name, mode)
            assert_close(got[0], expected[0], taps)
            assert_close(got[1], expected[1], taps)
            assert_close(prw.idwt(*expected, name, mode), pywt.idwt(*expected, name, mode), taps)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("mode", prw.modes)
def test_lengths_shorter_than_the_filter(mode, dtype):
    for name in SOME:
        taps = pywt.Wavelet(name).dec_len
        for n in (1, 2, 3, 5, 6, 11, 20, 33):
            if n == 1 and mode in ("reflect", "antireflect"):
                continue
            for shape in ((n,), (2, n, 3), (2, n, 19)):
                axis = 0 if len(shape) == 1 else 1
                x = draw(shape, dtype, seed=n)
                low, high = pywt.dwt(x, name, mode, axis)
                got = prw.dwt(x, name, mode, axis)
                # Far extrapolation multiplies the data by up to 3 taps.
                scale = 3 * taps if mode in ("smooth", "antireflect") and n < taps else 1
                assert_close(got[0], low, scale * taps)
                assert_close(got[1], high, scale * taps)
                back = pywt.idwt(low, high, name, mode, axis)
                assert_close(prw.idwt(low, high, name, mode, axis), back, taps)


@pytest.mark.parametrize("axes", [None, (0,), (1,), (2,), (0, 2), (2, 0), (-1, -2), (1, 1)])
@pytest.mark.parametrize("dtype", DTYPES)
def test_dwtn_on_subsets_of_axes(axes, dtype):
    x = draw((9, 20, 34), dtype)
    for name, mode in (("db4", "symmetric"), ("bior2.2", "periodization"), ("haar", "zero")):
        expected = pywt.dwtn(x, name, mode, axes)
        assert_close_bands(prw.dwtn(x, name, mode, axes), expected, 10)
        assert_close(
            prw.idwtn(expected, name, mode, axes), pywt.idwtn(expected, name, mode, axes), 10
        )


@pytest.mark.sanitize
def test_dwtn_of_a_volume_in_all_modes_and_short_edges():
    for shape in ((16, 17, 18), (5, 64, 33), (40, 3, 70), (6, 7, 2)):
        x = draw(shape, np.float64)
        for mode in prw.modes:
            for name in ("db4", "coif1", "sym7"):
                expected = pywt.dwtn(x, name, mode)
                scale = max(np.abs(band).max() for band in expected.values())
                for key, band in prw.dwtn(x, name, mode).items():
                    assert np.abs(band - expected[key]).max() <= 1e-12 * scale
                back = pywt.idwtn(expected, name, mode)
                got = prw.idwtn(expected, name, mode)
                assert np.abs(got - back).max() <= 1e-12 * max(1.0, np.abs(back).max())


@pytest.mark.sanitize
@pytest.mark.parametrize("dtype", DTYPES)
def test_batches_of_volumes(dtype):
    x = draw((2, 3, 8, 9, 10), dtype)
    axes = (-3, -2, -1)
    for mode in ("symmetric", "periodization"):
        expected = pywt.dwtn(x, "db3", mode, axes)
        assert_close_bands(prw.dwtn(x, "db3", mode, axes), expected, 6)
        back = pywt.idwtn(expected, "db3", mode, axes)
        assert_close(prw.idwtn(expected, "db3", mode, axes), back, 6)


def test_one_wavelet_and_mode_per_axis():
    x = draw((12, 14))
    wavelets, modes = ("db2", "bior2.2"), ("zero", "periodization")
    expected = pywt.dwtn(x, wavelets, modes)
    assert_close_bands(prw.dwtn(x, wavelets, modes), expected, 6)
    assert_close(prw.idwtn(expected, wavelets, modes), pywt.idwtn(expected, wavelets, modes), 6)


def test_missing_bands_are_zeros():
    x = draw((12, 14))
    bands = pywt.dwtn(x, "db2")
    bands["ad"] = None
    del bands["dd"]
    assert_close(prw.idwtn(bands, "db2"), pywt.idwtn(bands, "db2"), 4)
    assert_close(prw.idwt(None, bands["da"], "db2"), pywt.idwt(None, bands["da"], "db2"), 4)
    with pytest.raises(prc.DataError):
        prw.idwt(None, None, "db2")


def test_bands_of_two_dtypes_levels_without_details_and_lists():
    low, high = pywt.dwt(draw(21), "db2")
    mixed = prw.idwt(low, high.astype(np.complex64), "db2")
    assert mixed.dtype == np.complex128
    assert np.abs(mixed - pywt.idwt(low, high, "db2")).max() < 1e-6
    coeffs = pywt.wavedecn(draw((20, 24)), "db2", level=2)
    coeffs[1] = {}
    assert_close(prw.waverecn(coeffs, "db2"), pywt.waverecn(coeffs, "db2"), 4)
    lists = [coeffs[0].tolist(), {}, {k: v.tolist() for k, v in coeffs[2].items()}]
    assert_close(prw.waverecn(lists, "db2"), pywt.waverecn(coeffs, "db2"), 4)
    line = pywt.wavedec(draw(32), "db2", level=3)
    line[1] = None
    assert_close(prw.waverec(line, "db2"), pywt.waverec(line, "db2"), 4)


def test_filter_bank_of_the_user():
    x = draw((3, 30))
    theirs = pywt.Wavelet("sym4")
    for wavelet in (theirs, theirs.filter_bank, prw.Wavelet("own", theirs.filter_bank)):
        assert_close(prw.dwt(x, wavelet)[1], pywt.dwt(x, theirs)[1], 8)
    assert prw.Wavelet("own", theirs.filter_bank).orthogonal
    own = prw.Wavelet("own", pywt.Wavelet("bior3.3").filter_bank)
    assert own.biorthogonal and not own.orthogonal


@pytest.mark.parametrize("mode", ("symmetric", "periodization", "zero"))
@pytest.mark.parametrize("shape", [(64,), (37, 50), (24, 31, 40)])
def test_multilevel(mode, shape):
    x = draw(shape)
    for name in ("haar", "db3", "coif1", "bior4.4"):
        expected = pywt.wavedecn(x, name, mode)
        got = prw.wavedecn(x, name, mode)
        assert len(got) == len(expected)
        assert_close(got[0], expected[0], 1)
        for ours, theirs in zip(got[1:], expected[1:], strict=True):
            assert_close_bands(ours, theirs, 1)
        assert_close(prw.waverecn(expected, name, mode), pywt.waverecn(expected, name, mode), 1)


def test_multilevel_along_one_axis():
    x = draw((5, 60))
    expected = pywt.wavedec(x, "db2", level=3)
    for ours, theirs in zip(prw.wavedec(x, "db2", level=3), expected, strict=True):
        assert_close(ours, theirs, 4)
    assert_close(prw.waverec(expected, "db2"), pywt.waverec(expected, "db2"), 4)


@pytest.mark.sanitize
@settings(max_examples=30, deadline=None)
@given(
    shape=st.lists(st.integers(2, 23), min_size=1, max_size=4),
    name=st.sampled_from(SOME[:-1]),
    mode=st.sampled_from(prw.modes),
    dtype=st.sampled_from(DTYPES),
    seed=st.integers(0, 2**16),
)
def test_perfect_reconstruction(shape, name, mode, dtype, seed):
    x = draw(shape, dtype, seed)
    bands = prw.dwtn(x, name, mode)
    back = prw.idwtn(bands, name, mode)[tuple(slice(n) for n in shape)]
    assert back.dtype == x.dtype
    # The edge coefficients of smooth and antireflect are larger than the data they come from.
    scale = max(np.abs(x).max(), max(np.abs(b).max() for b in bands.values()))
    limit = 1e-6 if np.finfo(dtype).eps > 1e-10 else 1e-11
    assert np.abs(back - x).max() <= limit * max(scale, 1.0) * max(1, len(shape) - 1)


def test_inputs_of_any_layout_and_kind():
    x = draw((20, 24), np.float32)
    expected = prw.dwtn(x.copy(), "db2")
    for same in (np.asfortranarray(x), np.repeat(x, 2, axis=1)[:, ::2]):
        assert all(np.array_equal(b, expected[k]) for k, b in prw.dwtn(same, "db2").items())
    whole = np.arange(60, dtype=np.int16).reshape(6, 10)
    assert prw.dwtn(whole, "db2")["aa"].dtype == np.float32
    assert_close(prw.dwtn(whole, "db2")["aa"], pywt.dwtn(whole.astype(np.float32), "db2")["aa"], 4)
    before = x.copy()
    prw.idwtn(prw.dwtn(x, "db2"), "db2")
    assert np.array_equal(x, before)


def test_bits_do_not_depend_on_the_number_of_threads():
    x = draw((40, 61, 70), np.float32)
    before = prc.num_threads()
    try:
        results = []
        for threads in (1, 2, 5):
            prc.set_num_threads(threads)
            bands = prw.dwtn(x, "db4")
            results.append([*bands.values(), prw.idwtn(bands, "db4"), prw.dwt(x.ravel(), "db4")[0]])
    finally:
        prc.set_num_threads(before)
    for other in results[1:]:
        assert all(np.array_equal(a, b) for a, b in zip(results[0], other, strict=True))
