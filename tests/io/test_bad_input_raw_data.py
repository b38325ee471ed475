"""Bad k-space and projection files, by their number in the catalogue of bad inputs."""

import io as buffers
import struct
import zipfile
import zlib

import numpy as np
import pytest
from helpers import data_path

from pyrad_core import io
from pyrad_core.errors import FileFormatError

KSPACE = np.ones((2, 8, 8), np.complex64)


@pytest.fixture
def h5(tmp_path):
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "scan.h5"
    with h5py.File(path, "w") as file:
        file["exchange/data"] = np.ones((3, 2, 8), np.float32)
        file["exchange/theta"] = np.array([0.0, 60.0, 120.0])
    return path


def npy_header(path, shape, dtype="<c8", body=b"\0" * 64):
    stream = buffers.BytesIO()
    header = {"descr": dtype, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(stream, header)
    path.write_bytes(stream.getvalue() + body)
    return path


def test_bad_input_15_unknown_content(tmp_path):
    path = tmp_path / "scan.bin"
    path.write_bytes(b"\xff" * 100)
    for reader in (io.read_kspace, io.read_projections):
        with pytest.raises(FileFormatError, match="unknown .* format; accepted are"):
            reader(path)


def test_bad_input_16_pickled_npy(tmp_path):
    path = tmp_path / "evil.npy"
    np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    for reader in (io.read_kspace, io.read_projections, io.read_image):
        with pytest.raises(FileFormatError, match="pickled"):
            reader(path)


def test_bad_input_17_npy_header_with_1e12_elements(tmp_path):
    path = npy_header(tmp_path / "a.npy", (10**6, 10**6))
    with pytest.raises(FileFormatError, match="8000000000000 bytes, the cap is"):
        io.read_kspace(path)
    with pytest.raises(FileFormatError, match="expected 8000128 bytes .* got 192"):
        io.read_kspace(npy_header(tmp_path / "b.npy", (1000, 1000)))


def test_bad_input_18_npz_bomb(tmp_path):
    path = tmp_path / "bomb.npz"
    stream = buffers.BytesIO()
    header = {"descr": "|u1", "fortran_order": False, "shape": (3 * 10**8,)}
    np.lib.format.write_array_header_1_0(stream, header)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        with archive.open("sinogram.npy", "w", force_zip64=True) as member:
            member.write(stream.getvalue())
            for _ in range(150):
                member.write(bytes(2_000_000))
    with pytest.raises(FileFormatError, match="more than 200 times"):
        io.read_projections(path)
    with pytest.raises(FileFormatError, match="the cap is 1000"):
        io.read_projections(path, max_bytes=1000)


def test_npz_member_that_declares_more_than_it_holds(tmp_path):
    inner = npy_header(tmp_path / "inner.npy", (1000, 1000)).read_bytes()
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("kspace.npy", inner)
    with pytest.raises(FileFormatError, match="truncated"):
        io.read_kspace(path)


def test_bad_input_19_truncated_hdf5(h5):
    content = h5.read_bytes()
    h5.write_bytes(content[: len(content) - 500])
    with pytest.raises(
        FileFormatError, match=rf"expected {len(content)} bytes, got {len(content) - 500}"
    ):
        io.read_projections(h5)


def test_bad_input_20_hdf5_external_link(h5):
    import h5py

    secret = h5.with_name("secret.h5")
    with h5py.File(secret, "w") as file:
        file["data"] = np.ones((3, 2, 8), np.float32)
    with h5py.File(h5, "a") as file:
        del file["exchange/data"]
        file["exchange/data"] = h5py.ExternalLink("secret.h5", "/data")
    with pytest.raises(FileFormatError, match="/exchange/data is an external link to 'secret.h5'"):
        io.read_projections(h5)


def test_bad_input_20_hdf5_external_storage_and_virtual_dataset(h5):
    import h5py

    h5.with_name("secret.raw").write_bytes(bytes(192))
    with h5py.File(h5, "a") as file:
        del file["exchange/data"]
        file["exchange"].create_dataset(
            "data", (3, 2, 8), "f4", external=[(str(h5.with_name("secret.raw")), 0, 192)]
        )
    with pytest.raises(FileFormatError, match="external storage is refused"):
        io.read_projections(h5)
    with h5py.File(h5, "a") as file:
        del file["exchange/data"]
        layout = h5py.VirtualLayout((3, 2, 8), "f4")
        layout[:] = h5py.VirtualSource("secret.h5", "data", (3, 2, 8))
        file["exchange"].create_virtual_dataset("data", layout)
    with pytest.raises(FileFormatError, match="assembled from other files"):
        io.read_projections(h5)


def test_bad_input_21_self_referencing_link(h5):
    import h5py

    with h5py.File(h5, "a") as file:
        del file["exchange/data"]
        file["exchange/data"] = h5py.SoftLink("/exchange/data")
    with pytest.raises(FileFormatError, match="/exchange/data refers to itself"):
        io.read_projections(h5)
    with h5py.File(h5, "a") as file:
        del file["exchange/data"]
        file["exchange/data"] = file["exchange"]  # the group contains itself
    with pytest.raises(FileFormatError, match="exchange/data is absent"):
        io.read_projections(h5)


def test_bad_input_22_hdf5_dataset_of_1e13_elements(h5):
    import h5py

    with h5py.File(h5, "a") as file:
        del file["exchange/data"]
        file["exchange"].create_dataset("data", (10**5, 10**4, 10**4), "f4", chunks=(1, 100, 100))
    with pytest.raises(FileFormatError, match="40000000000000 bytes, the cap is"):
        io.read_projections(h5)


def test_bad_input_106_hdf5_chunks_never_written(h5):
    import h5py

    with h5py.File(h5, "a") as file:
        del file["exchange/data"]
        data = file["exchange"].create_dataset("data", (4, 2, 8), "f4", chunks=(1, 2, 8))
        data[0] = 1
    with pytest.raises(FileFormatError, match="incomplete: 1 of 4 chunks"):
        io.read_projections(h5)


def test_bad_input_23_group_missing(h5):
    with pytest.raises(FileFormatError, match="present: exchange"):
        io.read_kspace(h5)
    import h5py

    with h5py.File(h5, "a") as file:
        del file["exchange/data"]
    with pytest.raises(FileFormatError, match="exchange/data is absent.*present: theta"):
        io.read_projections(h5)


ENTITIES = """<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>
<ismrmrdHeader xmlns="http://www.ismrm.org/ISMRMRD"><x>&b;</x></ismrmrdHeader>"""
NO_ENCODING = """<?xml version="1.0"?><ismrmrdHeader xmlns="http://www.ismrm.org/ISMRMRD">
<experimentalConditions><H1resonanceFrequency_Hz>1</H1resonanceFrequency_Hz>
</experimentalConditions></ismrmrdHeader>"""


@pytest.mark.parametrize("layout", ["fastmri", "ismrmrd"])
@pytest.mark.parametrize(
    ("number", "xml", "match"),
    [(24, ENTITIES, "refused .*(Entities|DTD)Forbidden"), (25, NO_ENCODING, "lacks .*<encoding>")],
)
def test_bad_input_24_25_xml(tmp_path, layout, number, xml, match):
    h5py = pytest.importorskip("h5py")
    pytest.importorskip("ismrmrd")
    path = tmp_path / "scan.h5"
    with h5py.File(path, "w") as file:
        if layout == "fastmri":
            file["kspace"] = np.ones((2, 3, 8, 8), np.complex64)
            file["ismrmrd_header"] = xml
        else:
            file["dataset/xml"] = [xml]
            file["dataset/data"] = np.zeros(1)
    with pytest.raises(FileFormatError, match=match):
        io.read_kspace(path)


def test_bad_input_19_truncated_mat_and_compressed_bomb(tmp_path):
    from scipy.io import savemat

    path = tmp_path / "a.mat"
    savemat(path, {"kspace": np.random.default_rng(0).random((64, 64, 4)) * 1j})
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(FileFormatError, match=rf"expected {len(content)} bytes .* got"):
        io.read_kspace(path)
    count = 300 << 17  # zeros, 300 MiB of them
    head = struct.pack("<IIIIII", 6, 8, 6, 0, 5, 8) + struct.pack("<iiHH4s", count, 1, 1, 1, b"k")
    head += struct.pack("<II", 9, 8 * count)
    packer = zlib.compressobj(1)
    packed = packer.compress(struct.pack("<II", 14, len(head) + 8 * count) + head)
    for _ in range(300):
        packed += packer.compress(bytes(1 << 20))
    packed += packer.flush()
    path.write_bytes(content[:128] + struct.pack("<II", 15, len(packed)) + packed)
    with pytest.raises(FileFormatError, match="more than 200 times"):
        io.read_kspace(path)


def test_bad_input_19_truncated_twix(tmp_path):
    pytest.importorskip("twixtools")
    content = data_path("mr", "twixtools", "gre.dat").read_bytes()
    path = tmp_path / "cut.dat"
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(FileFormatError, match=rf"truncated: expected .* got {len(content) // 2}"):
        io.read_kspace(path)
    path.write_bytes(content[:11000] + bytes(9000))
    with pytest.raises(FileFormatError):
        io.read_kspace(path)


def test_bad_input_19_truncated_cfl(tmp_path):
    (tmp_path / "a.hdr").write_text("# Dimensions\n8 8 1 2 1 1\n")
    (tmp_path / "a.cfl").write_bytes(bytes(500))
    with pytest.raises(FileFormatError, match="expected 1024 bytes .* got 500"):
        io.read_kspace(tmp_path / "a.cfl")
    (tmp_path / "a.hdr").write_text("# Dimensions\n30000 30000 30000 1\n")
    with pytest.raises(FileFormatError, match="the cap is"):
        io.read_kspace(tmp_path / "a.cfl")
    (tmp_path / "a.hdr").write_text("# Dimensions\n8 -8 1 2\n")
    with pytest.raises(FileFormatError, match="-8"):
        io.read_kspace(tmp_path / "a.hdr")


def test_bad_input_54_61_dtypes(tmp_path):
    for dtype in (np.float32, np.float16):
        np.save(tmp_path / "a.npy", np.ones((2, 8, 8), dtype))
        with pytest.raises(FileFormatError, match=f"{np.dtype(dtype)}; accepted are complex64"):
            io.read_kspace(tmp_path / "a.npy")


def test_bad_input_48_50_coordinates(tmp_path):
    coordinates = np.zeros((5, 16, 2))
    np.savez(tmp_path / "a.npz", kspace=np.ones((2, 5, 15), np.complex64), coordinates=coordinates)
    with pytest.raises(FileFormatError, match=r"\(2, 5, 15\) and coordinates \(5, 16, 2\)"):
        io.read_kspace(tmp_path / "a.npz")
    coordinates[1, 2, 0] = np.nan
    np.savez(tmp_path / "a.npz", kspace=np.ones((2, 5, 16), np.complex64), coordinates=coordinates)
    with pytest.raises(FileFormatError, match="1 NaN"):
        io.read_kspace(tmp_path / "a.npz")
