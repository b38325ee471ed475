"""``pyrad-core demo``: simulated scans, reconstructed, denoised, described and drawn."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from .common import PATH, Run, plain, verb

_HELICAL = ("raw", "ct.nii.gz", "ct.png")
_FILES = ("ct.png", "mr.png", "heatmap.png", "overview.png", "report.json")


@click.command("demo")
@click.option(
    "--out", type=PATH, default=Path("pyrad_core_demo"), show_default=True, help="Output folder."
)
@click.option("--quick", is_flag=True, help="Smaller images, for a first look in seconds.")
@click.option(
    "--helical",
    is_flag=True,
    help="A low-dose helical CT scan instead: raw DICOM-CT-PD files, and recon ct on them.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="Of texture and noise.")
@verb
def command(run: Run, out: Path, quick: bool, helical: bool, seed: int) -> None:
    """Simulate a CT and an MR scan and run them through all four areas.

    Low-dose CT of two textured lesions: filtered back-projection, denoising, lesion features and
    a texture heat map. Undersampled radial MR: gridding against CG-SENSE. No download.
    """
    if helical:
        _helical(run, out, quick, seed)
        return
    _claim(run, out, _FILES)
    from ..demo import ct as ct_scan
    from ..demo import mr as mr_scan

    start = time.perf_counter()
    with _steps(run) as note:
        ct = ct_scan.run(128 if quick else 320, seed, note)
        mr = mr_scan.run(80 if quick else 256, 20 if quick else 48, 8, seed, note)
        note("pictures")
        out.mkdir(parents=True, exist_ok=True)
        _draw(out, ct, mr)
    report = {
        "ct": {"unit": "HU", "quality": ct.rows, "lesions": ct.lesions, "seconds": ct.seconds},
        "mr": {
            "spokes": mr.spokes, "coils": mr.coils, "quality": mr.rows, "seconds": mr.seconds,
        },
        "seconds": time.perf_counter() - start,
        "files": [str(out / name) for name in _FILES],
    }  # fmt: skip
    _save(out / "report.json", report)
    if run.as_json:
        run.report(report)
    else:
        _print(report)


def _claim(run: Run, out: Path, names: tuple[str, ...]) -> None:
    """A folder that holds none of the files yet, or --force."""
    from ..errors import DataError

    if out.exists() and not out.is_dir():
        raise DataError(f"{out} is a file; name a folder")
    taken = [name for name in names if (out / name).exists()]
    if taken and not run.force:
        raise DataError(f"{out} already holds {', '.join(taken)}; --force overwrites them")


def _helical(run: Run, out: Path, quick: bool, seed: int) -> None:
    """Simulate, write raw files, reconstruct them as the user would, and measure."""
    from ..demo import helical
    from ..io import read_image
    from . import recon_ct

    raw, target, picture = (out / name for name in _HELICAL)
    _claim(run, out, _HELICAL)
    raw.mkdir(parents=True, exist_ok=True)
    for old in raw.glob("view_*.dcm"):
        old.unlink()
    run.log("simulating the scan")
    views = helical.write_raw(raw, quick, seed)
    given = [str(raw), str(target), "--preview", str(picture)]
    run.log(f"{views} views; pyrad-core recon ct {' '.join(given)}")
    options = dict(recon_ct.command.make_context("ct", given).params)
    report = recon_ct.recon_file(run, options.pop("input"), options.pop("output"), options)
    rows = helical.measure(read_image(target))
    if run.as_json:
        run.report({**report, "raw": raw, "views": views, "regions": rows})
    else:
        _table("Helical CT, low dose: HU", rows)
        run.report({**report, "raw": raw, "preview": picture})


@contextlib.contextmanager
def _steps(run: Run) -> Iterator[Any]:
    """A spinner with the name of the step on a terminal, log lines elsewhere."""
    import sys

    if run.quiet or not sys.stderr.isatty():
        yield run.log
        return
    from rich.console import Console

    with Console(stderr=True).status("starting") as status:
        yield lambda text: status.update(f"{text} ...")


def _draw(out: Path, ct: Any, mr: Any) -> None:
    from .. import plot
    from ..demo import ct as ct_scan
    from ..demo import mr as mr_scan

    ct_row, mr_row = ct_scan.panels(ct), mr_scan.panels(mr)
    plot.panels(ct_row, out / "ct.png")
    plot.panels(mr_row, out / "mr.png")
    plot.panels(ct_scan.heat_panels(ct), out / "heatmap.png", columns=4)
    errors = mr_scan.error_panels(mr)
    overview = [
        [ct_row[1], replace(ct_row[2], bar=None), ct_scan.heat_overview(ct)],
        [mr_row[1], errors[0], mr_row[2], errors[1]],
    ]
    plot.panels(overview, out / "overview.png")


def _save(path: Path, report: dict[str, Any]) -> None:
    from ..io.files import atomic_write

    with atomic_write(path) as stream:
        stream.write(json.dumps(report, default=plain, indent=1).encode())


def _print(report: dict[str, Any]) -> None:
    """Tables of what was measured, on stdout."""
    from rich.console import Console

    console = Console()
    mr = report["mr"]
    _table("CT, low dose: error in HU against the exact phantom", report["ct"]["quality"])
    _table("CT lesions: grey level co-occurrence", report["ct"]["lesions"], texts=2)
    _table(f"MR, {mr['spokes']} radial spokes, {mr['coils']} coils", mr["quality"])
    times = {**report["ct"]["seconds"], **mr["seconds"], "everything": report["seconds"]}
    _table("Time", [{"step": name, "seconds": value} for name, value in times.items()])
    console.print()
    for name in report["files"]:
        console.print(name, highlight=False)


def _table(title: str, rows: list[dict[str, Any]], texts: int = 1) -> None:
    """Rows of equal keys, the first columns being text."""
    from rich.console import Console
    from rich.table import Table

    console = Console()
    console.print(f"\n[bold]{title}[/bold]", highlight=False)
    shown = Table()
    for i, name in enumerate(rows[0]):
        shown.add_column(name, justify="left" if i < texts else "right")
    for row in rows:
        shown.add_row(*(f"{v:.3g}" if isinstance(v, float) else str(v) for v in row.values()))
    console.print(shown)
