"""``pyrad-core info``: version, build, threads, GPU."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from .common import Run, verb


@click.command("info")
@verb
def command(run: Run) -> None:
    """Show version, build, CPU and GPU as pyrad_core sees them."""
    from ..about import info

    found = info()
    run.report(found if run.as_json else _flat(found))


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested entries as ``outer inner`` lines."""
    lines: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            lines |= _flat(value, f"{prefix}{name} ")
        elif isinstance(value, (list, tuple)):
            lines[f"{prefix}{name}"] = ", ".join(str(v) for v in value) or "none"
        else:
            lines[f"{prefix}{name}"] = "none" if value is None else value
    return lines
