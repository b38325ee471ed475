"""ROF-TV: the duality gap as oracle, scikit-image as second opinion, properties, bad inputs."""

from __future__ import annotations

import numpy as np
import pytest
from helpers import data_path, relative_error
from hypothesis import given, settings
from hypothesis import strategies as st

import pyrad_core as prc
from pyrad_core.denoise import tv

METHODS = ["fgp", "pdhg"]


def _piecewise(shape, seed=0, sigma=0.1):
    grid = np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij")
    clean = (sum(g * g for g in grid) < 0.5) + 0.5 * (grid[0] > 0.2)
    return clean + np.random.default_rng(seed).normal(0, sigma, shape)


def _gradient(u, spacing):
    """Forward differences, zero at the far edge; axes first."""
    g = np.zeros((u.ndim, *u.shape), u.dtype)
    for axis, h in enumerate(spacing):
        ahead = [slice(None)] * u.ndim
        ahead[axis] = slice(0, -1)
        g[(axis, *ahead)] = np.diff(u, axis=axis) / h
    return g


def _objective(u, f, weight, spacing=None, isotropic=True):
    g = np.abs(_gradient(u, spacing or (1,) * u.ndim))
    length = np.sqrt((g**2).sum(0)) if isotropic else g.sum(0)
    return 0.5 * (np.abs(u - f) ** 2).sum() + weight * length.sum()


def _distance(u, v):
    return 0.5 * ((u - v).astype(float) ** 2).sum()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("isotropic", [True, False])
@pytest.mark.parametrize(
    ("shape", "spacing"),
    [((61,), (0.5,)), ((33, 40), (1, 1)), ((20, 31), (2, 0.7)), ((9, 14, 17), (3, 1, 0.8))],
)
def test_objective_and_gap_are_what_info_says(method, isotropic, shape, spacing):
    f = _piecewise(shape)
    options = dict(weight=0.2, method=method, spacing=spacing, isotropic=isotropic)
    best, sure = tv(f, tol=1e-7, max_iterations=20000, return_info=True, **options)
    u, info = tv(f, tol=1e-3, return_info=True, **options)
    assert info.converged and 0 <= info.relative_gap <= 1e-3
    assert info.primal == pytest.approx(_objective(u, f, 0.2, spacing, isotropic), rel=1e-12)
    assert sure.converged and sure.primal <= info.primal <= sure.primal + info.gap
    assert _distance(u, best) <= info.gap + sure.gap


@pytest.mark.parametrize("method", METHODS)
def test_methods_meet_and_float32_reaches_the_float64_optimum(method):
    f = _piecewise((64, 80))
    best, info = tv(f, weight=0.1, method="fgp", tol=1e-7, max_iterations=20000, return_info=True)
    u = tv(f.astype(np.float32), weight=0.1, method=method, tol=1e-6, max_iterations=5000)
    assert u.dtype == np.float32
    assert relative_error(u, best) < 1e-3
    assert _objective(u.astype(float), f, 0.1) <= info.primal * (1 + 2e-6)


@pytest.mark.parametrize("method", METHODS)
def test_gap_falls(method):
    f = _piecewise((48, 48)).astype(np.float32)
    gaps = [
        tv(f, weight=0.1, method=method, tol=0, max_iterations=n, return_info=True)[1].gap
        for n in (0, 12, 50, 200, 800)
    ]
    assert all(b < a for a, b in zip(gaps, gaps[1:], strict=False)) and gaps[-1] > 0


def test_against_chambolle_of_scikit_image():
    from skimage.restoration import denoise_tv_chambolle

    f = _piecewise((40, 48))
    theirs = denoise_tv_chambolle(f, weight=0.15, eps=0, max_num_iter=4000)
    ours = tv(f, weight=0.15, tol=1e-7, max_iterations=5000)
    assert relative_error(ours, theirs) < 2e-3


def test_complex_parts_share_their_edges():
    f = _piecewise((24, 30)) * np.exp(1j * 0.7)
    u, info = tv(f, weight=0.2, tol=1e-7, max_iterations=5000, return_info=True)
    magnitude = tv(_piecewise((24, 30)), weight=0.2, tol=1e-7, max_iterations=5000)
    assert u.dtype == np.complex128 and info.dual.shape == (2, 2, 24, 30)
    assert info.primal == pytest.approx(_objective(u, f, 0.2), rel=1e-12)
    assert relative_error(u * np.exp(-1j * 0.7), magnitude) < 1e-3


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_properties_on_any_shape(method, dtype, data):
    shape = data.draw(st.lists(st.integers(1, 9), min_size=1, max_size=3).map(tuple))
    f = np.random.default_rng(data.draw(st.integers(0, 99))).normal(1, 1, shape).astype(dtype)
    options = dict(method=method, tol=1e-4, max_iterations=3000)
    eps = float(np.finfo(dtype).eps) * 50
    u, info = tv(f, weight=0.3, return_info=True, **options)
    assert u.dtype == dtype and u.shape == f.shape and info.converged
    assert u.mean(dtype=float) == pytest.approx(f.mean(dtype=float), rel=eps)  # mean is kept
    turned = tv(f.T, weight=0.3, **options).T
    assert _distance(turned, u) <= 4 * info.gap + eps * f.size
    mirrored = tv(f[::-1], weight=0.3, isotropic=False, **options)[::-1]
    u1, info1 = tv(f, weight=0.3, isotropic=False, return_info=True, **options)
    assert _distance(mirrored, u1) <= 4 * info1.gap + eps * f.size
    scaled = tv(4 * f, weight=4 * 0.3, **options)
    np.testing.assert_allclose(scaled, 4 * u, rtol=eps, atol=eps)
    np.testing.assert_array_equal(tv(f, weight=0, **options), f)
    flat = tv(f, weight=1e4, method=method, tol=1e-7, max_iterations=3000)
    assert np.ptp(flat) <= 0.05 * max(np.ptp(f), 1e-3)


def test_bits_do_not_depend_on_threads_or_strides(thread_count):
    f = _piecewise((40, 33, 29)).astype(np.float32)
    results = []
    for count in (1, 2, 3):
        prc.set_num_threads(count)
        for method in METHODS:
            u, info = tv(f, weight=0.1, method=method, return_info=True, tol=0, max_iterations=30)
            results.append((u.tobytes(), info.gap))
    assert results[0::2] == [results[0]] * 3 and results[1::2] == [results[1]] * 3
    odd = np.asfortranarray(f)[::2, :, ::-1]
    np.testing.assert_array_equal(tv(odd, weight=0.1), tv(odd.copy(), weight=0.1))


def test_warm_start_saves_iterations():
    f = _piecewise((64, 64)).astype(np.float32)
    _, cold = tv(f, weight=0.1, tol=1e-4, return_info=True)
    near = f + np.float32(0.001) * np.random.default_rng(5).standard_normal(f.shape, np.float32)
    _, fresh = tv(near, weight=0.1, tol=1e-4, return_info=True)
    dual = cold.dual.copy()
    _, warm = tv(near, weight=0.1, tol=1e-4, return_info=True, dual=dual)
    assert warm.converged and warm.iterations < fresh.iterations
    assert not np.array_equal(dual, cold.dual) and warm.dual is dual


def test_any_finite_dual_is_a_start():
    f = _piecewise((24, 20))
    wild = np.random.default_rng(1).normal(0, 30, (2, 24, 20))
    u, info = tv(f, weight=0.1, tol=1e-6, dual=wild, return_info=True)
    assert info.converged and info.iterations > 0
    np.testing.assert_allclose(u, tv(f, weight=0.1, tol=1e-6), atol=2e-2)


def test_out_is_filled_and_returned():
    f = _piecewise((20, 20)).astype(np.float32)
    out = np.empty_like(f)
    assert tv(f, weight=0.1, out=out) is out
    np.testing.assert_array_equal(out, tv(f, weight=0.1))
    with pytest.raises(prc.DataError, match="out has dtype float64"):
        tv(f, weight=0.1, out=np.empty(f.shape))


def test_real_t1_slice():
    slice_ = np.load(data_path("denoise", "dipy", "t1_coronal_slice.npy"))
    clean = (slice_ / np.percentile(slice_, 99.8)).astype(np.float32)
    noise = np.random.default_rng(0).normal(0, 0.05, clean.shape).astype(np.float32)
    u, info = tv(clean + noise, weight=0.05, return_info=True)
    psnr = -10 * np.log10(np.mean((u - clean).astype(float) ** 2))
    assert info.converged and 36.5 < psnr < 38


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_bad_input_62_nan_or_inf(value):
    f = _piecewise((8, 8))
    f[2, 3] = value
    with pytest.raises(prc.DataError, match=r"image holds 1 NaN or Inf values.*\(2, 3\)"):
        tv(f, weight=0.1)


def test_bad_input_65_parameters():
    f = _piecewise((8, 8))
    for options, name in [
        (dict(weight=-1), "weight"),
        (dict(weight=np.nan), "weight"),
        (dict(weight=0.1, tol=-1), "tol"),
        (dict(weight=0.1, spacing=0), "spacing"),
        (dict(weight=0.1, spacing=(1, 2, 3)), "spacing"),
        (dict(weight=0.1, method="chambolle"), "method"),
        (dict(weight=0.1, max_iterations=1.5), "max_iterations"),
        (dict(weight=0.1, dual=np.zeros((2, 8, 9))), "dual"),
        (dict(weight=0.1, dual=np.zeros((2, 8, 8), np.float32)), "dual"),
    ]:
        with pytest.raises(prc.DataError, match=name):
            tv(f, **options)
    with pytest.raises(prc.ShapeError, match="image"):
        tv(np.zeros((2, 2, 2, 2)), weight=0.1)
    with pytest.raises(prc.DataError, match="float16"):
        tv(f.astype(np.float16), weight=0.1)
    with pytest.raises(prc.DataError, match="at least one voxel"):
        tv(np.zeros((0, 4)), weight=0.1)


def test_bad_input_66_one_voxel_axis_equals_fewer_dimensions():
    f = _piecewise((20, 24)).astype(np.float32)
    options = dict(weight=0.1, tol=1e-7, max_iterations=2000)
    np.testing.assert_allclose(tv(f[None], **options)[0], tv(f, **options), atol=2e-4)


@pytest.mark.parametrize("method", METHODS)
def test_bad_input_67_constant_image(method):
    f = np.full((7, 9, 5), 0.1, np.float32)
    np.testing.assert_array_equal(tv(f, weight=0.3, method=method, tol=0, max_iterations=20), f)


def test_bad_input_68_69_integers():
    f = (_piecewise((16, 16)) * 100).astype(np.int16)
    u = tv(f, weight=5)
    assert u.dtype == np.float32
    np.testing.assert_array_equal(u, tv(f.astype(np.float32), weight=5))
    limits = np.array([[np.iinfo(np.int64).max, np.iinfo(np.int64).min]] * 2)
    assert np.isfinite(tv(limits, weight=1.0)).all()


def test_subnormals_survive_the_import():
    assert np.finfo(np.float32).smallest_subnormal > 0
