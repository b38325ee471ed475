"""Penalised weighted least squares against a direct sparse solution, and in front of FBP."""

import numpy as np
import pytest
import scipy.sparse
import scipy.sparse.linalg
from helpers import relative_error
from hypothesis import given, settings
from hypothesis import strategies as st

import pyrad_core as prc
from pyrad_core._kernels.select import cpu_kernels
from pyrad_core.errors import DataError, ShapeError
from pyrad_core.phantom import shepp_logan


def direct(lines, weights, strength, couplings):
    """Normal equations of the objective by scipy.sparse; axis by axis, views last in Kronecker."""
    shape = lines.shape if lines.ndim == 3 else (lines.shape[0], 1, lines.shape[1])
    matrix = scipy.sparse.diags(weights.ravel()).tocsr()
    for axis, c in enumerate(couplings):
        n = shape[axis]
        step = scipy.sparse.diags([-np.ones(n), np.ones(max(0, n - 1))], [0, 1], (n - 1, n))
        parts = [scipy.sparse.identity(m) for m in shape]
        parts[axis] = step.T @ step if n > 1 else scipy.sparse.csr_matrix((1, 1))
        matrix = matrix + strength * c * scipy.sparse.kron(
            scipy.sparse.kron(parts[0], parts[1]), parts[2]
        )
    solution = scipy.sparse.linalg.spsolve(matrix.tocsc(), (weights * lines).ravel())
    return solution.reshape(lines.shape)


@settings(max_examples=20, deadline=None)
@given(
    shape=st.one_of(
        st.tuples(st.integers(1, 9), st.integers(1, 25)),
        st.tuples(st.integers(1, 6), st.integers(1, 4), st.integers(1, 20)),
    ),
    strength=st.floats(0.01, 30),
    seed=st.integers(0, 99),
)
def test_minimiser_scipy_sparse(shape, strength, seed):
    rng = np.random.default_rng(seed)
    lines, weights = rng.standard_normal(shape), rng.uniform(0.01, 2, shape)
    couplings = tuple(rng.uniform(0, 1, 3))
    got = prc.ct.denoise_projections(
        lines, weights=weights, strength=strength, couplings=couplings, tol=1e-12, iterations=2000
    )
    expected = direct(lines, weights, strength, couplings)
    np.testing.assert_allclose(got, expected, atol=1e-8)


def test_weights_from_photons_scipy_sparse():
    rng = np.random.default_rng(0)
    lines = rng.uniform(0, 6, (12, 3, 30))
    counts = 1e4 * np.exp(-lines)
    expected = direct(lines, counts**2 / (counts + 100), 500.0, (0.25, 1, 1))
    for dtype, tolerance in ((np.float64, 1e-7), (np.float32, 2e-4)):
        got = prc.ct.denoise_projections(
            lines.astype(dtype), photons=1e4, electronic_noise=10.0, strength=500.0, tol=1e-9
        )
        assert got.dtype == dtype and relative_error(got, expected) < tolerance


def test_filled_in_where_weights_are_zero():
    lines = np.full((6, 20), 2.0)
    weights = np.ones_like(lines)
    lines[:, 8:11], weights[:, 8:11] = 99.0, 0.0
    got = prc.ct.denoise_projections(lines, weights=weights, strength=1.0, tol=1e-10)
    np.testing.assert_allclose(got, 2.0, atol=1e-7)


def test_denoising_same_bits_for_any_threads():
    lines = np.random.default_rng(1).uniform(0, 5, (90, 2, 301)).astype(np.float32)
    with prc.set_num_threads(1):
        one = prc.ct.denoise_projections(lines, photons=1e4, strength=2e3)
    with prc.set_num_threads(2):
        two = prc.ct.denoise_projections(lines, photons=1e4, strength=2e3)
    np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_denoising_on_device(device, dtype):
    lines = np.random.default_rng(2).uniform(0, 4, (7, 3, 270)).astype(dtype)
    settings = {"photons": 1e4, "strength": 1e3, "iterations": 8}
    expected = prc.ct.denoise_projections(lines, **settings)
    with device:
        got = prc.ct.denoise_projections(device.array(lines), **settings)
    tolerance = 2e-5 if dtype == np.float32 else 1e-12
    np.testing.assert_allclose(device.numpy(got), expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("shape", [(3, 2, 1), (1, 1, 1), (4, 1, 2), (2, 3, 300)])
def test_pwls_kernels_on_device(device, shape):
    rng = np.random.default_rng(3)
    p, w, out = rng.standard_normal(shape), rng.uniform(0.5, 1, shape), np.empty(shape)
    sum_cpu = cpu_kernels().pwls_apply(p, w, (0.5, 0.25, 2.0), out)
    given = [device.array(a) for a in (p, w, np.empty(shape))]
    sum_device = device.kernels.pwls_apply(given[0], given[1], (0.5, 0.25, 2.0), given[2])
    assert sum_device == pytest.approx(sum_cpu, rel=1e-12)
    np.testing.assert_allclose(device.numpy(given[2]), out, rtol=1e-12, atol=1e-13)


def test_low_dose_fbp_is_better_than_a_softer_filter():
    """At an edge blur (error of the noise-free image) not above that of a Hann window, the image
    of the denoised scan has the lower error."""
    scan = prc.ParallelBeam(np.arange(360) * np.pi / 360, 257)
    volume = prc.Volume((192, 192), 1.2)
    head = shepp_logan(2, radius=110)
    ideal = 0.02 * head.project(scan)
    truth = 0.02 * head.raster(volume)
    noisy = prc.ct.simulate_dose(ideal, 3e3, 5.0, seed=1)

    def error(lines, filter="ram-lak"):
        return relative_error(prc.ct.fbp(lines, scan, volume, filter=filter), truth)

    settings = {"photons": 3e3, "electronic_noise": 5.0, "strength": 300.0}
    calm = prc.ct.denoise_projections(noisy, **settings)
    blurred = prc.ct.denoise_projections(ideal, **settings)
    assert error(calm) < 0.8 * error(noisy)
    assert error(blurred) < 0.75 * error(ideal, "hann") and error(calm) < error(noisy, "hann")


@pytest.mark.parametrize(
    ("settings", "error", "text"),
    [
        ({"strength": 1.0}, DataError, "either photons or weights"),
        ({"strength": 0.0, "photons": 1e4}, DataError, "strength is 0"),
        ({"strength": 1.0, "photons": 0}, DataError, "photons is 0"),
        ({"strength": 1.0, "photons": 1, "iterations": 0}, DataError, "iterations is 0"),
        ({"strength": 1.0, "weights": np.ones((4, 4))}, ShapeError, r"weights has shape \(4, 4\)"),
        ({"strength": 1.0, "weights": -np.ones((4, 5))}, DataError, "weights run from -1"),
        ({"strength": 1.0, "weights": np.zeros((4, 5))}, DataError, "weights run from 0 to 0"),
        ({"strength": 1.0, "photons": 1, "couplings": (1, 1)}, ShapeError, "2 values"),
        ({"strength": 1.0, "photons": 1, "couplings": (0, 0, 0)}, DataError, "all 0"),
    ],
)
def test_denoising_bad_inputs(settings, error, text):
    with pytest.raises(error, match=text):
        prc.ct.denoise_projections(np.ones((4, 5)), **settings)
