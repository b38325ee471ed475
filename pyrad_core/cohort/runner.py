"""The run: cases to workers, records to tables."""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from .. import _checks
from .._yaml import load_yaml
from ..errors import DataError
from ..io.files import needed
from . import cluster, dispatch
from .case import Done, Job
from .estimate import bytes_per_case
from .gather import Tables
from .manifest import Manifest, locked
from .outcome import Outcome
from .table import Case, cases_of
from .verbs import VERBS, Verb, normal_name

__all__ = ["run"]

_PACKAGES = ("distributed", "orjson")  # of the extra


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
    wait_for_workers: float = 600.0,
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
    wait_for_workers : float
        Seconds that the run goes on without any worker, at its start or later, before it gives up
        with what is done kept. Allow more where workers wait in the queue of a batch system.
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
        The scheduler was lost, or no worker came within ``wait_for_workers``; finished cases are
        kept.
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
    for package in _PACKAGES:
        needed(package, "cohort")
    chosen = VERBS[_checks.choice("verb", verb, VERBS)]
    if devices is not None:
        options = {**(options or {}), "gpu": True}
    manifest, shared, files = _manifest(chosen, settings, options, Path(out).absolute())
    cases = [replace(c, options={**files, **c.options}) for c in cases_of(table, chosen)]
    # Before anything is written: every case's options must be options.
    arguments = _arguments(chosen, shared, cases)
    patience = _checks.positive("wait_for_workers", wait_for_workers)
    tell = log or (lambda text: None)
    with locked(manifest.out), ThreadPoolExecutor(1) as beside:
        manifest.begin()
        asked = memory_per_case or bytes_per_case(chosen, cases)
        named = None if devices is None else [str(d) for d in devices]
        local = cluster.plan(workers, asked, len(cases), named)
        tables = Tables(manifest, [case.id for case in cases])
        with contextlib.ExitStack() as cluster_end:
            client = cluster_end.enter_context(cluster.connected(scheduler, local))
            mine = scheduler is None
            watch = cluster.Watch(client, patience, tell, local.workers if mine else 1)
            if mine:
                tell(f"{local.workers} workers x {local.threads} threads ({local.why})")
            beside.submit(tables.prepare)
            watch.wait()
            cluster.probe(client, manifest.out, (*_PACKAGES, *chosen.modules))
            tell(f"dashboard {client.dashboard_link}")
            threads = local.threads if mine else None
            jobs = [Job(manifest, c, arguments[c.id], previews, threads) for c in cases]
            try:
                with contextlib.closing(dispatch.results(client, jobs, watch)) as ended:
                    counts, failed = _counted(ended, len(cases), tables, progress)
            finally:
                written = beside.submit(tables.written)  # the end of workers takes a while
                cluster_end.close()
                results = written.result()
    return Outcome(manifest.out, results, counts["ok"], counts["kept"], failed)


def _counted(
    ended: Iterable[Done],
    total: int,
    tables: Tables,
    progress: Callable[[Done, int, int], None] | None,
) -> tuple[Counter[str], dict[str, str]]:
    """Cases by status, and id -> reason of those without a result."""
    counts: Counter[str] = Counter()
    failed = {}
    for done in ended:
        counts[done.status] += 1
        if done.status in ("error", "crashed"):
            failed[done.id] = done.reason
        tables.ended(done.id)
        if progress is not None:
            progress(done, counts.total(), total)
    return counts, failed


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
        settings = load_yaml(settings)
    if not isinstance(settings, Mapping):
        raise DataError(
            f"settings is {type(settings).__name__}; expected options of {verb.name} as a mapping"
        )
    return dict(settings)
