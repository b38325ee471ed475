"""``pyrad-core recon ct`` and ``pyrad-core recon mr``."""

from __future__ import annotations

import click

from .recon_ct import command as ct
from .recon_mr import command as mr


@click.group("recon")
def command() -> None:
    """Reconstruct an image from raw CT projections or MR k-space."""


command.add_command(ct)
command.add_command(mr)
