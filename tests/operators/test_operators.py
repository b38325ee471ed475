import numpy as np
import pytest
from helpers import assert_adjoint, relative_error
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse.linalg import aslinearoperator, lsqr

from pyrad_core import DataError, ShapeError
from pyrad_core.operators import (
    Diagonal,
    FiniteDifference,
    FromFunctions,
    Identity,
    LinearOperator,
    Stack,
    as_operator,
)

MATRIX = np.random.default_rng(3).standard_normal((7, 5))


def dense(operator, dtype=np.float64):
    """The operator's matrix, column by column."""
    unit = np.eye(operator.shape[1], dtype=dtype)
    return np.stack([operator.matvec(column) for column in unit], axis=1)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(1, 6), min_size=1, max_size=4), st.booleans(), st.data())
def test_finite_difference_adjoint(shape, complex_domain, data):
    axes = data.draw(st.none() | st.permutations(range(len(shape))))
    operator = FiniteDifference(shape, axes, spacing=0.7)
    for dtype in (np.float32, np.float64):
        assert_adjoint(operator, complex_domain=complex_domain, dtype=dtype)


def test_finite_difference_numpy_diff():
    x = np.random.default_rng(0).standard_normal((4, 5, 6))
    gradient = FiniteDifference(x.shape, spacing=(2.0, 1.0, 0.5)).forward(x)
    for axis, step in enumerate((2.0, 1.0, 0.5)):
        expected = np.diff(x, axis=axis, append=np.take(x, [-1], axis)) / step
        np.testing.assert_allclose(gradient[axis], expected, rtol=1e-14)


def test_finite_difference_batch():
    x = np.random.default_rng(0).standard_normal((3, 4, 5)).astype(np.float32)
    operator = FiniteDifference((4, 5))
    both = operator.forward(x)
    assert both.shape == (3, 2, 4, 5) and both.dtype == np.float32
    np.testing.assert_array_equal(both[1], operator.forward(x[1]))
    np.testing.assert_array_equal(operator.adjoint(both)[2], operator.adjoint(both[2]))


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64, np.complex128])
def test_algebra_dense(dtype):
    rng = np.random.default_rng(1)
    a, b = as_operator(MATRIX), as_operator(rng.standard_normal((7, 5)))
    weights = Diagonal(rng.standard_normal(7))
    operator = 2 * (weights @ (a + b)) - a @ Identity((5,))
    expected = 2 * np.diag(weights.weights) @ (a.matrix + b.matrix) - a.matrix
    tolerance = 1e-6 if np.dtype(dtype).itemsize in (4, 8) and dtype != np.float64 else 1e-13
    got = dense(operator, dtype)
    assert got.dtype == dtype and relative_error(got, expected) < tolerance
    assert relative_error(dense(operator.H, dtype), expected.T) < tolerance
    assert relative_error(dense(operator.gram, dtype), expected.T @ expected) < 10 * tolerance
    assert operator.H.H is operator
    assert relative_error((-operator) @ np.ones(5), -expected.sum(axis=1)) < 1e-13


def test_complex_factor_and_weights():
    operator = (1 + 2j) * Diagonal(np.array([1j, 2.0, 3 - 1j]))
    assert_adjoint(operator, complex_domain=True, dtype=np.float64)
    assert operator.forward(np.ones(3, np.float32)).dtype == np.complex64
    with pytest.raises(DataError, match="real-only"):
        real = FromFunctions(lambda x: x, lambda y: y, (3,), (3,), kind="real")
        real @ operator


def test_stack():
    stack = Stack([FiniteDifference((3, 4)), Identity((3, 4))])
    assert_adjoint(stack, dtype=np.float64)
    x = np.arange(12.0).reshape(3, 4)
    gradient, same = stack.split(stack.forward(x))
    assert gradient.shape == (2, 3, 4)
    np.testing.assert_array_equal(same, x)
    np.testing.assert_array_equal(stack.join([gradient, same]), stack.forward(x))
    np.testing.assert_allclose(stack.gram @ x, stack.H @ (stack @ x))
    with pytest.raises(ShapeError, match=r"\(3, 4\).*\(2, 3, 4\)|\(2, 3, 4\).*\(3, 4\)"):
        stack.join([same, same])


def test_norm_dense():
    expected = np.linalg.norm(MATRIX, 2)
    operator = as_operator(MATRIX)
    got = operator.norm(iterations=1000, tolerance=1e-7)
    assert got == pytest.approx(expected, rel=1e-3)
    assert operator.norm() == got  # computed once
    assert (3 * operator).norm() == pytest.approx(3 * got)
    assert operator.gram.norm() == pytest.approx(got**2)
    # the 2D gradient's norm approaches sqrt(8) for large grids
    assert FiniteDifference((64, 64)).norm() == pytest.approx(np.sqrt(8), rel=1e-2)
    assert FromFunctions(np.zeros_like, np.zeros_like, (4,), (4,)).norm() == 0.0


def test_scipy_solves_with_it():
    operator = FiniteDifference((4, 5))
    stack = Stack([operator, Identity((4, 5))])
    wrapped = aslinearoperator(stack)
    truth = np.random.default_rng(0).standard_normal(20)
    solution = lsqr(wrapped, wrapped.matvec(truth), atol=1e-14, btol=1e-14)[0]
    assert relative_error(solution, truth) < 1e-9
    back = as_operator(wrapped)
    assert_adjoint(back, dtype=np.float64)
    with pytest.raises(DataError, match="expected a LinearOperator"):
        as_operator("matrix")


def test_dtype_rule():
    operator = Identity((3,))
    for dtype in (np.float32, np.float64, np.complex64, np.complex128):
        assert operator.forward(np.ones(3, dtype)).dtype == dtype
    assert operator.forward([1, 2, 3]).dtype == np.float32
    with pytest.raises(DataError, match="float16"):
        operator.forward(np.ones(3, np.float16))
    real = FromFunctions(lambda x: x, lambda y: y, (3,), (3,), kind="real")
    with pytest.raises(DataError, match="complex"):
        real.forward(np.ones(3, complex))


def test_shape_errors_name_both_shapes():
    a, b = as_operator(MATRIX), Identity((4,))
    with pytest.raises(ShapeError, match=r"\(6,\).*\(5\)"):
        a.forward(np.ones(6))
    with pytest.raises(ShapeError, match=r"\(2, 5\)"):
        a.forward(np.ones((2, 5)))
    with pytest.raises(ShapeError, match=r"\(5,\).*\(4,\)"):
        a @ b
    with pytest.raises(ShapeError, match=r"\(5,\).*\(4,\)"):
        a + b
    with pytest.raises(ShapeError, match=r"operators\[1\]"):
        Stack([a, b])
    with pytest.raises(ShapeError, match="broadcast"):
        Diagonal(np.ones(3), (4,))
    with pytest.raises(ShapeError, match="returned shape"):
        FromFunctions(lambda x: x[1:], lambda y: y, (3,), (3,)).forward(np.ones(3))
    with pytest.raises(DataError, match="axes"):
        FiniteDifference((3, 3), axes=(2,))
    with pytest.raises(NotImplementedError, match="LinearOperator has no forward"):
        LinearOperator((3,), (3,)).forward(np.ones(3))


def test_nan_is_refused():
    with pytest.raises(DataError, match=r"x holds 1 NaN.*\(1,\)"):
        Identity((3,)).forward(np.array([0, np.nan, 0]))
