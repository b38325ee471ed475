"""Records that are split at their quotes give the rows of those that are parsed, or none."""

from __future__ import annotations

import json

import numpy as np
import pytest

from pyrad_core.cohort import rows as rows_module
from pyrad_core.cohort.gather import gather
from pyrad_core.cohort.manifest import Manifest, write_json
from pyrad_core.cohort.rows import Line, rows

HEAD = {"id": "x", "status": "ok", "reason": "", "key": "k", "inputs": {"image": "00ff"}}
PLAIN = {"a": 0.1 + 0.2, "b": -1e-300, "c": 12345678901234567, "d": None, "e": 1e22, "f": 0}


@pytest.fixture
def manifest(tmp_path):
    made = Manifest(tmp_path / "out", "features", {}, ())
    made.begin()
    return made


def only(manifest):
    (row,) = rows(manifest, ["x"])
    return row


def parsed(manifest, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(rows_module, "_line", lambda path, known: None)
        return only(manifest)


def test_numbers_need_no_parser(manifest, monkeypatch):
    write_json(manifest.record("x"), {**HEAD, "values": PLAIN, "undefined": {"d": "why"}})
    line = only(manifest)
    assert isinstance(line, Line)
    row = parsed(manifest, monkeypatch)
    assert list(row) == [*line.head, *line.names]
    spelled = [repr(v) if v is not None else "" for v in PLAIN.values()]
    assert line.texts.split(",") == spelled
    assert {k: None if v is None else str(v) for k, v in row.items()} == line.row()


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"a": "text"},
        {"a": True},
        {'say "x"': 1.5},
        {"a\\": 1.5, "b": 2.5},
        {"é": 1.5},
        {"}": 1.5},
        {"a:": 1.5, ",:": 2.5},
        {"status": 1.5},
        {"a": 1.5, "values": {"a": 2}},
    ],
)
def test_anything_else_is_parsed(manifest, monkeypatch, values):
    write_json(manifest.record("x"), {**HEAD, "values": values})
    row = only(manifest)
    if isinstance(row, Line):
        row = row.row()
    assert row == parsed(manifest, monkeypatch)


@pytest.mark.parametrize(
    "values",
    [
        '"a":1.5,"b":',
        '"a":1.5.5',
        '"a":01.5',
        '"a":1.5,',
        '"a":-',
        '"a":1e',
        '"a":,"b":1',
        '"a":1null',
        '"a":1 "b":2',
        '"a":1,"a":2',
        '"a":NaN',
    ],
)
@pytest.mark.parametrize("tail", ["}}", "}", ""])
def test_bad_input_95_damaged_records_are_never_split(manifest, monkeypatch, values, tail):
    text = json.dumps(HEAD, separators=(",", ":"))[:-1] + ',"values":{' + values + tail
    manifest.record("x").write_text(text)
    row = only(manifest)
    assert not isinstance(row, Line) and row == pytest.approx(
        parsed(manifest, monkeypatch), nan_ok=True
    )


def test_tables_are_the_same_either_way(manifest, monkeypatch):
    rng = np.random.default_rng(0)
    names = [f"f{n}" for n in range(20)]
    for case in range(300):
        numbers = rng.normal(size=20) * 10.0 ** rng.integers(-9, 9, 20)
        values = dict(zip(names, numbers.tolist(), strict=True))
        values |= {"f7": None, "f9": case} if case % 3 == 0 else {}
        record = {**HEAD, "id": f"c{case}", "values": values}
        if case % 50 == 7:
            record = {"id": f"c{case}", "status": "error", "reason": "a, b", "key": None}
        if case != 8:
            write_json(manifest.record(f"c{case}"), record)
    cases = [f"c{n}" for n in range(300)]
    split = [path.read_bytes() for path in gather(manifest, cases)]
    monkeypatch.setattr(rows_module, "_line", lambda path, known: None)
    assert [path.read_bytes() for path in gather(manifest, cases)] == split
