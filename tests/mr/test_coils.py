"""Coil combination, whitening, oversampling removal."""

import numpy as np
import pytest
from helpers import relative_error

import pyrad_core as prc
from pyrad_core import mr

from .oracles import complex_normal


def test_combine_recovers_the_image():
    rng = np.random.default_rng(0)
    image, maps = complex_normal(rng, (20, 24)), complex_normal(rng, (4, 20, 24))
    maps[:, :3] = 0
    expected = np.where(np.abs(maps).sum(0) > 0, image, 0)
    assert relative_error(mr.combine_coils(maps * image, maps), expected) < 1e-6
    root = mr.combine_coils(maps * image)
    assert root.dtype == np.float32
    assert relative_error(root, np.linalg.norm(maps * image, axis=0)) < 1e-6


def test_prewhiten_noise_covariance():
    rng = np.random.default_rng(1)
    mixing = complex_normal(rng, (5, 5), np.complex128)
    noise = mixing @ complex_normal(rng, (5, 20000), np.complex128)
    white = mr.prewhiten(noise, noise)
    assert np.allclose(white @ white.conj().T / 20000, np.eye(5), atol=1e-10)
    by_covariance = mr.prewhiten(noise, noise @ noise.conj().T / 20000)
    assert relative_error(by_covariance, white) < 1e-10


def test_bad_input_58_covariance_not_positive_definite():
    noise = complex_normal(np.random.default_rng(2), (6, 4))
    with pytest.raises(prc.DataError, match="not positive definite"):
        mr.prewhiten(noise, noise)


@pytest.mark.parametrize("n", [64, 60])
def test_remove_oversampling_crops_the_image(n):
    kspace = complex_normal(np.random.default_rng(3), (2, 10, n))
    small = mr.remove_oversampling(kspace)
    wide = mr.ifft(kspace, axes=(-1,))
    first = n // 2 - n // 4
    assert relative_error(mr.ifft(small, axes=(-1,)), wide[..., first : first + n // 2]) < 1e-6
    with pytest.raises(prc.ShapeError, match="multiple of 7"):
        mr.remove_oversampling(kspace, factor=7)


def test_bad_input_51_coil_counts():
    with pytest.raises(prc.ShapeError, match="images has 4 coils, but maps has 5"):
        mr.combine_coils(np.ones((4, 8, 8), np.complex64), np.ones((5, 8, 8), np.complex64))


def test_noise_bandwidth_scales_the_covariance():
    """A noise scan of twice the bandwidth has twice the noise power of k-space."""
    rng = np.random.default_rng(4)
    mixing = complex_normal(rng, (4, 4), np.complex128)
    scan = np.sqrt(2) * mixing @ complex_normal(rng, (4, 50000), np.complex128)
    kspace = mixing @ complex_normal(rng, (4, 50000), np.complex128)
    white, matrix = mr.prewhiten(kspace, scan, bandwidth=2.0, return_matrix=True)
    assert np.allclose(white @ white.conj().T / 50000, np.eye(4), atol=0.03)
    assert relative_error(white, matrix @ kspace) < 1e-12
    assert relative_error(mr.noise_covariance(scan), scan @ scan.conj().T / 50000) < 1e-12
    with pytest.raises(prc.DataError, match="bandwidth is 0"):
        mr.prewhiten(kspace, scan, bandwidth=0)


def test_prewhiten_sigpy():
    """SigPy's whitening leaves the same covariance: they agree up to a unitary factor."""
    util = pytest.importorskip("sigpy.mri.util")
    rng = np.random.default_rng(5)
    noise = complex_normal(rng, (3, 3), np.complex128) @ complex_normal(
        rng, (3, 999), np.complex128
    )
    kspace = complex_normal(rng, (3, 8, 8), np.complex128)
    covariance = mr.noise_covariance(noise)
    ours, theirs = mr.prewhiten(kspace, covariance), util.whiten(kspace, covariance)
    assert relative_error((abs(ours) ** 2).sum(0), (abs(theirs) ** 2).sum(0)) < 1e-10


def test_combination_with_noise_is_roemers():
    rng = np.random.default_rng(6)
    maps, image = complex_normal(rng, (4, 9, 7), np.complex128), complex_normal(rng, (9, 7))
    root = complex_normal(rng, (4, 4), np.complex128)
    noise = root @ root.conj().T
    images = maps * image + 0.1 * complex_normal(rng, maps.shape, np.complex128)
    inverse = np.linalg.inv(noise)
    weighted = np.einsum("cyx,cd->dyx", maps.conj(), inverse)
    expected = (weighted * images).sum(0) / (weighted * maps).sum(0)
    assert relative_error(mr.combine_coils(images, maps, noise=noise), expected) < 1e-10
    squares = np.einsum("cyx,cd,dyx->yx", images.conj(), inverse, images).real
    assert relative_error(mr.combine_coils(images, noise=noise), np.sqrt(squares)) < 1e-10


def test_adaptive_combination_of_a_phantom():
    n = 64
    maps = prc.phantom.coil_maps(6, (n, n)).astype(np.complex64)
    image = prc.phantom.shepp_logan(2).raster(prc.Volume((n, n), spacing=2 / n))
    got = mr.combine_coils(maps * image, method="adaptive", window=5)
    assert got.dtype == np.complex64
    expected = image * np.linalg.norm(maps, axis=0)
    assert relative_error(np.abs(got), expected) < 0.01
    # less noise in the background than the sum of squares
    noise = 0.02 * complex_normal(np.random.default_rng(7), maps.shape)
    adaptive = np.abs(mr.combine_coils(maps * image + noise, method="adaptive"))
    sos = mr.combine_coils(maps * image + noise)
    outside = image == 0
    assert adaptive[outside].mean() < 0.8 * sos[outside].mean()


def test_combine_and_prewhiten_parity(device):
    rng = np.random.default_rng(8)
    images, maps = complex_normal(rng, (3, 6, 5)), complex_normal(rng, (3, 6, 5))
    noise = (np.eye(3) + 0.1).astype(np.complex64)
    calls = [
        lambda a, m, n: mr.combine_coils(a, m),
        lambda a, m, n: mr.combine_coils(a),
        lambda a, m, n: mr.combine_coils(a, m, noise=n),
        lambda a, m, n: mr.combine_coils(a, method="adaptive", window=3),
        lambda a, m, n: mr.prewhiten(a, n),
        lambda a, m, n: mr.noise_covariance(a),
    ]
    expected = [call(images, maps, noise) for call in calls]
    with device:
        moved = [device.array(x) for x in (images, maps, noise)]
        for call, host in zip(calls, expected, strict=True):
            assert relative_error(device.numpy(call(*moved)), host) < 2e-3


def test_methods_and_maps():
    images = np.ones((4, 8, 8), np.complex64)
    with pytest.raises(prc.DataError, match="takes maps"):
        mr.combine_coils(images, method="sense")
    with pytest.raises(prc.DataError, match="takes no maps"):
        mr.combine_coils(images, images, method="sos")
    with pytest.raises(prc.DataError, match="did you mean 'sense'"):
        mr.combine_coils(images, images, method="sence")
    with pytest.raises(prc.ShapeError, match="the data have 4 coils, but noise has shape"):
        mr.combine_coils(images, noise=np.eye(3))
    with pytest.raises(prc.DataError, match="at least as many samples"):
        mr.noise_covariance(np.ones((4, 3), np.complex64))


def test_bad_input_54_61_dtypes():
    with pytest.raises(prc.DataError, match="kspace has dtype float64"):
        mr.prewhiten(np.ones((4, 8, 8)), np.eye(4))
    with pytest.raises(prc.DataError, match="images has dtype float16"):
        mr.combine_coils(np.ones((4, 8, 8), np.float16))


def test_read_only_and_strided_input():
    rng = np.random.default_rng(9)
    wide = complex_normal(rng, (4, 12, 20))
    strided = wide[:, ::2, ::-2]
    strided.flags.writeable = False
    before = wide.copy()
    assert relative_error(mr.combine_coils(strided), mr.combine_coils(strided.copy())) == 0
    assert np.array_equal(mr.prewhiten(strided, np.eye(4)), strided.astype(np.complex64))
    assert np.array_equal(mr.walsh(strided), mr.walsh(strided.copy()))
    assert np.array_equal(wide, before)
