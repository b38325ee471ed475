"""The CUDA emulator itself: what kernels may use, and the mistakes it must notice."""

from __future__ import annotations

import os
import signal
import threading
import time

import numpy as np
import pytest

from pyrad_core._kernels.cuda import runtime

SOURCE = "tests/kernels/emulated.cu"


@pytest.fixture
def launch(emulator):
    def call(kernel, grid, block, *args, shared=0, order="alternate"):
        emulator.launch(SOURCE, kernel, (grid,), (block,), args, shared, order)

    return call


@pytest.mark.parametrize("order", ["forward", "reverse"])
def test_shared_memory_reduction(launch, order):
    x = np.arange(1000, dtype=np.float32)
    out = np.zeros(1, np.float32)
    launch("shared_sum", 8, 128, x, np.int32(1000), out, order=order)
    assert out[0] == x.sum()


def test_warp_shuffle_sum(launch):
    x = np.random.default_rng(0).standard_normal(1024)
    out = np.zeros(1)
    launch("warp_sums", 4, 256, x, out)
    np.testing.assert_allclose(out[0], x.sum(), rtol=1e-12, atol=1e-12)


def test_shuffles_and_votes(launch):
    n = 64
    x = np.arange(n, dtype=np.int32)
    out = np.zeros((8, n), np.int32)
    launch("shuffles", 1, n, x, out)
    lane, first = x % 32, x // 32 * 32
    np.testing.assert_array_equal(out[0], first + 3)
    np.testing.assert_array_equal(out[1], np.where(lane >= 2, x - 2, x))
    np.testing.assert_array_equal(out[2], x ^ 5)
    np.testing.assert_array_equal(out[3], x // 16 * 16 + 1)
    assert (out[4].view(np.uint32) == 0xAAAAAAAA).all()
    np.testing.assert_array_equal(out[5], np.where(x < 32, 3, 1))
    np.testing.assert_array_equal(out[6].view(np.uint32), np.where(lane < 16, 0xFFFF, 0xFFFF0000))
    assert (out[7] == n // 2 + 1000).all()


def test_histogram_by_atomics(launch):
    x = np.random.default_rng(1).integers(0, 256, 50_000).astype(np.uint8)
    bins = np.zeros(256, np.uint32)
    launch("histogram", 16, 96, x, np.int64(x.size), bins)
    np.testing.assert_array_equal(bins, np.bincount(x, minlength=256))


@pytest.mark.parametrize("dtype, kernel", [("f4", "reversed_f32"), ("c8", "reversed_c64")])
def test_dynamic_shared_memory(launch, dtype, kernel):
    x = (np.arange(100) * (1 + 2j)).real.astype(dtype)
    out = np.empty_like(x)
    launch(kernel, 1, 100, x, out, shared=x.nbytes)
    np.testing.assert_array_equal(out, x[::-1])


def test_shared_memory_starts_poisoned_in_every_block(launch):
    fixed, dynamic = np.zeros(32 * 50, np.float32), np.zeros(32 * 50, np.float32)
    launch("unwritten", 50, 32, fixed, dynamic, shared=128)
    assert np.isnan(fixed).all() and np.isnan(dynamic).all()


def test_order_exposes_missing_barrier(launch):
    x = np.arange(64, dtype=np.float32)
    out = {}
    for order in ("forward", "reverse"):
        out[order] = np.zeros_like(x)
        launch("missing_barrier", 1, 64, x, out[order], order=order)
    np.testing.assert_array_equal(out["forward"][1:], x[:-1])
    assert np.isnan(out["reverse"][1:]).all()


@pytest.mark.parametrize(
    "kernel, text",
    [
        ("divergent", r"divergent: divergent barrier.*thread \(7, 0, 0\).*block \(0, 0, 0\)"),
        ("two_barriers", "other threads wait at the __syncthreads"),
        ("warp_deadlock", "deadlock.*lane 0 of warp 0 waits at __syncwarp"),
    ],
)
def test_mistakes_raise_and_leave_the_emulator_usable(emulator, launch, kernel, text):
    out = np.zeros(64, np.int32)
    with pytest.raises(emulator.EmulatorError, match=text):
        launch(kernel, 1, 64, out, order="forward")
    test_shared_memory_reduction(launch, "forward")


def test_exited_lanes_are_excused_from_warp_operations(launch):
    out = np.zeros(64, np.int32)
    launch("exited_lanes", 1, 64, np.int32(40), out)
    assert (out[:32] == -1).all() and (out[32:40] == 255).all() and not out[40:].any()


def test_three_dimensional_indices(emulator):
    out = np.zeros((4, 6, 8), np.int32)
    emulator.launch(SOURCE, "indices", (4, 3, 2), (2, 2, 2), (out,))
    z, y, x = np.indices(out.shape)
    np.testing.assert_array_equal(out, 100 * z + 10 * y + x)


def test_maths(launch):
    out = np.zeros(5, np.float32)
    launch("maths", 1, 1, np.array([0.7, 2.0], np.float32), out)
    expected = [1, 0.5 + 1 - 1 + 10, -2 + 2 + 8 + 4 + 31, 3 + 7 + 1 + 0.25, 2 + 4 + 32]
    np.testing.assert_allclose(out, expected, rtol=1e-6)


def test_atomics(launch):
    numbers, wide = np.zeros(4, np.int32), np.zeros(2, np.uint64)
    real = np.zeros(2, np.float32)
    launch("atomics", 3, 64, numbers, wide, real)
    np.testing.assert_array_equal(numbers, [-63, 63, 255, 2 * 192])
    np.testing.assert_array_equal(wide, [63 << 40, 192 << 33])
    np.testing.assert_array_equal(real, [96, 3])


X = np.zeros(64, np.float32)


@pytest.mark.parametrize(
    "args, text",
    [
        ((X.astype(np.float64), np.int32(1), X[:1]), "argument 0 .* float32, got ndarray of float"),
        ((X, 1, X[:1]), "argument 1 must be a NumPy scalar of int32, got int"),
        ((X, np.int64(1), X[:1]), "argument 1 .* int32, got int64"),
        ((X[::2], np.int32(1), X[:1]), "argument 0 .*other strides"),
        ((X, np.int32(1), np.broadcast_to(X, (1, 64))), "argument 2 must be writeable"),
        ((X, np.int32(1), [0.0]), "argument 2 .*got list"),
        ((X, np.int32(1)), "takes 3 arguments, got 2"),
    ],
)
def test_bad_input_90_wrong_argument_type(launch, args, text):
    with pytest.raises(TypeError, match=text):
        launch("shared_sum", 1, 128, *args)


@pytest.mark.parametrize("grid, block", [(0, 32), (1, 1025), (1, 0)])
def test_launches_that_cuda_refuses(emulator, launch, grid, block):
    with pytest.raises(emulator.EmulatorError, match="grid"):
        launch("divergent", grid, block, np.zeros(2000, np.int32))


def test_unknown_kernel_and_source(emulator):
    with pytest.raises(emulator.EmulatorError, match="no kernel nothing .* shared_sum"):
        emulator.launch(SOURCE, "nothing", (1,), (1,), ())
    with pytest.raises(emulator.EmulatorError, match="nothing.cu is not part of"):
        emulator.launch("nothing.cu", "nothing", (1,), (1,), ())


def test_interrupt(launch):
    threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    begin = time.perf_counter()
    with pytest.raises(KeyboardInterrupt):
        launch("endless", 1, 64, np.zeros(1, np.int32))
    assert time.perf_counter() - begin < 1.0


def test_order_context_reaches_the_launch(emulator):
    x = np.arange(64, dtype=np.float32)
    out = np.zeros_like(x)
    with runtime.emulator_order("reverse"):
        runtime.launch(SOURCE, "missing_barrier", (1,), (64,), (x, out))
    assert np.isnan(out[1:]).all()
