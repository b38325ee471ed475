"""``pyrad-core cohort``: a verb over a table of cases."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click

from ..cli.common import PATH, Run, size_of, verb

_EVERY = 10.0  # seconds between lines of a log that is no terminal


@click.command("cohort")
@click.argument("table", type=PATH, metavar="CASES")
@click.option("--out", type=PATH, required=True, metavar="DIR", help="Folder of the run.")
@click.option(
    "--verb",
    "verb_name",
    default="features",
    show_default=True,
    metavar="VERB",
    help='features, maps, denoise, "recon ct" or "recon mr".',
)
@click.option(
    "--settings",
    metavar="YAML|PRESET",
    help="Of features and maps: a settings or parameter file, ibsi or pyradiomics; of the other "
    "verbs a YAML mapping of their options.",
)
@click.option(
    "--set",
    "options",
    multiple=True,
    metavar="OPTION=VALUE",
    help="An option of the verb for all cases, for example --set method=tv.",
)
@click.option("--scheduler", metavar="ADDRESS", help="Of Dask, for example tcp://host:8786.")
@click.option("--workers", type=click.IntRange(1), metavar="N", help="Of this machine, at most.")
@click.option("--devices", metavar="0,1,...", help="CUDA devices: a worker sees one of them.")
@click.option(
    "--memory-per-case",
    callback=lambda _c, _p, value: None if value is None else size_of(value),
    metavar="SIZE",
    help="For example 2G; default estimated from the files.",
)
@click.option(
    "--wait-for-workers",
    type=click.FloatRange(0, min_open=True),
    default=600.0,
    show_default=True,
    metavar="SECONDS",
    help="Without any worker, before the run gives up.",
)
@click.option("--previews", is_flag=True, help="A picture of each result (not for features).")
@verb
def command(run: Run, table: Path, verb_name: str, **options: Any) -> int | None:
    """Run a verb over all CASES (a .csv table) with one process per processor.

    Columns: image and mask (features, maps), image (denoise) or input (recon), id, and any option
    of the verb. DIR gets one record a case, the files, results.csv and results.parquet. The same
    call again goes on where an earlier one ended; a case that fails is a row with its reason, and
    the exit code is 3.
    """
    from .runner import run as run_cohort

    given = dict(_option(text) for text in options.pop("options"))
    devices = options.pop("devices")
    with _progress(run, verb_name) as progress:
        outcome = run_cohort(
            table,
            verb=verb_name,
            options=given,
            devices=devices.split(",") if devices else None,
            progress=progress,
            log=run.log,
            **options,
        )
    counts = {"computed": outcome.computed, "kept": outcome.kept, "failed": len(outcome.failed)}
    run.report({"out": outcome.out, "results": outcome.results[0], **counts})
    return 3 if outcome.failed else None


def _option(text: str) -> tuple[str, str]:
    name, found, value = text.partition("=")
    if not found or not name.strip():
        raise click.BadParameter(f"{text!r}; expected OPTION=VALUE", param_hint="--set")
    return name, value


@contextlib.contextmanager
def _progress(run: Run, label: str) -> Iterator[Callable[[Any, int, int], None]]:
    """A bar with rate and remaining time on a terminal, else a line now and then."""
    if run.quiet or not sys.stderr.isatty():
        yield _lines(run)
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]} cases/s, left"),
        TimeRemainingColumn(),
    )
    started = time.perf_counter()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=None, rate="-")

        def step(done: Any, number: int, total: int) -> None:
            rate = f"{number / (time.perf_counter() - started):.1f}"
            bar.update(task, completed=number, total=total, rate=rate)
            if done.reason:
                bar.console.print(f"{done.id}: {done.status}: {done.reason}", markup=False)

        yield step


def _lines(run: Run) -> Callable[[Any, int, int], None]:
    started = told = time.perf_counter()

    def step(done: Any, number: int, total: int) -> None:
        nonlocal told
        now = time.perf_counter()
        if done.reason:
            run.log(f"{done.id}: {done.status}: {done.reason}")
        if now - told >= _EVERY or number == total:
            told = now
            rate = number / max(now - started, 1e-9)
            left = (total - number) / rate
            run.log(f"{number} of {total} cases, {rate:.1f} cases/s, {left:.0f} s left")

    return step
