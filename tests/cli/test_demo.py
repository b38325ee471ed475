"""The demo, small: every file is written, and the numbers say what they should."""

import json

import pytest

from pyrad_core.cli import main


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo") / "out"
    assert main(["demo", "--quick", "--out", str(folder), "-q"]) == 0
    return folder, json.loads((folder / "report.json").read_text())


def test_files(report):
    folder, content = report
    names = {"ct.png", "mr.png", "heatmap.png", "overview.png", "report.json"}
    assert {p.name for p in folder.iterdir()} == names
    assert all((folder / n).read_bytes()[:4] == b"\x89PNG" for n in names if n.endswith("png"))
    assert {p.rpartition("/")[2] for p in content["files"]} == names


def test_denoising_beats_the_noisy_image(report):
    quality = {row["image"]: row for row in report[1]["ct"]["quality"]}
    for name in ("TV", "NLM"):
        assert quality[name]["RMSE"] < 0.6 * quality["low-dose FBP"]["RMSE"]
        assert quality[name]["SSIM"] > quality["low-dose FBP"]["SSIM"]


def test_texture_tells_the_lesions_apart(report):
    """Fine grain has the higher contrast of neighbours; the true image shows it most clearly."""
    contrast = {(r["lesion"], r["image"]): r["Contrast"] for r in report[1]["ct"]["lesions"]}
    for image in ("truth", "NLM"):
        assert contrast["fine", image] > contrast["coarse", image]


def test_cg_sense_beats_gridding(report):
    quality = {row["image"]: row for row in report[1]["mr"]["quality"]}
    assert quality["CG-SENSE"]["RMSE"] < 0.7 * quality["gridding"]["RMSE"]


def test_refuses_to_overwrite(report, capsys):
    assert main(["demo", "--quick", "--out", str(report[0])]) == 1
    assert "--force" in capsys.readouterr().err
