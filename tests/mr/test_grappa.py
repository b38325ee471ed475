"""GRAPPA: against direct sums in NumPy, pygrappa, coils whose k-space it predicts exactly."""

import numpy as np
import pytest
import scipy.io
from helpers import data_path, relative_error
from hypothesis import given, settings
from hypothesis import strategies as st

import pyrad_core as prc
from pyrad_core import mr
from pyrad_core._kernels import cpu
from pyrad_core.mr.grappa_plan import sampled_block

from .oracles import complex_normal

BEYOND_COILS = pytest.mark.filterwarnings("ignore:acceleration")


def lattice(shape, steps, *, acs=0, shift=0):
    """Regular sampling, the last axis shifted by `shift` per line (CAIPI), and a full centre."""
    index = np.indices(shape)
    mask = np.ones(shape, bool)
    for d, step in enumerate(steps):
        moved = index[d] + (shift * (index[d - 1] // steps[d - 1]) if d and shift else 0)
        mask &= moved % step == 0
    if acs:
        centre = tuple(slice(max(0, n // 2 - acs // 2), n // 2 - acs // 2 + acs) for n in shape)
        mask[centre] = True
    return mask


def smooth_coils(coils, shape, dtype=np.complex128, seed=0):
    """k-space of coils whose maps are a few harmonics: k-space convolved with a small kernel."""
    rng = np.random.default_rng(seed)
    maps = np.zeros((coils, *shape), np.complex128)
    middle = (slice(None), *(slice(n // 2 - 1, n // 2 + 2) for n in shape))
    maps[middle] = complex_normal(rng, maps[middle].shape, np.complex128)
    axes = tuple(range(1, len(shape) + 1))
    maps = mr.ifft(maps, axes=axes)
    image = complex_normal(rng, shape, np.complex128)
    for d, n in enumerate(shape):  # an object that leaves the edge of the field of view free
        taper = np.hanning(n + 2)[1:-1] ** 2
        image = image * taper.reshape([-1 if a == d else 1 for a in range(len(shape))])
    kspace = mr.fft(maps * image, axes=axes)
    return (kspace / np.abs(kspace).max()).astype(dtype)


def direct_grappa(kspace, calibration, mask, kernel, regularization):
    """The definition, window by window, in complex128."""
    coils, shape = kspace.shape[0], kspace.shape[1:]
    view = np.lib.stride_tricks.sliding_window_view
    axes = tuple(range(1, kspace.ndim))
    windows = view(calibration.astype(np.complex128), kernel, axis=axes)
    windows = windows.reshape(coils, -1, np.prod(kernel)).transpose(1, 2, 0)  # position, cell, coil
    centre = np.ravel_multi_index([k // 2 for k in kernel], kernel)
    ridge = regularization * np.mean(np.sum(np.abs(windows) ** 2, axis=0))
    pads = [(k // 2, k - 1 - k // 2) for k in kernel]
    padded = np.pad(kspace.astype(np.complex128) * mask, [(0, 0), *pads])
    flags = np.pad(mask, pads)
    out = (kspace * mask).astype(np.complex128)
    for cell in np.argwhere(~mask):
        at = tuple(slice(c, c + k) for c, k in zip(cell, kernel, strict=True))
        seen = flags[at].reshape(-1)
        if seen.any():
            a = windows[:, seen].reshape(len(windows), -1)
            w = np.linalg.solve(
                a.conj().T @ a + ridge * np.eye(a.shape[1]), a.conj().T @ windows[:, centre]
            )
            x = padded[(slice(None), *at)].reshape(coils, -1)[:, seen].T.reshape(-1)
            out[(slice(None), *cell)] = x @ w
    assert out.shape[1:] == shape
    return out


@pytest.mark.parametrize(
    "shape, kernel, mask",
    [
        ((23, 26), (5, 5), lattice((23, 26), (2, 2), acs=11)),
        ((24, 21), (4, 3), lattice((24, 21), (3, 1), acs=10)),
        ((22, 22), (3, 5), lattice((22, 22), (2, 2), acs=9, shift=1)),
        ((20, 19), (5, 5), np.random.default_rng(0).random((20, 19)) < 0.5),
        ((9, 12, 11), (3, 3, 3), lattice((9, 12, 11), (2, 2, 1), acs=6)),
        ((1, 18, 20), (1, 5, 5), lattice((1, 18, 20), (1, 2, 2), acs=9)),
    ],
)
@pytest.mark.parametrize("dtype", [np.complex64, np.complex128])
@BEYOND_COILS
def test_grappa_direct(shape, kernel, mask, dtype):
    full = complex_normal(np.random.default_rng(1), (3, *shape), dtype)
    calibration = full[
        (slice(None), *(slice(0, max(n // 2, k)) for n, k in zip(shape, kernel, strict=True)))
    ]
    got = mr.grappa(full * mask, calibration, kernel=kernel, regularization=0.02)
    expected = direct_grappa(full, calibration, mask, kernel, 0.02)
    assert got.dtype == dtype
    assert relative_error(got, expected) < (2e-6 if dtype == np.complex64 else 1e-12)
    assert np.array_equal(got[:, mask], full[:, mask])


@pytest.mark.parametrize("steps, shift", [((2, 1), 0), ((2, 2), 0), ((2, 2), 1)])
def test_grappa_is_exact_where_kspace_is_predictable(steps, shift):
    """12 coils of 9 harmonics: one sample tells the object's 9 samples around it."""
    full = smooth_coils(12, (40, 44))
    mask = lattice((40, 44), steps, acs=20, shift=shift)
    got = mr.grappa(full * mask, regularization=1e-14)
    inner = (slice(None), slice(2, -2), slice(2, -2))  # beyond the edge nothing is measured
    assert relative_error(got[inner], full[inner]) < 1e-5


def test_grappa_three_dimensions_is_exact():
    full = smooth_coils(28, (12, 14, 13))
    mask = lattice((12, 14, 13), (2, 2, 1), acs=9)
    got = mr.grappa(full * mask, kernel=3, regularization=1e-14)
    inner = (slice(None), *(slice(1, -1),) * 3)
    assert relative_error(got[inner], full[inner]) < 1e-4


@pytest.fixture(scope="module")
def brain():
    images = scipy.io.loadmat(data_path("mr", "gpunufft", "img_brain_4ch.mat"))["img"]
    return mr.fft(np.ascontiguousarray(np.moveaxis(images, -1, 0))).astype(np.complex64)


@pytest.mark.parametrize("steps", [(3, 1), (2, 2)])
def test_grappa_brain_pygrappa(brain, steps):
    pygrappa = pytest.importorskip("pygrappa")
    mask = lattice(brain.shape[1:], steps, acs=24)
    kspace = (brain * mask).astype(np.complex128)
    calibration = kspace[:, 116:140, 116:140].copy()
    ours = mr.grappa(kspace, calibration)
    theirs = pygrappa.cgrappa(kspace, calibration, kernel_size=(5, 5), coil_axis=0, lamda=0.01)
    image = mr.combine_coils(mr.ifft(brain))
    errors = [relative_error(mr.combine_coils(mr.ifft(k)), image) for k in (ours, theirs, kspace)]
    assert errors[0] < 1.02 * errors[1] and errors[0] < 0.7 * errors[2]


def test_frames_share_one_calibration():
    full = np.stack([smooth_coils(5, (26, 24), np.complex64, seed) for seed in range(2)])
    mask = lattice((26, 24), (2, 2), acs=12)
    calibration = full[0][:, 7:19, 6:18]
    fill = mr.Grappa(calibration, mask)
    got = fill(np.stack([full, 2 * full]))  # what lies outside the mask is ignored
    assert got.shape == (2, 2, 5, 26, 24)
    assert np.array_equal(got[0, 0], mr.grappa(full[0] * mask, calibration))
    assert np.array_equal(got[0, 1], mr.grappa(full[1] * mask, calibration))
    with pytest.raises(prc.ShapeError, match="kernels are for"):
        fill(full[:, :4])


@pytest.mark.parametrize("steps, shift", [((2, 1), 0), ((2, 2), 1), ((3, 1), 0)])
def test_g_factor_is_the_noise_of_repetitions(steps, shift):
    coils, shape, repeats = 4, (61, 17), 120  # ends with a sampled line
    rng = np.random.default_rng(0)
    calibration = smooth_coils(coils, shape) + 1e-2 * complex_normal(rng, (coils, *shape))
    fill = mr.Grappa(calibration, lattice(shape, steps, shift=shift))
    mix = np.eye(coils) + 0.3 * complex_normal(rng, (coils, coils), np.complex128)
    noise = complex_normal(rng, (repeats, coils, *shape), np.complex128)
    images = mr.ifft(fill(np.einsum("ij,rj...->ri...", mix, noise)))
    power = np.mean(np.abs(images) ** 2, axis=0) / 2
    covariance = mix @ mix.conj().T
    full = np.diag(covariance).real[:, None, None]
    got = fill.g_factor(covariance)
    expected = np.sqrt(power / full / np.prod(steps))
    assert abs(np.median(got / expected) - 1) < 0.08  # borders are noisier
    assert np.corrcoef(got.reshape(-1), expected.reshape(-1))[0, 1] > 0.9


def test_g_factor_needs_a_lattice():
    irregular = np.random.default_rng(0).random((24, 24)) < 0.5
    with pytest.raises(prc.DataError, match="no regular lattice"):
        mr.Grappa(smooth_coils(3, (24, 24)), irregular).g_factor()
    with pytest.raises(prc.ShapeError, match="covariance has shape"):
        mr.Grappa(smooth_coils(4, (24, 24)), lattice((24, 24), (2, 1))).g_factor(np.eye(3))


def test_mask_says_what_was_measured():
    full = smooth_coils(4, (24, 24), np.complex64)
    mask = lattice((24, 24), (2, 1), acs=12)
    assert np.array_equal(mr.grappa(full, mask=mask), mr.grappa(full * mask))
    silent = full.copy()
    silent[:, 0] = 0  # measured, and zero
    got = mr.grappa(silent, mask=mask)
    assert np.array_equal(got[:, 0], silent[:, 0])
    assert np.array_equal(mr.grappa(full), full)  # nothing is missing


def test_inputs_of_any_layout():
    full = smooth_coils(3, (20, 22), np.complex64)
    kspace = full * lattice((20, 22), (2, 1), acs=10)
    expected = mr.grappa(kspace)
    frozen = kspace.copy()
    frozen.flags.writeable = False
    assert np.array_equal(mr.grappa(frozen), expected)
    assert np.array_equal(mr.grappa(np.asfortranarray(kspace)), expected)


def test_scale_free():
    kspace = smooth_coils(4, (24, 24)) * lattice((24, 24), (2, 1), acs=12)
    assert relative_error(mr.grappa(1e-9 * kspace), 1e-9 * mr.grappa(kspace)) < 1e-11


@BEYOND_COILS
@pytest.mark.parametrize("coils", [3, 8, 13, 36])
def test_same_bits_for_any_number_of_threads(coils):
    full = complex_normal(np.random.default_rng(0), (coils, 40, 41))
    mask = lattice((40, 41), (2, 2), acs=16)
    results = []
    for threads in (1, 3):
        with prc.set_num_threads(threads):
            results.append(mr.grappa(full * mask))
    assert np.array_equal(*results)


@pytest.mark.sanitize
@pytest.mark.parametrize("dtype", [np.complex64, np.complex128])
@BEYOND_COILS
@pytest.mark.parametrize("coils", [2, 4, 7, 12, 24, 40])
def test_widths_of_registers_agree(coils, dtype):
    full = complex_normal(np.random.default_rng(0), (coils, 24, 25), dtype)
    mask = lattice((24, 25), (2, 2), acs=9)
    results = []
    for floats in (0, 8, 16):
        former = cpu.limit_vector_width(floats)
        try:
            results.append(mr.grappa(full * mask, kernel=3))
        finally:
            cpu.limit_vector_width(former)
    for other in results[1:]:
        assert relative_error(other, results[0]) < (1e-6 if dtype == np.complex64 else 1e-12)


def numpy_patterns(mask, kernel):
    pads = [(k // 2, k - 1 - k // 2) for k in kernel]
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(mask, pads), kernel)
    bits = windows[mask == 0].reshape(-1, np.prod(kernel)) != 0
    codes = [sum(1 << int(b) for b in np.flatnonzero(row)) for row in bits]
    cells = np.flatnonzero(mask == 0)
    order = sorted(range(len(codes)), key=lambda i: (codes[i], cells[i]))
    ranked = [codes[i] for i in order]
    starts = [i for i in range(len(ranked)) if i == 0 or ranked[i] != ranked[i - 1]]
    return cells[order], [*starts, len(ranked)]


@pytest.mark.parametrize("kernel", [(1, 5, 5), (1, 4, 2), (3, 3, 3), (5, 5, 5), (1, 1, 64)])
def test_patterns_parity(device, kernel):
    mask = (np.random.default_rng(0).random((6, 9, 70)) < 0.6).astype(np.uint8)
    mask[:, ::2, ::2] = 1
    mask[2] = np.indices((9, 70)).sum(0) % 2
    cells, starts = numpy_patterns(mask, kernel)

    def run(kernels, array, numpy):
        got = array(np.zeros(cells.size, np.int64)), array(np.zeros(cells.size + 1, np.int64))
        count = kernels.grappa_patterns(array(mask), kernel, *got)
        return numpy(got[0]), numpy(got[1])[: count + 1]

    got = [run(cpu, np.array, np.asarray)]
    with device:
        got.append(run(device.kernels, device.array, device.numpy))
    for some in got:
        assert np.array_equal(some[0], cells) and np.array_equal(some[1], starts)


@pytest.mark.parametrize(
    "size, kernel",
    [
        ((1, 9, 12), (1, 5, 4)),
        ((4, 5, 6), (3, 2, 3)),
        ((1, 5, 7), (1, 5, 5)),
        ((1, 30, 30), (1, 1, 3)),
    ],
)
def test_gram_parity(device, size, kernel):
    data = complex_normal(np.random.default_rng(0), (3, *size), np.complex128)
    windows = np.lib.stride_tricks.sliding_window_view(data, kernel, axis=(1, 2, 3))
    a = windows.reshape(3, -1, np.prod(kernel)).transpose(1, 2, 0)
    a = a.reshape(len(a), -1)
    expected = a.conj().T @ a
    got = np.empty_like(expected)
    cpu.grappa_gram(data, kernel, got)
    assert relative_error(got, expected) < 1e-13
    with device:
        there = device.array(np.empty_like(expected))
        device.kernels.grappa_gram(device.array(data), kernel, there)
    assert relative_error(device.numpy(there), expected) < 1e-13


@pytest.mark.parametrize("dtype", [np.complex64, np.complex128])
def test_weights_parity(device, dtype):
    coils, window, lanes = 3, 9, 8
    a = complex_normal(np.random.default_rng(0), (60, window * coils), np.complex128)
    gram = a.conj().T @ a
    sources = np.array([0, 2, 8, 1, 2, 3, 5, 6, 7, 8], np.int32)
    begin = np.array([0, 3, 3, 4, 10], np.int64)

    def run(kernels, array, numpy):
        out = array(np.full((10, coils, lanes), np.nan, dtype))
        kernels.grappa_weights(array(gram), coils, array(sources), array(begin), 4, 0.5, out)
        return numpy(out)

    got = run(cpu, np.array, np.asarray)
    for p in range(4):
        at = (sources[begin[p] : begin[p + 1], None] * coils + np.arange(coils)).reshape(-1)
        if at.size:
            system = gram[np.ix_(at, at)] + 0.5 * np.eye(at.size)
            expected = np.linalg.solve(system, gram[at, 4 * coils : 5 * coils])
            part = got[begin[p] : begin[p + 1]].reshape(-1, lanes)
            assert relative_error(part[:, :coils], expected) < (
                1e-6 if dtype == np.complex64 else 1e-12
            )
    assert not got[..., coils:].any()
    with device:
        there = run(device.kernels, device.array, device.numpy)
    assert relative_error(there, got) < (1e-6 if dtype == np.complex64 else 1e-12)


def test_sources_without_information_get_no_weight():
    data = complex_normal(np.random.default_rng(0), (4, 26, 26), np.complex128)
    data[2] = 0  # a dead coil
    kspace, alive = data * lattice((26, 26), (2, 1)), [0, 1, 3]
    got = mr.grappa(kspace, data, regularization=0)
    rest = mr.grappa(kspace[alive], data[alive], regularization=0)
    assert relative_error(got[alive], rest) < 1e-9 and not got[2].any()


@pytest.mark.parametrize("dtype", [np.complex64, np.complex128])
@BEYOND_COILS
@pytest.mark.parametrize("coils", [3, 9])
def test_grappa_parity(device, coils, dtype):
    full = complex_normal(np.random.default_rng(0), (coils, 21, 22), dtype)
    kspace = full * lattice((21, 22), (2, 2), acs=9, shift=1)
    expected = mr.grappa(kspace, kernel=3)
    with device:
        got = mr.grappa(device.array(kspace), kernel=3)
        framed = mr.Grappa(
            device.array(full[:, 6:15, 7:16]), device.array(kspace[0] != 0), kernel=3
        )(device.array(kspace))
    tolerance = 1e-6 if dtype == np.complex64 else 1e-12
    assert relative_error(device.numpy(got), expected) < tolerance
    assert np.array_equal(device.numpy(framed) == 0, np.zeros_like(expected, bool))


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.integers(1, 12), min_size=2, max_size=3),
    st.integers(0, 2**32 - 1),
    st.floats(0.3, 1.0),
)
def test_sampled_block_is_sampled_and_cannot_grow(shape, seed, density):
    rng = np.random.default_rng(seed)
    mask = rng.random(shape) < density
    block = sampled_block(mask)
    sizes = [s.stop - s.start for s in block]
    if not mask[tuple(n // 2 for n in shape)]:
        assert 0 in sizes
        return
    assert mask[block].all() and all(n > 0 for n in sizes)
    for d, s in enumerate(block):
        assert s.start <= shape[d] // 2 < s.stop
        for grown in (slice(s.start - 1, s.stop), slice(s.start, s.stop + 1)):
            if grown.start >= 0 and grown.stop <= shape[d]:
                assert not mask[(*block[:d], grown, *block[d + 1 :])].all()


def test_sampled_block_of_lines_and_of_a_square():
    lines = lattice((64, 50), (2, 1))
    lines[20:44] = True
    assert sampled_block(lines) == (slice(20, 45), slice(0, 50))  # line 44 is even
    square = lattice((64, 50), (2, 2))
    square[21:43, 15:35] = True
    assert sampled_block(square) == (slice(21, 43), slice(15, 35))


def test_bad_input_56_calibration_smaller_than_the_kernel():
    kspace = smooth_coils(4, (32, 32), np.complex64)
    lines = kspace * lattice((32, 32), (3, 1))
    with pytest.raises(prc.ShapeError, match=r"has size \(0, 0\); a kernel of \(5, 5\) needs at"):
        mr.grappa(lines)
    with pytest.raises(prc.ShapeError, match=r"calibration has size \(4, 32\).*\(5, 5\) needs at"):
        mr.grappa(lines, kspace[:, 14:18])
    with pytest.raises(prc.ShapeError, match="coils and number of axes"):
        mr.grappa(lines, kspace[:3])


def test_bad_input_57_acceleration_beyond_the_coils():
    kspace = smooth_coils(2, (40, 40), np.complex64) * lattice((40, 40), (2, 2), acs=12)
    with pytest.warns(prc.errors.PyradWarning, match="acceleration 4.* only 2 coils"):
        mr.grappa(kspace)


def test_samples_out_of_reach_stay_zero_with_a_warning():
    full = smooth_coils(6, (40, 40), np.complex64)
    mask = lattice((40, 40), (2, 1), acs=12)
    mask[32:] = False
    with pytest.warns(prc.errors.PyradWarning, match="no measured neighbour"):
        got = mr.grappa(full * mask, kernel=(3, 3))
    assert not got[:, 32:].any() and got[:, 31].any()


def test_bad_input_60_nan():
    kspace = smooth_coils(2, (20, 20), np.complex64)
    kspace[1, 3, 4] = np.nan
    with pytest.raises(prc.DataError, match=r"holds \d NaN or Inf values, the first at .*1, 3, 4"):
        mr.grappa(kspace)


@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.int16])
def test_bad_input_54_61_dtypes(dtype):
    with pytest.raises(prc.DataError, match=f"dtype {np.dtype(dtype)}; accepted are complex64"):
        mr.grappa(np.ones((2, 20, 20), dtype))


def test_bad_input_all_zero():
    with pytest.raises(prc.DataError, match="kspace holds only zeros"):
        mr.grappa(np.zeros((2, 20, 20), np.complex64))
    with pytest.raises(prc.DataError, match="mask keeps no sample"):
        mr.grappa(np.ones((2, 20, 20), np.complex64), mask=np.zeros((20, 20)))


def test_bad_arguments():
    kspace = smooth_coils(2, (20, 20), np.complex64)
    with pytest.raises(prc.DataError, match="regularization is -1"):
        mr.grappa(kspace, regularization=-1)
    with pytest.raises(prc.ShapeError, match="kernel is"):
        mr.grappa(kspace, kernel=(3, 3, 3))
    with pytest.raises(prc.DataError, match="kernel is 0"):
        mr.grappa(kspace, kernel=(3, 0))
    with pytest.raises(prc.ShapeError, match="mask has shape"):
        mr.grappa(kspace, mask=np.ones((20, 19)))
    with pytest.raises(prc.ShapeError, match="mask has shape"):
        mr.Grappa(kspace, np.ones(20))
