"""Conformity of the features: IBSI 1, IBSI 2 and PyRadiomics' baselines, passed / total.

    python -m benchmarks.conformity

The comparison itself is that of the tests (tests/features/ibsi.py, ibsi2.py and baselines.py,
tests/filters/response_maps.py), on the same reference data ($PYRAD_CORE_DATA); ``python -m
benchmarks.report features`` prints these tables before its own (and with --save writes them to
benchmarks/results/conformity.md), ``... filters`` those of IBSI 2.
"""

from __future__ import annotations

import dataclasses
import datetime
import math
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

HERE = Path(__file__).resolve().parent
TESTS = str(HERE.parent / "tests")
RESULTS = HERE / "results" / "conformity.md"

Counts = tuple[int, int]


@dataclasses.dataclass
class Part:
    """Tables of counts (title, heads, rows of text), remarks, and the values that disagree."""

    tables: list[tuple[str, list[str], list[list[str]]]]
    disagree: list[str]
    remark: str = ""


def main() -> int:
    console = Console(width=None if sys.stdout.isatty() else 120)
    return print_conformity(parts(), console)


def parts(area: str = "features") -> list[Part]:
    """What can be compared here; a part without its data says so in its remark.

    ``area="filters"``: of the filters alone.
    """
    import pytest

    if TESTS not in sys.path:
        sys.path.append(TESTS)
    filters = (_response_maps, _ibsi2)
    found = []
    for part in filters if area == "filters" else (_ibsi, *filters, _pyradiomics):
        try:
            found.append(part())
        except (pytest.skip.Exception, ImportError) as absent:
            name = part.__name__.strip("_")
            found.append(Part([], [], f"{name} conformity: not run, {absent}"))
    return found


def print_conformity(found: list[Part], console: Console) -> int:
    """All tables; 1 if a value disagrees."""
    for part in found:
        for title, heads, rows in part.tables:
            shown = Table(title=title, title_justify="left", title_style="bold")
            for k, head in enumerate(heads):
                shown.add_column(head, justify="right" if k else "left")
            for row in rows:
                shown.add_row(*row)
            console.print(shown)
        for text in part.disagree:
            console.print(f"  disagrees: {text}", soft_wrap=True)
        if part.remark:
            console.print(f"{part.remark}\n", soft_wrap=True)
    return int(any(part.disagree for part in found))


def save_conformity(found: list[Part]) -> bool:
    """Write the tables for the documentation, if every part ran."""
    if not all(part.tables for part in found):
        return False
    lines = [
        f"Compared on {datetime.date.today().isoformat()} by `python -m benchmarks.conformity`."
    ]
    for part in found:
        for title, heads, rows in part.tables:
            lines += ["", f"**{title}**", "", f"| {' | '.join(heads)} |"]
            lines += [f"|---|{'---:|' * (len(heads) - 1)}"]
            lines += [f"| {' | '.join(row)} |" for row in rows]
        lines += ["", *(f"- disagrees: {text}" for text in part.disagree)] if part.disagree else []
        lines += ["", part.remark] if part.remark else []
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text("\n".join(lines) + "\n")
    return True


def _ibsi() -> Part:
    from features import ibsi, reference  # type: ignore[import-not-found]

    table, disagree = ibsi.conformity()
    title = "IBSI 1: values within tolerance / published, all aggregations"
    values = _counts(title, "family", list(ibsi.CONFIGURATIONS), table)
    matrices = {family: {"equal": counts} for family, counts in ibsi.matrix_conformity().items()}
    title = "IBSI 1: matrices of the digital phantom, equal / published"
    unjudged = reference.ibsi_rows_without_value()
    names = sorted({row["feature"] for row in unjudged})
    remark = (
        f"Never standardised (no reference value, not judged): {len(unjudged)} rows, computed "
        f"{sum(math.isfinite(_ours(ibsi, row)) for row in unjudged)}: {', '.join(names)}"
    )
    return Part([values, _counts(title, "family", ["equal"], matrices)], disagree, remark)


def _ours(ibsi: Any, row: dict[str, str]) -> float:
    config = row["config"]
    values = ibsi.extracted(config, ibsi.aggregations(config)[0]).by_ibsi_tag()
    return values.get(row["feature"], math.nan)


def _response_maps() -> Part:
    from filters import response_maps  # type: ignore[import-not-found]

    counts, disagree = response_maps.conformity()
    title = "IBSI 2, phase 1: response maps within 1 % of their range / published, by filter"
    return Part([_counts(title, "", list(counts), {"maps": counts})], disagree)


def _ibsi2() -> Part:
    from features import ibsi2  # type: ignore[import-not-found]

    table, disagree = ibsi2.conformity()
    title = "IBSI 2, phase 2: values within tolerance / published, by filter (1: none)"
    filters = list(dict.fromkeys(name.split(".")[0] for name in ibsi2.FILTERS))
    names = {"A": "A (slices)", "B": "B (1 mm, 3D)"}
    rows = {names[letter]: cells for letter, cells in table.items()}
    return Part([_counts(title, "configuration", filters, rows)], disagree)


def _pyradiomics() -> Part:
    from features import baselines  # type: ignore[import-not-found]

    table, disagree = baselines.conformity()
    title = "PyRadiomics baselines: values within 1e-6 / given, all configurations"
    remark = (
        f"Left out: {len(baselines.STALE)} shape values of brain1 that an older PyRadiomics wrote, "
        "and lung1 normalised, which needs the image that it was cropped from."
    )
    return Part([_counts(title, "class", list(baselines.CASES), table)], disagree, remark)


def _counts(
    title: str, first: str, columns: list[str], table: dict
) -> tuple[str, list[str], list[list[str]]]:
    """Passed / total per row and column, with sums at both ends."""
    heads = [first, *columns, "all"] if len(columns) > 1 else [first, *columns]
    rows = {name: [cells.get(c, (0, 0)) for c in columns] for name, cells in table.items()}
    if len(rows) > 1:
        rows["all"] = [_sum([cells[k] for cells in rows.values()]) for k in range(len(columns))]
    lines = []
    for name, counts in rows.items():
        counts = [*counts, _sum(counts)] if len(columns) > 1 else counts
        lines.append([name, *(f"{p} / {n}" if n else "" for p, n in counts)])
    return title, [head.replace("digital_phantom", "phantom") for head in heads], lines


def _sum(counts: list[Counts]) -> Counts:
    return sum(p for p, _ in counts), sum(n for _, n in counts)


if __name__ == "__main__":
    sys.exit(main())
