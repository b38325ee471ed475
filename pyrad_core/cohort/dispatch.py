"""Cases to workers: short ones in bundles, and whose fault it is where workers die."""

from __future__ import annotations

import contextlib
import math
import time
from collections import deque
from collections.abc import Generator, Sequence
from concurrent.futures import CancelledError
from typing import Any

from ..errors import DeviceError
from .case import Done, Job, failure, run_cases, standing
from .cluster import Watch

__all__ = ["results"]

_TASK = 2.0  # seconds of work that a task is to hold: many times what Dask takes for a task
_MOST = 64  # cases of a task
_NAP = 0.05  # seconds between looks at the answers
_FETCH = 5.0  # seconds for an answer that is there to come here


def results(client: Any, jobs: Sequence[Job], watch: Watch) -> Generator[Done, None, None]:
    """Compute all jobs; how each went, in the order in which they end.

    A worker that dies leaves all its cases under suspicion. They are tried again, one per worker,
    and what is then still suspect on its own, so that only guilty cases count as crashed.
    """
    # One task runs and one waits, so that no worker idles.
    left = yield from _round(client, jobs, 2, watch)
    if len(left) > 1 and watch.workers() > 1:
        left = yield from _round(client, left, 1, watch)
    left = yield from _round(client, left, None, watch)
    for job in left:
        yield _gone(job, "crashed", "the worker process died on it")


def _round(
    client: Any, jobs: Sequence[Job], per_worker: int | None, watch: Watch
) -> Generator[Done, None, list[Job]]:
    """Keep so many tasks a worker (None: one in all) under way; returns jobs of dead workers."""
    from distributed import as_completed

    waiting = deque(jobs)
    suspects: list[Job] = []
    under_way: dict[Any, tuple[Job, ...]] = {}
    queue, pace = as_completed(), _Pace()

    def room() -> int:
        return 1 if per_worker is None else per_worker * max(1, watch.workers())

    try:
        while waiting or under_way:
            while waiting and len(under_way) < room():
                size = pace.bundle(len(waiting), room()) if per_worker == 2 else 1
                bundle = tuple(waiting.popleft() for _ in range(size))
                future = client.submit(run_cases, bundle, _TASK, pure=False)
                under_way[future] = bundle
                queue.add(future)
            while not queue.has_ready():
                watch.workers()
                time.sleep(_NAP)
            future = next(queue)
            bundle = under_way.pop(future)
            found = _answer(future, bundle, watch)
            if found is None:
                suspects += bundle
                continue
            waiting.extendleft(reversed(bundle[len(found) :]))
            for done in found:
                pace.see(done.seconds)
                yield done
    finally:
        client.cancel(list(under_way))
    return suspects


def _answer(future: Any, bundle: tuple[Job, ...], watch: Watch) -> list[Done] | None:
    """What became of the bundle's first cases; None if that is not known of any.

    An answer that its worker took along when it died is waited for once more: Dask runs the task
    again, which finds the records; ``watch`` gives up where no worker comes for it.
    """
    try:
        return _fetched(future, watch)
    except CancelledError:
        raise DeviceError(
            "the scheduler was lost; finished cases are kept, run again to compute the rest"
        ) from None
    except DeviceError:
        raise
    except Exception as error:
        if type(error).__name__ == "KilledWorker" or len(bundle) > 1:
            return None
        return [_gone(bundle[0], "error", " ".join(str(error).split()))]


def _fetched(future: Any, watch: Watch) -> list[Done]:
    while True:
        try:
            found: list[Done] = future.result(timeout=_FETCH)
        except TimeoutError:
            if future.status == "error":
                raise  # the task's own
            watch.workers()
        else:
            return found


def _gone(job: Job, status: str, reason: str) -> Done:
    """A case that no worker answered for; its record says so, unless it has a result."""
    if standing(job):
        return Done(job.case.id, "kept", "", 0.0)
    with contextlib.suppress(OSError):  # a full disk: the outcome tells it
        failure(job, status, reason)
    return Done(job.case.id, status, reason, 0.0)


class _Pace:
    """Seconds a case, of late."""

    def __init__(self) -> None:
        self._seconds: float | None = None

    def see(self, seconds: float) -> None:
        former = seconds if self._seconds is None else self._seconds
        self._seconds = former + 0.1 * (seconds - former)

    def bundle(self, waiting: int, room: int) -> int:
        """Cases of the next task: a task's worth of time, and fewer when the end is near."""
        if self._seconds is None:
            return 1
        wanted = math.ceil(_TASK / max(self._seconds, 1e-3))
        return max(1, min(wanted, _MOST, waiting // (2 * room)))
