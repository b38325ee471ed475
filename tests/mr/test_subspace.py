"""Temporal subspaces: operator, T2 maps of simulated echo trains, dictionary matching."""

import numpy as np
import pytest
from helpers import assert_adjoint, relative_error

import pyrad_core as prc
from pyrad_core import DataError, ShapeError, mr
from pyrad_core._kernels.select import cpu_kernels

from .oracles import complex_normal

TE = 8.0 * np.arange(1, 17)  # ms
T2 = np.geomspace(15, 500, 300)
DECAYS = np.exp(-TE / T2[:, None])


class EchoTrain:
    """Discs of different T2, 16 echoes, Poisson masks that change from echo to echo."""

    def __init__(self, n=40, coils=4, rate=3.5, noise=1e-3, dtype=np.complex64):
        y, x = np.mgrid[:n, :n] - n / 2
        self.t2 = np.zeros((n, n))
        self.t2[np.hypot(y, x) < 0.42 * n] = 80
        self.t2[np.hypot(y - 6, x + 6) < 0.13 * n] = 40
        self.t2[np.hypot(y + 7, x - 4) < 0.13 * n] = 160
        self.density = (self.t2 > 0) * (1 + 0.2 * x / n) * np.exp(0.5j * y / n)
        safe = np.where(self.t2 > 0, self.t2, 1)
        self.truth = self.density * np.exp(-TE[:, None, None] / safe)
        self.maps = prc.phantom.coil_maps(coils, (n, n)).astype(dtype)
        masks = [mr.poisson_mask((n, n), rate, calibration=4, seed=i) for i in range(len(TE))]
        self.masks = np.stack(masks)
        full = mr.fft(self.maps * self.truth[:, None])
        full += noise * complex_normal(np.random.default_rng(0), full.shape)
        self.kspace = (self.masks[:, None] * full).astype(dtype)
        self.basis = mr.subspace_basis(DECAYS, 4)


@pytest.fixture(scope="module")
def train():
    return EchoTrain()


def test_basis():
    basis = mr.subspace_basis(DECAYS, 4)
    assert basis.shape == (4, 16) and basis.dtype == np.float64
    np.testing.assert_allclose(basis @ basis.T, np.eye(4), atol=1e-12)
    rest = DECAYS - DECAYS @ basis.T @ basis
    best = np.linalg.svd(DECAYS, compute_uv=False)[4:]
    assert np.linalg.norm(rest) == pytest.approx(np.linalg.norm(best), rel=1e-9)
    assert len(mr.subspace_basis(DECAYS, 0.999999)) < 6
    complex_signals = DECAYS * np.exp(1j * TE / 100)
    assert mr.subspace_basis(complex_signals, 3).dtype == np.complex128


@pytest.mark.parametrize("scattered", [False, True])
@pytest.mark.parametrize("dtype", [np.complex64, np.complex128])
@pytest.mark.parametrize("shape", [(12, 9), (6, 5, 8)])
def test_operator(shape, dtype, scattered):
    rng = np.random.default_rng(1)
    maps = complex_normal(rng, (5, *shape), dtype)
    basis = np.linalg.qr(complex_normal(rng, (7, 3), np.complex128))[0].T
    given = {"masks": rng.random((7, *shape)) * (rng.random((7, *shape)) < 0.5)}
    if scattered:
        k = (rng.random((7, 30, len(shape))) - 0.5) * shape
        given = {"coordinates": k, "weights": rng.random((7, 30)) + 0.1}
    operator = mr.SubspaceSense(maps, basis, **given)
    single = dtype == np.complex64
    assert_adjoint(operator, complex_domain=True, dtype=np.float32 if single else np.float64)
    x = complex_normal(rng, operator.domain_shape, dtype)
    frames = np.tensordot(basis.T, x, 1)
    for t in (0, 4):
        own = {"mask": given["masks"][t]} if not scattered else {n: a[t] for n, a in given.items()}
        expected = mr.Sense(maps, **own).forward(frames[t].astype(dtype))
        assert relative_error(operator.forward(x)[t], expected) < (2e-3 if scattered else 2e-6)
    both = operator.adjoint(operator.forward(x))
    assert relative_error(operator.gram.forward(x), both) < (2e-6 if single else 1e-12)
    if not scattered:
        assert operator.norm() ** 2 <= operator.bound * (1 + 1e-5)


def test_frames_of_a_fully_sampled_train_come_back(train):
    full = mr.fft(train.maps * train.truth[:, None])
    coefficients = mr.subspace(full, train.maps, np.eye(16), iterations=5)
    assert relative_error(coefficients, train.truth) < 1e-4


@pytest.mark.parametrize(
    "options", [{"iterations": 30, "weight": 1e-3}, {"prior": "llr", "weight": 5e-3}]
)
def test_t2_of_an_undersampled_train(train, options):
    coefficients = mr.subspace(train.kspace, train.maps, train.basis, mask=train.masks, **options)
    assert coefficients.shape == (4, 40, 40)
    index, density = mr.match_dictionary(coefficients, DECAYS, train.basis)
    inside = train.t2 > 0
    error = abs(T2[index][inside] / train.t2[inside] - 1)
    assert np.median(error) < 0.03 and np.mean(error) < 0.06
    assert relative_error(density[inside], train.density[inside]) < 0.06
    frames = np.tensordot(train.basis.T, coefficients, 1)
    assert relative_error(frames, train.truth) < 0.05


def test_radial_train(train):
    k = mr.golden_radial(16 * 9, 80, 40).reshape(16, 9, 80, 2)
    kspace = np.stack(
        [mr.NUFFT(k[t], (40, 40)).forward(train.maps * train.truth[t]) for t in range(16)]
    )
    coefficients = mr.subspace(
        kspace, train.maps, train.basis, coordinates=k, iterations=30, weight=1e-3
    )
    index, _ = mr.match_dictionary(coefficients, DECAYS, train.basis)
    inside = train.t2 > 0
    assert np.median(abs(T2[index][inside] / train.t2[inside] - 1)) < 0.05


def test_dictionary_match_numpy():
    rng = np.random.default_rng(2)
    atoms = complex_normal(rng, (50, 12), np.complex128)
    chosen = rng.integers(0, 50, (6, 7))
    factor = complex_normal(rng, (6, 7), np.complex128)
    index, amplitude = mr.match_dictionary(np.moveaxis(atoms[chosen], -1, 0) * factor, atoms)
    np.testing.assert_array_equal(index, chosen)
    np.testing.assert_allclose(amplitude, factor, rtol=1e-12)


@pytest.mark.parametrize("rank, lanes", [(1, 4), (3, 12), (17, 2)])
def test_mixing_kernel_numpy(device, rank, lanes):
    rng = np.random.default_rng(3)
    matrices = complex_normal(rng, (30, rank * (rank + 1) // 2), np.complex128)
    grids = complex_normal(rng, (rank, 30, lanes), np.complex128)
    full = np.zeros((30, rank, rank), complex)
    rows, columns = np.tril_indices(rank)
    full[:, columns, rows] = matrices.conj()
    full[:, rows, columns] = matrices
    expected = np.einsum("nkl,lnc->knc", full, grids)
    got = grids.copy()
    cpu_kernels().mix_spectra(matrices, got)
    assert relative_error(got, expected) < 1e-13
    moved = device.array(grids)
    with device:
        device.kernels.mix_spectra(device.array(matrices), moved)
    assert relative_error(device.numpy(moved), expected) < 1e-13
    with pytest.raises(ShapeError, match="matrices"):
        cpu_kernels().mix_spectra(matrices[:5], got)


def test_cuda_twin(device):
    train = EchoTrain(n=16)
    options = {"prior": "llr", "weight": 5e-3, "iterations": 3, "block": 4}
    arguments = (train.kspace, train.maps, train.basis, train.masks)
    expected = mr.subspace(*arguments[:3], mask=arguments[3], **options)
    index, _ = mr.match_dictionary(expected, DECAYS, train.basis)
    with device:
        kspace, maps, basis, masks = (device.array(a) for a in arguments)
        got = mr.subspace(kspace, maps, basis, mask=masks, **options)
        found, _ = mr.match_dictionary(got, device.array(DECAYS), basis)
    assert relative_error(device.numpy(got), expected) < 1e-4
    assert np.mean(device.numpy(found) == index) > 0.95


def test_bad_inputs(train):
    with pytest.raises(DataError, match="rank is 99"):
        mr.subspace_basis(DECAYS, 99)
    with pytest.raises(DataError, match="only zeros"):
        mr.subspace_basis(0 * DECAYS, 2)
    with pytest.raises(DataError, match="NaN"):
        mr.subspace_basis(DECAYS * np.nan, 2)
    with pytest.raises(ShapeError, match="basis has shape"):
        mr.subspace(train.kspace, train.maps, train.basis[:, :9])
    with pytest.raises(ShapeError, match="frames, coil"):
        mr.subspace(train.kspace[0], train.maps, train.basis)
    with pytest.raises(DataError, match="return_info needs a prior"):
        mr.subspace(train.kspace, train.maps, train.basis, return_info=True)
    with pytest.raises(DataError, match="time course that is zero"):
        mr.SubspaceSense(train.maps, 0 * train.basis)
    with pytest.raises(ShapeError, match="masks have shape"):
        mr.SubspaceSense(train.maps, train.basis, masks=train.masks[:3])
    with pytest.raises(DataError, match="not both"):
        mr.SubspaceSense(
            train.maps, train.basis, masks=train.masks, coordinates=np.zeros((16, 3, 2))
        )
    with pytest.raises(DataError, match="signals that are zero"):
        mr.match_dictionary(np.ones((16, 4)), np.zeros((3, 16)))
    with pytest.raises(ShapeError, match="coefficients have shape"):
        mr.match_dictionary(np.ones((5, 4)), DECAYS)
