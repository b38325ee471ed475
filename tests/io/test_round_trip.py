"""Files we or the formats' own packages write come back as they were."""

import csv

import numpy as np
import pytest

from pyrad_core import io
from pyrad_core.errors import DataError, FileFormatError, ShapeError

AFFINE = np.array([[0, -1.5, 0, 10], [2.0, 0, 0, -20], [0, 0, 3.0, 5], [0, 0, 0, 1]])


@pytest.mark.parametrize("ending", [".nii", ".nii.gz", ".nrrd", ".mha"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16, np.uint8])
def test_image_round_trip(tmp_path, ending, dtype):
    data = np.random.default_rng(0).integers(0, 100, (4, 5, 6)).astype(dtype)
    path = io.write_image(tmp_path / f"image{ending}", data, affine=AFFINE)
    image = io.read_image(path)
    assert np.array_equal(image.data, data) and image.data.dtype == dtype
    assert np.allclose(image.affine, AFFINE) and np.allclose(image.spacing, (3, 1.5, 2))
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("shape", [(5, 6), (1, 5, 6), (3, 4, 5, 6)])
def test_image_dimensions(tmp_path, shape):
    data = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    image = io.read_image(io.write_image(tmp_path / "image.nii.gz", data, spacing=2.0))
    assert np.array_equal(image.data, data) and len(image.spacing) == min(len(shape), 3)


def test_image_is_an_array(tmp_path):
    image = io.read_image(io.write_image(tmp_path / "a.npy", np.ones((3, 4), np.float32)))
    assert np.asarray(image).shape == (3, 4) and image.spacing == (1.0, 1.0)


@pytest.mark.parametrize("ending", [".mha", ".mhd"])
def test_metaimage_with_names_of_other_programs(tmp_path, ending):
    """As a NRRD file or a DICOM series leaves them when it is converted."""
    sitk = pytest.importorskip("SimpleITK")
    data = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
    image = sitk.GetImageFromArray(data)
    image.SetSpacing((0.5, 1.0, 2.0))
    texts = {"NRRD_kinds[0]": "domain", "0008|0060": "CT", "ITK_x y": "M\u00fcller", "a": "b" * 900}
    for name, text in texts.items():
        image.SetMetaData(name, text)
    path = tmp_path / f"image{ending}"
    sitk.WriteImage(image, str(path))
    assert b"NRRD_kinds[0]" in path.read_bytes()
    found = io.read_image(path)
    assert np.array_equal(found.data, data) and found.spacing == (2.0, 1.0, 0.5)


def test_equal_volumes_give_equal_files(tmp_path):
    data = np.random.default_rng(0).random((4, 5, 6), np.float32)
    files = [io.write_image(tmp_path / f"{name}.nii.gz", data) for name in "ab"]
    assert files[0].read_bytes() == files[1].read_bytes()


def test_big_endian_and_scaled_nifti(tmp_path):
    import nibabel

    data = np.arange(24, dtype=">i2").reshape(2, 3, 4)
    header = nibabel.Nifti1Header(endianness=">")
    image = nibabel.Nifti1Image(data, np.eye(4), header)
    image.header.set_slope_inter(0.5, 3.0)
    nibabel.save(image, tmp_path / "big.nii")
    got = io.read_image(tmp_path / "big.nii")
    assert got.data.dtype == np.float32
    assert np.allclose(got.data, np.asarray(nibabel.load(tmp_path / "big.nii").dataobj).T)


def test_write_image_rejects(tmp_path):
    good = np.zeros((2, 3, 4), np.float32)
    with pytest.raises(DataError, match="path first"):
        io.write_image(good, tmp_path / "a.nii")
    with pytest.raises(ShapeError, match="dimensions"):
        io.write_image(tmp_path / "a.nii", np.zeros(5))
    with pytest.raises(DataError, match="float16"):
        io.write_image(tmp_path / "a.nii", good.astype(np.float16))
    with pytest.raises(DataError, match="spacing"):
        io.write_image(tmp_path / "a.nii", good, spacing=(1, 0, 1))
    with pytest.raises(FileFormatError, match="unknown image format"):
        io.write_image(tmp_path / "a.jpg", good)
    assert list(tmp_path.iterdir()) == []


def test_table_csv(tmp_path):
    path = io.write_table(tmp_path / "t.csv", [{"case": "a", "x": 0.1}, {"case": "b", "y": 2}])
    with open(path, newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert rows == [{"case": "a", "x": "0.1", "y": ""}, {"case": "b", "x": "", "y": "2"}]
    with pytest.raises(DataError, match="empty"):
        io.write_table(tmp_path / "u.csv", [])
    with pytest.raises(FileFormatError, match="unknown table format"):
        io.write_table(tmp_path / "u.xls", {"a": 1})


def test_table_parquet(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    path = io.write_table(tmp_path / "t.parquet", [{"case": "a", "x": 0.1}, {"case": "b"}])
    assert parquet.read_table(path).to_pylist() == [
        {"case": "a", "x": 0.1},
        {"case": "b", "x": None},
    ]


def dicom_slice(path, number, *, series="1.2.3", position=None, instance=None):
    pydicom = pytest.importorskip("pydicom")
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = f"{series}.{number}"
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID, data.SOPInstanceUID = CTImageStorage, f"{series}.{number}"
    data.SeriesInstanceUID, data.Modality = series, "CT"
    data.PatientName = "Nobody^Knows"
    data.Rows, data.Columns, data.SamplesPerPixel = 4, 6, 1
    data.BitsAllocated = data.BitsStored = 16
    data.HighBit, data.PixelRepresentation = 15, 1
    data.PhotometricInterpretation = "MONOCHROME2"
    data.RescaleSlope, data.RescaleIntercept = "1", "-1024"
    data.PixelSpacing = ["0.5", "0.75"]
    data.ImageOrientationPatient = ["1", "0", "0", "0", "1", "0"]
    z = 2.5 * number if position is None else position
    data.ImagePositionPatient = ["-10", "-20", str(z)]
    data.InstanceNumber = instance or number
    data.PixelData = np.full((4, 6), 1000 + number, np.int16).tobytes()
    pydicom.dcmwrite(path, data, enforce_file_format=True)


def test_dicom_series(tmp_path):
    pytest.importorskip("SimpleITK")
    for number in range(5):  # file order is not slice order
        dicom_slice(tmp_path / f"{(number * 3) % 5}.dcm", number)
    (tmp_path / "notes.txt").write_text("no DICOM")
    image = io.read_image(tmp_path)
    assert image.data.shape == (5, 4, 6) and image.spacing == (2.5, 0.5, 0.75)
    assert image.data[:, 0, 0].tolist() == [1000 + n - 1024 for n in range(5)]
    assert np.allclose(image.affine[:3, 3], (10, 20, 0))
    assert "Nobody" not in repr(image.header)
    assert io.read_image(tmp_path / "0.dcm").data.shape[-2:] == (4, 6)


def test_dicom_missing_slice_and_two_series(tmp_path):
    pytest.importorskip("SimpleITK")
    for number in (0, 1, 2, 4, 5):
        dicom_slice(tmp_path / f"{number}.dcm", number)
    with pytest.raises(FileFormatError, match="a slice is missing"):
        io.read_image(tmp_path)
    dicom_slice(tmp_path / "other.dcm", 0, series="1.2.4")
    with pytest.raises(FileFormatError, match="several series"):
        io.read_image(tmp_path)
    assert io.read_image(tmp_path, series="1.2.4").data.shape == (1, 4, 6)
