"""Iterative CT through recon: minimisers, peers, closed forms, masks, weights, devices."""

import sys
from pathlib import Path

import numpy as np
import pytest
from helpers import relative_error
from scipy.optimize import minimize

import pyrad_core as prc
from pyrad_core.ct.recon import METHODS
from pyrad_core.errors import DataError, DeviceMemoryError, ShapeError
from pyrad_core.phantom import shepp_logan
from pyrad_core.prox import TV, EdgePreserving

ROOT = Path(__file__).resolve().parents[2]
if str(ROOT) not in sys.path:
    sys.path.append(str(ROOT))  # at the end: an installed pyrad_core stays the one under test

VIEWS = np.linspace(0, np.pi, 40, endpoint=False)
SCAN = prc.ParallelBeam(VIEWS, 46)
VOLUME = prc.Volume((30, 31), spacing=1.2)
HEAD = shepp_logan(2, radius=17)
CLEAN = HEAD.project(SCAN)
NOISY = CLEAN + 0.1 * np.random.default_rng(0).standard_normal(CLEAN.shape)
TRUTH = HEAD.raster(VOLUME, supersample=4)
WEIGHTS = np.random.default_rng(1).uniform(0.3, 1.5, CLEAN.shape)
MASK = np.hypot(*np.meshgrid(*VOLUME.axes(), indexing="ij")) < 17.5
A = prc.ct.Projector(SCAN, VOLUME)
SEEN = A.forward(TRUTH)  # what a voxel image can explain

ITERATIVE = [name for name, method in METHODS.items() if method.iterative]
BOUNDED = [name for name in ITERATIVE if "nonnegative" in METHODS[name].own_options]
POSITIVE = ["mlem", "osem"]
WITH_NOISE = [name for name in ITERATIVE if METHODS[name].noise]
FEW = {"tv_admm": 4, "asd_pocs": 4}


def recon(lines=NOISY, scan=SCAN, volume=VOLUME, *, method, **options):
    if method in POSITIVE:
        lines = np.maximum(lines, 0)
    options.setdefault("iterations", FEW.get(method, 6))
    return prc.ct.recon(lines, scan, volume, method=method, **options)


@pytest.fixture(scope="module")
def matrix():
    columns = [A.forward(e.reshape(VOLUME.shape)).ravel() for e in np.eye(VOLUME.size)]
    return np.stack(columns, axis=1)


# --- the same numbers as dense algebra and as other packages --------------------------------------


def test_sirt_dense_matrix(matrix):
    """x += C A^T W R (y - A x), masked and clipped, written out."""
    inside = MASK.ravel().astype(float)
    masked, w, y = matrix * inside, WEIGHTS.ravel(), NOISY.ravel()
    rows, columns = masked.sum(axis=1), masked.T @ w
    inverse = np.divide(1, rows, out=np.zeros_like(rows), where=rows > 1e-6 * rows.max())
    scale = np.divide(1, columns, out=np.zeros_like(columns), where=columns > 1e-6 * columns.max())
    x = np.zeros(VOLUME.size)
    for k in range(1, 8):
        x = np.maximum(x + 1.9 / k * scale * (masked.T @ (w * inverse * (y - masked @ x))), 0)
    got = recon(
        method="sirt", iterations=7, mask=MASK, weights=WEIGHTS, relaxation=lambda k: 1.9 / k
    )
    assert relative_error(got, x.reshape(VOLUME.shape)) < 1e-10
    steps = [1.9 / k for k in range(1, 8)]
    again = recon(method="sirt", iterations=7, mask=MASK, weights=WEIGHTS, relaxation=steps)
    np.testing.assert_array_equal(got, again)


@pytest.mark.parametrize("method", ["cgls", "lsqr"])
def test_krylov_dense_matrix(matrix, method):
    """Weighted, masked and damped: the minimiser by a direct solve."""
    root = np.sqrt(WEIGHTS).ravel()
    masked = root[:, None] * matrix[:, MASK.ravel()]
    normal = masked.T @ masked + 3.0 * np.eye(masked.shape[1])
    expected = np.zeros(VOLUME.shape)
    expected[MASK] = np.linalg.solve(normal, masked.T @ (root * NOISY.ravel()))
    got = recon(
        method=method, iterations=200, mask=MASK, weights=WEIGHTS, regularization=3.0
    )  # fmt: skip
    assert relative_error(got, expected) < 1e-8


@pytest.mark.parametrize("method", ["sirt", "cgls"])
def test_equal_iterations_astra(method):
    """ASTRA's SIRT and CGLS from zero after 10 iterations, in its own precision."""
    pytest.importorskip("astra", reason="the peer's iterates are compared")
    peers = pytest.importorskip("benchmarks.peers", reason="benchmarks are not beside the tests")
    lines = NOISY.astype(np.float32)
    volume = prc.Volume((32, 32), spacing=1.1)
    expected = peers.astra_iterate(method.upper(), lines, SCAN, volume, 10)().copy()
    options = {"nonnegative": False} if method == "sirt" else {}
    got = recon(lines, volume=volume, method=method, iterations=10, **options)
    assert relative_error(got, expected) < 1e-3


def test_mlem_likelihood_grows(matrix):
    counts = np.random.default_rng(2).poisson(np.maximum(CLEAN, 0) * 20).astype(float)
    values = []

    def watch(k, x, residual):
        mean = (matrix @ x.ravel()).reshape(counts.shape)
        seen = mean > 0
        values.append((counts[seen] * np.log(mean[seen]) - mean[seen]).sum())

    image, info = recon(counts, method="mlem", iterations=15, callback=watch, return_info=True)
    assert (np.diff(values) > 0).all() and image.min() >= 0
    assert len(info.residuals) == 15 and info.stop_reason == "iterations"
    # one step, weighted and masked, written out
    weighted = recon(counts, method="mlem", iterations=1, weights=WEIGHTS, mask=MASK)
    masked = matrix * MASK.ravel()
    mean = masked.sum(axis=1)
    ratio = WEIGHTS.ravel() * np.divide(
        counts.ravel(), mean, out=np.zeros_like(mean), where=mean > 0
    )
    sums = masked.T @ WEIGHTS.ravel()
    step = np.divide(masked.T @ ratio, sums, out=np.zeros_like(sums), where=sums > 0)
    assert relative_error(weighted, step.reshape(VOLUME.shape)) < 1e-10


# --- minimisers ----------------------------------------------------------------------------------


def test_tv_methods_reach_one_minimiser():
    """Weighted, nonnegative and masked TV: three routes, one objective."""

    def objective(x):
        return 0.5 * (WEIGHTS * (A.forward(x) - NOISY) ** 2).sum() + TV(2.0).value(x)

    shared = {"weight": 2.0, "mask": MASK, "weights": WEIGHTS}
    images = {
        "fista_tv": recon(method="fista_tv", iterations=150, inner_tolerance=1e-6, **shared),
        "tv_pdhg": recon(method="tv_pdhg", iterations=1200, balance=0.1, **shared),
        "tv_admm": recon(method="tv_admm", iterations=150, **shared),
    }
    values = {name: objective(image) for name, image in images.items()}
    least = min(values.values())
    for name, value in values.items():
        assert value < least * (1 + 1e-4), values
        assert not images[name][~MASK].any() and images[name].min() >= 0
        assert relative_error(images[name], images["tv_pdhg"]) < 0.02


def test_anisotropic_tv_and_maximum():
    top = 0.8 * TRUTH.max()
    options = {"weight": 1.0, "isotropic": False, "maximum": top}

    def objective(x):
        return 0.5 * ((A.forward(x) - NOISY) ** 2).sum() + TV(1.0, isotropic=False).value(x)

    images = [
        recon(method="fista_tv", iterations=150, inner_tolerance=1e-6, **options),
        recon(method="tv", iterations=1200, balance=0.1, **options),
        recon(method="admm", iterations=150, **options),
    ]
    values = [objective(image) for image in images]
    assert max(values) < min(values) * (1 + 1e-4)
    assert all(image.max() <= top and image.min() >= 0 for image in images)
    for method in ("sirt", "os_sart", "asd_pocs"):
        assert recon(method=method, maximum=top).max() <= top


@pytest.mark.parametrize("potential", ["hyperbola", "huber"])
def test_pwls_minimiser_scipy(potential):
    """Against L-BFGS with bounds; ordered subsets with relaxation end close by."""
    penalty = EdgePreserving(30.0, 0.01, potential=potential)

    def objective(flat):
        x = flat.reshape(VOLUME.shape)
        r = A.forward(x) - NOISY
        gradient = A.adjoint(WEIGHTS * r) + penalty.gradient(x)
        return 0.5 * (WEIGHTS * r * r).sum() + penalty.value(x), (gradient * MASK).ravel()

    bounds = [(0, None if inside else 0) for inside in MASK.ravel()]
    options = {"maxiter": 3000, "maxfun": 10000, "ftol": 1e-14, "gtol": 1e-7}
    best = minimize(objective, np.zeros(VOLUME.size), jac=True, method="L-BFGS-B",
                    bounds=bounds, options=options)  # fmt: skip
    shared = {"weight": 30.0, "delta": 0.01, "potential": potential, "mask": MASK,
              "weights": WEIGHTS}  # fmt: skip
    image = recon(method="pwls", iterations=300, subsets=1, **shared)
    assert objective(image.ravel())[0] < best.fun * (1 + 1e-5)
    assert relative_error(image, best.x.reshape(VOLUME.shape)) < 2e-3
    quick = recon(method="pwls", iterations=40, subsets=8, relaxation=1e-3, **shared)
    assert objective(quick.ravel())[0] < best.fun * (1 + 3e-3)
    # momentum and subsets both pay
    plain = recon(method="pwls", iterations=5, subsets=8, momentum=False, **shared)
    moving = recon(method="pwls", iterations=5, subsets=8, **shared)
    single = recon(method="pwls", iterations=5, subsets=1, **shared)
    values = [objective(image.ravel())[0] for image in (moving, plain, single)]
    assert values == sorted(values)


def test_sart_order_does_not_matter_in_the_limit():
    """Consistent data: every order of the views ends at the same image."""
    lines = A.forward(TRUTH)
    shared = {"iterations": 60, "relaxation": 1.0, "nonnegative": True}
    images = [
        recon(lines, method="sart", order=order, **shared)
        for order in ("bit_reversed", "sequential", "random")
    ]
    for image in images:
        assert relative_error(A.forward(image), lines) < 3e-3
        assert relative_error(image, images[0]) < 0.05
    # SART is OS-SART with one view per subset, and one subset is SIRT
    same = recon(method="os_sart", subsets=SCAN.views, relaxation=0.5)
    np.testing.assert_array_equal(same, recon(method="sart", relaxation=0.5))
    same = recon(method="os_sart", subsets=1)
    np.testing.assert_allclose(same, recon(method="sirt"), rtol=1e-12, atol=1e-15)


def test_asd_pocs_meets_the_noise_and_lowers_tv():
    few = SCAN.subset(slice(0, None, 4))
    lines = (SEEN + (NOISY - CLEAN))[::4]
    image, info = recon(
        lines, few, method="asd_pocs", iterations=150, noise_level=0.1, return_info=True
    )
    error = np.linalg.norm(prc.ct.Projector(few, VOLUME).forward(image) - lines)
    assert info.residuals[-1] == pytest.approx(error / np.linalg.norm(lines), rel=1e-6)
    assert error < 1.15 * 0.1 * np.sqrt(lines.size)
    plain = recon(lines, few, method="os_sart", iterations=60, subsets=2)
    assert TV(1.0).value(image) < 0.9 * TV(1.0).value(plain)
    assert relative_error(image, TRUTH) < relative_error(plain, TRUTH)


# --- what every method keeps ---------------------------------------------------------------------


@pytest.mark.parametrize("method", ITERATIVE)
def test_mask_and_bounds(method):
    image = recon(method=method, mask=MASK, x0=np.full(VOLUME.shape, 0.01))
    assert not image[~MASK].any() and image[MASK].any()
    if method in BOUNDED or method in POSITIVE:
        assert image.min() >= 0
    if method in BOUNDED:
        assert recon(method=method, nonnegative=False).min() < 0
    as_numbers = recon(method=method, mask=MASK.astype(np.uint8), x0=np.full(VOLUME.shape, 0.01))
    np.testing.assert_array_equal(as_numbers, image)


@pytest.mark.parametrize("method", ITERATIVE)
def test_warm_start_goes_on(method):
    """A start near the truth stays better than one from zero; x0 is not written to."""
    start = np.maximum(TRUTH, 0)
    start.flags.writeable = False
    near = recon(SEEN, method=method, iterations=2, x0=start)
    far = recon(SEEN, method=method, iterations=2)
    np.testing.assert_array_equal(start, np.maximum(TRUTH, 0))
    assert relative_error(near, TRUTH) < relative_error(far, TRUTH)


@pytest.mark.parametrize("method", ITERATIVE)
def test_zero_weight_hides_a_ray(method):
    broken = NOISY.copy()
    broken[7] += 50.0
    weights = np.ones_like(broken)
    weights[7] = 0
    images = [recon(lines, method=method, weights=weights) for lines in (NOISY, broken)]
    if method == "pwls" or method.startswith(("fista", "tv")):  # their defaults look at the data
        images = [
            recon(lines, method=method, weights=weights, weight=1.0,
                  **({"delta": 0.01} if method == "pwls" else {}))
            for lines in (NOISY, broken)
        ]  # fmt: skip
    if method == "asd_pocs":
        images = [recon(lines, method=method, weights=weights, smoothing=1e-3)
                  for lines in (NOISY, broken)]  # fmt: skip
    np.testing.assert_allclose(images[0], images[1], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("method", ITERATIVE)
def test_precision_out_callback_and_info(method):
    for dtype in (np.float32, np.float64):
        out = np.full(VOLUME.shape, 7, dtype)
        image, info = recon(NOISY.astype(dtype), method=method, out=out, return_info=True)
        assert image is out and info.x is out
        assert info.iterations == len(info.residuals) == FEW.get(method, 6)
        again = recon(NOISY.astype(dtype), method=method)
        assert again.dtype == dtype
        np.testing.assert_array_equal(again, out)
    single = recon(NOISY.astype(np.float32), method=method)
    # the steepest descent of ASD-POCS steps over TV's kinks, where rounding decides
    assert relative_error(single, again) < (0.03 if method == "asd_pocs" else 1e-3)
    seen = []

    def watch(k, x, residual):
        seen.append(residual)
        return k == 2

    _, info = recon(method=method, callback=watch, return_info=True)
    assert info.stop_reason == "callback" and info.iterations == 2
    np.testing.assert_array_equal(info.residuals, seen)


@pytest.mark.parametrize("method", WITH_NOISE)
def test_discrepancy_principle(method):
    if method == "asd_pocs":
        pytest.skip("noise_level is its data term's bound, tested above")
    noisy = SEEN + (NOISY - CLEAN)
    image, info = recon(noisy, method=method, iterations=300, noise_level=0.12, return_info=True)
    assert info.stop_reason == "discrepancy" and info.iterations < 300
    lines = np.maximum(noisy, 0) if method in POSITIVE else noisy
    reached = np.linalg.norm(A.forward(image) - lines) / np.sqrt(lines.size)
    assert reached < 0.121
    # inverse variances as weights: the noise is 1
    weights = np.full(NOISY.shape, 1 / 0.12**2)
    _, same = recon(noisy, method=method, iterations=300, noise_level=1, weights=weights,
                    return_info=True)  # fmt: skip
    assert same.stop_reason == "discrepancy" and abs(same.iterations - info.iterations) <= 1


@pytest.mark.parametrize("method", ITERATIVE)
def test_same_bits_for_any_number_of_threads(method):
    images = []
    for threads in (1, 2):
        with prc.set_num_threads(threads):
            images.append(recon(method=method, mask=MASK))
    np.testing.assert_array_equal(*images)


@pytest.mark.parametrize("method", ["sirt", "cgls", "osem", "pwls", "fista_tv", "tv", "asd_pocs",
                                    "admm"])  # fmt: skip
def test_methods_on_the_device(device, method):
    """One small problem per family: CUDA kernels and array code against the CPU's result."""
    few, volume = SCAN.subset(slice(0, None, 5)), prc.Volume((16, 16), spacing=2.2)
    lines = np.maximum(NOISY[::5], 0).astype(np.float32)
    inside = np.hypot(*np.meshgrid(*volume.axes(), indexing="ij")) < 17.5
    weights = WEIGHTS[::5].astype(np.float32)
    options = {"method": method, "iterations": 2}
    if method in ("osem", "pwls", "asd_pocs"):
        options["subsets"] = 2
    if method == "fista_tv":
        options["inner_iterations"] = 5
    expected = prc.ct.recon(lines, few, volume, mask=inside, weights=weights, **options)
    with device:
        got = prc.ct.recon(
            device.array(lines), few, volume, mask=device.array(inside),
            weights=device.array(weights), **options,
        )  # fmt: skip
    assert relative_error(device.numpy(got), expected) < (0.01 if method == "asd_pocs" else 1e-4)


# --- images --------------------------------------------------------------------------------------


def scan_of(kind):
    if kind == "parallel":
        return prc.ParallelBeam(np.linspace(0, np.pi, 60, endpoint=False), 100)
    return prc.FanBeam(np.linspace(0, 2 * np.pi, 90, endpoint=False), 120, 1.6, 120, 200)


@pytest.mark.filterwarnings("ignore:the views")
@pytest.mark.parametrize("kind", ["parallel", "fan"])
@pytest.mark.parametrize(
    ("trouble", "bound"), [("low dose", 0.75), ("few views", 0.6), ("limited angle", 0.75)]
)
def test_priors_beat_fbp(kind, trouble, bound):
    head, volume = shepp_logan(2, radius=42), prc.Volume((64, 64), spacing=1.4)
    truth = head.raster(volume, supersample=4)
    scan = scan_of(kind)
    if trouble == "few views":
        scan = scan.subset(slice(0, None, 4))
    elif trouble == "limited angle":
        scan = scan.subset(slice(0, 2 * scan.views // 3 if kind == "parallel" else scan.views // 3))
    lines, weights = head.project(scan) / 42, None
    if trouble == "low dose":
        lines = prc.ct.simulate_dose(lines, 3e3, seed=1)
        weights = 3e3 * np.exp(-lines) * 42.0**-2
        weights /= weights.max()
    lines = (lines * 42).astype(np.float32)
    plain = relative_error(prc.ct.fbp(lines, scan, volume), truth)
    shared = {"weights": weights}
    errors = {
        "tv": prc.ct.recon(lines, scan, volume, method="tv", balance=0.1, **shared),
        "fista_tv": prc.ct.recon(lines, scan, volume, method="fista_tv", **shared),
        "pwls": prc.ct.recon(lines, scan, volume, method="pwls", **shared),
    }
    errors = {name: relative_error(image, truth) / plain for name, image in errors.items()}
    assert min(errors["tv"], errors["fista_tv"]) < bound, errors
    assert max(errors.values()) < 1, errors


# --- bad inputs ----------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ITERATIVE)
def test_bad_input_44_31_39_every_method(method):
    for bad in (0, -3, 2.5):
        with pytest.raises(DataError, match=f"iterations is {bad}"):
            recon(method=method, iterations=bad)
    with pytest.raises(ShapeError, match=r"\(39, 46\).*\(40, 46\)"):
        recon(NOISY[1:], method=method)
    broken = NOISY.copy()
    broken[3, 4] = np.nan
    with pytest.raises(DataError, match=r"projections holds 1 NaN.*\(3, 4\)"):
        recon(broken, method=method)


@pytest.mark.parametrize("method", ITERATIVE)
def test_bad_input_43_memory(method, monkeypatch):
    """Refused by the estimate, which is printed, before anything is allocated."""
    monkeypatch.setattr("pyrad_core._memory._free_bytes", lambda: 1 << 12)
    monkeypatch.setattr("pyrad_core._memory._SMALL", 1 << 10)
    with pytest.raises(DeviceMemoryError, match=rf"the arrays of {method}.*volumes.*GiB"):
        recon(method=method)


@pytest.mark.parametrize("method", ITERATIVE)
def test_bad_input_40_45_46_47_arrays(method):
    numbers = np.rint(np.maximum(CLEAN, 0)).astype(np.int32)
    expected = recon(numbers.astype(np.float32), method=method)
    np.testing.assert_array_equal(recon(numbers, method=method), expected)
    strided = np.repeat(NOISY, 2, axis=1)[:, ::2]
    strided.flags.writeable = False
    np.testing.assert_array_equal(recon(strided, method=method), recon(method=method))
    locked = np.zeros(VOLUME.shape)
    locked.flags.writeable = False
    with pytest.raises(DataError, match="out is read-only"):
        recon(method=method, out=locked)
    with pytest.raises(DataError, match="float16"):
        recon(NOISY.astype(np.float16), method=method)


def test_bad_options():
    with pytest.raises(ShapeError, match=r"mask has shape \(4, 4\)"):
        recon(method="sirt", mask=np.ones((4, 4), bool))
    with pytest.raises(DataError, match="mask is empty"):
        recon(method="sirt", mask=np.zeros(VOLUME.shape, bool))
    with pytest.raises(DataError, match="mask has dtype float64"):
        recon(method="sirt", mask=np.full(VOLUME.shape, 0.3))
    with pytest.raises(ShapeError, match="weights have shape"):
        recon(method="cgls", weights=np.ones((3, 3)))
    with pytest.raises(DataError, match="weights hold negative"):
        recon(method="cgls", weights=-np.ones(NOISY.shape))
    with pytest.raises(DataError, match="weights are all zero"):
        recon(method="cgls", weights=np.zeros(NOISY.shape))
    with pytest.raises(ShapeError, match="x0 has shape"):
        recon(method="pwls", x0=np.zeros((2, 2)))
    with pytest.raises(ShapeError, match="out has shape"):
        recon(method="pwls", out=np.zeros((2, 2)))
    with pytest.raises(DataError, match="out has dtype"):
        recon(method="pwls", out=np.zeros(VOLUME.shape, np.float32))
    with pytest.raises(DataError, match="relaxation is 2"):
        recon(method="sart", relaxation=2)
    with pytest.raises(DataError, match="did you mean 'sequential'"):
        recon(method="sart", order="sequentiel")
    with pytest.raises(DataError, match="noise_level is -1"):
        recon(method="sirt", noise_level=-1)
    with pytest.raises(DataError, match="unknown option of tv 'noise_level'"):
        recon(method="tv", noise_level=1)
    with pytest.raises(DataError, match="unknown option of cgls 'nonnegative'"):
        recon(method="cgls", nonnegative=True)
    with pytest.raises(DataError, match="subsets is 41"):
        recon(method="pwls", subsets=41)
    with pytest.raises(DataError, match="y holds negative"):
        prc.ct.recon(NOISY - 1, SCAN, VOLUME, method="mlem")


# --- cone beams ----------------------------------------------------------------------------------


CONE = prc.ConeBeam(np.linspace(0, 2 * np.pi, 24, endpoint=False), (18, 22), 2.2, 90, 140)
BALL = prc.phantom.Ellipsoids([[1.0, 8, 7, 6, 1.0, -1.0, 0.5, 20.0]])
GRID = prc.Volume((14, 16, 16), spacing=(1.5, 1.4, 1.4))


@pytest.mark.parametrize("method", [*ITERATIVE, "fdk"])
def test_cone_beam(method):
    lines = BALL.project(CONE).astype(np.float32)
    iterations = {"sart": 2, "tv_pdhg": 80, "fista_tv": 40, "sirt": 40, "mlem": 30, "osem": 4}.get(
        method, 10
    )
    options = {"iterations": iterations, "weights": np.ones_like(lines)} if method != "fdk" else {}
    image = prc.ct.recon(lines, CONE, GRID, method=method, **options)
    assert image.dtype == np.float32 and image.shape == GRID.shape
    assert relative_error(image, BALL.raster(GRID, supersample=3)) < (
        0.45 if method == "fdk" else 0.3
    )
    assert image[7, 7:9, 8:10].mean() == pytest.approx(1, abs=0.1)
