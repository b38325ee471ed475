"""``denoise`` on a real T1 slice, NIfTI volumes and series."""

import json

import numpy as np
import pytest
from helpers import data_path

from pyrad_core import denoise, io
from pyrad_core.cli import main
from pyrad_core.cli._denoise_methods import METHODS


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
    options = ("--method", "tgv", "--weight", 20, "--option", "max_iterations=30", "-q")
    assert call("denoise", path, out, *options) == 0
    expected = denoise.tgv(np.load(path), weight=20, max_iterations=30)
    assert np.array_equal(np.load(out), expected)


def test_bad_options(tmp_path, capsys):
    path = data_path("denoise", "dipy", "t1_coronal_slice.npy")
    assert call("denoise", path, tmp_path / "a.npy", "--option", "serch=9") == 1
    assert "did you mean 'search'" in capsys.readouterr().err
    assert call("denoise", path, tmp_path / "a.npy", "--option", "search") == 2
    assert call("denoise", path, tmp_path / "a.npy", "--sigma", -1) == 1
    assert call("denoise", path, tmp_path / "a.npy", "--weight", 1, "--method", "nlm") == 2
    assert "nlm has no --weight" in capsys.readouterr().err
    two = ("--removed-output", tmp_path / "a.npy")
    assert call("denoise", path, tmp_path / "a.npy", *two) == 2
    noise_map = ("--sigma-output", tmp_path / "b.npy")
    assert call("denoise", path, tmp_path / "a.npy", *noise_map) == 2
    assert call("denoise", path, tmp_path / "a.npy", "--map", "sigma") == 2
    assert not list(tmp_path.iterdir())


def test_help_lists_every_method(capsys):
    assert call("denoise", "--help") == 0
    said = capsys.readouterr().out
    for name, method in METHODS.items():
        assert callable(getattr(denoise, name))
        assert name in said and method.says[:30] in said


@pytest.fixture
def series(tmp_path):
    """Two noisy volumes of two blocks, with a mask; noise 5 and 10."""
    rng = np.random.default_rng(1)
    data = np.zeros((2, 6, 20, 24), np.float32)
    data[..., 12:] = 100
    data += np.array([5, 10], np.float32)[:, None, None, None] * rng.standard_normal(data.shape)
    mask = np.zeros(data.shape[1:], np.uint8)
    mask[1:5, 4:16, 4:20] = 1
    affine = np.diag([2, 2, 3, 1])
    path = io.write_image(tmp_path / "series.nii.gz", data.astype(np.float32), affine=affine)
    return path, data, io.write_image(tmp_path / "mask.nii", mask, affine=affine), mask != 0


def test_series_volume_by_volume(series, tmp_path, capsys):
    path, data, _, _ = series
    out, removed = tmp_path / "clean.nii", tmp_path / "removed.nii"
    assert call("denoise", path, out, "--json", "--removed-output", removed) == 0
    said, log = capsys.readouterr()
    assert "nlm of 2 parts" in log
    clean = io.read_image(out).data
    levels = [float(denoise.estimate_sigma(volume)) for volume in data]
    assert json.loads(said)["sigma"] == pytest.approx(np.mean(levels))
    for volume, level, found in zip(data, levels, clean, strict=True):
        assert np.array_equal(found, denoise.nlm(volume, sigma=level, spacing=(3, 2, 2)))
    assert np.allclose(io.read_image(removed).data, data - clean, atol=1e-5)


def test_spacing_and_weight_follow_from_the_file(series, tmp_path, capsys):
    path, data, _, _ = series
    out = tmp_path / "clean.nii"
    assert call("denoise", path, out, "--method", "tv", "--sigma", 4, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["weight"] == 8 and report["relative_gap"] <= 1e-4
    expected = denoise.tv(data[1], weight=8, spacing=(3, 2, 2))
    assert np.array_equal(io.read_image(out).data[1], expected)
    assert call("denoise", path, out, "--method", "tgv", "--sigma", 4, "--force", "-q") == 0
    expected = denoise.tgv(data[1], weight=8, ratio=4, spacing=(3, 2, 2))
    assert np.array_equal(io.read_image(out).data[1], expected)


def test_series_as_channels(series, tmp_path):
    path, data, mask, inside = series
    out = tmp_path / "clean.nii"
    options = ("--method", "tv", "--weight", 8, "--option", "channel_axis=0", "-q")
    assert call("denoise", path, out, "--mask", mask, *options) == 0
    expected = denoise.tv(data, weight=8, spacing=(3, 2, 2), channel_axis=0, mask=inside)
    assert np.array_equal(io.read_image(out).data, expected)


def test_slices(series, tmp_path):
    path, data, _, _ = series
    out = tmp_path / "clean.nii"
    options = ("--slices", "--sigma", 10, "--option", "patch=5", "-q")
    assert call("denoise", path, out, *options) == 0
    expected = denoise.nlm(data[1, 3], sigma=10, patch=5)
    assert np.array_equal(io.read_image(out).data[1, 3], expected)


@pytest.mark.parametrize("method", ["nlm", "wavelet"])
def test_outside_of_the_mask_nothing_changes(series, tmp_path, method):
    path, data, mask, inside = series
    out = tmp_path / "clean.nii"
    assert call("denoise", path, out, "--method", method, "--mask", mask, "-q") == 0
    clean = io.read_image(out).data
    assert np.array_equal(clean[:, ~inside], data[:, ~inside])
    assert clean[1, inside].std() < data[1, inside].std()


def test_noise_map_from_a_file(series, tmp_path, capsys):
    path, data, mask, inside = series
    sigma = np.where(inside, 10, 5).astype(np.float32)
    noise = io.write_image(tmp_path / "noise.nii", sigma, affine=np.diag([2, 2, 3, 1]))
    out = tmp_path / "clean.nii"
    assert call("denoise", path, out, "--map", f"sigma={noise}", "-q") == 0
    expected = denoise.nlm(data[0], sigma=sigma, spacing=(3, 2, 2))
    assert np.array_equal(io.read_image(out).data[0], expected)
    elsewhere = io.write_image(tmp_path / "moved.nii", sigma, affine=np.diag([2, 2, 4, 1]))
    assert call("denoise", path, out, "--map", f"sigma={elsewhere}", "--force") == 1
    assert "sigma lies elsewhere" in capsys.readouterr().err
    empty = io.write_image(tmp_path / "empty.nii", 0 * sigma, affine=np.diag([2, 2, 3, 1]))
    assert call("denoise", path, out, "--mask", empty, "--force") == 1
    assert "is empty" in capsys.readouterr().err


def test_mppca_of_a_series_writes_its_noise_map(tmp_path, capsys):
    path = data_path("denoise", "dipy", "small_64D.nii")
    out, noise = tmp_path / "clean.nii", tmp_path / "noise.nii"
    assert call("denoise", path, out, "--method", "mppca", "--sigma-output", noise, "-q") == 0
    before = io.read_image(path)
    expected, sigma = denoise.mppca(before.data)
    assert np.array_equal(io.read_image(out).data, expected)
    assert np.array_equal(io.read_image(noise).data, sigma)
    assert np.allclose(io.read_image(noise).affine, before.affine)
    single = io.write_image(tmp_path / "volume.nii", before.data[0])
    assert call("denoise", single, out, "--method", "mppca", "--force") == 1
    assert "wants 4 dimensions, but the image has 3" in capsys.readouterr().err


@pytest.mark.parametrize("method", METHODS)
def test_every_method_runs_on_a_real_series(method, tmp_path, capsys):
    path = data_path("denoise", "dipy", "small_25.nii.gz")  # two slices: fewer than any window
    before = io.read_image(path)
    few = io.write_image(tmp_path / "few.nii", before.data[:6], affine=before.affine)
    out, picture = tmp_path / "clean.nii.gz", tmp_path / "clean.png"
    options = ("--method", method, "--preview", picture, "-q")
    if call("denoise", few, out, *options):  # only a window that does not fit is a reason
        assert "larger than" in capsys.readouterr().err
        out.unlink(missing_ok=True)
        assert call("denoise", few, out, *options, *_narrow(method)) == 0
    after = io.read_image(out)
    assert after.data.shape == (6, *before.data.shape[1:]) and after.data.dtype == np.float32
    assert np.allclose(after.affine, before.affine) and picture.exists()
    assert 0 < np.abs(after.data - before.data[:6]).max() < before.data.max()


def _narrow(method):
    if method == "bm4d":
        return ("--slices",)
    return ("--option", "window=(1,3,3)" if method == "mppca" else "patch=(1,3,3)")


def test_thin_series_estimates_from_slices(tmp_path):
    path = data_path("denoise", "dipy", "small_25.nii.gz")
    before = io.read_image(path)
    out, picture = tmp_path / "clean.nii.gz", tmp_path / "clean.png"
    assert call("denoise", path, out, "--slices", "-q", "--preview", picture) == 0
    after = io.read_image(out)
    assert after.data.shape == before.data.shape and picture.exists()
