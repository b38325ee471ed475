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
