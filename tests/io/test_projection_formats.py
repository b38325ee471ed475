"""Projections with a geometry: array files, TIFF stacks, YAML sidecars, NeXus."""

import numpy as np
import pytest

from pyrad_core import io
from pyrad_core.errors import DataError, FileFormatError, PyradError
from pyrad_core.geometry import ConeBeam, FanBeam, ParallelBeam

DATA = np.random.default_rng(0).random((6, 4, 8)).astype(np.float32)
FAN = """type: fan
angles: {start: 0, step: 30, unit: degrees}
pixel: 0.2
source_origin: 400
source_detector: 550
offset: 1.5
"""


def test_npz_parallel_radians(tmp_path):
    angles = np.linspace(0, np.pi, 6, endpoint=False)
    np.savez(tmp_path / "a.npz", projections=DATA, angles_rad=angles, pixel_mm=0.5)
    scan = io.read_projections(tmp_path / "a.npz")
    assert isinstance(scan.geometry, ParallelBeam) and np.allclose(scan.geometry.angles, angles)
    assert scan.header["pixel_known"] and scan.header["quantity"] == "line integrals"
    assert np.array_equal(scan.data, DATA)


def test_npz_cone_degrees_and_counts(tmp_path):
    np.savez(
        tmp_path / "a.npz", projections=DATA, angles_deg=np.arange(6) * 60.0, pixel_mm=0.5,
        sod_mm=300.0, sdd_mm=500.0, flat=DATA[0], dark=DATA[:2],
    )  # fmt: skip
    scan = io.read_projections(tmp_path / "a.npz")
    assert isinstance(scan.geometry, ConeBeam) and scan.geometry.source_detector == 500
    assert np.isclose(scan.geometry.angles[-1], np.deg2rad(300))
    assert scan.flat.shape == (1, 4, 8) and scan.dark.shape == (2, 4, 8)
    assert scan.header["quantity"] == "counts"


def test_yaml_sidecar_beside_the_file(tmp_path):
    np.save(tmp_path / "scan.npy", DATA[:, 0])
    assert io.read_projections(tmp_path / "scan.npy").geometry is None
    (tmp_path / "scan.yaml").write_text(FAN)
    beam = io.read_projections(tmp_path / "scan.npy").geometry
    assert isinstance(beam, FanBeam) and beam.source_origin == 400
    assert np.allclose(beam.angles, np.deg2rad(30 * np.arange(6)))
    (tmp_path / "other.yml").write_text("angles: {stop: 180}\n")
    chosen = io.read_projections(tmp_path / "scan.npy", geometry=tmp_path / "other.yml").geometry
    assert isinstance(chosen, ParallelBeam)
    assert np.allclose(chosen.angles, np.pi / 6 * np.arange(6))


@pytest.mark.parametrize(
    ("text", "match"),
    [
        (FAN.replace("pixel", "pixle"), "did you mean 'pixel'"),
        (FAN.replace("source_origin: 400\n", ""), "lacks source_origin"),
        (FAN.replace("0.2", "-0.2"), "-0.2"),
        (FAN.replace("fan", "fann"), "did you mean 'fan'"),
        ("angles: [1, 2, 3]\n", "3 angles, the data 6 views"),
        ("angles: [1, 2\n", "YAML"),
        ("just text\n", "expected 'key: value'"),
        ("!!python/object/apply:os.system ['true']\n", "YAML"),
        ("pixel: 1\n", "lacks its angles"),
        ("angles: {start: 0, step: 1}\nflat: ../secret.npy\n", "beside the sidecar"),
    ],
)
def test_bad_sidecar(tmp_path, text, match):
    np.save(tmp_path / "scan.npy", DATA[:, 0])
    (tmp_path / "scan.yaml").write_text(text)
    with pytest.raises((DataError, FileFormatError), match=match):
        io.read_projections(tmp_path / "scan.npy")


def test_tiff_stack_with_flats(tmp_path):
    tifffile = pytest.importorskip("tifffile")
    counts = (DATA * 1000).astype(np.uint16)
    tifffile.imwrite(tmp_path / "scan.tif", counts, photometric="minisblack")
    tifffile.imwrite(tmp_path / "flat.tif", counts[:2], photometric="minisblack")
    (tmp_path / "scan.yaml").write_text("angles: {stop: 360}\npixel: 0.1\nflat: flat.tif\n")
    scan = io.read_projections(tmp_path / "scan.tif")
    assert np.array_equal(scan.data, counts) and np.array_equal(scan.flat, counts[:2])
    assert scan.header["quantity"] == "counts"
    content = (tmp_path / "scan.tif").read_bytes()
    (tmp_path / "cut.tif").write_bytes(content[: len(content) - 100])
    with pytest.raises(FileFormatError):
        io.read_projections(tmp_path / "cut.tif")


def test_tiff_folder_with_flats_in_it(tmp_path):
    """Frames that the geometry file names are no projections."""
    tifffile = pytest.importorskip("tifffile")
    for i in range(6):
        tifffile.imwrite(tmp_path / f"view_{i}.tif", np.full((4, 8), i + 2, np.uint16))
    tifffile.imwrite(tmp_path / "flat.tif", np.full((2, 4, 8), 9, np.uint16))
    tifffile.imwrite(tmp_path / "a_dark.tif", np.ones((4, 8), np.uint16))
    (tmp_path / "geometry.yaml").write_text(
        "angles: {stop: 360}\nflat: flat.tif\ndark: a_dark.tif\n"
    )
    for path in (tmp_path, tmp_path / "." / ".." / tmp_path.name):
        scan = io.read_projections(path)
        np.testing.assert_array_equal(scan.data[:, 0, 0], np.arange(2, 8))
        assert (scan.flat.shape, scan.dark.shape) == ((2, 4, 8), (1, 4, 8))
        assert scan.header["quantity"] == "counts"


def test_tiff_folder_in_natural_order(tmp_path):
    tifffile = pytest.importorskip("tifffile")
    for i in range(12):
        tifffile.imwrite(tmp_path / f"view_{i}.tif", np.full((4, 8), i, np.float32))
    (tmp_path / "geometry.yaml").write_text("angles: {stop: 180}\n")
    scan = io.read_projections(tmp_path)
    assert scan.data[:, 0, 0].tolist() == list(range(12)) and scan.geometry.views == 12
    tifffile.imwrite(tmp_path / "view_12.tif", np.zeros((5, 8), np.float32))
    with pytest.raises(FileFormatError, match="pages differ"):
        io.read_projections(tmp_path)


@pytest.mark.parametrize("entry", ["entry1/tomo_entry", "entry"])
def test_nexus_tomo(tmp_path, entry):
    h5py = pytest.importorskip("h5py")
    frames = np.arange(10 * 32, dtype=np.uint16).reshape(10, 4, 8)
    keys = np.array([1, 2, 0, 0, 0, 0, 0, 0, 1, 3])
    with h5py.File(tmp_path / "scan.nxs", "w") as file:
        file[f"{entry}/instrument/detector/data"] = frames
        file[f"{entry}/instrument/detector/image_key"] = keys
        file[f"{entry}/sample/rotation_angle"] = np.arange(10) * 20.0
        file[f"{entry}/data/data"] = h5py.SoftLink(f"/{entry}/instrument/detector/data")
    scan = io.read_projections(tmp_path / "scan.nxs")
    assert np.array_equal(scan.data, frames[2:8])
    assert len(scan.flat) == 2 and len(scan.dark) == 1
    assert np.allclose(scan.geometry.angles, np.deg2rad(np.arange(2, 8) * 20.0))


def test_allow_external_stays_in_its_folder(tmp_path):
    h5py = pytest.importorskip("h5py")
    inside = tmp_path / "inside"
    inside.mkdir()
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["data"] = DATA
    with h5py.File(inside / "scan.nxs", "w") as file:
        file["entry/instrument/detector/image_key"] = np.zeros(6, int)
        file["entry/instrument/detector/data"] = h5py.ExternalLink("../secret.h5", "/data")
    with pytest.raises(FileFormatError, match="which is not in"):
        io.read_projections(inside / "scan.nxs", allow_external=inside)
    assert io.read_projections(inside / "scan.nxs", allow_external=tmp_path).data.shape == (6, 4, 8)


def test_nothing_to_read(tmp_path):
    np.savez(tmp_path / "a.npz", image=DATA)
    with pytest.raises(PyradError, match="present: image"):
        io.read_projections(tmp_path / "a.npz")


def test_nexus_frames_and_angles_behind_external_links(tmp_path):
    """Only with allow_external, and only within that folder."""
    h5py = pytest.importorskip("h5py")
    frames = np.arange(4 * 32, dtype=np.uint16).reshape(4, 4, 8)
    (tmp_path / "raw").mkdir()
    with h5py.File(tmp_path / "raw" / "frames.h5", "w") as file:
        file["frames"] = frames
        file["angle"] = np.arange(4) * 0.5
        file["angle"].attrs["units"] = "rad"
    path = tmp_path / "scan.nxs"
    with h5py.File(path, "w") as file:
        entry = file.create_group("entry1/tomo_entry")
        entry["instrument/detector/image_key"] = np.array([1, 0, 0, 2])
        entry["instrument/detector/data"] = h5py.ExternalLink("raw/frames.h5", "/frames")
        entry["sample/rotation_angle"] = h5py.ExternalLink("raw/frames.h5", "/angle")
    with pytest.raises(FileFormatError, match="refused unless allow_external"):
        io.read_projections(path)
    scan = io.read_projections(path, allow_external=tmp_path)
    assert np.array_equal(scan.data, frames[1:3]) and len(scan.flat) == len(scan.dark) == 1
    assert np.allclose(scan.geometry.angles, [0.5, 1.0])
    (tmp_path / "elsewhere").mkdir()
    with pytest.raises(FileFormatError, match="which is not in"):
        io.read_projections(path, allow_external=tmp_path / "elsewhere")
