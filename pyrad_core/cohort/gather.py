"""Records of cases to tables, with one record in memory at a time.

The Parquet file is made of the CSV file, whose numbers have all their digits: Arrow reads them ten
times as fast as Python would.
"""

from __future__ import annotations

import contextlib
import importlib
import itertools
import json
import operator
import shutil
import tempfile
from collections import deque
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .._version import __version__
from ..io.files import atomic_write, writing
from .manifest import Manifest
from .rows import FIRST, Row, cells, row_of

__all__ = ["Tables"]

_BLOCK = 2**24  # bytes of the table at a time

Columns = dict[str, bool]  # name -> whether it holds numbers only


class Tables:
    """``results.csv``, and ``results.parquet`` where pyarrow is installed: a row per case.

    Rows are drafted in the order of the cases while these end, so that little is left to do at the
    end of a run. All cases mostly have the columns of the first one; where they do not, or where
    the draft was broken off, all is drafted again.
    """

    def __init__(self, manifest: Manifest, ids: Iterable[str]):
        self._manifest, self._ids = manifest, list(ids)
        self._waiting, self._ended = deque(self._ids), set[str]()
        self._draft: _Draft | None = None
        self._sound = True

    def prepare(self) -> None:
        """Load what the end needs; takes a third of a second, best beside something else."""
        with contextlib.suppress(ImportError):
            importlib.import_module("pyarrow.csv")
            importlib.import_module("pyarrow.parquet")

    def ended(self, case: str) -> None:
        """The case's record is final. Whatever breaks this off, the tables will be whole."""
        if not self._sound:
            return
        self._sound = False
        with contextlib.suppress(OSError):  # no room for the draft
            self._ended.add(case)
            while self._waiting and self._waiting[0] in self._ended:
                self._take()
            self._sound = True

    def written(self) -> tuple[Path, ...]:
        """Write the tables, with what is known of the cases that have not ended."""
        table = self._manifest.out / "results.csv"
        with writing(table):
            draft = self._whole()
        draft.write(table)
        try:
            return table, _parquet(self._manifest, table, draft.columns)
        except ImportError:
            return (table,)

    def _whole(self) -> _Draft:
        if not self._sound:
            if self._draft is not None:
                self._draft.close()
            self._draft, self._waiting = None, deque(self._ids)
        while self._waiting:
            self._take()
        draft = self._draft or _Draft(self._manifest, {})
        if list(draft.found.items()) == list(draft.columns.items()):
            return draft
        draft.close()
        draft = _Draft(self._manifest, draft.found)
        for case in self._ids:
            draft.add(case)
        return draft

    def _take(self) -> None:
        if self._draft is None:
            self._draft = _Draft(self._manifest, {})
        self._draft.add(self._waiting.popleft())


class _Draft:
    """The rows of ``results.csv`` in a file without a name, which vanishes with its process.

    Without ``columns``, those of the first record with values are taken.
    """

    def __init__(self, manifest: Manifest, columns: Columns):
        self._manifest, self.columns = manifest, columns
        self.found: Columns = dict.fromkeys(FIRST, False)
        self._kinds: tuple[Any, ...] = ()
        self._early: list[Row] = []  # before columns are known
        self._file = tempfile.TemporaryFile(dir=manifest.out)

    def add(self, case: str) -> None:
        row = row_of(self._manifest, case)
        kinds = (*row, *map(type, row.values()))
        if kinds != self._kinds:  # mostly all rows have the columns of the first one
            self._kinds = kinds
            self._find(row)
        self._early.append(row)
        if not self.columns and len(self.found) > len(FIRST):
            self.columns = dict(self.found)
        if self.columns:
            self._flush()

    def write(self, table: Path) -> None:
        """Give the draft its name and head line, and end it."""
        self.columns = self.columns or dict(self.found)
        self._flush()
        self._file.seek(0)
        with self._file, atomic_write(table) as stream:
            stream.write(f"{cells(list(self.columns))}\n".encode())
            shutil.copyfileobj(self._file, stream, _BLOCK)

    def close(self) -> None:
        self._file.close()

    def _find(self, row: Row) -> None:
        for name, value in row.items():
            if name not in FIRST:
                self.found[name] = self.found.get(name, True) and type(value) not in (str, bool)

    def _flush(self) -> None:
        texts = sum(1 for _ in itertools.takewhile(operator.not_, self.columns.values()))
        for row in self._early:
            values = list(map(row.get, self.columns))
            line = ",".join(cells(part) for part in (values[:texts], values[texts:]) if part)
            self._file.write(f"{line}\n".encode(errors="backslashreplace"))
        self._early.clear()


# --- the other table -----------------------------------------------------------------------------


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
