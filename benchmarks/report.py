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
the short form of the latest of each that stand there for this processor to ``measured.md``; README
takes those of HEADLINES with --readme. The features'
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
HEADLINES = (  # of README: the main problem of each area
    "fbp 512x720x736",
    "fdk 256^3 x 360 x 384^2",
    "cgls x20 512x720x736",
    "nufft forward A 12 x 256^2, 402 x 512, eps 1e-03",
    "nufft adjoint A 12 x 256^2, 402 x 512, eps 1e-05",
    "cg-sense 12 x 256^2, 96 x 512, 20 iterations",
    "espirit 8 x 256^2, calibration 24, kernel 6, 1 map",
    "l1-wavelet 8 x 256^2, Poisson 4.03, 50 iterations",
    "grappa 8 x 256^2, 2 x 2",
    "F1 six matrices, first order and histogram in one call",
    "F3 lung, 1130 features",
    "glcm maps 12^3, radius 1",
    "glcm maps 8^3, radius 2",
    "wavedecn 256^3 coif1, 3 levels",
    "swtn 256^3 coif1, 1 level",
    "LoG 256^3, sigma 3, to 4 sigma",
    "Riesz (1, 0, 0) 256^3",
    "nlm 512^2, search 11",
    "nlm 128^3, search 11, patch 3",
    "tv 512^2, weight .1, to rel 2.3e-4",
    "BM4D 64^3",
    "mppca 32 x 40 x 96^2, window 5^3",
    "gibbs 32 x 40 slices 96^2",
    "bilateral 7^3 (1, .15), 128^3",
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
        latest, days = of_all_days(stem)
        (stem.parent / "measured.md").write_text(short_table(latest, days, threads) + "\n")
        if options.readme:
            put_into_readme(short_table(headlines(latest), days, threads))
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


def headlines(groups: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    return {name: groups[name] for name in HEADLINES if name in groups}


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
