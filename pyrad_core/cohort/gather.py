"""Records of cases to tables, one record in memory at a time."""

from __future__ import annotations

import csv
import io
import itertools
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from .._version import __version__
from ..io.files import atomic_write
from .manifest import Manifest, read_record

__all__ = ["gather"]

_FIRST = ("id", "status", "reason", "key")
_BATCH = 256


def gather(manifest: Manifest, ids: Iterable[str]) -> tuple[Path, ...]:
    """Write ``results.csv``, and ``results.parquet`` where pyarrow is installed."""
    ids = list(ids)
    columns: dict[str, bool] = dict.fromkeys(_FIRST, False)  # name -> whether numbers only
    for record in _records(manifest, ids):
        for name, value in _row(record).items():
            if name not in _FIRST:
                columns[name] = columns.get(name, True) and not isinstance(value, str)
    written = [_csv(manifest, ids, list(columns))]
    try:
        import pyarrow
        import pyarrow.parquet as parquet
    except ImportError:
        return tuple(written)
    return (*written, _parquet(manifest, ids, columns, pyarrow, parquet))


def _records(manifest: Manifest, ids: list[str]) -> Iterator[dict[str, Any]]:
    for case in ids:
        found = read_record(manifest.record(case))
        yield found or {"id": case, "status": "open", "reason": "not computed yet"}


def _row(record: dict[str, Any]) -> dict[str, Any]:
    row = {name: record.get(name) or "" for name in _FIRST}
    for column, digest in record.get("inputs", {}).items():
        row[f"{column}_sha256"] = digest
    files = record.get("files")
    if files:
        row["files"] = ";".join(files)
    return row | record.get("values", {})


def _csv(manifest: Manifest, ids: list[str], columns: list[str]) -> Path:
    path = manifest.out / "results.csv"
    with atomic_write(path) as stream:
        text = io.TextIOWrapper(stream, encoding="utf-8", newline="", write_through=True)
        writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
        writer.writeheader()
        for record in _records(manifest, ids):
            writer.writerow(_row(record))
        text.detach()
    return path


def _parquet(
    manifest: Manifest, ids: list[str], columns: dict[str, bool], arrow: Any, parquet: Any
) -> Path:
    """Numbers as doubles, all else as text; verb, settings and version in the file's metadata."""
    kinds = {
        name: arrow.float64() if numeric else arrow.string() for name, numeric in columns.items()
    }
    about = {"pyrad_core": __version__, "manifest": json.dumps(manifest.content, default=str)}
    schema = arrow.schema(list(kinds.items()), metadata=about)
    path = manifest.out / "results.parquet"
    with atomic_write(path) as stream, parquet.ParquetWriter(stream, schema) as writer:
        rest = map(_row, _records(manifest, ids))
        while rows := list(itertools.islice(rest, _BATCH)):
            data = {
                name: [_cell(row.get(name), numeric) for row in rows]
                for name, numeric in columns.items()
            }
            writer.write_table(arrow.table(data, schema=schema))
    return path


def _cell(value: Any, numeric: bool) -> Any:
    if value is None or value == "":
        return None if numeric else value
    return float(value) if numeric else str(value)
