"""Worker processes that die, and runs that are stopped from outside."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time

import pytest

from pyrad_core import cohort
from pyrad_core.cohort import cluster, dispatch

pytest.importorskip("distributed")
psutil = pytest.importorskip("psutil")
SETTINGS = {"families": ["first_order"]}


def _computing():
    """Worker processes of this one."""
    found = []
    for process in psutil.Process().children():
        with contextlib.suppress(psutil.Error):  # a dead one
            if "spawn_main" in " ".join(process.cmdline()):
                found.append(process)
    return found


def test_bad_input_100_a_crashed_worker_is_a_crashed_case(folder, scheduler, monkeypatch):
    def deadly(jobs, seconds):
        if any(job.case.id == "p1" for job in jobs):
            os.kill(os.getpid(), signal.SIGKILL)
        from pyrad_core.cohort.case import run_cases

        return run_cases(jobs, seconds)

    answer, became = dispatch._answer, []

    def too_late(future, bundle, watch):
        """The worker of the first answer dies before anyone asks for it."""
        if not became and future.status == "finished":
            for process in _computing():
                process.kill()
            until = time.monotonic() + 20
            while future.status == "finished" and time.monotonic() < until:
                time.sleep(0.001)
            became.append(future.status)
        return answer(future, bundle, watch)

    monkeypatch.setattr(dispatch, "run_cases", deadly)
    monkeypatch.setattr(dispatch, "_answer", too_late)
    names = ("OMP_NUM_THREADS", "MALLOC_TRIM_THRESHOLD_", "PYTHONHASHSEED")
    environment = [os.environ.get(name) for name in names]
    outcome = cohort.run(folder.table, settings=SETTINGS, out=folder.out, workers=1)
    assert [os.environ.get(name) for name in names] == environment  # its workers' is theirs
    assert became == ["lost"]
    # The answer that the worker took along was asked for again, and then found on disk.
    assert outcome.kept and outcome.computed + outcome.kept == 3
    assert set(outcome.failed) == {"p1", "bad1", "bad2"}
    row = folder.rows()["p1"]
    assert row["status"] == "crashed" and row["reason"] == "the worker process died on it"
    monkeypatch.undo()
    again = cohort.run(folder.table, settings=SETTINGS, out=folder.out, scheduler=scheduler)
    assert (again.computed, again.kept) == (1, 3)


def test_bad_input_100_a_worker_killed_while_it_starts_is_replaced(monkeypatch):
    monkeypatch.setattr(cluster, "_KEEP", 0.5)
    monkeypatch.setitem(cluster._LOCAL, "deploy.lost-worker-timeout", "1s")
    with cluster.connected(None, cluster.Plan(1, 1, None, "")) as client:
        client.wait_for_workers(1)
        (first,) = _computing()
        first.kill()
        until = time.monotonic() + 30
        while not (anew := [p for p in _computing() if p != first]) and time.monotonic() < until:
            time.sleep(0.01)
        anew[0].kill()
        while client.nthreads() and time.monotonic() < until:
            time.sleep(0.01)
        client.wait_for_workers(1, timeout=60)  # without a replacement there never is one


@pytest.mark.parametrize("name", ["SIGINT", "SIGKILL"])
def test_bad_input_99_94_a_stopped_run_goes_on(folder, scheduler, name):
    lines = [f"c{n},i{n % 3}.nii.gz,m.nii.gz,1" for n in range(150)]
    folder.write(["id,image,mask,label", *lines])
    (folder.path / "s.yaml").write_text("families: [first_order]\n")
    arguments = ["cohort", folder.table, "--out", folder.out, "--settings", folder.path / "s.yaml"]
    command = [sys.executable, "-m", "pyrad_core", *map(str, arguments)]
    program = subprocess.Popen(
        [*command, "--workers", "1"],
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    done = folder.out / "cases"
    while program.poll() is None and len(list(done.glob("c*.json"))) < 3:
        time.sleep(0.05)
    if name == "SIGINT":
        os.killpg(program.pid, signal.SIGINT)  # as a terminal does
        _, log = program.communicate(timeout=60)
        assert program.returncode == 130, log
        assert "interrupted" in log
        assert sum(row["status"] == "ok" for row in folder.rows().values()) >= 3
    else:
        program.kill()
        program.communicate(timeout=60)  # the pipe ends with the last worker
    before = folder.records()
    assert 3 <= len(before) < 150
    outcome = cohort.run(folder.table, settings=SETTINGS, out=folder.out, scheduler=scheduler)
    assert outcome.computed + outcome.kept == 150 and outcome.kept >= len(before)
    after = folder.records()
    assert all(after[case] == content for case, content in before.items())
    assert not list(folder.out.glob("*/.*"))  # what killed workers left half-written
