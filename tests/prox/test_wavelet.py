import numpy as np
import pytest
from helpers import relative_error

import pyrad_core as prc
from pyrad_core import DataError, ShapeError, prox
from pyrad_core._kernels.select import cpu_kernels
from pyrad_core.wavelet import Wavelet

pywt = pytest.importorskip("pywt")


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64, np.complex128])
@pytest.mark.parametrize("shape", [(32,), (32, 48), (16, 16, 32)])
def test_prox_pywavelets(dtype, shape):
    rng = np.random.default_rng(0)
    x = rng.standard_normal(shape)
    if np.dtype(dtype).kind == "c":
        x = x + 1j * rng.standard_normal(shape)
    x = x.astype(dtype)
    operator = prox.WaveletL1(0.6, "db2", level=2)
    coefficients = pywt.wavedecn(x.astype(np.complex128), "db2", "periodization", 2)
    value = sum(abs(b).sum() for bands in coefficients[1:] for b in bands.values())
    assert operator.value(x) == pytest.approx(0.6 * value, rel=1e-5)
    for bands in coefficients[1:]:
        for name in bands:
            bands[name] = pywt.threshold(bands[name], 0.6 * 0.5, "soft")
    expected = pywt.waverecn(coefficients, "db2", "periodization")
    got = operator.prox(x, 0.5)
    assert got.dtype == dtype and got.shape == shape
    assert relative_error(got, expected) < (1e-6 if x.real.dtype == np.float32 else 1e-12)


def test_prox_is_firmly_nonexpansive_at_awkward_sizes():
    """||p(x) - p(y)||^2 <= <p(x) - p(y), x - y>, whatever the padding does."""
    operator = prox.WaveletL1(0.4, "db3")
    rng = np.random.default_rng(2)
    for shape in ((45, 37), (20, 31), (5, 4), (9, 21, 18)):
        x, y = rng.standard_normal((2, *shape))
        p, q = operator.prox(x, 0.7), operator.prox(y, 0.7)
        assert p.shape == shape
        assert np.sum((p - q) ** 2) <= np.sum((p - q) * (x - y)) * (1 + 1e-12)


def test_zero_weight_and_cycle_spinning():
    x = np.random.default_rng(1).standard_normal((32, 40)).astype(np.float32)
    np.testing.assert_allclose(prox.WaveletL1(0.0).prox(x, 1.0), x, atol=1e-5)
    spun, again = (prox.WaveletL1(0.5, cycle_spin=True) for _ in range(2))
    first, second = spun.prox(x, 1.0), spun.prox(x, 1.0)
    assert abs(first - second).max() > 1e-3  # another offset every time
    np.testing.assert_array_equal(first, again.prox(x, 1.0))  # but the same sequence
    still = prox.WaveletL1(0.5).prox(x, 1.0)
    step = np.pad(np.ones((16, 20)), 8).astype(np.float32)[:32, :36]
    np.testing.assert_allclose(prox.WaveletL1(1e-6, cycle_spin=True).prox(step, 1), step, atol=1e-4)
    assert still.shape == x.shape


def test_axes():
    x = np.random.default_rng(1).standard_normal((3, 32, 32))
    operator = prox.WaveletL1(0.3, "haar", level=2, axes=(-2, -1))
    together = operator.prox(x, 1.0)
    for part, alone in zip(together, x, strict=True):
        np.testing.assert_allclose(
            part, prox.WaveletL1(0.3, "haar", level=2).prox(alone, 1.0), atol=1e-12
        )


def test_bad_arguments():
    with pytest.raises(DataError, match="orthogonal"):
        prox.WaveletL1(1.0, "bior2.2")
    with pytest.raises(DataError, match="level is 9"):
        prox.WaveletL1(1.0, level=9).prox(np.ones((32, 32)), 1.0)
    with pytest.raises(DataError, match="axes"):
        prox.WaveletL1(1.0, axes=(2,)).prox(np.ones((32, 32)), 1.0)


def test_more_than_three_axes():
    x = np.random.default_rng(3).standard_normal((8, 8, 8, 16))
    expected = pywt.wavedecn(x, "haar", "periodization", 1)
    for name in expected[1]:
        expected[1][name] = pywt.threshold(expected[1][name], 0.4, "soft")
    got = prox.WaveletL1(0.4, "haar", level=1).prox(x)
    np.testing.assert_allclose(got, pywt.waverecn(expected, "haar", "periodization"), atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.complex64, np.complex128])
@pytest.mark.parametrize("shape, axes", [((64,), None), ((3, 32, 40), (1, 2)), ((16, 8, 24), None)])
def test_cuda_twin(device, dtype, shape, axes):
    rng = np.random.default_rng(4)
    x = (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)).astype(np.complex128)
    x = (x if np.dtype(dtype).kind == "c" else x.real).astype(dtype)
    options = {"level": 2, "axes": axes, "cycle_spin": True}
    expected = prox.WaveletL1(0.5, "haar", **options).prox(x)
    softened = prox.L1(0.5).prox(x)
    with device:
        got = prox.WaveletL1(0.5, "haar", **options).prox(device.array(x))
        soft = prox.L1(0.5).prox(device.array(x))
    tolerance = 1e-6 if x.real.dtype == np.float32 else 1e-13
    assert relative_error(device.numpy(got), expected) < tolerance
    assert relative_error(device.numpy(soft), softened) < tolerance


def test_threads_agree_in_every_bit():
    rng = np.random.default_rng(5)
    x = (rng.standard_normal((2, 96, 80)) + 1j).astype(np.complex64)
    former, results = prc.num_threads(), []
    for count in (1, 2, 5):
        prc.set_num_threads(count)
        results.append(prox.WaveletL1(0.5, axes=(1, 2), cycle_spin=True).prox(x))
    prc.set_num_threads(former)
    for result in results[1:]:
        np.testing.assert_array_equal(result, results[0])


def test_kernel_refuses_what_it_cannot_transform():
    kernels, bank = cpu_kernels(), Wavelet("haar")
    filters = bank.decomposition, bank.reconstruction
    for shape in ((1, 1, 1, 12), (1, 1, 16, 1), (1, 8, 1, 8)):
        x = np.zeros(shape)
        with pytest.raises(ShapeError):
            kernels.wavelet_shrink(x, *filters, 3, (0, 0, 0), 0.1, x)
