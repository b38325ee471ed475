"""One verb of the program over a table of cases, on the processors of one machine or of many."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from .outcome import Outcome

if TYPE_CHECKING:
    from .runner import run

__all__ = ["Outcome", "run"]


def __getattr__(name: str) -> Any:
    """``run`` brings NumPy and the readers, which the help of the command does not need."""
    if name == "run":
        return importlib.import_module(".runner", __name__).run
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
