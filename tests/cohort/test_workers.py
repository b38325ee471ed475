"""A scheduler without workers: the run says so, waits, and gives up with what is done kept."""

from __future__ import annotations

import pytest
from helpers import thread_cluster

from pyrad_core import DataError, DeviceError, cohort
from pyrad_core.cli import main
from pyrad_core.cohort import cluster, dispatch

pytest.importorskip("distributed")
SETTINGS = {"families": ["first_order"]}


@pytest.fixture
def own(monkeypatch):
    """A scheduler of the test's own, whose workers come and go."""
    monkeypatch.setattr(cluster, "_LOOK_EVERY", 0.1)
    monkeypatch.setattr(cluster, "_LOOK_SOON", 0.0)  # or the last cases may end before a look
    monkeypatch.setattr(dispatch, "_MOST", 1)  # or one task may hold all cases
    monkeypatch.setattr(dispatch, "_FETCH", 0.1)
    with thread_cluster(0) as made:
        yield made


def _gone(own):
    """All workers at once, as when a batch system takes the nodes away."""

    async def close():
        for worker in list(own.workers.values()):
            await worker.close(nanny=False)
        own.worker_spec.clear()
        own.workers.clear()

    own.sync(close)


def test_no_worker_comes(folder, own, capsys):
    lines = []
    with pytest.raises(DeviceError, match="no worker has been connected for .* wait_for_workers"):
        cohort.run(
            folder.table,
            settings=SETTINGS,
            out=folder.out,
            scheduler=own.scheduler_address,
            wait_for_workers=0.5,
            log=lines.append,
        )
    assert any("no worker is connected; waiting" in line for line in lines)
    command = ["cohort", str(folder.table), "--out", str(folder.out)]
    command += ["--scheduler", own.scheduler_address, "--wait-for-workers", "0.5"]
    (folder.path / "s.yaml").write_text("families: [first_order]\n")
    assert main([*command, "--settings", str(folder.path / "s.yaml")]) == 1
    assert "no worker is connected; waiting" in capsys.readouterr().err
    with pytest.raises(DataError, match="wait_for_workers"):
        cohort.run(folder.table, settings=SETTINGS, out=folder.out, wait_for_workers=-1)


@pytest.mark.parametrize("return_", [True, False])
def test_workers_that_leave(folder, own, return_):
    """The run goes on with those that come back, or ends with what is done kept."""
    folder.write(["id,image,mask", *(f"c{n},i{n % 3}.nii.gz,m.nii.gz" for n in range(12))])
    own.scale(1)
    lines = []

    def progress(done, number, total):
        if number == 2:
            _gone(own)

    def log(line):
        lines.append(line)
        if return_ and "waiting" in line:
            own.scale(1)

    given = {
        "settings": SETTINGS,
        "out": folder.out,
        "scheduler": own.scheduler_address,
        "wait_for_workers": 20 if return_ else 0.5,
        "progress": progress,
        "log": log,
    }
    if return_:
        outcome = cohort.run(folder.table, **given)
        assert outcome.computed + outcome.kept == 12 and not outcome.failed
        assert any("workers are connected again: 1" in line for line in lines)
        return
    with pytest.raises(DeviceError, match="no worker has been connected"):
        cohort.run(folder.table, **given)
    assert any("no worker is connected; waiting" in line for line in lines)
    before = folder.records()
    done = [case for case, row in folder.rows().items() if row["status"] == "ok"]
    assert 2 <= len(done) < 12 and len(folder.rows()) == 12
    own.scale(1)
    given.update(progress=None, wait_for_workers=20)
    assert cohort.run(folder.table, **given).kept >= len(done)
    after = folder.records()
    assert all(after[case] == content for case, content in before.items())
