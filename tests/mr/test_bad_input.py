"""The catalogue's items on MR input (48-61), each by its number, over the functions that meet them.

Every refused input leaves its arrays unchanged and the process alive.
"""

import inspect
import warnings

import numpy as np
import pytest

from pyrad_core import mr
from pyrad_core.errors import DataError, PyradError, PyradWarning, ShapeError

RNG = np.random.default_rng(11)
SHAPE = (24, 24)


def random(*shape, dtype=np.complex64):
    return (RNG.standard_normal(shape) + 1j * RNG.standard_normal(shape)).astype(dtype)


KSPACE = random(4, *SHAPE)
MAPS = random(4, *SHAPE)
SPOKES = mr.radial(12, 24, 24)
SAMPLES = random(4, *SPOKES.shape[:-1])

TAKE_COORDINATES = {
    "NUFFT": lambda k: mr.NUFFT(k, SHAPE),
    "Sense": lambda k: mr.Sense(MAPS, coordinates=k),
    "Toeplitz": lambda k: mr.Toeplitz(k, SHAPE),
    "density_compensation": lambda k: mr.density_compensation(k, SHAPE),
    "cg_sense": lambda k: mr.cg_sense(SAMPLES, MAPS, coordinates=k),
    "compressed_sensing": lambda k: mr.compressed_sensing(
        SAMPLES, MAPS, coordinates=k, weight=1e-3, iterations=2
    ),
    "calibrate": lambda k: mr.calibrate(SAMPLES, k, SHAPE, size=8, iterations=2),
    "spirit": lambda k: mr.spirit(SAMPLES, coordinates=k, shape=SHAPE, iterations=2),
    "nlinv": lambda k: mr.nlinv(SAMPLES, coordinates=k, shape=SHAPE, iterations=1),
    "jsense": lambda k: mr.jsense(SAMPLES, coordinates=k, shape=SHAPE, iterations=1),
    "estimate_gradient_delay": lambda k: mr.estimate_gradient_delay(k, SAMPLES),
    "correct_gradient_delay": lambda k: mr.correct_gradient_delay(k, delays=[0.1, 0.2]),
}
FRAMES = np.stack([SAMPLES, SAMPLES])
BASIS = np.eye(2, dtype=np.complex64)
TAKE_COORDINATES_OF_FRAMES = {
    "SubspaceSense": lambda k: mr.SubspaceSense(MAPS, BASIS, coordinates=k),
    "subspace": lambda k: mr.subspace(
        FRAMES, MAPS, BASIS, coordinates=k, weight=1e-3, iterations=2
    ),
    "compressed_sensing of frames": lambda k: mr.compressed_sensing(
        FRAMES, MAPS, coordinates=k, weight=1e-3, iterations=2
    ),
}
# Spokes have no field of view to lie in: there positions far out are uneven spacing.
SPOKES_ALONE = {"estimate_gradient_delay", "correct_gradient_delay"}
TAKE_KSPACE = {
    "ifft": mr.ifft,
    "espirit": lambda k: mr.espirit(k, calibration=16),
    "cg_sense": lambda k: mr.cg_sense(k, MAPS, iterations=2),
    "compressed_sensing": lambda k: mr.compressed_sensing(k, MAPS, weight=1e-3, iterations=2),
    "grappa": mr.grappa,
    "prewhiten": lambda k: mr.prewhiten(k, random(4, 200)),
    "remove_oversampling": mr.remove_oversampling,
    "zero_fill": lambda k: mr.zero_fill(k, (32, 32)),
    "window": mr.window,
    "correct_epi_ghost": mr.correct_epi_ghost,
    "regrid_readout": lambda k: mr.regrid_readout(k, np.arange(24) - 12.0),
    "phase_sensitive": lambda k: mr.phase_sensitive(k, KSPACE),
    "spirit": lambda k: mr.spirit(k, iterations=2),
    "nlinv": lambda k: mr.nlinv(k, iterations=2)[0],
    "jsense": lambda k: mr.jsense(k, calibration=12, iterations=1)[0],
    "partial_fourier": lambda k: mr.partial_fourier(k, fraction=0.75, method="pocs"),
    "compress_coils": lambda k: mr.compress_coils(k, virtual_coils=2),
    "walsh": mr.walsh,
    "inati": mr.inati,
}
REAL_IS_FINE = {"ifft"}


@pytest.mark.parametrize("name", TAKE_COORDINATES)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_bad_input_48_coordinate_that_is_no_number(name, value):
    k = SPOKES.copy()
    k[3, 7, 1] = value
    k[5, 0, 0] = value
    before = k.copy()
    with pytest.raises(DataError, match=r"coordinates .*2 NaN or Inf.*first at index \(3, 7, 1\)"):
        TAKE_COORDINATES[name](k)
    assert np.array_equal(k, before, equal_nan=True)


@pytest.mark.parametrize("name", TAKE_COORDINATES)
@pytest.mark.parametrize("value", [12.5, -1e9, 1e300])
def test_bad_input_49_coordinate_outside(name, value):
    k = SPOKES.astype(np.float64)
    k[2, 3, 0] = value
    with pytest.raises(DataError, match="spokes" if name in SPOKES_ALONE else "coordinates"):
        TAKE_COORDINATES[name](k)


@pytest.mark.parametrize("name", TAKE_COORDINATES_OF_FRAMES)
@pytest.mark.parametrize("value", [np.nan, -np.inf, 1e300])
def test_bad_input_48_49_coordinates_of_frames(name, value):
    k = np.stack([SPOKES, SPOKES]).astype(np.float64)
    k[1, 2, 3, 0] = value
    with pytest.raises(DataError, match="coordinates"):
        TAKE_COORDINATES_OF_FRAMES[name](k)


def test_every_function_with_coordinates_is_tested():
    public = {name: getattr(mr, name) for name in mr.__all__}
    taking = {
        name
        for name, value in public.items()
        if callable(value) and "coordinates" in inspect.signature(value).parameters
    }
    results = {"GradientDelay"}
    assert taking - results <= {*TAKE_COORDINATES, *TAKE_COORDINATES_OF_FRAMES}


@pytest.mark.parametrize("name", TAKE_COORDINATES)
@pytest.mark.parametrize(
    "wrong",
    [
        SPOKES[..., :1], SPOKES[0, 0], SPOKES[:, :0], np.zeros((2, 0)), np.float32(1.0),
        SPOKES[:5], SPOKES[:, :-1], SPOKES[..., [0, 1, 1]],
    ],
    ids=["one axis", "one sample", "no samples", "no axes", "a number", "fewer spokes",
         "shorter spokes", "three axes"],
)  # fmt: skip
def test_bad_input_50_coordinates_of_a_wrong_shape(name, wrong):
    alone = {"NUFFT", "Sense", "Toeplitz", "density_compensation", "correct_gradient_delay"}
    if name in alone and wrong.shape in (SPOKES[:5].shape, SPOKES[:, :-1].shape):
        pytest.skip("it has no samples to compare with")
    if (name, wrong.shape[-1:]) in {("Sense", (1,)), ("estimate_gradient_delay", (3,))}:
        pytest.skip("soft-SENSE of 24 coils in one dimension, and spokes in space, are fine")
    with pytest.raises(PyradError):
        TAKE_COORDINATES[name](wrong)


@pytest.mark.parametrize("name", sorted(set(TAKE_COORDINATES) - SPOKES_ALONE))
def test_bad_input_48_to_50_types_of_coordinates(name):
    """Whole numbers are positions like any others; half precision, complex numbers and text not."""
    whole = np.clip(np.rint(SPOKES), -12, 12)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PyradWarning)
        for kind in (np.int16, np.int64, np.float64):
            TAKE_COORDINATES[name](whole.astype(kind))
    for wrong in (SPOKES.astype(np.float16), SPOKES + 0j, np.array([["a", "b"]])):
        with pytest.raises(PyradError):
            TAKE_COORDINATES[name](wrong)


def test_bad_input_50_samples_and_trajectory_differ():
    for call in (
        lambda: mr.cg_sense(SAMPLES[..., :-1], MAPS, coordinates=SPOKES),
        lambda: mr.compressed_sensing(SAMPLES[..., :-1], MAPS, coordinates=SPOKES, weight=1e-3),
        lambda: mr.NUFFT(SPOKES, SHAPE).adjoint(SAMPLES[..., :-1]),
        lambda: mr.regrid_readout(KSPACE, np.arange(20.0)),
    ):
        with pytest.raises(ShapeError, match=r"2[034]\D.*2[034]"):
            call()


def test_bad_input_51_coil_counts():
    for call in (
        lambda: mr.cg_sense(KSPACE, MAPS[:3]),
        lambda: mr.combine_coils(KSPACE, MAPS[:3]),
        lambda: mr.compressed_sensing(KSPACE, MAPS[:3], weight=1e-3),
    ):
        with pytest.raises(ShapeError, match="4 coils, but maps has 3"):
            call()
    with pytest.raises(ShapeError, match="4 coils, but noise"):
        mr.prewhiten(KSPACE, random(3, 50))
    with pytest.raises(ShapeError, match="4.*24"):
        mr.correct_epi_ghost(KSPACE, random(3, 3, 24))


def test_bad_input_52_all_zero():
    zeros = np.zeros_like(KSPACE)
    for name in ("espirit", "cg_sense", "compressed_sensing", "grappa", "spirit", "nlinv"):
        with pytest.raises(DataError, match="only zeros|zero"):
            TAKE_KSPACE[name](zeros)
    with pytest.raises(DataError, match="no signal"):
        mr.correct_epi_ghost(KSPACE, np.zeros((3, 4, 24), np.complex64))
    with pytest.raises(DataError, match="only zeros"):
        mr.phase_sensitive(KSPACE, zeros)


def test_bad_input_53_calibration_larger_than_kspace():
    with pytest.raises(
        ShapeError, match=r"calibration \(30, 30\) is larger than k-space \(24, 24\)"
    ):
        mr.espirit(KSPACE, calibration=30)


@pytest.mark.parametrize("name", sorted(set(TAKE_KSPACE) - REAL_IS_FINE))
def test_bad_input_54_real_kspace(name):
    with pytest.raises(DataError, match="float32; accepted are complex64 and complex128"):
        TAKE_KSPACE[name](np.ones((4, *SHAPE), np.float32))


def test_bad_input_55_zero_weights():
    weights = np.zeros(SPOKES.shape[:-1], np.float32)
    for call in (
        lambda: mr.cg_sense(SAMPLES, MAPS, coordinates=SPOKES, weights=weights),
        lambda: mr.Sense(MAPS, coordinates=SPOKES, weights=weights),
        lambda: mr.Toeplitz(SPOKES, SHAPE, weights=weights),
    ):
        with pytest.raises(DataError, match="weights"):
            call()


def test_bad_input_56_calibration_smaller_than_the_kernel():
    kspace = KSPACE.copy()
    kspace[:, ::2] = 0
    with pytest.raises(ShapeError, match=r"(?s)3.*5|5.*3"):
        mr.grappa(kspace, random(4, 3, 24), kernel=(5, 5))


def test_bad_input_57_acceleration_beyond_the_coils():
    mask = np.zeros(SHAPE)
    mask[::6] = 1
    with pytest.warns(PyradWarning, match="one sample in 6.0, but there are only 4 coils"):
        mr.Sense(MAPS, mask=mask)


@pytest.mark.parametrize(
    "noise", [random(4, 2), np.diag([1.0, 1, 1, -1]) + 0j, np.zeros((4, 4), np.complex64)]
)
def test_bad_input_58_noise_covariance(noise):
    with pytest.raises(DataError, match="not positive definite"):
        mr.prewhiten(KSPACE, noise)


@pytest.mark.parametrize("eps", [1e-12, 0.0, -1.0, np.nan])
def test_bad_input_59_eps(eps):
    with pytest.raises(DataError, match="eps"):
        mr.NUFFT(SPOKES, SHAPE, eps=eps).forward(random(*SHAPE))


@pytest.mark.parametrize("name", TAKE_KSPACE)
def test_bad_input_60_nan_in_kspace(name):
    kspace = KSPACE.copy()
    kspace[1, 4, 5] = np.nan
    kspace[2, 4, 5] = complex(0, np.inf)
    with pytest.raises(DataError, match=r"2 NaN or Inf values, the first at index \(1, 4, 5\)"):
        TAKE_KSPACE[name](kspace)


def test_bad_input_60_missing_lines_into_espirit():
    """Lines missing from the calibration region are zeros: maps of them would be wrong."""
    kspace = np.zeros_like(KSPACE)
    kspace[:, 0] = 1
    with pytest.raises(DataError, match="only zeros in the calibration region"):
        mr.espirit(kspace, calibration=16)


@pytest.mark.parametrize("name", TAKE_KSPACE)
def test_bad_input_61_half_precision(name):
    with pytest.raises(DataError, match="float16; accepted are complex64 and complex128"):
        TAKE_KSPACE[name](np.ones((4, *SHAPE), np.float16))


def test_read_only_and_strided_input_is_accepted():
    """45 and 46 for k-space: the same bits as from a plain copy."""
    wide = random(4, 24, 48)
    view = wide[:, :, ::2]
    view.flags.writeable = False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PyradWarning)
        for name in TAKE_KSPACE:
            if name in ("prewhiten",):
                continue  # its noise is drawn anew
            assert np.array_equal(TAKE_KSPACE[name](view), TAKE_KSPACE[name](view.copy())), name


def test_every_error_is_one_of_ours():
    for wrong in (np.array(["a"]), np.array(None), [[1, "x"]]):
        for name in TAKE_KSPACE:
            with pytest.raises(PyradError):
                TAKE_KSPACE[name](wrong)
