"""Records of cases to tables, in one pass with one record in memory at a time."""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from .._version import __version__
from ..io.files import atomic_write
from .manifest import Manifest
from .rows import FIRST, Line, Number, Row, rows

__all__ = ["gather"]

_BATCH = 256

Columns = dict[str, bool]  # name -> whether it holds numbers only


class _OtherColumns(Exception):
    """What the tables were begun with are not the columns of all records."""


def gather(manifest: Manifest, ids: Iterable[str]) -> tuple[Path, ...]:
    """Write ``results.csv``, and ``results.parquet`` where pyarrow is installed.

    All cases of a run mostly have the columns of the first one, so that one pass does; where they
    do not, a second pass knows the columns of all.
    """
    ids = list(ids)
    columns: Columns = dict.fromkeys(FIRST, False)
    for row in rows(manifest, ids):
        _add(columns, row)
        if len(columns) > len(FIRST):
            break
    try:
        return _written(manifest, ids, columns)
    except _OtherColumns as error:
        return _written(manifest, ids, error.args[0])


def _written(manifest: Manifest, ids: list[str], columns: Columns) -> tuple[Path, ...]:
    found: Columns = dict.fromkeys(FIRST, False)
    fits = _fitting(columns)
    former: tuple[Any, ...] = ()
    with contextlib.ExitStack() as open_tables:
        tables = [open_tables.enter_context(_csv(manifest, columns))]
        with contextlib.suppress(ImportError):
            tables.append(open_tables.enter_context(_parquet(manifest, columns)))
        for row in rows(manifest, ids):
            kinds = _kinds(row)
            if kinds != former:
                former = kinds
                _add(found, row)
            if isinstance(row, Line) and not fits(row):
                row = row.row()
            if found.keys() <= columns.keys():
                for _, write in tables:
                    write(row)
        if list(found.items()) != list(columns.items()):
            raise _OtherColumns(found)
    return tuple(path for path, _ in tables)


def _kinds(row: Row | Line) -> tuple[Any, ...]:
    """Equal for rows with the same columns of the same kinds."""
    if isinstance(row, Line):
        return (*row.head, row.names)
    return (*row, *map(type, row.values()))


def _add(columns: Columns, row: Row | Line) -> None:
    for name, value in (row.row() if isinstance(row, Line) else row).items():
        if name not in FIRST:
            columns[name] = columns.get(name, True) and type(value) is not str


def _fitting(columns: Columns) -> Callable[[Line], bool]:
    """Whether a line has just these columns: texts first, then numbers."""
    texts = [name for name, numeric in columns.items() if not numeric]
    names = [name for name, numeric in columns.items() if numeric]
    in_order = [*texts, *names] == list(columns)
    return lambda line: in_order and list(line.head) == texts and line.names == names


# --- tables --------------------------------------------------------------------------------------


@contextlib.contextmanager
def _csv(manifest: Manifest, columns: Columns) -> Iterator[tuple[Path, Callable[[Any], Any]]]:
    path = manifest.out / "results.csv"

    def line(row: Row | Line) -> bytes:
        if isinstance(row, Line):
            cells = [*map(_quoted, row.head.values()), row.texts]
        else:
            cells = list(map(_quoted, map(row.get, columns)))
        return (",".join(cells) + "\n").encode()

    with atomic_write(path) as stream:
        stream.write(line(dict(zip(columns, columns, strict=True))))
        yield path, lambda row: stream.write(line(row))


def _quoted(cell: Any) -> str:
    """As ``csv`` writes it, which would look at each digit of a number."""
    if type(cell) is Number:
        return cell
    text = "" if cell is None else str(cell)
    if any(mark in text for mark in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text


@contextlib.contextmanager
def _parquet(manifest: Manifest, columns: Columns) -> Iterator[tuple[Path, Callable[[Any], Any]]]:
    """Numbers as doubles, all else as text; verb, settings and version in the file's metadata."""
    import pyarrow as arrow
    from pyarrow import parquet

    kinds = {name: arrow.float64() if n else arrow.string() for name, n in columns.items()}
    about = {"pyrad_core": __version__, "manifest": json.dumps(manifest.content, default=str)}
    schema = arrow.schema(list(kinds.items()), metadata=about)
    texts: list[list[str | None]] = []
    numbers: list[list[float]] = []

    def flush() -> None:
        of_texts = zip(*texts, strict=True)
        of_numbers = iter(np.array(numbers, np.float64).T.copy())
        arrays = [
            # In a record there are no NaN: they stand for nothing.
            arrow.array(next(of_numbers if numeric else of_texts), kinds[name], from_pandas=numeric)
            for name, numeric in columns.items()
        ]
        writer.write_table(arrow.table(arrays, schema=schema))
        texts.clear()
        numbers.clear()

    def write(row: Row | Line) -> None:
        if isinstance(row, Line):
            texts.append(list(row.head.values()))
            numbers.append(row.numbers)
        else:
            texts.append([_text(row.get(name)) for name, n in columns.items() if not n])
            numbers.append([_number(row.get(name)) for name, n in columns.items() if n])
        if len(texts) == _BATCH:
            flush()

    path = manifest.out / "results.parquet"
    with atomic_write(path) as stream, parquet.ParquetWriter(stream, schema) as writer:
        yield path, write
        if texts:
            flush()


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _number(value: Any) -> float:
    return math.nan if value is None or value == "" else float(value)
