"""Records as rows of a table, and rows as lines of CSV."""

from __future__ import annotations

from collections.abc import Sequence
from types import NoneType
from typing import Any

from .manifest import Manifest, read_record

__all__ = ["FIRST", "Row", "cells", "row_of"]

FIRST = ("id", "status", "reason", "key")
_NUMBERS = {float, int, NoneType}

Row = dict[str, Any]


def row_of(manifest: Manifest, case: str) -> Row:
    """What the case's record says, or that there is none."""
    record = read_record(manifest.record(case))
    if record is None:
        record = {"id": case, "status": "open", "reason": "not computed yet"}
    row: Row = {name: record.get(name) or "" for name in FIRST}
    for column, digest in record.get("inputs", {}).items():
        row[f"{column}_sha256"] = digest
    files = record.get("files")
    if files:
        row["files"] = ";".join(files)
    return row | record.get("values", {})


def cells(values: Sequence[Any]) -> str:
    """A part of a line as the ``csv`` module writes it; floats have their shortest digits."""
    if _NUMBERS.issuperset(map(type, values)):
        return _spelled(values).replace("null", "")
    return ",".join(map(_cell, values))


def _cell(value: Any) -> str:
    if type(value) in _NUMBERS:
        return "" if value is None else _spelled([value])
    text = str(value)
    if any(mark in text for mark in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text


def _spelled(numbers: Sequence[Any]) -> str:
    import orjson

    return orjson.dumps(numbers)[1:-1].decode()
