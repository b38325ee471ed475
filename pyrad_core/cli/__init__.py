"""The command line: ``pyrad-core verb [options] input output``.

Results go to stdout, log and progress to stderr. Exit codes: 0 done, 1 bad input, 2 wrong usage,
3 some cases failed, 130 interrupted. One file per verb; heavy imports happen inside the verbs.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence

import click

from .._version import __version__

__all__ = ["main", "program"]

_VERBS = {  # name -> module, in the order of the help text
    "demo": ".demo",
    "info": ".info",
    "recon": ".recon",
    "denoise": ".denoise",
    "features": ".features",
    "maps": ".maps",
    "cohort": "..cohort.command",
    "bench": ".bench",
}


class _Verbs(click.Group):
    """A group whose verbs are imported when they are asked for."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(_VERBS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in _VERBS:
            return None
        return importlib.import_module(_VERBS[name], __name__).command


@click.group(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-V", "--version", prog_name="pyrad-core")
def program() -> None:
    """Medical image reconstruction, denoising and radiomics."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in given
    try:
        code = program.main(args=given, prog_name="pyrad-core", standalone_mode=False)
        sys.stdout.flush()
        return int(code or 0)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted", err=True)
        return 130
    except BrokenPipeError:  # the reader of our output went away
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        if debug:
            raise
        return _failed(error)


def _failed(error: Exception) -> int:
    """One line on stderr; an error nobody foresaw asks for a report."""
    from ..errors import PyradError

    text = " ".join(str(error).split()).encode("utf-8", "backslashreplace").decode()
    if isinstance(error, (PyradError, OSError)):
        click.echo(f"error: {text}", err=True)
    elif isinstance(error, MemoryError):
        click.echo(f"error: out of memory ({text})", err=True)
    else:
        name = type(error).__name__
        click.echo(f"error: unexpected {name}: {text} (--debug shows where)", err=True)
    return 1
