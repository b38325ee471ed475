"""MPPCA: a plain double-precision loop, MRtrix run live, closed forms, options, bad inputs."""

from __future__ import annotations

import shutil
import subprocess

import numpy as np
import pytest
from helpers import data_path, relative_error

import pyrad_core as prc
from pyrad_core._kernels.select import cpu_kernels
from pyrad_core.denoise import mppca


def noise_part(values, longer, exp2):
    """(number of noise eigenvalues, variance) of ascending eigenvalues."""
    r, s = len(values), np.maximum(values, 0) / longer
    count, variance = 0, 0.0
    for c in range(1, r + 1):
        mean = s[:c].sum() / c
        if s[c - 1] - s[0] < 4 * np.sqrt(c / (longer - r + c if exp2 else longer)) * mean:
            count, variance = c, mean
    return count, variance


def origin(place, window, size):
    return [min(max(p - w // 2, 0), n - w) for p, w, n in zip(place, window, size, strict=True)]


def patch(dwi, at, window):
    box = tuple(slice(a, a + w) for a, w in zip(at, window, strict=True))
    return (slice(None), *box)


def signal(x, exp2=True):
    """Window (volumes, voxels) -> (its projection, variance, rank)."""
    r, q = min(x.shape), max(x.shape)
    left, values, right = np.linalg.svd(x, full_matrices=False)
    count, variance = noise_part(values[::-1] ** 2, q, exp2)
    rank = r - count
    return (left[:, :rank] * values[:rank]) @ right[:rank], variance, rank


def by_centre(dwi, window, exp2=True):
    out, size = np.empty_like(dwi), dwi.shape[1:]
    sigma, rank = np.zeros(size), np.zeros(size)
    for place in np.ndindex(*size):
        at = origin(place, window, size)
        x = dwi[patch(dwi, at, window)].reshape(len(dwi), -1)
        clean, variance, rank[place] = signal(x, exp2)
        inside = np.ravel_multi_index([p - a for p, a in zip(place, at, strict=True)], window)
        out[(slice(None), *place)] = clean[:, inside]
        sigma[place] = np.sqrt(variance / (2 if np.iscomplexobj(dwi) else 1))
    return out, sigma, rank


def by_average(dwi, window):
    out, weight = np.zeros_like(dwi), np.zeros(dwi.shape[1:])
    variances = np.zeros_like(weight)
    for at in np.ndindex(*[n - w + 1 for n, w in zip(dwi.shape[1:], window, strict=True)]):
        box = patch(dwi, at, window)
        clean, variance, rank = signal(dwi[box].reshape(len(dwi), -1))
        share = 1 / (1 + rank)
        out[box] += share * clean.reshape(dwi[box].shape)
        weight[box[1:]] += share
        variances[box[1:]] += share * variance
    return out / weight, np.sqrt(variances / weight)


def series(volumes, size, rank=2, noise=0.05, seed=0, dtype=np.float64):
    rng = np.random.default_rng(seed)
    kind = np.dtype(dtype).kind

    def normal(*shape):
        x = rng.standard_normal(shape)
        return x + 1j * rng.standard_normal(shape) if kind == "c" else x

    clean = np.tensordot(normal(volumes, rank), normal(rank, *size), 1)
    return (clean + noise * normal(volumes, *size)).astype(dtype), clean


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64, np.complex128])
@pytest.mark.parametrize(("volumes", "window"), [(11, (3, 3, 3)), (30, (3, 3, 3)), (6, (1, 3, 5))])
def test_mppca_plain_loop(dtype, volumes, window):
    dwi, _ = series(volumes, (5, 4, 11), dtype=dtype)
    wide = dwi.astype(np.complex128 if dwi.dtype.kind == "c" else np.float64)
    expected, sigma, rank = by_centre(wide, window)
    got, found, info = mppca(dwi, window=window, return_info=True)
    tolerance = 1e-6 if dwi.real.dtype == np.float32 else 1e-12
    assert got.dtype == dwi.dtype and found.dtype == dwi.real.dtype
    np.testing.assert_array_equal(info.rank, rank)
    assert relative_error(got, expected) < tolerance
    assert relative_error(found, sigma) < tolerance


@pytest.mark.sanitize
@pytest.mark.parametrize("width", [16, 8, 0])
def test_every_instruction_set(width):
    dwi, _ = series(19, (4, 3, 10), dtype=np.complex128)
    expected, sigma, _ = by_centre(dwi, (3, 3, 3), exp2=False)
    before = cpu_kernels().limit_vector_width(width)
    try:
        got, found = mppca(dwi, window=3, estimator="exp1")
    finally:
        cpu_kernels().limit_vector_width(before)
    assert relative_error(got, expected) < 1e-12 and relative_error(found, sigma) < 1e-12


@pytest.mark.parametrize(("volumes", "size"), [(9, (4, 5, 13)), (30, (3, 4, 5))])
def test_average_plain_loop(volumes, size):
    dwi, _ = series(volumes, size, rank=3)
    expected, sigma = by_average(dwi, (3, 3, 3))
    got, found = mppca(dwi, window=3, method="average")
    assert relative_error(got, expected) < 1e-12 and relative_error(found, sigma) < 1e-12


@pytest.mark.skipif(not shutil.which("dwidenoise"), reason="MRtrix is not installed")
@pytest.mark.parametrize(
    ("name", "window", "estimator"),
    [
        ("small_64D.nii", (5, 5, 5), "exp2"),
        ("small_101D.nii.gz", (3, 3, 5), "exp2"),
        ("small_101D.nii.gz", (3, 3, 3), "exp1"),
    ],
)
def test_real_data_mrtrix(name, window, estimator, tmp_path):
    nibabel = pytest.importorskip("nibabel")
    file = nibabel.load(data_path("denoise", "dipy", name))
    dwi = np.asarray(file.dataobj).astype(np.float32).transpose(3, 2, 1, 0)
    out, noise = tmp_path / "out.nii", tmp_path / "noise.nii"
    extent = ",".join(str(w) for w in window[::-1])
    command = ["dwidenoise", "-quiet", str(file.get_filename()), str(out), "-noise", str(noise)]
    command += ["-extent", extent, "-estimator", estimator.capitalize(), "-datatype", "float64"]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    theirs = np.asarray(nibabel.load(out).dataobj).transpose(3, 2, 1, 0)
    got, sigma = mppca(dwi, window=window, estimator=estimator)
    assert np.abs(got - theirs).max() < 2e-6 * np.abs(theirs).max()
    np.testing.assert_allclose(got, theirs, rtol=2e-4, atol=1e-6 * np.abs(theirs).max())
    np.testing.assert_allclose(sigma, np.asarray(nibabel.load(noise).dataobj).T, rtol=2e-6)


def test_rank_of_low_rank_data_and_its_error():
    dwi, clean = series(20, (8, 8, 8), rank=4, noise=1e-5)
    got, sigma, info = mppca(dwi, return_info=True)
    assert info.rank.min() == 4 and np.mean(info.rank == 4) > 0.8 and info.window == (5, 5, 5)
    assert np.median(sigma) == pytest.approx(1e-5, rel=0.03)
    # rank 4 of 20 volumes and 125 voxels holds 4 (20 + 125 - 4) of 2500 parts of the noise
    assert np.sqrt(np.mean((got - clean) ** 2)) < 0.6e-5


@pytest.mark.parametrize("dtype", [np.float32, np.complex64])
def test_pure_noise_level(dtype):
    dwi, _ = series(24, (12, 12, 12), rank=1, noise=1.0, dtype=dtype)
    pure = dwi - series(24, (12, 12, 12), rank=1, noise=0.0, dtype=dtype)[0]
    _, sigma = mppca(pure)
    assert 0.97 < np.median(sigma) < 1.01
    assert 0.9 < sigma.min() and sigma.max() < 1.1


def test_exactly_low_rank_and_equal_eigenvalues():
    dwi = np.zeros((8, 3, 3, 3))
    dwi[0, 0, 0, 0] = dwi[1, 0, 0, 1] = dwi[2, 2, 2, 2] = 5.0  # three equal eigenvalues, rest 0
    got, sigma = mppca(dwi, window=3)
    np.testing.assert_array_equal(got, dwi)
    assert (sigma == 0).all()
    rng = np.random.default_rng(0)
    dwi = dwi + 1e-3 * rng.standard_normal(dwi.shape)
    expected, _, rank = by_centre(dwi, (3, 3, 3))
    got, _, info = mppca(dwi, window=3, return_info=True)
    np.testing.assert_array_equal(info.rank, rank)
    assert relative_error(got, expected) < 1e-10


@pytest.mark.parametrize("volumes", [10, 40])
def test_twins_of_eigenvalues(volumes):
    rng = np.random.default_rng(1)
    r = min(volumes, 27)
    left = np.linalg.qr(rng.standard_normal((volumes, volumes)))[0][:, :r]
    right = np.linalg.qr(rng.standard_normal((27, 27)))[0][:r]
    values = np.r_[[1.0] * 4, np.linspace(0.012, 0.008, r - 4)]  # four equal ones
    dwi = ((left * values) @ right).reshape(volumes, 3, 3, 3)
    expected, sigma, rank = by_centre(dwi, (3, 3, 3))
    got, found, info = mppca(dwi, window=3, return_info=True)
    assert (rank == 4).all()
    np.testing.assert_array_equal(info.rank, rank)
    assert relative_error(got, expected) < 1e-10
    np.testing.assert_allclose(found, sigma, rtol=1e-8)


def test_shrinkage_beats_the_hard_threshold():
    dwi, clean = series(30, (9, 9, 9), rank=6, noise=2.0)
    errors = {}
    for name in ("hard", "frobenius"):
        got, _ = mppca(dwi, shrinkage=name)
        errors[name] = relative_error(got, clean)
    assert errors["frobenius"] < errors["hard"] < relative_error(dwi, clean)


@pytest.mark.parametrize("method", ["centre", "average"])
def test_stride(method):
    dwi, clean = series(16, (9, 10, 14))
    full = mppca(dwi, method=method)[0]
    got, sigma = mppca(dwi, method=method, stride=(2, 3, 5))
    assert np.isfinite(got).all() and (sigma > 0).all()
    assert relative_error(got, clean) < 1.5 * relative_error(full, clean)


def test_stride_takes_the_closest_window():
    dwi, _ = series(9, (3, 3, 11))
    got, _ = mppca(dwi, window=3, stride=(1, 1, 3))
    for x, centre in ((0, 1), (2, 1), (3, 4), (5, 4), (10, 9), (8, 7)):
        expected = signal(dwi[..., centre - 1 : centre + 2].reshape(9, -1))[0].reshape(9, 3, 3, 3)
        np.testing.assert_allclose(got[..., x], expected[..., x - centre + 1], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("method", ["centre", "average"])
def test_mask_leaves_the_outside_and_changes_nothing_inside(method):
    dwi, _ = series(9, (6, 7, 9))
    mask = np.zeros(dwi.shape[1:], bool)
    mask[2:5, 3:6, 1:4] = True
    full, sigma = mppca(dwi, window=3, method=method)
    got, found = mppca(dwi, window=3, method=method, mask=mask)
    np.testing.assert_array_equal(got[:, ~mask], dwi[:, ~mask])
    assert (found[~mask] == 0).all()
    np.testing.assert_allclose(got[:, mask], full[:, mask], rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(found[mask], sigma[mask], rtol=1e-10)


def test_volume_axis_images_and_strides():
    dwi, _ = series(9, (6, 7, 9), dtype=np.float32)
    expected, sigma = mppca(dwi)
    last = np.moveaxis(dwi, 0, -1)
    last.flags.writeable = False
    got, found = mppca(last, volume_axis=-1)
    np.testing.assert_array_equal(got, np.moveaxis(expected, 0, -1))
    np.testing.assert_array_equal(found, sigma)
    flat, _ = mppca(dwi[:, 2], window=5)
    assert flat.shape == (9, 7, 9)
    np.testing.assert_array_equal(flat, mppca(dwi[:, 2:3], window=(1, 5, 5))[0][:, 0])


def test_automatic_window():
    dwi, _ = series(30, (4, 9, 9))
    assert mppca(dwi, window="auto", return_info=True)[2].window == (3, 5, 5)


@pytest.mark.parametrize("method", ["centre", "average"])
def test_thread_count_changes_no_bit(method, thread_count):
    dwi, _ = series(12, (7, 40, 19), dtype=np.float32)
    results = []
    for threads in (1, 3):
        prc.set_num_threads(threads)
        results.append(mppca(dwi, window=3, method=method))
    for a, b in zip(*results, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("average", [False, True])
@pytest.mark.parametrize(
    ("dtype", "volumes"),
    [(np.float32, 8), (np.float64, 20), (np.complex64, 8), (np.complex128, 20)],
)
def test_cuda_parity(device, dtype, volumes, average):
    dwi, _ = series(volumes, (3, 4, 5), dtype=dtype)
    dwi[:, 0, 0] = 0
    window, method = (1, 3, 3), "average" if average else "centre"
    mask = np.ones(dwi.shape[1:], bool)
    mask[1, 2:] = False
    expected = mppca(dwi, window=window, method=method, mask=mask, shrinkage="frobenius")
    with device:
        got = mppca(
            device.array(dwi),
            window=window,
            method=method,
            mask=device.array(mask),
            shrinkage="frobenius",
        )
    tolerance = 1e-6 if dwi.real.dtype == np.float32 else 1e-10
    for a, b in zip(got, expected, strict=True):
        assert relative_error(device.numpy(a), b) < tolerance


def test_bad_input_62_nan():
    dwi, _ = series(4, (5, 5, 5))
    dwi[1, 2, 3, 4] = np.nan
    with pytest.raises(prc.DataError, match=r"dwi holds 1 NaN or Inf values, .* \(1, 2, 3, 4\)"):
        mppca(dwi)


def test_bad_input_63_64_window():
    dwi, _ = series(4, (5, 4, 5))
    with pytest.raises(prc.ShapeError, match=r"\(5, 5, 5\), larger than the image \(5, 4, 5\)"):
        mppca(dwi)
    with pytest.raises(prc.DataError, match="odd widths, such as 5"):
        mppca(dwi, window=(3, 4, 3))
    with pytest.raises(prc.DataError, match="more than one voxel"):
        mppca(dwi, window=1)


def test_bad_input_66_one_slice():
    dwi, _ = series(6, (1, 7, 7))
    with pytest.raises(prc.ShapeError, match=r"the largest that fits is \(1, 5, 5\)"):
        mppca(dwi)
    assert mppca(dwi, window=(1, 5, 5))[0].shape == dwi.shape


def test_bad_input_67_constant_image():
    dwi = np.full((6, 5, 5, 5), 7.5, np.float32)
    got, sigma = mppca(dwi)
    np.testing.assert_allclose(got, dwi, rtol=1e-6)
    assert sigma.max() < 1e-5


def test_bad_input_68_69_integers():
    rng = np.random.default_rng(0)
    dwi = rng.integers(-32768, 32767, (6, 5, 5, 5)).astype(np.int16)
    got, _ = mppca(dwi)
    assert got.dtype == np.float32
    np.testing.assert_array_equal(got, mppca(dwi.astype(np.float32))[0])
    with pytest.raises(prc.DataError, match="float16"):
        mppca(dwi.astype(np.float16))


def test_bad_input_70_and_the_rest():
    dwi, _ = series(4, (5, 5, 5))
    with pytest.raises(prc.ShapeError, match="no empty axis"):
        mppca(dwi[:, :0])
    with pytest.raises(prc.ShapeError, match="at least two"):
        mppca(dwi[:1])
    with pytest.raises(prc.ShapeError, match="dwi has shape"):
        mppca(dwi[0, 0])
    with pytest.raises(prc.ShapeError, match="mask has shape"):
        mppca(dwi, mask=np.ones((5, 5, 4), bool))
    with pytest.raises(prc.ShapeError, match="stride .* larger than the window"):
        mppca(dwi, stride=6)
    with pytest.raises(prc.DataError, match="did you mean 'exp2'"):
        mppca(dwi, estimator="exp3")
    with pytest.raises(prc.DataError, match="volume_axis"):
        mppca(dwi, volume_axis=4)


def test_kernel_refuses_windows_that_leave_the_image():
    dwi, _ = series(4, (3, 3, 3))
    out, maps = np.empty_like(dwi), np.empty((3, 3, 3))
    whole, wrong = ([0], [0, 3]), ([1], [0, 3])
    for lists in ([wrong, whole, whole], [whole, whole, ([0], [0, 4])]):
        origins, owned = [a for a, _ in lists], [b for _, b in lists]
        with pytest.raises(prc.ShapeError, match="do not cover axis"):
            cpu_kernels().mppca(
                dwi, [3, 3, 3], origins, owned, None, True, False, False, out, maps, maps
            )


@pytest.mark.parametrize("axis", [0, -1])
def test_out_may_be_the_series_whatever_its_axes(axis):
    dwi = np.random.default_rng(0).normal(10, 1, (8, 1, 6, 7)).astype(np.float32)[:, 0]
    dwi = np.ascontiguousarray(np.moveaxis(dwi, 0, axis))
    expected, level = mppca(dwi, window=3, volume_axis=axis)
    out, sigma, info = mppca(dwi, window=3, volume_axis=axis, return_info=True, out=dwi)
    assert out is dwi and info.window == (1, 3, 3)
    np.testing.assert_array_equal(out, expected)
    np.testing.assert_array_equal(sigma, level)
