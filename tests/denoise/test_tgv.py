"""Total generalised variation: an independent primal-dual solver as oracle, properties."""

from __future__ import annotations

import numpy as np
import pytest
from helpers import relative_error

import pyrad_core as prc
from pyrad_core.denoise import tgv, tv


def _difference(x, axis, h):
    """Forward differences, zero at the far edge."""
    out = np.zeros_like(x)
    np.moveaxis(out, axis, 0)[:-1] = np.diff(np.moveaxis(x, axis, 0), axis=0) / h
    return out


def _gradient(u, spacing):
    return np.stack([_difference(u, d, h) for d, h in enumerate(spacing)])


def _symmetric(w, spacing):
    """{(d, e): entry of E w}, zero where one of its differences is not there."""
    entries = {}
    for d, h in enumerate(spacing):
        entry = np.zeros_like(w[d])
        along, to = np.moveaxis(w[d], d, 0), np.moveaxis(entry, d, 0)
        to[1:-1] = (along[1:-1] - along[:-2]) / h
        entries[d, d] = entry
        for e in range(d + 1, len(spacing)):
            entry = 0.5 * (_difference(w[d], e, spacing[e]) + _difference(w[e], d, h))
            np.moveaxis(entry, d, 0)[-1] = 0
            np.moveaxis(entry, e, 0)[-1] = 0
            entries[d, e] = entry
    return entries


def _value(u, w, weight, ratio, spacing):
    first = np.sqrt((abs(_gradient(u, spacing) - w) ** 2).sum(0)).sum()
    squares = sum((1 + (d != e)) * abs(v) ** 2 for (d, e), v in _symmetric(w, spacing).items())
    return weight * first + ratio * weight * np.sqrt(squares).sum()


def _matrix(function, shape):
    """Dense matrix of a linear map, column by column."""
    columns = [function(unit.reshape(shape)).ravel() for unit in np.eye(int(np.prod(shape)))]
    return np.stack(columns, axis=1)


def _reference(f, weight, ratio, spacing, iterations=8000):
    """Chambolle and Pock's first algorithm with dense matrices; entries (d, e) times sqrt(2)."""
    axes, n = f.ndim, f.size

    def tensor(w):
        entries = _symmetric(w.reshape(axes, *f.shape), spacing).items()
        return np.stack([v * np.sqrt(1 + (d != e)) for (d, e), v in entries])

    gradient = _matrix(lambda u: _gradient(u, spacing), f.shape)
    exists = np.stack([np.ones_like(f)] * axes)
    for d in range(axes):
        np.moveaxis(exists[d], d, 0)[-1] = 0
    symmetric = _matrix(tensor, (axes, *f.shape)) * exists.ravel()
    k = np.block([[gradient, -np.diag(exists.ravel())], [np.zeros((len(symmetric), n)), symmetric]])
    step = 0.99 / np.linalg.norm(k, 2)
    tau, sigma = 0.1 * step, 10 * step
    x, y = np.concatenate([f.ravel(), np.zeros(axes * n)]), np.zeros(len(k))
    ahead = x
    for _ in range(iterations):
        y = y + sigma * (k @ ahead)
        for part, most in ((y[: axes * n], weight), (y[axes * n :], ratio * weight)):
            v = part.reshape(-1, n)
            v /= np.maximum(1, np.sqrt((v**2).sum(0)) / most)
        new = x - tau * (k.T @ y)
        new[:n] = (new[:n] + tau * f.ravel()) / (1 + tau)
        ahead, x = 2 * new - x, new
    u, w = x[:n].reshape(f.shape), x[n:].reshape(axes, *f.shape)
    return u, 0.5 * ((u - f) ** 2).sum() + _value(u, w, weight, ratio, spacing)


def _slopes(n=64):
    """A disc with a slope of its own on a slope."""
    y, x = np.mgrid[0:n, 0:n] / n
    return np.where((x - 0.5) ** 2 + (y - 0.5) ** 2 < 0.1, 1 - x, 0.3 * y + 0.2 * x)


def _noisy(shape, seed=0):
    return np.random.default_rng(seed).normal(0, 0.2, shape) + np.arange(shape[-1]) * 0.1


@pytest.mark.parametrize(
    ("shape", "spacing", "ratio"),
    [
        ((24,), (0.5,), 2.0),
        ((7, 8), (1, 1), 2.0),
        ((6, 7), (2, 0.7), 1.2),
        ((4, 3, 5), (2, 1, 1), 3),
    ],
)
def test_against_an_independent_solver(shape, spacing, ratio):
    f = _noisy(shape)
    expected, least = _reference(f, 0.15, ratio, spacing)
    options = dict(weight=0.15, ratio=ratio, spacing=spacing, return_info=True)
    u, info = tgv(f, tol=1e-6, max_iterations=20000, **options)
    assert info.converged and info.primal == pytest.approx(least, rel=2e-6)
    assert info.primal - info.gap <= least * (1 + 1e-9)
    np.testing.assert_allclose(u, expected, atol=2e-3)
    rough, early = tgv(f, tol=0, max_iterations=60, **options)
    w = early.state[0]
    stated = 0.5 * ((rough - f) ** 2).sum() + _value(rough, w, 0.15, ratio, spacing)
    assert early.primal == pytest.approx(stated, rel=1e-12)
    assert 0.5 * ((rough - u) ** 2).sum() <= early.gap and info.primal <= early.primal


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64, np.complex128])
@pytest.mark.parametrize("shape", [(19,), (9, 12), (5, 6, 7), (1, 8), (2, 2, 3)])
def test_affine_images_stay(shape, dtype):
    grid = np.meshgrid(*(np.arange(n) for n in shape), indexing="ij")
    affine = (1 + sum((0.3 - 0.2 * d) * g for d, g in enumerate(grid))).astype(dtype)
    if affine.dtype.kind == "c":
        affine = affine * dtype(1 - 0.5j)
    eps = float(np.finfo(dtype).eps)
    for image in (affine, np.full_like(affine, 0.1)):
        u, info = tgv(image, weight=0.5, spacing=1.5, return_info=True)
        assert u.dtype == dtype and info.converged
        np.testing.assert_allclose(u, image, rtol=0, atol=20 * eps)


def test_slopes_come_back_without_staircases():
    clean = _slopes()
    f = clean + np.random.default_rng(0).normal(0, 0.05, clean.shape)
    ours, theirs = tgv(f, weight=0.07, tol=1e-4, max_iterations=3000), tv(f, weight=0.07)
    error = {
        name: np.sqrt(((u - clean) ** 2).mean()) for name, u in (("tgv", ours), ("tv", theirs))
    }
    assert error["tgv"] < 0.8 * error["tv"]
    flat = [np.mean(abs(np.diff(u[8:56, 24:40], axis=1)) < 1e-3) for u in (ours, theirs)]
    assert flat[0] < 0.1 < flat[1]  # the slope inside is 1 / 64 per pixel


def test_complex_parts_share_their_edges():
    f = _noisy((14, 17))
    turned, info = tgv(
        f * np.exp(0.7j), weight=0.2, tol=1e-6, max_iterations=20000, return_info=True
    )  # fmt: skip
    plain, real = tgv(f, weight=0.2, tol=1e-6, max_iterations=20000, return_info=True)
    assert info.primal == pytest.approx(real.primal, rel=3e-6)
    assert relative_error(turned * np.exp(-0.7j), plain) < 2e-3
    assert [part.shape for part in info.state] == [(2, 2, 14, 17)] * 2 + [(2, 3, 14, 17)]


def test_float32_units_spacing_and_mean():
    f = _noisy((20, 24))
    best, info = tgv(f, weight=0.1, tol=1e-6, max_iterations=20000, return_info=True)
    single, early = tgv(
        f.astype(np.float32), weight=0.1, tol=1e-4, max_iterations=5000, return_info=True
    )  # fmt: skip
    assert single.dtype == np.float32 and early.converged
    assert 0.5 * ((single - best) ** 2).sum() <= 2 * early.gap + info.gap
    few = dict(tol=0, max_iterations=50)
    np.testing.assert_allclose(tgv(8 * f, weight=0.8, **few), 8 * tgv(f, weight=0.1, **few))
    stretched = tgv(f, weight=0.3, ratio=6, spacing=3.0, **few)  # the same in units of 3
    np.testing.assert_allclose(stretched, tgv(f, weight=0.1, **few), atol=1e-10)
    assert tgv(f, weight=0.1, **few).mean() == pytest.approx(f.mean(), rel=1e-12)
    np.testing.assert_array_equal(tgv(f, weight=0), f)
    integers = (f * 100).astype(np.int16)
    np.testing.assert_array_equal(
        tgv(integers, weight=5, **few), tgv(integers.astype(np.float32), weight=5, **few)
    )


def test_bits_do_not_depend_on_threads_or_strides(thread_count):
    f = _noisy((20, 33, 47)).astype(np.float32)
    options = dict(weight=0.1, tol=0, max_iterations=10)
    results = []
    for count in (1, 2, 3):
        prc.set_num_threads(count)
        u, info = tgv(f, return_info=True, **options)
        results.append((u.tobytes(), info.primal, info.gap))
    assert results == [results[0]] * 3
    odd = np.asfortranarray(f)[::2, :, ::-1]
    odd.flags.writeable = False
    np.testing.assert_array_equal(tgv(odd, **options), tgv(odd.copy(), **options))


def test_warm_start_and_out():
    f = _noisy((32, 32))
    _, cold = tgv(f, weight=0.1, tol=1e-4, max_iterations=5000, return_info=True)
    near = f + 1e-4 * _noisy((32, 32), 1)
    options = dict(weight=0.1, tol=1e-3, max_iterations=5000, return_info=True)
    _, fresh = tgv(near, **options)
    out = np.empty_like(f)
    u, warm = tgv(near, state=cold.state, out=out, **options)
    assert u is out and warm.converged and warm.iterations < fresh.iterations / 2
    wild = tuple(np.random.default_rng(2).normal(0, 5, part.shape) for part in cold.state)
    u, info = tgv(f, weight=0.1, tol=1e-4, max_iterations=20000, state=wild, return_info=True)
    assert info.converged and info.primal == pytest.approx(cold.primal, rel=3e-4)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_bad_input_62_nan_or_inf(value):
    f = _noisy((8, 8))
    f[2, 3] = value
    with pytest.raises(prc.DataError, match=r"image holds 1 NaN or Inf values.*\(2, 3\)"):
        tgv(f, weight=0.1)


def test_bad_input_65_parameters():
    f = _noisy((8, 8))
    fields = [np.zeros((2, 8, 8)), np.zeros((2, 8, 8)), np.zeros((3, 8, 8))]
    for options, name in [
        (dict(weight=-1), "weight"),
        (dict(weight=np.nan), "weight"),
        (dict(weight=0.1, ratio=0), "ratio"),
        (dict(weight=0.1, tol=-1), "tol"),
        (dict(weight=0.1, spacing=(1, 2, 3)), "spacing"),
        (dict(weight=0.1, spacing=0), "spacing"),
        (dict(weight=0.1, max_iterations=1.5), "max_iterations"),
        (dict(weight=0.1, state=fields[:2]), "state"),
        (dict(weight=0.1, state=fields[::-1]), r"state\[0\]"),
        (dict(weight=0.1, state=[f.astype(np.float32) for f in fields]), r"state\[0\]"),
        (dict(weight=0.1, out=np.empty((8, 8), np.float32)), "out has dtype float32"),
    ]:
        with pytest.raises(prc.DataError, match=name):
            tgv(f, **options)
    with pytest.raises(prc.ShapeError, match="image"):
        tgv(np.zeros((2, 2, 2, 2)), weight=0.1)
    with pytest.raises(prc.DataError, match="float16"):
        tgv(f.astype(np.float16), weight=0.1)
    with pytest.raises(prc.DataError, match="at least one voxel"):
        tgv(np.zeros((0, 4)), weight=0.1)
