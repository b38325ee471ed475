"""Records of cases to tables, in one pass with one record in memory at a time."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from .._version import __version__
from ..io.files import atomic_write
from .manifest import Manifest, read_record

__all__ = ["gather"]

_FIRST = ("id", "status", "reason", "key")
_BATCH = 256

Columns = dict[str, bool]  # name -> whether it holds numbers only
Row = dict[str, Any]


class _Number(str):
    """A number as its record spells it: tables take over the digits, which costs no conversion."""

    __slots__ = ()


class _OtherColumns(Exception):
    """What the tables were begun with are not the columns of all records."""


def gather(manifest: Manifest, ids: Iterable[str]) -> tuple[Path, ...]:
    """Write ``results.csv``, and ``results.parquet`` where pyarrow is installed.

    All cases of a run mostly have the columns of the first one, so that one pass does; where they
    do not, a second pass knows the columns of all.
    """
    ids = list(ids)
    columns: Columns = dict.fromkeys(_FIRST, False)
    for row in _rows(manifest, ids):
        _add(columns, row)
        if len(columns) > len(_FIRST):
            break
    try:
        return _written(manifest, ids, columns)
    except _OtherColumns as error:
        return _written(manifest, ids, error.args[0])


def _written(manifest: Manifest, ids: list[str], columns: Columns) -> tuple[Path, ...]:
    found: Columns = dict.fromkeys(_FIRST, False)
    former: tuple[Any, ...] = ()
    with contextlib.ExitStack() as open_tables:
        tables = [open_tables.enter_context(_csv(manifest, columns))]
        with contextlib.suppress(ImportError):
            tables.append(open_tables.enter_context(_parquet(manifest, columns)))
        for row in _rows(manifest, ids):
            kinds = (*row, *map(type, row.values()))
            if kinds != former:
                former = kinds
                _add(found, row)
            if found.keys() <= columns.keys():
                for _, write in tables:
                    write(row)
        if list(found.items()) != list(columns.items()):
            raise _OtherColumns(found)
    return tuple(path for path, _ in tables)


def _add(columns: Columns, row: Row) -> None:
    for name, value in row.items():
        if name not in _FIRST:
            columns[name] = columns.get(name, True) and type(value) is not str


# --- rows ----------------------------------------------------------------------------------------


def _rows(manifest: Manifest, ids: Iterable[str]) -> Iterator[Row]:
    for case in ids:
        found = read_record(manifest.record(case), parse_float=_Number)
        yield _row(found or {"id": case, "status": "open", "reason": "not computed yet"})


def _row(record: dict[str, Any]) -> Row:
    row = {name: record.get(name) or "" for name in _FIRST}
    for column, digest in record.get("inputs", {}).items():
        row[f"{column}_sha256"] = digest
    files = record.get("files")
    if files:
        row["files"] = ";".join(files)
    row.update(record.get("values", {}))
    return row


# --- tables --------------------------------------------------------------------------------------


@contextlib.contextmanager
def _csv(manifest: Manifest, columns: Columns) -> Iterator[tuple[Path, Callable[[Row], Any]]]:
    path = manifest.out / "results.csv"

    def line(cells: Iterable[Any]) -> bytes:
        texts = [cell if type(cell) is _Number else _quoted(cell) for cell in cells]
        return (",".join(texts) + "\n").encode()

    with atomic_write(path) as stream:
        stream.write(line(columns))
        yield path, lambda row: stream.write(line(map(row.get, columns)))


def _quoted(cell: Any) -> str:
    """As ``csv`` writes it, which would look at each digit of a number."""
    text = "" if cell is None else str(cell)
    if any(mark in text for mark in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text


@contextlib.contextmanager
def _parquet(manifest: Manifest, columns: Columns) -> Iterator[tuple[Path, Callable[[Row], Any]]]:
    """Numbers as doubles, all else as text; verb, settings and version in the file's metadata."""
    import pyarrow as arrow
    from pyarrow import parquet

    kinds = {name: arrow.float64() if n else arrow.string() for name, n in columns.items()}
    about = {"pyrad_core": __version__, "manifest": json.dumps(manifest.content, default=str)}
    schema = arrow.schema(list(kinds.items()), metadata=about)
    rows: list[list[Any]] = []

    def flush() -> None:
        columnwise = zip(*rows, strict=True)
        arrays = [
            arrow.array(values, arrow.string()).cast(kind)
            for values, kind in zip(columnwise, kinds.values(), strict=True)
        ]
        writer.write_table(arrow.table(arrays, schema=schema))
        rows.clear()

    def write(row: Row) -> None:
        cells = zip(map(row.get, columns), columns.values(), strict=True)
        rows.append([c if type(c) is _Number else _cell(c, numeric) for c, numeric in cells])
        if len(rows) == _BATCH:
            flush()

    path = manifest.out / "results.parquet"
    with atomic_write(path) as stream, parquet.ParquetWriter(stream, schema) as writer:
        yield path, write
        if rows:
            flush()


def _cell(value: Any, numeric: bool) -> str | None:
    """The text that a cell is made from; an empty one of a column of numbers is none."""
    if isinstance(value, str):
        return None if numeric and not value else value
    return None if value is None else str(value)
