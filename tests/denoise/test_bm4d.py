"""Collaborative filtering: the documented algorithm in plain loops, figures, properties."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from helpers import data_path, relative_error
from hypothesis import given, settings
from hypothesis import strategies as st

import pyrad_core as prc
from pyrad_core import phantom
from pyrad_core.denoise import bm3d, bm4d
from pyrad_core.denoise._bm4d_stages import PROFILES, Noise, _variances, transform


def _phantom(shape, sigma, seed=0):
    volume = prc.Volume(shape, 2 / (shape[0] - 1))
    clean = phantom.shepp_logan(len(shape), radius=1.0).raster(volume, supersample=1)
    noise = np.random.default_rng(seed).normal(0, sigma, shape)
    return clean.astype(np.float32), (clean + noise).astype(np.float32)


def _psnr(image, clean):
    return -10 * np.log10(np.mean((np.asarray(image, float) - clean) ** 2))


# --- the documented algorithm ------------------------------------------------------------------


def _haar_matrix(count):
    """Rows: the mean, then differences from fine to coarse, orthonormal."""
    rows = [np.full(count, count**-0.5)]
    step = 1
    while step < count:
        for first in range(0, count, 2 * step):
            row = np.zeros(count)
            row[first : first + step], row[first + step : first + 2 * step] = 1, -1
            rows.append(row / np.sqrt(2 * step))
        step *= 2
    return np.array(rows)


def _along_axes(block, matrix):
    """The block's transform along all but the first axis (the group's)."""
    for axis in range(1, block.ndim):
        block = np.moveaxis(np.tensordot(matrix, block, (1, axis)), 0, axis)
    return block


def _group(guide, at, edge, stage, profile, level):
    """Positions: the reference, then the blocks of nearly the expected difference."""

    def cut(p):
        return guide[tuple(slice(a, a + edge) for a in p)]

    radius, found = profile.search[stage], []
    ranges = [
        range(max(0, a - radius), min(n - edge, a + radius) + 1)
        for a, n in zip(at, guide.shape, strict=True)
    ]
    for p in itertools.product(*ranges):
        distance = ((cut(p) - cut(at)) ** 2).mean() / level**2
        key = abs(distance - profile.expected[stage])
        if p != at and key < profile.alike[stage]:
            found.append((key, p))
    found = [p for _, p in sorted(found, key=lambda pair: pair[0])]
    count = 2 ** int(np.log2(min(profile.group[stage], 1 + len(found))))
    return [at, *found[: count - 1]]


def _stage(x, guide, sigma, profile, stage):
    """One stage in units of the image; guide None in the first."""
    edge = 8 if x.ndim == 2 else 4
    forward, inverse = transform(profile.transform[stage], edge)
    kaiser = np.kaiser(edge, profile.beta)
    window = kaiser
    for _ in range(x.ndim - 1):
        window = np.multiply.outer(window, kaiser)
    variance = sigma**2 * (1.0, profile.wiener)[stage]
    total, weights = np.zeros_like(x), np.zeros_like(x)
    starts = [sorted({*range(0, n - edge + 1, profile.step[stage]), n - edge}) for n in x.shape]
    for at in itertools.product(*starts):
        source = x if guide is None else guide
        where = [
            tuple(slice(a, a + edge) for a in p)
            for p in _group(source, at, edge, stage, profile, sigma)
        ]
        haar = _haar_matrix(len(where))

        def spectrum(image, where=where, haar=haar):
            blocks = np.stack([image[w] for w in where])
            return np.tensordot(haar, _along_axes(blocks, forward), (1, 0))

        c = spectrum(x)
        if guide is None:
            factor = (abs(c) > profile.threshold * sigma).astype(float)
        else:
            e = spectrum(guide)
            factor = e**2 / (e**2 + variance)
        factor.flat[0] = 1
        blocks = _along_axes(np.tensordot(haar.T, c * factor, (1, 0)), inverse)
        weight = 1 / (variance * (factor**2).sum())
        for w, block in zip(where, blocks, strict=True):
            total[w] += weight * window * block
            weights[w] += weight * window
    return total / weights


@pytest.mark.parametrize("shape", [(19, 22), (9, 10, 11)])
def test_both_stages_by_plain_loops(shape):
    _, x = _phantom(shape, 0.1)
    x = x.astype(np.float64)
    profile = PROFILES["lc"][x.ndim]
    first = _stage(x, None, 0.1, profile, 0)
    np.testing.assert_allclose(
        bm4d(x, sigma=0.1, profile="lc", stages="hard"), first, rtol=0, atol=1e-11
    )
    second = _stage(x, first, 0.1, profile, 1)
    np.testing.assert_allclose(bm4d(x, sigma=0.1, profile="lc"), second, rtol=0, atol=1e-10)
    single = bm4d(x.astype(np.float32), sigma=0.1, profile="lc")
    assert single.dtype == np.float32 and relative_error(single, second) < 1e-3


@pytest.mark.parametrize("name", ["dct", "bior1.5", "haar"])
@pytest.mark.parametrize("edge", [4, 8])
def test_transforms_are_inverted_and_keep_the_mean(name, edge):
    forward, inverse = transform(name, edge)
    np.testing.assert_allclose(inverse @ forward, np.eye(edge), atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(forward, axis=1), 1)
    flat = forward @ np.ones(edge)
    np.testing.assert_allclose(flat[1:], 0, atol=1e-12)
    if name != "bior1.5":
        np.testing.assert_allclose(forward @ forward.T, np.eye(edge), atol=1e-12)


# --- quality ------------------------------------------------------------------------------------


def test_quality_of_an_image():
    clean, x = _phantom((96, 96), 0.1)
    first, both = (_psnr(bm4d(x, sigma=0.1, stages=s), clean) for s in ("hard", "both"))
    assert first > 29 and both > 29


def test_quality_of_the_benchmark_image():
    """The reference package reaches 35.01 dB."""
    clean, x = _phantom((256, 256), 0.1)
    assert _psnr(bm4d(x, sigma=0.1), clean) > 34.75


def test_quality_of_a_volume():
    clean, x = _phantom((24, 24, 24), 0.1)
    noisy, first, both, low = (
        _psnr(u, clean)
        for u in (
            x,
            bm4d(x, sigma=0.1, stages="hard"),
            bm4d(x, sigma=0.1),
            bm4d(x, sigma=0.1, profile="lc"),
        )
    )
    assert first > noisy + 5 and both > first and low > noisy + 5


def test_quality_of_a_t1_slice():
    """The reference package reaches 35.22 dB on this part."""
    slice_ = np.load(data_path("denoise", "dipy", "t1_coronal_slice.npy"))
    clean = (slice_ / np.percentile(slice_, 99.8)).astype(np.float32)
    x = clean + np.random.default_rng(0).normal(0, 0.05, clean.shape).astype(np.float32)
    part = (slice(64, 192), slice(30, 130))
    assert _psnr(bm4d(x[part], sigma=0.05), clean[part]) > 35.05


def test_coloured_noise_by_its_spectrum():
    clean, _ = _phantom((64, 64), 0.1)
    fy, fx = np.meshgrid(np.fft.fftfreq(64), np.fft.fftfreq(64), indexing="ij")
    gain = np.exp(-((abs(np.hypot(fx, fy)) - 0.1) ** 2) / 0.005)
    gain *= 0.1 / np.sqrt((gain**2).mean())
    white = np.random.default_rng(0).standard_normal(clean.shape)
    x = clean + np.fft.ifft2(np.fft.fft2(white) * gain).real
    assert abs(np.std(x - clean) - 0.1) < 0.01
    known, scalar = (_psnr(bm4d(x, **n), clean) for n in (dict(psd=gain**2), dict(sigma=0.1)))
    assert known > scalar + 1
    flat = bm4d(x, psd=np.full(x.shape, 0.01))
    np.testing.assert_allclose(flat, bm4d(x, sigma=0.1), atol=1e-9)


def test_coefficient_variances_by_simulation():
    rng = np.random.default_rng(0)
    n = 24
    density = rng.uniform(0.1, 2, (1, n, n))
    density += np.roll(density[:, ::-1, ::-1], 1, (1, 2))  # of real noise
    noise = Noise(float(np.sqrt(density.mean())), psd=density)
    forward, _ = transform("bior1.5", 8)
    got = _variances(np, noise, forward, (1, 8, 8)) * noise.sigma**2
    samples = rng.standard_normal((2000, n, n))
    colour = np.fft.ifft2(np.fft.fft2(samples) * np.sqrt(density)).real[:, :8, :8]
    measured = _along_axes(colour, forward).var(axis=0).ravel()
    np.testing.assert_allclose(got, measured, rtol=0.18)


def test_rician_noise_is_removed_with_its_bias():
    clean, _ = _phantom((96, 96), 0.1)
    x = phantom.rician_noise(clean, sigma=0.1, seed=0).astype(np.float32)
    got, gaussian = (bm4d(x, sigma=0.1, noise=n) for n in ("rician", "gaussian"))
    assert got.dtype == np.float32 and (got >= 0).all()
    assert _psnr(got, clean) > _psnr(gaussian, clean) + 2
    stable = prc.denoise.stabilise_rician(x, sigma=0.1)
    expected = prc.denoise.unstabilise_rician(bm4d(stable, sigma=1.0), sigma=0.1)
    np.testing.assert_array_equal(got, expected)
    by_map = bm4d(x, sigma=np.full(x.shape, 0.1, np.float32), noise="rician")
    np.testing.assert_allclose(by_map, got, atol=1e-3)
    np.testing.assert_allclose(bm4d(x, sigma=0, noise="rician"), x, rtol=1e-6)
    mask = np.arange(96) > 40 * np.ones((96, 1))
    out = np.empty_like(x)
    assert bm4d(x, sigma=0.1, noise="rician", mask=mask, out=out) is out
    np.testing.assert_array_equal(out[~mask], x[~mask])
    for options in (dict(sigma=0 * x), dict(psd=x), dict(sigma=0.1, image=-x), dict(sigma=-1)):
        with pytest.raises(prc.DataError, match="sigma|negative"):
            bm4d(**{"image": x, "noise": "rician", **options})


# --- properties ---------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_properties_on_any_shape(dtype, data):
    ndim = data.draw(st.integers(2, 3))
    least = 8 if ndim == 2 else 4
    shape = tuple(data.draw(st.integers(least, least + 9)) for _ in range(ndim))
    x = np.random.default_rng(1).normal(1, 0.1, shape).astype(dtype)
    x[: shape[0] // 2] += 1
    got = bm4d(x, sigma=0.1, profile="lc")
    assert got.shape == x.shape and got.dtype == dtype and np.isfinite(got).all()
    np.testing.assert_array_equal(bm4d(4 * x, sigma=0.4, profile="lc"), 4 * got)
    assert abs(got.mean() - x.mean()) < 0.05
    shifted = bm4d(x.astype(float) + 3, sigma=0.1, profile="lc")
    np.testing.assert_allclose(
        shifted - 3, bm4d(x.astype(float), sigma=0.1, profile="lc"), atol=1e-7
    )


@pytest.mark.parametrize("shape", [(53, 60), (9, 14, 31)])
def test_bits_do_not_depend_on_threads_or_strides(thread_count, shape):
    _, x = _phantom(shape, 0.1)
    results = []
    for count in (1, 2, 3):
        prc.set_num_threads(count)
        results.append(bm4d(x, sigma=0.1))
    np.testing.assert_array_equal(results[0], results[1])
    np.testing.assert_array_equal(results[0], results[2])
    odd = np.asfortranarray(x)[::2, ::-1]
    odd.flags.writeable = False
    np.testing.assert_array_equal(bm4d(odd, sigma=0.1), bm4d(odd.copy(), sigma=0.1))


@pytest.mark.parametrize("shape", [(26, 30), (9, 10, 12)])
def test_constant_map_equals_scalar(shape):
    _, x = _phantom(shape, 0.1)
    x = x.astype(np.float64)
    got = bm4d(x, sigma=np.full(shape, 0.1), profile="lc")
    np.testing.assert_allclose(got, bm4d(x, sigma=0.1, profile="lc"), atol=1e-9)


def test_map_filters_where_the_noise_is():
    rng = np.random.default_rng(0)
    sigma = np.full((48, 64), 0.05)
    sigma[:, 32:] = 0.2
    x = sigma * rng.standard_normal(sigma.shape)
    got = bm4d(x, sigma=sigma)
    assert got[:, :24].std() < 0.01 and got[:, 40:].std() < 0.04
    silent = np.where(np.arange(64) < 20, 0.0, 0.1) * np.ones((48, 1))
    np.testing.assert_array_equal(bm4d(x, sigma=silent)[:, :12], x[:, :12])


def test_mask_leaves_the_outside():
    clean, x = _phantom((24, 34, 38), 0.1)
    mask = np.zeros(x.shape, bool)
    mask[8:16, 10:24, 9:27] = True
    part, whole = (bm4d(x, sigma=0.1, profile="lc", mask=m) for m in (mask, None))
    np.testing.assert_array_equal(part[~mask], x[~mask])
    assert abs(_psnr(part[mask], clean[mask]) - _psnr(whole[mask], clean[mask])) < 0.5
    np.testing.assert_array_equal(bm4d(x, sigma=0.1, mask=np.zeros(x.shape, int)), x)
    everywhere = bm4d(x, sigma=0.1, profile="lc", mask=np.ones(x.shape, bool))
    np.testing.assert_array_equal(everywhere, whole)


def test_four_dimensions_volume_by_volume():
    x = np.stack([_phantom((9, 10, 12), 0.1, seed)[1] for seed in range(2)])
    got = bm4d(x, sigma=[0.1, 0.2], profile="lc")
    for volume, sigma, result in zip(x, (0.1, 0.2), got, strict=True):
        np.testing.assert_array_equal(result, bm4d(volume, sigma=sigma, profile="lc"))
    magnitudes = abs(x)
    got = bm4d(magnitudes, sigma=[0.1, 0.2], profile="lc", noise="rician")
    alone = bm4d(magnitudes[1], sigma=0.2, profile="lc", noise="rician")
    np.testing.assert_allclose(got[1], alone, atol=1e-5)
    got = bm4d(x, sigma=[0.1, 0.2], profile="lc")
    maps = np.ones(x.shape) * np.array([0.1, 0.2])[:, None, None, None]
    np.testing.assert_allclose(bm4d(x, sigma=maps, profile="lc"), got, atol=1e-5)


def test_bm3d_slice_by_slice_and_out():
    _, x = _phantom((3, 20, 24), 0.1)
    out = np.empty_like(x)
    assert bm3d(x, sigma=[0.1, 0.1, 0.2], out=out) is out
    np.testing.assert_array_equal(out[1], bm4d(x[1], sigma=0.1))
    np.testing.assert_array_equal(out[2], bm3d(x[2], sigma=0.2))
    target = np.empty_like(x[0])
    assert bm4d(x[0], sigma=0.1, out=target) is target
    np.testing.assert_array_equal(target, out[0])


def test_real_diffusion_volume():
    nib = pytest.importorskip("nibabel")
    x = np.asarray(nib.load(data_path("denoise", "dipy", "small_64D.nii")).dataobj)[..., 0]
    x = x[: 2 * x.shape[0] // 3]
    got = bm4d(x, sigma=20, profile="lc")
    assert got.dtype == np.float32 and got.shape == x.shape
    assert np.std(np.diff(got, axis=0)) < np.std(np.diff(x.astype(float), axis=0))


# --- bad inputs ---------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_bad_input_62_nan_or_inf(value):
    x = np.zeros((8, 9))
    x[2, 3] = value
    with pytest.raises(prc.DataError, match=r"image holds 1 NaN or Inf values.*\(2, 3\)"):
        bm4d(x, sigma=0.1)
    with pytest.raises(prc.DataError, match="sigma"):
        bm4d(np.zeros((8, 9)), sigma=x)


@pytest.mark.parametrize("shape", [(7, 20), (3, 9, 9), (1, 1, 30), (1, 6, 9)])
def test_bad_input_63_block_larger_than_image(shape):
    with pytest.raises(prc.ShapeError, match=r"block of \d x \d.* is larger than the image"):
        bm4d(np.zeros(shape), sigma=0.1)


def test_bad_input_65_parameters():
    x = np.zeros((8, 9))
    for options, name in [
        (dict(sigma=-1), "sigma"),
        (dict(sigma=np.nan), "sigma"),
        (dict(sigma=np.full(x.shape, -1.0)), "sigma holds 72 negative"),
        (dict(sigma=np.ones((9, 8))), "sigma has shape"),
        (dict(sigma=[1, 2]), "sigma has 2 entries"),
        (dict(), "either sigma or psd"),
        (dict(sigma=1, psd=np.ones(x.shape)), "either sigma or psd"),
        (dict(psd=-np.ones(x.shape)), "psd holds 72 negative"),
        (dict(psd=np.ones((9, 8))), "psd"),
        (dict(sigma=1, profile="high"), "profile"),
        (dict(sigma=1, stages="wiener"), "stages"),
        (dict(sigma=1, threshold=-1), "threshold"),
        (dict(sigma=1, mask=np.ones((3, 3), bool)), "mask"),
        (dict(sigma=1, mask=np.full(x.shape, 0.3)), "mask has dtype"),
        (dict(sigma=1, out=np.zeros((9, 8))), "out"),
    ]:
        with pytest.raises(prc.PyradError, match=name):
            bm4d(x, **options)
    with pytest.raises(prc.ShapeError, match="image"):
        bm4d(np.zeros(9), sigma=1)
    with pytest.raises(prc.ShapeError, match="sigma has 2 entries"):
        bm3d(np.zeros((3, 8, 8)), sigma=[1, 2])


def test_bad_input_66_one_voxel_axis():
    _, x = _phantom((20, 24), 0.1)
    expected = bm4d(x, sigma=0.1)
    np.testing.assert_array_equal(bm4d(x[None], sigma=0.1)[0], expected)
    np.testing.assert_array_equal(bm4d(x[:, None], sigma=0.1)[:, 0], expected)
    np.testing.assert_array_equal(bm4d(x[..., None], sigma=0.1)[..., 0], expected)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(20, 24), (6, 9, 11)])
def test_bad_input_67_constant_image_and_no_noise(dtype, shape):
    x = np.full(shape, 0.1, dtype)
    np.testing.assert_array_equal(bm4d(x, sigma=0.3), x)
    x = np.random.default_rng(0).normal(size=shape).astype(dtype)
    np.testing.assert_array_equal(bm4d(x, sigma=0), x)
    np.testing.assert_array_equal(bm4d(x, sigma=1e-30), x)


def test_bad_input_68_69_integers():
    x = (_phantom((24, 26), 0.1)[1] * 100).astype(np.int16)
    got = bm4d(x, sigma=10)
    assert got.dtype == np.float32
    np.testing.assert_array_equal(got, bm4d(x.astype(np.float32), sigma=10))
    limits = np.array([[np.iinfo(np.int64).max, np.iinfo(np.int64).min] * 4] * 8)
    np.testing.assert_allclose(bm4d(limits, sigma=10.0), limits, rtol=1e-6)
