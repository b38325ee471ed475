import numpy as np
import pytest
from helpers import relative_error

from pyrad_core import DataError, prox

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
