"""ISMRMRD, fastMRI and BART files made from the real coil images of the brain set."""

import numpy as np
import pytest
from helpers import data_path

from pyrad_core import io
from pyrad_core.errors import FileFormatError

HEADER = """<?xml version="1.0" encoding="utf-8"?>
<ismrmrdHeader xmlns="http://www.ismrm.org/ISMRMRD">
 <experimentalConditions><H1resonanceFrequency_Hz>123</H1resonanceFrequency_Hz>
 </experimentalConditions>
 <encoding>
  <encodedSpace><matrixSize><x>{x}</x><y>{y}</y><z>{z}</z></matrixSize>
   <fieldOfView_mm><x>{wide}</x><y>240</y><z>5</z></fieldOfView_mm></encodedSpace>
  <reconSpace><matrixSize><x>{small}</x><y>{y}</y><z>{z}</z></matrixSize>
   <fieldOfView_mm><x>240</x><y>240</y><z>5</z></fieldOfView_mm></reconSpace>
  <encodingLimits>
   <kspace_encoding_step_1><minimum>0</minimum><maximum>{last}</maximum><center>{center}</center>
   </kspace_encoding_step_1></encodingLimits>
  <trajectory>{trajectory}</trajectory>
 </encoding>
</ismrmrdHeader>"""


def xml(x, y, *, z=1, small=None, center=None, trajectory="cartesian"):
    return HEADER.format(
        x=x, y=y, z=z, small=small or x, wide=240.0 * x / (small or x), last=y - 1,
        center=y // 2 if center is None else center, trajectory=trajectory,
    )  # fmt: skip


@pytest.fixture(scope="module")
def brain():
    """Centred unitary k-space (4, 64, 64) of the real coil images (every fourth voxel)."""
    from scipy.io import loadmat

    images = loadmat(data_path("mr", "gpunufft", "img_brain_4ch.mat"))["img"]
    images = np.moveaxis(images, -1, 0)[:, ::4, ::4]
    shifted = np.fft.ifftshift(images, axes=(1, 2))
    kspace = np.fft.fftshift(np.fft.fft2(shifted, norm="ortho"), axes=(1, 2))
    return kspace.astype(np.complex64)


class Writer:
    """An ISMRMRD file being written by the ismrmrd package."""

    def __init__(self, path, header):
        self.ismrmrd = pytest.importorskip("ismrmrd")
        self.dataset = self.ismrmrd.Dataset(str(path), "dataset", create_if_needed=True)
        self.dataset.write_xml_header(header.encode())

    def add(self, samples, *, y=0, flags=(), center=None, traj=None, **counters):
        trajectory = None if traj is None else np.asarray(traj, np.float32)
        line = self.ismrmrd.Acquisition.from_array(np.ascontiguousarray(samples), trajectory)
        line.idx.kspace_encode_step_1 = y
        line.center_sample = samples.shape[1] // 2 if center is None else center
        for name, value in counters.items():
            setattr(line.idx, name, value)
        for flag in flags:
            line.setFlag(getattr(self.ismrmrd, flag))
        self.dataset.append_acquisition(line)

    def close(self):
        self.dataset.close()


def test_ismrmrd_cartesian(tmp_path, brain):
    path = tmp_path / "scan.h5"
    writer = Writer(path, xml(64, 64))
    noise = np.ones((4, 32), np.complex64)
    writer.add(noise, flags=["ACQ_IS_NOISE_MEASUREMENT"])
    writer.add(brain[:, 32], y=32, flags=["ACQ_IS_PHASECORR_DATA"])
    for y in range(0, 64, 2):
        reflected = y % 4 == 0  # read backwards, as in EPI
        samples = brain[:, y, ::-1] if reflected else brain[:, y]
        writer.add(samples, y=y, flags=["ACQ_IS_REVERSE"] if reflected else [])
        writer.add(samples, y=y, flags=["ACQ_IS_REVERSE"] if reflected else [], average=1)
    for y in (31, 33):
        writer.add(brain[:, y], y=y, flags=["ACQ_IS_PARALLEL_CALIBRATION"])
    writer.close()
    scan = io.read_kspace(path)
    assert scan.data.shape == (4, 64, 64) and scan.axes == ("coil", "y", "x")
    assert np.allclose(scan.data[:, ::2], brain[:, ::2]) and not scan.data[:, 1::2].any()
    assert scan.mask[::2].all() and not scan.mask[1::2].any()
    assert np.array_equal(scan.noise, noise)
    assert len(scan.header["navigators"]) == 1
    assert [line["y"] for line in scan.header["calibration"]] == [31, 33]
    assert scan.spacing == (3.75, 3.75)


def test_ismrmrd_oversampling_slices_and_partial_echo(tmp_path, brain):
    path = tmp_path / "scan.h5"
    writer = Writer(path, xml(64, 64, small=32, center=20))
    for slice_ in range(2):
        for y in range(40):  # lines 0..39 with k = 0 at line 20; the echo starts 12 samples late
            writer.add(brain[:, y + 12, 12:], y=y, center=20, slice=slice_)
    writer.close()
    scan = io.read_kspace(path)
    assert scan.data.shape == (4, 2, 64, 64) and scan.axes == ("coil", "slice", "y", "x")
    assert np.allclose(scan.data[:, 1, 12:52, 12:], brain[:, 12:52, 12:])
    assert scan.mask.sum() == 40 * 52 and scan.mask[12:52, 12:].all()
    assert scan.header["recon_matrix"] == (64, 32) and scan.spacing == (3.75, 7.5)
    assert [index for index, _ in scan.frames()] == [(0,), (1,)]


def test_ismrmrd_radial(tmp_path, brain):
    path = tmp_path / "scan.h5"
    writer = Writer(path, xml(64, 64, trajectory="radial"))
    rng = np.random.default_rng(0)
    radius = (np.arange(64) - 32) / 64
    data = (rng.standard_normal((4, 10, 64)) + 1j).astype(np.complex64)
    for spoke in range(10):
        angle = np.pi * spoke / 10
        traj = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=-1)
        writer.add(data[:, spoke], y=spoke, traj=traj)
    writer.close()
    scan = io.read_kspace(path)
    assert np.array_equal(scan.data, data) and scan.axes == ("coil", "spoke", "sample")
    assert scan.coordinates.shape == (10, 64, 2) and scan.mask is None
    assert np.allclose(scan.coordinates[0, :, 1], np.arange(64) - 32)  # kx is the last column
    assert np.allclose(scan.coordinates[5, :, 0], np.arange(64) - 32, atol=1e-4)


def test_ismrmrd_line_outside_the_grid(tmp_path, brain):
    path = tmp_path / "scan.h5"
    writer = Writer(path, xml(64, 32))
    writer.add(brain[:, 0], y=40)
    writer.close()
    with pytest.raises(FileFormatError, match="line .z 0, y 40. .* outside the encoded grid"):
        io.read_kspace(path)


@pytest.mark.parametrize("coils", [1, 4])
def test_fastmri(tmp_path, brain, coils):
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "file1000.h5"
    data = np.stack([brain[:coils], 2 * brain[:coils]])  # (slice, coil, readout, phase)
    mask = np.arange(64) % 4 == 0
    with h5py.File(path, "w") as file:
        file["kspace"] = (data if coils > 1 else data[:, 0]) * mask
        file["mask"] = mask
        file["ismrmrd_header"] = xml(64, 64, small=32)
        file.attrs["patient_id"] = "somebody"
    scan = io.read_kspace(path)
    assert scan.data.shape == (coils, 2, 64, 64) and scan.axes == ("coil", "slice", "y", "x")
    assert np.allclose(scan.data[:, 1], 2 * brain[:coils] * mask)
    assert np.array_equal(scan.mask, np.broadcast_to(mask, (64, 64)))
    assert scan.header["readout_axis"] == -2 and scan.header["recon_matrix"] == (32, 64)
    assert scan.spacing == (7.5, 3.75)
    assert "somebody" not in repr(scan.header)


def write_cfl(stem, array):
    """BART's own layout: column-major complex64 beside a text header."""
    array = np.asarray(array, np.complex64)
    dims = [*array.shape, *[1] * (16 - array.ndim)]
    stem.with_suffix(".hdr").write_text("# Dimensions\n" + " ".join(map(str, dims)) + " \n")
    array.ravel(order="F").tofile(stem.with_suffix(".cfl"))


def test_bart_cartesian(tmp_path, brain):
    write_cfl(tmp_path / "ksp", np.transpose(brain, (2, 1, 0))[:, :, None, :])  # x, y, z, coil
    for ending in (".cfl", ".hdr"):
        scan = io.read_kspace(tmp_path / f"ksp{ending}")
        assert np.array_equal(scan.data, brain) and scan.axes == ("coil", "y", "x")
        assert scan.mask is None


def test_bart_frames_and_volume(tmp_path):
    data = np.random.default_rng(0).standard_normal((6, 5, 4, 3)).astype(np.complex64)  # x y z coil
    write_cfl(tmp_path / "volume", data)
    assert np.array_equal(io.read_kspace(tmp_path / "volume.cfl").data, data.T)
    frames = np.zeros((6, 5, 1, 3, *[1] * 6, 2), np.complex64)
    frames[..., 1] = data[:, :, :1].reshape(6, 5, 1, 3, *[1] * 6)
    frames[..., 0] = 1
    write_cfl(tmp_path / "frames", frames)
    scan = io.read_kspace(tmp_path / "frames.cfl")
    assert scan.axes == ("coil", "repetition", "y", "x")
    assert np.array_equal(scan.data[:, 1], data[:, :, 0].T)


def test_bart_radial(tmp_path):
    data = np.random.default_rng(0).standard_normal((1, 64, 7, 4)).astype(np.complex64)
    traj = np.zeros((3, 64, 7))
    traj[0] = np.arange(-32, 32)[:, None]
    write_cfl(tmp_path / "ksp", data)
    write_cfl(tmp_path / "traj", traj)
    scan = io.read_kspace(tmp_path / "ksp.cfl", coordinates=tmp_path / "traj.cfl")
    assert scan.data.shape == (4, 7, 64) and scan.coordinates.shape == (7, 64, 2)
    assert np.array_equal(scan.data[2, 3], data[0, :, 3, 2])
    assert np.allclose(scan.coordinates[0, :, 1], np.arange(-32, 32))


def test_npz_and_mat(tmp_path, brain):
    from scipy.io import savemat

    np.savez(tmp_path / "a.npz", kspace=brain, noise=np.ones((4, 9), np.complex64))
    scan = io.read_kspace(tmp_path / "a.npz")
    assert np.array_equal(scan.data, brain) and scan.noise.shape == (4, 9)
    savemat(tmp_path / "a.mat", {"kspace": np.moveaxis(brain, 0, -1)})
    assert np.array_equal(io.read_kspace(tmp_path / "a.mat").data, brain)


@pytest.mark.parametrize("packed", [{}, {"compression": "gzip", "chunks": (2, 16, 32)}])
def test_mat_73(tmp_path, brain, packed):
    """With MATLAB's 512 bytes before the file, packed as MATLAB does by default, and not."""
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "a.mat"
    with h5py.File(path, "w", userblock_size=512) as file:  # MATLAB (y, x, coil) is stored reversed
        stored = np.moveaxis(brain, 0, -1).T
        pair = np.empty(stored.shape, [("real", "f4"), ("imag", "f4")])
        pair["real"], pair["imag"] = stored.real, stored.imag
        file.create_dataset("kspace", data=pair, **packed)
    with open(path, "r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM")
    assert np.array_equal(io.read_kspace(path).data, brain)


def test_single_coil_npy(tmp_path, brain):
    np.save(tmp_path / "a.npy", brain[0])
    assert io.read_kspace(tmp_path / "a.npy").data.shape == (1, 64, 64)
