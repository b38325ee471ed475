"""The catalogue of bad inputs, 31 to 47, over every public function of prc.ct that takes data.

Each function's own tests say more; this one holds them all to the same rules.
"""

import numpy as np
import pytest

import pyrad_core as prc
from pyrad_core import _memory
from pyrad_core.ct.recon import METHODS
from pyrad_core.errors import DataError, DeviceMemoryError, GeometryError, PyradWarning, ShapeError

ct = prc.ct
TURN = np.arange(24) * 2 * np.pi / 24
FLAT = prc.ParallelBeam(TURN / 2, 20)
FAN = prc.FanBeam(TURN, 20, 2.0, 200, 400)
CONE = prc.ConeBeam(TURN, (4, 20), 2.0, 200, 400)
GRID, BLOCK = prc.Volume((16, 16)), prc.Volume((4, 16, 16))
ITERATIVE = [name for name, method in METHODS.items() if method.iterative]


def disc(scan):
    return prc.phantom.Ellipsoids([[0.02, 6, 5, 1, 2, 20.0]]).project(scan) + 0.01


def _recon(method):
    options = {"iterations": 2} if method in ITERATIVE else {}
    return lambda y: ct.recon(y, FLAT, GRID, method=method, **options)


FLAT_METHODS = [*ITERATIVE, "fbp"]
WITH_GEOMETRY = {
    "fbp parallel": (FLAT, lambda y: ct.fbp(y, FLAT, GRID)),
    "fbp fan": (FAN, lambda y: ct.fbp(y, FAN, GRID)),
    "projector": (CONE, lambda y: ct.Projector(CONE, BLOCK).adjoint(y)),
    "footprint": (CONE, lambda y: ct.Projector(CONE, BLOCK, "separable_footprint").adjoint(y)),
    **{f"recon {name}": (FLAT, _recon(name)) for name in FLAT_METHODS},
}
if hasattr(ct, "fdk"):
    WITH_GEOMETRY["fdk"] = (CONE, lambda y: ct.fdk(y, CONE, BLOCK))
DATA = {
    **WITH_GEOMETRY,
    "find_center": (FLAT, lambda y: np.array(ct.find_center(y, FLAT.angles))),
    "normalize": (CONE, lambda y: ct.normalize(y, np.ones((4, 20)), -1.0)),
    "simulate_dose": (CONE, lambda y: ct.simulate_dose(y, 1e4)),
    "to_hu": (CONE, lambda y: ct.to_hu(y, 0.02)),
    "from_hu": (CONE, lambda y: ct.from_hu(y, 0.02)),
    **{
        f"remove_rings {name}": (CONE, lambda y, name=name: ct.remove_rings(y, method=name, size=5))
        for name in ("sorting", "large", "unresponsive", "wavelet_fourier", "titarenko")
    },
}


@pytest.mark.parametrize("name", WITH_GEOMETRY)
def test_bad_input_31_shape_of_projections(name):
    scan, call = WITH_GEOMETRY[name]
    with pytest.raises(ShapeError) as caught:
        call(disc(scan)[:-1])
    for shape in (scan.projection_shape, (23, *scan.projection_shape[1:])):
        assert str(shape) in str(caught.value)


@pytest.mark.parametrize("make", [
    lambda angles: prc.ParallelBeam(angles, 8),
    lambda angles: prc.FanBeam(angles, 8, 1.0, 200, 400),
    lambda angles: prc.ConeBeam(angles, (4, 8), 1.0, 200, 400),
])  # fmt: skip
def test_bad_input_32_33_34_angles(make):
    with pytest.raises(GeometryError, match="angles are empty"):
        make([])
    for bad in (np.nan, np.inf):
        with pytest.raises(GeometryError, match="1 NaN or Inf values, the first at index 2"):
            make([0.0, 1.0, bad])
    with pytest.warns(PyradWarning, match=r"angles repeat at 1 indices \(2\)"):
        make([0.0, 1.0, 0.0])
    with pytest.warns(PyradWarning, match="degrees passed as radians"):
        make([0.0, 90.0])


def test_bad_input_35_spacing():
    for bad in (0.0, -1.0):
        for make in (
            lambda h: prc.Volume((4, 4), h),
            lambda h: prc.ParallelBeam([0.0], 8, h),
            lambda h: prc.FanBeam([0.0], 8, h, 200, 400),
            lambda h: prc.ConeBeam([0.0], (4, 8), (1.0, h), 200, 400),
        ):
            with pytest.raises(GeometryError, match=f"{bad}; expected a number > 0"):
                make(bad)


@pytest.mark.parametrize("scan", [FAN, CONE])
def test_bad_input_36_37_38_places(scan):
    big = prc.Volume((4, 300, 300)[-len(scan.detector) - 1 :])
    for call in (lambda: ct.Projector(scan, big), lambda: scan.check_volume(big)):
        with pytest.raises(GeometryError, match="source_origin is 200 mm, but the volume reaches"):
            call()
    with pytest.raises(GeometryError, match="source_detector is 200 mm, but source_origin is 200"):
        scan.replace(source_detector=200)
    away = scan.replace(offset=500.0)
    volume = GRID if len(scan.detector) == 1 else BLOCK
    with pytest.warns(PyradWarning, match="the detector misses the volume"):
        ct.Projector(away, volume)


@pytest.mark.parametrize("name", DATA)
def test_bad_input_39_nan(name):
    scan, call = DATA[name]
    lines = disc(scan)
    lines[(3,) * lines.ndim] = np.nan
    lines[(3,) * (lines.ndim - 1) + (5,)] = np.inf
    first = ", ".join("3" * lines.ndim)
    with pytest.raises(DataError, match=rf"2 NaN or Inf.*\({first}\)"):
        call(lines)


@pytest.mark.parametrize("name", DATA)
def test_bad_input_40_41_61_integers_and_half_precision(name):
    """Integers are line integrals as float32, nothing is guessed; half precision is refused."""
    scan, call = DATA[name]
    whole = np.rint(100 * disc(scan)).astype(np.uint16)
    expected = call(whole.astype(np.float32))
    assert np.array_equal(call(whole), expected)
    with pytest.raises(DataError, match="float16"):
        call(whole.astype(np.float16))


def test_bad_input_42_counts_at_the_dark_level():
    counts = np.full((3, 4), 100.0)
    counts[1, 2] = 10.0
    with pytest.raises(DataError, match=r"index \(1, 2\); give a floor"):
        ct.normalize(counts, np.full(4, 200.0), 10.0)
    assert ct.normalize(counts, np.full(4, 200.0), 10.0, floor=1e-3)[1, 2] == pytest.approx(
        np.log(1e3)
    )


@pytest.mark.parametrize("name", WITH_GEOMETRY)
def test_bad_input_43_volume_larger_than_memory(name, monkeypatch):
    monkeypatch.setattr(_memory, "_SMALL", 0)
    monkeypatch.setattr(_memory, "_free_bytes", lambda: 1000)
    scan, call = WITH_GEOMETRY[name]
    with pytest.raises(DeviceMemoryError, match="GiB"):
        call(disc(scan))


@pytest.mark.parametrize("name", ITERATIVE)
@pytest.mark.parametrize("bad", [0, -1, 1.5])
def test_bad_input_44_iterations(name, bad):
    with pytest.raises(DataError, match=f"iterations is {bad}"):
        ct.recon(disc(FLAT), FLAT, GRID, method=name, iterations=bad)


@pytest.mark.parametrize("name", DATA)
def test_bad_input_45_46_strided_and_read_only(name):
    scan, call = DATA[name]
    lines = disc(scan)
    expected = call(lines)
    wide = np.repeat(lines, 2, axis=-1)
    strided = wide[..., ::2]
    assert not strided.flags.c_contiguous
    fixed = lines.copy()
    fixed.flags.writeable = False
    assert np.array_equal(call(strided), expected)
    assert np.array_equal(call(fixed), expected)
    assert np.array_equal(fixed, lines)


@pytest.mark.parametrize("name", ["fbp", "fdk", *ITERATIVE])
def test_bad_input_47_unusable_out(name):
    if name not in METHODS:
        pytest.skip(f"recon has no {name}")
    scan, grid = (CONE, BLOCK) if name == "fdk" else (FLAT, GRID)
    options = {"iterations": 1} if name in ITERATIVE else {}
    fixed = np.zeros(grid.shape, np.float32)
    fixed.flags.writeable = False
    for out, match in (
        (fixed, "read-only"),
        (np.zeros(grid.shape), "float64"),
        (np.zeros((1, 2, 3), np.float32), r"\(1, 2, 3\)"),
    ):
        with pytest.raises(DataError, match=match):
            ct.recon(disc(scan), scan, grid, method=name, out=out, **options)
    assert not fixed.any()
