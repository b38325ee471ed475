"""Mixture by wavelet bands: the documented formula on PyWavelets, DIPY's adaptive soft matching."""

from __future__ import annotations

import numpy as np
import pytest
from helpers import data_path

import pyrad_core as prc
from pyrad_core.denoise import mix_subbands, nlm


@pytest.fixture(scope="module")
def t1():
    """(clean, noisy, little smoothed, much smoothed)"""
    image = np.load(data_path("denoise", "dipy", "t1_coronal_slice.npy"))
    clean = image / np.percentile(image, 99.8)
    noisy = clean + np.random.default_rng(0).normal(0, 0.05, clean.shape)
    fine = nlm(noisy, sigma=0.05, patch=3, search=7, h=0.04)
    return clean, noisy, fine, nlm(noisy, sigma=0.05, patch=5, search=7, h=0.04)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(16, 21), (9, 8, 11), (1, 12, 13)])
def test_formula_on_pywavelets(dtype, shape):
    pywt = pytest.importorskip("pywt")
    rng = np.random.default_rng(0)
    x, fine, coarse = (rng.standard_normal(shape).astype(dtype) for _ in range(3))
    axes = [a for a, n in enumerate(shape) if n > 1]
    noisy, small, large = (pywt.dwtn(a.astype(float), "db2", axes=axes) for a in (x, fine, coarse))
    sigma, mixed = 0.9, {}
    for name, w in noisy.items():
        a = 0.5
        if "d" in name:
            signal = np.mean(w**2) - sigma**2
            threshold = sigma**2 / np.sqrt(signal) if signal > 0 else np.inf
            a = np.clip(2 - 2 * abs(large[name]) / threshold, 0, 1)
        mixed[name] = a * large[name] + (1 - a) * small[name]
    expected = pywt.idwtn(mixed, "db2", axes=axes)[tuple(slice(n) for n in shape)]
    got = mix_subbands(x, fine, coarse, sigma=sigma)
    assert got.dtype == dtype
    np.testing.assert_allclose(got, expected, atol=3e-6 if dtype == np.float32 else 1e-12)


def test_better_than_either_on_a_real_slice(t1):
    clean, noisy, fine, coarse = t1
    mixed = mix_subbands(noisy, fine, coarse, sigma=0.05)
    errors = [np.mean((u - clean) ** 2) for u in (mixed, fine, coarse)]
    assert errors[0] < min(errors[1:])


def test_not_behind_adaptive_soft_matching_of_dipy(t1):
    matching = pytest.importorskip("dipy.denoise.adaptive_soft_matching")
    stack = [np.repeat(a[60:124, 60:124, None], 16, axis=2) for a in t1]
    clean, noisy, fine, coarse = stack
    theirs = matching.adaptive_soft_matching(noisy, fine, coarse, 0.05)
    ours = mix_subbands(noisy, fine, coarse, sigma=0.05)
    assert np.mean((ours - clean) ** 2) <= np.mean((theirs - clean) ** 2)


def test_properties(t1):
    _, noisy, fine, coarse = t1
    same = mix_subbands(noisy, fine, fine, sigma=0.05)
    np.testing.assert_allclose(same, fine, atol=1e-12)
    series = [np.stack([a, 2 * a])[:, None] for a in (noisy, fine, coarse)]
    got = mix_subbands(*series, sigma=0.1)
    expected = mix_subbands(2 * noisy, 2 * fine, 2 * coarse, sigma=0.1)
    np.testing.assert_allclose(got[1, 0], expected, atol=1e-12)
    out = np.empty_like(noisy)
    assert mix_subbands(noisy, fine, coarse, sigma=0.05, out=out) is out
    strided = mix_subbands(noisy.T, fine.T, coarse.T, sigma=0.05)
    np.testing.assert_allclose(strided.T, out, atol=1e-12)


def test_device(device, t1):
    noisy, fine, coarse = (a[:20, :22].astype(np.float32) for a in t1[1:])
    expected = mix_subbands(noisy, fine, coarse, sigma=0.05)
    with device:
        got = mix_subbands(*(device.array(a) for a in (noisy, fine, coarse)), sigma=0.05)
    np.testing.assert_allclose(device.numpy(got), expected, atol=1e-6)


def test_bad_input_65_images_sigma_and_wavelet():
    x = np.zeros((8, 9))
    with pytest.raises(prc.ShapeError, match="coarse"):
        mix_subbands(x, x, x[1:], sigma=1)
    with pytest.raises(prc.DataError, match="sigma"):
        mix_subbands(x, x, x, sigma=0)
    with pytest.raises(prc.DataError, match="orthogonal"):
        mix_subbands(x, x, x, sigma=1, wavelet="bior2.2")
    with pytest.raises(prc.ShapeError, match="more than one voxel"):
        mix_subbands(x[:1, :1], x[:1, :1], x[:1, :1], sigma=1)
    with pytest.raises(prc.DataError, match="fine holds 1 NaN"):
        mix_subbands(x, np.where(np.arange(9) == np.arange(8)[:, None] - 7, np.nan, x), x, sigma=1)
