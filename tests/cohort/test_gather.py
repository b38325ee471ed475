"""Tables of records: digits are the records' own, whatever columns cases have."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from pyrad_core.cohort.gather import Tables
from pyrad_core.cohort.manifest import Manifest, write_json
from pyrad_core.errors import FileFormatError

pytest.importorskip("orjson")

VALUES = {"a": 0.1 + 0.2, "b": -1e-300, "c": 12345678901234567, "d": None}


@pytest.fixture
def manifest(tmp_path):
    made = Manifest(tmp_path / "out", "features", {}, ())
    made.begin()
    return made


def put(manifest, case, values, status="ok", **more):
    record = {"id": case, "status": status, "reason": "", "key": "k"} | more | {"values": values}
    write_json(manifest.record(case), record)


def rows_of(path):
    with open(path, newline="") as stream:
        return list(csv.DictReader(stream))


def test_numbers_keep_their_digits(manifest):
    put(manifest, "x", VALUES)
    paths = Tables(manifest, ["x", "open"]).written()
    first, second = rows_of(paths[0])
    assert [first[name] for name in VALUES] == [repr(0.1 + 0.2), "-1e-300", "12345678901234567", ""]
    assert float(first["a"]) == 0.1 + 0.2
    assert (second["status"], second["reason"], second["a"]) == ("open", "not computed yet", "")
    table = pytest.importorskip("pyarrow.parquet").read_table(paths[1])
    assert table["a"].to_pylist() == [0.1 + 0.2, None] and table["b"].to_pylist()[0] == -1e-300
    assert table["c"].to_pylist()[0] == float(12345678901234567)
    assert table["d"].to_pylist() == [None, None] and table["reason"].to_pylist()[0] == ""


def test_columns_of_all_cases(manifest):
    put(manifest, "x", {"a": 1.5, "b": 2.5}, inputs={"image": "00ff"})
    put(manifest, "y", {"b": 'text, "quoted"\nand broken', "e": 3}, files=["f/1", "f/2"])
    put(manifest, "z", {"a": 4.5, "b": 5})
    paths = Tables(manifest, ["x", "y", "z"]).written()
    rows = rows_of(paths[0])
    names = ["id", "status", "reason", "key", "image_sha256", "a", "b", "files", "e"]
    assert list(rows[0]) == names
    assert [row["a"] for row in rows] == ["1.5", "", "4.5"]
    assert rows[1]["b"] == 'text, "quoted"\nand broken' and rows[1]["files"] == "f/1;f/2"
    assert not list(manifest.out.glob(".*.part"))
    table = pytest.importorskip("pyarrow.parquet").read_table(paths[1])
    assert table.column_names == names
    assert table["a"].to_pylist() == [1.5, None, 4.5]
    assert table["b"].to_pylist() == ["2.5", 'text, "quoted"\nand broken', "5"]
    assert table["image_sha256"].to_pylist() == ["00ff", None, None]


def test_csv_is_what_the_csv_module_writes(manifest, tmp_path):
    texts = ["plain", "", "a,b", 'say "x"', "two\nlines", " spaced ", "tab\t", "é"]
    put(manifest, "x", {f"n{i}": text for i, text in enumerate(texts)})
    path = Tables(manifest, ["x"]).written()[0]
    with open(path, newline="") as stream:
        rows = list(csv.reader(stream))
    expected = tmp_path / "expected.csv"
    with open(expected, "w", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerows(rows)
    assert rows[1][4:] == texts
    assert path.read_bytes() == expected.read_bytes()


def test_truths_are_texts(manifest):
    put(manifest, "x", {"a": True, "b": 1.5})
    put(manifest, "y", {"a": None, "b": 2})
    paths = Tables(manifest, ["x", "y"]).written()
    assert [row["a"] for row in rows_of(paths[0])] == ["True", ""]
    table = pytest.importorskip("pyarrow.parquet").read_table(paths[1])
    assert table["a"].to_pylist() == ["True", None] and table["b"].to_pylist() == [1.5, 2.0]


def test_parquet_has_every_digit(manifest):
    bits = np.random.default_rng(0).integers(0, 2**64, 200, np.uint64).view(np.float64)
    numbers = [*bits[np.isfinite(bits)].tolist(), 5e-324, 1.7976931348623157e308, -0.0]
    for case, number in enumerate(numbers):
        put(manifest, f"c{case}", {"a": number})
    paths = Tables(manifest, [f"c{case}" for case in range(len(numbers))]).written()
    table = pytest.importorskip("pyarrow.parquet").read_table(paths[1])
    got = table["a"].to_numpy().view(np.uint64)
    np.testing.assert_array_equal(got, np.array(numbers).view(np.uint64))


def test_more_cases_than_a_block(manifest, monkeypatch):
    monkeypatch.setattr("pyrad_core.cohort.gather._BLOCK", 500)
    for number in range(300):
        put(manifest, f"c{number}", {"a": float(number)})
    paths = Tables(manifest, [f"c{number}" for number in range(300)]).written()
    assert [float(row["a"]) for row in rows_of(paths[0])] == list(range(300))
    table = pytest.importorskip("pyarrow.parquet").read_table(paths[1])
    assert table["a"].to_pylist() == list(range(300))


def mixed(manifest, count):
    """Cases with the same columns, some of whose values are missing, and one that has failed."""
    rng = np.random.default_rng(0)
    cases = [f"c{number}" for number in range(count)]
    for number, case in enumerate(cases):
        values = dict(zip("abcd", rng.normal(size=4).tolist(), strict=True))
        put(manifest, case, values | ({"b": None} if number % 3 else {}), inputs={"image": "00ff"})
    write_json(
        manifest.record("c0"), {"id": "c0", "status": "error", "reason": "a, b", "key": None}
    )
    return cases


@pytest.mark.parametrize("other", [False, True], ids=["same columns", "other columns"])
@pytest.mark.parametrize("order", ["in order", "reversed", "mixed", "half"])
def test_drafts_while_cases_end(manifest, order, other):
    cases = mixed(manifest, 30)
    if other:
        put(manifest, "c7", {"e": 1.5, "a": "text"})
    expected = [path.read_bytes() for path in Tables(manifest, cases).written()]
    ended = {
        "in order": cases,
        "reversed": cases[::-1],
        "mixed": [cases[n] for n in np.random.default_rng(1).permutation(30)],
        "half": cases[:15],
    }[order]
    tables = Tables(manifest, cases)
    for case in ended:
        tables.ended(case)
    assert [path.read_bytes() for path in tables.written()] == expected


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_drafts_that_are_broken_off(manifest, monkeypatch, error):
    cases = mixed(manifest, 30)
    expected = [path.read_bytes() for path in Tables(manifest, cases).written()]
    tables = Tables(manifest, cases)
    for case in cases[:10]:
        tables.ended(case)
    with monkeypatch.context() as patch:

        def broken(*_):
            raise error

        patch.setattr("pyrad_core.cohort.gather.cells", broken)
        try:
            tables.ended(cases[10])
        except KeyboardInterrupt:
            assert isinstance(error, KeyboardInterrupt)
    for case in cases[11:20]:
        tables.ended(case)
    assert [path.read_bytes() for path in tables.written()] == expected


def test_no_room_for_tables(manifest, monkeypatch):
    cases = mixed(manifest, 3)
    (former, *_) = Tables(manifest, cases).written()
    text = former.read_bytes()

    def full(*_, **named):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.TemporaryFile", full)
    with pytest.raises(FileFormatError, match="cannot write .*results.csv.*No space"):
        Tables(manifest, cases).written()
    assert former.read_bytes() == text


def test_names_outside_utf8(manifest):
    put(manifest, "a\udcff", {"a": 1.5}, "error", reason="no b\udcff", undefined={1: float("nan")})
    paths = Tables(manifest, ["a\udcff", "c\udcff"]).written()
    first, second = rows_of(paths[0])
    assert (first["id"], first["reason"], first["a"]) == ("a?", "no b?", "1.5")
    assert (second["id"], second["status"]) == ("c\\udcff", "open")
    table = pytest.importorskip("pyarrow.parquet").read_table(paths[1])
    assert table["id"].to_pylist() == ["a?", "c\\udcff"]
