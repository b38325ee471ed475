"""Noise level: pure noise, edges, masks, scikit-image, bad inputs."""

from __future__ import annotations

import numpy as np
import pytest
from helpers import data_path

import pyrad_core as prc
from pyrad_core.denoise import estimate_sigma


@pytest.mark.parametrize("shape", [(20000,), (150, 140), (30, 28, 26), (1, 150, 140)])
@pytest.mark.parametrize("robust", [True, False])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_pure_noise(shape, robust, dtype):
    x = np.random.default_rng(0).normal(7, 3.0, shape).astype(dtype)
    assert estimate_sigma(x, robust=robust) == pytest.approx(3.0, rel=0.05)


def test_integers_and_scaling():
    x = np.random.default_rng(1).normal(100, 20, (100, 120))
    assert estimate_sigma(x.astype(np.int16)) == pytest.approx(20, rel=0.06)
    assert estimate_sigma(4 * x) == pytest.approx(4 * estimate_sigma(x), rel=1e-12)


def test_edges_hardly_matter_and_second_opinion_of_scikit_image():
    from skimage.restoration import estimate_sigma as theirs

    grid = np.linspace(-1, 1, 256)
    clean = (np.hypot(grid[:, None], grid) < 0.7) + 0.5 * (grid > 0.3)
    x = clean + np.random.default_rng(0).normal(0, 0.05, clean.shape)
    assert estimate_sigma(x) == pytest.approx(0.05, rel=0.05)
    assert estimate_sigma(x) == pytest.approx(theirs(x), rel=0.06)


def test_real_t1_slice_with_a_zero_background():
    slice_ = np.load(data_path("denoise", "dipy", "t1_coronal_slice.npy")).astype(np.float64)
    noise = np.random.default_rng(0).normal(0, 30, slice_.shape)
    own = estimate_sigma(slice_)
    got = estimate_sigma(np.where(slice_ > 0, slice_ + noise, 0), mask=slice_ > 0)
    assert got == pytest.approx(np.hypot(30, own), rel=0.2)


def test_bad_inputs():
    with pytest.raises(prc.DataError, match="image holds 1 NaN"):
        estimate_sigma(np.array([[np.nan] * 1 + [0.0] * 7] * 1))
    with pytest.raises(prc.ShapeError, match="at least 4 voxels"):
        estimate_sigma(np.zeros((3, 9)))
    with pytest.raises(prc.ShapeError, match="mask has shape"):
        estimate_sigma(np.zeros((9, 9)), mask=np.ones((3, 3), bool))
    with pytest.raises(prc.ShapeError, match="mask leaves no voxel"):
        estimate_sigma(np.zeros((9, 9)), mask=np.zeros((9, 9), bool))


@pytest.mark.parametrize("value", [0.0, 0.1, 1e6])
def test_bad_input_67_constant_image(value):
    assert estimate_sigma(np.full((12, 12), value, np.float32)) == 0.0
