"""Every reader on the real files of the reference data."""

import math

import numpy as np
import pytest
from helpers import data_path, relative_error

from pyrad_core import io
from pyrad_core.errors import FileFormatError


def test_twix_gre():
    scan = io.read_kspace(data_path("mr", "twixtools", "gre.dat"))
    assert scan.data.shape == (2, 160, 320) and scan.data.dtype == np.complex64
    assert scan.axes == ("coil", "y", "x")
    assert scan.mask is None and scan.coordinates is None and scan.noise is None
    assert scan.header["recon_matrix"] == (160, 160)
    assert scan.spacing == (1.25, 1.25)
    peak = np.unravel_index(np.argmax(np.abs(scan.data[0])), (160, 320))
    assert abs(peak[0] - 80) <= 2 and abs(peak[1] - 160) <= 2  # DC at n // 2


def test_twix_epi_navigators_and_reflected_lines():
    scan = io.read_kspace(data_path("mr", "twixtools", "epi.dat"))
    assert scan.data.shape == (2, 80, 160)
    assert scan.header["reflected"].sum() == 40
    assert scan.header["reflected"][:4].tolist() == [False, True, False, True]
    navigators = scan.header["navigators"]
    assert [n["reflected"] for n in navigators] == [True, False, True]
    assert all(n["samples"].shape == (2, 160) for n in navigators)
    # turned round, the two directions of a navigator echo peak within a few samples of each other
    peaks = [int(np.argmax(np.abs(n["samples"][0]))) for n in navigators]
    assert max(peaks) - min(peaks) <= 4


def test_twix_samples_match_twixtools():
    twixtools = pytest.importorskip("twixtools")
    path = data_path("mr", "twixtools", "gre.dat")
    mapped = twixtools.map_twix(twixtools.read_twix(str(path), verbose=False))[-1]["image"]
    expected = np.moveaxis(np.squeeze(mapped[:]), 1, 0)
    assert np.array_equal(io.read_kspace(path).data, expected)


def test_undersampled_brain():
    scan = io.read_kspace(data_path("mr", "sigpy_tutorial", "cartesian_ksp.npy"))
    assert scan.data.shape == (8, 230, 180) and scan.mask.shape == (230, 180)
    assert scan.mask.mean() == pytest.approx(0.124, abs=1e-3)
    assert scan.mask[103:127, 78:102].all()


def test_radial_cardiac():
    scan = io.read_kspace(data_path("mr", "gpunufft", "radial_cardiac_25_projections.mat"))
    assert scan.data.shape == (12, 25, 256) and scan.coordinates.shape == (25, 256, 2)
    assert scan.axes == ("coil", "spoke", "sample")
    assert np.abs(scan.coordinates).max() == 128 and scan.header["matrix"] == (256, 256)
    spokes = np.arctan2(scan.coordinates[:, 0, 0], scan.coordinates[:, 0, 1])
    steps = np.rad2deg(np.diff(np.sort(np.mod(spokes, np.pi))))
    assert np.allclose(steps, 7.2, atol=0.01)


def test_coil_images_are_no_kspace():
    with pytest.raises(FileFormatError, match="present: img"):
        io.read_kspace(data_path("mr", "gpunufft", "img_brain_4ch.mat"))


def test_trajectory_without_kspace():
    with pytest.raises(FileFormatError, match="float64"):
        io.read_kspace(data_path("mr", "sigpy_tutorial", "projection_coord.npy"))


def test_data_exchange_tooth():
    scan = io.read_projections(data_path("ct", "tooth_parallel", "tooth.h5"))
    assert scan.data.shape == (181, 2, 640) and scan.data.dtype == np.float32
    assert scan.flat.shape == scan.dark.shape == (10, 2, 640)
    assert scan.header["quantity"] == "counts" and scan.header["pixel_known"] is False
    assert scan.geometry.angles[0] == 0
    assert scan.geometry.angles[-1] == pytest.approx(math.radians(179.005), abs=1e-4)


@pytest.mark.parametrize(("name", "first"), [("ta", 269.0), ("tb", 299.0)])
def test_htc_fan_beam(name, first):
    scan = io.read_projections(data_path("ct", "htc2022_fanbeam", f"{name}_category7.mat"))
    assert scan.data.shape == (61, 560) and scan.header["quantity"] == "line integrals"
    assert np.allclose(scan.geometry.angles, np.deg2rad(first + 0.5 * np.arange(61)))
    assert scan.geometry.source_origin == 410.66 and scan.geometry.source_detector == 553.74
    assert np.all(np.asarray(scan.geometry.pixel) == 0.2)


def test_htc_merged_npz():
    scan = io.read_projections(data_path("ct", "htc2022_fanbeam", "htc2022_tb_merged.npz"))
    single = io.read_projections(data_path("ct", "htc2022_fanbeam", "tb_category7.mat"))
    assert scan.data.shape == (549, 560)
    rows = np.searchsorted(scan.geometry.angles, single.geometry.angles - 1e-4)
    assert np.allclose(scan.geometry.angles[rows], single.geometry.angles, atol=1e-5)
    assert relative_error(scan.data[rows], single.data) < 1e-6


def test_nexus_frames_behind_an_external_link():
    path = data_path("ct", "k11_diad_parallel", "k11-18014.nxs")
    with pytest.raises(FileFormatError, match="external link.*allow_external"):
        io.read_projections(path)
    scan = io.read_projections(path, allow_external=path.parent)
    assert scan.data.shape == (3001, 22, 26) and scan.data.dtype == np.uint16
    assert scan.flat.shape == scan.dark.shape == (100, 22, 26)
    assert scan.flat.mean() == pytest.approx(45317, abs=1)
    assert scan.dark.mean() == pytest.approx(99, abs=1)
    assert scan.geometry is None


def test_nexus_detector_file():
    scan = io.read_projections(data_path("ct", "k11_diad_parallel", "k11-18014-imaging.h5"))
    assert scan.data.shape == (3201, 22, 26) and scan.header["quantity"] == "counts"


@pytest.mark.parametrize("name", ["brain1_image", "brain1_label", "lung1_image_crop"])
def test_nrrd_matches_simpleitk(name):
    sitk = pytest.importorskip("SimpleITK")
    path = data_path("features", "pyradiomics", f"{name}.nrrd")
    image, oracle = io.read_image(path), sitk.ReadImage(str(path))
    assert np.array_equal(image.data, sitk.GetArrayFromImage(oracle))
    assert image.spacing == oracle.GetSpacing()[::-1]
    corner = [n - 1 for n in oracle.GetSize()]
    lps = oracle.TransformIndexToPhysicalPoint(corner)
    assert np.allclose((image.affine @ [*corner, 1])[:3], np.array(lps) * [-1, -1, 1])


NIFTI = [
    ("features", "ibsi1", "digital_phantom", "phantom.nii.gz"),
    ("features", "ibsi1", "ct_phantom_CC-BY-NC-3.0", "phantom.nii.gz"),
    ("features", "ibsi2", "digital_phantom", "checkerboard_mask.nii.gz"),
    ("denoise", "nibabel", "example4d.nii.gz"),
    ("denoise", "dipy", "S0_10slices.nii.gz"),
    ("denoise", "dipy", "small_64D.nii"),
    ("denoise", "dipy", "test_piesno.nii.gz"),
]


@pytest.mark.parametrize("parts", NIFTI, ids=lambda p: "/".join(p[-2:]))
def test_nifti_matches_nibabel(parts):
    import nibabel

    path = data_path(*parts)
    image, oracle = io.read_image(path), nibabel.load(path)
    expected = np.asarray(oracle.dataobj).T
    assert np.array_equal(image.data, expected.reshape(image.data.shape))
    assert np.allclose(image.affine, oracle.affine)
    zooms = oracle.header.get_zooms()[:3][::-1]
    assert np.allclose(image.spacing, zooms, rtol=1e-5)


def test_same_place_in_nifti_and_nrrd(tmp_path):
    sitk = pytest.importorskip("SimpleITK")
    image = io.read_image(data_path("features", "pyradiomics", "brain1_image.nrrd"))
    written = io.write_image(tmp_path / "brain.nii.gz", image)
    oracle = sitk.ReadImage(str(written))
    again = io.read_image(written)
    assert np.array_equal(again.data, image.data) and again.data.dtype == image.data.dtype
    assert np.allclose(again.affine, image.affine, atol=1e-4)
    source = sitk.ReadImage(str(data_path("features", "pyradiomics", "brain1_image.nrrd")))
    assert np.allclose(oracle.GetOrigin(), source.GetOrigin(), atol=1e-3)
    assert np.allclose(oracle.GetDirection(), source.GetDirection(), atol=1e-5)
