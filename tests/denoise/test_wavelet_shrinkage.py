"""Wavelet shrinkage against scikit-image, on a phantom and a real slice, and its bad inputs."""

import numpy as np
import pytest
from helpers import data_path, relative_error

from pyrad_core import DataError, ShapeError
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


@pytest.mark.parametrize(
    ("shape", "mode", "level", "spins"),
    [
        ((40, 41), "symmetric", 1, 1),
        ((40, 41), "periodization", 1, 1),
        ((48, 40), "periodization", 3, 2),
        ((12, 20, 16), "periodization", 2, 2),
        ((44,), "periodization", 3, 4),
    ],
)
@pytest.mark.parametrize("kind", ["real", "complex"])
def test_shared_shifts_equal_separate_ones(shape, mode, level, spins, kind):
    """Coifman and Donoho's definition, every shift by itself."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal(shape) + (1j * rng.standard_normal(shape) if kind == "complex" else 0)
    options = dict(sigma=0.7, wavelet="db2", level=level, mode=mode)
    axes = tuple(range(x.ndim))
    parts = []
    for s in np.ndindex(*(spins + 1,) * x.ndim):
        part = wavelet(np.roll(x, s, axes), **options)
        parts.append(np.roll(part, [-i for i in s], axes))
    got = wavelet(x, cycle_spins=spins, **options)
    assert relative_error(got, np.mean(parts, axis=0)) < 1e-13


def test_spinning_equals_scikit_image(noisy):
    restoration = pytest.importorskip("skimage.restoration")
    image = noisy[1][:65, :72]
    options = dict(wavelet="db2", sigma=0.05, method="BayesShrink", rescale_sigma=False)
    expected = restoration.cycle_spin(image, restoration.denoise_wavelet, 2, func_kw=options)
    got = wavelet(image, sigma=0.05, cycle_spins=2, mode="symmetric")
    assert relative_error(got, expected) < 1e-6


@pytest.mark.parametrize("rule", ["soft", "hard", "garrote"])
def test_stationary_is_all_shifts_where_thresholds_are_equal(rule):
    """Visu has one threshold: the stationary transform is the average of 2^level shifts."""
    block = np.random.default_rng(0).standard_normal((16, 16))
    x = np.block(
        [[block, block[:, ::-1]], [block[::-1], block[::-1, ::-1]]]
    )  # its own mirror image
    options = dict(sigma=0.4, wavelet="haar", level=2, method="visu", threshold=rule)
    still = wavelet(x, stationary=True, **options)
    spun = wavelet(x, cycle_spins=3, mode="periodization", **options)
    assert relative_error(still, spun) < 1e-12


def test_garrote_and_stationary_against_pywavelets():
    pywt = pytest.importorskip("pywt")
    x = np.random.default_rng(3).standard_normal((32, 48))
    low, *details = pywt.wavedecn(x, "sym4", "symmetric", 2)
    details = [
        {k: pywt.threshold(band, 0.3 * np.sqrt(2 * np.log(x.size)), "garrote")
         for k, band in of.items()}
        for of in details
    ]  # fmt: skip
    expected = pywt.waverecn([low, *details], "sym4", "symmetric")
    got = wavelet(x, sigma=0.3, wavelet="sym4", level=2, method="visu", threshold="garrote")
    assert relative_error(got, expected) < 1e-12


def _risk(sizes, t, parts):
    """SURE of soft thresholding at t, noise 1: Donoho and Johnstone 1995, section 2.2."""
    kept = sizes > t
    risk = parts * sizes.size + (sizes[~kept] ** 2 - 2 * parts).sum()
    return risk + (t * t - 2 * (parts - 1) * t / sizes[kept]).sum()


@pytest.mark.parametrize("parts", [1, 2])
def test_sure_threshold_is_the_least_risk(parts):
    from pyrad_core._kernels.select import edge_of
    from pyrad_core.denoise._thresholds import Shrinkage

    rng = np.random.default_rng(0)
    z = rng.standard_normal((2, 300)) + np.where(np.arange(300) < 60, 4, 0) * rng.choice(
        [-1, 1], 300
    )
    band = z[0] if parts == 1 else z[0] + 1j * z[1]
    shrink = Shrinkage(edge_of(band=band), "sure", "soft", 0.5, band.size)
    t = shrink.threshold(band / 2) / 0.5
    sizes = abs(band)
    tried = [_risk(sizes, u, parts) for u in np.sort(sizes) if u <= np.sqrt(2 * np.log(300))]
    assert _risk(sizes, t, parts) == pytest.approx(min(tried)) and t > 0
    # unbiased: the mean risk over draws is the mean loss
    loss, risk = [], []
    means = np.where(np.arange(300) < 60, 3.0, 0.0)
    for _ in range(300):
        z = means + rng.standard_normal((parts, 300))
        size = np.linalg.norm(z, axis=0)
        shrunk = z * np.maximum(1 - 1.5 / size, 0)
        loss.append(((shrunk - means) ** 2).sum())
        risk.append(_risk(size, 1.5, parts))
    assert np.mean(risk) == pytest.approx(np.mean(loss), rel=0.03)
    noise = rng.standard_normal(300)  # hardly any signal: the universal threshold
    quiet = Shrinkage(edge_of(band=noise), "sure", "soft", 1.0, 300).threshold(noise)
    assert quiet == pytest.approx(np.sqrt(2 * np.log(300)))


def test_quality_of_the_methods(noisy):
    clean, image = noisy
    found = {
        method: psnr(wavelet(image, sigma=0.05, method=method, stationary=True), clean)
        for method in ("bayes", "sure", "visu")
    }
    assert min(found["bayes"], found["sure"]) > 34.2 and found["visu"] > 30.5
    assert psnr(wavelet(image, sigma=0.05, cycle_spins=1), clean) < found["bayes"] + 0.5


def test_batch_and_axes():
    rng = np.random.default_rng(0)
    series = rng.normal(0, [[[[1.0]]], [[[3.0]]]], (2, 12, 16, 20)) + 10
    one_by_one = np.stack([wavelet(volume) for volume in series])
    np.testing.assert_array_equal(wavelet(series), one_by_one)
    np.testing.assert_array_equal(
        wavelet(series, sigma=[1.0, 3.0]),
        [wavelet(series[0], sigma=1), wavelet(series[1], sigma=3)],
    )
    colours = np.moveaxis(series[0, :3], 0, -1)
    np.testing.assert_array_equal(
        wavelet(colours, axes=(0, 1)), np.stack([wavelet(c) for c in series[0, :3]], -1)
    )
    with pytest.raises(ShapeError, match=r"sigma has shape \(3,\)"):
        wavelet(series, sigma=[1, 2, 3])
    with pytest.raises(ShapeError, match="axes is"):
        wavelet(colours, axes=(0, 3))
    with pytest.raises(DataError, match="each axis once"):
        wavelet(colours, axes=(0, 0))


def test_complex_phase_is_kept():
    rng = np.random.default_rng(0)
    image = np.repeat([0.0, 5.0], 16)[:, None] + rng.standard_normal((32, 32))
    turned = wavelet(image * np.exp(0.7j), sigma=1.0, method="visu")
    assert turned.dtype == np.complex128
    assert relative_error(turned * np.exp(-0.7j), wavelet(image, sigma=1.0, method="visu")) < 1e-12


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


@pytest.mark.parametrize(
    "options",
    [
        dict(cycle_spins=1, method="sure", threshold="garrote"),
        dict(stationary=True, threshold="hard"),
        dict(method="visu", axes=(1,)),
    ],
)
def test_options_parity(device, options):
    image = np.random.default_rng(0).standard_normal((9, 12)).astype(np.float32)
    image = (image + 1j * image[::-1]).astype(np.complex64)
    expected = wavelet(image, wavelet="haar", level=1, **options)
    with device:
        got = device.numpy(wavelet(device.array(image), wavelet="haar", level=1, **options))
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
    with pytest.raises(DataError, match="method is 'shure'; did you mean 'sure'"):
        wavelet(image, method="shure")
    with pytest.raises(DataError, match="stationary has"):
        wavelet(image, stationary=True, cycle_spins=1)
    with pytest.raises(DataError, match="too small for 'db10'"):
        wavelet(image[:5, :5], wavelet="db10")
    with pytest.raises(DataError, match="level is 9"):
        wavelet(image, level=9)
    with pytest.raises(DataError, match="cycle_spins"):
        wavelet(image, cycle_spins=-1)
    with pytest.raises(DataError, match="Accepted: haar"):
        wavelet(image, wavelet="db0")
