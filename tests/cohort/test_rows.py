"""Records as rows, and rows as lines of CSV."""

from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyrad_core.cohort.manifest import Manifest, write_json
from pyrad_core.cohort.rows import cells, row_of

pytest.importorskip("orjson")

HEAD = {"id": "x", "status": "ok", "reason": "", "key": "k", "inputs": {"image": "00ff"}}
TEXTS = {"id": "x", "status": "ok", "reason": "", "key": "k", "image_sha256": "00ff"}
OPEN = {"id": "x", "status": "open", "reason": "not computed yet", "key": ""}
PLAIN = {"a": 0.1 + 0.2, "b": -1e-300, "c": 12345678901234567, "d": None, "e": 1e22, "f": 0}


@pytest.fixture
def manifest(tmp_path):
    made = Manifest(tmp_path / "out", "features", {}, ())
    made.begin()
    return made


@pytest.mark.parametrize(
    "values",
    [
        PLAIN,
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
def test_rows_are_what_was_recorded(manifest, values):
    record = {**HEAD, "files": ["f/1", "f/2"], "values": values, "undefined": {"d": "why"}}
    write_json(manifest.record("x"), record)
    expected = {**TEXTS, "files": "f/1;f/2", **values}
    row = row_of(manifest, "x")
    assert row == expected and list(row) == list(expected)
    assert list(map(type, row.values())) == list(map(type, expected.values()))


def test_no_record(manifest):
    assert row_of(manifest, "x") == OPEN


@pytest.mark.parametrize(
    "values",
    [
        '"a":1.5',
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
        '"a":Infinity',
    ],
)
@pytest.mark.parametrize("tail", ["}}", "}", ""])
def test_bad_input_95_damaged_records_have_no_values(manifest, values, tail):
    text = json.dumps(HEAD, separators=(",", ":"))[:-1] + ',"values":{' + values + tail
    manifest.record("x").write_text(text)

    def refuse(name):
        raise ValueError(name)

    try:
        expected = {**TEXTS, **json.loads(text, parse_constant=refuse)["values"]}
    except ValueError:
        expected = OPEN
    assert row_of(manifest, "x") == expected


NUMBERS = st.none() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False).filter(
    lambda x: abs(x) != float("inf")
)  # fmt: skip


@given(st.lists(NUMBERS, min_size=1))
def test_numbers_come_back_whole(values):
    texts = cells(values).split(",")
    assert [
        None if text == "" else type(v)(text) for text, v in zip(texts, values, strict=True)
    ] == values
    assert cells([*values, "é"]) == cells(values) + ",é"


@given(st.lists(st.text(st.characters(codec="utf-8")) | NUMBERS | st.booleans(), min_size=2))
def test_lines_are_those_of_the_csv_module(values):
    texts = ["" if v is None else str(v) for v in values]
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerow(texts)
    (read,) = csv.reader(io.StringIO(cells(values) + "\n", newline=""))
    for value, text, cell in zip(values, texts, read, strict=True):
        assert cell == text or float(cell) == value
    if all(type(v) is str for v in values):
        assert cells(values) + "\n" == stream.getvalue()
