"""Coil compression: closed properties, NumPy's SVD, BART's cc, parity."""

import shutil
import subprocess

import numpy as np
import pytest
from helpers import relative_error

import pyrad_core as prc
from pyrad_core import mr, phantom
from pyrad_core._kernels import cpu

from .oracles import complex_normal


@pytest.fixture(scope="module")
def head():
    n = 48
    maps = phantom.coil_maps(12, (n, n)).astype(np.complex64)
    image = phantom.shepp_logan(2).raster(prc.Volume((n, n), spacing=2 / n))
    return maps, image, mr.fft(maps * image)


def energy(x):
    return float(np.linalg.norm(x) ** 2)


@pytest.mark.parametrize("dtype", [np.complex64, np.complex128])
def test_scc_is_numpys_svd(dtype):
    y = complex_normal(np.random.default_rng(0), (6, 5, 7, 3), dtype)
    small, matrix = mr.compress_coils(y, virtual_coils=4, return_matrix=True)
    u, s, _ = np.linalg.svd(y.reshape(6, -1), full_matrices=False)
    tolerance = 1e-5 if dtype == np.complex64 else 1e-12
    assert small.dtype == dtype and small.shape == (4, 5, 7, 3)
    assert np.allclose(matrix @ matrix.conj().T, np.eye(4), atol=tolerance)
    assert np.allclose(np.abs(np.diag(matrix @ u[:, :4])), 1, atol=100 * tolerance)
    assert relative_error(small.reshape(4, -1), matrix @ y.reshape(6, -1)) < tolerance
    assert np.allclose(np.linalg.norm(small.reshape(4, -1), axis=1), s[:4], rtol=100 * tolerance)


@pytest.mark.parametrize("method", ["scc", "gcc"])
def test_energy_decides_the_number(head, method):
    kspace = head[2]
    small = mr.compress_coils(kspace, energy=0.95, method=method)
    fewer = mr.compress_coils(kspace, virtual_coils=len(small) - 1, method=method)
    assert energy(small) >= 0.95 * energy(kspace) > energy(fewer)
    everything = mr.compress_coils(kspace, virtual_coils=12, method=method)
    assert abs(energy(everything) / energy(kspace) - 1) < 1e-5


@pytest.mark.parametrize("shape, readout", [((40, 36), -1), ((40, 36), 1), ((9, 11, 16), -2)])
def test_gcc_keeps_more_energy_and_stays_unitary(shape, readout):
    # a wide object between local coils: different coils along the readout
    axes = np.meshgrid(*[np.linspace(-1, 1, n) for n in shape], indexing="ij")
    places = np.random.default_rng(1).uniform(-1.2, 1.2, (10, len(shape)))
    maps = np.stack(
        [
            np.exp(-3 * sum((a - p) ** 2 for a, p in zip(axes, place, strict=True)) + 1j * axes[0])
            for place in places
        ]
    )
    every = tuple(range(1, 1 + len(shape)))
    kspace = mr.fft(maps * (sum(a**2 for a in axes) < 0.9), axes=every)
    single = mr.compress_coils(kspace, virtual_coils=3)
    small, matrix = mr.compress_coils(
        kspace, virtual_coils=3, method="gcc", readout=readout, return_matrix=True
    )
    assert energy(small) > 1.02 * energy(single)
    gram = matrix @ matrix.conj().swapaxes(-1, -2)
    assert np.allclose(gram, np.eye(3), atol=1e-10)
    # aligned: neighbours differ little, and no unitary turn brings them closer
    cross = matrix[:-1] @ matrix[1:].conj().swapaxes(-1, -2)
    singular = np.linalg.svd(cross, compute_uv=False).sum(-1)
    assert np.allclose(np.trace(cross, axis1=1, axis2=2).real, singular, atol=1e-9)
    # one matrix per position, applied in the image along the readout
    axis = readout % kspace.ndim
    hybrid = np.moveaxis(mr.ifft(kspace, axes=(axis,)), axis, 0)
    direct = np.moveaxis(np.einsum("xvc,xc...->xv...", matrix, hybrid), 0, axis)
    assert relative_error(small, mr.fft(direct, axes=(axis,))) < 1e-10


def test_gcc_maps_of_compressed_data(head):
    """Compressed maps explain compressed k-space."""
    maps, image, kspace = head
    small, matrix = mr.compress_coils(kspace, virtual_coils=4, method="gcc", return_matrix=True)
    images = mr.apply_compression(maps, matrix, domain="image") * image
    assert relative_error(mr.fft(images), small) < 1e-5
    assert relative_error(mr.apply_compression(kspace, matrix), small) < 1e-6


def test_noncartesian_samples():
    y = complex_normal(np.random.default_rng(2), (8, 3, 50))
    small, matrix = mr.compress_coils(y, virtual_coils=2, return_matrix=True)
    assert small.shape == (2, 3, 50)
    assert relative_error(mr.apply_compression(y, matrix), small) < 1e-6
    with pytest.raises(prc.ShapeError, match="'scc' anything"):
        mr.compress_coils(y[0], method="gcc")


@pytest.mark.skipif(not shutil.which("bart"), reason="bart is not installed")
@pytest.mark.parametrize("method, flag", [("scc", "-S"), ("gcc", "-G")])
def test_energy_of_barts_cc(head, tmp_path, method, flag):
    kspace = head[2]
    readout_first = kspace.transpose(2, 1, 0)[:, :, None]  # (x, y, 1, coil), Fortran order
    path = tmp_path / "k"
    path.with_suffix(".hdr").write_text(
        "# Dimensions\n" + " ".join(map(str, readout_first.shape)) + "\n"
    )
    readout_first.astype(np.complex64).ravel(order="F").tofile(path.with_suffix(".cfl"))
    out = tmp_path / "o"
    command = ["bart", "cc", "-A", flag, "-p", "4", str(path), str(out)]
    subprocess.run(command, check=True, capture_output=True)
    theirs = np.fromfile(out.with_suffix(".cfl"), np.complex64)
    ours = mr.compress_coils(kspace, virtual_coils=4, method=method, readout=-1)
    assert energy(ours) >= (1 - 1e-4) * energy(theirs)
    assert energy(ours) <= 1.02 * energy(theirs)


@pytest.mark.parametrize("method", ["scc", "gcc"])
def test_compression_parity(device, method):
    y = complex_normal(np.random.default_rng(3), (5, 10, 12))
    expected = mr.compress_coils(y, virtual_coils=3, method=method, calibration=(8, 8))
    with device:
        got = device.numpy(
            mr.compress_coils(device.array(y), virtual_coils=3, method=method, calibration=(8, 8))
        )
    # components are fixed up to a phase
    gram = lambda x: np.einsum("ayx,byx->ab", x, x.conj())  # noqa: E731
    assert np.allclose(np.abs(gram(got)), np.abs(gram(expected)), rtol=1e-3, atol=1e-2)


@pytest.mark.parametrize("dtype", [np.complex64, np.complex128])
@pytest.mark.parametrize("shape", [(3, 40, 1), (3, 7, 5), (1, 1, 700)])
def test_mix_coils_parity(device, dtype, shape):
    rng = np.random.default_rng(4)
    data = complex_normal(rng, (5, *shape), dtype)
    matrices = complex_normal(rng, (9, 5, shape[1]), dtype)
    expected = np.einsum("vca,coai->voai", matrices, data)
    tolerance = 1e-6 if dtype == np.complex64 else 1e-14
    out = np.empty_like(expected)
    cpu.mix_coils(matrices, data, out)
    assert relative_error(out, expected) < tolerance
    with device:
        there = device.array(out * 0)
        device.kernels.mix_coils(device.array(matrices), device.array(data), there)
        assert relative_error(device.numpy(there), expected) < tolerance


def test_bad_arguments(head):
    kspace = head[2]
    for options, text in [
        ({"virtual_coils": 13}, "virtual_coils is 13, but kspace has 12 coils"),
        ({"virtual_coils": 2, "energy": 0.5}, "not both"),
        ({"energy": 1.5}, "energy is 1.5"),
        ({"method": "gc"}, "did you mean 'gcc'|did you mean 'scc'"),
        ({"method": "gcc", "readout": 0}, "readout is 0"),
    ]:
        with pytest.raises(prc.DataError, match=text):
            mr.compress_coils(kspace, **options)
    with pytest.raises(prc.DataError, match="only zeros"):
        mr.compress_coils(np.zeros((3, 8, 8), np.complex64))
    with pytest.raises(prc.ShapeError, match="calibration"):
        mr.compress_coils(kspace, calibration=64)
    with pytest.raises(prc.ShapeError, match="data has 4 coils, but matrix 5"):
        mr.apply_compression(np.ones((4, 3), np.complex64), np.ones((2, 5), np.complex64))
    with pytest.raises(prc.ShapeError, match="7 positions along the readout"):
        mr.apply_compression(np.ones((4, 3, 7), np.complex64), np.ones((6, 2, 4), np.complex64))


def test_bad_input_54_61_dtype():
    with pytest.raises(prc.DataError, match="dtype float32; accepted are complex64"):
        mr.compress_coils(np.ones((3, 8, 8), np.float32))
    with pytest.raises(prc.DataError, match="dtype float16; accepted are complex64"):
        mr.compress_coils(np.ones((3, 8, 8), np.float16))
