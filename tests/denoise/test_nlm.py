"""Non-local means: plain loops of the documented formula as oracle, scikit-image, properties."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from helpers import data_path, relative_error
from hypothesis import given, settings
from hypothesis import strategies as st

import pyrad_core as prc
from pyrad_core._kernels.select import cpu_kernels
from pyrad_core.denoise import nlm


def _pair_weights(x, sigma, patch, h):
    """w(i, j) of all pairs of voxels, i along the rows."""
    reach = [w // 2 if n > 1 else 0 for w, n in zip(patch, x.shape, strict=True)]
    padded = np.pad(x, [(r, r) for r in reach], mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, [2 * r + 1 for r in reach])
    patches = windows.reshape(x.size, -1)
    s2 = np.broadcast_to(np.asarray(sigma, np.float64), x.shape).ravel() ** 2
    rows = []
    for i in range(x.size):
        mean = 0.5 * (s2[i] + s2)
        excess = np.maximum(np.mean((patches[i] - patches) ** 2, axis=1) - 2 * mean, 0) / h(mean)
        rows.append(np.where(excess <= 5, np.exp(-excess), 0))
    w = np.array(rows)
    np.fill_diagonal(w, 1)
    return w, reach


def _formula(x, sigma, patch, search, h, values=None, patchwise=True):
    """out(i) = sum_j W(i, j) values(j) / sum_j W(i, j) in double precision."""
    x = np.asarray(x, np.float64)
    values = x if values is None else values
    w, reach = _pair_weights(x, sigma, patch, h)
    total = np.zeros(x.shape * 2)
    for k in itertools.product(*((-1, 0, 1) if patchwise and r else (0,) for r in reach)):
        inside = tuple(slice(max(0, -c), n - max(0, c)) for c, n in zip(k, x.shape, strict=True))
        moved = tuple(slice(max(0, c), n - max(0, -c)) for c, n in zip(k, x.shape, strict=True))
        share = w.reshape(total.shape)[moved * 2]
        total[inside * 2] += 0.25 ** np.count_nonzero(k) * share
    for axis, (width, n) in enumerate(zip(search, x.shape, strict=True)):
        distance = abs(np.subtract.outer(np.arange(n), np.arange(n)))
        where = np.expand_dims(
            distance <= width // 2, [a for a in range(2 * x.ndim) if a not in (axis, axis + x.ndim)]
        )
        total = total * where
    total = total.reshape(x.size, x.size)
    return ((total @ values.ravel()) / total.sum(axis=1)).reshape(x.shape)


def _noisy(shape, sigma=0.1, seed=0):
    grid = np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij")
    clean = np.asarray(sum(g * g for g in grid) < 0.6, np.float64)
    return clean + np.random.default_rng(seed).normal(0, sigma, shape), clean


@pytest.mark.parametrize("variant", ["patchwise", "voxelwise"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("shape", "patch", "search"),
    [
        ((11, 13), (3, 3), (7, 7)),
        ((9, 34), (5, 5), (5, 9)),
        ((12, 11), (7, 1), (3, 9)),
        ((4, 5, 6), (3, 3, 3), (5, 5, 5)),
        ((3, 5, 6), (1, 5, 3), (3, 5, 7)),
        ((6, 5, 2), (5, 1, 1), (5, 3, 3)),
        ((1, 9, 10), (3, 3, 3), (5, 5, 5)),
    ],
)
def test_formula_by_plain_loops(dtype, shape, patch, search, variant):
    x, _ = _noisy(shape)
    expected = _formula(
        x.astype(dtype), 0.1, patch, search, lambda s2: 0.09**2, patchwise=variant == "patchwise"
    )
    got = nlm(x.astype(dtype), sigma=0.1, patch=patch, search=search, h=0.09, variant=variant)
    assert got.dtype == dtype
    assert relative_error(got, expected) < (2e-6 if dtype == np.float32 else 1e-13)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_formula_with_map_and_default_h(dtype):
    x, _ = _noisy((12, 13))
    x = x.astype(dtype)
    sigma = np.random.default_rng(3).uniform(0.05, 0.2, x.shape).astype(dtype)
    expected = _formula(x, sigma, (3, 3), (7, 7), lambda s2: 1.2**2 * s2)
    got = nlm(x, sigma=sigma, patch=3, search=7)
    assert relative_error(got, expected) < (2e-6 if dtype == np.float32 else 1e-13)


def test_formula_rician():
    x, _ = _noisy((11, 10))
    x = np.abs(x) + 0.01
    second = _formula(x, 0.1, (3, 3), (5, 5), lambda s2: 0.1**2, values=x * x)
    expected = np.sqrt(np.maximum(second - 2 * 0.1**2, 0))
    got = nlm(x, sigma=0.1, patch=3, search=5, h=0.1, noise="rician")
    np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-9)


def test_second_opinion_of_scikit_image():
    """Its slow mode weighs patches by a Gaussian: near, not equal."""
    from skimage.restoration import denoise_nl_means

    x, clean = _noisy((64, 64))
    theirs = denoise_nl_means(x, patch_size=5, patch_distance=5, h=0.08, sigma=0.1, fast_mode=False)
    ours = nlm(x, sigma=0.1, patch=5, search=11, h=0.08)
    assert relative_error(ours, theirs) < 0.1
    assert relative_error(ours, clean) < relative_error(theirs, clean)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_properties_on_any_shape(dtype, data):
    ndim = data.draw(st.integers(2, 3))
    shape = tuple(data.draw(st.integers(1, 20)) for _ in range(ndim))
    patch = tuple(data.draw(st.sampled_from([1, 3, 5, 9])) for _ in range(ndim))
    patch = tuple(p if p <= n else 1 for p, n in zip(patch, shape, strict=True))
    search = tuple(data.draw(st.sampled_from([1, 3, 9, 21])) for _ in range(ndim))
    x = np.random.default_rng(1).normal(1, 0.1, shape).astype(dtype)
    options = dict(sigma=0.1, patch=patch, search=search)
    got = nlm(x, **options)
    eps = 40 * float(np.finfo(dtype).eps)
    assert got.shape == x.shape and got.dtype == dtype
    assert x.min() - eps <= got.min() and got.max() <= x.max() + eps
    flipped = nlm(x[::-1, ::-1], **options)[::-1, ::-1]
    np.testing.assert_allclose(flipped, got, rtol=eps * 30)
    axes = tuple(range(ndim))[::-1]
    turned = nlm(x.T, sigma=0.1, patch=patch[::-1], search=search[::-1]).transpose(axes)
    np.testing.assert_allclose(turned, got, rtol=eps * 30)
    np.testing.assert_allclose(nlm(4 * x, **{**options, "sigma": 0.4}), 4 * got, rtol=eps)


@pytest.mark.sanitize
@pytest.mark.parametrize("variant", ["patchwise", "voxelwise"])
@pytest.mark.parametrize("by_map", [False, True])
@pytest.mark.parametrize(
    ("shape", "patch", "search"),
    [((37, 700), 5, 9), ((11, 12, 45), 3, 7), ((9, 12, 40), (5, 7, 9), 5), ((8, 9, 20), 3, 41)],
)
def test_vector_widths_agree(shape, patch, search, by_map, variant):
    """Hand-written loops, tiles along x and many offsets, against the portable loops."""
    x = _noisy(shape)[0].astype(np.float32)
    sigma = np.linspace(0.08, 0.12, x.size, dtype=np.float32).reshape(shape) if by_map else 0.1
    options = dict(sigma=sigma, patch=patch, search=search, variant=variant, h=0.3)
    results = []
    for width in (0, 8, 16):
        before = cpu_kernels().limit_vector_width(width)
        try:
            results.append(nlm(x, **options))
        finally:
            cpu_kernels().limit_vector_width(before)
    double = nlm(x.astype(float), **{**options, "sigma": np.asarray(sigma, float)[()]})
    for result in results:
        np.testing.assert_allclose(result, double, rtol=0, atol=3e-6)


def test_bits_do_not_depend_on_threads_or_strides(thread_count):
    x, _ = _noisy((33, 50, 21))
    x = x.astype(np.float32)
    results = []
    for count in (1, 2, 3):
        prc.set_num_threads(count)
        results.append(nlm(x, sigma=0.1, search=7))
    np.testing.assert_array_equal(results[0], results[1])
    np.testing.assert_array_equal(results[0], results[2])
    odd = np.asfortranarray(x)[::2, :, ::-1]
    np.testing.assert_array_equal(
        nlm(odd, sigma=0.1, search=5), nlm(odd.copy(), sigma=0.1, search=5)
    )


@pytest.mark.parametrize("shape", [(40, 30), (12, 14, 16)])
def test_constant_map_equals_scalar(shape):
    x, _ = _noisy(shape)
    got = nlm(x, sigma=np.full(shape, 0.1), search=7)
    # values near zero have the rounding of the differences, which are of order one
    np.testing.assert_allclose(got, nlm(x, sigma=0.1, search=7), rtol=1e-12, atol=1e-15)


def test_mask_leaves_the_outside_and_does_not_change_the_inside():
    x, _ = _noisy((20, 40, 36))
    mask = np.zeros(x.shape, bool)
    mask[8:11, 12:20, 15:30] = True
    mask[9, 14, 18] = False
    for sigma in (0.1, np.full(x.shape, 0.1)):
        whole, part = (nlm(x, sigma=sigma, search=7, mask=m) for m in (None, mask))
        np.testing.assert_array_equal(part[~mask], x[~mask])
        np.testing.assert_allclose(part[mask], whole[mask], rtol=1e-13)
    np.testing.assert_array_equal(nlm(x, sigma=0.1, mask=np.zeros(x.shape, bool)), x)


def test_four_dimensions_volume_by_volume():
    x = np.stack([_noisy((10, 12, 14), seed=k)[0] for k in range(3)]).astype(np.float32)
    sigmas = [0.1, 0.05, 0.2]
    mask = np.zeros(x.shape[1:], bool)
    mask[2:8, 3:9] = True
    got = nlm(x, sigma=sigmas, search=5, mask=mask)
    for volume, sigma, result in zip(x, sigmas, got, strict=True):
        np.testing.assert_array_equal(result, nlm(volume, sigma=sigma, search=5, mask=mask))
    np.testing.assert_array_equal(nlm(x, sigma=0.1, search=5)[1], nlm(x[1], sigma=0.1, search=5))
    maps = np.broadcast_to(np.array(sigmas)[:, None, None, None], x.shape)
    np.testing.assert_allclose(nlm(x, sigma=maps, search=5, mask=mask), got, rtol=1e-5, atol=1e-6)


def test_rician_is_less_biased_than_gaussian():
    rng = np.random.default_rng(0)
    clean = np.full((24, 24, 24), 2.0)
    clean[8:16] = 1.0
    x = np.abs(clean + rng.standard_normal(clean.shape) + 1j * rng.standard_normal(clean.shape))
    gaussian, rician = (nlm(x, sigma=1.0, noise=n) for n in ("gaussian", "rician"))
    inside = slice(4, -4)
    bias = [abs(np.mean((r - clean)[:, inside, inside])) for r in (gaussian, rician)]
    assert bias[1] < 0.3 * bias[0]


def test_real_t1_slice():
    slice_ = np.load(data_path("denoise", "dipy", "t1_coronal_slice.npy"))
    clean = (slice_ / np.percentile(slice_, 99.8)).astype(np.float32)
    noise = np.random.default_rng(0).normal(0, 0.05, clean.shape).astype(np.float32)
    result = nlm(clean + noise, sigma=0.05, patch=3, search=11)
    assert -10 * np.log10(np.mean((result - clean).astype(float) ** 2)) > 37.2


def test_real_diffusion_series():
    nib = pytest.importorskip("nibabel")
    x = np.asarray(nib.load(data_path("denoise", "dipy", "small_64D.nii")).dataobj)
    series = np.moveaxis(x, -1, 0)[:5]
    got = nlm(series, sigma=20, patch=3, search=5, noise="rician")
    assert got.shape == series.shape and got.dtype == np.float32 and np.isfinite(got).all()
    assert np.std(np.diff(got, axis=-1)) < np.std(np.diff(series.astype(float), axis=-1))


def test_out_is_filled_and_returned():
    x = _noisy((20, 20))[0].astype(np.float32)
    out = np.empty_like(x)
    assert nlm(x, sigma=0.1, out=out) is out
    np.testing.assert_array_equal(out, nlm(x, sigma=0.1))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_bad_input_62_nan_or_inf(value):
    x = np.zeros((8, 8))
    x[2, 3] = value
    with pytest.raises(prc.DataError, match=r"image holds 1 NaN or Inf values.*\(2, 3\)"):
        nlm(x, sigma=0.1)
    with pytest.raises(prc.DataError, match="sigma"):
        nlm(np.zeros((8, 8)), sigma=x)


def test_bad_input_63_patch_larger_than_image():
    with pytest.raises(prc.ShapeError, match=r"patch is 5.*\(8, 4\)"):
        nlm(np.zeros((8, 4)), sigma=0.1, patch=5)


@pytest.mark.parametrize("name", ["patch", "search"])
def test_bad_input_64_even_width(name):
    with pytest.raises(prc.DataError, match=f"{name} is 4; expected an odd width"):
        nlm(np.zeros((8, 8)), sigma=0.1, **{name: 4})


def test_bad_input_65_parameters():
    x = np.zeros((8, 9))
    for options, name in [
        (dict(sigma=-1), "sigma"),
        (dict(sigma=0), "sigma is 0"),
        (dict(sigma=np.nan), "sigma"),
        (dict(sigma=np.full(x.shape, -1.0)), "sigma holds 72 negative"),
        (dict(sigma=np.ones((9, 8))), "sigma has shape"),
        (dict(sigma=[1, 2]), "sigma has 2 entries"),
        (dict(sigma=1, h=0), "h is 0"),
        (dict(sigma=1, h=-2), "h is -2"),
        (dict(sigma=1, noise="poisson"), "noise"),
        (dict(sigma=1, mask=np.ones((3, 3), bool)), "mask"),
        (dict(sigma=1, mask=np.full(x.shape, 0.3)), "mask has dtype"),
        (dict(sigma=1, patch=(3, 3, 3)), "patch has 3 entries"),
    ]:
        with pytest.raises(prc.DataError, match=name):
            nlm(x, **options)
    with pytest.raises(prc.ShapeError, match="image"):
        nlm(np.zeros(5), sigma=1)
    with pytest.raises(prc.DataError, match="at least one voxel"):
        nlm(np.zeros((0, 5)), sigma=1)


def test_bad_input_66_one_voxel_axis():
    x, _ = _noisy((20, 24))
    options = dict(sigma=0.1, h=0.1, patch=3, search=7)
    np.testing.assert_array_equal(nlm(x[None], **options)[0], nlm(x, **options))
    np.testing.assert_allclose(nlm(x[:, None], **options)[:, 0], nlm(x, **options), rtol=1e-12)
    assert nlm(x[:1, :1], **options) == x[0, 0]


@pytest.mark.parametrize("noise", ["gaussian", "rician"])
def test_bad_input_67_constant_image(noise):
    x = np.full((9, 11, 10), 0.1, np.float32)
    if noise == "gaussian":
        np.testing.assert_array_equal(nlm(x, sigma=0.3), x)
    else:
        np.testing.assert_allclose(
            nlm(x, sigma=0.03, noise=noise), np.sqrt(0.01 - 0.0018), rtol=1e-6
        )


def test_bad_input_68_69_integers():
    x = (_noisy((16, 16))[0] * 100).astype(np.int16)
    got = nlm(x, sigma=10)
    assert got.dtype == np.float32
    np.testing.assert_array_equal(got, nlm(x.astype(np.float32), sigma=10))
    limits = np.array([[np.iinfo(np.int64).max, np.iinfo(np.int64).min] * 4] * 8)
    np.testing.assert_allclose(nlm(limits, sigma=10.0), limits, rtol=1e-6)
    assert nlm(np.full((8, 8), 2**64 - 1, np.uint64), sigma=1).max() == np.float32(2**64 - 1)


def test_bad_input_65_variant_and_spacing():
    x = np.zeros((8, 9))
    with pytest.raises(prc.DataError, match="variant"):
        nlm(x, sigma=1, variant="pixelwise")
    with pytest.raises(prc.DataError, match="spacing"):
        nlm(x, sigma=1, spacing=(1, 0))


def test_spacing_shortens_windows_along_coarse_axes():
    x, _ = _noisy((9, 20, 22))
    got = nlm(x, sigma=0.1, patch=3, search=9, spacing=(4, 1, 1))
    np.testing.assert_array_equal(got, nlm(x, sigma=0.1, patch=(1, 3, 3), search=(3, 9, 9)))


@pytest.mark.parametrize(
    ("shape", "patch", "strength"), [((128, 128), 5, 0.8), ((40, 40, 40), 3, 0.6)]
)
def test_not_behind_scikit_image_at_the_same_h(shape, patch, strength):
    from skimage.restoration import denoise_nl_means

    x, clean = _noisy(shape, 0.05)
    x, h = x.astype(np.float32), strength * 0.05
    theirs = denoise_nl_means(
        x, patch_size=patch, patch_distance=2, h=h, sigma=0.05, fast_mode=True
    )
    ours = nlm(x, sigma=0.05, patch=patch, search=5, h=h)
    assert np.mean((ours - clean) ** 2) <= np.mean((theirs - clean) ** 2)
