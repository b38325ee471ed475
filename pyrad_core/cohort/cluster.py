"""Where cases are computed: a cluster of this machine by default, or an existing scheduler."""

from __future__ import annotations

import contextlib
import importlib
import logging
import math
import os
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import _checks
from .._memory import _free_bytes
from .._version import __version__
from ..errors import DataError, DeviceError
from ..io.files import needed

__all__ = ["Plan", "Watch", "connected", "plan", "probe", "workers_of"]

_ANSWER = 20  # seconds for a scheduler
_LOOK_EVERY = 5.0  # seconds between looks at the number of workers
_LOOK_SOON = 0.2  # the same where workers are missing
_TELL_EVERY = 30.0  # seconds between lines that there is none
_KEEP = 5  # seconds between looks at whether workers are missing
# Dask's defaults sample the stacks of all processes 100 times a second, and look at their event
# loops 50 times; processors belong to the cases here.
_LOCAL = {
    "scheduler.allowed-failures": 0,  # who is to blame is found out here (dispatch.py)
    "scheduler.active-memory-manager.start": False,
    "worker.memory.target": False,
    "worker.memory.spill": False,
    "worker.memory.pause": False,
    "worker.multiprocessing-method": "spawn",
    "worker.profile.enabled": False,
    "admin.tick.interval": "1s",
    "admin.tick.limit": "10s",
    "admin.system-monitor.interval": "5s",
    "client.scheduler-info-interval": "10s",
    "worker.memory.monitor-interval": "1s",
    # Dask lets glibc hand freed memory back at once, for the system to clear it again for the next
    # array: 5 % of a case's time. These are the largest values that glibc itself comes to.
    "nanny.pre-spawn-environ.MALLOC_TRIM_THRESHOLD_": str(2**26),
    "nanny.pre-spawn-environ.MALLOC_MMAP_THRESHOLD_": str(2**25),
}


@dataclass(frozen=True)
class Plan:
    """Workers of the local cluster, threads and bytes of each."""

    workers: int
    threads: int
    memory: int | None
    why: str
    devices: tuple[str, ...] = ()


def plan(
    workers: int | None, per_case: int, cases: int, devices: Sequence[str] | None = None
) -> Plan:
    """As many workers as processors (or devices), free memory and cases allow."""
    processors = len(os.sched_getaffinity(0))
    free = _free_bytes()
    limits = [f"{processors} processors", f"{per_case / 2**30:.2f} GiB a case"]
    if devices:
        limits.append(f"{len(devices)} devices")
    chosen = len(devices) if devices else processors
    if workers is not None:
        chosen = _checks.whole("workers", workers, 1)
    if free is not None:
        limits.append(f"{free / 2**30:.1f} GiB free")
        fitting = int(free // max(per_case, 1))
        if fitting < 1:
            raise DataError(
                f"a case needs about {per_case / 2**30:.2f} GiB, free are {free / 2**30:.2f} GiB; "
                "free memory, or state memory_per_case if the estimate is wrong"
            )
        chosen = min(chosen, fitting)
    chosen = max(1, min(chosen, cases))
    memory = None if free is None else free // chosen
    pinned = tuple(devices[i % len(devices)] for i in range(chosen)) if devices else ()
    return Plan(chosen, max(1, processors // chosen), memory, ", ".join(limits), pinned)


@contextlib.contextmanager
def connected(scheduler: Any, local: Plan) -> Iterator[Any]:
    """A client of the scheduler (an address, a Dask cluster or client), or of a local cluster."""
    distributed = needed("distributed", "cohort")
    if scheduler is None:
        with _local(distributed, local) as cluster, distributed.Client(cluster) as client:
            yield client
    elif isinstance(scheduler, distributed.Client):
        yield scheduler
    else:
        try:
            client = distributed.Client(scheduler, timeout=_ANSWER)
        except (OSError, ValueError) as error:
            raise DataError(f"no scheduler answers at {scheduler}: {error}") from None
        with client:
            yield client


@contextlib.contextmanager
def _local(distributed: Any, local: Plan) -> Iterator[Any]:
    """Worker processes of this machine, one case at a time in each."""
    import dask

    quiet = {f"distributed.{name}": value for name, value in _LOCAL.items()}
    common = {"nthreads": 1, "memory_limit": local.memory or 0, "silence_logs": logging.CRITICAL}
    one_thread = {"OMP_NUM_THREADS": str(local.threads), "OPENBLAS_NUM_THREADS": "1"}
    specs = {}
    for number in range(local.workers):
        env = dict(one_thread)
        if local.devices:
            env["CUDA_VISIBLE_DEVICES"] = local.devices[number]
        specs[number] = {"cls": distributed.Nanny, "options": {**common, "env": env}}
    with dask.config.set(quiet), _environment_kept():
        scheduler = {
            "cls": distributed.Scheduler,
            "options": {"host": "127.0.0.1", "port": 0, "dashboard_address": "127.0.0.1:0"},
        }
        cluster = distributed.SpecCluster(
            scheduler=scheduler,
            workers=specs,
            silence_logs=logging.CRITICAL,
            scheduler_sync_interval=10,
        )
        with cluster, _kept(cluster, local.workers):
            yield cluster


@contextlib.contextmanager
def _environment_kept() -> Iterator[None]:
    """Take back what Dask puts into this process's environment for its workers to inherit."""
    import dask

    names = {*dask.config.get("distributed.nanny.pre-spawn-environ"), "PYTHONHASHSEED"}
    former = {name: os.environ.get(name) for name in names}
    try:
        yield
    finally:
        for name, value in former.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextlib.contextmanager
def _kept(cluster: Any, workers: int) -> Iterator[None]:
    """Replace workers that Dask gives up: those that die again while they are started anew."""
    from tornado.ioloop import PeriodicCallback

    again = PeriodicCallback(lambda: cluster.scale(workers), 1e3 * _KEEP)
    cluster.loop.add_callback(again.start)
    try:
        yield
    finally:
        cluster.loop.add_callback(again.stop)


def workers_of(client: Any) -> int:
    """Cases that the client's workers compute at a time."""
    return sum(int(n) for n in client.nthreads().values())


class Watch:
    """How many workers there are; those of batch systems come and go, which may take long.

    It says when there is none, and gives up after ``patience`` seconds. It looks often as long as
    there are fewer than expected.
    """

    def __init__(
        self, client: Any, patience: float, tell: Callable[[str], None], expected: int = 1
    ):
        self._client, self._patience, self._tell = client, patience, tell
        self._expected = expected
        self._workers, self._looked = 0, -math.inf
        self._since = self._told = time.monotonic()
        self._silent = True  # nothing was said of missing workers

    def workers(self) -> int:
        """Their number at the last look; DeviceError if there has been none for too long."""
        now = time.monotonic()
        if now - self._looked > (_LOOK_EVERY if self._workers >= self._expected else _LOOK_SOON):
            self._looked = now
            # A client without its scheduler is about to hear that all its tasks are cancelled.
            if self._client.status == "running":
                with contextlib.suppress(OSError):
                    self._workers = workers_of(self._client)
        if self._workers:
            if not self._silent:
                self._tell(f"workers are connected again: {self._workers}")
            self._since, self._silent = now, True
        elif self._client.status == "running":
            self._waiting(now)
        return self._workers

    def _waiting(self, now: float) -> None:
        waited = now - self._since
        if waited > self._patience:
            raise DeviceError(
                f"no worker has been connected for {waited:.0f} s; finished cases are kept: start "
                "workers and run again, or allow more with wait_for_workers"
            )
        if waited > _LOOK_EVERY and (self._silent or now - self._told > _TELL_EVERY):
            self._told, self._silent = now, False
            self._tell(f"no worker is connected; waiting ({self._patience - waited:.0f} s more)")

    def wait(self) -> None:
        """Until there is a worker."""
        while not self.workers():
            time.sleep(0.05)


def probe(client: Any, out: Path, modules: Sequence[str]) -> None:
    """Every worker must have this version and see the folder; it loads what cases will need."""
    token = secrets.token_hex(8)
    mark = out / f".probe-{token}"
    mark.write_text(token)
    try:
        answers = client.run(_seen, str(mark), token, modules)
    except ImportError as error:
        raise DataError(f"the workers cannot import pyrad_core {__version__}: {error}") from None
    finally:
        mark.unlink(missing_ok=True)
    for worker, (version, seen) in answers.items():
        if version != __version__:
            raise DataError(
                f"worker {worker} has pyrad_core {version}, this is {__version__}; install the same"
            )
        if not seen:
            raise DataError(f"worker {worker} does not see {out}; use a folder that all share")


def _seen(path: str, token: str, modules: Sequence[str]) -> tuple[str, bool]:
    mark = Path(path)
    for name in modules:
        importlib.import_module(name)
    return __version__, mark.is_file() and mark.read_text() == token
