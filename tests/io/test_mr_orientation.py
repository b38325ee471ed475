"""Objects at known places in the patient come out there, whatever the scan's directions."""

import shutil
import subprocess

import mr_files
import numpy as np
import pytest
from helpers import data_path

from pyrad_core import io
from pyrad_core.cli import main
from pyrad_core.errors import PyradWarning

nibabel = pytest.importorskip("nibabel")
PLACES = np.array([[21.0, -33.0, 12.0], [-18.0, 4.0, 30.0], [5.0, 25.0, -14.0]])  # LPS mm


def recon(path, out, *options):
    assert main(["recon", "mr", str(path), str(out), "-q", *options]) == 0
    image = nibabel.load(out)
    return np.asarray(image.dataobj).T, image.affine


@pytest.mark.parametrize("vendor", [None, "SIEMENS"])
def test_oblique_slices_out_of_order(tmp_path, vendor):
    """2D: slices 6 mm apart, acquired interleaved, readout oversampled, rows of another size."""
    pytest.importorskip("ismrmrd")
    frame, centre = mr_files.rotation(), np.array([3.0, -8.0, 11.0])
    # the signal of a Siemens scanner has the opposite sign: index against read and phase
    sign = np.array([[-1], [-1], [1]]) if vendor else np.ones((3, 1))
    grown = sign * frame
    count, step = 15, 6.0
    offsets = (np.arange(count) - count // 2) * step
    path = tmp_path / "scan.h5"
    xml = mr_files.header(
        (96, 40, 1), (384.0, 160.0, step), recon=(48, 40, 1), recon_fov=(192.0, 160.0, step),
        vendor=vendor,
    )  # fmt: skip
    writer = mr_files.Writer(path, xml)
    order = [*range(1, count, 2), *range(0, count, 2)]
    for number, along in enumerate(order):
        position = centre + offsets[along] * frame[2]
        # the blobs' share of this slice: a Gaussian of the distance along the normal
        k = 0
        for place, width in zip(PLACES, (6.0, 7.0, 6.0), strict=True):
            share = np.exp(-0.5 * ((place - position) @ frame[2] / width) ** 2)
            blob = ([place], [width], grown, centre, (96, 40, 1), (384.0, 160.0, 1e9))
            k = k + share * mr_files.blobs_kspace(*blob)[0]
        for y in range(40):
            writer.add(k[None, y], y=y, slice=number, frame=frame, position=position)
    writer.close()
    image, affine = recon(path, tmp_path / "image.nii.gz")
    assert image.shape == (count, 40, 48)
    assert np.allclose(np.linalg.norm(affine[:3, :3], axis=0), (4, 4, 6), atol=1e-4)
    found = mr_files.centroids(image, affine, PLACES, 18.0)
    assert np.abs(found - PLACES * [-1, -1, 1]).max() < 0.3
    lps = np.diag([-1, -1, 1]) @ affine[:3, :3] / (4, 4, 6)
    assert np.allclose(lps.T, grown, atol=1e-5)


@pytest.mark.parametrize("vendor", [None, "Siemens Healthineers"])
def test_oblique_volume_with_odd_sizes(tmp_path, vendor):
    pytest.importorskip("ismrmrd")
    frame, centre = mr_files.rotation(5), np.array([-4.0, 2.0, 9.0])
    grown = -frame if vendor else frame
    matrix, fov = (40, 27, 21), (160.0, 148.5, 147.0)
    path = tmp_path / "scan.h5"
    writer = mr_files.Writer(path, mr_files.header(matrix, fov, vendor=vendor))
    k = mr_files.blobs_kspace(PLACES, (7.0, 7.0, 7.0), grown, centre, matrix, fov)
    for z in range(21):
        for y in range(27):
            writer.add(k[None, z, y], y=y, z=z, frame=frame, position=centre)
    writer.close()
    image, affine = recon(path, tmp_path / "image.nii", "--zero-fill", "1.5")
    assert image.shape == (32, 40, 60)
    found = mr_files.centroids(image, affine, PLACES, 20.0)
    assert np.abs(found - PLACES * [-1, -1, 1]).max() < 0.3
    scan = io.read_kspace(path)
    assert np.allclose(scan.affine(image.shape), affine, atol=1e-4)


def test_recon_space_crops_and_interpolates(tmp_path):
    """Phase oversampling goes, and a finer reconstruction matrix is reached by zero filling."""
    pytest.importorskip("ismrmrd")
    frame, centre = mr_files.rotation(7), PLACES.mean(axis=0)
    path = tmp_path / "scan.h5"
    matrix, fov = (128, 96, 1), (256.0, 192.0, 5.0)
    xml = mr_files.header(
        matrix, fov, recon=(128, 128, 1), recon_fov=(128.0, 128.0, 5.0), vendor="GE"
    )
    writer = mr_files.Writer(path, xml)
    flat = PLACES - ((PLACES - centre) @ frame[2])[:, None] * frame[2]  # into the slice
    k = mr_files.blobs_kspace(flat, (4.0, 4.0, 4.0), frame, centre, matrix, (*fov[:2], 1e9))[0]
    for y in range(96):
        writer.add(k[None, y], y=y, frame=frame, position=centre)
    writer.close()
    image, affine = recon(path, tmp_path / "image.nii")
    assert image.shape == (128, 128)
    assert np.allclose(np.linalg.norm(affine[:3, :3], axis=0), (1, 1, 5), atol=1e-4)
    found = mr_files.centroids(image[None], affine, flat, 12.0)
    assert np.abs(found - flat * [-1, -1, 1]).max() < 0.1
    whole, wide = recon(path, tmp_path / "whole.nii", "--keep-oversampling")
    assert whole.shape == (96, 128)


def test_slices_that_no_affine_describes(tmp_path):
    pytest.importorskip("ismrmrd")
    path = tmp_path / "scan.h5"
    writer = mr_files.Writer(path, mr_files.header((16, 16, 1), (160.0, 160.0, 5.0)))
    for number, seed in enumerate((1, 2)):  # a localiser: two planes across each other
        frame = mr_files.rotation(seed)
        for y in range(16):
            line = np.ones((1, 16))
            writer.add(line, y=y, slice=number, frame=frame, position=(0, 0, 10 * number))
    writer.close()
    scan = io.read_kspace(path)
    with pytest.warns(PyradWarning, match="not parallel or not evenly spaced"):
        affine = scan.affine()
    assert np.allclose(np.diag([-1, -1, 1]) @ affine[:3, 0] / 10, mr_files.rotation(1)[0])


def test_directions_that_are_none(tmp_path):
    """Zero directions: nothing is known, the image is centred on the origin."""
    pytest.importorskip("ismrmrd")
    path = tmp_path / "scan.h5"
    writer = mr_files.Writer(path, mr_files.header((16, 16, 1), (160.0, 80.0, 5.0)))
    for y in range(16):
        writer.add(np.ones((1, 16)), y=y, frame=np.zeros((3, 3)))
    writer.close()
    assert io.read_kspace(path).affine() is None
    image, affine = recon(path, tmp_path / "image.nii")
    assert np.allclose(np.diag(affine)[:2], (10, 5))


@pytest.mark.skipif(
    not shutil.which("ismrmrd_generate_cartesian_shepp_logan"), reason="ismrmrd-tools not found"
)
def test_generated_shepp_logan(tmp_path):
    """The file of the format's own generator, noise scan, repetitions and acceleration included."""
    pytest.importorskip("ismrmrd")
    path = tmp_path / "phantom.h5"
    command = ["ismrmrd_generate_cartesian_shepp_logan", "-m", "96", "-c", "4", "-r", "3", "-C"]
    run = subprocess.run([*command, "-n", "0.01", "-o", str(path)], capture_output=True)
    assert run.returncode == 0 and path.exists()
    scan = io.read_kspace(path)
    assert scan.axes == ("coil", "repetition", "y", "x") and scan.data.shape == (4, 3, 96, 192)
    assert scan.noise is not None and scan.header["encoded_field_of_view"] == (300.0, 600.0)
    image, affine = recon(path, tmp_path / "image.nii.gz")
    assert image.shape == (3, 1, 96, 96)
    from pyrad_core import Volume, phantom

    truth = phantom.shepp_logan(2, radius=150.0).raster(Volume((96, 96), 300.0 / 96))
    got = image[1, 0] / image[1, 0].max()
    assert (
        max(
            np.corrcoef(candidate.ravel(), truth.ravel())[0, 1]
            for candidate in (got, got[::-1], got[:, ::-1], got[::-1, ::-1], got.T, got.T[::-1])
        )
        > 0.8
    )


@pytest.mark.parametrize("name", ["gre", "epi"])
def test_twix_affine_is_that_of_twixtools(name):
    pytest.importorskip("twixtools")
    path = data_path("mr", "twixtools", f"{name}.dat")
    geometry = mr_files.twix_scan(path)["geometry"][0]
    scan = io.read_kspace(path)
    affine = scan.affine()
    lps = np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine
    size = scan.header["recon_matrix"][0]
    phase, read, normal = geometry.prs_to_pcs().T
    step = 200.0 / size
    assert np.allclose(lps[:3, 0], read * step, atol=1e-5)
    assert np.allclose(lps[:3, 1], phase * step, atol=1e-5)
    assert np.allclose(lps[:3, 2], normal * 4.0, atol=1e-5)
    assert np.allclose(lps[:3, 2], np.array(geometry.normal) * 4.0, atol=1e-4)
    middle = lps @ [size // 2, size // 2, 0, 1]
    assert np.allclose(middle[:3], geometry.offset, atol=1e-3)


def test_twix_gre_and_epi_show_one_phantom(tmp_path):
    """Two sequences of one session, two grids: the object stands at the same place."""
    pytest.importorskip("twixtools")
    from scipy.ndimage import affine_transform

    images = {}
    for name in ("gre", "epi"):
        path = data_path("mr", "twixtools", f"{name}.dat")
        images[name] = recon(path, tmp_path / f"{name}.nii.gz", "--method", "sos")
    gre, to_world = images["gre"]
    epi, from_world = images["epi"]
    chain = np.linalg.inv(from_world) @ to_world  # gre's (x, y, z) index to epi's
    matrix, offset = chain[:2, :2][::-1, ::-1], chain[:2, 3][::-1]
    body = gre > 0.3 * gre.max()

    def overlap(shift):
        moved = affine_transform(epi, matrix, offset + shift, gre.shape, order=1)
        other = moved > 0.3 * moved.max()
        return (body & other).sum() / (body | other).sum()

    here = overlap(np.zeros(2))
    assert here > 0.88
    for shift in ([2, 0], [-2, 0], [0, 2], [0, -2]):  # pixels of 2.5 mm
        assert overlap(np.array(shift)) < here
