import ctypes
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

import pyrad_core
from pyrad_core import DataError, prox, solvers

DTYPES = [np.float32, np.float64, np.complex64, np.complex128]


def draw(shape, dtype, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(shape)
    if np.dtype(dtype).kind == "c":
        x = x + 1j * rng.standard_normal(shape)
    return (2 * x).astype(dtype)


def objective(operator, u, x, step):
    return 0.5 * np.sum(abs(u - x) ** 2) + step * operator.value(u)


OPERATORS = [prox.L1(0.7), prox.GroupL1(0.9), prox.GroupL1(0.4, axis=-1), prox.L1(0.0)]
BOUNDS = [prox.NonNegative(), prox.Box(-0.5, 1.5)]


@pytest.mark.parametrize("operator", OPERATORS + BOUNDS)
@pytest.mark.parametrize("dtype", [np.float64, np.complex128])
def test_prox_minimises_its_objective(operator, dtype):
    if operator in BOUNDS and dtype == np.complex128:
        return
    x = draw((3, 7), dtype)
    kept = x.copy()
    u = operator.prox(x, 0.8)
    np.testing.assert_array_equal(x, kept)
    least = objective(operator, u, x, 0.8)
    rng = np.random.default_rng(1)
    for scale in (1e-3, 1e-2, 0.3):
        for _ in range(30):
            shift = scale * rng.standard_normal(x.shape)
            other = u + (shift if dtype == np.float64 else shift * np.exp(1j * rng.uniform(0, 7)))
            assert objective(operator, other, x, 0.8) >= least - 1e-12


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 999), st.floats(0, 5), st.sampled_from(DTYPES))
def test_moreau_and_dual_ball(seed, step, dtype):
    """x - prox(x) lies in the dual ball of the norm and is aligned with prox(x)."""
    x = draw((4, 5), dtype, seed)
    for operator, sizes in (
        (prox.L1(0.7), abs),
        (prox.GroupL1(0.7), lambda v: np.sqrt((abs(v) ** 2).sum(axis=0))),
    ):
        u = operator.prox(x, step)
        rest = (x - u).astype(np.complex128)
        assert (sizes(rest) <= 0.7 * step * (1 + 1e-5) + 1e-5).all()
        aligned = np.vdot(rest, u).real
        assert aligned == pytest.approx(step * operator.value(u), rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("dtype", DTYPES)
def test_dtype_is_kept(dtype):
    x = draw((4, 6), dtype)
    for operator in OPERATORS:
        assert operator.prox(x, 0.3).dtype == dtype
    assert isinstance(operator.value(x), float)


def test_values_closed_form():
    x = np.array([[3.0, -4.0], [0.0, 3.0]])
    assert prox.L1(2.0).value(x) == 20
    assert prox.GroupL1(1.0).value(x) == pytest.approx(3 + 5)
    assert prox.NonNegative().value(x) == math.inf and prox.NonNegative().value(abs(x)) == 0
    np.testing.assert_allclose(prox.L1(1.0).prox(np.array([3 + 4j]), 2.5), [1.5 + 2j])
    np.testing.assert_allclose(prox.Box(0, 1).prox(x, 3.0), [[1, 0], [0, 1]])


def test_bad_arguments():
    with pytest.raises(DataError, match="weight is -1"):
        prox.L1(-1)
    with pytest.raises(DataError, match="low is 2"):
        prox.Box(2, 1)
    with pytest.raises(DataError, match="complex"):
        prox.NonNegative().prox(np.ones(3, complex))
    with pytest.raises(DataError, match="axis is 2"):
        prox.GroupL1(1.0, axis=2).prox(np.ones((3, 3)))
    with pytest.raises(DataError, match="step is -1"):
        prox.L1(1).prox(np.ones(3), -1)


SIGNATURE = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double, ctypes.c_double)
VALUE = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)


@SIGNATURE
def soft(x, step):
    return math.copysign(max(abs(x) - step, 0.0), x)


def test_pointwise_numba_equals_l1():
    numba = pytest.importorskip("numba")

    @numba.cfunc("float64(float64, float64)")
    def shrink(x, step):
        return max(x - step, 0.0) + min(x + step, 0.0)

    @numba.cfunc("float64(float64)")
    def size(x):
        return abs(x)

    own = prox.Pointwise(shrink, size)
    for dtype in DTYPES:
        x = draw((30, 41), dtype)
        np.testing.assert_allclose(
            own.prox(x, 0.6), prox.L1(1.0).prox(x, 0.6), atol=1e-6, strict=True
        )
        assert own.value(x) == pytest.approx(prox.L1(1.0).value(x), rel=1e-6)
    with pytest.raises(DataError, match="signature"):
        prox.Pointwise(size)
    matrix = np.random.default_rng(0).standard_normal((20, 8))
    y = matrix @ np.array([1.0, 0, 0, -2, 0, 0, 0.5, 0])
    a = solvers.fista(matrix, y, iterations=50, prox=own)
    b = solvers.fista(matrix, y, iterations=50, prox=prox.L1(1.0))
    np.testing.assert_allclose(a.x, b.x, atol=1e-12)


def test_pointwise_nonconvex_penalty_against_minimiser():
    """The log penalty's prox in closed form, checked against a numerical minimiser."""
    numba = pytest.importorskip("numba")

    @numba.cfunc("float64(float64, float64)")
    def log_prox(x, step):
        size = abs(x)
        inside = (size + 1) ** 2 - 4 * step
        if inside <= 0:
            return 0.0
        root = 0.5 * (size - 1 + inside**0.5)
        if root <= 0 or 0.5 * (root - size) ** 2 + step * math.log(1 + root) > 0.5 * size**2:
            return 0.0
        return math.copysign(root, x)

    x = np.linspace(-4, 4, 17)
    got = prox.Pointwise(log_prox).prox(x, 0.5)
    for value, u in zip(x, got, strict=True):
        best = minimize_scalar(
            lambda t, v=value: 0.5 * (t - v) ** 2 + 0.5 * math.log(1 + abs(t)),
            bounds=sorted((0, value)) if value else (-1, 1),
            method="bounded",
            options={"xatol": 1e-9},
        )
        assert u == pytest.approx(best.x, abs=1e-4)


@pytest.mark.sanitize
def test_pointwise_ctypes_and_threads():
    x = draw(100_003, np.float32)
    results = []
    for threads in (1, 2):
        with pyrad_core.set_num_threads(threads):
            results.append(prox.Pointwise(soft).prox(x, 0.5))
    np.testing.assert_array_equal(*results)
    np.testing.assert_allclose(results[0], prox.L1(1.0).prox(x, 0.5), atol=1e-6)


def test_pointwise_refuses():
    for wrong in (lambda x, step: x, VALUE(abs), ctypes.CFUNCTYPE(ctypes.c_int)(lambda: 0), 7):
        with pytest.raises(DataError, match="signature"):
            prox.Pointwise(wrong)
    with pytest.raises(DataError, match="without value"):
        prox.Pointwise(soft).value(np.ones(3))


def test_pointwise_on_gpu_says_so():
    from pyrad_core._kernels.select import emulated

    with emulated(), pytest.raises(DataError, match="CPU only"):
        prox.Pointwise(soft).prox(np.ones(3), 1.0)


def test_kernel_checks_its_arguments():
    from pyrad_core import ShapeError
    from pyrad_core._kernels import cpu

    x = np.ones(5, np.float32)
    with pytest.raises(ShapeError):
        cpu.apply_pointwise(1, x, 1.0, np.ones(4, np.float32))
    with pytest.raises(DataError, match="null"):
        cpu.apply_pointwise(0, x, 1.0, x.copy())
