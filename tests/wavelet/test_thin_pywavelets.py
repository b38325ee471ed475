"""Transforms of one and two axes against PyWavelets: layouts and values."""

import numpy as np
import pytest

from pyrad_core import DataError
from pyrad_core import wavelet as prw

pywt = pytest.importorskip("pywt")

X = np.random.default_rng(0).standard_normal((3, 24, 32))
Z = X[1] + 1j * X[2]


def assert_same(got, expected):
    """Nested lists and tuples of arrays."""
    if isinstance(expected, (list, tuple)):
        assert type(got) is type(expected) and len(got) == len(expected)
        for ours, theirs in zip(got, expected, strict=True):
            assert_same(ours, theirs)
    else:
        assert got.dtype == expected.dtype
        np.testing.assert_allclose(got, expected, atol=1e-12)


@pytest.mark.parametrize("axes", [(-2, -1), (2, 0), (0, 1)])
def test_two_axes(axes):
    bands = pywt.dwt2(X, "db2", axes=axes)
    assert_same(prw.dwt2(X, "db2", axes=axes), bands)
    assert_same(prw.idwt2(bands, "db2", axes=axes), pywt.idwt2(bands, "db2", axes=axes))
    half = (None, (bands[1][0], None, None))
    assert_same(prw.idwt2(half, "db2", axes=axes), pywt.idwt2(half, "db2", axes=axes))


def test_two_axes_many_levels():
    coeffs = pywt.wavedec2(Z, "sym3", "periodization", 2)
    assert_same(prw.wavedec2(Z, "sym3", "periodization", 2), coeffs)
    assert_same(prw.waverec2(coeffs, "sym3", "periodization"), Z)
    coeffs[1] = (None, None, None)
    expected = pywt.waverec2(coeffs, "sym3", "periodization")
    assert_same(prw.waverec2(coeffs, "sym3", "periodization"), expected)
    coeffs[1] = None
    assert_same(prw.waverec2(coeffs, "sym3", "periodization"), expected)


@pytest.mark.parametrize("norm", (False, True))
@pytest.mark.parametrize("trim", (False, True))
def test_stationary(trim, norm):
    for level, start in ((None, 0), (2, 0), (1, 1)):
        for axis in (-1, 1):
            got = prw.swt(X, "db2", level, start, axis, trim, norm)
            assert_same(got, pywt.swt(X, "db2", level, start, axis, trim, norm))
    assert_same(prw.iswt(prw.swt(X, "db2", 3, 0, -1, trim, norm), "db2", norm), X)
    assert len(prw.swt(X, "db2", None, 2, -1, trim, norm)) == 3 + trim
    for start in (0, 1):
        got = prw.swt2(X, "coif1", 2, start, (-1, 1), trim, norm)
        assert_same(got, pywt.swt2(X, "coif1", 2, start, (-1, 1), trim, norm))
    back = prw.swt2(X, "coif1", 2, 0, (-1, 1), trim, norm)
    assert_same(prw.iswt2(back, "coif1", norm, (-1, 1)), X)


def test_wrong_layouts():
    for call in (
        lambda: prw.dwt2(X, "haar", axes=(0,)),
        lambda: prw.idwt2(X, "haar"),
        lambda: prw.idwt2((X, (X, X)), "haar"),
        lambda: prw.waverec2([], "haar"),
        lambda: prw.waverec2([X, X], "haar"),
        lambda: prw.iswt([], "haar"),
        lambda: prw.iswt2(X, "haar"),
        lambda: prw.iswt2([(X,)], "haar"),
        lambda: prw.swt(np.ones(15), "haar"),
    ):
        with pytest.raises(DataError):
            call()
