"""``features`` on tables of cases, DICOM masks, all labels; bad cases are rows."""

from __future__ import annotations

import csv
import json

import dicom_files as made
import numpy as np
import pytest

from pyrad_core import features, io
from pyrad_core.cli import main

SETTINGS = "families: [first_order, glcm]\ndiscretisation: [fbn, 8]\n"


def call(*arguments):
    return main([str(a) for a in arguments])


def read(path):
    with open(path, newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture
def cohort(tmp_path):
    """Three good cases, one with two labels, and three bad ones."""
    rng = np.random.default_rng(0)
    place = {"spacing": (2.0, 1.0, 1.0)}
    lines = ["id,image,mask,label,remark"]
    for number in range(3):
        image = rng.normal(100, 30, (5, 9, 8)).astype(np.float32)
        mask = rng.integers(0, 3, image.shape).astype(np.uint8)
        io.write_image(tmp_path / f"i{number}.nii.gz", image, **place)
        io.write_image(tmp_path / f"m{number}.nii.gz", mask, **place)
        lines.append(f"p{number},i{number}.nii.gz,m{number}.nii.gz,{number % 2 + 1},none")
    io.write_image(tmp_path / "empty.nii.gz", np.zeros((5, 9, 8), np.uint8), **place)
    io.write_image(tmp_path / "other.nii.gz", np.ones((5, 9, 7), np.uint8), **place)
    lines += ["bad1,i0.nii.gz,empty.nii.gz,,", "bad2,i0.nii.gz,other.nii.gz,,"]
    lines += ["bad3,absent.nii.gz,m0.nii.gz,,"]
    table = tmp_path / "cases.csv"
    table.write_text("\n".join(lines) + "\n")
    (tmp_path / "s.yaml").write_text(SETTINGS)
    return tmp_path, table


def test_table_with_bad_cases(cohort, capsys):
    folder, table = cohort
    out, settings = folder / "out.csv", folder / "s.yaml"
    kept = ("--settings", settings, "--provenance", folder / "how.json", "--json")
    assert call("features", table, out, *kept) == 3
    rows = read(out)
    assert [row["case"] for row in rows] == ["p0", "p1", "p2", "bad1", "bad2", "bad3"]
    for row, reason in zip(rows[3:], ("mask is empty", "has shape", "no such file"), strict=True):
        assert reason in row["error"] and row["original_glcm_Contrast"] == ""
    chosen = features.Settings.from_yaml(settings)
    for number, row in enumerate(rows[:3]):
        expected = features.extract(
            io.read_image(folder / f"i{number}.nii.gz"),
            io.read_image(folder / f"m{number}.nii.gz"),
            label=number % 2 + 1,
            settings=chosen,
        )
        assert row["error"] == "" and row["label"] == str(number % 2 + 1)
        got = [float(row[name]) for name in expected]
        np.testing.assert_allclose(got, list(expected.values()), rtol=1e-15)
    printed, log = capsys.readouterr()
    assert json.loads(printed)["failed"] == 3 and "bad2: failed" in log
    how = json.loads((folder / "how.json").read_text())
    assert how["pyrad_core"] and len(how["rows"]) == 6
    assert how["rows"][0]["provenance"]["image_sha256"] and how["rows"][3]["error"]
    assert how["rows"][0]["settings"]["discretisation"] == ["fbn", 8]
    assert call("features", table, out, "--settings", settings) == 1  # would overwrite


def test_table_to_parquet_and_json(cohort):
    parquet = pytest.importorskip("pyarrow.parquet")
    folder, table = cohort
    good = folder / "good.csv"
    good.write_text("\n".join(table.read_text().splitlines()[:4]))
    for name in ("out.parquet", "out.json"):
        assert call("features", good, folder / name, "--settings", folder / "s.yaml", "-q") == 0
    rows = parquet.read_table(folder / "out.parquet").to_pylist()
    content = json.loads((folder / "out.json").read_text())["rows"]
    assert len(rows) == len(content) == 3
    for row, record in zip(rows, content, strict=True):
        assert row["case"] == record["case"]
        for name, value in record["features"].items():
            assert row[name] == value


def test_all_labels_and_presets(cohort):
    folder, table = cohort
    good = folder / "good.csv"
    good.write_text("\n".join(line.rpartition(",")[0] for line in table.read_text().split()[:3]))
    out = folder / "out.csv"
    assert call("features", good, out, "--all-labels", "--preset", "pyradiomics", "-q") == 0
    rows = read(out)
    assert [(row["case"], row["label"]) for row in rows] == [
        ("p0", "1"), ("p0", "2"), ("p1", "1"), ("p1", "2"),
    ]  # fmt: skip
    assert rows[0]["original_firstorder_Mean"] != rows[1]["original_firstorder_Mean"]
    pair = (folder / "i0.nii.gz", folder / "m0.nii.gz")
    assert call("features", *pair, folder / "pair.csv", "--all-labels", "-q") == 0
    assert [row["label"] for row in read(folder / "pair.csv")] == ["1", "2"]


def test_wrong_usage_and_tables(cohort, capsys):
    folder, table = cohort
    pair = (folder / "i0.nii.gz", folder / "m0.nii.gz")
    assert call("features", pair[0]) == 2
    assert call("features", table) == 2
    assert call("features", *pair, "--preset", "ibsi", "--settings", folder / "s.yaml") == 2
    assert call("features", *pair, "--all-labels", "--label", 1) == 2
    assert call("features", *pair, "--label", 1, "--region", "a") == 2
    assert call("features", table, folder / "o.csv", "--case", "a") == 2
    assert call("features", *pair, "--preset", "ibsy") == 2
    for text, message in (
        ("id,image\na,b\n", "no column 'mask'"),
        ("", "is empty"),
        ("image,mask\n", "holds no cases"),
        ("image,mask,label\na,b,x\n", "label 'x' is no number"),
        ("image,mask,id\na,b,1\nc,d,1\n", "occurs 2 times"),
        ("image,mask\na,\n", "row 1 has no mask"),
    ):
        bad = folder / "bad.csv"
        bad.write_text(text)
        capsys.readouterr()
        assert call("features", bad, folder / "o.csv") == 1
        assert message in capsys.readouterr().err


def test_dicom_series_with_structure_and_segmentation(tmp_path):
    pytest.importorskip("pydicom")
    pytest.importorskip("SimpleITK")
    pytest.importorskip("highdicom")
    folder = tmp_path / "ct"
    folder.mkdir()
    values = np.random.default_rng(0).integers(-100, 300, made.SHAPE)
    slices = made.write_series(folder, values)
    outlines = {"GTV": [(z, made.box(5, 12, 6, 15)) for z in (1, 2, 3)], "other": []}
    outlines["other"] = [(z, made.box(2, 16, 3, 20)) for z in (1, 2)]
    structure = made.write_structure(tmp_path / "rs.dcm", outlines)
    mask = np.zeros((*made.SHAPE, 1), np.uint8)
    mask[1:4, 6:16, 5:13] = 1
    segmentation = made.write_segmentation(tmp_path / "seg.dcm", slices, mask)
    (tmp_path / "s.yaml").write_text(SETTINGS)
    image = io.read_image(folder)
    settings = features.Settings.from_yaml(tmp_path / "s.yaml")
    expected = features.extract(image, mask[..., 0], settings=settings)
    kept = ("--settings", tmp_path / "s.yaml", "-q")
    for number, (path, *chosen) in enumerate(
        [(structure, "--region", "GTV"), (structure, "--label", 1), (segmentation,),
         (segmentation, "--label", 1)]
    ):  # fmt: skip
        out = tmp_path / f"{number}.csv"
        assert call("features", folder, path, out, *chosen, *kept) == 0
        (row,) = read(out)
        got = [float(row[name]) for name in expected]
        np.testing.assert_allclose(got, list(expected.values()), rtol=1e-15)
    table = tmp_path / "cases.csv"
    table.write_text("image,mask,region\nct,rs.dcm,GTV\nct,rs.dcm,lung\nct,seg.dcm,part 1\n")
    assert call("features", table, tmp_path / "all.csv", *kept) == 3
    rows = read(tmp_path / "all.csv")
    assert "region 'lung': not found" in rows[1]["error"]
    assert rows[0]["original_glcm_Contrast"] == rows[2]["original_glcm_Contrast"]
    out = tmp_path / "every.csv"
    assert call("features", folder, structure, out, "--all-labels", *kept) == 0
    assert [row["region"] for row in read(out)] == ["GTV", "other"]  # overlapping ones, too
    for path, name in ((structure, "GTV"), (segmentation, "part 1")):
        asked = ("--features", "Contrast", "--region", name, "-q")
        assert call("maps", folder, path, tmp_path / name, *asked) == 0
    first, second = (io.read_image(*(tmp_path / n).iterdir()).data for n in ("GTV", "part 1"))
    np.testing.assert_array_equal(first, second)
    assert call("maps", folder, structure, tmp_path / "both", *asked, "--label", 1) == 2
