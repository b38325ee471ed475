"""``pyrad-core bench``: the benchmarks of the source tree."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click

from ..errors import FileFormatError
from .common import Run, verb


@click.command("bench")
@click.argument("areas", nargs=-1, metavar="[AREA]...")
@verb
def command(run: Run, areas: tuple[str, ...]) -> int:
    """Run the benchmarks beside the peers (ct, mr, denoise, features...; default all).

    They live in the source tree, not in the installed package.
    """
    root = Path(__file__).resolve().parents[2]
    if not (root / "benchmarks" / "report.py").is_file():
        raise FileFormatError(
            "the benchmarks are part of the source tree: clone it, "
            "pip install -e '.[bench]', and run python -m benchmarks.report"
        )
    run.log("python -m benchmarks.report " + " ".join(areas))
    return subprocess.run(
        [sys.executable, "-m", "benchmarks.report", *areas], cwd=root, check=False
    ).returncode
