"""ESPIRiT maps: against sigpy and BART, closed forms, real data, and bad input."""

import shutil
import subprocess

import numpy as np
import pytest
from helpers import data_path, relative_error

import pyrad_core as prc
from pyrad_core import mr
from pyrad_core._kernels import cpu

from .oracles import complex_normal


@pytest.fixture(scope="module")
def brain():
    return np.load(data_path("mr", "sigpy_tutorial", "cartesian_ksp.npy"))


def overlap(a, b):
    """|<a, b>| / (|a| |b|) per pixel where both are set."""
    on = (np.abs(a).sum(0) > 0) & (np.abs(b).sum(0) > 0)
    a, b = a[:, on].astype(np.complex128), b[:, on].astype(np.complex128)
    return np.abs((a.conj() * b).sum(0)) / np.linalg.norm(a, axis=0) / np.linalg.norm(b, axis=0)


def test_espirit_sigpy(brain):
    apps = pytest.importorskip("sigpy.mri.app")
    ours = mr.espirit(brain, crop=0.9)
    theirs = apps.EspiritCalib(brain, crop=0.9, max_iter=100, show_pbar=False).run()
    same = overlap(ours, theirs)
    assert np.quantile(same, 0.01) > 0.9999 and same.min() > 0.85
    assert np.mean((np.abs(ours).sum(0) > 0) != (np.abs(theirs).sum(0) > 0)) < 1e-3


def test_espirit_explains_the_coil_images(brain):
    maps = mr.espirit(brain)
    centre = np.zeros_like(brain)
    centre[:, 103:127, 78:102] = brain[:, 103:127, 78:102]
    images = mr.ifft(centre)
    combined = mr.combine_coils(images, maps)
    inside = np.abs(combined) > 0.2 * np.abs(combined).max()
    assert relative_error((maps * combined)[:, inside], images[:, inside]) < 0.06
    assert np.allclose(np.linalg.norm(maps[:, inside], axis=0), 1, atol=1e-4)


def test_espirit_finds_known_maps():
    n = 96
    truth = prc.phantom.coil_maps(6, (n, n)).astype(np.complex64)
    image = prc.phantom.shepp_logan(2).raster(prc.Volume((n, n), spacing=2 / n))
    kspace = mr.fft(truth * image)
    maps = mr.espirit(kspace)
    inside = image > 0.1
    assert overlap(np.where(inside, maps, 0), np.where(inside, truth, 0)).min() > 0.999


def test_two_sets_are_orthonormal(brain):
    maps = mr.espirit(brain, maps=2, crop=0.0)
    gram = np.einsum("mcyx,lcyx->mlyx", maps.conj(), maps)
    assert np.abs(gram - np.eye(2)[:, :, None, None]).max() < 1e-3
    assert overlap(maps[0], mr.espirit(brain, crop=0.0)).min() > 0.99


def test_espirit_three_dimensions():
    rng = np.random.default_rng(0)
    shape = (20, 22, 24)
    axes = np.meshgrid(*[np.linspace(-1, 1, n) for n in shape], indexing="ij")
    centres = rng.uniform(-1, 1, (4, 3))
    truth = np.stack(
        [
            np.exp(
                -sum((a - c) ** 2 for a, c in zip(axes, centre, strict=True)) / 3 + 1j * axes[i % 3]
            )
            for i, centre in enumerate(centres)
        ]
    ).astype(np.complex64)
    inside = sum(a**2 for a in axes) < 0.6
    kspace = mr.fft(truth * inside, axes=(1, 2, 3))
    maps = mr.espirit(kspace, calibration=(16, 16, 16), kernel=4)
    assert np.quantile(overlap(np.where(inside, maps, 0), np.where(inside, truth, 0)), 0.02) > 0.99


def test_same_bits_for_any_number_of_threads(brain):
    results = []
    for threads in (1, 2):
        with prc.set_num_threads(threads):
            lower = complex_normal(np.random.default_rng(1), (10, 1000))
            lower[[0, 2, 5, 9]] = np.abs(lower[[0, 2, 5, 9]]) + 3
            vectors, values = np.empty((2, 4, 1000), np.complex64), np.empty((2, 1000), np.float32)
            cpu.coil_eigenvectors(lower, 40, np.ones(4, np.complex64), vectors, values)
            results.append((vectors, mr.espirit(brain, maps=2), mr.inati(brain, window=3)))
    assert all(np.array_equal(a, b) for a, b in zip(*results, strict=True))


@pytest.mark.parametrize("maps, dtype", [(1, np.complex64), (2, np.complex128)])
def test_coil_eigenvectors_parity(device, maps, dtype):
    rng = np.random.default_rng(2)
    coils, pixels = 5, 37
    basis = np.linalg.qr(complex_normal(rng, (pixels, coils, coils), np.complex128))[0]
    full = np.einsum("pik,k,pjk->ijp", basis, [1, 0.6, 0.3, 0.1, 0.05], basis.conj())
    lower = np.ascontiguousarray(full[np.tril_indices(coils)], dtype)

    def run(kernels, array, numpy):
        vectors = array(np.empty((maps, coils, pixels), dtype))
        values = array(np.empty((maps, pixels), lower.real.dtype))
        reference = array(np.arange(1, coils + 1).astype(dtype))
        kernels.coil_eigenvectors(array(lower), 60, reference, vectors, values)
        return numpy(vectors), numpy(values)

    expected = run(cpu, np.array, np.asarray)
    with device:
        got = run(device.kernels, device.array, device.numpy)
    # the GPU takes plain steps, the CPU squared ones: both converge to the stopping rule
    tolerance = 2e-3 if dtype == np.complex64 else 2e-6
    assert relative_error(got[0], expected[0]) < tolerance
    assert relative_error(got[1], expected[1]) < tolerance**2 * 10
    turned = np.einsum("c,mcp->mp", np.arange(1, coils + 1), expected[0])
    assert np.abs(turned.imag).max() < 1e-5 and turned.real.min() > 0
    for m in range(maps):
        truth = basis[:, :, m].T
        assert overlap(expected[0][m], truth).min() > 1 - 1e-5
        assert np.allclose(expected[1][m], [1, 0.6][m], atol=1e-5)


def test_espirit_parity(device):
    kspace = complex_normal(np.random.default_rng(3), (3, 16, 18))
    kspace *= np.exp(-0.05 * (np.arange(16)[:, None] - 8) ** 2 - 0.05 * (np.arange(18) - 9) ** 2)
    options = {"calibration": 10, "kernel": 3, "crop": 0.0, "iterations": 200}
    expected = mr.espirit(kspace, **options)
    with device:
        got = device.numpy(mr.espirit(device.array(kspace), **options))
    assert np.quantile(overlap(got, expected), 0.05) > 0.999


@pytest.mark.parametrize("shape", [(33, 41), (40, 36), (12, 15, 13)])
@pytest.mark.parametrize("dtype", [np.complex64, np.complex128])
def test_matches_the_definition(shape, dtype):
    """Eigenvalues and vectors of the averaged projection, pixel by pixel, in double precision."""
    rng = np.random.default_rng(5)
    coils, kernel = 3, 3
    size = (9,) * len(shape)
    kspace = np.zeros((coils, *shape), np.complex128)
    middle = tuple(slice(n // 2 - 4, n // 2 + 5) for n in shape)
    maps = complex_normal(rng, (coils, *size), np.complex128)
    decay = np.exp(-0.4 * sum((np.indices(size) - 4.0) ** 2))
    kspace[(slice(None), *middle)] = maps * decay
    got, values = mr.espirit(
        kspace.astype(dtype),
        calibration=9,
        kernel=kernel,
        crop=0,
        maps=2,
        threshold=0.05,
        iterations=3000,
        return_eigenvalues=True,
    )
    centre = kspace[(slice(None), *middle)]
    windows = np.lib.stride_tricks.sliding_window_view(
        centre, (kernel,) * len(shape), axis=tuple(range(1, centre.ndim))
    )
    dims = len(shape)
    order = (0, *range(1 + dims, 1 + 2 * dims), *range(1, 1 + dims))
    patches = windows.transpose(order).reshape(coils * kernel**dims, -1)
    u, s, _ = np.linalg.svd(patches, full_matrices=False)
    span = u[:, s > 0.05 * s[0]].reshape(coils, *(kernel,) * dims, -1)
    for pixel in [tuple(rng.integers(0, n) for n in shape) for _ in range(12)]:
        waves = 1
        for axis, (at, n) in enumerate(zip(pixel, shape, strict=True)):
            wave = np.exp(2j * np.pi * np.arange(kernel) * (at - n // 2) / n)
            waves = waves * wave.reshape([-1 if i == axis else 1 for i in range(dims)])
        g = np.einsum("p,cpr->cr", waves.ravel(), span.reshape(coils, -1, span.shape[-1]))
        expected, vectors = np.linalg.eigh(g @ g.conj().T / kernel**dims)
        found = values[(slice(None), *pixel)]
        assert np.allclose(found, expected[::-1][:2], atol=2e-4 if dtype == np.complex64 else 1e-6)
        if expected[-1] - expected[-2] > 0.05:
            one = got[(0, slice(None), *pixel)]
            assert abs(np.vdot(vectors[:, -1], one)) > 1 - 1e-4


def test_eigenvalues_are_one_inside(brain):
    """And two sets need no more where one explains everything."""
    maps, values = mr.espirit(brain, maps=2, crop=0.9, return_eigenvalues=True)
    assert values.shape == (2, *brain.shape[1:]) and values.dtype == np.float32
    assert (np.diff(values, axis=0) <= 1e-4).all() and values.max() < 1.001
    centre = mr.ifft(np.pad(brain[:, 103:127, 78:102], ((0, 0), (103, 103), (78, 78))))
    root = mr.combine_coils(centre)
    inside = root > 0.3 * root.max()
    assert np.median(values[0][inside]) > 0.995 and values[0][inside].min() > 0.95
    assert np.median(values[1][inside]) < 0.7
    assert np.array_equal(np.abs(maps[0]).sum(0) > 0, values[0] >= 0.9)
    assert relative_error(maps[0], mr.espirit(brain, maps=2)[0]) < 1e-6


def test_two_sets_where_the_object_wraps():
    """An object twice the field of view: two maps explain the folded k-space, one does not."""
    n = 64
    maps = prc.phantom.coil_maps(8, (2 * n, n)).astype(np.complex64)
    y, x = np.indices((2 * n, n))
    image = (np.hypot((y - n) / 1.6, x - n / 2) < 28) * (1 + 0.2 * np.cos(y / 5))
    kspace = mr.fft(maps * image)[:, ::2]  # every second line: folded once along y
    sets, values = mr.espirit(kspace, maps=2, crop=0.8, return_eigenvalues=True)
    folded = image.reshape(2, n, n)[:, :, :] > 0
    twice = np.roll(folded.all(0), n // 2, axis=0)
    assert values[1][twice].mean() > values[1][~twice].mean() + 0.15
    images = mr.ifft(kspace)

    def residual(maps):
        rest = images - sum(m * np.sum(m.conj() * images, axis=0) for m in maps)
        return np.linalg.norm(rest) / np.linalg.norm(images)

    assert residual(sets) < 0.1 * residual(sets[:1])


def test_phase_reference(brain):
    body = mr.espirit(brain)
    first = mr.espirit(brain, phase=2)
    assert np.abs(first[2].imag).max() < 1e-5 and first[2].real.min() > -1e-5
    assert overlap(body, first).min() > 1 - 1e-5
    centre = brain[:, 103:127, 78:102].reshape(8, -1)
    principal = np.linalg.eigh(centre @ centre.conj().T)[1][:, -1]
    along = np.einsum("c,cyx->yx", principal.conj(), body)
    turned = along * along.sum().conj() / np.abs(along.sum())
    assert np.abs(turned.imag).max() < 1e-4
    with pytest.raises(prc.DataError, match="phase is 8, but kspace has 8 coils"):
        mr.espirit(brain, phase=8)


def test_separate_calibration_scan(brain):
    """A calibration scan alone, and the shape of the maps, give the maps of the whole k-space."""
    scan = np.ascontiguousarray(brain[:, 103:127, 78:102])
    maps = mr.espirit(scan, shape=(230, 180))
    assert relative_error(maps, mr.espirit(brain)) < 1e-6
    finer = mr.espirit(scan, shape=(460, 360))
    assert overlap(np.ascontiguousarray(finer[:, ::2, ::2]), maps).min() > 0.999


def test_automatic_threshold():
    """It keeps the signal's space whatever the noise, where a fixed one keeps noise as well."""
    n = 64
    truth = prc.phantom.coil_maps(8, (n, n))
    image = prc.phantom.shepp_logan(2).raster(prc.Volume((n, n), spacing=2 / n))
    inside = image > 0.1
    kspace = mr.fft(truth * image)
    noise = complex_normal(np.random.default_rng(1), kspace.shape, np.complex128)
    for level, least in ((1e-3, 0.999), (0.03, 0.997), (0.1, 0.98)):
        maps = mr.espirit((kspace + level * noise).astype(np.complex64), threshold="auto", crop=0.0)
        same = overlap(np.where(inside, maps, 0), np.where(inside, truth, 0))
        assert np.quantile(same, 0.05) > least, level
    with pytest.raises(prc.DataError, match="threshold is 'fixed'"):
        mr.espirit(kspace, threshold="fixed")


@pytest.mark.parametrize("shape, options", [((8, 128, 96), {}), ((4, 16, 24, 20), {"kernel": 4})])
def test_memory_stays_within_the_stated_bound(shape, options):
    import tracemalloc

    kspace = complex_normal(np.random.default_rng(2), shape)
    size = 16 if len(shape) == 4 else 24
    mr.espirit(kspace, calibration=size, **options)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    maps = mr.espirit(kspace, calibration=size, maps=2, **options)
    peak = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    bound = mr.espirit_memory(shape, (size,) * (len(shape) - 1), maps=2, **options)
    assert peak - maps.nbytes < bound + (1 << 18)


@pytest.mark.skipif(not shutil.which("bart"), reason="bart is not installed")
@pytest.mark.parametrize("maps", [1, 2])
def test_espirit_bart(brain, tmp_path, maps):
    data = np.moveaxis(brain, 0, -1)[None]  # (1, y, x, coil)
    path = tmp_path / "k"
    path.with_suffix(".hdr").write_text("# Dimensions\n" + " ".join(map(str, data.shape)) + "\n")
    data.ravel(order="F").tofile(path.with_suffix(".cfl"))
    command = ["bart", "ecalib", "-m", str(maps), "-r", "24", "-k", "6", "-c", "0", "-t", "0.0004"]
    subprocess.run([*command, str(path), str(tmp_path / "s")], check=True, capture_output=True)
    theirs = np.fromfile(tmp_path / "s.cfl", np.complex64)
    theirs = np.moveaxis(theirs.reshape((*brain.shape[1:], 8, maps), order="F"), (2, 3), (1, 0))
    theirs = np.moveaxis(theirs, 1, 1).reshape(maps, 8, *brain.shape[1:]) if maps == 1 else theirs
    ours = mr.espirit(brain, maps=maps, crop=0, threshold=0.02, return_eigenvalues=True)
    sets, values = ours[0].reshape(maps, 8, *brain.shape[1:]), ours[1].reshape(maps, -1)
    inside = (values[0] > 0.95).reshape(brain.shape[1:])
    assert np.quantile(overlap(sets[0][:, inside], theirs[0][:, inside]), 0.02) > 0.999


def test_espirit_on_the_real_coils_of_a_brain():
    """Fully sampled: the maps explain all coil images where there is signal."""
    scipy_io = pytest.importorskip("scipy.io")
    images = scipy_io.loadmat(data_path("mr", "gpunufft", "img_brain_4ch.mat"))["img"]
    images = np.moveaxis(images, -1, 0)
    maps = mr.espirit(mr.fft(images), crop=0.8)
    combined = mr.combine_coils(images, maps)
    root = mr.combine_coils(images)
    inside = root > 0.1 * root.max()
    rest = (images - maps * combined)[:, inside]
    assert np.linalg.norm(rest) < 0.06 * np.linalg.norm(images[:, inside])


def test_bad_input_52_all_zero():
    with pytest.raises(prc.DataError, match="only zeros in the calibration region"):
        mr.espirit(np.zeros((4, 32, 32), np.complex64))


def test_bad_input_53_calibration_larger_than_kspace():
    ones = np.ones((4, 32, 20), np.complex64)
    with pytest.raises(prc.ShapeError, match=r"\(24, 24\) is larger than k-space \(32, 20\)"):
        mr.espirit(ones)
    with pytest.raises(prc.ShapeError, match="smaller than the kernel of 6"):
        mr.espirit(ones, calibration=(24, 5))


def test_bad_input_54_real_kspace():
    with pytest.raises(prc.DataError, match="dtype float32; accepted are complex64"):
        mr.espirit(np.ones((4, 32, 32), np.float32))


def test_bad_input_61_half_precision():
    with pytest.raises(prc.DataError, match="dtype float16; accepted are complex64"):
        mr.espirit(np.ones((4, 32, 32), np.float16))


def test_bad_numbers():
    ones = np.ones((4, 32, 32), np.complex64)
    with pytest.raises(prc.DataError, match="maps is 5, but kspace has 4 coils"):
        mr.espirit(ones, maps=5)
    with pytest.raises(prc.ShapeError, match=r"shape is \(32, 32, 32\), but kspace has 2 axes"):
        mr.espirit(ones, shape=(32, 32, 32))
    ones[2, 16, 16] = np.nan
    with pytest.raises(
        prc.DataError, match=r"1 NaN or Inf values, the first at index \(2, 16, 16\)"
    ):
        mr.espirit(ones)
