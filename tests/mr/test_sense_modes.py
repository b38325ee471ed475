"""Sense and cg_sense: sets of maps, slices, frames, off-resonance, both normal operators."""

import numpy as np
import pytest
from helpers import assert_adjoint, relative_error

import pyrad_core as prc
from pyrad_core import mr

from .oracles import complex_normal, direct_nudft, random_coordinates

SHAPE = (14, 12)


def sampled(rng, count=150, shape=SHAPE):
    return {
        "coordinates": random_coordinates(rng, count, shape),
        "weights": rng.random(count) + 0.1,
    }


def direct(maps, images, given):
    """Soft-SENSE by the sum: maps (sets, coil, ...), images (sets, ...)."""
    combined = np.sum(maps * images[:, None], axis=0)
    if "coordinates" in given:
        k, w = given["coordinates"], given["weights"]
        return np.sqrt(w) * direct_nudft(combined, k, images.shape[1:])
    return given["mask"] * mr.fft(combined, axes=tuple(range(1, images.ndim)))


@pytest.mark.parametrize("scattered", [False, True])
@pytest.mark.parametrize(
    "coils, dtype", [(3, np.complex64), (20, np.complex64), (3, np.complex128)]
)
def test_soft_sense(scattered, coils, dtype):
    rng = np.random.default_rng(0)
    maps, images = (
        complex_normal(rng, (2, coils, *SHAPE), dtype),
        complex_normal(rng, (2, *SHAPE), dtype),
    )
    given = sampled(rng) if scattered else {"mask": rng.random(SHAPE) < 0.6}
    operator = mr.Sense(maps, dims=2, eps=1e-5, **given)
    assert operator.domain_shape == (2, *SHAPE) and operator.range_shape[0] == coils
    assert relative_error(operator.forward(images), direct(maps, images, given)) < 1e-5
    assert_adjoint(
        operator,
        complex_domain=True,
        dtype=np.float32 if dtype == np.complex64 else np.float64,
    )
    both = operator.adjoint(operator.forward(images))
    for normal in ("nufft", "toeplitz"):
        route = mr.Sense(maps, dims=2, eps=1e-5, normal=normal, **given)
        assert relative_error(route.gram.forward(images), both) < 1e-5


@pytest.mark.parametrize("scattered", [False, True])
@pytest.mark.parametrize("sets", [1, 2])
def test_slices_and_frames(scattered, sets):
    rng = np.random.default_rng(1)
    maps = complex_normal(rng, (3, sets, 4, *SHAPE))
    images = complex_normal(rng, (2, 3, sets, *SHAPE))
    given = sampled(rng) if scattered else {"mask": rng.random(SHAPE) < 0.6}
    squeezed = maps if sets > 1 else maps[:, 0]
    operator = mr.Sense(squeezed, dims=2, slices=True, eps=1e-5, **given)
    assert_adjoint(operator, complex_domain=True)
    x = images if sets > 1 else images[:, :, 0]
    y = operator.forward(x)
    both = operator.adjoint(y)
    gram = operator.gram.forward(x)
    for frame in range(2):
        for s in range(3):
            expected = direct(maps[s], images[frame, s], given)
            assert relative_error(y[frame, s], expected) < 1e-5
    assert relative_error(gram, both) < 1e-5


@pytest.mark.parametrize("shape", [(15,), (9, 16), (5, 6, 7), (46, 41)])
@pytest.mark.parametrize("dtype", [np.complex64, np.complex128])
def test_cartesian_gram_in_one_kernel(shape, dtype):
    """41 has no fast transform of ours: the other route."""
    rng = np.random.default_rng(2)
    maps, image = complex_normal(rng, (5, *shape), dtype), complex_normal(rng, shape, dtype)
    operator = mr.Sense(maps, mask=rng.random(shape))
    both = operator.adjoint(operator.forward(image))
    tolerance = 2e-6 if dtype == np.complex64 else 1e-13
    assert relative_error(operator.gram.forward(image), both) < tolerance
    unmasked = mr.Sense(maps)
    expected = np.sum(np.abs(maps) ** 2, axis=0) * image
    assert relative_error(unmasked.gram.forward(image), expected) < tolerance


def test_toeplitz_has_the_same_bits_for_any_threads():
    rng = np.random.default_rng(3)
    maps, image = complex_normal(rng, (5, 40, 36)), complex_normal(rng, (40, 36))
    operator = mr.Sense(maps, normal="toeplitz", **sampled(rng, 300, (40, 36)))
    before, results = prc.num_threads(), []
    for threads in (1, 2):
        prc.set_num_threads(threads)
        results.append(operator.gram.forward(image))
    prc.set_num_threads(before)
    assert np.array_equal(*results)


def test_the_cheaper_normal_operator_is_chosen():
    maps = np.ones((4, 64, 64), np.complex64)
    few, many = mr.radial(8, 128, 64), mr.radial(400, 128, 64)
    for k, expected in ((few, False), (many, True)):
        operator = mr.Sense(maps, coordinates=k)
        operator.gram.forward(np.ones((64, 64), np.complex64))
        assert operator._plans[np.dtype(np.float32)].toeplitz is expected


def off_resonance(shape, rng):
    """A smooth field of +-120 Hz, a readout of 15 ms, decay of 5 to 40 per second."""
    axes = np.meshgrid(*[np.linspace(-1, 1, n) for n in shape], indexing="ij")
    b0 = 100 * sum(a * a for a in axes) - 80 + 40 * axes[-1]
    return b0, rng.random(200) * 0.015 + 0.002, 5 + 35 * rng.random(shape)


def direct_off_resonance(images, k, b0, times, r2=0.0):
    shape = b0.shape
    grids = np.meshgrid(*[np.arange(n) - n // 2 for n in shape], indexing="ij")
    phase = sum(np.multiply.outer(k[:, d], grids[d] / shape[d]) for d in range(len(shape)))
    wave = np.exp(
        -2j * np.pi * (phase + np.multiply.outer(times, b0))
        - np.multiply.outer(times, r2 * np.ones(shape))
    )
    axes = tuple(range(1, 1 + len(shape)))
    return np.tensordot(images, wave, (axes, axes)) / np.sqrt(np.prod(shape))


@pytest.mark.parametrize("shape", [(18, 15), (7, 8, 9)])
@pytest.mark.parametrize("decay", [False, True])
@pytest.mark.parametrize("eps", [1e-2, 1e-4])
def test_off_resonance_direct_sum(shape, decay, eps):
    rng = np.random.default_rng(4)
    b0, times, rate = off_resonance(shape, rng)
    k = random_coordinates(rng, 200, shape)
    maps, image = complex_normal(rng, (3, *shape)), complex_normal(rng, shape)
    r2 = rate if decay else None
    operator = mr.Sense(maps, coordinates=k, b0=b0, readout_times=times, r2=r2, eps=eps)
    expected = direct_off_resonance(maps * image, k, b0, times, rate if decay else 0.0)
    assert relative_error(operator.forward(image), expected) < eps
    assert_adjoint(operator, complex_domain=True)
    both = operator.adjoint(operator.forward(image))
    assert relative_error(operator.gram.forward(image), both) < 2e-6
    if not decay:
        route = mr.Sense(
            maps, coordinates=k, b0=b0, readout_times=times, eps=eps, normal="toeplitz"
        )
        assert relative_error(route.gram.forward(image), both) < 3 * eps
        assert_adjoint(route.gram, complex_domain=True)


def test_time_segments_are_few_and_keep_their_bound():
    rng = np.random.default_rng(5)
    b0, times, rate = off_resonance((20, 18), rng)
    counts = []
    for eps in (1e-1, 1e-2, 1e-3, 1e-5):
        parts = mr.time_segments(b0, times, eps=eps)
        exact = np.exp(-2j * np.pi * np.multiply.outer(times, b0))
        got = np.einsum("lt,lyx->tyx", parts.temporal, parts.spatial)
        assert parts.error <= eps and relative_error(got, exact) < 1.3 * eps
        counts.append(len(parts.temporal))
    assert counts == sorted(counts) and counts[1] <= 8
    fixed = mr.time_segments(b0, times, r2=rate, segments=4)
    assert len(fixed.temporal) == 4


def test_cg_sense_undoes_off_resonance():
    n = 40
    volume = prc.Volume((n, n), 2 / n)
    image = prc.phantom.shepp_logan(2, radius=0.8).raster(volume).astype(np.complex64)
    maps = prc.phantom.coil_maps(4, (n, n))
    k = mr.spiral(8, 400, n)
    times = np.linspace(0.001, 0.012, 400)
    axis = np.linspace(-1, 1, n)
    b0 = 80 * axis[:, None] ** 2 - 60 * axis
    flat = k.reshape(-1, 2)
    y = direct_off_resonance(maps * image, flat, b0, np.tile(times, 8)).reshape(4, 8, 400)
    given = dict(coordinates=k, weights=mr.density_compensation(k, (n, n)), iterations=15)
    y = y.astype(np.complex64)
    blurred = mr.cg_sense(y, maps, **given)
    sharp = mr.cg_sense(y, maps, b0=b0, readout_times=times, **given)
    assert (
        relative_error(sharp, image)
        < 0.15
        < 2 * relative_error(sharp, image)
        < relative_error(blurred, image)
    )


def phantom_slices(rng, count, n=32):
    volume = prc.Volume((n, n), 2 / n)
    head = prc.phantom.shepp_logan(2, radius=0.8).raster(volume).astype(np.complex64)
    maps = np.stack([np.roll(prc.phantom.coil_maps(4, (n, n)), s, axis=0) for s in range(count)])
    images = np.stack([np.roll(head, s, axis=-1) for s in range(count)])
    return maps, images


@pytest.mark.parametrize("scattered", [False, True])
def test_cg_sense_slices_frames_and_soft_maps(scattered):
    rng = np.random.default_rng(6)
    maps, images = phantom_slices(rng, 3)
    given = {"coordinates": mr.golden_radial(40, 64, 32)} if scattered else {"dims": 2}
    if not scattered:
        given["mask"] = mr.poisson_mask((32, 32), 2, calibration=8)
    options = dict(iterations=12, regularization=1e-4, **given)
    sense = {name: value for name, value in given.items() if name != "dims"}
    y = np.stack([mr.Sense(m, **sense).forward(x) for m, x in zip(maps, images, strict=True)])
    one_by_one = np.stack([mr.cg_sense(a, m, **options) for a, m in zip(y, maps, strict=True)])
    assert relative_error(mr.cg_sense(y, maps, **options), one_by_one) < 1e-5
    frames = np.stack([y[0], 2 * y[0]])
    got = mr.cg_sense(frames, maps[0], **options)
    assert relative_error(got, np.stack([one_by_one[0], 2 * one_by_one[0]])) < 1e-5
    soft = np.stack([maps[0], 0 * maps[0]])
    got = mr.cg_sense(y[0], soft, **options)
    assert relative_error(got[0], one_by_one[0]) < 1e-5 and not got[1].any()


def test_cg_sense_warm_start_tolerance_and_callback():
    rng = np.random.default_rng(7)
    maps, images = phantom_slices(rng, 1)
    k = mr.golden_radial(40, 64, 32)
    y = mr.Sense(maps[0], coordinates=k).forward(images[0])
    seen = []
    end = mr.cg_sense(
        y,
        maps[0],
        coordinates=k,
        iterations=200,
        tolerance=1e-4,
        regularization=1e-3,
        callback=lambda i, x, residual: seen.append(residual),
    )
    assert len(seen) < 200 and seen[-1] <= 1e-4 < seen[-2]
    again = []
    mr.cg_sense(
        y,
        maps[0],
        coordinates=k,
        iterations=200,
        tolerance=1e-4,
        regularization=1e-3,
        x0=end,
        callback=lambda i, x, residual: again.append(residual),
    )
    assert len(again) <= 2
    stopped = []
    mr.cg_sense(y, maps[0], coordinates=k, callback=lambda i, x, r: stopped.append(i) or i == 3)
    assert stopped == [1, 2, 3]
    generic = prc.solvers.cg(
        mr.Sense(maps[0], coordinates=k), y, iterations=10, regularization=1e-3
    )
    ours = mr.cg_sense(y, maps[0], coordinates=k, iterations=10, regularization=1e-3)
    assert relative_error(ours, generic.x) < 1e-4


def test_a_step_allocates_nothing():
    import tracemalloc

    rng = np.random.default_rng(8)
    maps = complex_normal(rng, (20, 64, 64))
    for normal in ("nufft", "toeplitz"):
        operator = mr.Sense(maps, coordinates=mr.radial(30, 128, 64), normal=normal)
        y = complex_normal(rng, operator.range_shape)
        iteration = mr.ConjugateGradients(operator, y, regularization=0.1)
        iteration.step()
        assert iteration.capture() is False
        peaks = []
        for _ in range(5):  # threads that other tests left behind allocate too, now and then
            tracemalloc.start()
            iteration.step()
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
        assert min(peaks) < 20_000  # a single image has 32 768 bytes


@pytest.mark.parametrize("normal", ["nufft", "toeplitz"])
@pytest.mark.parametrize("sets", [1, 2])
def test_conjugate_gradients_parity(device, normal, sets):
    rng = np.random.default_rng(9)
    maps = complex_normal(rng, (sets, 3, *SHAPE))
    given = sampled(rng)
    y = complex_normal(rng, (2, 3, 150))

    def steps(maps, given, y):
        operator = mr.Sense(maps, dims=2, normal=normal, **given)
        iteration = mr.ConjugateGradients(operator, y, regularization=0.5)
        for _ in range(3):
            iteration.step()
        return iteration.x, iteration.residuals()

    expected, residuals = steps(maps, given, y)
    with device:
        moved = {name: device.array(value) for name, value in given.items()}
        x, found = steps(device.array(maps), moved, device.array(y))
        x = device.numpy(x)
    assert relative_error(x, expected) < 1e-5 and np.allclose(found, residuals, rtol=1e-4)


@pytest.mark.parametrize("shape", [SHAPE, (6, 5, 7), (21,)])
def test_toeplitz_and_segments_parity(device, shape):
    rng = np.random.default_rng(10)
    k, image = random_coordinates(rng, 120, shape), complex_normal(rng, (3, *shape))
    expected = mr.NUFFT(k, shape).toeplitz().forward(image)
    values, factors = complex_normal(rng, (50, 4)), complex_normal(rng, (50,))
    with device:
        got = mr.NUFFT(device.array(k), shape).toeplitz().forward(device.array(image))
        out = device.array(values)
        device.kernels.scale_lanes(device.array(values), device.array(factors), True, True, out)
        out, got = device.numpy(out), device.numpy(got)
    assert relative_error(got, expected) < 2e-6
    assert relative_error(out, values * (1 + factors.conj()[:, None])) < 1e-6


@pytest.mark.parametrize(
    "given, text",
    [
        ({"normal": "toplitz"}, "did you mean 'toeplitz'"),
        ({"b0": np.zeros(SHAPE)}, "readout_times go together"),
        ({"b0": np.zeros((3, 3)), "readout_times": np.zeros(10)}, r"b0 has shape \(3, 3\)"),
        ({"b0": np.zeros(SHAPE), "readout_times": np.zeros(9)}, r"readout_times has shape \(9,\)"),
        ({"b0": np.full(SHAPE, np.nan), "readout_times": np.zeros(10)}, "b0 holds 168 NaN"),
        ({"b0": 1e6 * np.arange(168.0).reshape(SHAPE), "readout_times": np.arange(10.0)}, "units"),
        ({"dims": 3}, "dims is 3"),
    ],
)
def test_unusable_arguments(given, text):
    maps, k = np.ones((2, *SHAPE), np.complex64), np.zeros((10, 2))
    with pytest.raises((prc.DataError, prc.ShapeError), match=text):
        mr.Sense(maps, coordinates=k, **given)
