"""Regularised reconstruction: solvers agree, priors do what they say, frames, sets of maps."""

import numpy as np
import pytest
import scipy.io
from helpers import assert_adjoint, data_path, relative_error

import pyrad_core as prc
from pyrad_core import DataError, ShapeError, mr
from pyrad_core.mr._encoding import Measurement

from .oracles import complex_normal


class Problem:
    """Shepp-Logan head, n x n, a few coils, Poisson mask, a little noise."""

    def __init__(self, n=64, coils=4, rate=3, dtype=np.complex64, noise=0.002):
        self.image = prc.phantom.shepp_logan(2, radius=0.9).raster(prc.Volume((n, n), 2 / n))
        self.maps = prc.phantom.coil_maps(coils, (n, n)).astype(dtype)
        self.mask = mr.poisson_mask((n, n), rate, calibration=12)
        rng = np.random.default_rng(0)
        full = mr.fft(self.maps * self.image) + noise * complex_normal(rng, self.maps.shape)
        self.kspace = (self.mask * full).astype(dtype)

    def recon(self, **options):
        options = {"mask": self.mask, "scale": "absolute", "cycle_spin": False, **options}
        return mr.compressed_sensing(self.kspace, self.maps, **options)


@pytest.fixture(scope="module")
def problem():
    return Problem()


@pytest.fixture(scope="module")
def exact():
    return Problem(n=32, dtype=np.complex128)


@pytest.mark.parametrize("prior", ["wavelet", "tv"])
def test_minimisers_of_all_solvers_agree(exact, prior):
    objective, images = {}, {}
    counts = {"fista": 120, "pogm": 120, "admm": 50, "pdhg": 200}
    for solver, iterations in counts.items():
        images[solver], info = exact.recon(
            prior=prior, weight=4e-3, iterations=iterations, solver=solver, return_info=True
        )
        assert info.solver == solver and info.stop_reason == "iterations"
        assert len(info.objective) == len(info.residuals) == info.iterations == iterations
        objective[solver] = info.objective[-1]
    best = min(objective.values())
    assert max(objective.values()) <= best * (1 + 2e-3), objective
    for image in images.values():
        assert relative_error(image, images["fista"]) < 2e-2


def test_tgv_of_all_solvers_and_frames(exact):
    """One minimum; slopes of the coil-combined image need no staircases."""
    options = dict(prior="tgv", weight=4e-3, return_info=True)
    counts = {"fista": 40, "admm": 20, "pdhg": 80}
    found = {s: exact.recon(solver=s, iterations=n, **options) for s, n in counts.items()}
    objective = {solver: info.objective[-1] for solver, (_, info) in found.items()}
    assert max(objective.values()) <= min(objective.values()) * (1 + 5e-3), objective
    for image, _ in found.values():
        assert relative_error(image, found["fista"][0]) < 3e-2
    both = np.stack([exact.kspace, 2 * exact.kspace])
    frames = mr.compressed_sensing(
        both, exact.maps, mask=exact.mask, prior="tgv", weight=1e-3, iterations=3
    )  # fmt: skip
    assert frames.shape == (2, 32, 32)


def test_objective_decreases_and_is_the_one_stated(exact):
    image, info = exact.recon(
        prior="tv", weight=4e-3, solver="pogm", iterations=60, return_info=True
    )
    assert info.objective[-1] < 0.5 * info.objective[0]
    steps = np.diff(info.objective)
    assert steps.max() < 1e-3 * info.objective[0]
    residual = exact.mask * mr.fft(exact.maps * image) - exact.kspace
    gradient = np.stack([np.diff(image, axis=a, append=np.take(image, [-1], a)) for a in (0, 1)])
    value = 0.5 * np.sum(abs(residual) ** 2)
    value += 4e-3 * np.sqrt((abs(gradient) ** 2).sum(axis=0)).sum()
    assert info.objective[-1] == pytest.approx(value, rel=1e-9)


@pytest.mark.parametrize("prior, weight, bound", [("wavelet", 2e-3, 0.06), ("tv", 2e-3, 0.03)])
def test_sparse_phantom_is_recovered(problem, prior, weight, bound):
    image = problem.recon(prior=prior, weight=weight, iterations=80, cycle_spin=True)
    assert image.dtype == np.complex64 and image.shape == (64, 64)
    zero_filled = mr.Sense(problem.maps, mask=problem.mask).adjoint(problem.kspace)
    assert relative_error(image, problem.image) < bound  # no fitted scale: amplitude is right
    assert relative_error(zero_filled, problem.image) > 4 * bound


def test_several_priors_together(exact):
    both = exact.recon(prior=("wavelet", "tv"), weight=(2e-3, 2e-3), iterations=150)
    other = exact.recon(prior=("tv", "wavelet"), weight=(2e-3, 2e-3), iterations=30, solver="admm")
    assert relative_error(both, other) < 1e-2


def test_relative_weight_does_not_depend_on_units(problem):
    options = {"scale": "relative", "weight": 3e-3, "iterations": 10, "mask": problem.mask}
    one = mr.compressed_sensing(problem.kspace, problem.maps, **options)
    large = mr.compressed_sensing(1000 * problem.kspace, problem.maps, **options)
    assert relative_error(large / 1000, one) < 1e-5
    _, info = mr.compressed_sensing(problem.kspace, problem.maps, return_info=True, **options)
    largest = abs(mr.Sense(problem.maps, mask=problem.mask).adjoint(problem.kspace)).max()
    assert info.weights == (pytest.approx(3e-3 * largest, rel=1e-6),)


def test_mask_defaults_to_samples_that_are_not_zero(problem):
    given = problem.recon(weight=2e-3, iterations=5)
    found = problem.recon(weight=2e-3, iterations=5, mask=None)
    np.testing.assert_array_equal(given, found)


def test_noncartesian_with_weights(problem):
    k = mr.radial(40, 128, 64)
    weights = mr.density_compensation(k, (64, 64))
    samples = mr.NUFFT(k, (64, 64), eps=1e-5).forward(problem.maps * problem.image)
    image = mr.compressed_sensing(
        samples, problem.maps, coordinates=k, weights=weights, weight=5e-4, iterations=40
    )
    assert relative_error(image, problem.image) < 0.08
    gridded = mr.Sense(problem.maps, coordinates=k, weights=weights).adjoint(
        np.sqrt(weights) * samples
    )
    assert relative_error(image, problem.image) < 0.5 * relative_error(gridded, problem.image)


def test_volume():
    shape = (16, 20, 18)
    image = np.zeros(shape)
    image[4:12, 5:15, 4:14] = 1
    image[6:9, 8:12, 6:9] = 2
    maps = complex_normal(np.random.default_rng(1), (3, *shape))
    maps /= np.linalg.norm(maps, axis=0)
    mask = np.random.default_rng(2).random(shape) < 0.5
    kspace = mask * mr.fft(maps * image, axes=(1, 2, 3))
    for prior in ("tv", "wavelet"):
        got = mr.compressed_sensing(
            kspace, maps, mask=mask, prior=prior, weight=1e-3, iterations=60, wavelet="haar"
        )
        assert relative_error(got, image) < 0.05


class Series:
    """A phantom of which a part changes over the frames as two time courses."""

    def __init__(self, frames=8, n=32, coils=4, dtype=np.complex64):
        y, x = np.mgrid[:n, :n] - n / 2
        disc = (np.hypot(y, x) < 0.4 * n).astype(float)
        part = np.hypot(y - 3, x + 5) < 0.15 * n
        other = np.hypot(y + 6, x - 4) < 0.12 * n
        t = np.linspace(0, 1, frames)[:, None, None]
        self.truth = disc * np.exp(0.3j * x / n) + part * np.exp(-2 * t) + other * t * (1 - t) * 4
        self.maps = prc.phantom.coil_maps(coils, (n, n)).astype(dtype)
        self.masks = np.stack(
            [mr.poisson_mask((n, n), 3.8, calibration=6, seed=i) for i in range(frames)]
        )
        full = mr.fft(self.maps * self.truth[:, None])
        self.kspace = (self.masks[:, None] * full).astype(dtype)


@pytest.fixture(scope="module")
def series():
    return Series()


@pytest.mark.parametrize(
    "prior, weight",
    [("llr", 2e-2), ("temporal_tv", 2e-3), (("llr", "temporal_tv"), (1e-2, 1e-3)), ("tv", 1e-3)],
)
def test_frames(series, prior, weight):
    image = mr.compressed_sensing(
        series.kspace, series.maps, mask=series.masks, prior=prior, weight=weight, iterations=40
    )
    assert image.shape == series.truth.shape
    assert relative_error(image, series.truth) < 0.06
    alone = mr.cg_sense(series.kspace[0], series.maps, mask=series.masks[0], iterations=30)
    error = relative_error(alone, series.truth[0])
    assert relative_error(image[0], series.truth[0]) < error


def test_frames_of_one_prior_are_independent(series):
    """Spatial priors couple nothing over frames: frame by frame gives the same."""
    options = {"weight": 2e-3, "scale": "absolute", "iterations": 10, "cycle_spin": False}
    for prior in ("wavelet", "tv"):
        together = mr.compressed_sensing(
            series.kspace, series.maps, mask=series.masks, prior=prior, **options
        )
        for t in (0, 5):
            alone = mr.compressed_sensing(
                series.kspace[t], series.maps, mask=series.masks[t], prior=prior, **options
            )
            assert relative_error(together[t], alone) < 5e-3


def test_noncartesian_frames(series):
    n, frames = 32, 8
    spokes = mr.golden_radial(frames * 13, 64, n).reshape(frames, 13, 64, 2)
    kspace = np.stack(
        [
            mr.NUFFT(k, (n, n)).forward(series.maps * x)
            for k, x in zip(spokes, series.truth, strict=True)
        ]
    )
    assert kspace.shape == (frames, 4, 13, 64)
    image = mr.compressed_sensing(
        kspace, series.maps, coordinates=spokes, prior="llr", weight=1e-2, iterations=40
    )
    assert relative_error(image, series.truth) < 0.1


@pytest.mark.parametrize("scattered", [False, True])
@pytest.mark.parametrize("frames, sets", [(3, 1), (1, 2), (3, 2)])
def test_encoding_is_adjoint(frames, sets, scattered):
    rng = np.random.default_rng(3)
    maps = complex_normal(rng, (sets, 4, 12, 10))
    given = {}
    shape = (frames, 4, 12, 10)
    if scattered:
        given["coordinates"] = (rng.random((frames, 50, 2)) - 0.5) * (12, 10)
        given["weights"] = rng.random((frames, 50)) + 0.1
        shape = (frames, 4, 50)
    else:
        given["mask"] = rng.random((frames, 12, 10)) < 0.5
    data = Measurement(complex_normal(rng, shape), maps, dims=2, **given)
    assert data.operator.domain_shape == (frames, sets, 12, 10)
    assert_adjoint(data.operator, complex_domain=True)
    x = complex_normal(rng, data.operator.domain_shape)
    both = data.operator.adjoint(data.operator.forward(x))
    assert relative_error(data.operator.gram.forward(x), both) < 1e-3  # eps
    if data.bound is not None:
        assert data.operator.norm() ** 2 <= data.bound


def test_soft_sense(problem):
    """Two sets of maps: the second explains what the first one cannot."""
    n = 64
    fold = np.roll(problem.image, n // 2, axis=0) * 0.5
    second = np.roll(problem.maps, n // 2, axis=1) * np.exp(1j)
    full = mr.fft(problem.maps * problem.image + second * fold)
    kspace = problem.mask * full
    soft = mr.compressed_sensing(
        kspace, np.stack([problem.maps, second]), weight=5e-4, iterations=80, mask=problem.mask
    )
    assert soft.shape == (2, n, n)
    total = problem.maps * soft[0] + second * soft[1]
    assert relative_error(total, problem.maps * problem.image + second * fold) < 0.15


def test_callback_start_and_tolerance(problem):
    seen = []
    first, info = problem.recon(
        weight=2e-3, callback=lambda k, x, r: seen.append(k) or k == 4, return_info=True
    )
    assert info.stop_reason == "callback" and seen == [1, 2, 3, 4] and info.iterations == 4
    again = problem.recon(weight=2e-3, iterations=1, x0=first)
    assert relative_error(again, problem.image) < relative_error(
        problem.recon(weight=2e-3, iterations=1), problem.image
    )
    _, info = problem.recon(weight=2e-3, solver="pdhg", tolerance=0.5, return_info=True)
    assert info.stop_reason == "tolerance"


def test_brain_is_better_than_cg_sense():
    coils = np.moveaxis(
        scipy.io.loadmat(data_path("mr", "gpunufft", "img_brain_4ch.mat"))["img"], 2, 0
    )
    kspace = np.ascontiguousarray(mr.fft(coils.astype(np.complex64))[:, 64:192, 64:192])
    maps = mr.espirit(kspace)
    truth = mr.combine_coils(mr.ifft(kspace), maps)
    mask = mr.poisson_mask(kspace.shape[1:], 3.5, calibration=24)
    sense = mr.cg_sense(kspace * mask, maps, mask=mask, iterations=15)
    image = mr.compressed_sensing(kspace * mask, maps, mask=mask, weight=2e-3)
    assert relative_error(image, truth) < 0.8 * relative_error(sense, truth)


def test_cuda_twin(device, exact):
    for prior in ("wavelet", "tv"):
        expected = exact.recon(prior=prior, weight=4e-3, iterations=3)
        with device:
            got = mr.compressed_sensing(
                device.array(exact.kspace),
                device.array(exact.maps),
                mask=device.array(exact.mask),
                prior=prior,
                weight=4e-3,
                scale="absolute",
                iterations=3,
                cycle_spin=False,
            )
        assert relative_error(device.numpy(got), expected) < 1e-9


def test_cuda_twin_of_frames(device):
    series = Series(frames=4, n=16)
    arguments = (series.kspace, series.maps, series.masks)
    options = {"prior": ("llr", "temporal_tv"), "weight": (0.02, 0.01), "iterations": 2, "block": 4}
    expected = mr.compressed_sensing(*arguments[:2], mask=arguments[2], **options)
    with device:
        kspace, maps, masks = (device.array(a) for a in arguments)
        got = mr.compressed_sensing(kspace, maps, mask=masks, **options)
    assert relative_error(device.numpy(got), expected) < 1e-4


def test_bad_inputs(problem):
    recon = mr.compressed_sensing
    kspace, maps, mask = problem.kspace, problem.maps, problem.mask
    with pytest.raises(ShapeError, match="has 4 coils, but maps has 3"):  # 51
        recon(kspace, maps[:3], weight=1e-3)
    with pytest.raises(DataError, match="only zeros"):
        recon(np.zeros_like(kspace), maps, weight=1e-3)
    with pytest.raises(DataError, match="dtype float32"):  # 54
        recon(kspace.real, maps, weight=1e-3)
    with pytest.raises(DataError, match="float16"):  # 61
        recon(kspace.real.astype(np.float16), maps, weight=1e-3)
    broken = kspace.copy()
    broken[1, 2, 3] = np.nan
    with pytest.raises(DataError, match=r"1 NaN.*\(1, 2, 3\)"):  # 60
        recon(broken, maps, weight=1e-3)
    with pytest.raises(DataError, match="did you mean 'wavelet'"):
        recon(kspace, maps, prior="wavelets", weight=1e-3)
    with pytest.raises(DataError, match="weight is -1"):
        recon(kspace, maps, weight=-1)
    with pytest.raises(DataError, match="2 numbers for 1"):
        recon(kspace, maps, weight=(1, 2))
    with pytest.raises(DataError, match="prior is empty"):
        recon(kspace, maps, prior=(), weight=())
    with pytest.raises(DataError, match="use 'admm' or 'pdhg'"):
        recon(kspace, maps, prior=("tv", "wavelet"), weight=(1, 2), solver="fista")
    with pytest.raises(ShapeError, match="along frames"):
        recon(kspace, maps, prior="llr", weight=1e-3)
    with pytest.raises(DataError, match="iterations is 0"):
        recon(kspace, maps, weight=1e-3, iterations=0)
    with pytest.raises(DataError, match="mask or coordinates"):
        recon(kspace, maps, weight=1e-3, mask=mask, coordinates=np.zeros((5, 2)))
    with pytest.raises(ShapeError, match="mask has shape"):
        recon(kspace, maps, weight=1e-3, mask=mask[:5])
    with pytest.raises(ShapeError, match="ask for"):  # 50
        recon(kspace, maps, weight=1e-3, coordinates=np.zeros((7, 2)))
    k = np.zeros((9, 2))
    k[3] = np.nan
    with pytest.raises(DataError, match=r"NaN.*\(3, 0\)"):  # 48
        recon(kspace.reshape(4, -1)[:, :9], maps, weight=1e-3, coordinates=k)
    with pytest.raises(DataError, match="zero"):  # 55
        recon(
            kspace.reshape(4, -1)[:, :9],
            maps,
            weight=1e-3,
            coordinates=0 * k[:3].repeat(3, 0),
            weights=np.zeros(9),
        )
    read_only = kspace.copy()
    read_only.flags.writeable = False
    assert recon(read_only[:, ::-1][:, ::-1], maps, weight=1e-3, iterations=1).shape == (64, 64)
