"""Wavelet shrinkage against scikit-image, on a phantom and a real slice, and its bad inputs."""

import numpy as np
import pytest
from helpers import data_path, relative_error

from pyrad_core import DataError
from pyrad_core.denoise import wavelet


@pytest.fixture(scope="module")
def noisy():
    t1 = np.load(data_path("denoise", "dipy", "t1_coronal_slice.npy"))
    clean = t1 / np.percentile(t1, 99.8)
    return clean, clean + np.random.default_rng(0).normal(0, 0.05, clean.shape)


def psnr(a, b):
    return -10 * np.log10(np.mean((np.asarray(a, np.float64) - b) ** 2))


@pytest.mark.parametrize("name", ["db1", "db2", "sym4"])
@pytest.mark.parametrize("method", ["bayes", "visu"])
@pytest.mark.parametrize("rule", ["soft", "hard"])
def test_equals_scikit_image(noisy, name, method, rule):
    restoration = pytest.importorskip("skimage.restoration")
    for sigma in (None, 0.05):
        options = {"wavelet": name, "mode": rule, "sigma": sigma}
        kind = "BayesShrink" if method == "bayes" else "VisuShrink"
        image = noisy[1][:201, :190]
        expected = restoration.denoise_wavelet(image, method=kind, rescale_sigma=False, **options)
        got = wavelet(image, wavelet=name, method=method, sigma=sigma, threshold=rule)
        # scikit-image may clip to its input's conventional range.
        got = np.clip(got, expected.min(), expected.max())
        assert relative_error(got, expected) < 1e-10


def test_cycle_spinning(noisy):
    clean, image = noisy
    plain = wavelet(image, sigma=0.05)
    spun = wavelet(image, sigma=0.05, cycle_spins=3)
    assert psnr(plain, clean) > 33.2  # scikit-image: 33.45 dB for another draw
    assert psnr(spun, clean) > psnr(plain, clean) + 0.8
    small = wavelet(image[:40, :41], sigma=0.05, cycle_spins=1, wavelet="haar", level=1)
    parts = [
        np.roll(wavelet(np.roll(image[:40, :41], s, (0, 1)), sigma=0.05, wavelet="haar", level=1),
                [-i for i in s], (0, 1))
        for s in ((0, 0), (0, 1), (1, 0), (1, 1))
    ]  # fmt: skip
    assert relative_error(small, np.mean(parts, axis=0)) < 1e-14


def test_properties():
    constant = np.full((16, 17, 9), 3.5, np.float32)
    assert np.allclose(wavelet(constant), constant, rtol=1e-6)
    image = np.random.default_rng(0).standard_normal((40, 41)).astype(np.float32)
    same = wavelet(image, sigma=0)
    assert same.dtype == np.float32 and np.allclose(same, image, atol=1e-5)
    assert np.abs(wavelet(image, level=2)).max() < 1.5  # pure noise: little is left
    out = np.empty_like(image)
    assert wavelet(image, out=out) is out
    assert wavelet(np.arange(64).reshape(8, 8)).dtype == np.float32


def test_parity(device):
    image = np.random.default_rng(0).standard_normal((18, 20)).astype(np.float32)
    expected = wavelet(image, sigma=0.5, level=1)
    with device:
        got = device.numpy(wavelet(device.array(image), sigma=0.5, level=1))
    assert relative_error(got, expected) < 1e-5


def test_bad_input_62_nan():
    image = np.ones((16, 16))
    image[3, 4] = np.nan
    with pytest.raises(DataError, match=r"image holds 1 NaN or Inf.*\(3, 4\)"):
        wavelet(image)


def test_bad_input_65_negative_sigma_and_others():
    image = np.ones((32, 32))
    with pytest.raises(DataError, match="sigma is -1"):
        wavelet(image, sigma=-1)
    with pytest.raises(DataError, match="method is 'sure'"):
        wavelet(image, method="sure")
    with pytest.raises(DataError, match="level is 9"):
        wavelet(image, level=9)
    with pytest.raises(DataError, match="cycle_spins"):
        wavelet(image, cycle_spins=-1)
    with pytest.raises(DataError, match="Accepted: haar"):
        wavelet(image, wavelet="db0")
