"""Cohorts: results are those of single calls; what is done is kept; bad tables stop at once."""

from __future__ import annotations

import json
import time

import numpy as np
import pytest

from pyrad_core import DataError, cohort, denoise, features, io
from pyrad_core.cli import main
from pyrad_core.cohort import case as case_module
from pyrad_core.cohort import cluster
from pyrad_core.cohort.manifest import locked
from pyrad_core.io.files import atomic_write

pytest.importorskip("distributed")
SETTINGS = {"families": ["first_order", "glcm"], "discretisation": ["fbn", 8]}


@pytest.fixture
def run(folder, scheduler):
    def call(table=folder.table, **given):
        given = {"settings": SETTINGS, "scheduler": scheduler, **given}
        return cohort.run(table, out=folder.out, **given)

    return call


def test_features_are_those_of_single_calls(folder, run):
    outcome = run()
    assert (outcome.computed, outcome.kept) == (4, 0)
    rows = folder.rows()
    assert list(rows) == ["p0", "p1", "p2", "p3", "bad1", "bad2"]
    mask = io.read_image(folder.path / "m.nii.gz")
    for name, image, label in (("p1", "i1.nii.gz", 1), ("p3", "i0.nii.gz", 2)):
        chosen = features.Settings(**SETTINGS)
        source = io.read_image(folder.path / image)
        expected = features.extract(source, mask, label=label, settings=chosen)
        got = [float(rows[name][key]) for key in expected]
        np.testing.assert_array_equal(got, list(expected.values()))
        assert folder.record(name)["provenance"]["image_sha256"]
    parquet = pytest.importorskip("pyarrow.parquet").read_table(folder.out / "results.parquet")
    assert parquet["id"].to_pylist() == list(rows)
    mean = parquet["original_glcm_Contrast"].to_pylist()
    assert mean[0] == float(rows["p0"]["original_glcm_Contrast"]) and mean[4] is None
    about = json.loads(parquet.schema.metadata[b"manifest"])
    assert about["settings"]["discretisation"] == ["fbn", 8]


def test_bad_input_93_bad_cases_are_rows_with_reasons(folder, run):
    outcome = run()
    rows = folder.rows()
    assert set(outcome.failed) == {"bad1", "bad2"}
    assert "no such file" in rows["bad1"]["reason"] and rows["bad1"]["status"] == "error"
    assert "mask is empty" in rows["bad2"]["reason"] and rows["p0"]["status"] == "ok"


def test_bad_input_94_resume_computes_what_is_missing_or_changed(folder, run):
    run()
    before = folder.records()
    (folder.out / "cases" / "p1.json").unlink()
    (folder.out / "cases" / "p2.json").write_text('{"status": "ok", "id"')  # as by a dying disk
    folder.image("absent.nii.gz", 7)
    folder.image("i0.nii.gz", 8)
    outcome = run()
    assert (outcome.computed, outcome.kept) == (5, 0)  # p0 and p3 share the changed image
    after = folder.records()
    assert after["p1.json"] == before["p1.json"] and after["p2.json"] == before["p2.json"]
    assert after["p0.json"] != before["p0.json"]
    assert run().kept == 5 and folder.records() == after


def test_bad_input_95_no_record_is_ever_half_written(folder, run, monkeypatch):
    run()
    before = folder.records()

    def torn(path, content):
        with atomic_write(path) as stream:
            stream.write(b'{"status": "ok", "id')
            raise OSError(5, "Input/output error")

    monkeypatch.setattr(case_module, "write_record", torn)
    folder.image("i0.nii.gz", 3)
    outcome = run()
    assert set(outcome.failed) == {"p0", "p3", "bad1", "bad2"}
    assert "Input/output error" in outcome.failed["p0"]
    assert folder.records() == before


def test_bad_input_96_a_second_run_in_the_folder_is_refused(folder, run):
    with locked(folder.out), pytest.raises(DataError, match="another run is at work"):
        run()
    assert run().computed == 4


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["id,image,mask", "a,x,y", "A,x,y", "b,x,y"], "given twice: A, a"),
        (["id,image", "a,x"], "no column 'mask'; it has id, image"),
        (["id,image,mask", "../a,x,y"], r"row 1: the id '../a' cannot be used"),
        (["id,image,mask", "a,,y"], "row 1 has no image"),
        (["id,image,mask"], "holds no cases"),
        (["id,image,mask,label", "a,x,y,two"], "two"),
    ],
)
def test_bad_input_97_98_28_bad_tables_stop_before_any_case(folder, run, lines, message):
    folder.write(lines)
    with pytest.raises(DataError, match=message):
        run()
    assert not folder.out.exists()


def test_bad_input_101_other_settings_are_refused(folder, run):
    run()
    before = folder.records()
    with pytest.raises(DataError, match="settings: discretisation changed"):
        run(settings={**SETTINGS, "discretisation": ["fbn", 16]})
    with pytest.raises(DataError, match="verb was 'features', is 'maps'"):
        run(verb="maps")
    with pytest.raises(DataError, match="arguments was"):
        run(options={"max_bytes": "1G"})
    assert folder.records() == before


def test_bad_input_102_results_do_not_depend_on_the_clock(folder, run, monkeypatch):
    run()
    before = folder.records(), (folder.out / "results.csv").read_bytes()
    for path in (folder.out / "cases").iterdir():
        path.unlink()
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")
    time.tzset()
    run()
    assert (folder.records(), (folder.out / "results.csv").read_bytes()) == before


def test_bad_input_103_a_full_disk_keeps_what_is_done(folder, run, monkeypatch):
    run()
    before = folder.records()
    folder.image("i1.nii.gz", 5)

    def full(path, content):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(case_module, "write_record", full)
    outcome = run()
    assert "No space left" in outcome.failed["p1"] and outcome.kept == 3
    assert folder.records() == before


def test_bad_input_104_workers_fit_into_memory(monkeypatch):
    monkeypatch.setattr(cluster, "_free_bytes", lambda: 10 << 30)
    monkeypatch.setattr(cluster.os, "sched_getaffinity", lambda _: set(range(8)))
    assert cluster.plan(None, 1 << 30, 100).workers == 8
    assert cluster.plan(None, 3 << 30, 100).workers == 3
    assert cluster.plan(None, 1 << 30, 2).workers == 2
    assert cluster.plan(6, 1 << 30, 100).workers == 6
    assert cluster.plan(None, 3 << 30, 100).threads == 2
    pinned = cluster.plan(4, 1 << 30, 100, ["0", "1"])
    assert pinned.devices == ("0", "1", "0", "1")
    with pytest.raises(DataError, match="a case needs about 11.00 GiB, free are 10.00 GiB"):
        cluster.plan(None, 11 << 30, 100)


def test_images_with_options_per_case(folder, run):
    rows = [
        {"id": f"d{n}", "image": str(folder.path / f"i{n}.nii.gz"), "weight": w}
        for n, w in ((0, 3.0), (1, float("nan")))
    ]
    options = {"method": "tv", "weight": 9, "option": {"tol": 1e-3}}
    outcome = run(rows, verb="denoise", settings=None, options=options, previews=True)
    assert outcome.computed == 2 and not outcome.failed
    for name, weight in (("d0", 3.0), ("d1", 9.0)):
        got = io.read_image(folder.out / "files" / f"{name}.nii.gz")
        source = io.read_image(folder.path / f"i{name[1]}.nii.gz")
        expected = denoise.tv(source.data, weight=weight, tol=1e-3, spacing=source.spacing)
        np.testing.assert_allclose(got.data, expected, rtol=1e-5)
        assert (folder.out / "files" / f"{name}.png").stat().st_size > 1000
    (folder.out / "files" / "d1.nii.gz").unlink()
    again = run(rows, verb="denoise", settings=None, options=options, previews=True)
    assert (again.computed, again.kept) == (1, 1)


def test_files_among_the_options_count_by_content(folder, run):
    mask = np.ones((5, 9, 8), np.uint8)
    write = {"spacing": (2.0, 1.0, 1.0)}
    path = io.write_image(folder.path / "where.nii.gz", mask, **write)
    rows = [{"id": "a", "image": str(folder.path / "i0.nii.gz")}]
    given = {"verb": "denoise", "settings": {"method": "median", "mask": str(path)}}
    assert run(rows, **given).computed == 1
    moved = path.rename(folder.path / "moved.nii.gz")
    given["settings"]["mask"] = str(moved)
    assert run(rows, **given).kept == 1
    mask[0] = 0
    io.write_image(moved, mask, **write)
    assert run(rows, **given).computed == 1


def test_maps_leave_a_folder_of_files(folder, run):
    folder.write(["id,image,mask", "a,i0.nii.gz,m.nii.gz"])
    outcome = run(verb="maps", options={"features": "Contrast,JointEntropy", "family": "glcm"})
    assert not outcome.failed
    assert len(list((folder.out / "files" / "a").iterdir())) == 2


def test_unknown_options_and_verbs(folder, run, monkeypatch):
    monkeypatch.setattr(cluster, "_ANSWER", 1)
    with pytest.raises(DataError, match="unknown option of denoise 'sigmo'; did you mean 'sigma'"):
        run(verb="denoise", settings={"sigmo": 1})
    with pytest.raises(DataError, match="denoise: .*'nlmm' is not"):
        run(verb="denoise", settings={"method": "nlmm"})
    with pytest.raises(DataError, match="did you mean 'features'"):
        run(verb="feature")
    with pytest.raises(DataError, match="no scheduler answers"):
        run(scheduler="tcp://127.0.0.1:9")
    with pytest.raises(DataError, match="unknown setting 'binwith'"):
        run(settings={"binwith": 3})


def test_program(folder, scheduler, capsys):
    arguments = ["cohort", str(folder.table), "--out", str(folder.out), "--scheduler", scheduler]
    assert main([*arguments, "--settings", "ibsi", "--json"]) == 3
    printed, log = capsys.readouterr()
    assert json.loads(printed)["computed"] == 4
    assert "6 of 6 cases" in log and "bad2: error: mask is empty" in log and "dashboard" in log
    assert main([*arguments, "--settings", "pyradiomics"]) == 1
    assert "holds a run of something else" in capsys.readouterr().err
    assert main(["cohort", str(folder.table)]) == 2
