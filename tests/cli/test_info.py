"""``pyrad-core info`` and ``pyrad-core bench``."""

import json

import pyrad_core
from pyrad_core.cli import bench, main


def test_info_as_text_and_json(capsys):
    assert main(["info"]) == 0
    text = capsys.readouterr().out
    assert pyrad_core.__version__ in text and "threads" in text
    assert main(["info", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["version"] == pyrad_core.__version__


def test_threads_option(capsys):
    before = pyrad_core.num_threads()
    try:
        assert main(["info", "--json", "--threads", "1"]) == 0
        assert json.loads(capsys.readouterr().out)["threads"] == 1
    finally:
        pyrad_core.set_num_threads(before)
    assert main(["info", "--threads", "0"]) == 2


def test_bench_outside_the_source_tree(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(bench, "__file__", str(tmp_path / "a" / "b" / "c.py"))
    assert main(["bench", "ct"]) == 1
    assert "benchmarks.report" in capsys.readouterr().err
