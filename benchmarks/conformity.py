"""Conformity of the features: IBSI 1, IBSI 2 and PyRadiomics' baselines, passed / total.

    python -m benchmarks.conformity

The comparison itself is that of the tests (tests/features/ibsi.py, ibsi2.py and baselines.py,
tests/filters/response_maps.py), on the same reference data ($PYRAD_CORE_DATA); ``python -m
benchmarks.report features`` prints these tables before its own, ``... filters`` those of IBSI 2.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

TESTS = str(Path(__file__).resolve().parent.parent / "tests")

Counts = tuple[int, int]


def main() -> int:
    console = Console(width=None if sys.stdout.isatty() else 120)
    return print_conformity(console)


def print_conformity(console: Console, area: str = "features") -> int:
    """All tables, or one line where the reference data are absent; 1 if a value disagrees.

    ``area="filters"``: of the filters alone.
    """
    import pytest

    if TESTS not in sys.path:
        sys.path.append(TESTS)
    status = 0
    filters = (_response_maps, _ibsi2)
    for part in filters if area == "filters" else (_ibsi, *filters, _pyradiomics):
        try:
            disagree = part(console)
        except (pytest.skip.Exception, ImportError) as absent:
            console.print(f"{part.__name__.strip('_')} conformity: not run, {absent}")
            continue
        for text in disagree:
            console.print(f"  disagrees: {text}", soft_wrap=True)
        status = status or int(bool(disagree))
    return status


def _ibsi(console: Console) -> list[str]:
    from features import ibsi, reference  # type: ignore[import-not-found]

    table, disagree = ibsi.conformity()
    title = "IBSI 1: values within tolerance / published, all aggregations"
    columns = list(ibsi.CONFIGURATIONS)
    console.print(_counts(title, "family", columns, table))
    matrices = {family: {"equal": counts} for family, counts in ibsi.matrix_conformity().items()}
    title = "IBSI 1: matrices of the digital phantom, equal / published"
    console.print(_counts(title, "family", ["equal"], matrices))
    unjudged = reference.ibsi_rows_without_value()
    names = sorted({row["feature"] for row in unjudged})
    console.print(
        f"Never standardised (no reference value, not judged): {len(unjudged)} rows, computed "
        f"{sum(math.isfinite(_ours(ibsi, row)) for row in unjudged)}: {', '.join(names)}\n",
        soft_wrap=True,
    )
    return disagree


def _ours(ibsi: Any, row: dict[str, str]) -> float:
    config = row["config"]
    values = ibsi.extracted(config, ibsi.aggregations(config)[0]).by_ibsi_tag()
    return values.get(row["feature"], math.nan)


def _response_maps(console: Console) -> list[str]:
    from filters import response_maps  # type: ignore[import-not-found]

    counts, disagree = response_maps.conformity()
    title = "IBSI 2, phase 1: response maps within 1 % of their range / published, by filter"
    console.print(_counts(title, "", list(counts), {"maps": counts}))
    return disagree


def _ibsi2(console: Console) -> list[str]:
    from features import ibsi2  # type: ignore[import-not-found]

    table, disagree = ibsi2.conformity()
    title = "IBSI 2, phase 2: values within tolerance / published, by filter (1: none)"
    filters = list(dict.fromkeys(name.split(".")[0] for name in ibsi2.FILTERS))
    names = {"A": "A (slices)", "B": "B (1 mm, 3D)"}
    rows = {names[letter]: cells for letter, cells in table.items()}
    console.print(_counts(title, "configuration", filters, rows))
    return disagree


def _pyradiomics(console: Console) -> list[str]:
    from features import baselines  # type: ignore[import-not-found]

    table, disagree = baselines.conformity()
    title = "PyRadiomics baselines: values within 1e-6 / given, all configurations"
    console.print(_counts(title, "class", list(baselines.CASES), table))
    console.print(
        f"Left out: {len(baselines.STALE)} shape values of brain1 that an older PyRadiomics wrote, "
        "and lung1 normalised, which needs the image that it was cropped from.\n",
        soft_wrap=True,
    )
    return disagree


def _counts(title: str, first: str, columns: list[str], table: dict) -> Table:
    """Passed / total per row and column, with sums at both ends."""
    shown = Table(title=title, title_justify="left", title_style="bold")
    shown.add_column(first)
    with_total = [*columns, "all"] if len(columns) > 1 else columns
    for name in with_total:
        shown.add_column(name.replace("digital_phantom", "phantom"), justify="right")
    rows = {name: [cells.get(c, (0, 0)) for c in columns] for name, cells in table.items()}
    if len(rows) > 1:
        rows["all"] = [_sum([cells[k] for cells in rows.values()]) for k in range(len(columns))]
    for name, counts in rows.items():
        counts = [*counts, _sum(counts)] if len(columns) > 1 else counts
        shown.add_row(name, *(f"{p} / {n}" if n else "" for p, n in counts))
    return shown


def _sum(counts: list[Counts]) -> Counts:
    return sum(p for p, _ in counts), sum(n for _, n in counts)


if __name__ == "__main__":
    sys.exit(main())
