import numpy as np
import pytest
from helpers import relative_error

import pyrad_core as prc
from pyrad_core import DataError, ShapeError, prox, solvers
from pyrad_core.operators import FiniteDifference, Identity


def steps(shape, seed=0):
    rng = np.random.default_rng(seed)
    x = np.zeros(shape)
    x[tuple(slice(n // 3, None) for n in shape)] = 1.0
    return x + 0.1 * rng.standard_normal(shape)


def test_value_closed_form():
    """Steps of height 2 along a corner: 2 per edge pixel, and 2 sqrt(2) at the corner itself."""
    x = np.zeros((4, 5))
    x[:2, :3] = 2.0
    assert prox.TV(0.5).value(x) == pytest.approx(0.5 * (2 * (1 + 2) + np.sqrt(8)))
    assert prox.TV(0.5, isotropic=False).value(x) == pytest.approx(0.5 * 2 * (2 + 3))
    stretched = prox.TV(1.0, spacing=(2.0, 4.0), isotropic=False)
    assert stretched.value(x) == pytest.approx(2 * (3 / 2 + 2 / 4))


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64, np.complex128])
def test_prox_optimality(dtype):
    """The duality gap bounds the objective; here it is compared with nearby images."""
    x = steps((13, 17)).astype(dtype)
    if x.dtype.kind == "c":
        x = (x + 0.5j * steps((13, 17), 1)).astype(dtype)
    operator = prox.TV(0.3, tol=1e-6, max_iterations=2000)
    u = operator.prox(x, 0.5)
    assert u.dtype == dtype

    def objective(v):
        return 0.5 * np.sum(abs(v.astype(complex) - x) ** 2) + 0.5 * operator.value(v)

    least = objective(u)
    rng = np.random.default_rng(0)
    for scale in (1e-2, 0.1):
        for _ in range(20):
            assert objective(u + (scale * rng.standard_normal(x.shape)).astype(dtype)) > least * (
                1 - 1e-5
            )
    np.testing.assert_array_equal(operator.prox(x, 0.0), x)


def test_warm_start_changes_speed_alone():
    x = steps((40, 41)).astype(np.float32)
    warm = prox.TV(0.2, tol=1e-5, max_iterations=3000)
    first, second = warm.prox(x, 1.0), warm.prox(x, 1.0)
    np.testing.assert_allclose(first, second, atol=2e-3)
    other = warm.prox(steps((9, 8, 7)), 1.0)  # another shape starts afresh
    assert other.shape == (9, 8, 7)
    np.testing.assert_allclose(
        first, prc.denoise.tv(x, weight=0.2, tol=1e-5, max_iterations=3000), atol=2e-3
    )


def test_fista_tv_equals_pdhg_with_gradient():
    """Denoiser inside FISTA, and GroupL1 behind FiniteDifference inside PDHG: one minimum."""
    y = steps((16, 15))
    shape = y.shape
    a = solvers.fista(
        2 * Identity(shape), y, iterations=40, prox=prox.TV(0.2, tol=1e-8, max_iterations=3000)
    ).x
    b = solvers.pdhg(
        2 * Identity(shape), y, iterations=1500,
        priors=[(FiniteDifference(shape), prox.GroupL1(0.2))],
    ).x  # fmt: skip
    np.testing.assert_allclose(a, b, atol=2e-3)


@pytest.mark.parametrize("isotropic", [True, False])
@pytest.mark.parametrize("shape", [(40,), (14, 17), (6, 7, 8)])
def test_within_a_set_is_the_exact_prox(shape, isotropic):
    """Against PDHG with the bound as a term of its own, run long; the second call starts warm."""
    rng = np.random.default_rng(0)
    f = rng.standard_normal(shape)
    inside = rng.random(shape) < 0.8
    within = prox.Support(inside, low=-0.2, high=0.9)
    penalty = prox.TV(
        0.3, tol=1e-8, max_iterations=5000, isotropic=isotropic, within=within
    )  # fmt: skip
    dual = prox.GroupL1(0.3) if isotropic else prox.L1(0.3)
    expected = solvers.pdhg(
        Identity(shape), f, iterations=3000, prox=within,
        priors=[(FiniteDifference(shape), dual)],
    ).x  # fmt: skip
    for _ in range(2):
        got = penalty.prox(f, 1.0)
        assert relative_error(got, expected) < 1e-3
        assert not got[~inside].any() and got.min() >= -0.2 and got.max() <= 0.9
    plain = within.prox(prox.TV(0.3, tol=1e-8, isotropic=isotropic).prox(f, 1.0))
    assert relative_error(plain, expected) > 1e-3  # TV and then the projection is another point
    assert penalty.value(f) == np.inf and np.isfinite(penalty.value(got))


def test_within_bad_inputs():
    with pytest.raises(DataError, match="within is a L1"):
        prox.TV(1.0, within=prox.L1(1.0))
    with pytest.raises(DataError, match="real data"):
        prox.TV(1.0, within=prox.NonNegative()).prox(np.ones((4, 4), np.complex64), 1.0)
    with pytest.raises(DataError, match="mask has dtype"):
        prox.Support(np.ones(4))
    with pytest.raises(ShapeError, match="mask has"):
        prox.Support(np.ones(4, bool)).prox(np.ones(3))
