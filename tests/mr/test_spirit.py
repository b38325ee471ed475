"""SPIRiT: against its definition in k-space, exact coils, GRAPPA; non-Cartesian; parity."""

import numpy as np
import pytest
import scipy.io
from helpers import data_path, relative_error

import pyrad_core as prc
from pyrad_core import mr, prox
from pyrad_core._kernels import cpu
from pyrad_core._kernels.select import edge_of
from pyrad_core.mr.spirit import _Consistency

from .oracles import complex_normal
from .test_grappa import lattice, smooth_coils


def direct_kernel(calibration, kernel, regularization):
    """G[j][d, i] by least squares over the windows, without the target's own value."""
    coils = calibration.shape[0]
    axes = tuple(range(1, calibration.ndim))
    windows = np.lib.stride_tricks.sliding_window_view(calibration, kernel, axis=axes)
    a = windows.reshape(coils, -1, np.prod(kernel)).transpose(1, 2, 0)
    a = a.reshape(len(a), -1)
    centre = np.ravel_multi_index([k // 2 for k in kernel], kernel)
    ridge = regularization * np.mean(np.sum(np.abs(a) ** 2, axis=0))
    weights = np.zeros((a.shape[1], coils), np.complex128)
    for j in range(coils):
        own = centre * coils + j
        rest = np.delete(np.arange(a.shape[1]), own)
        b = a[:, rest]
        system = b.conj().T @ b + ridge * np.eye(rest.size)
        weights[rest, j] = np.linalg.solve(system, b.conj().T @ a[:, own])
    return weights.reshape(*kernel, coils, coils)


def apply_kernel(weights, kspace):
    """y_j(k) = sum_d sum_i G[d, i, j] x_i(k + d - centre), periodic."""
    kernel = weights.shape[:-2]
    out = np.zeros_like(kspace)
    for d in np.ndindex(*kernel):
        shift = tuple(k // 2 - i for i, k in zip(d, kernel, strict=True))
        moved = np.roll(kspace, shift, axis=tuple(range(1, kspace.ndim)))
        out += np.einsum("ij,i...->j...", weights[d], moved)
    return out


@pytest.mark.parametrize(
    "shape, kernel", [((12, 15), (5, 5)), ((13, 12), (3, 4)), ((8, 9, 10), (3, 2, 3))]
)
def test_normal_operator_direct(shape, kernel):
    """<x, (G - 1)^H (G - 1) z> in image space is <(G - 1) x, (G - 1) z> in k-space."""
    rng = np.random.default_rng(0)
    calibration = complex_normal(rng, (3, *(n - 2 for n in shape)), np.complex128)
    x, z = complex_normal(rng, (2, 3, *shape), np.complex128)
    weights = direct_kernel(calibration, kernel, 0.01)
    expected = np.vdot(apply_kernel(weights, x) - x, apply_kernel(weights, z) - z)
    edge = edge_of(x=x)
    operator = _Consistency(edge, calibration, kernel, 0.01, shape, True, x.dtype)
    axes = tuple(range(1, x.ndim))
    got = np.vdot(x, mr.fft(operator.normal(mr.ifft(z, axes=axes)), axes=axes))
    assert abs(got - expected) < 1e-11 * abs(expected)


def test_coils_of_few_harmonics_are_recovered():
    full = smooth_coils(12, (40, 44))
    full[:, [0, 1, -2, -1]] = 0  # k-space that ends within the array: SPIRiT's is periodic
    full[:, :, [0, 1, -2, -1]] = 0
    mask = lattice((40, 44), (2, 1), acs=20)
    mask[[0, 1, -2, -1]] = True
    got = mr.spirit(full * mask, mask=mask, regularization=1e-9, iterations=200)
    inner = (slice(None), slice(5, -5), slice(5, -5))
    assert relative_error(got[inner], full[inner]) < 0.03
    assert relative_error((full * mask)[inner], full[inner]) > 0.5


@pytest.fixture(scope="module")
def brain():
    images = scipy.io.loadmat(data_path("mr", "gpunufft", "img_brain_4ch.mat"))["img"]
    return mr.fft(np.ascontiguousarray(np.moveaxis(images, -1, 0))).astype(np.complex64)


@pytest.mark.parametrize("steps", [(2, 1), (2, 2)])
def test_brain_beside_grappa(brain, steps):
    mask = lattice(brain.shape[1:], steps)
    mask[116:140] = True
    kspace = brain * mask
    truth = mr.combine_coils(mr.ifft(brain))

    def error(k):
        return relative_error(mr.combine_coils(mr.ifft(k)), truth)

    got = mr.spirit(kspace, iterations=20)
    assert np.array_equal(got[:, mask], brain[:, mask])
    assert error(got) < min(1.05 * error(mr.grappa(kspace)), 0.5 * error(kspace))


def test_data_weight_and_prior_come_close_to_the_exact_data():
    full = smooth_coils(8, (32, 36), np.complex64)
    noise = complex_normal(np.random.default_rng(1), full.shape)
    kspace = (full + 3e-3 * noise) * lattice((32, 36), (2, 1), acs=16)
    exact = mr.spirit(kspace)
    soft = mr.spirit(kspace, data_weight=1.0, iterations=60)
    assert relative_error(soft, full) < 1.3 * relative_error(exact, full)
    l1 = mr.spirit(kspace, prior="wavelet", prior_weight=1e-4, iterations=60)
    assert relative_error(l1, full) < 1.5 * relative_error(exact, full)
    own = mr.spirit(kspace, prior=prox.L1(1e-6), iterations=60)
    assert relative_error(own, full) < 1.5 * relative_error(exact, full)


def test_radial_samples():
    n, coils = 48, 6
    maps = prc.phantom.coil_maps(coils, (n, n))
    image = prc.phantom.shepp_logan(2, radius=0.9).raster(prc.Volume((n, n), 2 / n))
    full = mr.fft((maps * image).astype(np.complex64))
    k = _radial(30, n)
    y = mr.NUFFT(k, (n, n)).forward(mr.ifft(full))
    weights = np.linalg.norm(k, axis=-1) + 0.25
    options = {"coordinates": k, "shape": (n, n), "weights": weights}
    got = mr.spirit(y, full[:, 12:36, 12:36], iterations=25, **options)
    radius = np.hypot(*(np.indices((n, n)) - n // 2)) < n / 2 - 1
    assert relative_error(got[:, radius], full[:, radius]) < 0.06
    alone = mr.spirit(y, iterations=25, **options)
    assert relative_error(alone[:, radius], full[:, radius]) < 0.12


def _radial(spokes, n):
    angles = np.arange(spokes) * np.pi / spokes
    r = np.arange(2 * n) / 2 - n / 2
    return np.stack([np.outer(np.sin(angles), r), np.outer(np.cos(angles), r)], -1).astype("f4")


@pytest.mark.parametrize("dtype", [np.complex64, np.complex128])
@pytest.mark.parametrize("coils, pixels", [(1, 5), (3, 64), (8, 200)])
def test_coil_matrix_multiply_parity(device, coils, pixels, dtype):
    rng = np.random.default_rng(0)
    full = complex_normal(rng, (coils, coils, pixels), np.complex128)
    full = full + full.conj().swapaxes(0, 1)
    x = complex_normal(rng, (coils, pixels), dtype)
    expected = np.einsum("ijp,jp->ip", full, x)
    lower = np.ascontiguousarray(full[np.tril_indices(coils)], dtype)
    got = np.empty_like(x)
    cpu.coil_matrix_multiply(lower, x, got)
    tolerance = 1e-6 if dtype == np.complex64 else 1e-14
    assert relative_error(got, expected) < tolerance
    with device:
        there = device.array(np.empty_like(x))
        device.kernels.coil_matrix_multiply(device.array(lower), device.array(x), there)
    assert relative_error(device.numpy(there), expected) < tolerance


def test_spirit_parity(device):
    full = smooth_coils(4, (16, 18))
    kspace = full * lattice((16, 18), (2, 1), acs=8)
    for options in ({}, {"data_weight": 2.0}, {"prior": "wavelet"}):
        expected = mr.spirit(kspace, kernel=3, iterations=4, **options)
        with device:
            got = device.numpy(mr.spirit(device.array(kspace), kernel=3, iterations=4, **options))
        assert relative_error(got, expected) < 1e-10


def test_same_bits_for_any_number_of_threads():
    kspace = smooth_coils(5, (40, 41), np.complex64) * lattice((40, 41), (2, 1), acs=12)
    results = []
    for threads in (1, 3):
        with prc.set_num_threads(threads):
            results.append(mr.spirit(kspace, iterations=5))
    assert np.array_equal(*results)


def test_bad_input_56_57_60_and_all_zero():
    kspace = smooth_coils(4, (32, 32), np.complex64)
    with pytest.raises(prc.ShapeError, match=r"has size \(0, 0\); a kernel of \(5, 5\) needs at"):
        mr.spirit(kspace * lattice((32, 32), (3, 1)))
    with pytest.warns(prc.errors.PyradWarning, match="undersampled .* only 2 coils"):
        mr.spirit(kspace[:2] * lattice((32, 32), (3, 2), acs=8), iterations=1)
    with pytest.raises(prc.DataError, match="only zeros"):
        mr.spirit(np.zeros_like(kspace))
    kspace[0, 1, 2] = np.nan
    with pytest.raises(prc.DataError, match=r"first at index \(0, 1, 2\)"):
        mr.spirit(kspace)


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_bad_input_54_61_dtypes(dtype):
    with pytest.raises(prc.DataError, match=f"dtype {np.dtype(dtype)}; accepted are complex64"):
        mr.spirit(np.ones((2, 20, 20), dtype))


def test_bad_arguments():
    kspace = smooth_coils(3, (20, 20), np.complex64)
    k = _radial(5, 20)
    with pytest.raises(prc.DataError, match="prior is 'tvv'"):
        mr.spirit(kspace, prior="tvv")
    with pytest.raises(prc.DataError, match="mask or coordinates"):
        mr.spirit(kspace, mask=np.ones((20, 20)), coordinates=k)
    with pytest.raises(prc.DataError, match="shape is missing"):
        mr.spirit(np.ones((3, 5, 40), np.complex64), coordinates=k)
    with pytest.raises(prc.DataError, match="go with coordinates"):
        mr.spirit(kspace, shape=(20, 20))
    with pytest.raises(prc.ShapeError, match="but coordinates"):
        mr.spirit(kspace, coordinates=k, shape=(20, 20))
