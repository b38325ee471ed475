"""Joint estimation of image and maps: closed-form phantoms, the brain, operators, parity."""

import importlib

import numpy as np
import pytest
from helpers import data_path, relative_error

import pyrad_core as prc
from pyrad_core import mr, phantom
from pyrad_core._kernels import cpu
from pyrad_core._kernels.select import edge_of
from pyrad_core.errors import PyradWarning
from pyrad_core.mr._joint import FourierBasis, JointModel, PolynomialBasis

from .oracles import complex_normal, direct_nudft

nlinv_module = importlib.import_module("pyrad_core.mr.nlinv")


@pytest.fixture(scope="module")
def brain():
    scipy_io = pytest.importorskip("scipy.io")
    images = scipy_io.loadmat(data_path("mr", "gpunufft", "img_brain_4ch.mat"))["img"]
    images = np.moveaxis(images, -1, 0).astype(np.complex64)
    return mr.fft(images), mr.combine_coils(images)


@pytest.fixture(scope="module")
def head():
    n = 64
    maps = phantom.coil_maps(6, (n, n)).astype(np.complex64)
    image = phantom.shepp_logan(2).raster(prc.Volume((n, n), spacing=2 / n))
    return maps, image, mr.fft(maps * image)


def lines(n, step, centre):
    mask = np.zeros((n, n), np.float32)
    mask[::step] = 1
    mask[n // 2 - centre // 2 : n // 2 + centre // 2] = 1
    return mask


def test_nlinv_brain_against_the_truth(brain):
    kspace, truth = brain
    mask = lines(256, 2, 24)
    image, maps = mr.nlinv(kspace * mask)
    assert image.dtype == maps.dtype == np.complex64 and maps.shape == kspace.shape
    assert np.allclose(np.linalg.norm(maps, axis=0), 1, atol=1e-5)
    error = relative_error(np.abs(image), truth)
    zero_filled = relative_error(mr.combine_coils(mr.ifft(kspace * mask)), truth)
    assert error < 0.06 < 0.5 * zero_filled
    # the maps serve SENSE
    sense = mr.cg_sense(kspace * mask, maps, mask=mask, iterations=10, regularization=1e-3)
    assert relative_error(np.abs(sense), truth) < 0.06


def test_jsense_brain_against_the_truth(brain):
    kspace, truth = brain
    mask = lines(256, 2, 24)
    image, maps = mr.jsense(kspace * mask, iterations=4)
    assert relative_error(np.abs(image), truth) < 0.05
    assert np.allclose(np.linalg.norm(maps, axis=0), 1, atol=1e-5)


@pytest.mark.parametrize("method, bound", [(mr.nlinv, 0.05), (mr.jsense, 0.05)])
def test_full_kspace_closed_form(head, method, bound):
    maps, image, kspace = head
    options = {"iterations": 12} if method is mr.nlinv else {}
    got, found = method(kspace.astype(np.complex128), **options)
    assert got.dtype == np.complex128
    assert relative_error(np.abs(got), image * np.linalg.norm(maps, axis=0)) < bound
    assert relative_error(found * got, maps * image) < bound


@pytest.mark.parametrize("method", [mr.nlinv, mr.jsense])
def test_noncartesian_against_direct_samples(head, method):
    """Samples are direct sums; amplitude and place come out without a fit."""
    maps, image, _ = head
    spokes = mr.radial(48, 128, 64)
    samples = direct_nudft(maps * image, spokes.reshape(-1, 2), (64, 64)).reshape(
        6, *spokes.shape[:-1]
    )
    weights = np.linalg.norm(spokes, axis=-1) + 0.25
    got, _ = method(
        samples.astype(np.complex64), coordinates=spokes, shape=(64, 64), weights=weights
    )
    truth = image * np.linalg.norm(maps, axis=0)
    assert relative_error(np.abs(got), truth) < 0.15


def test_odd_sizes_and_many_coils():
    rng = np.random.default_rng(1)
    shape = (37, 33)
    y, x = np.indices(shape)
    maps = np.stack(
        [
            np.exp(-((y - a) ** 2 + (x - b) ** 2) / 900 + 1j * rng.uniform(0, 6))
            for a, b in rng.uniform(0, 36, (18, 2))
        ]
    )
    image = (np.hypot(y - 18, x - 16) < 13) * (1 + 0.5 * np.sin(y / 3))
    kspace = mr.fft(maps * image).astype(np.complex64)
    for method in (mr.nlinv, mr.jsense):
        got, found = method(kspace)
        assert found.shape == kspace.shape
        assert relative_error(found * got, maps * image) < 0.06, method


def test_three_dimensions():
    shape = (10, 16, 17)
    axes = np.meshgrid(*[np.linspace(-1, 1, n) for n in shape], indexing="ij")
    maps = np.stack(
        [np.exp(-0.5 * (axes[i % 3] - s) ** 2) for i, s in enumerate((-1, 1, 0.5, -0.5))]
    )
    image = (sum(a**2 for a in axes) < 0.7) * (1 + 0.3j)
    kspace = mr.fft(maps * image, axes=(1, 2, 3)).astype(np.complex64)
    got, found = mr.nlinv(kspace)
    assert got.shape == shape and relative_error(found * got, maps * image) < 0.08


@pytest.mark.parametrize("kind", ["cartesian", "radial"])
@pytest.mark.parametrize("dtype", [np.complex64, np.complex128])
def test_the_normal_operator_is_hermitian(kind, dtype):
    rng = np.random.default_rng(2)
    shape = (18, 15)
    if kind == "cartesian":
        y, options = complex_normal(rng, (3, *shape), dtype), {"coordinates": None, "weights": None}
        options["mask"] = (rng.random(shape) < 0.5).astype(y.real.dtype)
    else:
        spokes = mr.radial(9, 30, 15)
        y = complex_normal(rng, (3, *spokes.shape[:-1]), dtype)
        options = {"coordinates": spokes, "weights": None, "mask": None}
    edge = edge_of(kspace=y, **{k: v for k, v in options.items() if v is not None})
    model = JointModel(edge, y, shape, eps=1e-5 if dtype == np.complex64 else 1e-11, **options)
    basis = FourierBasis(edge, shape, model.real, 220 / 256**2, 32.0)
    newton = nlinv_module._Newton(model, basis)
    newton.x = complex_normal(rng, newton.x.shape, dtype)
    newton._move()
    a, b = complex_normal(rng, newton.x.shape, dtype), complex_normal(rng, newton.x.shape, dtype)
    wide = np.complex128
    forward = newton._normal(b).astype(wide)
    left = np.vdot(a.astype(wide), forward)
    right = np.vdot(newton._normal(a).astype(wide), b.astype(wide))
    scale = np.linalg.norm(a.astype(wide)) * np.linalg.norm(forward)
    assert abs(left - right) < (1e-6 if dtype == np.complex64 else 1e-12) * scale
    assert np.vdot(a.astype(wide), newton._normal(a).astype(wide)).real > 0
    # the gradient is that of the misfit: a difference quotient along b agrees (up to its 2nd order)
    if dtype == np.complex128:
        base, g = newton.x, newton._joined(*model.adjoint(residual=True))

        def misfit(t):  # relative to b^H b: <x, N x> / 2 - Re <x, back-projected data>
            newton.x = base + t * b
            newton._move()
            total, ones = 0.0, np.ones_like(model.zeros)
            for back, maps in zip(model.data, model.maps, strict=True):
                product = model.image[..., None] * maps
                work = np.empty_like(back)
                cpu.bilinear_pad(ones, product, ones * 0, product, model.factors, work)
                copy = work.copy()
                model.transform.normal(cpu, work)
                total += np.vdot(copy, work).real / 2 - np.vdot(copy, back).real
            return total

        slope = (misfit(1e-5) - misfit(-1e-5)) / 2e-5
        assert abs(slope + np.vdot(g, b).real) < 1e-6 * abs(slope)


@pytest.mark.parametrize("shape", [(9, 12), (5, 8, 7)])
def test_bases_are_adjoint(shape):
    rng = np.random.default_rng(3)
    edge = edge_of(x=np.zeros(1))
    for basis in (
        FourierBasis(edge, shape, np.dtype(np.float64), 220 / 256**2, 32.0),
        PolynomialBasis(edge, shape, np.dtype(np.float64), 4),
    ):
        a = complex_normal(rng, basis.shape(4), np.complex128)
        size = (1,) * (3 - len(shape)) + shape
        b = complex_normal(rng, (*size, 4), np.complex128)
        out, back = np.empty_like(b), np.empty_like(a)
        basis.expand(a, out)
        left = np.vdot(b, out)
        basis.reduce(b.copy(), back)
        assert abs(left - np.vdot(back, a)) < 1e-12 * abs(left)


@pytest.mark.parametrize("dtype", [np.complex64, np.complex128])
@pytest.mark.parametrize(
    "size, cells, lanes", [((3, 5, 6), (4, 8, 9), 4), ((1, 7, 8), (1, 7, 8), 1)]
)
def test_bilinear_kernels(device, dtype, size, cells, lanes):
    rng = np.random.default_rng(4)
    image, d_image = complex_normal(rng, size, dtype), complex_normal(rng, size, dtype)
    maps, d_maps = (
        complex_normal(rng, (*size, lanes), dtype),
        complex_normal(rng, (*size, lanes), dtype),
    )
    factors = rng.random(sum(size)).astype(image.real.dtype)
    z, y, x = size
    by = factors[:z, None, None] * factors[z : z + y, None] * factors[z + y :]
    values = by[..., None] * (d_image[..., None] * maps + image[..., None] * d_maps)
    expected = np.zeros((*cells, lanes), dtype)
    at = np.ix_(*[(np.arange(n) - n // 2) % g for n, g in zip(size, cells, strict=True)])
    expected[at] = values
    given = complex_normal(rng, (*cells, lanes), dtype)
    tolerance = 1e-6 if dtype == np.complex64 else 1e-14

    def run(kernels, array, numpy):
        grid = array(np.full((*cells, lanes), np.nan, dtype))
        a, b, c, d, f = (array(v) for v in (image, maps, d_image, d_maps, factors))
        kernels.bilinear_pad(a, b, c, d, f, grid)
        assert relative_error(numpy(grid), expected) < tolerance
        back, parts = array(np.empty_like(image)), array(np.empty_like(maps))
        kernels.bilinear_crop(array(given), a, b, f, back, parts)
        inner = by[..., None] * given[at]
        assert relative_error(numpy(back), (maps.conj() * inner).sum(-1)) < tolerance
        assert relative_error(numpy(parts), image.conj()[..., None] * inner) < tolerance

    run(cpu, np.array, np.asarray)
    with device:
        run(device.kernels, device.array, device.numpy)


@pytest.mark.parametrize("method", ["nlinv", "jsense"])
@pytest.mark.parametrize("radial", [False, True])
def test_parity(device, method, radial):
    rng = np.random.default_rng(5)
    n = 16
    maps = phantom.coil_maps(3, (n, n)).astype(np.complex64)
    image = (1 + rng.random((n, n))).astype(np.float32)
    options = {"iterations": 3, "cg_iterations": 5}
    if method == "jsense":
        options["degree"], options["calibration"] = 4, 8
    arrays = {"kspace": mr.fft(maps * image)}
    if radial:
        spokes = mr.radial(24, 32, n)
        arrays = {"kspace": mr.NUFFT(spokes, (n, n)).forward(maps * image), "coordinates": spokes}
        options["shape"] = (n, n)
    expected = getattr(mr, method)(**arrays, **options)
    with device:
        moved = {name: device.array(x) for name, x in arrays.items()}
        got = getattr(mr, method)(**moved, **options)
        for a, b in zip(got, expected, strict=True):
            assert relative_error(device.numpy(a), b) < 1e-3


def test_same_bits_for_any_number_of_threads(head):
    results = []
    for threads in (1, 2):
        with prc.set_num_threads(threads):
            results.append(mr.nlinv(head[2], iterations=2, cg_iterations=3))
    assert all(np.array_equal(a, b) for a, b in zip(*results, strict=True))


@pytest.mark.parametrize("method", [mr.nlinv, mr.jsense])
def test_bad_input_52_54_61_and_shapes(method):
    good = complex_normal(np.random.default_rng(0), (2, 16, 16))
    with pytest.raises(prc.DataError, match="kspace holds only zeros"):
        method(good * 0)
    with pytest.raises(prc.DataError, match="dtype float32; accepted are complex64"):
        method(good.real.copy())
    with pytest.raises(prc.DataError, match="dtype float16"):
        method(good.real.astype(np.float16))
    bad = good.copy()
    bad[1, 2, 3] = np.inf
    with pytest.raises(prc.DataError, match=r"first at index \(1, 2, 3\)"):
        method(bad)
    with pytest.raises(prc.DataError, match="shape is None"):
        method(good, coordinates=np.zeros((16, 16, 2)))
    with pytest.raises(prc.ShapeError, match=r"\(2, 16, 16\), but coordinates \(15, 16, 2\)"):
        method(good, coordinates=np.zeros((15, 16, 2)), shape=(16, 16))
    with pytest.raises(prc.DataError, match="iterations is 0"):
        method(good, iterations=0)


def test_callback_stops():
    seen = []
    kspace = complex_normal(np.random.default_rng(0), (2, 16, 16))
    mr.nlinv(kspace, callback=lambda n, image: seen.append(image.shape) or n == 1)
    assert seen == [(16, 16)] * 2


@pytest.mark.parametrize("method", [mr.nlinv, mr.jsense])
def test_a_single_sample_gives_finite_values(method):
    sample = np.array([[0.64 + 0.1j]], np.complex64)
    image, maps = method(sample, coordinates=np.array([[0.27, -0.46]]), shape=(2, 2), iterations=2)
    assert np.isfinite(image).all() and np.isfinite(maps).all()


@pytest.mark.parametrize("method", [mr.nlinv, mr.jsense])
def test_bad_input_57_more_acceleration_than_coils(method):
    kspace = complex_normal(np.random.default_rng(0), (2, 24, 16))
    kspace[:, np.arange(24) % 6 != 0] = 0
    with pytest.warns(PyradWarning, match="one sample in 6.0, but there are only 2 coils"):
        method(kspace, iterations=1)
    mask = (np.abs(kspace[0]) == 0).astype(np.float32)
    with pytest.raises(prc.DataError, match="only zeros"):
        method(kspace, mask=mask, iterations=1)
