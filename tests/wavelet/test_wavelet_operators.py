"""Wavelet operators: exact adjoints in every mode, orthogonality, packing, tight frames."""

import numpy as np
import pytest
from helpers import assert_adjoint, relative_error

from pyrad_core import DataError, ShapeError
from pyrad_core import wavelet as prw


@pytest.mark.sanitize
@pytest.mark.parametrize("mode", prw.modes)
@pytest.mark.parametrize("shape", [(40,), (23, 30), (11, 12, 14)])
def test_dwt_adjoint(mode, shape):
    for name in ("haar", "db3", "bior2.2"):
        for dtype in (np.float32, np.float64):
            operator = prw.Dwt(shape, name, 1, mode)
            assert_adjoint(operator, dtype=dtype)
            assert_adjoint(operator, dtype=dtype, complex_domain=True)
    assert_adjoint(prw.Dwt(shape, "haar", 2, mode), dtype=np.float64)


def test_dwt_adjoint_on_the_device(device):
    operator = prw.Dwt((9, 14), "db2", 1, "antireflect")
    y = np.random.default_rng(0).standard_normal(operator.range_shape)
    with device:
        got = device.numpy(operator.adjoint(device.array(y)))
    assert relative_error(got, operator.adjoint(y)) < 1e-14


def test_adjoint_of_a_long_filter_along_one_axis():
    for mode in prw.modes:
        operator = prw.Dwt((23, 4), "db6", 1, mode, axes=[0])
        assert_adjoint(operator, dtype=np.float64)


@pytest.mark.parametrize("shape", [(64,), (32, 48), (16, 32, 24)])
def test_orthogonal_dwt(shape):
    operator = prw.Dwt(shape, "db2", 3 if len(shape) == 1 else 2)
    assert operator.orthogonal
    x = np.random.default_rng(0).standard_normal((2, *shape))
    y = operator.forward(x)
    assert np.linalg.norm(y) == pytest.approx(np.linalg.norm(x), rel=1e-12)
    assert relative_error(operator.adjoint(y), x) < 1e-12
    assert relative_error(operator.gram.forward(x), x) < 1e-12
    assert not prw.Dwt((30, 32), "db2", 2).orthogonal
    assert not prw.Dwt((32, 32), "bior2.2", 2).orthogonal


@pytest.mark.sanitize
@pytest.mark.parametrize("mode", ["symmetric", "periodization"])
def test_packing_and_inverse(mode):
    x = np.random.default_rng(0).standard_normal((33, 40))
    operator = prw.Dwt(x.shape, "db2", 2, mode)
    y = operator.forward(x)
    expected = prw.wavedecn(x, "db2", mode, 2)
    coefficients = operator.unpack(y)
    assert np.array_equal(coefficients[0], expected[0])
    for got, want in zip(coefficients[1:], expected[1:], strict=True):
        assert all(np.array_equal(got[name], want[name]) for name in want)
    assert np.array_equal(operator.pack(expected), y)
    assert relative_error(operator.inverse(y), x) < 1e-12
    both = operator.forward(np.stack([x, 2 * x]))
    assert relative_error(operator.inverse(both)[1], 2 * x) < 1e-12


@pytest.mark.parametrize("shape", [(32,), (16, 24), (8, 12, 16)])
@pytest.mark.parametrize("norm", [False, True])
def test_swt_adjoint(shape, norm):
    for name in ("db2", "bior2.2"):
        for dtype in (np.float32, np.float64):
            operator = prw.Swt(shape, name, 2, norm=norm)
            assert_adjoint(operator, dtype=dtype)
            assert_adjoint(operator, dtype=dtype, complex_domain=True)
    frame = prw.Swt(shape, "db2", 2)
    x = np.random.default_rng(0).standard_normal((3, *shape))
    assert relative_error(frame.adjoint(frame.forward(x)), x) < 1e-12
    levels = prw.swtn(x[1], "db2", 2, trim_approx=True, norm=True)
    assert np.array_equal(frame.forward(x)[1, 0], levels[0])
    assert np.array_equal(frame.forward(x)[1, -1], list(levels[-1].values())[-1])


def test_bad_shapes_and_levels():
    with pytest.raises(DataError, match="at most 3"):
        prw.Dwt((32, 40), "db2", 5)
    with pytest.raises(ShapeError, match="no multiple"):
        prw.Swt((20, 32), "db2", 3)
    with pytest.raises(ShapeError, match=r"\(20,\)"):
        prw.Dwt((32, 40), "db2", 2).forward(np.ones(20))
