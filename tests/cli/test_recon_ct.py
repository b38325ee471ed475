"""``recon ct`` on the real scans."""

import json

import numpy as np
import pytest
from helpers import data_path

from pyrad_core import io
from pyrad_core.cli import main


def call(*arguments):
    return main([str(a) for a in arguments])


@pytest.fixture(scope="module")
def tooth():
    pytest.importorskip("h5py")
    return data_path("ct", "tooth_parallel", "tooth.h5")


def test_tooth_against_scikit_image(tooth, tmp_path, capsys):
    """The same slice from scikit-image's filtered back-projection, centred by hand at 295.5."""
    from skimage.transform import iradon

    out, picture = tmp_path / "tooth.nii.gz", tmp_path / "tooth.png"
    code = call("recon", "ct", tooth, out, "--row", 0, "--preview", picture, "--json")
    said, log = capsys.readouterr()
    assert code == 0 and picture.read_bytes()[:4] == b"\x89PNG"
    report = json.loads(said)
    assert report["center"] == pytest.approx(295.5, abs=1.0) and report["method"] == "fbp"
    assert "rotation axis found" in log and report["unit"] == "1/pixel"
    image = io.read_image(out)
    assert image.data.shape == (1, 640, 640) and image.spacing == (1, 1, 1)

    scan = io.read_projections(tooth)
    flat, dark = scan.flat.mean(axis=0), scan.dark.mean(axis=0)
    lines = -np.log((scan.data - dark) / (flat - dark))[:, 0]
    center = report["center"]
    shifted = np.stack([np.interp(np.arange(640) - 320 + center, np.arange(640), v) for v in lines])
    degrees = np.rad2deg(scan.geometry.angles)
    oracle = iradon(shifted.T, degrees, output_size=640, filter_name="ramp")
    tooth_region = (slice(150, 500), slice(150, 500))
    views = [np.rot90(o, k) for o in (oracle, oracle[::-1]) for k in range(4)]
    ours = image.data[0][tooth_region].ravel()
    best = max(np.corrcoef(ours, v[tooth_region].ravel())[0, 1] for v in views)
    assert best > 0.95


def test_size_voxel_and_given_center(tooth, tmp_path, capsys):
    out = tmp_path / "small.nii.gz"
    assert call("recon", "ct", tooth, out, "--size", 160, "--center", 295.5, "-q") == 0
    image = io.read_image(out)
    assert image.data.shape == (2, 160, 160) and image.spacing == (1, 4, 4)
    assert call("recon", "ct", tooth, out, "--force", "--size", 64, "--voxel", 2, "--row", "1") == 0
    assert io.read_image(out).spacing == (1, 2, 2)
    assert call("recon", "ct", tooth, out, "--force", "--row", "2") == 1
    assert "outside the detector's 2 rows" in capsys.readouterr().err
    assert call("recon", "ct", tooth, out, "--force", "--center", "left") == 2


def test_limited_angle_fan_beam(tmp_path, capsys):
    path = data_path("ct", "htc2022_fanbeam", "ta_category7.mat")
    out = tmp_path / "disc.nii.gz"
    assert call("recon", "ct", path, out, "--size", 128, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["method"] == "cgls" and report["unit"] == "1/mm"
    image = io.read_image(out)
    step = 0.2 * 410.66 / 553.74 * 560 / 128
    assert np.allclose(image.spacing, step, rtol=1e-5)


def test_disc_with_holes_against_its_published_segmentation(tmp_path):
    """Truth pictures of the challenge have y upwards; pixels of 0.1483 mm, 512 x 512."""
    from PIL import Image

    path = data_path("ct", "htc2022_fanbeam", "htc2022_tb_merged.npz")
    out = tmp_path / "disc.npy"
    arguments = ("--size", 128, "--voxel", 4 * 0.14832, "--method", "cgls", "--iterations", 12)
    assert call("recon", "ct", path, out, *arguments, "-q") == 0
    truth = Image.open(data_path("ct", "htc2022_fanbeam", "tb_groundtruth.png")).convert("L")
    solid = np.asarray(truth.resize((128, 128), Image.Resampling.BOX), float)[::-1] > 127
    image = np.load(out)
    ours = image > 0.5 * np.percentile(image, 99)
    dice = 2 * (ours & solid).sum() / (ours.sum() + solid.sum())
    assert dice > 0.96


def test_no_angles(tmp_path, capsys):
    path = data_path("ct", "k11_diad_parallel", "k11-18014.nxs")
    out = tmp_path / "k11.nii.gz"
    assert call("recon", "ct", path, out) == 1
    assert "allow_external" in capsys.readouterr().err
    assert call("recon", "ct", path, out, "--allow-external", path.parent) == 1
    assert "stores no angles" in capsys.readouterr().err
    geometry = tmp_path / "k11.yaml"
    geometry.write_text("angles: {start: 90, step: 0.06}\n")
    code = call("recon", "ct", path, out, "--allow-external", path.parent, "--geometry", geometry,
                "--row", "10:12", "--center", "none")  # fmt: skip
    assert code == 0 and io.read_image(out).data.shape == (2, 26, 26)
