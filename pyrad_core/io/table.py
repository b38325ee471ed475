"""write_table: rows to CSV or Parquet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ..errors import DataError
from .files import PathLike, atomic_write, extension, needed, refused


def write_table(path: PathLike, rows: Mapping[str, Any] | Iterable[Mapping[str, Any]]) -> Path:
    """Write one row or several to ``.csv`` or ``.parquet``, atomically.

    Parameters
    ----------
    path
        Its ending chooses the format; Parquet needs ``pyrad_core[io]``.
    rows
        Mappings column -> value. Columns are the union over the rows, in order of first
        appearance; a value a row lacks is left empty.

    Returns
    -------
    Path
        The file written.

    Examples
    --------
    >>> write_table("features.csv", {"case": "a", "glcm_contrast": 5.2})  # doctest: +SKIP
    """
    table = [dict(row) for row in ([rows] if isinstance(rows, Mapping) else rows)]
    if not table:
        raise DataError("rows is empty; nothing to write")
    columns = list(dict.fromkeys(name for row in table for name in row))
    kind = extension(path)
    if kind == ".csv":
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(table)
        with atomic_write(path) as stream:
            stream.write(text.getvalue().encode("utf-8"))
    elif kind == ".parquet":
        arrow, parquet = needed("pyarrow"), needed("pyarrow.parquet")
        content = arrow.table({name: [row.get(name) for row in table] for name in columns})
        with atomic_write(path) as stream:
            parquet.write_table(content, stream)
    else:
        raise refused(path, "unknown table format; accepted are .csv, .parquet")
    return Path(path)
