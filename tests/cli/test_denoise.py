"""``denoise`` on a real T1 slice and a NIfTI volume."""

import json

import numpy as np
import pytest
from helpers import data_path

from pyrad_core import denoise, io
from pyrad_core.cli import main


def call(*arguments):
    return main([str(a) for a in arguments])


def test_nlm_of_a_real_slice(tmp_path, capsys):
    path = data_path("denoise", "dipy", "t1_coronal_slice.npy")
    out, picture = tmp_path / "clean.npy", tmp_path / "clean.png"
    assert call("denoise", path, out, "--preview", picture, "--json", "--option", "search=9") == 0
    said, log = capsys.readouterr()
    report = json.loads(said)
    image = np.load(path)
    assert report["sigma"] == pytest.approx(float(denoise.estimate_sigma(image)))
    assert "estimated sigma" in log and picture.exists()
    expected = denoise.nlm(image, sigma=report["sigma"], search=9)
    assert np.array_equal(np.load(out), expected)


def test_tv_keeps_the_place_of_a_volume(tmp_path):
    path = data_path("denoise", "dipy", "S0_10slices.nii.gz")
    out = tmp_path / "clean.nii.gz"
    assert call("denoise", path, out, "--method", "tv", "--weight", 20, "-q") == 0
    before, after = io.read_image(path), io.read_image(out)
    assert after.data.shape == before.data.shape and after.data.dtype == np.float32
    assert np.allclose(after.affine, before.affine)
    assert np.abs(np.diff(after.data)).sum() < np.abs(np.diff(before.data.astype(float))).sum()


def test_tgv(tmp_path):
    path = data_path("denoise", "dipy", "t1_coronal_slice.npy")
    out = tmp_path / "clean.npy"
    options = ("--method", "tgv", "--weight", 20, "--option", "iterations=30", "-q")
    assert call("denoise", path, out, *options) == 0
    expected = denoise.tgv(np.load(path), weight=20, iterations=30)
    assert np.array_equal(np.load(out), expected)


def test_bad_options(tmp_path, capsys):
    path = data_path("denoise", "dipy", "t1_coronal_slice.npy")
    assert call("denoise", path, tmp_path / "a.npy", "--option", "serch=9") == 1
    assert "did you mean 'search'" in capsys.readouterr().err
    assert call("denoise", path, tmp_path / "a.npy", "--option", "search") == 2
    assert call("denoise", path, tmp_path / "a.npy", "--sigma", -1) == 1
    assert not (tmp_path / "a.npy").exists()
