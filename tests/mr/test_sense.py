"""SENSE operator and CG-SENSE: exact adjoints, agreeing routes, real data, bad input."""

import numpy as np
import pytest
import scipy.io
from helpers import assert_adjoint, data_path, relative_error

import pyrad_core as prc
from pyrad_core import mr

from .oracles import complex_normal, direct_nudft, random_coordinates


def problem(rng, coils, shape, samples, dtype=np.complex64):
    maps = complex_normal(rng, (coils, *shape), dtype)
    return maps, random_coordinates(rng, samples, shape), rng.random(samples) + 0.1


@pytest.mark.parametrize("shape, coils", [((20, 23), 3), ((16, 37), 20), ((8, 9, 10), 2)])
@pytest.mark.parametrize("dtype", [np.complex64, np.complex128])
def test_cartesian_operator(shape, coils, dtype):
    rng = np.random.default_rng(0)
    maps = complex_normal(rng, (coils, *shape), dtype)
    mask = rng.random(shape) < 0.6
    image = complex_normal(rng, shape, dtype)
    operator = mr.Sense(maps, mask=mask)
    expected = mask * mr.fft(maps * image, axes=tuple(range(1, len(shape) + 1)))
    tolerance = 1e-6 if dtype == np.complex64 else 1e-13
    assert relative_error(operator.forward(image), expected) < tolerance
    assert_adjoint(
        operator, complex_domain=True, dtype=np.float32 if tolerance > 1e-9 else np.float64
    )
    both_halves = operator.adjoint(operator.forward(image))
    assert relative_error(operator.gram.forward(image), both_halves) < tolerance


@pytest.mark.parametrize("shape, coils", [((24, 21), 3), ((20, 18), 17), ((8, 9, 10), 2)])
def test_noncartesian_operator_direct_sum(shape, coils):
    rng = np.random.default_rng(1)
    maps, k, weights = problem(rng, coils, shape, 200)
    image = complex_normal(rng, shape)
    operator = mr.Sense(maps, coordinates=k, weights=weights, eps=1e-5)
    expected = np.sqrt(weights) * direct_nudft(maps * image, k, shape)
    assert relative_error(operator.forward(image), expected) < 1e-5
    assert_adjoint(operator, complex_domain=True)
    both_halves = operator.adjoint(operator.forward(image))
    for normal, tolerance in (("nufft", 2e-6), ("toeplitz", 1e-5)):
        route = mr.Sense(maps, coordinates=k, weights=weights, eps=1e-5, normal=normal)
        assert relative_error(route.gram.forward(image), both_halves) < tolerance


@pytest.mark.parametrize("shape", [(24, 21), (32,), (7, 8, 9)])
def test_toeplitz_is_the_gram(shape):
    rng = np.random.default_rng(2)
    k, weights = random_coordinates(rng, 300, shape), rng.random(300)
    image = complex_normal(rng, (3, *shape))
    nufft = mr.NUFFT(k, shape, eps=1e-4)
    expected = nufft.adjoint(weights * nufft.forward(image))
    normal = nufft.toeplitz(weights)
    assert relative_error(normal.forward(image), expected) < 3e-4
    assert_adjoint(normal, complex_domain=True)


def test_cg_sense_known_truth_brain():
    images = scipy.io.loadmat(data_path("mr", "gpunufft", "img_brain_4ch.mat"))["img"]
    images = np.ascontiguousarray(np.moveaxis(images, -1, 0), np.complex64)
    maps = mr.espirit(mr.fft(images))
    truth = mr.combine_coils(images, maps)
    mask = np.zeros((256, 256), bool)
    mask[::2] = mask[116:140] = True
    image = mr.cg_sense(mask * mr.fft(maps * truth), maps, iterations=40)
    assert relative_error(image, truth) < 0.01
    k = mr.radial(128, 512, 256)
    kspace = mr.NUFFT(k, (256, 256), eps=1e-5).forward(maps * truth)
    weights = mr.density_compensation(k, (256, 256))
    image = mr.cg_sense(kspace, maps, coordinates=k, weights=weights, iterations=20)
    assert relative_error(image, truth) < 0.06


def test_cg_sense_real_cartesian_brain():
    kspace = np.load(data_path("mr", "sigpy_tutorial", "cartesian_ksp.npy"))
    maps = mr.espirit(kspace)
    residuals = []
    with pytest.warns(prc.PyradWarning, match="only 8 coils"):
        image = mr.cg_sense(
            kspace,
            maps,
            iterations=20,
            regularization=1e-2,
            callback=lambda k, x, residual: residuals.append(residual),
        )
    assert residuals[-1] < 5e-3
    mask = np.abs(kspace).sum(0) > 0
    explained = mask * mr.fft(maps * image)
    assert relative_error(explained, kspace) < 0.1


def test_cg_sense_real_radial_heart():
    scan = scipy.io.loadmat(data_path("mr", "gpunufft", "radial_cardiac_25_projections.mat"))
    kspace = np.ascontiguousarray(np.moveaxis(scan["rawdata"], -1, 0), np.complex64)
    k = scan["k"]
    coordinates, weights = np.stack([k.imag, k.real], -1) * 256, np.abs(k)
    low = kspace * (weights < 0.1) * weights
    maps = mr.walsh(mr.NUFFT(coordinates, (256, 256)).adjoint(low.astype(np.complex64)), window=9)
    residuals = []
    mr.cg_sense(
        kspace,
        maps,
        coordinates=coordinates,
        weights=weights,
        iterations=15,
        regularization=1e-6,
        callback=lambda k, x, residual: residuals.append(residual),
    )
    assert residuals[0] < 0.8 and residuals[4] < 0.15 and residuals[-1] < 0.06


def test_sense_parity(device):
    rng = np.random.default_rng(3)
    maps, k, weights = problem(rng, 3, (14, 12), 120)
    mask = rng.random((14, 12)) < 0.7
    image = complex_normal(rng, (14, 12))
    for given in ({"mask": mask}, {"coordinates": k, "weights": weights}):
        expected = mr.Sense(maps, **given).gram.forward(image)
        with device:
            moved = {name: device.array(value) for name, value in given.items()}
            operator = mr.Sense(device.array(maps), **moved)
            got = device.numpy(operator.gram.forward(device.array(image)))
        assert relative_error(got, expected) < 2e-6


def test_bad_input_50_51_shapes():
    maps = np.ones((5, 16, 16), np.complex64)
    with pytest.raises(prc.ShapeError, match="kspace has 4 coils, but maps has 5"):
        mr.cg_sense(np.ones((4, 16, 16), np.complex64), maps)
    with pytest.raises(prc.ShapeError, match=r"\(5, 11\).*\(5, 10\)"):
        mr.cg_sense(np.ones((5, 11), np.complex64), maps, coordinates=np.zeros((10, 2)))
    with pytest.raises(prc.ShapeError, match="mask has shape"):
        mr.Sense(maps, mask=np.ones((16, 15)))


def test_bad_input_55_zero_weights():
    maps, k = np.ones((2, 16, 16), np.complex64), np.zeros((10, 2))
    with pytest.raises(prc.DataError, match="weights are all zero"):
        mr.Sense(maps, coordinates=k, weights=np.zeros(10))
    with pytest.raises(prc.DataError, match="negative"):
        mr.Sense(maps, coordinates=k, weights=np.linspace(-1, 1, 10))


def test_bad_input_57_acceleration_beyond_coils():
    mask = np.zeros((16, 16), bool)
    mask[::4] = True
    with pytest.warns(prc.PyradWarning, match="one sample in 4.0.*only 2 coils"):
        mr.Sense(np.ones((2, 16, 16), np.complex64), mask=mask)


def test_bad_input_60_nan_sample():
    kspace = np.ones((2, 16, 16), np.complex64)
    kspace[1, 3, 4] = np.nan
    with pytest.raises(prc.DataError, match=r"kspace holds 1 NaN.*\(1, 3, 4\)"):
        mr.cg_sense(kspace, np.ones((2, 16, 16), np.complex64))


def test_mask_and_coordinates_exclude_each_other():
    maps = np.ones((2, 16, 16), np.complex64)
    with pytest.raises(prc.DataError, match="not both"):
        mr.Sense(maps, mask=np.ones((16, 16)), coordinates=np.zeros((3, 2)))


@pytest.mark.parametrize("spokes, nrmse", [(96, 0.0636), (402, 0.0560)])
def test_cg_sense_published_problem(spokes, nrmse):
    """Shepp-Logan, 12 birdcage coils, radial: what CG over other NUFFTs reaches."""
    coils = pytest.importorskip("sigpy.mri")
    from skimage.data import shepp_logan_phantom
    from skimage.transform import resize

    truth = resize(shepp_logan_phantom(), (256, 256), anti_aliasing=True).astype(np.float32)
    maps = coils.birdcage_maps((12, 256, 256)).astype(np.complex64)
    k = mr.radial(spokes, 512, 256)
    exact = mr.NUFFT(k, (256, 256), eps=1e-6).forward(maps * truth)
    noise = np.random.default_rng(0).standard_normal(exact.shape)
    kspace = (exact + 1e-4 * np.abs(exact).max() * noise).astype(np.complex64)
    weights = np.linalg.norm(k, axis=-1) / 256 + 0.5 / 512
    weights *= 256**2 / weights.sum()
    image = mr.cg_sense(
        kspace, maps, coordinates=k, weights=weights, iterations=20, regularization=1e-3
    )
    scale = np.vdot(image, truth) / np.vdot(image, image)
    assert abs(relative_error(scale * image, truth) - nrmse) < 1e-3
