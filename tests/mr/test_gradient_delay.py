"""RING: simulated delays on closed-form k-space, in the plane and in space; the cardiac scan."""

import numpy as np
import pytest
import scipy.io
from helpers import data_path

import pyrad_core as prc
from pyrad_core import mr


def scan(k, delays, coils, seed=0, noise=0.0):
    """Samples of an ellipsoid phantom where the delayed gradients took them. Coils are phase ramps
    over the image, that is shifts in k-space: closed form."""
    dims, size = k.shape[-1], int(round(2 * np.abs(k).max()))
    rng = np.random.default_rng(seed)
    along = k[:, -1] - k[:, 0]
    direction = along / np.linalg.norm(along, axis=-1, keepdims=True)
    spacing = np.linalg.norm(along, axis=-1) / (k.shape[1] - 1)
    true = k + (spacing[:, None] * (direction @ np.asarray(delays).T))[:, None]
    volume = prc.Volume((size,) * dims, 2 / size)
    head = prc.phantom.shepp_logan(dims, radius=0.8)
    shifts = rng.uniform(-1.5, 1.5, (coils, dims))
    y = np.stack([head.kspace(true + shift, volume) for shift in shifts])
    y = y + noise * np.abs(y).max() * (
        rng.standard_normal(y.shape) + 1j * rng.standard_normal(y.shape)
    )
    return true, y.astype(np.complex64)


@pytest.mark.parametrize("spokes", [13, 25, 60])
@pytest.mark.parametrize("delays", [[[0.6, 0.1], [0.1, -0.3]], [[-1.4, 0.0], [0.0, 0.45]]])
@pytest.mark.parametrize("noise", [0.0, 1e-3])
def test_delays_in_the_plane(spokes, delays, noise):
    k = mr.golden_radial(spokes, 256, 128)
    true, y = scan(k, delays, 4, noise=noise)
    assert np.abs(mr.estimate_gradient_delay(k, y) - delays).max() < 0.03
    fixed = mr.correct_gradient_delay(k, kspace=y)
    assert np.abs(fixed.coordinates[:, 10:-10] - true[:, 10:-10]).max() < 0.03
    assert np.abs(fixed.coordinates).max() <= 64


def test_delays_in_space():
    k = mr.kooshball(100, 64, 32)
    delays = np.array([[0.5, 0.1, 0.0], [0.1, -0.3, 0.05], [0.0, 0.05, 0.2]])
    _, y = scan(k, delays, 6)
    assert np.abs(mr.estimate_gradient_delay(k, y) - delays).max() < 0.05


def test_known_delays_and_no_delay():
    k = mr.radial(21, 128, 64)
    _, y = scan(k, np.zeros((2, 2)), 4)
    assert np.abs(mr.estimate_gradient_delay(k, y)).max() < 0.02
    moved = mr.correct_gradient_delay(k, delays=(0.5, -1.0)).coordinates
    direction = (k[:, -1] - k[:, 0]) / np.linalg.norm(k[:, -1] - k[:, 0], axis=-1, keepdims=True)
    expected = k + 0.5 * (direction * (0.5, -1.0))[:, None]
    assert np.allclose(moved[:, 5:-5], expected[:, 5:-5])


def test_cardiac_scan_explains_its_data_better_after_correction():
    """25 spokes of alternating direction: what CG leaves unexplained shrinks."""
    found = scipy.io.loadmat(data_path("mr", "gpunufft", "radial_cardiac_25_projections.mat"))
    kspace = np.ascontiguousarray(found["rawdata"].transpose(2, 1, 0), np.complex64)
    k = np.stack([found["k"].imag, found["k"].real], -1).transpose(1, 0, 2) * 256
    fixed = mr.correct_gradient_delay(k, kspace=kspace)
    assert np.abs(fixed.delays).max() < 3
    left = []
    for coordinates in (k, fixed.coordinates):
        weights = np.linalg.norm(coordinates, axis=-1)
        low = (kspace * (weights < 26) * weights).astype(np.complex64)
        maps = mr.walsh(mr.NUFFT(coordinates, (256, 256)).adjoint(low), window=9)
        image = mr.cg_sense(kspace, maps, coordinates=coordinates, weights=weights, iterations=8)
        rest = (mr.Sense(maps, coordinates=coordinates).forward(image) - kspace) * weights**0.5
        left.append(float(np.linalg.norm(rest) / np.linalg.norm(kspace * weights**0.5)))
    assert left[1] < 1.02 * left[0]


@pytest.mark.parametrize(
    "call, text",
    [
        (lambda k, y: mr.correct_gradient_delay(k), "either kspace"),
        (lambda k, y: mr.correct_gradient_delay(k, kspace=y, delays=(0, 0)), "either kspace"),
        (lambda k, y: mr.correct_gradient_delay(k, delays=(1, 2, 3)), r"expected \(2, 2\)"),
        (lambda k, y: mr.estimate_gradient_delay(k, y[:, :4]), r"expected \(coil, 5, 32\)"),
        (lambda k, y: mr.estimate_gradient_delay(mr.spiral(5, 32, 32), y), "not straight spokes"),
        (lambda k, y: mr.estimate_gradient_delay(k[:1], y[:, :1]), "too few"),
        (lambda k, y: mr.estimate_gradient_delay(k + 12, y), "far from the centre"),
    ],
)
def test_unusable_arguments(call, text):
    k, y = mr.radial(5, 32, 32), np.ones((2, 5, 32), np.complex64)
    with pytest.raises((prc.DataError, prc.ShapeError), match=text):
        call(k, y)
