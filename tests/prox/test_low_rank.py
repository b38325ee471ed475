import numpy as np
import pytest
from helpers import relative_error
from hypothesis import given, settings
from hypothesis import strategies as st

import pyrad_core as prc
from pyrad_core import DataError, ShapeError, prox
from pyrad_core._kernels.select import cpu_kernels

DTYPES = (np.float32, np.float64, np.complex64, np.complex128)


def draw(rng, shape, dtype):
    x = rng.standard_normal(shape)
    if np.dtype(dtype).kind == "c":
        x = x + 1j * rng.standard_normal(shape)
    return x.astype(dtype)


def blocks_of(size, block, shift):
    """Slices of every block of an image."""
    starts = [range(-s, n, b) for n, b, s in zip(size, block, shift, strict=True)]
    for at in np.ndindex(*map(len, starts)):
        first = [starts[d][at[d]] for d in range(len(size))]
        yield tuple(slice(max(0, f), f + b) for f, b in zip(first, block, strict=True))


def shrunk_by_svd(x, block, shift, threshold):
    """(prox, sum of singular values) of one image's series (frames, *image)."""
    out, total = np.empty_like(x, dtype=np.complex128), 0.0
    for part in blocks_of(x.shape[1:], block, shift):
        piece = x[(slice(None), *part)]
        u, s, vh = np.linalg.svd(piece.reshape(len(x), -1).astype(complex), full_matrices=False)
        out[(slice(None), *part)] = ((u * np.maximum(s - threshold, 0)) @ vh).reshape(piece.shape)
        total += s.sum()
    return out, total


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "shape, block",
    [((5, 16, 16), (8, 8)), ((7, 13, 10), (4, 6)), ((40, 9), (6,)), ((3, 5, 9, 7), (4, 3, 5))],
)
def test_prox_numpy_svd(dtype, shape, block):
    x = draw(np.random.default_rng(0), shape, dtype)
    operator = prox.LocallyLowRank(0.8, block=block)
    expected, total = shrunk_by_svd(x, block, (0,) * len(block), 0.8 * 2.0)
    got = operator.prox(x, 2.0)
    assert got.dtype == dtype and got.shape == shape
    single = x.real.dtype == np.float32
    assert relative_error(got, expected) < (2e-6 if single else 1e-12)
    assert operator.value(x) == pytest.approx(0.8 * total, rel=1e-6 if single else 1e-8)


@settings(max_examples=20, deadline=None)
@given(
    frames=st.integers(1, 9),
    ny=st.integers(1, 12),
    nx=st.integers(1, 12),
    by=st.integers(1, 5),
    bx=st.integers(1, 5),
    seed=st.integers(0, 99),
)
def test_shifted_blocks_numpy_svd(frames, ny, nx, by, bx, seed):
    rng = np.random.default_rng(seed)
    x = draw(rng, (frames, 1, 1, ny, nx), np.complex128)
    shift = (0, int(rng.integers(by)), int(rng.integers(bx)))
    out = np.empty_like(x)
    total = cpu_kernels().shrink_blocks(x, (1, by, bx), shift, 0.7, out)
    expected, singular = shrunk_by_svd(x[:, 0, 0], (by, bx), shift[1:], 0.7)
    assert np.linalg.norm(out[:, 0, 0] - expected) <= 1e-11 * np.linalg.norm(x)
    assert total == pytest.approx(singular, rel=1e-7)


def test_repeated_and_zero_singular_values():
    """Low rank, zero and orthogonal blocks, whose Gram matrices leave nothing to rotate."""
    rng = np.random.default_rng(1)
    series = np.zeros((6, 4, 16), np.complex128)
    series[:, :, 4:8] = draw(rng, (6, 1, 1), np.complex128) * draw(rng, (4, 4), np.complex128)
    series[:4, :, 8:12] = np.eye(16).reshape(16, 4, 4)[:4]
    series[:, :, 12:] = draw(rng, (6, 4, 4), np.complex128)
    operator = prox.LocallyLowRank(0.5, block=4)
    expected, _ = shrunk_by_svd(series, (4, 4), (0, 0), 0.5)
    np.testing.assert_allclose(operator.prox(series, 1.0), expected, atol=1e-11)
    np.testing.assert_allclose(prox.LocallyLowRank(0.0).prox(series), series, atol=1e-12)


def test_optimality():
    """x - p is a subgradient: spectral norm <= step and <x - p, p> = step ||p||_*."""
    x = draw(np.random.default_rng(2), (6, 8, 8), np.complex128)
    operator = prox.LocallyLowRank(1.0, block=8)
    p = operator.prox(x, 3.0)
    residual = (x - p).reshape(6, -1)
    assert np.linalg.norm(residual, 2) <= 3 * (1 + 1e-10)
    assert np.vdot(p, x - p).real == pytest.approx(3 * operator.value(p), rel=1e-8)


def test_batch_axes_and_cycle_spinning():
    x = draw(np.random.default_rng(3), (5, 2, 12, 12), np.complex64)
    together = prox.LocallyLowRank(0.5, block=4, dims=2).prox(x)
    for i in range(2):
        alone = prox.LocallyLowRank(0.5, block=4).prox(x[:, i])
        np.testing.assert_array_equal(together[:, i], alone)
    spun, again = (prox.LocallyLowRank(0.5, block=4, dims=2, cycle_spin=True) for _ in range(2))
    first, second = spun.prox(x), spun.prox(x)
    assert abs(first - second).max() > 1e-3
    np.testing.assert_array_equal(first, again.prox(x))


def test_threads_agree_in_every_bit():
    x = draw(np.random.default_rng(4), (8, 50, 46), np.complex64)
    operator = prox.LocallyLowRank(0.5, block=6)
    former = prc.num_threads()
    results = []
    for count in (1, 2, 5):
        prc.set_num_threads(count)
        results.append((operator.prox(x), operator.value(x)))
    prc.set_num_threads(former)
    for image, value in results[1:]:
        np.testing.assert_array_equal(image, results[0][0])
        assert value == results[0][1]


@pytest.mark.parametrize("dtype", [np.complex64, np.complex128])
@pytest.mark.parametrize("frames, block", [(4, 4), (9, 2), (1, 3), (24, 4)])
def test_cuda_twin(device, dtype, frames, block):
    x = draw(np.random.default_rng(5), (frames, 2, 9, 10), dtype)
    x[:, 0, :4, :4] = 0
    operator = prox.LocallyLowRank(0.4, block=block, dims=2)
    expected, value = operator.prox(x), operator.value(x)
    with device:
        got, total = operator.prox(device.array(x)), operator.value(device.array(x))
    single = dtype == np.complex64
    assert relative_error(device.numpy(got), expected) < (1e-6 if single else 1e-12)
    assert total == pytest.approx(value, rel=1e-6)


def test_bad_arguments():
    x = np.ones((4, 8, 8), np.complex64)
    with pytest.raises(DataError, match="weight is -1"):
        prox.LocallyLowRank(-1)
    with pytest.raises(DataError, match="block is 0"):
        prox.LocallyLowRank(1.0, block=0)
    with pytest.raises(ShapeError, match="block has 2 numbers"):
        prox.LocallyLowRank(1.0, block=(4, 4), dims=3)
    with pytest.raises(ShapeError, match="expected frames"):
        prox.LocallyLowRank(1.0, dims=3).prox(x)
    with pytest.raises(ShapeError, match="shift"):
        cpu_kernels().shrink_blocks(x[:, None, None], (1, 4, 4), (0, 4, 0), 0.0, x[:, None, None])
