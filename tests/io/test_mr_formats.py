"""Siemens VB and rearranged VE files, ISMRMRD's rarer parts, BART pairs written, EPI ramps."""

import shutil
import subprocess

import mr_files
import numpy as np
import pytest
from helpers import data_path, relative_error

from pyrad_core import io
from pyrad_core.errors import DataError, FileFormatError

RNG = np.random.default_rng(2)


def random(*shape):
    return (RNG.standard_normal(shape) + 1j * RNG.standard_normal(shape)).astype(np.complex64)


@pytest.fixture(scope="module")
def gre():
    pytest.importorskip("twixtools")
    return mr_files.twix_scan(data_path("mr", "twixtools", "gre.dat"))


def test_twix_vb(tmp_path, gre):
    path = tmp_path / "old.dat"
    mr_files.write_vb(path, gre)
    scan, new = io.read_kspace(path), io.read_kspace(data_path("mr", "twixtools", "gre.dat"))
    assert np.array_equal(scan.data, new.data) and scan.axes == new.axes
    assert np.allclose(scan.affine(), new.affine())
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(FileFormatError, match="is truncated"):
        io.read_kspace(path)
    path.write_bytes(content[:-1000])
    with pytest.raises(FileFormatError, match="is truncated"):
        io.read_kspace(path)


def test_twix_line_of_no_length_is_refused(tmp_path, gre):
    """A line that declares no bytes would keep a parser in one place for ever."""
    path = tmp_path / "old.dat"
    mr_files.write_vb(path, gre)
    content = bytearray(path.read_bytes())
    at = int.from_bytes(content[:4], "little")
    content[at + 30 : at + 32] = bytes(2)  # used channels
    path.write_bytes(content)
    with pytest.raises(FileFormatError, match=f"line at byte {at} declares 0 bytes"):
        io.read_kspace(path)


def test_twix_several_measurements_slices_averages_and_references(tmp_path, gre):
    """Noise in a measurement of its own; slices acquired out of order; two averages, two segments;
    separate reference lines; reflected phase-correction lines."""
    twixtools = pytest.importorskip("twixtools")
    noise = random(2, 64)
    first = gre["mdb"][0]
    line = mr_files.local_line
    scans = [{"hdr_str": gre["hdr_str"], "mdb": [line(first, noise, flags=["NOISEADJSCAN"])]}]
    mdbs = []
    for number, along in ((0, 1), (1, 2), (2, 0)):  # acquisition number -> place along the normal
        for i, mdb in enumerate(gre["mdb"]):
            for average in range(2):
                factor = (1 + along) * (0.5 if average else 1.5)
                copied = line(mdb, factor * mdb.data, Sli=number, Ave=average, Seg=i % 2)
                copied.mdh.SliceData.SlicePos.Tra += 5.0 * along
                mdbs.append(copied)
        for y in range(70, 90):
            reference = line(
                gre["mdb"][y], 7 * gre["mdb"][y].data, flags=["PATREFSCAN"], Sli=number
            )
            mdbs.append(reference)
            extra = line(gre["mdb"][y], flags=["PATREFSCAN", "PHASCOR"], Sli=number)
            mdbs.append(extra)
        mdbs.append(line(gre["mdb"][80], flags=["PHASCOR", "REFLECT"], Sli=number))
    scans.append({"hdr_str": gre["hdr_str"], "mdb": mdbs})
    path = tmp_path / "several.dat"
    twixtools.write_twix(scans, str(path))
    scan = io.read_kspace(path)
    plain = io.read_kspace(data_path("mr", "twixtools", "gre.dat")).data
    assert scan.axes == ("coil", "slice", "y", "x") and scan.data.shape == (2, 3, 160, 320)
    assert np.allclose(scan.noise, noise)
    for along in range(3):
        assert relative_error(scan.data[:, along], (1 + along) * plain) < 1e-6
    assert np.allclose(np.diff(scan.header["orientation"]["positions"][:, 2]), 5.0)
    assert scan.header["calibration_kspace"].shape == (2, 3, 160, 320)
    assert (
        relative_error(scan.header["calibration_kspace"][:, 1, 70:90], 7 * plain[:, 70:90]) < 1e-6
    )
    assert len(scan.header["calibration"]) == 60
    assert [n["slice"] for n in scan.header["navigators"]] == [1, 2, 0]
    assert np.array_equal(scan.header["navigators"][0]["samples"][:, ::-1], gre["mdb"][80].data)


def test_twix_with_a_given_trajectory(gre):
    path = data_path("mr", "twixtools", "gre.dat")
    from pyrad_core import mr

    coordinates = mr.radial(160, 320, 160)
    scan = io.read_kspace(path, coordinates=coordinates)
    assert scan.axes == ("coil", "spoke", "sample") and scan.data.shape == (2, 160, 320)
    assert np.array_equal(scan.data[:, 7], gre["mdb"][7].data)
    assert np.array_equal(scan.coordinates, coordinates) and scan.header["matrix"] == (160, 160)
    with pytest.raises(FileFormatError, match=r"\(80, 320, 2\) do not fit 160 lines of \[320\]"):
        io.read_kspace(path, coordinates=coordinates[:80])


def test_twix_partial_fourier_grid_holds_all_lines(tmp_path, gre):
    """Lines 0-99 with k = 0 at line 20: the grid grows so that line 20 is its middle."""
    twixtools = pytest.importorskip("twixtools")
    mdbs = [mr_files.local_line(m, CenterLin=20) for m in gre["mdb"][:100]]
    path = tmp_path / "part.dat"
    twixtools.write_twix([{"hdr_str": gre["hdr_str"], "mdb": mdbs}], str(path))
    scan = io.read_kspace(path)
    middle = scan.data.shape[1] // 2
    assert scan.data.shape[1] >= 2 * 79 + 1
    assert np.array_equal(scan.data[:, middle - 20 : middle + 80, 160], np.stack(
        [m.data[:, 160] for m in gre["mdb"][:100]], axis=1))  # fmt: skip
    assert scan.mask.any(axis=1).sum() == 100


def test_ismrmrd_encodings(tmp_path):
    pytest.importorskip("ismrmrd")
    path = tmp_path / "two.h5"
    writer = mr_files.Writer(path, mr_files.header((16, 8, 1), (160.0, 80.0, 5.0), encodings=2))
    data = random(2, 8, 16)
    for y in range(8):
        writer.add(data[:, y], y=y, encoding=0)
        writer.add(-data[:, y], y=y, encoding=1)
    writer.close()
    assert np.array_equal(io.read_kspace(path).data, data)
    assert np.array_equal(io.read_kspace(path, encoding=1).data, -data)
    assert io.read_kspace(path).header["encodings"] == 2
    with pytest.raises(FileFormatError, match="has 2 encodings; there is no encoding 2"):
        io.read_kspace(path, encoding=2)


def test_ismrmrd_separate_calibration(tmp_path):
    pytest.importorskip("ismrmrd")
    path = tmp_path / "parallel.h5"
    extra = (
        "<parallelImaging><accelerationFactor><kspace_encoding_step_1>2</kspace_encoding_step_1>"
        "<kspace_encoding_step_2>1</kspace_encoding_step_2></accelerationFactor>"
        "</parallelImaging>"
    )
    writer = mr_files.Writer(path, mr_files.header((16, 12, 1), (160.0, 120.0, 5.0), extra=extra))
    data = random(2, 12, 16)
    for y in range(0, 12, 2):
        writer.add(data[:, y], y=y)
    for y in range(3, 9):
        writer.add(2 * data[:, y], y=y, flags=["ACQ_IS_PARALLEL_CALIBRATION"])
    both = ["ACQ_IS_PARALLEL_CALIBRATION", "ACQ_IS_PARALLEL_CALIBRATION_AND_IMAGING"]
    writer.add(data[:, 9], y=9, flags=both)
    writer.close()
    scan = io.read_kspace(path)
    assert scan.header["acceleration"] == (2, 1)
    assert np.array_equal(np.flatnonzero(scan.mask[:, 0]), [0, 2, 4, 6, 8, 9, 10])
    assert np.array_equal(scan.header["calibration_kspace"][:, 3:9], 2 * data[:, 3:9])


def test_ismrmrd_epi_with_ramps(tmp_path):
    """The timing of the trajectory description gives ramp positions; rows remember directions."""
    pytest.importorskip("ismrmrd")
    from pyrad_core import Volume, mr, phantom

    timing = {"rampUpTime": 100, "rampDownTime": 100, "flatTopTime": 300, "acqDelayTime": 20,
              "numSamples": 92}  # fmt: skip
    extra = (
        "<trajectoryDescription><identifier>ConventionalEPI</identifier>"
        + "".join(
            f"<userParameterLong><name>{k}</name><value>{v}</value></userParameterLong>"
            for k, v in timing.items()
        )
        + "<userParameterDouble><name>dwellTime</name><value>5.0</value></userParameterDouble>"
        "</trajectoryDescription>"
    )
    path = tmp_path / "epi.h5"
    xml = mr_files.header(
        (64, 32, 1), (400.0, 200.0, 5.0), recon=(32, 32, 1), recon_fov=(200.0, 200.0, 5.0),
        trajectory="epi", extra=extra,
    )  # fmt: skip
    head = phantom.shepp_logan(2, radius=85.0)
    k = mr.ramp_positions(
        92, ramp_up=100, flat_top=300, ramp_down=100, delay=20, duration=460
    ) * (64 / 92)  # fmt: skip
    volume = Volume((32, 64), 200.0 / 32)
    writer = mr_files.Writer(path, xml)
    for y in range(32):
        coordinates = np.stack([np.full(92, y - 16.0), k], axis=-1)
        samples = head.kspace(coordinates, volume)[None]
        back = y % 2 == 1
        flags = ["ACQ_IS_REVERSE"] if back else []
        writer.add(samples[:, ::-1] if back else samples, y=y, flags=flags)
    writer.close()
    scan = io.read_kspace(path)
    assert scan.data.shape == (1, 32, 92) and scan.header["ramp"]["duration"] == 460
    assert scan.header["reflected"].tolist() == [False, True] * 16
    from pyrad_core.cli import main

    out = tmp_path / "epi.npy"
    assert main(["recon", "mr", str(path), str(out), "--ghost", "none", "-q"]) == 0
    even = np.stack(np.meshgrid(np.arange(32) - 16.0, np.arange(32) - 16.0, indexing="ij"), -1)
    truth = np.abs(mr.ifft(head.kspace(even, Volume((32, 32), 200.0 / 32))))
    assert relative_error(np.load(out), truth) < 0.03


@pytest.mark.parametrize("ending", ["", ".cfl", ".hdr"])
def test_cfl_round_trip(tmp_path, ending):
    data = random(3, 2, 5, 6)
    written = io.write_cfl(tmp_path / f"k{ending}", data, axes=("coil", "slice", "y", "x"))
    assert written == tmp_path / "k.cfl"
    scan = io.read_kspace(written)
    assert scan.axes == ("coil", "slice", "y", "x") and np.array_equal(scan.data, data)
    again = io.read_kspace(io.write_cfl(tmp_path / "again", scan))
    assert again.axes == scan.axes and np.array_equal(again.data, data)


def test_cfl_trajectory_round_trip(tmp_path):
    data, coordinates = random(4, 7, 16), RNG.uniform(-8, 8, (7, 16, 2)).astype(np.float32)
    io.write_cfl(tmp_path / "k", data, axes=("coil", "spoke", "sample"))
    io.write_cfl(tmp_path / "t", coordinates, axes=("spoke", "sample", "dim"))
    scan = io.read_kspace(tmp_path / "k.cfl", coordinates=tmp_path / "t.cfl")
    assert np.array_equal(scan.data, data) and np.array_equal(scan.coordinates, coordinates)


@pytest.mark.skipif(not shutil.which("bart"), reason="bart not found")
def test_cfl_is_what_bart_reads(tmp_path):
    data = random(3, 8, 10)
    io.write_cfl(tmp_path / "k", data, axes=("coil", "y", "x"))
    command = ["bart", "fft", "-u", "-i", "3", str(tmp_path / "k"), str(tmp_path / "image")]
    subprocess.run(command, check=True, capture_output=True)
    from pyrad_core import mr

    image = io.read_kspace(tmp_path / "image.cfl").data
    assert relative_error(image, mr.ifft(data)) < 1e-5


def test_cfl_refuses(tmp_path):
    with pytest.raises(DataError, match="do not name the 3 axes"):
        io.write_cfl(tmp_path / "k", random(2, 3, 4), axes=("coil", "y", "y"))
    with pytest.raises(DataError, match="more than 3 entries"):
        io.write_cfl(tmp_path / "k", np.ones((5, 6, 4)), axes=("spoke", "sample", "dim"))
    with pytest.raises(DataError, match="expected numbers"):
        io.write_cfl(tmp_path / "k", np.array(["a"]))
    assert not list(tmp_path.iterdir())
