"""Bad images, by their number in the catalogue of bad inputs."""

import errno
import gzip
import os
import struct
import tracemalloc

import numpy as np
import pytest

from pyrad_core import io
from pyrad_core.errors import DataError, FileFormatError, PyradError, PyradWarning
from pyrad_core.io.files import safe_name

GOOD = np.arange(4096, dtype=np.int16).reshape(16, 16, 16)


@pytest.fixture
def nii(tmp_path):
    return io.write_image(tmp_path / "good.nii", GOOD)


def patched(path, offset, form, *values):
    """The file with header bytes replaced."""
    content = bytearray(path.read_bytes())
    struct.pack_into("<" + form, content, offset, *values)
    path.write_bytes(content)
    return path


def refused_without_memory(path, match):
    tracemalloc.start()
    try:
        with pytest.raises(FileFormatError, match=match):
            io.read_image(path)
        assert tracemalloc.get_traced_memory()[1] < 2**24
    finally:
        tracemalloc.stop()


def test_bad_input_01_missing_file(tmp_path):
    path = tmp_path / "absent.nii"
    for reader in (io.read_image, io.read_kspace, io.read_projections):
        with pytest.raises(FileNotFoundError, match="no such file") as caught:
            reader(path)
        assert isinstance(caught.value, PyradError)
    assert not path.exists()


@pytest.mark.parametrize("ending", [".nii", ".nii.gz", ".nrrd", ".mha", ".npy"])
def test_bad_input_02_empty_file(tmp_path, ending):
    path = tmp_path / f"empty{ending}"
    path.touch()
    with pytest.raises(FileFormatError, match="empty"):
        io.read_image(path)


def test_bad_input_03_truncated_nii(nii):
    content = nii.read_bytes()
    nii.write_bytes(content[: len(content) // 2])
    with pytest.raises(FileFormatError, match=r"expected 8544 bytes .* got 4272"):
        io.read_image(nii)


def test_bad_input_04_truncated_nii_gz(tmp_path):
    noise = np.random.default_rng(0).random((16, 16, 16), np.float32)
    path = io.write_image(tmp_path / "a.nii.gz", noise)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(FileFormatError, match="truncated"):
        io.read_image(path)


def test_bad_input_05_trailing_garbage_after_gzip(tmp_path):
    path = io.write_image(tmp_path / "a.nii.gz", GOOD)
    path.write_bytes(path.read_bytes() + b"garbage")
    with pytest.raises(FileFormatError, match="trailing garbage"):
        io.read_image(path)


def test_gzip_members_in_a_row_are_one_file(tmp_path, nii):
    content = nii.read_bytes()
    path = tmp_path / "members.nii.gz"
    path.write_bytes(gzip.compress(content[:1000]) + gzip.compress(content[1000:]))
    assert np.array_equal(io.read_image(path).data, GOOD)


def test_bad_input_06_huge_dims_in_a_small_file(nii):
    refused_without_memory(patched(nii, 42, "hhh", 30000, 30000, 30000), "30000, 30000, 30000")


@pytest.mark.parametrize("length", [0, -3])
def test_bad_input_07_negative_or_zero_dim(nii, length):
    with pytest.raises(FileFormatError, match=rf"\(16, {length}, 16\)"):
        io.read_image(patched(nii, 44, "h", length))


def test_bad_input_08_dim_product_beyond_63_bits(nii):
    patched(nii, 40, "8h", 7, *[32767] * 7)
    refused_without_memory(nii, "32767")


def test_bad_input_09_gzip_ratio(tmp_path):
    head = bytearray(348)
    struct.pack_into("<i", head, 0, 348)
    struct.pack_into("<8h", head, 40, 3, 1024, 1024, 600, 1, 1, 1, 1)
    struct.pack_into("<hh", head, 70, 2, 8)
    struct.pack_into("<8f", head, 76, 1, 1, 1, 1, 1, 1, 1, 1)
    struct.pack_into("<f", head, 108, 352.0)
    head[344:348] = b"n+1\0"
    path = tmp_path / "bomb.nii.gz"
    with gzip.open(path, "wb") as stream:  # the header alone decides
        stream.write(bytes(head) + bytes(100_000))
    refused_without_memory(path, "more than 200 times.*--max-bytes")
    with pytest.raises(FileFormatError, match="the cap is 1000"):
        io.read_image(path, max_bytes=1000)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_bad_input_10_nan_affine(nii, value):
    with pytest.raises(FileFormatError, match="affine"):
        io.read_image(patched(nii, 280, "f", value))
    with pytest.raises(FileFormatError, match="affine"):
        io.write_image(nii.with_name("b.nii"), GOOD, affine=np.full((4, 4), value))


def test_bad_input_11_singular_affine(nii):
    with pytest.raises(FileFormatError, match="affine is singular"):
        io.read_image(patched(nii, 280, "4f", 0, 0, 0, 0))


def test_bad_input_12_sform_and_qform_disagree(nii):
    patched(nii, 252, "hh", 1, 1)
    patched(nii, 268, "f", 77.0)  # qoffset_x
    with pytest.warns(PyradWarning, match="sform and qform disagree.*sform is used"):
        image = io.read_image(nii)
    assert image.affine[0, 3] == -7.5


@pytest.mark.parametrize(("code", "name"), [(128, "RGB24"), (2304, "RGBA32"), (1536, "float128")])
def test_bad_input_13_unsupported_datatype(nii, code, name):
    with pytest.raises(FileFormatError, match=name):
        io.read_image(patched(nii, 70, "h", code))


def test_bad_input_14_scl_slope(nii):
    for slope in (0.0, np.nan):  # both mean "not scaled"
        assert np.array_equal(io.read_image(patched(nii, 112, "ff", slope, 5.0)).data, GOOD)
    with pytest.raises(FileFormatError, match="scl_slope is inf"):
        io.read_image(patched(nii, 112, "ff", np.inf, 0.0))
    with pytest.raises(FileFormatError, match="scl_inter is nan"):
        io.read_image(patched(nii, 112, "ff", 2.0, np.nan))


def test_bad_input_15_wrong_magic(nii):
    content = nii.read_bytes()
    for name, bad in {
        "a.nii": b"x" * 600,
        "b.nii": content[:344] + b"zzz\0" + content[348:],
    }.items():
        path = nii.with_name(name)
        path.write_bytes(bad)
        with pytest.raises(FileFormatError, match="NIfTI"):
            io.read_image(path)
    for name in ("c.nrrd", "d.mha"):
        path = nii.with_name(name)
        path.write_bytes(b"nothing of the kind" * 10)
        with pytest.raises(FileFormatError, match="neither NRRD nor MetaImage"):
            io.read_image(path)


@pytest.mark.parametrize("ending", [".nrrd", ".mha"])
def test_bad_input_106_fewer_voxels_than_the_header_says(tmp_path, ending):
    pytest.importorskip("SimpleITK")
    noise = np.random.default_rng(0).random((16, 16, 16), np.float32)
    path = io.write_image(tmp_path / f"a{ending}", noise)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(FileFormatError, match="truncated: expected 16384 bytes"):
        io.read_image(path)


def test_nrrd_data_file_elsewhere(tmp_path):
    path = tmp_path / "a.nhdr"
    head = "NRRD0004\ntype: uchar\ndimension: 2\nsizes: 4 4\nencoding: raw\ndata file: {}\n\n"
    for name in ("/etc/passwd", "../a.raw", "absent.raw"):
        path.write_text(head.format(name))
        with pytest.raises(FileFormatError, match="in the same folder"):
            io.read_image(path)


@pytest.mark.parametrize("fault", ["folder", "full", "rename"])
def test_bad_input_26_failed_write_keeps_the_old_file(tmp_path, monkeypatch, fault):
    path = io.write_image(tmp_path / "a.nii.gz", GOOD)
    old = path.read_bytes()

    def no_space(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    if fault == "folder":
        with pytest.raises(FileFormatError, match="cannot write"):
            io.write_image(tmp_path / "absent" / "a.nii.gz", GOOD)
    else:
        monkeypatch.setattr(os, "fsync" if fault == "full" else "replace", no_space)
        with pytest.raises(FileFormatError, match="No space left"):
            io.write_image(path, GOOD + 1)
    assert path.read_bytes() == old
    assert [p.name for p in tmp_path.iterdir()] == ["a.nii.gz"]


@pytest.mark.parametrize(
    "name", ["../x", "a/b", "a\\b", "/etc", "", "..", "a\0b", "CON", "x" * 201]
)
def test_bad_input_28_names_built_from_ids(name):
    with pytest.raises(DataError, match="cannot be used in a file name"):
        safe_name(name)
    assert safe_name("original_glcm_Contrast") == "original_glcm_Contrast"


@pytest.mark.parametrize("ending", [".nii", ".nii.gz", ".npy"])
def test_bad_input_29_file_name_that_is_no_utf8(tmp_path, ending):
    path = tmp_path / os.fsdecode(b"caf\xe9" + ending.encode())
    io.write_image(path, GOOD)
    assert np.array_equal(io.read_image(path).data, GOOD)
    path.write_bytes(b"broken")
    with pytest.raises(FileFormatError) as caught:
        io.read_image(path)
    str(caught.value).encode("utf-8")  # printable anywhere


def test_bad_input_29_in_libraries_that_want_utf8(tmp_path):
    pytest.importorskip("SimpleITK")
    source = io.write_image(tmp_path / "a.nrrd", GOOD)
    path = source.rename(tmp_path / os.fsdecode(b"caf\xe9.nrrd"))
    with pytest.raises(FileFormatError, match="file name in UTF-8"):
        io.read_image(path)
    with pytest.raises(FileFormatError, match="file name in UTF-8"):
        io.write_image(path, GOOD)


def test_bad_input_30_directory_given_as_file(tmp_path):
    for reader in (io.read_image, io.read_projections, io.read_kspace):
        with pytest.raises(FileFormatError, match="directory"):
            reader(tmp_path)
    with pytest.raises(FileFormatError, match="directory"):
        io.write_image(tmp_path / ".." / tmp_path.name, GOOD)


def test_bad_input_105_same_stem_sibling(tmp_path):
    io.write_image(tmp_path / "a.nii", GOOD)
    io.write_image(tmp_path / "a.nii.gz", GOOD + 1)
    assert io.read_image(tmp_path / "a.nii").data[0, 0, 0] == 0
    assert io.read_image(tmp_path / "a.nii.gz").data[0, 0, 0] == 1
    (tmp_path / "a.nii.gz").unlink()
    with pytest.raises(FileNotFoundError):
        io.read_image(tmp_path / "a.nii.gz")
