"""Masks of DICOM RTSTRUCT and SEG against the masks they were made from."""

from __future__ import annotations

import dicom_files
import numpy as np
import pytest
from dicom_files import (
    AXIAL,
    CORONAL,
    OBLIQUE,
    SHAPE,
    box,
    write_segmentation,
    write_series,
    write_structure,
)

from pyrad_core import io
from pyrad_core.errors import DataError, FileFormatError, MissingDependencyError
from pyrad_core.io import files, rtstruct

pydicom = pytest.importorskip("pydicom")
pytest.importorskip("SimpleITK")


@pytest.fixture
def series(tmp_path):
    folder = tmp_path / "ct"
    folder.mkdir()
    values = np.random.default_rng(0).integers(-1000, 1000, SHAPE)
    return folder, values, write_series(folder, values)


@pytest.mark.parametrize("turned", [AXIAL, CORONAL, OBLIQUE], ids=["axial", "coronal", "oblique"])
def test_structure_with_a_hole(tmp_path, turned):
    folder = tmp_path / "ct"
    folder.mkdir()
    values = np.random.default_rng(0).integers(-1000, 1000, SHAPE)
    write_series(folder, values, turned)
    image = io.read_image(folder)
    regions = {
        "body": [(z, box(2, 17, 3, 20)) for z in range(5)],
        "GTV-1": [(1, box(5, 12, 6, 15)), (1, box(7, 9, 8, 10)), (3, box(4, 4, 5, 5))],
    }
    path = write_structure(tmp_path / "rs.dcm", regions, turned)
    assert io.mask_names(path) == {1: "body", 2: "GTV-1"}
    expected = np.zeros(SHAPE, np.uint8)
    expected[1, 6:16, 5:13] = 1
    expected[1, 8:11, 7:10] = 0
    expected[3, 5, 4] = 1
    for region in ("GTV-1", 2):
        mask = io.read_mask(path, image, region=region)
        np.testing.assert_array_equal(mask.data, expected)
        np.testing.assert_array_equal(mask.affine, image.affine)
        assert mask.header["regions"] == {2: "GTV-1"}
    np.testing.assert_array_equal(image.data, values)
    with pytest.raises(DataError, match="regions 1 and 2 overlap"):
        io.read_mask(path, image)


def test_all_regions_are_labels(tmp_path, series):
    image = io.read_image(series[0])
    regions = {"a": [(0, box(1, 3, 1, 3))], "b": [(0, box(6, 8, 1, 3))], "point": []}
    path = write_structure(series[0] / "rs.dcm", regions)
    mask = io.read_mask(path, image)
    assert mask.data[0, 2, 2] == 1 and mask.data[0, 2, 7] == 2
    assert np.bincount(mask.data.ravel())[1:].tolist() == [9, 9]
    path.rename(tmp_path / "rs.dcm")
    folder = tmp_path / "struct"
    folder.mkdir()
    (tmp_path / "rs.dcm").rename(folder / "rs.dcm")
    assert io.mask_names(folder) == {1: "a", 2: "b", 3: "point"}
    np.testing.assert_array_equal(io.read_mask(folder, image).data, mask.data)


@pytest.mark.parametrize("seed", range(4))
def test_fill_equals_points_in_polygons(seed):
    """Arbitrary outlines against a plain even-odd count; centres on an outline are inside."""
    rng = np.random.default_rng(seed)
    outlines = [rng.uniform(-3, 22, (n, 2)) for n in (3, 7, 12)]
    got = rtstruct.fill(outlines, (19, 17))
    y, x = np.mgrid[:19, :17]
    inside, near = np.zeros(got.shape, int), np.zeros(got.shape, bool)
    for points in outlines:
        for (x0, y0), (x1, y1) in zip(points, np.roll(points, -1, axis=0), strict=True):
            with np.errstate(divide="ignore", invalid="ignore"):
                cross = x0 + (y - y0) / (y1 - y0) * (x1 - x0)
            met = (y0 <= y) != (y1 <= y)
            inside += met & (cross <= x)
            near |= met & (np.abs(cross - x) < 1e-3)
    np.testing.assert_array_equal(got, (inside % 2 == 1) | near)
    square = rtstruct.fill([np.array([[2, 3], [6, 3], [6, 8], [2, 8.0]])], (12, 12))
    assert square.sum() == 5 * 6 and square[3, 2] and square[8, 6]


def test_rt_utils_masks_come_back(tmp_path, monkeypatch):
    """Square pixels: rt-utils exchanges the two pixel spacings."""
    rt_utils = pytest.importorskip("rt_utils")
    monkeypatch.setattr(dicom_files, "STEP", (2.5, 0.8, 0.8))
    folder = tmp_path / "ct"
    folder.mkdir()
    write_series(folder, np.zeros(SHAPE, np.int16))
    y, x = np.mgrid[:24, :20]
    mask = np.zeros((24, 20, 5), bool)
    mask[..., 1:4] = (((y - 11) / 8) ** 2 + ((x - 9) / 6) ** 2 <= 1)[..., None]
    mask[9:14, 7:12, 2] = False
    struct = rt_utils.RTStructBuilder.create_new(dicom_series_path=str(folder))
    struct.add_roi(mask=mask, name="tumour")
    path = tmp_path / "rs.dcm"
    struct.save(str(path))
    got = io.read_mask(path, io.read_image(folder), region="tumour").data
    expected = mask.transpose(2, 0, 1)
    np.testing.assert_array_equal(got[[1, 3]] != 0, expected[[1, 3]])
    assert ((got[2] != 0) != expected[2]).sum() <= 20  # rt-utils joins a hole by a cut


@pytest.mark.parametrize("kind", ["BINARY", "FRACTIONAL"])
@pytest.mark.parametrize("turned", [AXIAL, OBLIQUE], ids=["axial", "oblique"])
def test_segmentation(tmp_path, turned, kind):
    pytest.importorskip("highdicom")
    folder = tmp_path / "ct"
    folder.mkdir()
    slices = write_series(folder, np.zeros(SHAPE, np.int16), turned)
    rng = np.random.default_rng(1)
    choice = rng.integers(0, 3, SHAPE)
    choice[0] = 0  # a slice without any segment is not stored
    masks = np.stack([choice == 1, choice == 2], axis=-1).astype(np.uint8)
    path = write_segmentation(tmp_path / "seg.dcm", slices, masks, kind)
    image = io.read_image(folder)
    np.testing.assert_array_equal(io.read_mask(path, image).data, choice)
    alone = io.read_mask(path, image, region="part 2")
    np.testing.assert_array_equal(alone.data, choice == 2)
    own = io.read_mask(path, region=1)
    assert np.allclose(own.affine[:3, :3], image.affine[:3, :3], atol=1e-6)
    assert own.data.sum() == (choice == 1).sum()
    assert io.mask_names(path) == {1: "part 1", 2: "part 2"}


def test_segmentation_of_another_grid(tmp_path, series):
    pytest.importorskip("highdicom")
    folder, _, slices = series
    masks = np.ones((*SHAPE, 1), np.uint8)
    path = write_segmentation(tmp_path / "seg.dcm", slices, masks)
    image = io.read_image(folder)
    off, fewer = image.affine.copy(), image.data[:, :-1]
    off[0, 3] += 0.3
    with pytest.raises(FileFormatError, match="its grid is not the image's"):
        io.read_mask(path, io.Image(image.data, image.spacing, off))
    with pytest.raises(FileFormatError, match="beyond the image"):
        io.read_mask(path, io.Image(fewer, image.spacing, image.affine))
    turned = image.affine @ np.diag([1.0, -1, 1, 1])
    turned[:3, 3] = image.affine[:3, 3] + 23 * image.affine[:3, 1]
    flipped = io.Image(image.data[:, ::-1], image.spacing, turned)
    assert io.read_mask(path, flipped).data.all()


def test_bad_structures(tmp_path, series):
    image = io.read_image(series[0])
    good = {"a": [(0, box(1, 3, 1, 3))]}
    path = write_structure(tmp_path / "rs.dcm", good)
    with pytest.raises(DataError, match="region 'b': not found; present: 1 'a'"):
        io.read_mask(path, image, region="b")
    with pytest.raises(DataError, match="need the image"):
        io.read_mask(path)
    for contours, message in (
        ([(0.4, box(1, 3, 1, 3))], "lies at slice 0.400"),
        ([(9, box(1, 3, 1, 3))], "slices 0 to 4; it was drawn on another image"),
        ([(0, box(1, 3, 1, 3), "POINT")], "no closed contours"),
        ([], "no closed contours"),
    ):
        write_structure(path, {"a": contours})
        with pytest.raises(FileFormatError, match=message):
            io.read_mask(path, image, region="a")
    write_structure(path, {"a": [(0, box(1, 3, 1, 3))]}, CORONAL)
    with pytest.raises(FileFormatError, match="not parallel"):
        io.read_mask(path, image, region="a")
    write_structure(path, {"a": good["a"], "b": good["a"]})
    with pytest.raises(FileFormatError, match="2 RTSTRUCT or SEG"):
        write_structure(tmp_path / "second.dcm", good)
        io.read_mask(tmp_path, image)
    path.write_bytes(path.read_bytes()[:700])
    with pytest.raises(FileFormatError):
        io.read_mask(path, image)


def test_label_images_are_masks(tmp_path, series, monkeypatch):
    image = io.read_image(series[0])
    labels = (image.data > 0).astype(np.uint8)
    path = io.write_image(tmp_path / "mask.nii.gz", labels, affine=image.affine)
    np.testing.assert_array_equal(io.read_mask(path, image).data, labels)
    with pytest.raises(DataError, match="a label image has numbers"):
        io.read_mask(path, image, region="GTV")
    rs = write_structure(tmp_path / "rs.dcm", {"a": [(0, box(1, 3, 1, 3))]})

    def missing(name, extra="io"):
        raise MissingDependencyError(f"{name} is needed; pip install 'pyrad_core[{extra}]'")

    monkeypatch.setattr("pyrad_core.io.dicom_elements.needed", missing)
    with pytest.raises(MissingDependencyError, match=r"pyrad_core\[io\]"):
        io.read_mask(rs, image)
    assert files  # the module that `needed` comes from
