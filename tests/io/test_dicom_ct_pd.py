"""DICOM-CT-PD: the published layout byte by byte, its geometry, round trips, damaged folders."""

import shutil
import struct

import numpy as np
import pytest

from pyrad_core import io
from pyrad_core.errors import FileFormatError, GeometryError, PyradError, PyradWarning
from pyrad_core.geometry import ConeBeam
from pyrad_core.io._ct_pd_write import write_scan
from pyrad_core.phantom import Ellipsoids

pydicom = pytest.importorskip("pydicom")

ANGLES = 0.3 + np.arange(30) * 2 * np.pi / 12
HELIX = ConeBeam(ANGLES, (4, 12), (1.5, 1.25), 600, 1000, True, (0.375, 0.3125), pitch=5.0)
DATA = np.random.default_rng(0).random(HELIX.projection_shape).astype(np.float32)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("written")
    write_scan(folder, DATA, HELIX, mu_water=0.0192, z_origin=-40.0, photons=1e5)
    return folder


@pytest.fixture
def scan(written, tmp_path):
    """A copy of the scan to be damaged."""
    return shutil.copytree(written, tmp_path / "scan")


def edit(path, **changes):
    """Rewrite elements of a file: group_element=(VR, value), or None to delete."""
    data = pydicom.dcmread(path)
    for name, change in changes.items():
        tag = int(name.removeprefix("x"), 16)
        if tag in data:
            del data[tag]
        if change is not None:
            data.add_new(tag, *change)
    data.save_as(path)


def files(folder):
    return sorted(folder.glob("*.dcm"))


def test_layout_of_the_published_dictionary(scan):
    """Tags and value representations byte by byte: little-endian, explicit."""
    content = files(scan)[7].read_bytes()

    def element(group, number, vr, value):
        return struct.pack("<HH", group, number) + vr + struct.pack("<H", len(value)) + value

    def fl(*values):
        return struct.pack(f"<{len(values)}f", *values)

    phi, turn = np.mod(-ANGLES[7], 2 * np.pi), ANGLES[7] / (2 * np.pi)
    for expected in (
        element(0x7029, 0x1002, b"FL", fl(1.25)),
        element(0x7029, 0x1006, b"FL", fl(1.5)),
        element(0x7029, 0x100B, b"CS", b"CYLINDRICAL "),
        element(0x7029, 0x1010, b"US", struct.pack("<H", 4)),
        element(0x7029, 0x1011, b"US", struct.pack("<H", 12)),
        element(0x7031, 0x1001, b"FL", fl(phi)),
        element(0x7031, 0x1002, b"FL", fl(-40.0 + 5.0 * turn)),
        element(0x7031, 0x1003, b"FL", fl(600.0)),
        element(0x7031, 0x1031, b"FL", fl(1000.0)),
        element(0x7031, 0x1033, b"FL", fl(6.5 - 0.25, 2.5 + 0.25)),
        element(0x7033, 0x100B, b"FL", fl(0.0)),
        element(0x7033, 0x100C, b"FL", fl(0.0)),
        element(0x7033, 0x100D, b"FL", fl(0.0)),
        element(0x7033, 0x100E, b"CS", b"FFSNONE "),
        element(0x7033, 0x1013, b"US", struct.pack("<H", 12)),
        element(0x7033, 0x1065, b"FL", fl(*[1e5] * 12)),
        element(0x7037, 0x1009, b"CS", b"HELICAL "),
        element(0x7037, 0x100A, b"CS", b"FANBEAM "),
        element(0x7039, 0x1003, b"CS", b"YES "),
        element(0x7039, 0x1009, b"CS", b"YES "),
        element(0x7041, 0x1001, b"DS", b"0.0192"),
        element(0x0028, 0x0010, b"US", struct.pack("<H", 12)),
        element(0x0028, 0x0011, b"US", struct.pack("<H", 4)),
        element(0x0020, 0x0013, b"IS", b"8 "),
    ):
        assert content.count(expected) == 1, expected
    at = content.index(b"\xe0\x7f\x10\x00OW\0\0" + struct.pack("<I", 2 * 48)) + 12
    stored = np.frombuffer(content, "<u2", 48, at).reshape(12, 4)  # column by column, row 1 first
    low, high = DATA.min(), DATA.max()
    assert np.allclose(low + stored * ((high - low) / 65535), DATA[7, ::-1].T, atol=1e-5)


def test_rays_against_the_published_coordinates(scan):
    """rho, phi, z, the central element and the order of rows and columns as the format says."""
    beam = io.read_projections(scan).geometry
    origin, direction = beam.rays()
    z_origin = io.read_projections(scan).header["z_origin"]
    for i, path in ((0, files(scan)[0]), (21, files(scan)[21])):
        data = pydicom.dcmread(path)
        phi, z = data[0x70311001].value, data[0x70311002].value
        rho, d0 = data[0x70311003].value, data[0x70311031].value
        column, row = data[0x70311033].value
        cos, sin = np.cos(phi), np.sin(phi)
        source = np.array([-rho * sin, rho * cos, z])
        towards, across = np.array([sin, -cos, 0.0]), np.array([cos, sin, 0.0])
        for c, r in ((1, 1), (12, 1), (5, 4)):
            angle = (c - column) * 1.25 / d0
            pixel = source + d0 * (np.cos(angle) * towards + np.sin(angle) * across)
            pixel[2] -= (r - row) * 1.5  # row 1 is the farthest one
            ray = (pixel - source) / np.linalg.norm(pixel - source)
            ours = direction[i, 4 - r, c - 1]
            assert np.allclose(ours * [1, -1, 1], ray, atol=1e-6)
            assert np.allclose(origin[i, 0, 0] * [1, -1, 1], source - [0, 0, z_origin], atol=1e-4)


@pytest.mark.parametrize("explicit", [True, False])
@pytest.mark.parametrize("transposed", [True, False])
@pytest.mark.parametrize("curved", [True, False])
def test_round_trip(tmp_path, explicit, transposed, curved):
    helix = HELIX.replace(curved=curved)
    write_scan(tmp_path, DATA, helix, transposed=transposed, explicit=explicit)
    read = io.read_projections(tmp_path)
    beam = read.geometry
    assert read.data.dtype == np.float32 and np.allclose(read.data, DATA, atol=2e-5)
    assert beam.curved is curved and beam.detector == (4, 12)
    assert beam.pitch == pytest.approx(5.0, rel=1e-6)
    assert np.allclose(beam.pixel, (1.5, 1.25)) and np.allclose(beam.offset, helix.offset)
    assert (beam.source_origin, beam.source_detector) == (600, 1000)
    turns = (beam.angles - ANGLES) / (2 * np.pi)
    assert np.allclose(turns, round(turns[0]), atol=1e-6)
    phantom = Ellipsoids([[1.0, 40, 60, 20, 15, -30, 4, 20.0]])
    moved = Ellipsoids([[1.0, 40, 60, 20, 15, -30, 4 - read.header["z_origin"], 20.0]])
    assert np.allclose(moved.project(beam), phantom.project(helix), rtol=1e-4, atol=1e-3)


def test_header(scan):
    header = io.read_projections(scan).header
    assert header["format"] == "DICOM-CT-PD" and header["quantity"] == "line integrals"
    assert header["mu_water"] == pytest.approx(0.0192) and header["orientation"] == "LPS"
    assert header["scan_type"] == "HELICAL" and header["flying_focal_spot"] == "FFSNONE"
    assert header["views_per_turn"] == 12 and header["photons"].shape == (30, 12)
    assert header["corrections"]["beam hardening"] is True


def test_circle(tmp_path):
    circle = HELIX.replace(pitch=0.0, angles=ANGLES[:12])
    write_scan(tmp_path, DATA[:12], circle, z_origin=7.0, position="FFS")
    read = io.read_projections(tmp_path)
    assert read.geometry.pitch == 0 and read.header["z_origin"] == 7
    assert read.header["orientation"] == "RPI"


def test_nothing_that_names_a_patient_is_read(scan):
    for path in files(scan):
        edit(path, x00100010=("PN", "Doe^Jane"), x00100020=("LO", "SECRET-7"),
             x00080020=("DA", "20200101"))  # fmt: skip
    found = repr(io.read_projections(scan))
    assert "Doe" not in found and "SECRET-7" not in found and "20200101" not in found


def test_order_is_the_instance_number_not_the_name(scan):
    paths = files(scan)
    for i, path in enumerate(paths):
        path.rename(path.with_name(f"{(i * 7) % 30:03d}.bin"))
    assert np.allclose(io.read_projections(scan).data, DATA, atol=2e-5)


def test_private_elements_of_unknown_representation(scan):
    """Files that passed an archive often say UN or OB, with the same bytes."""
    for path in files(scan):
        phi = pydicom.dcmread(path)[0x70311001].value
        edit(path, x70311001=("OB", struct.pack("<f", phi)), x70291010=("UN", b"\x04\0"),
             x70311033=("UN", struct.pack("<2f", 6.25, 2.75)),
             x7029100B=("UN", b"CYLINDRICAL "), x70411001=("UN", b"0.0192"))  # fmt: skip
    read = io.read_projections(scan)
    assert np.allclose(read.geometry.offset, HELIX.offset)
    assert read.header["mu_water"] == pytest.approx(0.0192)


def test_water_of_the_first_files_and_unlikely_water(scan):
    for path in files(scan):
        edit(path, x70411001=None, x00180061=("DS", "0.0193"))
    assert io.read_projections(scan).header["mu_water"] == pytest.approx(0.0193)
    for path in files(scan):
        edit(path, x00180061=("DS", "0.193"))
    with pytest.warns(PyradWarning, match="HUCalibrationFactor .* is 0.193; water has"):
        assert io.read_projections(scan).header["mu_water"] is None


def test_transmissions_are_counts(scan):
    for path in files(scan):
        edit(path, x70391009=("CS", "NO"))
    assert io.read_projections(scan).header["quantity"] == "counts"


def test_flying_focal_spot_of_a_flat_detector(tmp_path):
    """Poses per view: the detector stays, the source moves."""
    helix = HELIX.replace(curved=False)
    shifts = np.zeros((30, 3))
    shifts[1::2] = (5.45, 3e-3, -0.66)
    write_scan(tmp_path, DATA, helix, shifts=shifts)
    read = io.read_projections(tmp_path)
    frames, ideal = read.geometry.frames(), helix.frames()
    shift = [0, 0, read.header["z_origin"]]
    assert np.allclose(frames.centre + shift, ideal.centre, atol=1e-3)
    assert np.allclose(frames.source[::2] + shift, ideal.source[::2], atol=1e-3)
    t = ANGLES[1::2] - 3e-3
    moved = np.stack([605.45 * np.sin(t), -605.45 * np.cos(t), ideal.source[1::2, 2] - 0.66], -1)
    assert np.allclose(frames.source[1::2] + shift, moved, atol=1e-3)


class Spot:
    """Rays of a helix whose focal spot has left the focal centre, for closed-form projections."""

    def __init__(self, beam, shifts):
        self.beam, self.projection_shape = beam, beam.projection_shape
        t, z = beam.angles, beam.pitch * beam.angles / (2 * np.pi)
        near, far = beam.source_origin, beam.source_detector
        radial, angular, axial = shifts.T  # as the format has them: phi = -t
        turned = t - angular
        self.source = np.stack(
            [(near + radial) * np.sin(turned), -(near + radial) * np.cos(turned), z + axial], -1
        )
        gamma = (beam.column_positions() / far)[:, None]
        u, d = (np.stack(axis, -1)[:, None, None] for axis in (
            (np.cos(t), np.sin(t), 0 * t), (-np.sin(t), np.cos(t), 0 * t)))  # fmt: skip
        centre = np.stack([near * np.sin(t), -near * np.cos(t), z], -1)[:, None, None]
        self.pixels = centre + far * (np.cos(gamma) * d + np.sin(gamma) * u)
        self.pixels = self.pixels + beam.row_positions()[:, None, None] * np.array([0, 0, 1.0])

    def project(self, centre, radius):
        """Line integrals of a ball of 0.02 1/mm."""
        ray = self.pixels - self.source[:, None, None]
        ray /= np.linalg.norm(ray, axis=-1, keepdims=True)
        off = self.source - centre
        along = np.einsum("vrci,vi->vrc", ray, off)
        inside = along**2 - ((off**2).sum(-1) - radius**2)[:, None, None]
        return 0.04 * np.sqrt(np.maximum(inside, 0))


@pytest.mark.parametrize("moved", [(5.0, 0, 0), (0, 3e-3, 0), (0, 0, -3.0), (5.0, 3e-3, -3.0)])
def test_flying_focal_spot_of_a_curved_detector(tmp_path, moved):
    """What the focal centre would have seen, against closed forms; a wrong sign is far worse."""
    beam = ConeBeam(np.arange(-40, 40) * np.pi / 400, (8, 160), (4.0, 3.5), 600, 1000, True,
                    (0.5, 2.0), pitch=30.0)  # fmt: skip
    shifts = np.zeros((80, 3))
    shifts[1::2] = moved
    balls = [((10.0, -40.0, 2.0), 120.0), ((-60.0, 50.0, -3.0), 60.0)]
    ideal = sum(Spot(beam, 0 * shifts).project(*ball) for ball in balls)
    seen = sum(Spot(beam, shifts).project(*ball) for ball in balls)

    def error(written):
        for old in files(tmp_path):
            old.unlink()
        write_scan(tmp_path, seen.astype(np.float32), beam, shifts=written)
        read = io.read_projections(tmp_path)
        assert read.geometry.curved and read.header["focal_spot_positions"] == 2
        return np.sqrt(np.mean((read.data - ideal)[10:-10] ** 2))

    raw = np.sqrt(np.mean((seen - ideal)[10:-10] ** 2))
    share = 0.5 if any(moved[:2]) else 0.9  # interpolation takes its part
    assert error(shifts) < share * raw and error(-shifts) > 1.2 * raw


def test_focal_spot_that_wanders(tmp_path):
    shifts = np.zeros((30, 3))
    shifts[:, 0] = np.arange(30)
    write_scan(tmp_path, DATA, HELIX, shifts=shifts)
    with pytest.raises(GeometryError, match="takes 30 positions; expected at most 8"):
        io.read_projections(tmp_path)


def test_uneven_table(tmp_path):
    write_scan(tmp_path, DATA, HELIX.replace(curved=False))
    for i, path in enumerate(files(tmp_path)):
        z = pydicom.dcmread(path)[0x70311002].value + (2.0 if i > 15 else 0.0)
        edit(path, x70311002=("FL", z))
    beam = io.read_projections(tmp_path).geometry
    assert beam.vectors is not None
    rise = np.diff(beam.frames().source[:, 2])
    assert rise[15] == pytest.approx(5 / 12 + 2, abs=1e-3)
    for path in files(tmp_path):
        edit(path, x7029100B=("CS", "CYLINDRICAL"))
    with pytest.raises(GeometryError, match="from an even motion"):
        io.read_projections(tmp_path)


BROKEN = {
    "missing tag": (dict(x70311001=None), r"view_00004.*lacks DetectorFocalCenterAngularPosition"),
    "missing slope": (dict(x00281053=None), "lacks RescaleSlope"),
    "other detector": (dict(x70291010=("US", 5)), "image is 12 x 4, the detector 5 x 12"),
    "lying size": (dict(x00280010=("US", 6000), x70291011=("US", 6000)), "truncated: expected"),
    "zero size": (dict(x00280010=("US", 0), x70291011=("US", 0)), r"declares shape \(4, 0\)"),
    "other scan": (dict(x70311031=("FL", 900.0)), "ConstantRadialDistance .* is 900, in .* 1000"),
    "sphere": (dict(x7029100B=("CS", "SPHERICAL")), "accepted are CYLINDRICAL and FLAT"),
    "nan": (dict(x70311002=("FL", float("nan"))), "AxialPosition .* holds NaN or Inf"),
    "several": (dict(x70311001=("FL", [0.0, 1.0])), "holds 2 numbers; expected 1"),
    "text": (dict(x70411001=("UN", b"abc")), "WaterAttenuationCoefficient .*expected DS"),
    "twice": (dict(x00200013=("IS", "3")), "are both view 3"),
    "gap": (dict(x00200013=("IS", "400")), "missing between"),
    "eight bits": (dict(x00280100=("US", 8)), "BitsAllocated .* is 8; expected 16"),
    "zero slope": (dict(x00281053=("DS", "0")), "RescaleSlope .* is 0"),
    "spectrum": (dict(x70331063=("US", 2)), "SpectrumIndex .* is 2, in view_00001.dcm 1"),
    "jump": (dict(x70311001=("FL", 3.0)), "angle jumps by .* turns cannot be counted"),
    "parallel": (dict(x7037100A=("CS", "PARALLEL")), "accepted are FANBEAM"),
    "no pixels": (dict(x7FE00010=None), "no PixelData"),
    "radius": (dict(x70311003=("FL", -600.0)), "is -600; expected > 0 mm"),
    "unsteady": (dict(x70311003=("FL", 601.0)), "radius changes by 1 mm"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_bad_folders(scan, case):
    changes, match = BROKEN[case]
    edit(files(scan)[3], **changes)
    with pytest.raises(PyradError, match=match):
        io.read_projections(scan)


def test_bad_input_106_truncated_pixels(scan):
    path = files(scan)[5]
    content = path.read_bytes()
    path.write_bytes(content[:-10])
    with pytest.raises(
        FileFormatError, match=f"expected {len(content)} .* got {len(content) - 10}"
    ):
        io.read_projections(scan)


def test_bad_input_30_one_view_and_empty_folders(scan, tmp_path_factory):
    with pytest.raises(FileFormatError, match="one projection of a scan; name the folder"):
        io.read_projections(files(scan)[0])
    empty = tmp_path_factory.mktemp("empty")
    with pytest.raises(FileFormatError, match="DICOM"):
        io.read_projections(empty)


def test_mixed_series(scan):
    uid = pydicom.dcmread(files(scan)[0]).SeriesInstanceUID
    for path in files(scan)[15:]:
        edit(path, x0020000E=("UI", "1.2.3"))
    with pytest.raises(FileFormatError, match=r"several series; choose one by series=.*15 files"):
        io.read_projections(scan)
    assert np.allclose(io.read_projections(scan, series=uid).data, DATA[:15], atol=2e-5)
    with pytest.raises(FileFormatError, match="several series"):
        io.read_projections(scan, series="9.9")


def test_compressed_and_deflated_files_are_refused(scan):
    path = files(scan)[0]
    data = pydicom.dcmread(path)
    data.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1.99"
    data.save_as(path)
    with pytest.raises(FileFormatError, match="plain little-endian"):
        io.read_projections(scan)


def test_caps(scan):
    with pytest.raises(FileFormatError, match="30 views of 4 x 12 asks for 5760 bytes, the cap"):
        io.read_projections(scan, max_bytes=5_000)


def test_equal_scans_give_equal_files(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write_scan(tmp_path / name, DATA[:2], HELIX.subset(slice(0, 2)))
    for a, b in zip(files(tmp_path / "a"), files(tmp_path / "b"), strict=True):
        assert a.read_bytes() == b.read_bytes()
