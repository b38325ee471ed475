"""Examples of the docstrings run: of MR and solvers on the scans below, the others on their own."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import warnings

import numpy as np
import pytest

import pyrad_core as prc

SIZE = 256
#: Packages whose examples bring all that they use.
ALONE = (
    *("cohort", "ct", "denoise", "features", "filters", "geometry", "io", "phantom", "plot"),
    "wavelet",
)


def _modules(package):
    home = importlib.import_module(f"pyrad_core.{package}")
    names = [info.name for info in pkgutil.iter_modules(home.__path__)]
    return [home, *(importlib.import_module(f"{home.__name__}.{name}") for name in names)]


def _examples(*packages):
    finder = doctest.DocTestFinder(exclude_empty=True)
    modules = [module for package in packages for module in _modules(package)]
    tests = [test for module in modules for test in finder.find(module) if test.examples]
    return [pytest.param(test, id=test.name.removeprefix("pyrad_core.")) for test in tests]


def _run(test, names):
    if any("import numba" in e.source or "from numba" in e.source for e in test.examples):
        pytest.importorskip("numba")
    test.globs = test.globs | names
    text: list[str] = []
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    failures = doctest.DocTestRunner(optionflags=flags).run(test, out=text.append).failed
    assert not failures, "".join(text)


@pytest.fixture(scope="module")
def scan():
    """The names that examples of MR use: a disc seen by eight coils."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:SIZE, :SIZE] - SIZE // 2
    disc = np.where(np.hypot(y / 100, x / 80) < 1, 1 + (np.hypot(y - 20, x) < 25), 0)
    at = 110 * np.exp(2j * np.pi * np.arange(8) / 8)[:, None, None]
    maps = np.exp(-(np.hypot(y - at.imag, x - at.real) ** 2) / 2e4) * at / abs(at)
    maps = (maps / np.sqrt((abs(maps) ** 2).sum(axis=0))).astype(np.complex64)
    coil_images = (maps * disc).astype(np.complex64)
    kspace = prc.mr.fft(coil_images)
    coordinates = prc.mr.radial(64, 512, SIZE)
    mask = prc.mr.regular_mask((SIZE, SIZE), 2)
    decays = np.exp(-np.arange(10, 90, 20) / np.geomspace(20, 400, 50)[:, None])
    basis = prc.mr.subspace_basis(decays, 2)
    plan = prc.mr.NUFFT(coordinates, (SIZE, SIZE), coils=8)
    noise = rng.standard_normal((8, 2000, 2)).view(complex)[..., 0]
    weights = prc.mr.density_compensation(coordinates, (SIZE, SIZE), method="ramp")
    names = {
        "maps": maps,
        "coil_images": coil_images,
        "coil_volumes": np.stack([coil_images[:, ::8, ::8]] * 4, axis=1),
        "kspace": kspace,
        "mask": mask,
        "masks": np.stack([mask] * 4).astype(np.float32),
        "cine": kspace[None].repeat(2, axis=0),
        "calibration": kspace[:, 116:140, 116:140],
        "noise_scan": noise,
        "covariance": prc.mr.noise_covariance(noise),
        "dwell": 1e-5,
        "noise_dwell": 8e-6,
        "coordinates": coordinates,
        "spokes": coordinates,
        "k": coordinates,
        "samples": plan.forward(coil_images),
        "weights": weights,
        "density": weights,
        "field_hz": 40 * (y / SIZE) ** 2,
        "decays": decays,
        "basis": basis,
        "coefficients": np.stack([disc, 0.1 * disc]).astype(np.complex64),
        "matrix": np.eye(8, dtype=np.complex64)[:4],
        "rhs": coil_images[0],
        "A": prc.mr.NUFFT(coordinates, (SIZE, SIZE)),
    }
    scattered = {"kspace": names["samples"]}
    frames = {"kspace": kspace[None, :4].repeat(4, axis=0), "maps": maps[:4]}
    small = {"kspace": kspace[:4, 96:160, 96:160], "samples": names["samples"][:2]}
    special = {
        "mr.jsense.jsense": small,
        "mr.nlinv.nlinv": small,
        "mr.subspace.subspace": frames,
        "mr.conjugate_gradients.ConjugateGradients": scattered,
        "mr.density.density_compensation": scattered,
        "mr.gradient_delay.correct_gradient_delay": scattered,
        "mr.gradient_delay.estimate_gradient_delay": scattered,
    }
    return names, special


@pytest.mark.parametrize("test", _examples("mr"))
def test_examples_of_mr(test, scan):
    names, special = scan
    chosen = names | special.get(test.name.removeprefix("pyrad_core."), {})
    copies = {k: v.copy() if isinstance(v, np.ndarray) else v for k, v in chosen.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", prc.errors.PyradWarning)
        _run(test, {"np": np, "prc": prc} | copies)


@pytest.fixture(scope="module")
def problem():
    """The names that examples of solvers and proximal operators use: small scans of a disc."""
    disc = prc.phantom.Ellipsoids([[1.0, 9, 7, 0, 2, 0]])
    grid = prc.Volume((24, 24))
    beam = prc.ParallelBeam(np.linspace(0, np.pi, 60, endpoint=False), 36)
    projector = prc.ct.Projector(beam, grid)
    sinogram = disc.project(beam).astype(np.float32)
    mask = prc.mr.regular_mask(grid.shape, 2)
    sense = prc.mr.Sense(prc.phantom.coil_maps(4, grid.shape), mask=mask)
    return {
        "projector": projector,
        "sinogram": sinogram,
        "counts": sinogram,
        "A": projector,
        "y": sinogram,
        "sense": sense,
        "kspace": sense.forward(disc.raster(grid).astype(np.complex64)),
    }


@pytest.mark.parametrize("test", _examples("operators", "prox", "solvers"))
def test_examples_of_solvers(test, problem):
    _run(test, {"np": np, "prc": prc} | problem)


@pytest.mark.parametrize("test", _examples(*ALONE))
def test_examples_on_their_own(test):
    _run(test, {})


@pytest.mark.parametrize("test", _examples("chunked"))
def test_examples_of_chunked(test):
    pytest.importorskip("dask.array")
    _run(test, {})
