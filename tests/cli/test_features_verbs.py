"""``features`` and ``maps`` on the real brain image of the PyRadiomics baselines."""

import csv
import json

import numpy as np
import pytest
from helpers import data_path

from pyrad_core import features, io
from pyrad_core.cli import main


@pytest.fixture(scope="module")
def brain():
    pytest.importorskip("SimpleITK")
    folder = ("features", "pyradiomics")
    return data_path(*folder, "brain1_image.nrrd"), data_path(*folder, "brain1_label.nrrd")


@pytest.fixture
def nifti_pair(tmp_path):
    rng = np.random.default_rng(0)
    image = rng.normal(100, 40, (6, 12, 12)).astype(np.float32)
    mask = np.zeros(image.shape, np.uint8)
    mask[1:5, 3:9, 3:9] = 2
    place = {"spacing": (3.0, 1.0, 1.0)}
    return (
        io.write_image(tmp_path / "image.nii.gz", image, **place),
        io.write_image(tmp_path / "mask.nii.gz", mask, **place),
    )


def call(*arguments):
    return main([str(a) for a in arguments])


def test_csv_row_of_the_brain(brain, tmp_path, capsys):
    image, mask = brain
    assert call("features", image, mask, tmp_path / "out.csv", "--settings", "pyradiomics") == 0
    with open(tmp_path / "out.csv", newline="") as stream:
        (row,) = csv.DictReader(stream)
    assert row.pop("case") == "brain1_image.nrrd"
    settings = features.Settings.preset("pyradiomics")
    expected = features.extract(io.read_image(image), io.read_image(mask), settings=settings)
    assert list(row) == list(expected)
    assert np.allclose([float(v) for v in row.values()], list(expected.values()), equal_nan=True)
    assert "features" in capsys.readouterr().out


def test_json_with_settings_and_reasons(nifti_pair, tmp_path):
    image, mask = nifti_pair
    out = tmp_path / "out.json"
    assert call("features", image, mask, out, "--label", 2, "--case", "patient_7") == 0
    content = json.loads(out.read_text())
    assert content["case"] == "patient_7" and content["settings"]["label"] in (1, 2)
    undefined = {name for name, value in content["features"].items() if value is None}
    assert undefined == set(content["undefined"])


def test_to_stdout_as_json(nifti_pair, capsys):
    image, mask = nifti_pair
    assert call("features", image, mask, "--label", 2, "--json", "-q") == 0
    out, err = capsys.readouterr()
    assert json.loads(out) and err == ""


def test_settings_file(nifti_pair, tmp_path, capsys):
    image, mask = nifti_pair
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text("setting:\n  binWidth: 10\n  label: 2\n")
    bad.write_text("setting:\n  binwith: 10\n")
    assert call("features", image, mask, "--settings", good) == 0
    assert call("features", image, mask, "--settings", bad) == 1
    assert "binWidth" in capsys.readouterr().err
    assert call("features", image, mask, "--settings", "absent.yaml") == 1
    assert call("features", image, mask, "--settings", "ibsy") == 1


def test_maps(nifti_pair, tmp_path, capsys):
    image, mask = nifti_pair
    out, picture = tmp_path / "maps", tmp_path / "heat.png"
    names = ("--family", "glcm", "--features", "Contrast,JointEntropy", "--label", 2)
    assert call("maps", image, mask, out, *names, "--preview", picture, "--json") == 0
    written = json.loads(capsys.readouterr().out)
    assert sorted(p.name for p in out.iterdir()) == sorted(f"{n}.nii.gz" for n in written)
    source, region = io.read_image(image), io.read_image(mask)
    expected = features.maps(
        source, region, family="glcm", features=["Contrast"], radius=1, label=2
    )
    (name, values) = next(iter(expected.items()))
    heat = io.read_image(out / f"{name}.nii.gz")
    assert np.array_equal(heat.data, values, equal_nan=True)
    assert np.allclose(heat.affine, source.affine)
    assert np.array_equal(np.isfinite(heat.data), region.data == 2)
    assert picture.exists()
    assert call("maps", image, mask, out, *names) == 1  # would overwrite
    assert call("maps", image, mask, out, "--features", "Contrst", "--force", "--label", 2) == 1
    assert "Contrast" in capsys.readouterr().err
    assert call("maps", image, mask, image, *names) == 1  # a file as the folder


def test_bad_pairs(nifti_pair, tmp_path, capsys):
    image, mask = nifti_pair
    assert call("features", image, mask, "--label", 5) == 1  # 80: absent label
    assert "2" in capsys.readouterr().err
    moved = io.read_image(mask)
    affine = moved.affine.copy()
    affine[0, 3] += 7
    io.write_image(tmp_path / "moved.nii.gz", moved.data, affine=affine)
    assert call("features", image, tmp_path / "moved.nii.gz", "--label", 2) == 1  # 79: other grid
