"""The catalogue's file items on k-space readers, by their number."""

import mr_files
import numpy as np
import pytest

from pyrad_core import io
from pyrad_core.cli import main
from pyrad_core.errors import FileFormatError

h5py = pytest.importorskip("h5py")


@pytest.fixture
def fastmri(tmp_path):
    path = tmp_path / "scan.h5"
    with h5py.File(path, "w") as file:
        file["kspace"] = np.ones((2, 3, 8, 8), np.complex64)
    return path


@pytest.fixture
def ismrmrd(tmp_path):
    pytest.importorskip("ismrmrd")

    def make(change=None, **header):
        path = tmp_path / "raw.h5"
        path.unlink(missing_ok=True)
        writer = mr_files.Writer(path, mr_files.header((16, 8, 1), (160.0, 80.0, 5.0), **header))
        angles = np.pi * np.arange(8) / 8
        radius = (np.arange(16) - 8.0) / 16
        for y, angle in enumerate(angles):
            line = np.ones((2, 16), np.complex64)
            traj = np.stack([radius * np.cos(angle), radius * np.sin(angle)], -1)
            if change is not None and y == 3:
                change(line, traj)
            writer.add(line, y=y, traj=traj if header.get("trajectory") == "radial" else None)
        writer.close()
        return path

    return make


def test_bad_input_16_pickled_kspace_in_npz(tmp_path):
    path = tmp_path / "evil.npz"
    np.savez(path, kspace=np.array([{"a": 1}], dtype=object))
    with pytest.raises(FileFormatError, match="pickled"):
        io.read_kspace(path)


def test_bad_input_20_kspace_elsewhere(fastmri):
    other = fastmri.with_name("secret.h5")
    fastmri.rename(other)
    with h5py.File(fastmri, "w") as file:
        file["kspace"] = h5py.ExternalLink("secret.h5", "/kspace")
    with pytest.raises(FileFormatError, match="/kspace is an external link to 'secret.h5'"):
        io.read_kspace(fastmri)
    with h5py.File(fastmri, "w") as file:
        raw = str(fastmri.with_name("secret.raw"))
        file.create_dataset("kspace", (2, 3, 8, 8), "c8", external=[(raw, 0, 3072)])
    with pytest.raises(FileFormatError, match="external storage is refused"):
        io.read_kspace(fastmri)


def test_bad_input_20_acquisitions_elsewhere(ismrmrd):
    path = ismrmrd()
    with h5py.File(path, "a") as file:
        del file["dataset/data"]
        file["dataset/data"] = h5py.ExternalLink("secret.h5", "/data")
    with pytest.raises(FileFormatError, match="external link"):
        io.read_kspace(path)


def test_bad_input_21_kspace_refers_to_itself(fastmri):
    with h5py.File(fastmri, "w") as file:
        file["kspace"] = h5py.SoftLink("/kspace")
    with pytest.raises(FileFormatError, match="refers to itself"):
        io.read_kspace(fastmri)


def test_bad_input_23_nothing_of_kspace(tmp_path):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["images/first"] = np.ones(3)
    with pytest.raises(FileFormatError, match="present: images"):
        io.read_kspace(path)


def test_bad_input_24_25_in_a_fastmri_header(fastmri):
    bomb = '<!DOCTYPE a [<!ENTITY b "bb">]><ismrmrdHeader>&b;</ismrmrdHeader>'
    for xml, match in ((bomb, "DTDForbidden|EntitiesForbidden"), ("<ismrmrdHeader", "ParseError")):
        with h5py.File(fastmri, "a") as file:
            if "ismrmrd_header" in file:
                del file["ismrmrd_header"]
            file["ismrmrd_header"] = xml
        with pytest.raises(FileFormatError, match=match):
            io.read_kspace(fastmri)


@pytest.mark.parametrize("matrix", [(0, 8, 1), (-4, 8, 1)])
def test_bad_input_25_grid_of_nothing(tmp_path, matrix):
    pytest.importorskip("ismrmrd")
    path = tmp_path / "raw.h5"
    writer = mr_files.Writer(path, mr_files.header(matrix, (160.0, 80.0, 5.0)))
    writer.add(np.ones((1, 8)))
    writer.close()
    with pytest.raises(FileFormatError):
        io.read_kspace(path)


def test_bad_input_22_acquisitions_that_place_lines_far_out(tmp_path):
    """Counters of a hostile file ask for a huge array; the cap is checked before allocation."""
    pytest.importorskip("ismrmrd")
    path = tmp_path / "raw.h5"
    writer = mr_files.Writer(path, mr_files.header((512, 512, 1), (160.0, 160.0, 5.0)))
    counters = {"slice": 9999, "repetition": 9999, "contrast": 99}
    writer.add(np.ones((1, 512)), **counters)
    writer.close()
    with pytest.raises(FileFormatError, match="the cap is"):
        io.read_kspace(path)


def test_bad_input_30_directory(tmp_path):
    for name in ("folder", "folder.h5", "folder.dat", "folder.mat"):
        (tmp_path / name).mkdir()
        with pytest.raises(FileFormatError, match="is a directory"):
            io.read_kspace(tmp_path / name)


def test_bad_input_30_directory_as_trajectory(tmp_path):
    np.save(tmp_path / "k.npy", np.ones((2, 4, 8), np.complex64))
    with pytest.raises(FileFormatError, match="is a directory"):
        io.read_kspace(tmp_path / "k.npy", coordinates=tmp_path)


def test_bad_input_105_named_sibling(tmp_path):
    """k.npy beside k.npz and k.mat: exactly the named one is opened."""
    from scipy.io import savemat

    np.save(tmp_path / "k.npy", np.full((2, 8, 8), 1, np.complex64))
    np.savez(tmp_path / "k.npz", kspace=np.full((2, 8, 8), 2, np.complex64))
    savemat(tmp_path / "k.mat", {"kspace": np.full((8, 8, 2), 3, np.complex64)})
    io.write_cfl(tmp_path / "k", np.full((2, 8, 8), 4), axes=("coil", "y", "x"))
    for value, ending in enumerate((".npy", ".npz", ".mat", ".cfl"), start=1):
        assert io.read_kspace(tmp_path / f"k{ending}").data[0, 0, 0] == value


def test_bad_input_48_nan_coordinate_in_a_file(ismrmrd, tmp_path, capsys):
    path = ismrmrd(lambda line, traj: traj.__setitem__((5, 0), np.nan), trajectory="radial")
    for method in ("gridding", "cg-sense", "compressed-sensing"):
        out = tmp_path / "a.nii"
        assert main(["recon", "mr", str(path), str(out), "--method", method]) == 1
        assert "NaN" in capsys.readouterr().err and not out.exists()


def test_bad_input_60_nan_sample_in_a_file(ismrmrd, tmp_path, capsys):
    for trajectory in ("cartesian", "radial"):
        path = ismrmrd(lambda line, _: line.__setitem__((1, 9), np.nan), trajectory=trajectory)
        out = tmp_path / "a.nii"
        assert main(["recon", "mr", str(path), str(out)]) == 1
        assert "1 NaN or Inf values, the first at index" in capsys.readouterr().err
        assert not out.exists()
