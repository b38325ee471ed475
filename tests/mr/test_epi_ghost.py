"""EPI: ghosts of known phase errors vanish, ramps become even, the real scan loses its ghost."""

import numpy as np
import pytest
from helpers import data_path, relative_error

import pyrad_core as prc
from pyrad_core import io, mr
from pyrad_core.errors import BackendMismatchError, DataError, ShapeError

N = 64


@pytest.fixture(scope="module")
def object_kspace():
    """Closed-form k-space (coil, y, x) of an off-centre head, with two smooth coils."""
    volume = prc.Volume((N, N), 200.0 / N)
    head = prc.phantom.shepp_logan(2, radius=68.0)
    ky, kx = np.meshgrid(np.arange(N) - N // 2, np.arange(N) - N // 2, indexing="ij")
    image = mr.ifft(head.kspace(np.stack([ky, kx], -1), volume))
    maps = prc.phantom.coil_maps(2, (N, N), dtype=np.complex128)
    return mr.fft(maps * image)


def with_phase(kspace, phase, reflected):
    """Forward lines gain half the phase in the hybrid space, backward ones lose it."""
    hybrid = mr.ifft(kspace, axes=(-1,))
    sign = np.where(reflected, -0.5, 0.5)[:, None]
    return mr.fft(hybrid * np.exp(1j * sign * phase), axes=(-1,))


def navigators_of(kspace, phase, *, drift=0.4):
    """Three lines through ky = 0, read -, +, -, and a phase that grows from echo to echo."""
    line = mr.ifft(kspace[:, N // 2], axes=(-1,))
    signs = (-0.5, 0.5, -0.5)
    echoes = [line * np.exp(1j * (s * phase + i * drift)) for i, s in enumerate(signs)]
    return np.stack([mr.fft(e, axes=(-1,)) for e in echoes])


X = np.arange(N) - N // 2
LINES = np.arange(N) % 2 == 1


@pytest.mark.parametrize("dtype", [np.complex64, np.complex128])
@pytest.mark.parametrize("constant", [0.3, -2.5])
def test_known_linear_phase(object_kspace, dtype, constant):
    phase = constant + 0.11 * X
    ghosted = with_phase(object_kspace, phase, LINES).astype(dtype)
    navigators = navigators_of(object_kspace, phase).astype(dtype)
    fixed, found = mr.correct_epi_ghost(ghosted, navigators, return_phase=True)
    assert fixed.dtype == dtype
    assert np.allclose(found, phase, atol=1e-4 if dtype == np.complex64 else 1e-10)
    limit = 1e-4 if dtype == np.complex64 else 1e-10
    assert relative_error(fixed, object_kspace) < limit < relative_error(ghosted, object_kspace)


def test_curved_phase_needs_the_order(object_kspace):
    phase = 0.3 + 0.05 * X + 1.5 * (X / (N / 2)) ** 3
    ghosted = with_phase(object_kspace, phase, LINES)
    navigators = navigators_of(object_kspace, phase)
    errors = {
        order: relative_error(mr.correct_epi_ghost(ghosted, navigators, order=order), object_kspace)
        for order in (1, 3, "pointwise")
    }
    assert errors[3] < 1e-3 < errors["pointwise"] < 0.8 * errors[1], errors


def test_phase_per_coil(object_kspace):
    phases = np.stack([0.3 + 0.05 * X, -0.4 + 0.02 * X])
    ghosted = with_phase(object_kspace, phases[:, None], LINES)
    line = mr.ifft(object_kspace[:, N // 2], axes=(-1,))
    navigators = np.stack(
        [mr.fft(line * np.exp(1j * s * phases), axes=(-1,)) for s in (-0.5, 0.5, -0.5)]
    )
    fixed = mr.correct_epi_ghost(ghosted, navigators, per_coil=True)
    assert relative_error(fixed, object_kspace) < 1e-9
    assert relative_error(mr.correct_epi_ghost(ghosted, navigators), object_kspace) > 0.05


def test_records_frames_and_other_polarity(object_kspace):
    phase = 0.5 - 0.07 * X
    ghosted = with_phase(object_kspace, phase, ~LINES)
    both = np.stack([ghosted, 2 * ghosted], axis=1)  # (coil, repetition, y, x)
    records = [
        {"samples": n, "reflected": back}
        for n, back in zip(navigators_of(object_kspace, phase), (True, False, True), strict=True)
    ]
    fixed = mr.correct_epi_ghost(both, records, reflected=~LINES)
    assert relative_error(fixed[:, 1], 2 * object_kspace) < 1e-9
    two = mr.correct_epi_ghost(  # one line per direction: the drift between them stays
        ghosted, navigators_of(object_kspace, phase, drift=0)[:2], reflected=~LINES
    )
    assert relative_error(two, object_kspace) < 1e-9


@pytest.mark.parametrize("constant", [0.4, 2.9])
def test_entropy_needs_no_navigators(object_kspace, constant):
    phase = constant + 0.08 * X
    noise = np.random.default_rng(0).standard_normal((2, *object_kspace.shape))
    noisy = object_kspace + 0.01 * np.abs(object_kspace).mean() * (noise[0] + 1j * noise[1])
    ghosted = with_phase(noisy, phase, LINES)
    fixed, found = mr.correct_epi_ghost(ghosted, return_phase=True)
    assert np.abs(np.exp(1j * found) - np.exp(1j * phase)).max() < 0.05
    assert relative_error(fixed, object_kspace) < 0.1 * relative_error(ghosted, object_kspace)


def test_both_improves_wrong_navigators(object_kspace):
    phase = 0.4 + 0.08 * X
    ghosted = with_phase(object_kspace, phase, LINES)
    navigators = navigators_of(object_kspace, phase + 0.1 + 0.004 * X)
    plain = relative_error(mr.correct_epi_ghost(ghosted, navigators), object_kspace)
    both = relative_error(mr.correct_epi_ghost(ghosted, navigators, method="both"), object_kspace)
    assert both < 0.2 * plain


def test_on_a_device(device, object_kspace):
    phase = 0.3 + 0.1 * X
    small = with_phase(object_kspace, phase, LINES).astype(np.complex64)
    navigators = navigators_of(object_kspace, phase).astype(np.complex64)
    expected = mr.correct_epi_ghost(small, navigators)
    with device:
        fixed = mr.correct_epi_ghost(device.array(small), device.array(navigators))
        if device.name == "stand-in":
            with pytest.raises(BackendMismatchError, match="navigators"):
                mr.correct_epi_ghost(small, device.array(navigators))
    assert relative_error(device.numpy(fixed), expected) < 1e-5


def test_ramp_positions_against_quadrature():
    timing = {"ramp_up": 160.0, "flat_top": 240.0, "ramp_down": 120.0}
    for shape in ("trapezoid", "sinusoid"):
        k = mr.ramp_positions(100, **timing, delay=30.0, duration=460.0, shape=shape)
        t = 30 + 460 / 100 * (np.arange(100) + 0.5)
        fine = np.linspace(30, 490, 400_001)
        rise, fall = fine / 160, 1 - (fine - 400) / 120
        if shape == "sinusoid":
            rise, fall = np.sin(np.pi / 2 * rise), np.sin(np.pi / 2 * fall)
        gradient = np.where(fine < 160, rise, np.where(fine <= 400, 1.0, fall))
        area = np.concatenate([[0], np.cumsum((gradient[1:] + gradient[:-1]) / 2)])
        area /= area[-1] / 100
        assert np.allclose(k, np.interp(t, fine, area) - np.interp(260, fine, area), atol=1e-3)


def test_regridding_gives_the_even_samples():
    """Closed-form samples on the ramps become the closed-form samples on the grid."""
    volume = prc.Volume((2, 2 * N), 100.0 / N)  # twofold oversampled readout
    head = prc.phantom.shepp_logan(2, radius=45.0)
    k = mr.ramp_positions(2 * N, ramp_up=16, flat_top=24, ramp_down=16, delay=3.2, duration=49.6)
    even = np.arange(2 * N) - N
    samples, truth = (
        head.kspace(np.stack([np.zeros(2 * N), x], -1), volume)[None] for x in (k, even)
    )
    inner = slice(N // 4, -N // 4)
    got = mr.regrid_readout(samples, k)
    assert relative_error(got[:, inner], truth[:, inner]) < 2e-3
    assert relative_error(samples[:, inner], truth[:, inner]) > 0.3
    shift = 0.03  # the receiver mixed as if the gradient were at its peak all the time
    steps = np.diff(k).max() * (np.arange(2 * N) - N)
    mixed = samples * np.exp(-2j * np.pi * shift * (steps - k))
    assert relative_error(mr.regrid_readout(mixed, k, shift=shift), got) < 1e-9


def test_real_scan_loses_its_ghost():
    """Signal where only the ghost is, over signal in the object, before and after."""
    pytest.importorskip("twixtools")
    scan = io.read_kspace(data_path("mr", "twixtools", "epi.dat"))
    k = mr.ramp_positions(160, **scan.header["ramp"])
    kspace = mr.regrid_readout(scan.data, k)
    navigators = [
        {**n, "samples": mr.regrid_readout(n["samples"], k)} for n in scan.header["navigators"]
    ]

    def image(kspace):
        return mr.combine_coils(mr.ifft(mr.remove_oversampling(kspace)))

    reflected = scan.header["reflected"]
    after = image(mr.correct_epi_ghost(kspace, navigators, reflected=reflected))
    y, x = np.mgrid[:80, :80] - 39.5
    disc = x**2 + (y + 1) ** 2 < 38**2  # the phantom nearly fills the field of view
    outside = x**2 + (y + 1) ** 2 > 42**2
    ghost = np.roll(disc, 40, axis=0) & outside
    quiet = ~np.roll(disc, 40, axis=0) & outside

    def ratio(image):  # energy above the noise, ghost over object
        level = np.mean(image[quiet] ** 2) if quiet.sum() > 20 else 0.0
        return (np.mean(image[ghost] ** 2) - level) / np.mean(image[disc] ** 2)

    before = ratio(image(kspace))
    both = image(
        mr.correct_epi_ghost(kspace, navigators, reflected=reflected, method="both", per_coil=True)
    )
    free = image(mr.correct_epi_ghost(kspace, reflected=reflected))
    assert ratio(after) < before / 4
    assert ratio(both) < before / 10 and ratio(free) < before / 6


def test_a_known_phase(object_kspace):
    phases = np.stack([0.3 + 0.05 * X, -0.4 + 0.02 * X])
    ghosted = with_phase(object_kspace, phases[:, None], LINES)
    assert relative_error(mr.correct_epi_ghost(ghosted, phase=phases), object_kspace) < 1e-12
    found = mr.epi_phase(with_phase(object_kspace, phases[0], LINES))
    assert np.abs(found - phases[0]).max() < 0.05
    with pytest.raises(DataError, match="not both"):
        mr.correct_epi_ghost(ghosted, phase=phases, method="entropy")
    with pytest.raises(ShapeError, match=r"phase has shape \(3, 64\)"):
        mr.correct_epi_ghost(ghosted, phase=np.zeros((3, N)))
    with pytest.raises(DataError, match="phase holds 1 NaN"):
        mr.correct_epi_ghost(ghosted, phase=np.where(X == 0, np.nan, 0.0))


def test_refused(object_kspace):
    ghosted = object_kspace
    lines = navigators_of(ghosted, 0.0 * X)
    with pytest.raises(ShapeError, match=r"navigators has shape \(3, 1, 64\)"):
        mr.correct_epi_ghost(ghosted, lines[:, :1])
    with pytest.raises(DataError, match="one direction"):
        mr.correct_epi_ghost(ghosted, lines, navigator_reflected=[True] * 3)
    with pytest.raises(ShapeError, match="reflected has shape"):
        mr.correct_epi_ghost(ghosted, lines, reflected=LINES[:5])
    with pytest.raises(DataError, match="all lines or none"):
        mr.correct_epi_ghost(ghosted, lines, reflected=np.ones(N, bool))
    with pytest.raises(DataError, match="needs navigators"):
        mr.correct_epi_ghost(ghosted, method="navigator")
    with pytest.raises(DataError, match="no signal"):
        mr.correct_epi_ghost(ghosted, 0 * lines)
    with pytest.raises(DataError, match="did you mean 'entropy'"):
        mr.correct_epi_ghost(ghosted, method="entropie")
    with pytest.raises(DataError, match="within the gradient"):
        mr.ramp_positions(9, ramp_up=1, flat_top=1, ramp_down=1, delay=1, duration=5)
    with pytest.raises(DataError, match="must grow"):
        mr.regrid_readout(ghosted, -X.astype(float))
    with pytest.raises(DataError, match="positions holds 1 NaN"):
        mr.regrid_readout(ghosted, np.where(X == 3, np.nan, X))
    with pytest.raises(ShapeError, match="lines of at least 2 samples"):
        mr.regrid_readout(ghosted[..., :1], np.zeros(1))
