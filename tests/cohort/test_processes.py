"""Worker processes that die, and runs that are stopped from outside."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from pyrad_core import cohort
from pyrad_core.cohort import dispatch

pytest.importorskip("distributed")
psutil = pytest.importorskip("psutil")
SETTINGS = {"families": ["first_order"]}


def _computes(process):
    return "spawn_main" in " ".join(process.cmdline())


def test_bad_input_100_a_crashed_worker_is_a_crashed_case(folder, scheduler, monkeypatch):
    def deadly(jobs, seconds):
        if any(job.case.id == "p1" for job in jobs):
            os.kill(os.getpid(), signal.SIGKILL)
        from pyrad_core.cohort.case import run_cases

        return run_cases(jobs, seconds)

    answer, killed = dispatch._answer, []

    def too_late(future, bundle):
        """The worker of the first answer dies before anyone asks for it."""
        if not killed:
            killed.extend(p.pid for p in psutil.Process().children() if _computes(p))
            for pid in killed:
                os.kill(pid, signal.SIGKILL)
            until = time.monotonic() + 20
            while future.status == "finished" and time.monotonic() < until:
                time.sleep(0.01)
            assert future.status == "lost"
        return answer(future, bundle)

    monkeypatch.setattr(dispatch, "run_cases", deadly)
    monkeypatch.setattr(dispatch, "_answer", too_late)
    outcome = cohort.run(folder.table, settings=SETTINGS, out=folder.out, workers=1)
    assert len(killed) == 1
    # The answer that the worker took along was asked for again, and then found on disk.
    assert outcome.kept and outcome.computed + outcome.kept == 3
    assert set(outcome.failed) == {"p1", "bad1", "bad2"}
    row = folder.rows()["p1"]
    assert row["status"] == "crashed" and row["reason"] == "the worker process died on it"
    monkeypatch.undo()
    again = cohort.run(folder.table, settings=SETTINGS, out=folder.out, scheduler=scheduler)
    assert (again.computed, again.kept) == (1, 3)


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
