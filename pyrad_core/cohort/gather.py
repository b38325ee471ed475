"""Records of cases to tables, in one pass with one record in memory at a time.

The Parquet file is made of the CSV file, whose numbers are the records' own digits: Arrow reads
them ten times as fast as Python would.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from .._version import __version__
from ..io.files import atomic_write
from .manifest import Manifest
from .rows import FIRST, Line, Number, Row, rows

__all__ = ["gather"]

_BLOCK = 2**24  # bytes of the table at a time

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
    table = manifest.out / "results.csv"
    with atomic_write(table) as stream:
        stream.write(_line(dict(zip(columns, columns, strict=True)), columns))
        for row in rows(manifest, ids):
            kinds = _kinds(row)
            if kinds != former:
                former = kinds
                _add(found, row)
            if isinstance(row, Line) and not fits(row):
                row = row.row()
            stream.write(_line(row, columns))
        if list(found.items()) != list(columns.items()):
            raise _OtherColumns(found)
    try:
        return table, _parquet(manifest, table, columns)
    except ImportError:
        return (table,)


def _kinds(row: Row | Line) -> tuple[Any, ...]:
    """Equal for rows with the same columns of the same kinds."""
    if isinstance(row, Line):
        return (*row.head, row.names)
    return (*row, *map(type, row.values()))


def _add(columns: Columns, row: Row | Line) -> None:
    for name, value in (row.row() if isinstance(row, Line) else row).items():
        if name not in FIRST:
            columns[name] = columns.get(name, True) and type(value) not in (str, bool)


def _fitting(columns: Columns) -> Callable[[Line], bool]:
    """Whether a line has just these columns: texts first, then numbers."""
    texts = [name for name, numeric in columns.items() if not numeric]
    names = [name for name, numeric in columns.items() if numeric]
    in_order = [*texts, *names] == list(columns)
    return lambda line: in_order and list(line.head) == texts and line.names == names


# --- tables --------------------------------------------------------------------------------------


def _line(row: Row | Line, columns: Columns) -> bytes:
    if isinstance(row, Line):
        cells = [*map(_quoted, row.head.values()), row.texts]
    else:
        cells = list(map(_quoted, map(row.get, columns)))
    return (",".join(cells) + "\n").encode()


def _quoted(cell: Any) -> str:
    """As ``csv`` writes it, which would look at each digit of a number."""
    if type(cell) is Number:
        return cell
    text = "" if cell is None else str(cell)
    if any(mark in text for mark in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text


def _parquet(manifest: Manifest, table: Path, columns: Columns) -> Path:
    """The CSV table as Parquet: numbers as doubles, all else as text, empty cells as nothing.

    Verb, settings and version are in the file's metadata.
    """
    import pyarrow as arrow
    from pyarrow import csv, parquet

    kinds = {name: arrow.float64() if n else arrow.string() for name, n in columns.items()}
    about = {"pyrad_core": __version__, "manifest": json.dumps(manifest.content, default=str)}
    schema = arrow.schema(list(kinds.items()), metadata=about)
    reader = csv.open_csv(
        table,
        read_options=csv.ReadOptions(block_size=_BLOCK),
        parse_options=csv.ParseOptions(newlines_in_values=True),
        convert_options=csv.ConvertOptions(
            column_types=kinds, null_values=[""], strings_can_be_null=True
        ),
    )
    path = table.with_suffix(".parquet")
    texts = [name for name, numeric in columns.items() if not numeric]
    with (
        reader,
        atomic_write(path) as stream,
        parquet.ParquetWriter(stream, schema, use_dictionary=texts) as writer,
    ):
        for batch in reader:
            arrays = list(batch.columns)
            arrays[: len(FIRST)] = (column.fill_null("") for column in arrays[: len(FIRST)])
            writer.write_batch(arrow.record_batch(arrays, schema=schema))
    return path
