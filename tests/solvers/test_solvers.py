"""Every solver on small dense problems with a known answer."""

import sys

import numpy as np
import pytest
from helpers import relative_error
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import nnls
from scipy.sparse.linalg import cg as scipy_cg
from scipy.sparse.linalg import lsqr as scipy_lsqr

import pyrad_core
from pyrad_core import DataError, PyradWarning, ShapeError, solvers
from pyrad_core.operators import FiniteDifference, FromFunctions, Identity, as_operator
from pyrad_core.prox import L1, Box, EdgePreserving, NonNegative

RNG = np.random.default_rng(11)
TALL = RNG.standard_normal((30, 12))
RIGHT = RNG.standard_normal(30)
COMPLEX = TALL + 1j * RNG.standard_normal((30, 12))
COMPLEX_RIGHT = RIGHT + 1j * RNG.standard_normal(30)
LEAST_SQUARES = ["cg", "cgls", "lsqr"]
EVERY = ["cg", "cgls", "lsqr", "sirt", "sart", "os_sart", "mlem", "osem", "os_sqs", "asd_pocs",
         "fista", "pogm", "admm", "pdhg"]  # fmt: skip


class Soft:
    """Proximal operator of weight * ||x||_1, written out for the tests."""

    def __init__(self, weight):
        self.weight = weight

    def prox(self, x, step):
        size = np.maximum(abs(x), 1e-300)
        return (x * np.maximum(1 - self.weight * step / size, 0)).astype(x.dtype)


class NotNegative:
    def prox(self, x, step):
        return np.maximum(x, 0)


class Rows:
    """A nonnegative matrix with subsets of its rows, as a projector has of its views."""

    @staticmethod
    def make(matrix):
        operator = as_operator(matrix)
        operator.subset = lambda views: as_operator(np.ascontiguousarray(matrix[views]))
        return operator


POSITIVE = abs(TALL)
TRUTH = abs(RNG.standard_normal(12))
NAMED = {"mlem", "osem", "sirt", "sart", "os_sart", "os_sqs", "asd_pocs"}


def problem_for(name, dtype=np.float64):
    """Operator, data and extra arguments that the solver accepts."""
    if name in NAMED:
        extra = {"penalty": EdgePreserving(0.1, 0.1)} if name in ("os_sqs", "asd_pocs") else {}
        return Rows.make(POSITIVE.astype(dtype)), (POSITIVE @ TRUTH).astype(dtype), extra
    extra = {"prox": Soft(0.0)} if name == "admm" else {}
    return as_operator(TALL.astype(dtype)), RIGHT.astype(dtype), extra


@pytest.mark.parametrize("name", LEAST_SQUARES)
@pytest.mark.parametrize("matrix, right", [(TALL, RIGHT), (COMPLEX, COMPLEX_RIGHT)])
@pytest.mark.parametrize("weight", [0.0, 3.0])
def test_least_squares_closed_form(name, matrix, right, weight):
    solve = getattr(solvers, name)
    result = solve(matrix, right, iterations=30, tolerance=0, regularization=weight)
    normal = matrix.conj().T @ matrix + weight * np.eye(12)
    assert relative_error(result.x, np.linalg.solve(normal, matrix.conj().T @ right)) < 1e-10


@pytest.mark.parametrize("name", LEAST_SQUARES)
def test_iterates_scipy(name):
    """After k < n steps all three stand where SciPy's own CG and LSQR stand."""
    for k in (1, 3, 7):
        result = getattr(solvers, name)(TALL, RIGHT, iterations=k)
        expected = scipy_cg(TALL.T @ TALL, TALL.T @ RIGHT, rtol=0, maxiter=k)[0]
        assert relative_error(result.x, expected) < 1e-9
        assert relative_error(scipy_lsqr(TALL, RIGHT, iter_lim=k)[0], expected) < 1e-9
        assert result.iterations == k and result.stop_reason == "iterations"


def test_cg_hermitian():
    matrix = TALL.T @ TALL
    right = RNG.standard_normal(12)
    result = solvers.cg(matrix, right, iterations=40, hermitian=True, tolerance=1e-13)
    assert result.stop_reason == "tolerance"
    assert relative_error(result.x, np.linalg.solve(matrix, right)) < 1e-10
    with pytest.raises(ShapeError, match="hermitian"):
        solvers.cg(TALL, RIGHT, iterations=3, hermitian=True)


@pytest.mark.parametrize("name", LEAST_SQUARES)
def test_start_and_residuals(name):
    solve = getattr(solvers, name)
    start = RNG.standard_normal(12)
    kept = start.copy()
    result = solve(TALL, RIGHT, iterations=30, x0=start)
    np.testing.assert_array_equal(start, kept)
    assert relative_error(result.x, np.linalg.lstsq(TALL, RIGHT)[0]) < 1e-9
    result = solve(TALL, RIGHT, iterations=4)
    if name == "cg":
        expected = np.linalg.norm(TALL.T @ (RIGHT - TALL @ result.x))
        expected /= np.linalg.norm(TALL.T @ RIGHT)
    else:
        expected = np.linalg.norm(RIGHT - TALL @ result.x) / np.linalg.norm(RIGHT)
        assert (np.diff(result.residuals) <= 0).all()
    assert result.residuals[-1] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("name", LEAST_SQUARES)
def test_zero_data_and_exact_start(name):
    solve = getattr(solvers, name)
    result = solve(TALL, np.zeros(30), iterations=5)
    assert not result.x.any() and result.stop_reason == "tolerance"
    exact = np.ones(12)
    result = solve(np.eye(12), exact, iterations=5, x0=exact)
    np.testing.assert_allclose(result.x, exact)


@pytest.mark.parametrize("name", ["fista", "pogm"])
@pytest.mark.parametrize("matrix, right", [(TALL, RIGHT), (COMPLEX, COMPLEX_RIGHT)])
def test_lasso_optimality(name, matrix, right):
    """A^H (y - A x) = weight * x / |x| on the support and smaller elsewhere."""
    weight = 0.5 * abs(matrix.conj().T @ right).max()
    result = getattr(solvers, name)(matrix, right, iterations=600, prox=Soft(weight))
    gradient = matrix.conj().T @ (right - matrix @ result.x)
    support = abs(result.x) > 1e-9
    assert 0 < support.sum() < 12
    on = result.x[support] / abs(result.x[support])
    np.testing.assert_allclose(gradient[support], weight * on, atol=1e-5)
    assert (abs(gradient[~support]) <= weight + 1e-6).all()


@pytest.mark.parametrize("name", ["fista", "pogm", "pdhg", "admm"])
def test_nonnegative_least_squares_scipy(name):
    options = {"pdhg": {"balance": 0.1}, "admm": {"penalty": 20.0}}.get(name, {})
    iterations = {"pdhg": 1500, "admm": 150}.get(name, 500)
    result = getattr(solvers, name)(
        TALL, RIGHT, iterations=iterations, prox=NotNegative(), **options
    )
    expected = nnls(TALL, RIGHT)[0]
    assert relative_error(result.x, expected) < 1e-5


def test_fista_closed_form_and_acceleration():
    """Denoising has a closed form; momentum and restart beat plain proximal gradients."""
    result = solvers.fista(Identity((12,)), RIGHT[:12], iterations=60, prox=Soft(0.3))
    np.testing.assert_allclose(result.x, Soft(0.3).prox(RIGHT[:12], 1), atol=1e-8)
    matrix = TALL * np.geomspace(1, 0.03, 12)
    best = np.linalg.lstsq(matrix, RIGHT)[0]
    with_restart = solvers.fista(matrix, RIGHT, iterations=400)
    without = solvers.fista(matrix, RIGHT, iterations=400, restart=False)
    optimised = solvers.pogm(matrix, RIGHT, iterations=400)
    errors = [relative_error(r.x, best) for r in (optimised, with_restart, without)]
    assert errors[1] < errors[2] and errors[0] < errors[2]


def test_fast_normal_gives_the_same():
    slow = as_operator(COMPLEX)
    fast = as_operator(COMPLEX)
    fast.fast_normal = True
    for solve in (solvers.fista, solvers.pogm):
        a = solve(slow, COMPLEX_RIGHT, iterations=20, prox=Soft(2.0))
        b = solve(fast, COMPLEX_RIGHT, iterations=20, prox=Soft(2.0))
        assert relative_error(a.x, b.x) < 1e-10
        np.testing.assert_allclose(a.residuals, b.residuals, rtol=1e-6)


def test_anisotropic_tv_agrees_across_solvers():
    """ADMM and PDHG reach one minimum of 0.5 ||x - y||^2 + w |Dx|_1, by different routes."""
    y = np.repeat(RNG.standard_normal(5), 6) + 0.1 * RNG.standard_normal(30)
    difference = FiniteDifference((30,))
    a = solvers.admm(
        Identity((30,)), y, iterations=500, prox=Soft(0.4), transform=difference,
        inner_iterations=30,
    )  # fmt: skip
    b = solvers.pdhg(Identity((30,)), y, iterations=2500, priors=[(difference, Soft(0.4))])
    assert relative_error(a.x, b.x) < 1e-5
    # the mean is kept, and jumps are few
    assert a.x.mean() == pytest.approx(y.mean(), abs=1e-8)
    assert (abs(np.diff(b.x)) > 1e-3).sum() < 10


@pytest.mark.parametrize("name", ["sirt", "os_sart"])
def test_row_action_reaches_consistent_solution(name):
    operator, y, _ = problem_for(name)
    options = {"subsets": 5} if name == "os_sart" else {}
    result = getattr(solvers, name)(
        operator, y, iterations=2000, relaxation=1.0, prox=NotNegative(), **options
    )
    assert relative_error(result.x, TRUTH) < 1e-3
    assert result.residuals[-1] < 1e-4 * result.residuals[0]


def test_sirt_first_step_closed_form():
    operator, y, _ = problem_for("sirt")
    result = solvers.sirt(operator, y, iterations=1, relaxation=0.7)
    rows, columns = POSITIVE.sum(axis=1), POSITIVE.sum(axis=0)
    np.testing.assert_allclose(result.x, 0.7 * (POSITIVE.T @ (y / rows)) / columns, rtol=1e-12)
    # one subset makes OS-SART into SIRT
    same = solvers.os_sart(operator, y, iterations=1, subsets=1, relaxation=0.7)
    np.testing.assert_allclose(same.x, result.x, rtol=1e-12)


def test_subsets_are_faster_per_iteration():
    operator, y, _ = problem_for("sirt")
    slow = solvers.sirt(operator, y, iterations=20).residuals[-1]
    assert solvers.os_sart(operator, y, iterations=20, subsets=6).residuals[-1] < 0.5 * slow
    slow = solvers.mlem(operator, y, iterations=20).residuals[-1]
    assert solvers.osem(operator, y, iterations=20, subsets=6).residuals[-1] < 0.5 * slow
    given = solvers.osem(operator, y, iterations=3, subsets=[np.arange(15), np.arange(15, 30)])
    assert given.iterations == 3


def test_os_sqs_scipy():
    """Nonnegative least squares with one subset; a quadratic without momentum, step by step."""
    operator, _, _ = problem_for("os_sqs")
    noisy = POSITIVE @ TRUTH + RNG.standard_normal(30)
    result = solvers.os_sqs(operator, noisy, iterations=2000, prox=NonNegative())
    assert relative_error(result.x, nnls(POSITIVE, noisy)[0]) < 1e-5
    curvature = POSITIVE.T @ POSITIVE.sum(axis=1)
    x = np.zeros(12)
    for _ in range(5):
        x = x - POSITIVE.T @ (POSITIVE @ x - noisy) / curvature
    plain = solvers.os_sqs(operator, noisy, iterations=5, momentum=False)
    np.testing.assert_allclose(plain.x, x, rtol=1e-10)
    weights = RNG.uniform(0.5, 2, 30)
    support = np.arange(12) != 4
    held = solvers.os_sqs(
        operator, noisy, iterations=2000, weights=weights, support=support, x0=np.full(12, 0.3),
        prox=NonNegative(),
    )  # fmt: skip
    root = np.sqrt(weights)
    rest = root * (noisy - 0.3 * POSITIVE[:, 4])
    expected = nnls(root[:, None] * POSITIVE[:, support], rest)[0]
    assert held.x[4] == 0.3 and relative_error(held.x[support], expected) < 1e-4


def test_row_action_bounds_and_orders():
    """A lower bound fused into the update is the same as applied after it."""
    operator, y, _ = problem_for("sirt")

    class Clip:
        def prox(self, x, step):
            return np.maximum(x, 0)

    for name, options in (("sirt", {}), ("os_sart", {"subsets": 5}), ("sart", {})):
        solve = getattr(solvers, name)
        fused = solve(operator, y, iterations=4, prox=NonNegative(), **options)
        after = solve(operator, y, iterations=4, prox=Clip(), **options)
        np.testing.assert_array_equal(fused.x, after.x)
        assert solve(operator, y, iterations=4, prox=Box(0, 0.5), **options).x.max() <= 0.5
    orders = [
        solvers.os_sart(operator, y, iterations=3, subsets=6, order=order).x
        for order in ("bit_reversed", "sequential", "random")
    ]
    assert not np.array_equal(orders[0], orders[1])
    again = solvers.os_sart(operator, y, iterations=3, subsets=6, order="random").x
    np.testing.assert_array_equal(orders[2], again)


def test_sums_made_anew_are_the_kept_ones(monkeypatch):
    """Where the subsets' sums would take too much memory they are not kept."""
    operator, y, extra = problem_for("asd_pocs")

    def run():
        return [
            solvers.os_sart(operator, y, iterations=3, subsets=5).x,
            solvers.osem(operator, y, iterations=3, subsets=5).x,
            solvers.asd_pocs(operator, y, iterations=3, subsets=5, **extra).x,
        ]

    kept = run()
    for module in ("sirt", "mlem"):
        monkeypatch.setattr(sys.modules[f"pyrad_core.solvers.{module}"], "KEPT", 0)
    for a, b in zip(kept, run(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_admm_priors_agree_with_pdhg():
    """Two terms at once: bounds on x and anisotropic TV, as PDHG takes them."""
    y = np.repeat(RNG.standard_normal(5), 6) + 0.1 * RNG.standard_normal(30)
    difference, identity = FiniteDifference((30,)), Identity((30,))
    a = solvers.admm(
        identity, y, iterations=200, priors=[(difference, L1(0.4)), (identity, NonNegative())],
        penalty=[1.0, 2.0], inner_iterations=15,
    )  # fmt: skip
    b = solvers.pdhg(
        identity, y, iterations=1500, prox=NonNegative(), priors=[(difference, L1(0.4))]
    )
    assert relative_error(a.x, b.x) < 1e-3
    with pytest.raises(DataError, match="penalty has 3 numbers for 1 terms"):
        solvers.admm(identity, y, iterations=1, prox=NonNegative(), penalty=[1.0, 1.0, 1.0])
    with pytest.raises(DataError, match="prox or priors"):
        solvers.admm(identity, y, iterations=1)


def test_pdhg_compiled_dual_step_is_the_general_one():
    """L1 behind FiniteDifference runs in one kernel; behind a twin of it, by Moreau's identity."""
    y = RNG.standard_normal((9, 10))
    difference = FiniteDifference((9, 10))
    twin = FromFunctions(difference.forward, difference.adjoint, (9, 10), (2, 9, 10))
    twin._norm = difference.norm()
    results = [
        solvers.pdhg(Identity((9, 10)), y, iterations=50, priors=[(transform, L1(0.3))])
        for transform in (difference, twin)
    ]
    np.testing.assert_allclose(results[0].x, results[1].x, atol=1e-12)
    np.testing.assert_allclose(results[0].residuals, results[1].residuals, rtol=1e-6)


def test_asd_pocs_meets_data_tolerance():
    operator, y, extra = problem_for("asd_pocs")
    result = solvers.asd_pocs(
        operator, y, iterations=400, data_tolerance=0.02, prox=NonNegative(), **extra
    )
    reached = np.linalg.norm(POSITIVE @ result.x - y) / np.linalg.norm(y)
    assert result.residuals[-1] == pytest.approx(reached) and reached < 0.025
    loose = solvers.asd_pocs(
        operator, y, iterations=400, data_tolerance=0.02, tolerance=0.05, **extra
    )
    assert loose.stop_reason == "tolerance" and loose.iterations < 400


def test_mlem_properties():
    """Counts are kept, the likelihood grows, and one step is the textbook's."""
    operator, _, _ = problem_for("mlem")
    y = RNG.poisson(POSITIVE @ TRUTH * 5).astype(float)
    likelihood = []

    def watch(k, x, residual):
        mean = POSITIVE @ x
        likelihood.append((y * np.log(mean) - mean).sum())
        assert (POSITIVE @ x).sum() == pytest.approx(y.sum())

    solvers.mlem(operator, y, iterations=30, callback=watch)
    assert (np.diff(likelihood) > -1e-9).all()
    first = solvers.mlem(operator, y, iterations=1).x
    expected = POSITIVE.T @ (y / POSITIVE.sum(axis=1)) / POSITIVE.sum(axis=0)
    np.testing.assert_allclose(first, expected)
    known = solvers.mlem(operator, POSITIVE @ TRUTH + 0.7, iterations=5000, background=0.7)
    assert relative_error(known.x, TRUTH) < 1e-2


@pytest.mark.parametrize("name", EVERY)
def test_precision_is_kept(name):
    for dtype in (np.float32, np.float64):
        operator, y, extra = problem_for(name, dtype)
        result = getattr(solvers, name)(operator, y, iterations=3, **extra)
        assert result.x.dtype == dtype and result.residuals.dtype == np.float64
        assert len(result.residuals) == result.iterations == 3
    if name not in NAMED:
        operator = as_operator(COMPLEX.astype(np.complex64))
        y = COMPLEX_RIGHT.astype(np.complex64)
        assert getattr(solvers, name)(operator, y, iterations=2, **extra).x.dtype == np.complex64


@pytest.mark.parametrize("name", EVERY)
def test_callback_stops_and_sees_iterates(name):
    operator, y, extra = problem_for(name)
    seen = []

    def watch(k, x, residual):
        seen.append((k, x.copy(), residual))
        return k == 2

    result = getattr(solvers, name)(operator, y, iterations=10, callback=watch, **extra)
    assert result.stop_reason == "callback" and [k for k, _, _ in seen] == [1, 2]
    np.testing.assert_array_equal(seen[-1][1], result.x)
    assert seen[-1][2] == result.residuals[-1]


@pytest.mark.parametrize("name", EVERY)
def test_interrupt_passes_and_keeps_start(name):
    operator, y, extra = problem_for(name)
    start = np.ones(12)

    def interrupt(k, x, residual):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        getattr(solvers, name)(operator, y, iterations=9, x0=start, callback=interrupt, **extra)
    assert (start == 1).all()


@pytest.mark.parametrize("name", EVERY)
def test_bad_input_44_iterations(name):
    operator, y, extra = problem_for(name)
    for bad in (0, -3, 2.5, "ten"):
        with pytest.raises(DataError, match="iterations is"):
            getattr(solvers, name)(operator, y, iterations=bad, **extra)


@pytest.mark.parametrize("name", EVERY)
def test_bad_input_39_nan_in_data(name):
    operator, y, extra = problem_for(name)
    y = y.copy()
    y[4] = np.nan
    with pytest.raises(DataError, match=r"y holds 1 NaN.*\(4,\)"):
        getattr(solvers, name)(operator, y, iterations=2, **extra)


@pytest.mark.parametrize("name", EVERY)
def test_bad_shapes_and_arguments(name):
    operator, y, extra = problem_for(name)
    solve = getattr(solvers, name)
    with pytest.raises(ShapeError, match=r"\(29,\).*\(30,\)"):
        solve(operator, y[:-1], iterations=2, **extra)
    with pytest.raises(ShapeError, match=r"x0.*\(11,\).*\(12,\)"):
        solve(operator, y, iterations=2, x0=np.ones(11), **extra)
    with pytest.raises(DataError, match="callback"):
        solve(operator, y, iterations=2, callback=3, **extra)
    with pytest.raises(DataError, match="prox"):
        solve(operator, y, iterations=2, **(extra | {"prox": 7}))
    with pytest.raises(DataError, match="tolerance"):
        solve(operator, y, iterations=2, tolerance=-1, **extra)


def test_bad_values():
    operator, y, _ = problem_for("sirt")
    with pytest.raises(DataError, match="relaxation"):
        solvers.sirt(operator, y, iterations=2, relaxation=2.0)
    with pytest.raises(DataError, match="row sums"):
        solvers.sirt(-POSITIVE, y, iterations=2)
    with pytest.raises(DataError, match="y holds negative"):
        solvers.mlem(operator, -y, iterations=2)
    with pytest.raises(DataError, match="weights hold negative"):
        solvers.sirt(operator, y, iterations=2, weights=-y)
    with pytest.raises(ShapeError, match="weights have shape"):
        solvers.mlem(operator, y, iterations=2, weights=y[1:])
    with pytest.raises(DataError, match="lower bound"):
        solvers.os_sqs(operator, y, iterations=2, prox=Soft(1))
    with pytest.raises(DataError, match="penalty is a int"):
        solvers.os_sqs(operator, y, iterations=2, penalty=3)
    with pytest.raises(DataError, match="penalty is a int"):
        solvers.asd_pocs(operator, y, iterations=2, penalty=3)
    with pytest.raises(ShapeError, match="support has shape"):
        solvers.os_sqs(operator, y, iterations=2, support=np.ones(3, bool))
    with pytest.raises(DataError, match="support has dtype"):
        solvers.os_sqs(operator, y, iterations=2, support=np.ones(12))
    with pytest.raises(DataError, match="relaxation is empty"):
        solvers.sirt(operator, y, iterations=2, relaxation=[])
    with pytest.raises(DataError, match="real data"):
        solvers.mlem(operator, y + 0j, iterations=2)
    with pytest.raises(DataError, match="subset"):
        solvers.os_sart(TALL, RIGHT, iterations=2)
    with pytest.raises(DataError, match="31"):
        solvers.osem(operator, y, iterations=2, subsets=31)
    with pytest.raises(DataError, match="outside"):
        solvers.osem(operator, y, iterations=2, subsets=[[0, 30]])
    with pytest.raises(DataError, match="zero"):
        solvers.fista(np.zeros((30, 12)), RIGHT, iterations=2)
    with pytest.raises(ShapeError, match="transform"):
        solvers.admm(TALL, RIGHT, iterations=2, prox=Soft(1), transform=Identity((3,)))
    with pytest.raises(ShapeError, match="priors"):
        solvers.pdhg(TALL, RIGHT, iterations=2, priors=[(Identity((3,)), Soft(1))])


def test_divergence_is_noticed():
    with pytest.warns(PyradWarning, match="diverged"), np.errstate(all="ignore"):
        result = solvers.fista(TALL, RIGHT, iterations=500, step=100.0, restart=False)
    assert result.stop_reason == "diverged"


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 9), st.integers(1, 9), st.booleans(), st.integers(0, 99))
def test_least_squares_solvers_agree(rows, columns, complex_data, seed):
    rng = np.random.default_rng(seed)
    matrix = rng.standard_normal((rows, columns))
    y = rng.standard_normal(rows)
    if complex_data:
        matrix = matrix + 1j * rng.standard_normal((rows, columns))
        y = y + 1j * rng.standard_normal(rows)
    results = [
        getattr(solvers, name)(matrix, y, iterations=4 * columns, regularization=0.5).x
        for name in LEAST_SQUARES
    ]
    expected = np.linalg.solve(
        matrix.conj().T @ matrix + 0.5 * np.eye(columns), matrix.conj().T @ y
    )
    for x in results:
        np.testing.assert_allclose(x, expected, atol=1e-8)


def test_operator_that_returns_its_argument():
    """A careless user function must not let a solver overwrite its own vectors."""
    same = FromFunctions(lambda x: x, lambda y: y, (12,), (12,))
    result = solvers.cg(same, RIGHT[:12], iterations=5)
    np.testing.assert_allclose(result.x, RIGHT[:12])


def test_same_bits_for_any_number_of_threads():
    rng = np.random.default_rng(0)
    y = rng.standard_normal((300, 301)).astype(np.float32)
    operator = FiniteDifference((300, 301)).gram + Identity((300, 301))
    results = []
    for threads in (1, 2):
        with pyrad_core.set_num_threads(threads):
            results.append(solvers.cg(operator, y, iterations=5, hermitian=True).x)
    np.testing.assert_array_equal(*results)
