"""Tables of cases: where the inputs are, and what differs from case to case."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import DataError, PyradError
from ..io.cases import COLUMNS, read_rows
from ..io.files import existing, safe_name
from .verbs import Verb

__all__ = ["Case", "cases_of"]


@dataclass(frozen=True)
class Case:
    """One row: its id, its input files by column, and the options that are its own."""

    id: str
    inputs: Mapping[str, str]
    options: Mapping[str, str]


def cases_of(table: Any, verb: Verb) -> list[Case]:
    """All cases of a CSV file, of a sequence of mappings or of a data frame.

    Columns that name neither an input nor an option of the verb are ignored. Relative paths start
    at the CSV file's folder, or at the current one.
    """
    rows, folder, name = _rows(table)
    if not rows:
        raise DataError(f"{name} holds no cases")
    columns = list(dict.fromkeys(key for row in rows for key in row))
    found = {ours: _column(columns, accepted) for ours, accepted in verb.inputs.items()}
    missing = [ours for ours, column in found.items() if column is None]
    if missing:
        raise DataError(f"{name}: no column {missing[0]!r}; it has {', '.join(columns)}")
    id_column = _column(columns, COLUMNS["id"])
    options = verb.options()
    own = {c: _key(c) for c in columns if _key(c) in options and c not in found.values()}
    own.pop(id_column or "", None)
    cases = []
    for number, row in enumerate(rows, start=1):
        inputs = {}
        for ours, column in found.items():
            text = _text(row.get(str(column)))
            if not text:
                raise DataError(f"{name}: row {number} has no {ours}")
            inputs[ours] = os.fspath(folder / text)
        given = {option: _text(row.get(column)) for column, option in own.items()}
        given = {option: text for option, text in given.items() if text}
        for option in verb.paths:
            if option in given:
                given[option] = os.fspath(folder / given[option])
        cases.append(Case(_id(name, number, row, id_column), inputs, given))
    _unique(name, cases)
    return cases


def _rows(table: Any) -> tuple[list[Mapping[str, Any]], Path, str]:
    if isinstance(table, (str, os.PathLike)):
        path = existing(table)
        return [_named(row) for row in read_rows(path)], path.absolute().parent, path.name
    if hasattr(table, "to_dict"):
        table = table.to_dict("records")
    if not isinstance(table, Iterable) or isinstance(table, Mapping):
        raise DataError(f"table is {type(table).__name__}; expected a CSV file or rows")
    rows = list(table)
    wrong = [row for row in rows if not isinstance(row, Mapping)]
    if wrong:
        raise DataError(f"table holds a {type(wrong[0]).__name__}; expected mappings as rows")
    return [_named(row) for row in rows], Path.cwd(), "table"


def _named(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(key).strip(): value for key, value in row.items() if key is not None}


def _column(columns: list[str], accepted: tuple[str, ...]) -> str | None:
    """The column that goes by one of the names, the earliest name first."""
    for name in accepted:
        for column in columns:
            if _key(column) == name:
                return column
    return None


def _key(column: str) -> str:
    return column.lower().replace(" ", "_").replace("-", "_")


def _text(value: Any) -> str:
    """A cell as text; empty cells, NaN and NA of data frames are nothing, 2.0 is a 2."""
    if value is None or type(value).__name__ == "NAType" or value != value:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip()


def _id(table: str, number: int, row: Mapping[str, Any], column: str | None) -> str:
    text = _text(row.get(column)) if column else ""
    try:
        return safe_name(text or str(number))
    except PyradError as error:
        raise DataError(f"{table}: row {number}: the id {error}") from None


def _unique(table: str, cases: list[Case]) -> None:
    """Ids name files, also on systems that do not tell capitals from small letters."""
    counts = Counter(case.id.casefold() for case in cases)
    twice = sorted({case.id for case in cases if counts[case.id.casefold()] > 1})
    if twice:
        more = f" and {len(twice) - 5} more" if len(twice) > 5 else ""
        raise DataError(f"{table}: ids must differ; given twice: {', '.join(twice[:5])}{more}")
