import numpy as np
import pytest

import pyrad_core as prc
from pyrad_core import DataError, prox, solvers
from pyrad_core.operators import Identity


def bump(shape, seed=0):
    rng = np.random.default_rng(seed)
    x = np.add.outer(np.arange(shape[0]), np.arange(shape[1])) / 20.0
    x[shape[0] // 2 :] += 1
    return x + 0.1 * rng.standard_normal(shape)


def test_value_closed_form():
    """A straight edge: no w is better than none, or a constant; a slope is free."""
    x = np.zeros((12, 5))
    x[6:] = 2.0
    assert prox.TGV(0.5, 50.0, tol=1e-4, max_iterations=5000).value(x) == pytest.approx(
        0.5 * 2 * 5, rel=1e-3
    )
    slope = np.add.outer(np.arange(6.0), -2 * np.arange(7.0))
    assert prox.TGV(3.0).value(slope) == pytest.approx(0, abs=1e-9)
    assert prox.TGV(0.0).value(x) == 0
    kink = abs(np.arange(-10.0, 11.0))  # w = grad, |E w| = 2 at one place
    assert prox.TGV(1.0, 0.3, tol=1e-5, max_iterations=5000).value(kink) == pytest.approx(
        0.3 * 2, rel=1e-3
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64, np.complex128])
def test_prox_is_the_minimiser(dtype):
    x = bump((13, 17)).astype(dtype)
    if x.dtype.kind == "c":
        x = (x + 0.5j * bump((13, 17), 1)).astype(dtype)
    penalty = prox.TGV(0.3, tol=1e-4, max_iterations=3000)
    u = penalty.prox(x, 0.5)
    assert u.dtype == dtype
    _, info = prc.denoise.tgv(x, weight=0.15, tol=1e-4, max_iterations=3000, return_info=True)

    def objective(v):
        return 0.5 * np.sum(abs(v.astype(complex) - x) ** 2) + 0.5 * penalty.value(v)

    least = objective(u)
    assert least == pytest.approx(info.primal, rel=3e-4)
    rng = np.random.default_rng(0)
    for _ in range(4):
        other = u + (0.1 * rng.standard_normal(x.shape)).astype(dtype)
        assert objective(other) > least
    np.testing.assert_array_equal(penalty.prox(x, 0.0), x)
    again = penalty.prox(x, 0.5)  # warm
    assert np.sum(abs(again - u) ** 2) <= 4 * info.gap
    assert penalty.prox(bump((6, 5)), 1.0).shape == (6, 5)


def test_fista_needs_one_prox_for_a_denoising_problem():
    y = bump((16, 15))
    options = dict(tol=1e-6, max_iterations=5000)
    u = solvers.fista(Identity(y.shape), y, iterations=30, prox=prox.TGV(0.1, **options)).x
    np.testing.assert_allclose(u, prc.denoise.tgv(y, weight=0.1, **options), atol=5e-3)


def test_bad_inputs():
    for arguments, name in [((-1.0,), "weight"), ((1.0, 0.0), "ratio")]:
        with pytest.raises(DataError, match=name):
            prox.TGV(*arguments)
    with pytest.raises(DataError, match="max_iterations"):
        prox.TGV(1.0, max_iterations=0)
    with pytest.raises(DataError, match="tol"):
        prox.TGV(1.0, tol=-1)
