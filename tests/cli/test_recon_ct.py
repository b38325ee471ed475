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


@pytest.fixture(scope="module")
def disc(tmp_path_factory):
    """A fan-beam scan of a disc of 0.02 1/mm whose axis is seen at column 42."""
    from pyrad_core.geometry import FanBeam
    from pyrad_core.phantom import Ellipsoids

    folder = tmp_path_factory.mktemp("disc")
    beam = FanBeam(np.arange(90) * np.pi / 45, 80, 2.0, 400, 800, offset=-5.0)
    np.save(folder / "disc.npy", Ellipsoids([[0.02, 30, 20, 5, -8, 20.0]]).project(beam))
    io.write_geometry(folder / "disc.yaml", beam)
    return folder / "disc.npy"


def test_hounsfield_units(disc, tmp_path, capsys):
    out = tmp_path / "disc.nii.gz"
    assert call("recon", "ct", disc, out, "--hu", 0.02, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["unit"] == "HU" and report["method"] == "fbp"
    image = io.read_image(out)
    x, y, _ = np.linalg.inv(image.affine)[:3] @ [5, -8, 0, 1]
    values = np.squeeze(image.data)
    assert abs(values[round(y), round(x)]) < 15 and abs(values[60:70, 20:30].mean() + 1000) < 15
    assert call("recon", "ct", disc, out, "--force", "--hu", "none", "--json") == 0
    assert json.loads(capsys.readouterr().out)["unit"] == "1/mm"


def test_center_of_a_fan_by_column(disc, tmp_path):
    out, same = tmp_path / "a.npy", tmp_path / "b.npy"
    assert call("recon", "ct", disc, out, "-q") == 0
    assert call("recon", "ct", disc, same, "-q", "--center", 39.5 + 2.5) == 0
    assert np.allclose(np.load(out), np.load(same), atol=1e-6)


def test_center_of_a_fan_is_found(disc, tmp_path, capsys):
    nominal = (disc.parent / "disc.yaml").read_text().replace("offset: -5.0", "offset: 0.0")
    (tmp_path / "nominal.yaml").write_text(nominal)
    arguments = ("--geometry", tmp_path / "nominal.yaml", "--center", "find", "--json")
    assert call("recon", "ct", disc, tmp_path / "a.npy", *arguments) == 0
    assert json.loads(capsys.readouterr().out)["center"] == pytest.approx(42.0, abs=0.1)


def test_filter_and_cutoff_reach_the_method(disc, tmp_path):
    out, soft = tmp_path / "a.npy", tmp_path / "b.npy"
    assert call("recon", "ct", disc, out, "-q") == 0
    assert call("recon", "ct", disc, soft, "-q", "--filter", "hann", "--cutoff", 0.5) == 0
    assert np.abs(np.diff(np.load(soft))).max() < 0.8 * np.abs(np.diff(np.load(out))).max()


def test_corrections(tmp_path):
    """Noise, hardening and metal of a simulated disc, each against doing nothing."""
    from pyrad_core import ct
    from pyrad_core.geometry import FanBeam
    from pyrad_core.phantom import Ellipsoids

    beam = FanBeam(np.arange(180) * np.pi / 90, 120, 1.5, 400, 800)
    io.write_geometry(tmp_path / "disc.yaml", beam)
    disc, metal = Ellipsoids([[0.02, 28, 28, 0, 0, 0.0]]), Ellipsoids([[0.6, 2, 2, 12, 0, 0.0]])
    lines = disc.project(beam)
    y, x = np.meshgrid(*(0.75 * (np.arange(120) - 59.5),) * 2, indexing="ij")
    inside = (np.hypot(x, y) < 24) & (np.hypot(x - 12, y) > 5)

    def error(projections, *arguments):
        np.save(tmp_path / "disc.npy", projections.astype(np.float32))
        out = tmp_path / "out.npy"
        assert call("recon", "ct", tmp_path / "disc.npy", out, "-q", "--force", *arguments) == 0
        return np.sqrt(np.mean((np.load(out)[inside] - 0.02) ** 2))

    noisy = ct.simulate_dose(lines, 2e3)
    calm = ("--denoise-projections", 0.03, "--photons", 2e3)
    assert error(noisy, *calm) < 0.6 * error(noisy)
    hardened = lines - 0.05 * lines**2
    assert error(hardened, "--beam-hardening", "1,0.05,0.005") < 0.2 * error(hardened)
    (tmp_path / "spectrum.yaml").write_text(
        "energies: [40, 60, 80]\nweights: [1, 2, 1]\nmu: [0.0268, 0.0206, 0.0184]\nreference: 63\n"
    )
    length = lines / 0.02
    shares = zip((1, 2, 1), (0.0268, 0.0206, 0.0184), strict=True)
    spectral = -np.log(sum(w / 4 * np.exp(-m * length) for w, m in shares))
    corrected = error(spectral, "--beam-hardening", tmp_path / "spectrum.yaml")
    assert corrected < 0.5 * error(spectral)
    streaked = np.minimum(lines + metal.project(beam), 2.5)
    reduced = error(streaked, "--metal", "li", "--metal-threshold", 0.15)
    assert reduced < 0.7 * error(streaked)
    assert error(lines, "--extend") < 1e-3


def test_options_of_an_iterative_method(disc, tmp_path):
    out, slow = tmp_path / "a.npy", tmp_path / "b.npy"
    sirt = ("--method", "sirt", "--iterations", 2, "--mask-radius", 20, "-q")
    assert call("recon", "ct", disc, out, *sirt) == 0
    assert call("recon", "ct", disc, slow, *sirt, "--set", "relaxation=0.5") == 0
    first, half = np.load(out), np.load(slow)
    y, x = np.meshgrid(*(np.arange(len(first)) - (len(first) - 1) / 2,) * 2, indexing="ij")
    assert (first[np.hypot(x, y) > 21] == 0).all() and (first != 0).any()
    assert half.max() < 0.9 * first.max()


@pytest.mark.parametrize(
    ("arguments", "code", "match"),
    [
        (["--mask-radius", 20], 2, "--mask-radius is not for --method fbp"),
        (["--method", "fpb"], 2, r"'fpb' is no method; accepted are fbp, .*cgls"),
        (["--iterations", 5], 2, "--iterations is not for --method fbp"),
        (["--method", "cgls", "--filter", "hann"], 2, "--filter is not for --method cgls"),
        (["--filter", "han"], 1, "did you mean 'hann'"),
        (["--rings", "sort"], 2, "'sort' is no ring method; accepted are sorting"),
        (["--method", "sirt", "--set", "speed=2"], 2, "OPTION=VALUE with an option of sirt"),
        (["--method", "sirt", "--set", "relaxation=fast"], 1, "relaxation"),
        (["--metal", "LI"], 2, "'LI' is no metal method; accepted are nmar, li"),
        (["--metal", "li"], 2, "--metal needs --metal-threshold"),
        (["--metal-threshold", 0.1], 2, "--metal-threshold goes with --metal"),
        (["--metal", "li", "--metal-threshold", 0.5], 1, "metal"),
        (["--denoise-projections", 0.02], 2, "--denoise-projections needs --photons"),
        (["--denoise-projections", 0, "--photons", 9], 1, "expected a number > 0"),
        (["--beam-hardening", "absent.yaml"], 1, "no such file"),
        (["--method", "cgls", "--extend"], 2, "--extend is not for --method cgls"),
        (["--start", "fbp"], 2, "--start is not for --method fbp"),
        (["--floor", 1e-3], 2, "--floor is for counts"),
        (["--bad-pixels"], 2, "--bad-pixels is for counts"),
        (["--hu", "water"], 2, "expected auto, none or water's attenuation"),
        (["--hu", "-1"], 2, "expected auto, none or water's attenuation"),
        (["--voxel", 0], 1, "--voxel is 0; expected mm > 0"),
        (["--center", "left"], 2, "expected auto, find, none or a column"),
    ],
)
def test_bad_options(disc, tmp_path, capsys, arguments, code, match):
    import re

    out = tmp_path / "out.nii.gz"
    assert call("recon", "ct", disc, out, *arguments) == code
    assert re.search(match, capsys.readouterr().err) and not out.exists()


def test_hu_needs_millimetres(tooth, tmp_path, capsys):
    assert call("recon", "ct", tooth, tmp_path / "t.npy", "--hu", 0.02, "--row", 0) == 1
    assert "--hu needs lengths in mm" in capsys.readouterr().err


@pytest.mark.parametrize("scan", ["circle", "short", "free", "few views"])
def test_cones_from_a_stack_and_a_geometry_file(tmp_path, capsys, scan):
    """A ball of 0.02 1/mm off the centre; rows 1:9 of 10 stay where they were."""
    from pyrad_core.geometry import ConeBeam
    from pyrad_core.phantom import Ellipsoids

    turn = {"circle": 2 * np.pi, "short": 1.3 * np.pi, "free": 2 * np.pi, "few views": 2.0}[scan]
    angles = np.arange(120) * turn / 120
    beam = ConeBeam(angles, (10, 48), (4.0, 2.5), 300, 450, offset=(1.0, 0.5))
    if scan == "free":
        beam = beam.perturbed(roll=0.02)
    ball = Ellipsoids([[0.02, 12, 12, 12, 8, -6, 2, 0.0]])
    np.save(tmp_path / "ball.npy", ball.project(beam))
    io.write_geometry(tmp_path / "ball.yaml", beam)
    out = tmp_path / "ball.nii.gz"
    code = call("recon", "ct", tmp_path / "ball.npy", out, "--json", "--row", "1:9", "--hu", 0.02)
    report = json.loads(capsys.readouterr().out)
    assert code == 0 and report["method"] == ("cgls" if scan == "few views" else "fdk")
    image = io.read_image(out)
    x, y, z, _ = np.linalg.inv(image.affine) @ [8, -6, 2, 1]
    centre = image.data[round(z), round(y), round(x)]
    assert abs(centre) < (150 if scan == "few views" else 40), centre
    assert abs(image.data[round(z), 5, 24] + 1000) < 150


@pytest.fixture(scope="module")
def chest(tmp_path_factory):
    pytest.importorskip("pydicom")
    folder = tmp_path_factory.mktemp("chest") / "out"
    assert main(["demo", "--helical", "--quick", "--out", str(folder), "-q", "--json"]) == 0
    return folder


def test_helical_low_dose_scan_from_raw_files_to_hounsfield_units(chest):
    from pyrad_core.demo.helical import measure

    assert len(list((chest / "raw").glob("*.dcm"))) == 300
    assert (chest / "ct.png").read_bytes()[:4] == b"\x89PNG"
    image = io.read_image(chest / "ct.nii.gz")
    assert np.allclose(
        image.affine[[0, 1, 2], [0, 1, 2]], [-1, -1, 1] * np.array(image.spacing[::-1])
    )
    found = {row["region"]: row["mean"] - row["expected"] for row in measure(image)}
    for region in ("muscle", "heart", "lung, right", "air outside"):
        assert abs(found[region]) < 12, (region, found)
    place = np.linalg.inv(image.affine) @ [68, 30, 0, 1]  # the right lung, the same in all slices
    y, x = round(place[1]), round(place[0])
    lung = image.data[:, y - 1 : y + 2, x - 1 : x + 2].mean(axis=(1, 2))
    assert len(lung) == 30 and np.abs(lung + 800).max() < 20


def test_helical_scan_by_weighted_least_squares(chest, tmp_path):
    """Statistical weights from the photons that the files state."""
    from pyrad_core.demo.helical import measure

    out = tmp_path / "pwls.nii.gz"
    arguments = ("--method", "pwls", "--iterations", 1, "--set", "subsets=6", "--row", "2:14")
    assert call("recon", "ct", chest / "raw", out, *arguments, "-q") == 0
    found = {row["region"]: row["mean"] - row["expected"] for row in measure(io.read_image(out))}
    for region in ("muscle", "lung, right", "air outside"):
        assert abs(found[region]) < 60, (region, found)


def test_helical_demo_refuses_to_overwrite(chest, capsys):
    assert main(["demo", "--helical", "--quick", "--out", str(chest)]) == 1
    assert "already holds raw, ct.nii.gz, ct.png" in capsys.readouterr().err
