"""What all verbs share: their common options, the log, progress, results, and output files."""

from __future__ import annotations

import contextlib
import functools
import json
import logging
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from ..errors import DataError, PyradWarning

_LOG = logging.getLogger("pyrad_core")

#: A path argument; existence is checked by the readers, whose messages say more.
PATH = click.Path(path_type=Path)


@dataclass
class Collected:
    """What a verb reported and warned of while :func:`collecting`."""

    results: Mapping[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


_COLLECTED: ContextVar[Collected | None] = ContextVar("collected", default=None)


@contextlib.contextmanager
def collecting() -> Iterator[Collected]:
    """Verbs run in here give their results and warnings to the caller and print nothing."""
    collected = Collected()
    token = _COLLECTED.set(collected)
    try:
        yield collected
    finally:
        _COLLECTED.reset(token)


@dataclass
class Run:
    """One invocation: its common options and what it reports."""

    force: bool = False
    quiet: bool = False
    as_json: bool = False
    started: float = field(default_factory=time.perf_counter)

    def log(self, text: str) -> None:
        """A line for a human, on stderr, with the seconds since the start."""
        _LOG.info("%6.2f s  %s", time.perf_counter() - self.started, text)

    def claim(self, output: Path, *inputs: Path, endings: tuple[str, ...] = ()) -> Path:
        """Check an output path before any work: ending, folder, no input, nothing overwritten."""
        from ..io.files import extension, shown

        if endings and extension(output) not in endings:
            raise DataError(f"{shown(output)}: unknown ending; accepted are {', '.join(endings)}")
        for source in inputs:
            if source.exists() and output.exists() and source.samefile(output):
                raise DataError(f"output {shown(output)} is the input; choose another name")
        if not output.parent.is_dir():
            raise DataError(f"{shown(output.parent)} is no existing folder")
        if output.exists() and not self.force:
            raise DataError(f"{shown(output)} exists; --force overwrites it")
        return output

    @contextlib.contextmanager
    def progress(self, label: str, total: int | None) -> Iterator[Callable[..., None]]:
        """A bar on stderr when that is a terminal; yields a function to call once per step."""
        if self.quiet or not sys.stderr.isatty():
            yield lambda *_: None
            return
        from rich.console import Console
        from rich.progress import Progress

        with Progress(console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task(label, total=total)
            yield lambda *_: bar.advance(task)

    def report(self, results: Mapping[str, Any]) -> None:
        """The result on stdout: aligned ``name  value`` lines, or JSON."""
        collected = _COLLECTED.get()
        if collected is not None:
            collected.results = results
            return
        if self.as_json:
            click.echo(json.dumps(results, default=plain, indent=1))
            return
        width = max((len(name) for name in results), default=0)
        for name, value in results.items():
            click.echo(f"{name:<{width}}  {_text(value)}")


def plain(value: Any) -> Any:
    """NumPy values, paths and tuples as JSON knows them."""
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, Path):
        return str(value)
    return str(value)


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, (tuple, list)):
        return " x ".join(_text(v) for v in value)
    return str(value)


def verb(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the common options to a command; it receives a :class:`Run` first."""

    @click.option("--force", is_flag=True, help="Overwrite existing outputs.")
    @click.option("--quiet", "-q", is_flag=True, help="Only warnings and errors on stderr.")
    @click.option("--debug", is_flag=True, help="Detailed log, and a traceback on errors.")
    @click.option("--threads", type=click.IntRange(1), metavar="N", help="CPU threads to use.")
    @click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
    @functools.wraps(function)
    def wrapped(
        *args: Any,
        force: bool,
        quiet: bool,
        debug: bool,
        threads: int | None,
        as_json: bool,
        **named: Any,
    ) -> Any:
        if _COLLECTED.get() is None:
            _start_log(logging.DEBUG if debug else logging.WARNING if quiet else logging.INFO)
        if threads is not None:
            from ..threads import set_num_threads

            set_num_threads(threads)
        with warnings.catch_warnings():
            warnings.simplefilter("always", PyradWarning)
            warnings.showwarning = _show_warning
            return function(Run(force, quiet, as_json), *args, **named)

    return wrapped


def on_device(array: Any, gpu: bool) -> Any:
    """The array on the GPU where ``--gpu`` asks for it."""
    if not gpu:
        return array
    from .._kernels.select import to_gpu

    return to_gpu(array)


gpu_option = click.option(
    "--gpu", is_flag=True, help="Compute on the GPU (CUDA through CuPy, pyrad_core[gpu])."
)
region_option = click.option(
    "--region", metavar="NAME", help="Name of the region in an RTSTRUCT or SEG."
)
preview_option = click.option(
    "--preview", type=PATH, metavar="PNG", help="Also write a picture of the result."
)
max_bytes_option = click.option(
    "--max-bytes",
    callback=lambda _c, _p, value: None if value is None else size_of(value),
    metavar="SIZE",
    help="Cap on one array read, for example 40G (default 16G, and 200 times a packed file).",
)


def only_one_of(label: int | None, region: str | None) -> None:
    """Refuse two ways to choose a region."""
    if label is not None and region is not None:
        raise click.UsageError("give --label or --region, not both")


def size_of(text: str) -> int:
    """Bytes of a text such as 40G."""
    units = {"k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}
    unit = units.get(text[-1:].lower(), 1)
    try:
        value = int(float(text[:-1] if unit > 1 else text) * unit)
    except (ValueError, OverflowError):
        raise click.BadParameter(
            f"{text!r}; expected bytes, or a number with K, M, G or T"
        ) from None
    if value < 1:
        raise click.BadParameter(f"{text!r} is no size > 0")
    return value


def _start_log(level: int) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    _LOG.handlers = [handler]
    _LOG.setLevel(level)
    _LOG.propagate = False


def _show_warning(message: Any, category: Any, *rest: Any, **named: Any) -> None:
    collected = _COLLECTED.get()
    if issubclass(category, PyradWarning) and collected is not None:
        collected.warnings.append(" ".join(str(message).split()))
    elif issubclass(category, PyradWarning):
        _LOG.warning("warning: %s", message)
    else:
        _LOG.debug("%s: %s", category.__name__, message)
