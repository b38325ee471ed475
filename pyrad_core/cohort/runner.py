"""The run: cases to workers, records to tables."""

from __future__ import annotations

import contextlib
import itertools
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from .. import _checks
from ..errors import DataError, DeviceError
from ..io.files import needed
from . import cluster
from .case import Done, Job, failure, run_case
from .estimate import bytes_per_case
from .gather import gather
from .manifest import Manifest, locked
from .outcome import Outcome
from .table import Case, cases_of
from .verbs import VERBS, Verb, normal_name

__all__ = ["run"]

_LOOK_EVERY = 5.0  # seconds between looks at the number of workers


def run(
    table: Any,
    *,
    settings: Any = None,
    out: str | os.PathLike[str],
    scheduler: Any = None,
    verb: str = "features",
    options: Mapping[str, Any] | None = None,
    workers: int | None = None,
    memory_per_case: int | None = None,
    devices: Sequence[int | str] | None = None,
    previews: bool = False,
    progress: Callable[[Done, int, int], None] | None = None,
    log: Callable[[str], None] | None = None,
) -> Outcome:
    """Run a verb of the program over a table of cases, in parallel, with what is done kept.

    Every case leaves one record (``out/cases/<id>.json``, written at once or not at all) and its
    files (``out/files/<id>...``). A second call with the same folder computes only what is missing,
    failed, or whose inputs have other contents than before; other settings are refused. One bad
    case is a row with its reason; a case that takes its worker down is marked crashed.

    Parameters
    ----------
    table : path, sequence of mappings, or data frame
        A row per case. Columns: ``image`` and ``mask`` (features, maps), ``image`` (denoise) or
        ``input`` (recon ct, recon mr); ``id``, which names the results (default the number of the
        row); and any option of the verb by its name (``label``, ``sigma``, ``geometry``, ...),
        which goes before ``options``. Other columns are ignored.
    settings
        Of features and maps: :class:`~pyrad_core.features.Settings`, a mapping of its fields, a
        preset's name or a YAML file. Of the other verbs: the same as ``options``.
    out : path
        Folder of the run; every worker must see it under this name. Locked while a run is at work.
    scheduler : str, Dask cluster or client, optional
        Address such as ``"tcp://host:8786"``, or a Dask object (SLURM and other batch systems
        through ``dask_jobqueue``). A cluster of this machine if None.
    verb : {"features", "maps", "denoise", "recon ct", "recon mr"}
    options : mapping, optional
        Options of the verb for all cases, named as on the command line: ``{"method": "tv"}``.
    workers : int, optional
        Of the local cluster, at most; default what processors, memory and cases allow.
    memory_per_case : int, optional
        Bytes; default estimated from the files' headers and sizes.
    devices : sequence, optional
        CUDA devices of the local cluster: each worker sees one of them only, and computes there
        (features, maps and denoise).
    previews : bool
        Also write ``out/files/<id>.png`` (not for features).
    progress : callable, optional
        Called as ``progress(done, number, total)`` after every case, ``done`` with ``id``,
        ``status``, ``reason`` and ``seconds``.
    log : callable, optional
        Called with lines of text: the plan, the dashboard's address.

    Returns
    -------
    Outcome
        ``out``, ``results`` (CSV, Parquet), ``computed``, ``kept`` and ``failed``.

    Raises
    ------
    DataError
        Before any case starts: ids that are no file names or occur twice, missing columns, unknown
        options, another run in the folder, other settings than the folder was begun with.
    DeviceError
        The scheduler was lost; finished cases are kept.
    MissingDependencyError
        Without Dask: ``pip install 'pyrad_core[cohort]'``.

    Notes
    -----
    The local cluster starts processes: in a script, call it below
    ``if __name__ == "__main__":``.

    Examples
    --------
    >>> outcome = run("cases.csv", settings="ibsi", out="results")  # doctest: +SKIP
    >>> outcome.failed  # doctest: +SKIP
    {'patient 7': 'mask is empty: all its voxels are 0'}
    """
    needed("distributed", "cohort")
    chosen = VERBS[_checks.choice("verb", verb, VERBS)]
    if devices is not None:
        options = {**(options or {}), "gpu": True}
    manifest, shared, files = _manifest(chosen, settings, options, Path(out).absolute())
    cases = [replace(c, options={**files, **c.options}) for c in cases_of(table, chosen)]
    # Before anything is written: every case's options must be options.
    arguments = _arguments(chosen, shared, cases)
    tell = log or (lambda text: None)
    with locked(manifest.out):
        manifest.begin()
        asked = memory_per_case or bytes_per_case(chosen, cases)
        named = None if devices is None else [str(d) for d in devices]
        local = cluster.plan(workers, asked, len(cases), named)
        with cluster.connected(scheduler, local) as client:
            mine = scheduler is None
            if mine:
                tell(f"{local.workers} workers x {local.threads} threads ({local.why})")
                client.wait_for_workers(local.workers)
            cluster.probe(client, manifest.out)
            tell(f"dashboard {client.dashboard_link}")
            threads = local.threads if mine else None
            jobs = (Job(manifest, c, arguments[c.id], previews, threads) for c in cases)
            try:
                counts, failed = _compute(client, jobs, len(cases), progress)
            finally:
                results = gather(manifest, (case.id for case in cases))
    return Outcome(manifest.out, results, counts["ok"], counts["kept"], failed)


def _arguments(
    verb: Verb, shared: Mapping[str, Any], cases: Sequence[Case]
) -> dict[str, tuple[str, ...]]:
    """Id -> words of the command line; equal options are checked once."""
    known: dict[Any, tuple[str, ...]] = {}
    words = {}
    for case in cases:
        own = tuple(case.options.items())
        if own not in known:
            known[own] = tuple(verb.arguments({**shared, **case.options}))
        words[case.id] = known[own]
    return words


def _manifest(
    verb: Verb, settings: Any, options: Mapping[str, Any] | None, out: Path
) -> tuple[Manifest, dict[str, Any], dict[str, str]]:
    """What the folder is begun with, the options that all cases share, and the files among them.

    Files are inputs of every case: their contents count, not their names.
    """
    shared = dict(options or {})
    chosen = None
    if verb.takes_settings:
        from ..features.extractor import settings_of

        chosen = settings_of(settings).to_dict()
    elif settings is not None:
        shared = {**_mapping(verb, settings), **shared}
    shared = {normal_name(name): value for name, value in shared.items()}
    files = {n: os.path.abspath(shared.pop(n)) for n in verb.paths if n in shared}
    return Manifest(out, verb.name, chosen, tuple(verb.arguments(shared))), shared, files


def _mapping(verb: Verb, settings: Any) -> dict[str, Any]:
    if isinstance(settings, (str, os.PathLike)):
        import yaml

        try:
            settings = yaml.safe_load(Path(settings).read_text(encoding="utf-8"))
        except yaml.YAMLError as error:
            raise DataError(f"settings is no YAML file: {error}") from None
    if not isinstance(settings, Mapping):
        raise DataError(
            f"settings is {type(settings).__name__}; expected options of {verb.name} as a mapping"
        )
    return dict(settings)


def _compute(
    client: Any,
    jobs: Iterator[Job],
    total: int,
    progress: Callable[[Done, int, int], None] | None,
) -> tuple[dict[str, int], dict[str, str]]:
    """Keep the workers busy until all jobs are done; counts and failures."""
    from distributed import as_completed

    counts = {"ok": 0, "kept": 0, "error": 0, "crashed": 0}
    failed: dict[str, str] = {}
    under_way: dict[Any, Job] = {}
    queue = as_completed()

    def fill(room: int) -> None:
        for job in itertools.islice(jobs, max(room - len(under_way), 0)):
            future = client.submit(run_case, job, pure=False)
            under_way[future] = job
            queue.add(future)

    looked, room = time.monotonic(), cluster.window(client)
    fill(room)
    try:
        while under_way:
            future = next(queue)
            done = _done(future, under_way.pop(future))
            if time.monotonic() - looked > _LOOK_EVERY:  # workers of batch systems come and go
                looked, room = time.monotonic(), cluster.window(client)
            fill(room)
            counts[done.status] += 1
            if done.status in ("error", "crashed"):
                failed[done.id] = done.reason
            if progress is not None:
                progress(done, sum(counts.values()), total)
    finally:
        client.cancel(list(under_way))
    return counts, failed


def _done(future: Any, job: Job) -> Done:
    """What the worker answered; a case whose workers died is a crashed one."""
    if future.status == "finished":
        done: Done = future.result()
        return done
    if future.status in ("cancelled", "lost"):
        raise DeviceError(
            "the scheduler was lost; finished cases are kept, run again to compute the rest"
        )
    error = future.exception()
    crashed = type(error).__name__ == "KilledWorker"
    reason = "the worker process died on it" if crashed else " ".join(str(error).split())
    status = "crashed" if crashed else "error"
    with contextlib.suppress(OSError):  # a full disk: the outcome tells it
        failure(job.manifest, job.case.id, status, reason)
    return Done(job.case.id, status, reason, 0.0)
