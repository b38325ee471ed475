"""Trajectories: range, angles, centre, density, timing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pyrad_core as prc
from pyrad_core import mr

LIMITS = mr.GradientLimits(amplitude=0.04, slew=150.0, field_of_view=0.256)


def every_trajectory(size):
    yield mr.radial(7, 2 * size, size)
    yield mr.golden_radial(9, size, size, tiny=3)
    yield mr.kooshball(20, size, size)
    yield mr.kooshball(21, size, size, order="spiral", interleaves=3)
    yield mr.kooshball(20, size, size, centre_out=True)
    yield mr.rosette(5, 100, size, petals=6)
    yield mr.spiral(4, 200, size)
    yield mr.spiral(3, 200, size, density=2.5, inward=True)
    yield mr.spiral(3, 200, size, limits=LIMITS)
    yield mr.epi(size, 2 * size, size, ramp=0.2)
    yield mr.stack(mr.radial(4, size, size), size, turn=mr.golden_angle())


@settings(max_examples=10, deadline=None)
@given(size=st.integers(4, 65))
def test_within_the_field(size):
    for k in every_trajectory(size):
        assert np.isfinite(k).all()
        assert np.abs(k).max() <= size / 2 * (1 + 1e-12)
        assert np.abs(k).max() > size / 2 - 2 - size / 20
        mr.NUFFT(k, (size,) * k.shape[-1])


def _angles(k):
    tip = k[:, -1] - k[:, 0]
    return np.arctan2(tip[:, 0], tip[:, 1])


def test_radial_angles_and_centre():
    k = mr.radial(8, 64, 32, first_angle=0.3)
    assert np.allclose(np.diff(np.unwrap(_angles(k))), np.pi / 8)
    assert np.allclose(k[:, 32], 0)
    assert np.allclose(k[0, 0], -16 * np.array([np.sin(0.3), np.cos(0.3)]))


@pytest.mark.parametrize("tiny, degrees", [(1, 111.246), (2, 68.754), (5, 32.039), (7, 23.628)])
def test_published_golden_angles(tiny, degrees):
    assert np.rad2deg(mr.golden_angle(tiny)) == pytest.approx(degrees, abs=1e-3)
    steps = np.diff(_angles(mr.golden_radial(40, 16, 16, tiny=tiny)))
    assert np.allclose((steps - np.deg2rad(degrees)) % (2 * np.pi), 0, atol=1e-4) or np.allclose(
        np.cos(steps), np.cos(np.deg2rad(degrees)), atol=1e-4
    )


def test_golden_spokes_have_three_gaps():
    """Steinhaus: any run of golden angles leaves at most three different gaps."""
    for count in (13, 20, 34):
        gaps = np.diff(np.sort(_angles(mr.golden_radial(count, 8, 8)) % np.pi))
        assert len(np.unique(gaps.round(6))) <= 3


@pytest.mark.parametrize("options", [{}, {"order": "spiral", "interleaves": 8}])
@pytest.mark.parametrize("centre_out", [False, True])
def test_kooshball_covers_the_sphere_evenly(options, centre_out):
    k = mr.kooshball(4000, 8, 8, centre_out=centre_out, **options)
    ends = k[:, -1] / np.linalg.norm(k[:, -1], axis=-1, keepdims=True)
    if not centre_out:
        ends = np.concatenate([ends, -ends])
    assert np.abs(ends.mean(axis=0)).max() < 2e-3
    assert np.allclose(ends.T @ ends / len(ends), np.eye(3) / 3, atol=3e-3)
    assert np.allclose(k[:, 0 if centre_out else 4], 0)


def test_phyllotaxis_steps_are_small_within_an_interleave():
    k = mr.kooshball(34 * 20, 8, 8, order="spiral", interleaves=34)
    tips = (k[:, 0] / np.linalg.norm(k[:, 0], axis=-1, keepdims=True)).reshape(34, 20, 3)
    steps = np.arccos(np.clip(np.abs(np.sum(tips[:, 1:] * tips[:, :-1], axis=-1)), 0, 1))
    assert steps.max() < np.deg2rad(35)


@pytest.mark.parametrize("petals", [4, 5, 6, 8, 10])
def test_rosette_petals(petals):
    k = mr.rosette(1, 360 * petals, 32, petals=petals)[0]
    radius = np.linalg.norm(k, axis=-1)
    assert np.allclose(radius[::360], 0, atol=1e-12)
    tips = k[180::360]
    assert np.allclose(np.linalg.norm(tips, axis=-1), 16)
    angles = np.sort(np.arctan2(tips[:, 0], tips[:, 1]))
    assert np.allclose(np.diff(angles), 2 * np.pi / petals)


@pytest.mark.parametrize("density", [1.0, 2.0])
def test_spiral_meets_nyquist_at_the_edge(density):
    k = mr.spiral(6, 20000, 64, density=density)
    radius = np.linalg.norm(k[0], axis=-1)
    angle = np.unwrap(np.arctan2(k[0, :, 0], k[0, :, 1]))
    gap = np.interp(angle[-1], angle, radius) - np.interp(angle[-1] - 2 * np.pi, angle, radius)
    assert gap / 6 == pytest.approx(1.0, rel=0.15 if density > 1 else 0.01)
    assert np.all(np.diff(radius) > -1e-9)
    turned = (k[1, :, 1] + 1j * k[1, :, 0]) / np.exp(2j * np.pi / 6)
    assert np.allclose(turned, k[0, :, 1] + 1j * k[0, :, 0])
    assert np.allclose(mr.spiral(6, 200, 64, inward=True)[:, ::-1], mr.spiral(6, 200, 64))


@pytest.mark.parametrize("density", [1.0, 2.0])
def test_spiral_keeps_the_gradient_limits(density):
    count = 4000
    k = mr.spiral(8, count, 128, density=density, limits=LIMITS)[0]
    seconds = mr.readout_times(8, count, 128, LIMITS, density=density)
    step = seconds[1] - seconds[0]
    scale = 42.577478518e6 * LIMITS.field_of_view
    gradient = np.diff(k, axis=0) / step / scale
    amplitude = np.linalg.norm(gradient, axis=1)
    slew = np.linalg.norm(np.diff(gradient, axis=0), axis=1) / step
    assert amplitude.max() <= 1.01 * LIMITS.amplitude
    assert np.percentile(slew, 99) <= 1.05 * LIMITS.slew
    # as fast as they allow: one of the two is close to its limit almost throughout
    used = np.maximum(amplitude[1:] / LIMITS.amplitude, slew / LIMITS.slew)
    assert np.median(used) > 0.9


def test_epi_lines():
    k = mr.epi(8, 16, 8, shots=2)
    assert np.array_equal(k[:, 0, 0], [-4, -2, 0, 2, -3, -1, 1, 3])
    assert np.allclose(k[0, :, 1], np.arange(-8, 8) / 2)
    assert np.allclose(k[1], np.stack([np.full(16, -2.0), k[0, ::-1, 1]], -1))
    assert np.allclose(mr.epi(8, 16, 8, flyback=True)[:, :, 1], k[0, :, 1])
    ramped = mr.epi(1, 1000, 8, ramp=0.25)[0, :, 1]
    speed = np.diff(ramped)
    assert ramped[0] == pytest.approx(-4)
    assert np.allclose(speed[300:700], speed[500]) and speed[0] < 0.01 * speed[500]
    with pytest.raises(prc.DataError, match="go beyond"):
        mr.epi(16, 16, 8)


def test_stack_turns_every_partition():
    plane = mr.radial(5, 16, 16)
    k = mr.stack(plane, 6, turn=0.4)
    assert np.array_equal(k[:, 0, 0, 0], np.arange(6) - 3)
    assert np.allclose(k[2, ..., 1:], mr.radial(5, 16, 16, first_angle=0.8))


@pytest.mark.parametrize(
    "call, text",
    [
        (lambda: mr.radial(0, 8, 8), "spokes is 0"),
        (lambda: mr.golden_radial(3, 8, 8, tiny=0), "tiny is 0"),
        (lambda: mr.kooshball(7, 8, 8, order="spiral", interleaves=2), "not a multiple of 2"),
        (lambda: mr.kooshball(7, 8, 8, order="spiro"), "did you mean 'spiral'"),
        (lambda: mr.spiral(2, 8, 8, density=0.5), "at least 1"),
        (lambda: mr.stack(np.zeros((4, 3)), 2), r"expected \(..., samples, 2\)"),
    ],
)
def test_unusable_arguments(call, text):
    with pytest.raises((prc.DataError, prc.ShapeError), match=text):
        call()
