"""Bundles of cases, and records that stand whatever becomes of the workers."""

from __future__ import annotations

import time
from concurrent.futures import CancelledError

import pytest

from pyrad_core import DeviceError, FileFormatError, cohort
from pyrad_core.cohort import case as case_module
from pyrad_core.cohort import dispatch
from pyrad_core.cohort.case import Job, run_case, run_cases
from pyrad_core.cohort.manifest import Manifest
from pyrad_core.cohort.table import cases_of
from pyrad_core.cohort.verbs import VERBS

pytest.importorskip("distributed")
SETTINGS = {"families": ["first_order"]}


@pytest.fixture
def jobs(folder):
    manifest = Manifest(folder.out, "features", SETTINGS, ())
    manifest.begin()
    cases = cases_of(folder.table, VERBS["features"])
    return [Job(manifest, case, (), False, None) for case in cases]


def test_a_task_ends_after_its_time_and_returns_what_it_began(jobs):
    assert [done.id for done in run_cases(jobs, 1e9)] == ["p0", "p1", "p2", "p3", "bad1", "bad2"]
    assert [done.status for done in run_cases(jobs, 0.0)] == ["kept"]


def test_short_cases_share_tasks(folder, scheduler, monkeypatch):
    folder.write(["id,image,mask", *(f"c{n},i{n % 3}.nii.gz,m.nii.gz" for n in range(40))])
    sizes, answer = [], dispatch._answer

    def counted(future, bundle, watch):
        sizes.append(len(bundle))
        return answer(future, bundle, watch)

    monkeypatch.setattr(dispatch, "_answer", counted)
    monkeypatch.setattr(dispatch, "_TASK", 0.02)  # so that tasks return some cases untouched
    monkeypatch.setattr(dispatch._Pace, "bundle", lambda pace, waiting, room: min(waiting, 7))
    seen = []
    outcome = cohort.run(
        folder.table,
        settings=SETTINGS,
        out=folder.out,
        scheduler=scheduler,
        progress=lambda done, number, total: seen.append(done.id),
    )
    assert (outcome.computed, outcome.kept) == (40, 0)
    assert sorted(seen) == sorted(folder.rows()) and len(set(seen)) == 40
    assert max(sizes) == 7 and sum(sizes) > 40


def test_pace_asks_for_a_task_of_two_seconds():
    pace = dispatch._Pace()
    assert pace.bundle(1000, 4) == 1
    pace.see(0.1)
    assert pace.bundle(1000, 4) == 20
    assert pace.bundle(40, 4) == 5  # near the end
    assert pace.bundle(1, 4) == 1
    for _ in range(50):
        pace.see(60.0)
    assert pace.bundle(1000, 4) == 1


def test_answers_that_do_not_come(jobs):
    class KilledWorker(Exception):
        pass

    class Future:
        def __init__(self, error, status="error"):
            self.error, self.status = error, status

        def result(self, timeout):
            raise self.error

    class Watch:
        looks = 0

        def workers(self):
            self.looks += 1
            if self.looks == 3:
                raise DeviceError("no worker")

    watch = Watch()
    with pytest.raises(DeviceError, match="the scheduler was lost"):
        dispatch._answer(Future(CancelledError()), tuple(jobs), watch)
    assert dispatch._answer(Future(KilledWorker()), tuple(jobs[:1]), watch) is None
    assert dispatch._answer(Future(ValueError("who knows")), tuple(jobs[:2]), watch) is None
    for error in (ValueError("who knows"), TimeoutError("who knows")):
        (done,) = dispatch._answer(Future(error), tuple(jobs[:1]), watch)
        assert (done.id, done.status, done.reason) == ("p0", "error", "who knows")
    with pytest.raises(DeviceError, match="no worker"):
        dispatch._answer(Future(TimeoutError(), "lost"), tuple(jobs), watch)
    assert watch.looks == 3


def test_bad_input_100_a_result_outlives_its_worker(folder, jobs):
    assert run_case(jobs[0]).status == "ok"
    before = folder.records()
    assert dispatch._gone(jobs[0], "crashed", "the worker process died on it").status == "kept"
    assert folder.records() == before
    assert dispatch._gone(jobs[1], "crashed", "the worker process died on it").status == "crashed"
    assert folder.record("p1")["status"] == "crashed"
    assert run_case(jobs[1]).status == "ok"
    folder.image("i0.nii.gz", 5)  # the record is of other contents now
    assert dispatch._gone(jobs[0], "crashed", "the worker process died on it").status == "crashed"


def test_bad_input_94_a_worker_of_a_killed_run_spoils_no_result(folder, jobs, monkeypatch):
    """Its half-written file is cleared away while another worker has finished the same case."""
    compute = case_module._compute

    def late(job):
        monkeypatch.setattr(case_module, "_compute", compute)
        monkeypatch.setattr(case_module, "_ONE_AT_A_TIME", case_module.threading.Lock())
        assert run_case(job).status == "ok"
        raise FileFormatError("cannot write: no such file")

    monkeypatch.setattr(case_module, "_compute", late)
    assert run_case(jobs[0]).status == "kept"
    assert folder.record("p0")["status"] == "ok"


def test_records_reach_the_disk_in_the_background(folder, jobs, monkeypatch):
    synced = []
    monkeypatch.setattr("pyrad_core.cohort.manifest._to_disk", synced.append)
    run_case(jobs[0])
    until = time.monotonic() + 10
    while not synced and time.monotonic() < until:
        time.sleep(0.01)
    assert synced == [folder.out / "cases" / "p0.json"]
