"""``recon mr`` on the real k-space, and on an ISMRMRD file made of the brain set."""

import json

import numpy as np
import pytest
from helpers import data_path

from pyrad_core import io
from pyrad_core.cli import main


def call(*arguments):
    return main([str(a) for a in arguments])


def sharpness(image):
    """Share of the energy that lies where the object is: streaks and ghosts lower it."""
    smooth = np.sort(np.abs(image).ravel())
    return smooth[-smooth.size // 3 :].sum() / smooth.sum()


def test_twix_phantom(tmp_path, capsys):
    pytest.importorskip("twixtools")
    path = data_path("mr", "twixtools", "gre.dat")
    out, picture = tmp_path / "gre.nii.gz", tmp_path / "gre.png"
    assert call("recon", "mr", path, out, "--preview", picture, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["method"] == "espirit" and report["coils"] == 2
    image = io.read_image(out)
    assert image.data.shape == (160, 160) and image.spacing == pytest.approx((1.25, 1.25))
    # the oracle: crop the oversampled readout in image space, root of the sum of squares
    kspace = io.read_kspace(path).data
    coils = np.fft.fftshift(np.fft.ifft2(np.fft.ifftshift(kspace, axes=(1, 2))), axes=(1, 2))
    oracle = np.sqrt((np.abs(coils[:, :, 80:240]) ** 2).sum(axis=0))
    body = oracle > 0.3 * oracle.max()
    assert np.corrcoef(image.data[body], oracle[body])[0, 1] > 0.95
    assert call("recon", "mr", path, out, "--method", "sos", "--force") == 0
    assert np.corrcoef(io.read_image(out).data.ravel(), oracle.ravel())[0, 1] > 0.9999


def test_undersampled_brain(tmp_path):
    path = data_path("mr", "sigpy_tutorial", "cartesian_ksp.npy")
    images = {}
    for method in ("sos", "cg-sense"):
        out = tmp_path / f"{method}.npy"
        assert call("recon", "mr", path, out, "--method", method, "-q") == 0
        images[method] = np.load(out)
        assert images[method].shape == (230, 180)
    assert sharpness(images["cg-sense"]) > sharpness(images["sos"])


def test_radial_heart(tmp_path, capsys):
    path = data_path("mr", "gpunufft", "radial_cardiac_25_projections.mat")
    whole = tmp_path / "whole.npy"
    assert call("recon", "mr", path, whole, "--method", "gridding", "-q") == 0
    assert np.load(whole).shape == (256, 256)
    scan = io.read_kspace(path)  # the inner half of every spoke: half the resolution, in a .npz
    inner = slice(64, 192)
    half = tmp_path / "half.npz"
    np.savez(half, kspace=scan.data[..., inner], coordinates=scan.coordinates[:, inner])
    images = {}
    for method in ("gridding", "cg-sense"):
        out = tmp_path / f"{method}.npy"
        arguments = ("--method", method, "-q")
        arguments += ("--iterations", 10) if method == "cg-sense" else ()
        assert call("recon", "mr", half, out, *arguments) == 0
        images[method] = np.load(out)
        assert images[method].shape == (128, 128)
    assert sharpness(images["cg-sense"]) > sharpness(images["gridding"])
    assert call("recon", "mr", half, tmp_path / "a.nii", "--method", "sos") == 1
    assert "for Cartesian k-space" in capsys.readouterr().err


def test_ismrmrd_slices_with_noise_scan(tmp_path, capsys):
    """Two slices, every second line and a full centre: CG-SENSE gives the brain back."""
    ismrmrd = pytest.importorskip("ismrmrd")
    from scipy.io import loadmat

    images = loadmat(data_path("mr", "gpunufft", "img_brain_4ch.mat"))["img"]
    images = np.moveaxis(images, -1, 0)[:, ::2, ::2]
    shifted = np.fft.ifftshift(images, axes=(1, 2))
    kspace = np.fft.fftshift(np.fft.fft2(shifted, norm="ortho"), axes=(1, 2)).astype(np.complex64)
    path = tmp_path / "scan.h5"
    xml = (
        '<?xml version="1.0"?><ismrmrdHeader xmlns="http://www.ismrm.org/ISMRMRD">'
        "<experimentalConditions><H1resonanceFrequency_Hz>1</H1resonanceFrequency_Hz>"
        "</experimentalConditions><encoding>"
        + "".join(
            f"<{space}><matrixSize><x>128</x><y>128</y><z>1</z></matrixSize>"
            f"<fieldOfView_mm><x>256</x><y>256</y><z>5</z></fieldOfView_mm></{space}>"
            for space in ("encodedSpace", "reconSpace")
        )
        + "<encodingLimits/><trajectory>cartesian</trajectory></encoding></ismrmrdHeader>"
    )
    dataset = ismrmrd.Dataset(str(path), "dataset", create_if_needed=True)
    dataset.write_xml_header(xml.encode())
    rng = np.random.default_rng(0)
    noise = (rng.standard_normal((4, 128)) + 1j * rng.standard_normal((4, 128))).astype(
        np.complex64
    )
    line = ismrmrd.Acquisition.from_array(noise)
    line.setFlag(ismrmrd.ACQ_IS_NOISE_MEASUREMENT)
    dataset.append_acquisition(line)
    for slice_ in range(2):
        for y in sorted({*range(0, 128, 2), *range(50, 78)}):
            samples = np.ascontiguousarray((1 + slice_) * kspace[:, y])
            line = ismrmrd.Acquisition.from_array(samples)
            line.idx.kspace_encode_step_1, line.idx.slice = y, slice_
            line.center_sample = 64
            dataset.append_acquisition(line)
    dataset.close()
    out = tmp_path / "brain.nii.gz"
    assert call("recon", "mr", path, out, "--json") == 0
    said, log = capsys.readouterr()
    assert json.loads(said)["method"] == "cg-sense" and "whitening" in log
    image = io.read_image(out)
    assert image.data.shape == (2, 128, 128) and image.spacing == (5, 2, 2)
    truth = np.sqrt((np.abs(images) ** 2).sum(axis=0))
    body = truth > 0.15 * truth.max()
    assert np.corrcoef(image.data[0][body], truth[body])[0, 1] > 0.93
    ratio = image.data[1][body].mean() / image.data[0][body].mean()
    assert ratio == pytest.approx(2, abs=0.02)
