"""Run the benchmarks and print ours beside every peer.

    python -m benchmarks.report [area ...] [--only EXPRESSION] [--threads N] [--quick] [--save]
                                [--readme]

``area`` names ``bench_<area>.py`` and every ``bench_<area>_*.py``; none means all. Each file runs
in a process of its own and its tables are printed when it ends, so that what is done stays done.
Every table is one run on one machine, so its ratios hold; times of different runs do not compare. A
ratio is the entry's time over ours (the fastest entry named pyrad_core; a variant has a longer name
and counts where there is no other), and over ours with as many threads: 5.0 means that the entry
takes five times as long. With --save the tables go to
``benchmarks/results/<date>-<cpu>.json`` and ``.md``, in place of the same tables of that day, and
README takes the short form of the latest of each that stand there for this processor. The features'
area begins with its conformity to IBSI and PyRadiomics (benchmarks/conformity.py), which --save
writes to ``benchmarks/results/conformity.md``.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from .conformity import parts, print_conformity, save_conformity

HERE = Path(__file__).resolve().parent
OURS = "pyrad_core"
COLUMNS = (
    *("who", "threads", "ms", "x ours", "x ours, same threads"),
    *("quality", "floor ms", "peak MiB"),
)
_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "DUCC0_NUM_THREADS",
    "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS",
    "PYRAD_NUM_THREADS",
    "PYRAD_BENCH_THREADS",
)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.report", description=__doc__)
    parser.add_argument("areas", nargs="*", help="bench_<area>.py, bench_<area>_*.py; default all")
    parser.add_argument("--only", default="", help="of their entries, as pytest's -k")
    parser.add_argument("--threads", type=int, default=None, help="for every entry; default all")
    parser.add_argument("--quick", action="store_true", help="one round per entry")
    parser.add_argument("--save", action="store_true", help="write to benchmarks/results")
    parser.add_argument("--readme", action="store_true", help="put the short table into README")
    options = parser.parse_args(arguments)
    paths = bench_files(options.areas, parser)
    threads = options.threads or len(os.sched_getaffinity(0))
    console = Console(width=None if sys.stdout.isatty() else 120)
    groups: dict[str, list[dict[str, Any]]] = {}
    status = 0
    if not options.only:
        status = conformity(paths, console, options.save)
    for path in paths:
        failed, run = run_benchmarks(path, threads, options.quick, options.only)
        status = status or failed
        found = collect(run)
        for name, rows in found.items():
            console.print(as_table(name, rows))
        sys.stdout.flush()
        groups |= found
    if (options.save or options.readme) and groups:
        stem = results_stem()
        groups = of_that_day(stem) | groups
        save(groups, threads, stem)
        console.print(f"wrote {stem.relative_to(HERE.parent)}.json and .md")
    if options.readme and groups:
        put_into_readme(short_table(*of_all_days(stem), threads))
    return status


def conformity(paths: list[Path], console: Console, keep: bool) -> int:
    """Compare with IBSI and PyRadiomics before features or filters; 1 if a value disagrees."""
    whole = HERE / "bench_features.py" in paths
    if not whole and HERE / "bench_filters.py" not in paths:
        return 0
    found = parts("features" if whole else "filters")
    if whole and keep and save_conformity(found):
        console.print("wrote results/conformity.md")
    return print_conformity(found, console)


def bench_files(areas: list[str], parser: argparse.ArgumentParser) -> list[Path]:
    """The files of these areas; a wrong name ends the program with the known ones."""
    stems = {path.stem.removeprefix("bench_"): path for path in sorted(HERE.glob("bench_*.py"))}
    chosen: dict[str, Path] = {}
    for area in areas or stems:
        found = {s: path for s, path in stems.items() if s == area or s.startswith(f"{area}_")}
        if not found:
            parser.error(f"no such area: {area}; known: {', '.join(stems)}")
        chosen |= found
    return list(chosen.values())


def run_benchmarks(path: Path, threads: int, quick: bool, only: str) -> tuple[int, dict[str, Any]]:
    """pytest's exit status and pytest-benchmark's JSON of one file."""
    environment = dict(os.environ, OMP_WAIT_POLICY="passive")
    environment.update(dict.fromkeys(_THREAD_VARIABLES, str(threads)))
    if quick:
        environment["PYRAD_BENCH_QUICK"] = "1"
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, "run.json")
        command = [
            *(sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider"),
            *("-o", "python_functions=test_* bench_*", "--benchmark-disable-gc"),
            *("--benchmark-columns=median", f"--benchmark-json={target}"),
            *("-k", only, str(path)),
        ]
        result = subprocess.run(
            command, cwd=HERE.parent, env=environment, stdout=subprocess.PIPE, text=True
        )
        text = target.read_text() if target.exists() else ""
    notes = [line for line in result.stdout.splitlines() if line.startswith("SKIPPED")]
    print("\n".join(notes) if result.returncode == 0 else result.stdout, file=sys.stderr)
    status = 0 if only and result.returncode == 5 else result.returncode  # 5: no entry chosen
    return status, json.loads(text) if text.strip() else {"benchmarks": []}


def collect(run: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Rows per group, ours first, then the peers by time."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for entry in run["benchmarks"]:
        info = entry["extra_info"]
        row = {
            "who": info.get("who", entry["name"]),
            "threads": info.get("threads"),
            "ms": entry["stats"]["median"] * 1e3,
            "quality": info.get("quality", ""),
            "floor ms": info.get("floor_ms"),
            "peak MiB": info.get("peak_mib"),
            "rounds": entry["stats"]["rounds"],
        }
        groups.setdefault(entry["group"] or entry["name"], []).append(row)
    for rows in groups.values():
        rows.sort(key=lambda row: (not row["who"].startswith(OURS), row["who"] != OURS, row["ms"]))
        ours = [row for row in rows if row["who"].startswith(OURS)]
        ours = [row for row in ours if row["who"] == OURS] or ours
        for row in rows:
            equal = [other["ms"] for other in ours if other["threads"] == row["threads"]]
            row["x ours"] = row["ms"] / ours[0]["ms"] if ours else None
            row["x ours, same threads"] = row["ms"] / min(equal) if equal else None
    return groups


def as_table(name: str, rows: list[dict[str, Any]]) -> Table:
    table = Table(title=name, title_justify="left", title_style="bold")
    for column in COLUMNS:
        table.add_column(column, justify="left" if column in ("who", "quality") else "right")
    for row in rows:
        table.add_row(*cells(row))
    return table


def cells(row: dict[str, Any]) -> list[str]:
    return [_text(row[column]) for column in COLUMNS]


def markdown(groups: dict[str, list[dict[str, Any]]], machine: dict[str, Any]) -> str:
    lines = [f"Machine: {machine['cpu']}, {machine['threads']} threads, {machine['date']}.", ""]
    for name, rows in groups.items():
        lines += [f"**{name}**", "", f"| {' | '.join(COLUMNS)} |"]
        lines += ["|" + "|".join("---" for _ in COLUMNS) + "|"]
        lines += [f"| {' | '.join(cells(row))} |" for row in rows]
        lines += [""]
    return "\n".join(lines)


def results_stem() -> Path:
    slug = re.sub(r"[^a-z0-9]+", "-", cpu_name().lower()).strip("-")
    return HERE / "results" / f"{datetime.date.today().isoformat()}-{slug}"


def of_that_day(stem: Path) -> dict[str, list[dict[str, Any]]]:
    path = stem.with_name(stem.name + ".json")
    return json.loads(path.read_text())["groups"] if path.exists() else {}


def of_all_days(stem: Path) -> tuple[dict[str, list[dict[str, Any]]], str]:
    """The latest table of each problem on this processor, and the days of the tables."""
    pattern = f"*{stem.name.removeprefix(datetime.date.today().isoformat())}.json"
    paths = sorted(stem.parent.glob(pattern))
    groups: dict[str, list[dict[str, Any]]] = {}
    for path in paths:
        groups |= json.loads(path.read_text())["groups"]
    first, last = (path.name[: len("2000-01-01")] for path in (paths[0], paths[-1]))
    return groups, first if first == last else f"{first} to {last}"


def save(groups: dict[str, list[dict[str, Any]]], threads: int, stem: Path) -> None:
    machine = {
        "date": datetime.date.today().isoformat(),
        "cpu": cpu_name(),
        "threads": threads,
        "python": platform.python_version(),
    }
    stem.parent.mkdir(exist_ok=True)
    data = json.dumps({"machine": machine, "groups": groups}, indent=1) + "\n"
    stem.with_name(stem.name + ".json").write_text(data)
    stem.with_name(stem.name + ".md").write_text(markdown(groups, machine))


def short_table(groups: dict[str, list[dict[str, Any]]], days: str, threads: int) -> str:
    """One line per problem: our fastest entry, and each peer's time as a multiple of it."""
    lines = [
        f"{cpu_name()}, {threads} threads, {days}; every line is one "
        "run, peers with one thread say so. 5x: the peer takes five times as long.",
        "",
        "| problem | pyrad_core | quality | peers: time, quality |",
        "|---|---|---|---|",
    ]
    for name, rows in groups.items():
        ours, *_ = rows
        peers = few(row for row in rows if not row["who"].startswith(OURS))
        if not peers or not ours["who"].startswith(OURS):
            continue
        others = [
            f"{row['who']}{' (1 thread)' if row['threads'] == 1 < threads else ''} "
            f"**{_text(row['x ours'])}x**{', ' + row['quality'] if row['quality'] else ''}"
            for row in peers
        ]
        time = f"{_text(ours['ms'])} ms"
        lines.append(f"| {name} | {time} | {ours['quality']} | {'; '.join(others)} |")
    return "\n".join(lines)


def few(peers: Iterable[dict[str, Any]], most: int = 4) -> list[dict[str, Any]]:
    """With the most threads that each had; of more than four the fastest of each package."""
    rows = sorted(peers, key=lambda row: row["ms"])
    threads: dict[str, int] = {}
    for row in rows:
        threads[row["who"]] = max(threads.get(row["who"], 0), row["threads"] or 0)
    rows = [row for row in rows if (row["threads"] or 0) == threads[row["who"]]]
    if len(rows) <= most:
        return rows
    packages = {row["who"].split()[0]: row for row in reversed(rows)}
    return sorted(packages.values(), key=lambda row: row["ms"])[:most]


def put_into_readme(table: str) -> None:
    readme = HERE.parent / "README.md"
    begin, end = "<!-- measured:begin -->", "<!-- measured:end -->"
    head, _, rest = readme.read_text().partition(begin)
    _, _, tail = rest.partition(end)
    readme.write_text(f"{head}{begin}\n{table}\n{end}{tail}")


def cpu_name() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor() or platform.machine()
    found = re.search(r"^model name\s*:\s*(.+)$", text, re.M)
    return found.group(1).strip() if found else platform.machine()


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.0f}" if value >= 1000 else f"{value:.3g}"
    return str(value)


if __name__ == "__main__":
    sys.exit(main())
