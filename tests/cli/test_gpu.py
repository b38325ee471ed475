"""``--gpu``: the same results from arrays that are CuPy's (here a stand-in's)."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from pyrad_core import io
from pyrad_core.cli import main
from pyrad_core.cli.common import collecting


@pytest.fixture
def files(tmp_path):
    rng = np.random.default_rng(0)
    values = rng.normal(100, 20, (5, 7, 9)).astype(np.float32)
    mask = np.zeros(values.shape, np.uint8)
    mask[1:4, 1:6, 2:8] = 1
    place = {"spacing": (2.0, 1.0, 1.0)}
    io.write_image(tmp_path / "i.nii", values, **place)
    io.write_image(tmp_path / "m.nii", mask, **place)
    return tmp_path


def run(*words):
    with collecting() as collected:
        assert main([*map(str, words), "--force"]) == 0
    return collected.results


def test_gpu_equals_cpu(files, device):
    if device.name == "emulated":
        pytest.skip("NumPy arrays are the CPU's here")
    pair = (files / "i.nii", files / "m.nii")
    for method, options in (("median", ()), ("nlm", ("--sigma", 20))):
        results = []
        for gpu in ((), ("--gpu",)):
            words = (pair[0], files / "o.nii", "--method", method, "--mask", pair[1])
            run("denoise", *words, *options, *gpu)
            results.append(io.read_image(files / "o.nii").data)
        np.testing.assert_allclose(results[1], results[0], rtol=1e-5)
    values = [run("features", *pair, "--settings", "pyradiomics", *g) for g in ((), ("--gpu",))]
    np.testing.assert_allclose(list(values[1].values()), list(values[0].values()), rtol=1e-9)
    maps = []
    for gpu in ((), ("--gpu",)):
        run("maps", *pair, files / "maps", "--features", "Contrast", *gpu)
        (path,) = (files / "maps").glob("*Contrast*")
        maps.append(io.read_image(path).data)
    np.testing.assert_allclose(maps[1], maps[0], rtol=1e-5)


def test_bad_input_85_without_cupy(files, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "cupy", None)
    words = ["denoise", str(files / "i.nii"), str(files / "o.nii"), "--gpu"]
    assert main(words) == 1
    assert "pip install 'pyrad_core[gpu]'" in capsys.readouterr().err
    assert not (files / "o.nii").exists()
